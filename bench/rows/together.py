"""Calls and events at once: calls while a backlog of events drains, and the drain meanwhile, each beside itself alone; and
calls with all consumers at work, beside the same service that is given no events."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..harness.pairs import Plan, Sample, Side, take_pairs
from ..harness.places import REPOSITORY, Stack, running_stack
from ..harness.replicas import Replica
from ..harness.report import Report, at_least
from .events import Consumer

CLIENTS = 16
PUBSUB = REPOSITORY / "deploy" / "components" / "kafka" / "pubsub.yaml"
NOTHING_IS_DELIVERED = """
    - name: subscriptionScopes
      value: "todo-service="
scopes:"""


class Together:
    def __init__(self, stack: Stack) -> None:
        self._replica = Replica(stack, "the service")
        self._consumer = Consumer(stack, "the service")
        self._calls = self._replica.calls(CLIENTS)

    def both(self, seconds: float) -> Sample:
        drained: Sample = {}
        with self._consumer.draining(4 * seconds) as drain:
            watch = threading.Thread(target=lambda: drained.update(drain(seconds)))
            watch.start()
            called = self._calls.run(seconds)
            watch.join()
        self._replica.settle()
        return {"calls": called["rate"], "events": drained["rate"]}

    def each_alone(self, seconds: float) -> Sample:
        called = self._calls.run(seconds)
        self._replica.settle()
        with self._consumer.draining(4 * seconds) as drain:
            drained = drain(seconds)
        self._replica.settle()
        return {"calls": called["rate"], "events": drained["rate"]}

    def sides(self) -> tuple[Side, Side]:
        return Side("both at once", self.both, self._replica.pids), Side("each alone", self.each_alone)


@contextmanager
def without_consumers() -> Iterator[Stack]:
    """The sidecar lets the service publish, and delivers nothing to it."""
    with tempfile.TemporaryDirectory(prefix="todo-components-") as folder:
        text = PUBSUB.read_text("utf-8").replace("\nscopes:", NOTHING_IS_DELIVERED)
        (Path(folder) / PUBSUB.name).write_text(text, "utf-8")
        with running_stack(components=Path(folder)) as stack:
            yield stack


def main(report: Report, plan: Plan) -> None:
    with running_stack() as stack:
        pairs = take_pairs(plan, *Together(stack).sides())
        report.compare("calls while a backlog of events drains", "calls", "/s", pairs, at_least(0.5))
        report.compare("the drain of the backlog meanwhile", "events", "/s", pairs, at_least(0.5))
        with without_consumers() as silent:
            pairs = take_pairs(plan, Replica(stack, "the service").calls(CLIENTS),
                               Replica(silent, "without consumers", consumes=False).calls(CLIENTS))
            report.compare("calls with all consumers at work", "rate", "/s", pairs, at_least(0.6))
