"""A Kafka broker: one KRaft node that is its own controller, and the topics of the event contract."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .installed import where
from .kafka_client import KafkaClient, KafkaError
from .node import Command, Node, wait_until
from .place import Place, StackError

_HOUR_MS = 3_600_000
_DAY_MS = 24 * _HOUR_MS


@dataclass(frozen=True)
class Topic:
    name: str
    partitions: int
    retention_ms: int


TOPICS: tuple[Topic, ...] = (
    Topic("task-events", 3, 7 * _DAY_MS),
    Topic("reminders", 1, 1 * _DAY_MS),
    Topic("task-updates", 3, 1 * _HOUR_MS),
    Topic("task-events-dlq", 3, 7 * _DAY_MS),
    Topic("reminders-dlq", 1, 7 * _DAY_MS),
)


class Kafka(Node):
    def __init__(self, place: Place, topics: Sequence[Topic] = TOPICS, heap: str = "512m") -> None:
        super().__init__("kafka", place)
        self.topics = tuple(topics)
        self._heap = heap
        self._folder = place.directory / "kafka"

    @property
    def port(self) -> int:
        return self.place.ports["kafka"]

    @property
    def brokers(self) -> str:
        return f"127.0.0.1:{self.port}"

    def client(self) -> KafkaClient:
        return KafkaClient(self.port)

    def create_topics(self, topics: Sequence[Topic] | None = None) -> None:
        """Makes the topics that do not exist and returns when each has a leader. Default: all of the contract."""
        wanted = self.topics if topics is None else topics
        with self.client() as client:
            for topic in wanted:
                client.create_topic(topic.name, topic.partitions, {"retention.ms": str(topic.retention_ms)})

            def missing() -> str | None:
                there = client.topics()
                waiting = [t.name for t in wanted if not (p := there.get(t.name)) or any(x.leader < 0 for x in p)]
                return f"no leader yet for {', '.join(waiting)}" if waiting else None

            wait_until(missing, "topics", within=30)

    def delete_topic(self, name: str) -> None:
        """Removes a topic with all that is in it; returns when the broker no longer shows it."""
        self._delete([name])

    def wipe(self) -> None:
        """Empties the bus: deletes every topic and makes those of the contract anew, their offsets at zero.

        Positions of consumer groups stay behind, as after a real loss of topics.
        """
        with self.client() as client:
            names = list(client.topics())
        self._delete(names)
        self.create_topics()

    def prepare(self) -> None:
        """Writes the settings each time: ports may have changed. Data is kept."""
        data = self._folder / "data"
        if not data.exists():
            self._folder.mkdir(exist_ok=True)
            temporary = self._folder / "data.new"
            shutil.rmtree(temporary, ignore_errors=True)
            # Formatting needs a JVM and takes a second; tools/setup did it once, with names that do not matter.
            shutil.copytree(where("kafka") / "formatted", temporary)
            temporary.replace(data)
        controller = self.place.ports["kafka-controller"]
        settings = {
            "process.roles": "broker,controller",
            "node.id": "1",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"PLAINTEXT://{self.brokers},CONTROLLER://127.0.0.1:{controller}",
            "advertised.listeners": f"PLAINTEXT://{self.brokers}",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": str(data),
            "auto.create.topics.enable": "false",
            "default.replication.factor": "1",
            "offsets.topic.replication.factor": "1",
            "offsets.topic.num.partitions": "3",
            "transaction.state.log.replication.factor": "1",
            "transaction.state.log.min.isr": "1",
            "transaction.state.log.num.partitions": "3",
            "share.coordinator.state.topic.replication.factor": "1",
            "share.coordinator.state.topic.min.isr": "1",
            "group.initial.rebalance.delay.ms": "0",
            # A killed broker is let in again only when its former self's session is over: 9 s by default.
            "broker.session.timeout.ms": "2000",
            "broker.heartbeat.interval.ms": "500",
        }
        text = "".join(f"{key}={value}\n" for key, value in settings.items())
        self._settings_file.write_text(text, encoding="utf-8")

    def command(self) -> Command:
        logging = {
            "showDateTime": "true",
            "dateTimeFormat": "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
            # Repeats every setting at each start.
            "log.org.apache.kafka.common.config.AbstractConfig": "warn",
        }
        jars = where("kafka")
        return Command(
            [
                "java",
                f"-Xmx{self._heap}",
                "-Djava.awt.headless=true",
                *(f"-Dorg.slf4j.simpleLogger.{key}={value}" for key, value in logging.items()),
                "-cp",
                f"{jars}/*",
                "kafka.Kafka",
                str(self._settings_file),
            ]
        )

    def not_ready(self) -> str | None:
        try:
            self.create_topics()
        except (KafkaError, StackError) as error:
            return str(error)
        return None

    @property
    def _settings_file(self) -> Path:
        return self._folder / "server.properties"

    def _delete(self, names: Sequence[str]) -> None:
        with self.client() as client:
            client.delete_topics(names)

            def remaining() -> str | None:
                there = set(client.topics()) & set(names)
                return f"still there: {', '.join(there)}" if there else None

            wait_until(remaining, "deleting topics", within=30)
