"""Starts PostgreSQL, the broker, Dapr and the service in one folder: for `make run`, tests and benchmarks."""

from .kafka import TOPICS, Kafka, Topic
from .kafka_client import KafkaClient, KafkaError
from .node import Node, wait_until
from .place import StackError
from .stack import Broker, Stack

__all__ = [
    "TOPICS",
    "Broker",
    "Kafka",
    "KafkaClient",
    "KafkaError",
    "Node",
    "Stack",
    "StackError",
    "Topic",
    "wait_until",
]
