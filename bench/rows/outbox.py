"""Whether the outbox drains as fast beside transactions that stay open, and from a backlog that is long.

The relay and its publisher run as in the service, in a program of their own (outbox_drain.cc), against the real
sidecar and broker; and once more only their reads, without the noise of the rest.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tools.stack import Stack

from ..harness.databases import Child
from ..harness.pairs import Plan, in_turns, median
from ..harness.places import program, running_stack
from ..harness.ratios import ratio_of
from ..harness.report import Report, at_most
from ..harness.session import Session

ROWS = 20_000
LONG = 1_000_000
PORTION = 50_000  # of rows, in a transaction


class Bench:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._filled = 0
        self.child = Child()
        self._session = Session(stack)
        self._session.run("insert into users (user_id, shard) select 'bench-' || g, shard_of('bench-' || g) "
                          "from generate_series(0, 999) g")
        stack.stop_one("service-0")  # it has made the tables; its relay would be a second one

    def fill(self, count: int) -> None:
        """Changes of a thousand users, as calls of the API would leave them."""
        for done in range(0, count, PORTION):
            self._fill(min(PORTION, count - done))

    def _fill(self, count: int) -> None:
        self._session.run(f"""
            insert into changes (user_id, seq, shard, event_id, kind, task_id, version, task_json, at, traceparent)
            select u, g / 1000, shard_of(u), gen_random_uuid(), 'created', g, 1,
                   jsonb_build_object('id', g, 'title', 'task ' || g, 'description', repeat('x', 300),
                                      'user_id', u)::text, now(), ''
            from (select g, 'bench-' || g % 1000 as u
                  from generate_series({self._filled + 1000}, {self._filled + 999 + count}) g) x
            order by g""")
        self._filled += count

    def leave(self, count: int) -> None:
        """Sets the cursors so that the last `count` changes are not published."""
        self._session.run(f"""
            update relay_shards set owner = '', lease_until = '-infinity', snapshot = pg_current_snapshot()::text,
                                    position = (select max(id) - {count} from changes)""")

    def drain(self, count: int = ROWS, *flags: str) -> float:
        """Seconds for the first `count` of what is not published."""
        daprd = self._stack.daprds[0]
        output = self.child.output(
            [program("outbox_drain"), str(count), *flags],
            {"TODO_DATABASE_URL": self._stack.database_url, "DAPR_GRPC_ENDPOINT": daprd.grpc_endpoint,
             "DAPR_API_TOKEN": daprd.tokens["DAPR_API_TOKEN"]})
        return next(float(line) for line in output.splitlines() if not line.startswith("{"))  # the others are its log

    @contextmanager
    def held_transactions(self, seconds: float) -> Iterator[None]:
        """A reader with an old snapshot, and a writer whose row has an id but is not committed, while a service
        goes on working beside them."""
        reader, writer = Session(self._stack), Session(self._stack)
        reader.run("begin isolation level repeatable read; select count(*) from relay_shards")
        writer.run("""begin;
            insert into changes (user_id, seq, shard, event_id, kind, task_id, version, task_json, at, traceparent)
            values ('held', coalesce((select max(seq) + 1 from changes where user_id = 'held'), 1), shard_of('held'),
                    gen_random_uuid(), 'created', 1, 1, '{}', now(), '')""")
        try:
            self._stack.start_one("service-0")
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                self.fill(200)
                time.sleep(0.1)
            self._stack.stop_one("service-0")
            yield
        finally:
            for session in (reader, writer):
                session.run("commit")
                session.close()


def beside_open_transactions(report: Report, bench: Bench, rounds: int, hold: float) -> None:
    """In turns without, with, without...: each time `rounds` samples."""
    samples: dict[tuple[bool, str], list[float]] = {
        (held, way): [] for held in (False, True) for way in ("all", "reads")}

    def sample(held: bool) -> None:
        for turn in range(rounds + 1):
            bench.fill(ROWS)
            for way, flags in (("reads", ["--reads"]), ("all", [])):
                seconds = bench.drain(ROWS, *flags)  # the reads leave the cursors where they were
                if turn > 0:
                    samples[held, way].append(seconds)

    sample(held=False)
    for _ in range(2 if hold <= 60 else 1):
        with bench.held_transactions(hold):
            sample(held=True)
        sample(held=False)
    without, beside = samples[False, "all"], samples[True, "all"]
    reads = median(samples[True, "reads"]) / median(samples[False, "reads"])
    report.alone("outbox, beside open transactions", "times as long", [median(beside) / median(without)], at_most(1.1),
                 note=f"{ROWS} rows beside a reader and a writer open for {hold:.0f} s and longer {median(beside):.2f} s, "
                      f"without {median(without):.2f} s; reads alone: ratio {reads:.2f}")


def from_a_long_backlog(report: Report, bench: Bench, rounds: int) -> None:
    bench.fill(LONG)

    def drained(backlog: int, *flags: str) -> float:
        bench.leave(backlog)
        return bench.drain(ROWS, *flags)

    short, long = in_turns(rounds, lambda: drained(ROWS), lambda: drained(LONG))
    short_reads, long_reads = in_turns(rounds, lambda: drained(ROWS, "--reads"), lambda: drained(LONG, "--reads"))
    report.times("outbox, long backlog", "s", long, short, 1.2, peer_name="a short one",
                 note=f"the first {ROWS} of {LONG} rows, and {ROWS} of {ROWS}; reads alone: ratio "
                      f"{ratio_of(long_reads, short_reads)}")


def main(report: Report, plan: Plan) -> None:
    with running_stack() as stack:
        bench = Bench(stack)
        beside_open_transactions(report, bench, plan.pairs, plan.hold)
        from_a_long_backlog(report, bench, plan.pairs)
