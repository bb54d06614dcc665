#!/usr/bin/env python3
"""Reminders under fire: while scheduler, daprd and service are killed, frozen and restarted at random, and once the
scheduler loses its data, every reminder fires, never early and with one effect.

The reminders are prepared first. Ends with one line, and exit code 1 when one was lost, doubled or early.
"""

from __future__ import annotations

import argparse
import datetime
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterable
from concurrent import futures
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "support"), str(Path(__file__).parent)]

from todo_client import Client, Reminders, eventually, published, read_topic, rows  # noqa: E402
from tormentor import Tormentor  # noqa: E402

from tools.stack import Stack  # noqa: E402

USERS = 16
REPLICAS = 2
KINDS = ("scheduler", "daprd", "service")
# What is broken on purpose, in the database: some fire without an event; some fire again.
PLANTS = {
    "lost": """create function forget_message() returns trigger language plpgsql as 'begin return null; end';
               create trigger forget before insert on messages for each row
               when (new.topic = 'reminders' and new.payload::jsonb #>> '{data,task_id}' like '%7')
               execute function forget_message()""",
    "twice": """create function fire_again() returns trigger language plpgsql as 'begin new.state = ''pending''; return new; end';
                create trigger again before update on reminders for each row
                when (old.state = 'pending' and new.state = 'fired' and new.task_id % 10 = 7 and random() < 0.5)
                execute function fire_again()""",
}
# Without any movement for so long something hangs. daprd's own pauses after an absence of the app are shorter.
PATIENCE = 120.0


@dataclass
class Result:
    line: str
    counts: Counter[str]  # lost, doubled, early
    trouble: list[str]

    @property
    def passed(self) -> bool:
        return not self.counts and not self.trouble


def judge(tasks: Collection[int], events: Iterable[dict[str, Any]], told: Iterable[int]) -> Counter[str]:
    """How many of the reminders of `tasks`, one each, were lost, doubled or early, by the events on the topic (copies
    have the same id) and by the task of each notification that a user got."""
    ids: dict[int, set[str]] = {task: set() for task in tasks}
    counts: Counter[str] = Counter()
    for event in events:
        data = event["data"]
        if event["id"] not in ids[data["task_id"]]:
            ids[data["task_id"]].add(event["id"])
            counts["early"] += instant(event["time"]) < instant(data["remind_at"])
    effects = Counter(told)
    for task in tasks:
        counts["lost"] += not ids[task] or not effects[task]
        counts["doubled"] += len(ids[task]) > 1 or effects[task] > 1
    return +counts


def instant(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def prepare(stack: Stack, count: int, seconds: float) -> float:
    """Makes `count` reminders that are due over `seconds`, and waits for their jobs. Answers when the first is due."""
    clients = [Client(stack.api_target(n % REPLICAS), f"torture-{n}") for n in range(USERS)]

    def create(number: int) -> tuple[Client, Any]:
        client = clients[number % USERS]
        return client, client.create(f"task {number}")

    with futures.ThreadPoolExecutor(8) as pool:
        tasks = list(pool.map(create, range(count)))
        # Far away at first, so that none is due before all are there.
        far = time.time() + 86_400
        list(pool.map(lambda pair: Reminders(pair[0]).create(pair[1].id, at=far), tasks))
    began = time.time()
    start = time.time() + 5 + count / 60
    # What snoozing does, for all at once: moves the reminder, and so its job.
    stack.postgres.query(f"""
        update reminders r set planned_at = x.at, remind_at = x.at, at = x.at
        from (select user_id, task_id, number,
                     date_trunc('second', to_timestamp({start:.0f} + {seconds:.0f} * row_number() over () / {count})) as at
              from reminders) x
        where r.user_id = x.user_id and r.task_id = x.task_id and r.number = x.number""")
    unwritten = "select count(*) from reminders where wanted_job is distinct from job_at"
    eventually(lambda: rows(stack, unwritten) == [["0"]], "every job is written", within=300)
    print(f"  {count} jobs written in {time.time() - began:.1f} s", flush=True)
    return start


def lose_jobs(stack: Stack, scheduler: str) -> None:
    stack.kill(scheduler)
    shutil.rmtree(stack.directory / "scheduler")
    stack.start_one(scheduler)


def settle(stack: Stack, count: int, patience: float) -> None:
    """Waits until every reminder has fired and been told of, as long as there is progress."""
    progress = """select (select count(*) from reminders where state = 'fired'), (select count(*) from notifications)"""
    seen: list[list[str]] = []
    moved = time.monotonic()
    while seen != [[str(count)] * 2] and time.monotonic() - moved < patience:
        if (now := rows(stack, progress)) != seen:
            seen, moved = now, time.monotonic()
        time.sleep(0.2)
    published(stack)


def torture(folder: Path, *, binary: Path, count: int, seconds: float, seed: int, plant: str | None = None) -> Result:
    with Stack(folder, service_binary=binary, replicas=REPLICAS, service_flags=["--reminder-sweep=2s"],
               keep_data=False) as stack:
        stack.wait_jobs()
        start = prepare(stack, count, seconds)
        if plant:
            stack.postgres.query(PLANTS[plant])
        tormentor = Tormentor(stack, seed, KINDS, hands=2)
        tormentor.start()
        time.sleep(max(0.0, start + seconds / 2 - time.time()))
        tormentor.have("scheduler", lambda name: lose_jobs(stack, name))
        time.sleep(max(0.0, start + seconds - time.time()))
        tormentor.stop()
        settle(stack, count, 20 if plant else PATIENCE)
        tormentor.leave()

        tasks = [int(row[0]) for row in rows(stack, "select task_id from reminders")]
        told = [int(row[0]) for row in rows(stack, "select task_id from notifications")]
        counts = judge(tasks, (record.event for record in read_topic(stack, "reminders")), told)
        late, latest = rows(stack, """select count(*) filter (where late), coalesce(round(max(extract(epoch from
                                      n.at - n.remind_at)), 1), 0) from notifications n""")[0]
        line = (f"torture: reminders seed={seed} count={len(tasks)} kills={tormentor.kills} wiped=1 "
                f"fired={len(set(told))} lost={counts['lost']} doubled={counts['doubled']} early={counts['early']} "
                f"late={late} latest={latest}s")
    return Result(line, counts, tormentor.trouble)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seconds", type=float, help="over which they are due, and processes tormented; default: 20, "
                        "or more when there are many")
    parser.add_argument("--seed", type=int, default=None, help="default: another one each time")
    parser.add_argument("--plant", choices=PLANTS, help="break this on purpose")
    parser.add_argument("--binary", type=Path, default=Path(os.environ.get(
        "TODO_SERVICE", REPOSITORY / "build" / "ci" / "todo-service")))
    arguments = parser.parse_args()
    seed = random.randrange(10**6) if arguments.seed is None else arguments.seed
    seconds = arguments.seconds or max(20.0, arguments.count * 0.03)
    print(f"torture: reminders seed={seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="todo-torture-"))
    result = torture(folder, binary=arguments.binary, count=arguments.count, seconds=seconds, seed=seed,
                     plant=arguments.plant)
    if result.passed:
        shutil.rmtree(folder)
    else:
        print(f"  logs: {folder}")
    for text in result.trouble:
        print(f"  trouble: {text}")
    print(result.line, flush=True)
    return 0 if result.passed else 1


if __name__ == "__main__":
    sys.exit(main())
