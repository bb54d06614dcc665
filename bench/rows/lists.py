"""Lists of 50 of a user's 10,000 tasks: every order and filter, through the port TaskStore, beside pgbench with the very
query that the store sends; and page 200 beside page 1."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from ..harness.databases import Child, Server, server
from ..harness.filling import fill_tasks, with_tables
from ..harness.pairs import Plan, Sample, Side, take_pairs
from ..harness.pgbench import pgbench
from ..harness.places import program
from ..harness.report import Report, at_least, at_most

PER_USER = 10_000
USERS = {True: 100, False: 10}  # by the form: 1,000,000 tasks, or 100,000
ORDERS = [(order, descending) for order in ("created_at", "due_date", "priority", "title", "updated_at")
          for descending in (False, True)]
FILTERS = ("open", "priority", "tag", "due", "text")
EXECUTED = re.compile(r"LOG:  execute [^:]*: (?P<sql>.*?)\n\S[^\n]*DETAIL:  parameters: (?P<values>[^\n]*)", re.DOTALL)
VALUE = re.compile(r"\$(\d+) = ('(?:[^']|'')*'|NULL)")


class Lists:
    def __init__(self, place: Server, users: int) -> None:
        self._server = place
        with_tables(place, "ours")
        fill_tasks(place, "ours", users, PER_USER)
        self._folder = tempfile.TemporaryDirectory(prefix="todo-queries-")
        self._count = 0

    def ours(self, name: str, *flags: str) -> Side:
        child = Child()

        def measure(seconds: float) -> Sample:
            answer = self._read(child, seconds, flags)
            return {**answer, "rate": answer["count"] / answer["seconds"]}

        return Side(name, measure, lambda: [child.pid])

    def same_query(self, *flags: str) -> Side:
        """pgbench with the query that the store sends with these flags."""
        self._count += 1
        script = Path(self._folder.name) / f"{self._count}.sql"
        script.write_text(self._query(flags) + ";\n", "utf-8")
        child = Child()
        return Side("pgbench with the same query", lambda seconds: pgbench(
            child, self._server, "ours", script, clients=1, seconds=seconds, users=1, mode="simple"))

    def _read(self, child: Child, seconds: float, flags: tuple[str, ...]) -> Sample:
        return child.run([program("list_load"), f"--seconds={seconds}", *flags],
                         {"TODO_DATABASE_URL": self._server.url("ours")})

    def _query(self, flags: tuple[str, ...]) -> str:
        """From the server's log, with its values."""
        start = self._server.postgres.log.stat().st_size
        self._server.postgres.query("alter database ours set log_statement = 'all'", superuser=True)
        try:
            self._read(Child(), 0.01, flags)
        finally:
            self._server.postgres.query("alter database ours reset log_statement", superuser=True)
        text = self._server.postgres.log.read_bytes()[start:].decode()
        found = [one for one in EXECUTED.finditer(text) if "from tasks" in one["sql"]]
        values = {int(number): value for number, value in VALUE.findall(found[-1]["values"])}
        return re.sub(r"\$(\d+)", lambda parameter: values[int(parameter[1])], found[-1]["sql"])


def main(report: Report, plan: Plan) -> None:
    users = USERS[plan.full]
    with server() as place:
        lists = Lists(place, users)
        size = f"50 of {PER_USER:,} tasks among {users * PER_USER:,}"
        for order, descending in ORDERS if plan.full else ORDERS[::5]:
            flags = (f"--order={order}", f"--descending={'yes' if descending else 'no'}")
            name = f"list by {order}{' desc' if descending else ''}"
            pairs = take_pairs(plan, lists.ours(name, *flags), lists.same_query(*flags))
            report.compare(name, "rate", "/s", pairs, at_least(0.7), note=size)
            pages = take_pairs(plan, lists.ours("page 200", *flags, "--page=200"), lists.ours("page 1", *flags))
            report.compare(f"{name}: page 200, p50", "p50_ms", "ms", pages, at_most(1.1))
        for name in FILTERS if plan.full else FILTERS[::2]:
            flags = (f"--filter={name}",)
            pairs = take_pairs(plan, lists.ours(name, *flags), lists.same_query(*flags))
            report.compare(f"list with filter: {name}", "rate", "/s", pairs, at_least(0.7), note=size)
