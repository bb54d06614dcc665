"""How much poison slows good events down: one record in a hundred that nothing can be made of, against none."""

from __future__ import annotations

import itertools
import json
import time

from poison import poison
from todo_client import acknowledged, eventually, foreign_event, produce, published, read_topic, rows

from tools.stack import Stack

from ..harness.pairs import Plan, in_turns
from ..harness.places import running_stack
from ..harness.report import Report
from ..harness.session import Session

GOOD = 10_000
ONE_IN = 100
ALLOWED = 1.2

Records = list[tuple[bytes | None, bytes | None]]


class Bench:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._session = Session(stack)
        self._numbers = itertools.count(1)
        self._poison_sent = 0

    def clean(self) -> float:
        return self._run(poisoned=False)

    def poisoned(self) -> float:
        return self._run(poisoned=True)

    def check_poison(self) -> int:
        """All of it is in the dead letters, each with a reason, and on the topic."""
        def counted() -> int:
            return int(rows(self._stack, "select count(*) from dead_letters where length(reason) > 10")[0][0])

        eventually(lambda: counted() == self._poison_sent, "every poison record is a dead letter")
        published(self._stack)
        eventually(lambda: len({r.event["id"] for r in read_topic(self._stack, "task-events-dlq")})
                   == self._poison_sent, "and on the dead-letter topic")
        return self._poison_sent

    def _run(self, poisoned: bool) -> float:
        """Seconds from the first record to the last good one's effect."""
        number = next(self._numbers)
        # The day names the run: the inbox keeps it, and nothing else has it.
        day = f"{2000 + number}-01-01"
        records: Records = []
        kinds = itertools.cycle(poison("", 0))
        for n in range(GOOD):
            records.append(self._good(number, n, day))
            if poisoned and n % ONE_IN == 0:
                user, task_id = f"poison-{number}-{n}", 70_000_000 + number * GOOD + 2 * n
                records.append((user.encode(), poison(user, task_id)[next(kinds)]))
                self._poison_sent += 1
        done = f"select count(*) from inbox where consumer = 'recurring-tasks' and day = '{day}'"
        began = time.perf_counter()
        produce(self._stack, "task-events", records)
        eventually(lambda: self._session.run(done) == [str(GOOD)], "every good event is done", within=300,
                   every=0.1)  # looking costs something, too
        took = time.perf_counter() - began
        published(self._stack)  # what this run has caused shall not slow down the next
        acknowledged(self._stack)
        return took

    @staticmethod
    def _good(number: int, n: int, day: str) -> tuple[bytes, bytes]:
        """A third of the events have an effect: those that complete a recurring task."""
        user = f"bench-{number}-{n % 100}"
        kind = ("created", "updated", "completed")[n % 3]
        event = foreign_event(user, 60_000_000 + number * GOOD + n, event_type=kind, timestamp=f"{day}T12:00:00Z")
        return user.encode(), json.dumps(event).encode()


def main(report: Report, plan: Plan) -> None:
    with running_stack() as stack:
        bench = Bench(stack)
        clean, poisoned = in_turns(plan.pairs, bench.clean, bench.poisoned)
        count = bench.check_poison()
    report.times("poison", "s", poisoned, clean, ALLOWED, peer_name="without poison",
                 note=f"{GOOD} good events with 1 % poison; {count} poison records, all in the dead letters")
