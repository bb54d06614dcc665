"""What growth costs: a mutation and an event in a small database, and in one that has been used for long."""

from __future__ import annotations

from ..harness.databases import Child, Costs, Server, server
from ..harness.filling import fill_inbox, fill_tasks, with_tables
from ..harness.pairs import Plan, Sample, Side, take_pairs
from ..harness.places import program, running_stack
from ..harness.report import Report, at_most
from .events import Consumer

USERS = 1_000
TASKS = {True: 1_000_000, False: 100_000}  # by the form
INBOX = {True: 10_000_000, False: 500_000}
SMALL = 1_000


def mutations(place: Server, database: str, name: str) -> Side:
    child = Child()

    def measure(seconds: float) -> Sample:
        costs = Costs(place)
        answer = child.run([program("store_load"), "--callers=16", f"--users={USERS}", f"--seconds={seconds}"],
                           {"TODO_DATABASE_URL": place.url(database)}, at_begin=costs.begin)
        return {**answer, **costs.of(answer["count"]), "ms_each": 1e3 * answer["seconds"] / answer["count"]}

    return Side(name, measure, lambda: [child.pid])


def tasks(report: Report, plan: Plan) -> None:
    with server() as place:
        for database, count in (("small", SMALL), ("large", TASKS[plan.full])):
            with_tables(place, database)
            fill_tasks(place, database, USERS, count // USERS)
        pairs = take_pairs(plan, mutations(place, "large", "large"), mutations(place, "small", f"{SMALL:,} tasks"))
        name = f"a mutation at the store with {TASKS[plan.full]:,} tasks"
        report.compare(f"{name}, time", "ms_each", "ms", pairs, at_most(1.15))
        report.compare(f"{name}, PostgreSQL's CPU", "postgres_cpu_us", "µs", pairs)


def inbox(report: Report, plan: Plan) -> None:
    with running_stack() as small, running_stack() as large:
        for stack, count in ((small, SMALL), (large, INBOX[plan.full])):
            fill_inbox(Server(stack.postgres), "todo", count)
        fill_tasks(Server(large.postgres), "todo", USERS, TASKS[plan.full] // USERS)
        sides = [Consumer(stack, name) for stack, name in ((large, "large"), (small, f"{SMALL:,} rows"))]
        for kind in ("completed", "created"):
            ours, peer = (side.side(kind) for side in sides)
            pairs = take_pairs(plan, ours, peer)
            report.compare(f"a {kind} event with {INBOX[plan.full]:,} rows in the inbox, time", "ms_each", "ms", pairs,
                           at_most(1.15))


def main(report: Report, plan: Plan) -> None:
    tasks(report, plan)
    inbox(report, plan)
