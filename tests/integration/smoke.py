#!/usr/bin/env python3
"""`make smoke`: the main story on Kafka, as an outsider sees it, and how long the loop takes.

Prints one line at the end. Exit code 1, with the reason, when anything is not as the contract says.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "support")]

from schemas import validator  # noqa: E402
from todo_client import Client, by_user, published, read_topic  # noqa: E402

from tools.stack import Stack  # noqa: E402

ROUNDS = 50


def main() -> int:
    binary = Path(os.environ.get("TODO_SERVICE", REPOSITORY / "build" / "release" / "todo-service"))
    with tempfile.TemporaryDirectory(prefix="todo-smoke-") as folder, \
            Stack(Path(folder) / "run", service_binary=binary, keep_data=False) as stack:
        ada = Client(stack.api_target(), "ada")
        task = ada.create("water the plants", due_local="2026-10-24T09:00:00", time_zone="Europe/Berlin",
                          recurrence_rule="FREQ=DAILY")
        took: list[float] = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            ada.complete(task.id)
            following = ada.successor_of(task)
            took.append((time.perf_counter() - began) * 1000)
            task = following

        published(stack)
        events = dict(by_user(read_topic(stack, "task-events")))["ada"]
        envelope, schema = validator("cloud-event-produced.schema.json"), validator("task-event-produced.schema.json")
        for event in events:
            envelope.validate(event)
            schema.validate(event["data"])
            assert event["id"] == event["data"]["id"] and event["source"] == "todo-service", event
            assert event["type"] == f"todo.task.{event['data']['event_type']}.v1", event
        kinds = [event["data"]["event_type"] for event in events]
        assert kinds == ["created", *["completed", "created"] * ROUNDS], kinds
        ids = [event["id"] for event in events]
        assert len(set(ids)) == len(ids), "an event is on the topic twice"
        print(json.dumps({"rounds": ROUNDS, "ms": [round(t) for t in sorted(took)]}))
        print(f"smoke: ok; {len(events)} events checked; completed -> next occurrence: median "
              f"{statistics.median(took):.0f} ms, worst {max(took):.0f} ms of {ROUNDS}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
