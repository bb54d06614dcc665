"""Events from a backlog: those that have an effect, beside the service of b64976b; and those that only leave rows in the
inbox, beside a no-op app behind a sidecar and a consumer without one, which write the same rows."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from todo_client import eventually, foreign_event, produce

from ..harness.pairs import Plan, Sample, Side, take_pairs
from ..harness.places import Stack, running_stack, stack_then
from ..harness.processes import used_by
from ..harness.replicas import Replica
from ..harness.report import Report, at_least, at_most
from ..harness.session import Session
from ..peers.apps import App, kafka_consumer, noop_app
from ..peers.then import THEN

USERS = 1_000
FIRST_TASK = 60_000_000
BACKLOG = {"completed": 1_500, "created": 10_000}  # events for each second of a sample
WARM_UP = 12  # seconds: until the broker's code is compiled, and the tables are no longer those of an empty database
RUNS = itertools.count(1)
Records = list[tuple[bytes | None, bytes | None]]


def backlog(kind: str, run: int, count: int) -> Records:
    """Events of foreign tasks, whose day names the run: the inbox keeps it, and nothing else has it. A `completed` one
    gets its next occurrence; the others have no effect."""
    text = json.dumps(foreign_event("USER", 0, event_type=kind, timestamp=f"{day_of(run)}T12:00:00Z"))
    event_id = str(json.loads(text)["id"])
    records: Records = []
    for n in range(count):
        user = f"events-{run}-{n % USERS}"
        one = text.replace(event_id, str(uuid.uuid4())).replace("USER", user)
        task = FIRST_TASK + run * 1_000_000 + n
        records.append((user.encode(), one.replace('"task_id": 0', f'"task_id": {task}')
                        .replace('"id": 0', f'"id": {task}').encode()))
    return records


def day_of(run: int) -> str:
    return f"{1980 + run // 300}-{1 + run % 300 // 25:02}-{1 + run % 25:02}"


class Consumer:
    """The service as a consumer of a backlog."""

    def __init__(self, stack: Stack, name: str) -> None:
        self._stack = stack
        self._name = name
        self._replica = Replica(stack, name)
        self._session = Session(stack)

    def side(self, kind: str) -> Side:
        return Side(self._name, lambda seconds: self._replica.measured(lambda: self._drain(kind, seconds)),
                    self._replica.pids)

    def rows_per_event(self) -> int:
        """How many consumers took the events of the last run."""
        return int(self._session.run("select count(distinct consumer) from inbox")[0])

    @contextmanager
    def draining(self, seconds: float) -> Iterator[Callable[[float], Sample]]:
        """A backlog of completed events that lasts for so long; what comes out tells its rate over a time. Ends when all of
        it is drained."""
        run, count = next(RUNS), round(BACKLOG["completed"] * seconds)
        records = backlog("completed", run, count)
        with frozen_sidecar(self._stack):
            produce(self._stack, "task-events", records)
        eventually(lambda: self._done(run), "the first events are taken")

        def rate(time_for_it: float) -> Sample:
            before, began = self._done(run), time.monotonic()
            time.sleep(time_for_it)
            done, took = self._done(run) - before, time.monotonic() - began
            assert before + done < count, "the backlog is over too early"
            return {"rate": done / took}

        yield rate
        eventually(lambda: self._done(run) == count, "all events are taken", within=600, every=0.1)

    def _done(self, run: int) -> int:
        return int(self._session.run(
            f"select count(*) from inbox where consumer = 'recurring-tasks' and day = '{day_of(run)}'")[0])

    def _drain(self, kind: str, seconds: float) -> Sample:
        run, count = next(RUNS), round(BACKLOG[kind] * seconds)
        records = backlog(kind, run, count)
        return timed(count, frozen_sidecar(self._stack), lambda: produce(self._stack, "task-events", records),
                     lambda: self._done(run))


class Peer:
    """A program that takes the same events in its place."""

    def __init__(self, stack: Stack, app: App, name: str, *, sidecar: bool = True) -> None:
        self._stack = stack
        self._app = app
        self._sidecar = sidecar
        self._name = name

    def side(self, kind: str) -> Side:
        return Side(self._name, lambda seconds: self._drain(kind, seconds))

    def _drain(self, kind: str, seconds: float) -> Sample:
        count = round(BACKLOG[kind] * seconds)
        records, before, used = backlog(kind, next(RUNS), count), self._app.count(), used_by(self._app.pid)
        sample = timed(count, frozen_sidecar(self._stack) if self._sidecar else frozen(self._app.pid),
                       lambda: produce(self._stack, "task-events", records), lambda: self._app.count() - before)
        return {**sample, "service_cpu_us": (used_by(self._app.pid) - used).cpu / count * 1e6}


def timed(count: int, frozen: AbstractContextManager[object], produce_all: Callable[[], None],
          done: Callable[[], int]) -> Sample:
    """The rate from the moment at which the whole backlog lies there to the last event's effect."""
    with frozen:
        produce_all()
    began = time.monotonic()
    took = wait_for_all(count, done, began)
    return {"rate": count / took, "ms_each": took / count * 1e3, "all_count": float(count)}


def wait_for_all(count: int, done: Callable[[], int], began: float) -> float:
    """The seconds from `began` until all are done. A look costs the server something, so there are few of them as long as
    many events are left."""
    while (seen := done()) < count:
        took = time.monotonic() - began
        assert took < 600, f"{seen} of {count} events are taken"
        left = took / seen * (count - seen) if seen else 1.0
        time.sleep(min(max(left / 4, 0.02), 0.5))
    return time.monotonic() - began


@contextmanager
def frozen_sidecar(stack: Stack) -> Iterator[None]:
    """Nothing is delivered meanwhile. Shorter than a session of the consumer group."""
    for daprd in stack.daprds:
        daprd.freeze()
    try:
        yield
    finally:
        for daprd in stack.daprds:
            daprd.thaw()


@contextmanager
def frozen(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def beside_then(report: Report, plan: Plan, ours: Stack) -> None:
    with stack_then() as then:
        sides = (Consumer(ours, "the service").side("completed"),
                 Consumer(then, f"the service of {THEN}").side("completed"))
        for side in sides:
            side.measure(WARM_UP)
        pairs = take_pairs(plan, *sides)
    report.compare("completed → successor, from a backlog", "rate", "/s", pairs, at_least(2.5, must=True, stretch=4))
    report.compare("the app's CPU per completed event", "service_cpu_us", "µs", pairs, at_most(0.34),
                   note="with the publishing of the successor")
    report.compare("daprd's CPU per completed event", "daprd_cpu_us", "µs", pairs)


def without_effect(report: Report, plan: Plan, ours: Stack) -> None:
    consumer = Consumer(ours, "the service")
    consumer.side("created").measure(1)
    rows = consumer.rows_per_event()
    with running_stack(service=False) as place:
        with noop_app(place, consumers=rows) as app:
            peer = Peer(place, app, f"a no-op app that writes {rows} rows an event")
            pairs = take_pairs(plan, consumer.side("created"), peer.side("created"))
            report.compare("events that only leave rows in the inbox", "rate", "/s", pairs, at_least(0.5))
            report.compare("the app's CPU per such event", "service_cpu_us", "µs", pairs)
        with noop_app(place) as app:
            pairs = take_pairs(plan, consumer.side("created"), Peer(place, app, "a no-op app").side("created"))
            report.compare("the same beside an app that writes nothing", "rate", "/s", pairs)
        with kafka_consumer(place, consumers=rows) as app:
            peer = Peer(place, app, "librdkafka with the same rows, no sidecar", sidecar=False)
            pairs = take_pairs(plan, consumer.side("created"), peer.side("created"))
            report.compare("events consumed", "rate", "/s", pairs, at_least(0.5))


def main(report: Report, plan: Plan) -> None:
    with running_stack() as ours:
        beside_then(report, plan, ours)
        without_effect(report, plan, ours)
