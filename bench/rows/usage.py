"""What usage costs: GetUsage of a heavy user, a rebuild of a million changes beside calls, and the effect of an event."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from todo_client import Client, Operator, eventually

from tools.stack import Stack

from ..harness.pairs import Plan, median
from ..harness.places import REPOSITORY, running_stack
from ..harness.report import Report, at_most
from ..harness.session import Session

sys.path.append(str(Path(REPOSITORY) / "tests" / "torture"))

from usage import Analytics  # noqa: E402

USERS = 1_000
CHANGES = 1_000          # of each user
# Two more users, with their changes over a year, and the seconds that an answer about that year may take: a person who
# does 27 things a day, and a program that does something in each quarter of an hour.
HEAVY = {"heavy-1": (10_000, 0.01), "program-1": (100_000, 0.05)}
LONGEST_CALL = 5.0       # seconds, while the rebuild runs
QUESTIONS = (("NONE", "DAY"), ("NONE", "MONTH"), ("PRIORITY", "DAY"), ("TAG", "DAY"), ("SERIES", "DAY"))


def write_history(session: Session, user: str, users: int, changes: int) -> None:
    """Tasks that are created, changed and completed over a year, with tags, priorities and series."""
    session.run(f"""
        insert into users (user_id, shard, seq)
        select n, shard_of(n), {changes} from (select '{user}' || u as n from generate_series(1, {users}) u) x""")
    session.run(f"""
        insert into changes (user_id, seq, shard, event_id, kind, task_id, version, task_json, at, traceparent)
        select n, s, shard_of(n), gen_random_uuid(),
               (array['created', 'updated', 'completed'])[1 + (s - 1) % 3], 1000000000 + (s - 1) / 3, 1 + (s - 1) % 3,
               json_build_object('id', 1000000000 + (s - 1) / 3, 'title', 'Water the plants', 'user_id', n,
                                 'priority', (array['low', 'medium', 'high'])[1 + s % 3],
                                 'tags', json_build_array('tag ' || s % 7, 'tag ' || s % 11),
                                 'created_at', rfc3339(at - interval '1 hour' * (s % 50)),
                                 'series_id', md5(n || s % 20)::uuid)::text,
               at, ''
        from (select '{user}' || u as n, s, now() - interval '1 year' * (1 - s / {changes}.0) as at
              from generate_series(1, {users}) u, generate_series(1, {changes}) s) x""")


class Calls:
    """Calls one after the other, until `stop`."""

    def __init__(self, call: Callable[[], object]) -> None:
        self._stopping = threading.Event()
        self.seconds: list[float] = []
        self._thread = threading.Thread(target=self._run, args=(call,))
        self._thread.start()

    def _run(self, call: Callable[[], object]) -> None:
        while not self._stopping.wait(0.01):
            began = time.perf_counter()
            call()
            self.seconds.append(time.perf_counter() - began)

    def stop(self) -> list[float]:
        self._stopping.set()
        self._thread.join()
        return self.seconds


def rebuild_beside_calls(stack: Stack) -> tuple[float, dict[str, list[float]]]:
    """Seconds of the rebuild, and of the calls meanwhile."""
    target = stack.api_target()
    writer, reader = Client(target, "meanwhile"), Analytics(target, "user-1")
    operator = Operator(target)
    began = time.perf_counter()
    operator.rebuild_analytics()
    calls = {"CreateTask": Calls(writer.create), "GetUsage": Calls(reader.get), "ListTasks": Calls(writer.tasks)}
    eventually(lambda: not operator.status().usage_rebuild.running, "the rebuild", within=3600, every=0.5)
    seconds = time.perf_counter() - began
    return seconds, {name: call.stop() for name, call in calls.items()}


def unpack(session: Session, user: str) -> None:
    """Counts the user's changes again, as single events that are not to be packed: the state before packing."""
    session.run(f"""
        begin;
        create temporary table old on commit drop as select own_account as account from usage_users
        where user_id = '{user}';
        delete from usage_packs where account in (select account from old);
        insert into usage_events (account, kind, at, event_id, seconds, created_at, born, priority, tags, series_id)
        select e.account, e.kind, e.at, e.event_id,
               case when e.kind = 'completed' then extract(epoch from e.at - e.created_at) end,
               e.created_at, e.born, e.priority, e.tags, e.series_id
        from old, changes c, usage_event_of(old.account, false, c) e where c.user_id = '{user}'
        on conflict do nothing;
        commit;
        vacuum analyze usage_events, usage_packs""")


def year_of(user: str, stack: Stack, breakdown: str, bucket: str, samples_wanted: int = 30) -> list[float]:
    analytics = Analytics(stack.api_target(), user)
    start = analytics.messages.GetUsageRequest().start
    start.FromDatetime(datetime.now(UTC) - timedelta(days=365))
    samples = []
    for _ in range(samples_wanted):
        began = time.perf_counter()
        analytics.get(start=start, bucket=f"USAGE_BUCKET_{bucket}", breakdown=f"USAGE_BREAKDOWN_{breakdown}")
        samples.append(time.perf_counter() - began)
    return samples


def main(report: Report, _: Plan) -> None:
    with running_stack("--user-calls-per-second=100000", "--user-open-tasks=1000000") as stack:
        session = Session(stack)
        stack.stop_one("service-0")
        write_history(session, "user-", USERS, CHANGES)
        for user, (changes, _) in HEAVY.items():
            write_history(session, user.removesuffix("1"), 1, changes)
        # They count as published, and as older than the audit.
        session.run("update relay_shards set position = (select max(id) from changes)")
        session.run("delete from audit_cursors")
        session.run("analyze users, changes")
        stack.start_one("service-0")
        seconds, calls = rebuild_beside_calls(stack)
        changes = USERS * CHANGES + sum(changes for changes, _ in HEAVY.values())
        longest = max(max(samples) for samples in calls.values())
        each = ", ".join(f"{name} {median(samples) * 1000:.1f} ms, longest {max(samples) * 1000:.0f} ms"
                         for name, samples in calls.items())
        report.alone("longest call while the usage is rebuilt", "s", [longest], at_most(LONGEST_CALL),
                     note=f"{changes:,} changes of {USERS + len(HEAVY):,} users rebuilt in {seconds:.0f} s; meanwhile {each}")
        began = time.perf_counter()
        # What was counted after its day was packed once waits for ten minutes.
        session.run("update usage_days set pack_at = now() where pack_at is not null and day < current_date - 1")
        eventually(lambda: session.run("select count(*) from usage_days where pack_at is not null and day < current_date - 1") == ["0"],
                   "all past days are packed", within=3600, every=0.5)
        print(f"usage: packed {time.perf_counter() - began:.0f} s after the rebuild", flush=True)
        session.run("vacuum analyze usage_events, usage_counts, usage_days, usage_packs")
        for user, (changes, allowed) in HEAVY.items():
            packed = {question: median(year_of(user, stack, *question)) for question in QUESTIONS}
            unpack(session, user)
            for question, seconds in packed.items():
                single = median(year_of(user, stack, *question, samples_wanted=5))
                report.alone(f"usage of a year of {changes:,} events by {question[1]} and {question[0]}", "ms",
                             [seconds * 1000], at_most(allowed * 1000), note=f"with single events {single * 1000:.0f} ms")
        session.close()
