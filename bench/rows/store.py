"""Mutations at the store: the port TaskStore of this tree beside `apply_change` of b64976b, called by pgbench."""

from __future__ import annotations

from ..harness.databases import Child, Costs, Server, server
from ..harness.pairs import Pairs, Plan, Sample, Side, take_pairs
from ..harness.pgbench import SCRIPTS, pgbench
from ..harness.report import Report, at_least, at_most
from ..harness.places import program
from ..harness.wire import RoundTrips
from ..peers.then import THEN, schema

USERS = 1_000
GOALS = {16: at_least(2.0, must=True), 64: at_least(4.0, must=True)}
STATEMENT_THEN = f"pgbench with apply_change of {THEN}"


class Store:
    """The sides, in one server: a database each."""

    def __init__(self, place: Server) -> None:
        self._server = place
        self._ours = place.create("ours")
        Child().output([program("store_load"), "--migrate=yes"], {"TODO_DATABASE_URL": self._ours})
        place.create("was")
        place.run("was", schema())
        place.create("was_again", template="was")
        place.create("inlined", template="was")
        place.run("inlined", (SCRIPTS / "inlined_task_json.sql").read_text("utf-8"))
        place.create("bare")
        place.run("bare", (SCRIPTS / "bare_tables.sql").read_text("utf-8"))
        for database in ("was", "was_again", "inlined"):  # all users are there
            pgbench(Child(), place, database, "mutations_then", clients=4, seconds=1, users=USERS)
        self._of_ours(Child(), callers=4, seconds=2.0)
        place.settle()

    def ours(self, callers: int, *, users: int = USERS, kind: str = "mixed", name: str = "the store") -> Side:
        child = Child()
        return Side(name, lambda seconds: self._of_ours(child, callers=callers, seconds=seconds, users=users, kind=kind),
                    lambda: [child.pid])

    def then(self, clients: int, *, database: str = "was", creates: bool = False) -> Side:
        child = Child()
        script, per_script = ("creates_then", 1) if creates else ("mutations_then", 2)
        return Side(STATEMENT_THEN + (", inlined" if database == "inlined" else ""),
                    lambda seconds: pgbench(child, self._server, database, script, clients=clients, seconds=seconds,
                                            users=USERS, per_script=per_script, with_times=creates), lambda: [child.pid])

    def bare(self, clients: int) -> Side:
        child = Child()
        return Side("pgbench with the bare writes", lambda seconds: pgbench(
            child, self._server, "bare", "bare_writes", clients=clients, seconds=seconds, users=USERS))

    def round_trips(self, callers: int, seconds: float) -> float:
        """For each mutation, counted on the wire in runs of their own, which the counting slows down. The difference of
        two runs leaves out what connections and plans take once."""
        counts = []
        for length in (seconds, 2 * seconds):
            with RoundTrips(self._server.postgres.port) as wire:
                url = self._ours.replace(f":{self._server.postgres.port}/", f":{wire.port}/")
                answer = Child().run([program("store_load"), f"--callers={callers}", f"--seconds={length}"],
                                     {"TODO_DATABASE_URL": url})
                counts.append((wire.count, answer["all_count"]))
        (few_trips, few), (many_trips, many) = counts
        return float((many_trips - few_trips) / (many - few))

    def _of_ours(self, child: Child, *, callers: int, seconds: float, users: int = USERS, kind: str = "mixed") -> Sample:
        costs = Costs(self._server)
        answer = child.run([program("store_load"), f"--callers={callers}", f"--users={users}", f"--seconds={seconds}",
                            f"--kind={kind}"], {"TODO_DATABASE_URL": self._ours}, at_begin=costs.begin)
        return {**answer, **costs.of(answer["count"]), "rate": answer["count"] / answer["seconds"],
                "client_cpu_us": answer["cpu_seconds"] / answer["count"] * 1e6}


def rates(report: Report, store: Store, plan: Plan) -> None:
    """Rows 1 and 6: as fast as it goes, and what that costs PostgreSQL."""
    for callers, goal in GOALS.items():
        pairs = take_pairs(plan, store.ours(callers), store.then(callers))
        report.compare(f"mutations at the store, {callers} callers", "rate", "/s", pairs, goal)
        report.compare(f"PostgreSQL's CPU per mutation, {callers} callers", "postgres_cpu_us", "µs", pairs)
        report.compare(f"WAL per mutation, {callers} callers", "wal_bytes", "bytes", pairs)
        if callers == 16:
            report.alone("fsyncs per mutation at the store, 16 callers", "", pairs.of("fsyncs")[0], at_most(0.12))
            report.alone("round trips per mutation at the store, 16 callers", "", [store.round_trips(16, plan.seconds)],
                         at_most(1.0), note="counted by a proxy on the wire")
        if plan.full:
            inlined = take_pairs(plan, store.ours(callers), store.then(callers, database="inlined"))
            report.compare(f"mutations at the store beside the inlined statement, {callers} callers", "rate", "/s", inlined)
        bare = take_pairs(plan, store.ours(callers), store.bare(callers))
        report.compare(f"mutations at the store beside bare writes, {callers} callers", "rate", "/s", bare, at_least(0.6))
        if callers == 64:
            report.compare("PostgreSQL's CPU per mutation beside bare writes, 64 callers", "postgres_cpu_us", "µs", bare,
                           at_most(1.5))


def one_caller(report: Report, store: Store, plan: Plan) -> None:
    pairs = take_pairs(plan, store.ours(1, kind="create"), store.then(1, database="inlined", creates=True))
    report.compare("a create at the store, one caller, p50", "p50_ms", "ms", pairs)


def hot_user(report: Report, store: Store, plan: Plan) -> None:
    pairs = take_pairs(plan, store.ours(16, users=1, name="one hot user"), store.ours(16, name="the store, 1,000 users"))
    report.compare("mutations at the store, one hot user, 16 callers", "rate", "/s", pairs)


def main(report: Report, plan: Plan) -> None:
    with server() as place:
        store = Store(place)
        same = take_pairs(plan, store.then(16), store.then(16, database="was_again"))
        report.same_with_itself("store, 16 callers", "rate", "/s", same)
        rates(report, store, plan)
        one_caller(report, store, plan)
        hot_user(report, store, plan)
