"""Whether the outbox drains as fast beside transactions that stay open, and from a backlog that is long.

The relay and its publisher run as in the service, in a program of their own (outbox_drain.cc), against the real
sidecar and broker; and once more only their reads, without the noise of the rest.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tools.stack import Stack

from .measuring import Session, build, in_turns, median, ratio, running_stack, spread, verdict

ROWS = 20_000
LONG = 1_000_000
PORTION = 50_000  # of rows, in a transaction


class Bench:
    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._filled = 0
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
        done = subprocess.run(
            [str(build() / "bench" / "outbox_drain"), str(count), *flags], check=False, capture_output=True, text=True,
            env={**os.environ, "TODO_DATABASE_URL": self._stack.database_url,
                 "DAPR_GRPC_ENDPOINT": daprd.grpc_endpoint, "DAPR_API_TOKEN": daprd.tokens["DAPR_API_TOKEN"]})
        assert done.returncode == 0, done.stderr
        return float(done.stdout)

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


def beside_open_transactions(bench: Bench, rounds: int, hold: float) -> bool:
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
    return verdict("outbox, beside open transactions", median(beside) / median(without), 1.1,
                   f"{ROWS} rows beside a reader and a writer open for {hold:.0f} s and longer {spread(beside)}, "
                   f"without {spread(without)}; reads alone: ratio {reads:.2f}")


def from_a_long_backlog(bench: Bench, rounds: int) -> bool:
    bench.fill(LONG)

    def drained(backlog: int, *flags: str) -> float:
        bench.leave(backlog)
        return bench.drain(ROWS, *flags)

    short, long = in_turns(rounds, lambda: drained(ROWS), lambda: drained(LONG))
    short_reads, long_reads = in_turns(rounds, lambda: drained(ROWS, "--reads"), lambda: drained(LONG, "--reads"))
    return verdict("outbox, long backlog", ratio(short, long), 1.2,
                   f"the first {ROWS} of {LONG} rows {spread(long)}, {ROWS} of {ROWS} {spread(short)}; "
                   f"reads alone: ratio {ratio(short_reads, long_reads):.2f}")


def main(arguments: argparse.Namespace) -> bool:
    with running_stack() as stack:
        bench = Bench(stack)
        beside = beside_open_transactions(bench, arguments.rounds, arguments.hold)
        backlog = from_a_long_backlog(bench, arguments.rounds)
    return beside and backlog
