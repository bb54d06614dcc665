"""Every event many times and out of order: exactly one effect each, and the state of a run in order."""

from __future__ import annotations

import json
import random
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from todo_client import Sidecar, rows

from tools.stack import Stack

from ..harness.pairs import Plan
from ..harness.places import running_stack
from ..harness.report import Report

BATCH = 100
CALLERS = 4


@dataclass(frozen=True)
class Outcome:
    deliveries: int
    effects: int  # times that the consumer applied an event
    taken: int  # events in the inbox, of the consumer with the effects
    state: list[list[str]]  # live tasks
    versions: list[list[str]]  # of the foreign tasks, as the consumer knows them
    seconds: float


def events_of(run: str, count: int) -> list[tuple[bytes, bytes]]:
    """Foreign tasks that are completed, opened again, completed again..., as records in order. The events of one
    task are some fifty records apart, so that a window of a few hundred mixes them up."""
    records: list[tuple[bytes, bytes]] = []
    base = 0
    while len(records) < count:
        lengths = [1 + (base + n) % 4 for n in range(50)]
        for version in range(1, 5):
            for n, length in enumerate(lengths):
                if version <= length:
                    records.append(_event(run, base + n, version, len(records)))
        base += len(lengths)
    return records[:count]


def _event(run: str, task: int, version: int, number: int) -> tuple[bytes, bytes]:
    user, task_id = f"{run}-{task % 97}", 50_000_000 + task
    completed = version % 2 == 1
    at = f"2025-01-0{version}T{task % 24:02}:00:00Z"
    event_id = f"{_prefix(run)}-0000-7000-8000-{number:012x}"
    data = {
        "id": event_id, "event_type": "completed" if completed else "uncompleted", "task_id": task_id, "user_id": user,
        "timestamp": at,
        "task_data": {"id": task_id, "title": f"task {task}", "description": None, "completed": completed,
                      "priority": "medium", "tags": [], "due_date": "2025-01-01T10:00:00Z",
                      "recurrence_rule": "FREQ=DAILY" if task % 2 else "FREQ=WEEKLY", "user_id": user,
                      "created_at": "2025-01-01T00:00:00Z", "updated_at": at, "version": version},
    }
    event = {"specversion": "1.0", "id": event_id, "source": "bench", "type": "t", "data": data}
    return user.encode(), json.dumps(event).encode()


def _prefix(run: str) -> str:
    return f"{zlib.crc32(run.encode()):08x}"


def mixed(records: list[tuple[bytes, bytes]], copies: int, window: int, seed: int) -> list[tuple[bytes, bytes]]:
    """Each record `copies` times, nowhere further than `window` records from its place."""
    chance = random.Random(seed)
    places = [(number + chance.uniform(0, window), record)
              for number, record in enumerate(records) for _ in range(copies)]
    return [record for _, record in sorted(places, key=lambda place: place[0])]


def run(stack: Stack, name: str, deliveries: list[tuple[bytes, bytes]], callers: int) -> Outcome:
    """Delivers as daprd would, several batches at a time, and looks at what came of it."""
    # Counts each application in the transaction that makes it: an additive effect, which no second look corrects.
    stack.postgres.query("""
        create table if not exists effects (user_id text not null);
        create or replace function count_effect() returns trigger language plpgsql as $$
        begin
            insert into effects values (new.user_id);
            return new;
        end $$;
        create or replace trigger count_effect before insert on foreign_tasks
        for each row execute function count_effect();""")
    sidecar = Sidecar(stack)
    batches = [deliveries[i:i + BATCH] for i in range(0, len(deliveries), BATCH)]

    def deliver(batch: list[tuple[bytes, bytes]]) -> None:
        deadline = time.monotonic() + 120
        while not all(status == "SUCCESS" for status in sidecar.deliver("task-events", batch)):
            assert time.monotonic() < deadline, "the batch is refused for two minutes"
            time.sleep(0.05)  # as after RETRY: the whole batch again

    began = time.perf_counter()
    with ThreadPoolExecutor(callers) as pool:
        list(pool.map(deliver, batches))
    seconds = time.perf_counter() - began

    like = f"user_id like '{name}-%'"
    suffix = f"substr(user_id, {len(name) + 2})"
    return Outcome(
        deliveries=len(deliveries),
        effects=int(rows(stack, f"select count(*) from effects where {like}")[0][0]),
        taken=int(rows(stack, "select count(*) from inbox where consumer = 'recurring-tasks' "
                              f"and event_id::text like '{_prefix(name)}-%'")[0][0]),
        # The title says which series it is: the ids of series hold the user, and so differ between two runs.
        state=rows(stack, f"select {suffix}, title, occurrence, due_at, completed, recurrence_rule, missed from tasks "
                          f"where {like} and deleted_at is null order by 1, 2, 3"),
        versions=rows(stack, f"select {suffix}, version, at, count(*) from foreign_tasks where {like} "
                             "group by 1, 2, 3 order by 1, 2, 3"),
        seconds=seconds)


def compare(stack: Stack, events: int, copies: int = 10, window: int = 500, seed: int = 1) -> tuple[Outcome, Outcome]:
    in_order = run(stack, "ordered", events_of("ordered", events), callers=1)
    shuffled = run(stack, "shuffled", mixed(events_of("shuffled", events), copies, window, seed), CALLERS)
    return in_order, shuffled


def main(report: Report, _: Plan) -> None:
    events = 10_000
    seed = random.SystemRandom().randrange(1_000_000)
    with running_stack() as stack:
        in_order, shuffled = compare(stack, events, seed=seed)
    same = (shuffled.state, shuffled.versions) == (in_order.state, in_order.versions)
    held = same and shuffled.effects == in_order.effects == events == shuffled.taken
    report.promise("shuffled", held, f"{shuffled.deliveries} deliveries of {events} events (seed {seed}): effects {shuffled.effects}, "
                   f"in the inbox {shuffled.taken}; live tasks {len(shuffled.state)}, in order {len(in_order.state)}, "
                   f"{'the same' if same else 'NOT THE SAME'}; {shuffled.deliveries / shuffled.seconds:.0f} deliveries/s")
