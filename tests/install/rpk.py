#!/usr/bin/env python3
"""Stands in for the few commands of Redpanda's rpk that the chart uses, on a broker of this machine.

It prints what rpk prints: `describe -s` a column of names and values, `describe -c` a table with a head.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tools.stack.kafka_client import KafkaClient  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("group", choices=["topic"])
    parser.add_argument("command", choices=["create", "describe"])
    parser.add_argument("topic")
    parser.add_argument("--if-not-exists", action="store_true", help="always so here")
    parser.add_argument("-p", dest="partitions", type=int)
    parser.add_argument("-r", dest="replicas", type=int)
    parser.add_argument("-c", dest="configs", nargs="?", const="print")
    parser.add_argument("-s", dest="summary", action="store_true")
    # `describe -c NAME` and `create -c key=value` differ in whether -c takes a value.
    words = sys.argv[1:]
    if words[1] == "describe":
        words.sort(key=lambda word: word.startswith("-"))
    given = parser.parse_args(words)
    with KafkaClient(int(os.environ["RPK_BROKERS"].rsplit(":", 1)[1])) as client:
        if given.command == "create":
            client.create_topic(given.topic, given.partitions, dict([given.configs.split("=", 1)]))
        elif given.summary:
            there = client.topics().get(given.topic)
            print(f"NAME        {given.topic}\nPARTITIONS  {len(there or [])}")
            print("REPLICAS    1" if there else "ERROR       UNKNOWN_TOPIC_OR_PARTITION: This server does not host this topic-partition.")
        else:
            print(f"{'KEY':<40}  {'VALUE':<20}  SOURCE")
            for key, value in sorted(client.topic_config(given.topic).items()):
                print(f"{key:<40}  {value:<20}  DYNAMIC_TOPIC_CONFIG")


if __name__ == "__main__":
    main()
