#!/usr/bin/env python3
"""Reminders under fire: while scheduler, daprd and service are killed at random, and once the scheduler loses its
data, every reminder fires, never early and with one effect.

    tests/torture/reminders.py [--count N] [--seconds S] [--seed N] [--plant sweep|twice]

The reminders are prepared first. Ends with one line, and exit code 1 when one was lost, early or doubled. `--plant`
breaks it on purpose and must be found out: `sweep` takes the sweep away, `twice` lets some fire again.
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
from concurrent import futures
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "support")]

from todo_client import Client, Reminders, eventually, published, read_topic, rows  # noqa: E402

from tools.stack import Stack, StackError  # noqa: E402

USERS = 16
REPLICAS = 2
VICTIMS = ("scheduler", *(f"{kind}-{n}" for kind in ("daprd", "service") for n in range(REPLICAS)))
PLANTS = ("sweep", "twice")
# After all is up again; daprd's own pauses after an absence of the app are shorter.
PATIENCE = 120.0


@dataclass
class Result:
    line: str
    passed: bool


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
    print(f"torture: {count} jobs written in {time.time() - began:.1f} s", flush=True)
    return start


def torment(stack: Stack, chance: random.Random, until: float, wipe_at: float) -> tuple[int, bool]:
    """Kills and starts again until then. Answers how many kills, and whether the scheduler's data was deleted."""
    kills = 0
    wiped = False
    down: dict[str, float] = {}  # and when it comes back
    while time.time() < until:
        for name, back in list(down.items()):
            if time.time() >= back:
                del down[name]
                restart(stack, name)
        if not wiped and time.time() >= wipe_at and "scheduler" not in down:
            stack.kill("scheduler")
            shutil.rmtree(stack.directory / "scheduler", ignore_errors=True)
            down["scheduler"] = time.time() + 5
            kills += 1
            wiped = True
        victims = [name for name in VICTIMS if name not in down]
        if len(down) < 2 and chance.random() < 0.3:
            victim = chance.choice(victims)
            stack.kill(victim)
            kills += 1
            down[victim] = time.time() + chance.uniform(0.2, 4)
        time.sleep(0.25)
    for name in down:
        restart(stack, name)
    return kills, wiped


def restart(stack: Stack, name: str) -> None:
    """A process that cannot come up while another is away is tried again at the end."""
    try:
        stack.start_one(name)
    except StackError as error:
        print(f"torture: {name} did not come up at once: {error}", flush=True)
        stack.kill(name)
        stack.start_one(name)


def torture(folder: Path, *, binary: Path, count: int, seconds: float, seed: int, plant: str | None = None) -> Result:
    chance = random.Random(seed)
    flags = ["--reminder-sweep=10m" if plant == "sweep" else "--reminder-sweep=2s"]
    with Stack(folder, service_binary=binary, replicas=REPLICAS, service_flags=flags, keep_data=False) as stack:
        stack.wait_jobs()
        start = prepare(stack, count, seconds)
        kills, wiped = torment(stack, chance, start + seconds, start + seconds * 0.5)
        if plant == "twice":
            stack.postgres.query("update reminders set state = 'pending' where state = 'fired' and task_id % 50 = 0")
        fired = "select count(*) from reminders where state = 'fired'"
        deadline = time.time() + (20 if plant else PATIENCE)
        while rows(stack, fired) != [[str(count)]] and time.time() < deadline:
            time.sleep(0.2)
        published(stack)

        ids: dict[int, set[str]] = {}
        early = late = 0
        for record in read_topic(stack, "reminders"):
            event = record.event
            if event["id"] in ids.setdefault(event["data"]["task_id"], set()):
                continue  # a copy
            ids[event["data"]["task_id"]].add(event["id"])
            early += seconds_between(event["data"]["remind_at"], event["time"]) < 0
            late += bool(event["data"].get("late"))
        effects = Counter(len(each) for each in ids.values())
        lost = count - sum(effects.values())
        doubled = sum(n for size, n in effects.items() if size > 1)
        lateness = rows(stack, """select coalesce(round(max(extract(epoch from fired_at - remind_at)), 1), 0)
                                  from reminders where state = 'fired'""")[0][0]
        line = (f"torture: reminders seed={seed} count={count} kills={kills} wiped={int(wiped)} fired={len(ids)} "
                f"lost={lost} doubled={doubled} early={early} late={late} latest={lateness}s")
        return Result(line, lost == doubled == early == 0 and wiped)


def seconds_between(first: str, second: str) -> float:
    import datetime

    one, other = (datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) for text in (first, second))
    return (other - one).total_seconds()


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=60, help="over which they are due, and processes are killed")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--plant", choices=PLANTS)
    arguments = parser.parse_args()
    binary = Path(os.environ.get("TODO_SERVICE", REPOSITORY / "build" / "ci" / "todo-service"))
    print(f"torture: reminders, seed {arguments.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="todo-torture-") as folder:
        result = torture(Path(folder) / "run", binary=binary, count=arguments.count, seconds=arguments.seconds,
                         seed=arguments.seed, plant=arguments.plant)
    print(result.line, flush=True)
    return 0 if result.passed else 1


if __name__ == "__main__":
    sys.exit(main())
