"""Mutations end to end: clients of the public API, with relay, sidecar, broker and consumers at work, beside the service
of b64976b on a stack of its own."""

from __future__ import annotations

from ..harness.databases import Child, server
from ..harness.pairs import Plan, Side, take_pairs
from ..harness.pgbench import SCRIPTS, pgbench
from ..harness.places import running_stack, stack_then
from ..harness.replicas import Replica
from ..harness.report import Report, at_least, at_most
from ..peers.then import THEN, schema

GOALS = {16: at_least(1.35, must=True, stretch=2), 64: at_least(1.7, must=True, stretch=2)}
OPEN_LOOP = 0.5  # of the rate of the service then: both have time to spare


def beside_then(report: Report, plan: Plan, ours: Replica, then: Replica) -> None:
    for clients, goal in GOALS.items():
        pairs = take_pairs(plan, ours.calls(clients), then.calls(clients))
        report.compare(f"mutations end to end, {clients} clients", "rate", "/s", pairs, goal)
        report.compare(f"the same, until all events have had their effect, {clients} clients", "sustained", "/s", pairs)
        report.compare(f"p50 of a call, {clients} clients", "p50_ms", "ms", pairs)
        report.compare(f"the app's CPU per call, {clients} clients", "service_cpu_us", "µs", pairs,
                       at_most(0.67) if clients == 16 else None, note="its publishing and consuming included")
        report.compare(f"the app's context switches per call, {clients} clients", "service_switches", "", pairs)
        report.compare(f"fsyncs per call, {clients} clients", "fsyncs", "", pairs)


def at_a_rate(report: Report, plan: Plan, ours: Replica, then: Replica) -> None:
    """The open loop: times count from the intended start of a call."""
    rate = round(OPEN_LOOP * then.calls(16).measure(plan.seconds)["rate"])
    pairs = take_pairs(plan, ours.calls(256, rate=rate), then.calls(256, rate=rate))
    for figure in ("p50", "p99"):
        report.compare(f"{figure} of a call at {rate}/s, open loop", f"{figure}_ms", "ms", pairs)


def one_client(report: Report, plan: Plan, ours: Replica) -> None:
    with server() as place:
        place.create("was")
        place.run("was", schema())
        place.run("was", (SCRIPTS / "inlined_task_json.sql").read_text("utf-8"))
        child = Child()
        statement = Side(f"pgbench with the inlined apply_change of {THEN}", lambda seconds: pgbench(
            child, place, "was", "creates_then", clients=1, seconds=seconds, users=1_000, with_times=True))
        pairs = take_pairs(plan, ours.calls(1, kind="create"), statement)
        report.compare("a create end to end, one client, p50", "p50_ms", "ms", pairs, at_most(2))


def same_program_twice(report: Report, plan: Plan) -> None:
    """Two stacks of this very program: neither place is the better one."""
    with running_stack() as one, running_stack() as other:
        pairs = take_pairs(plan, Replica(one, "the service").calls(16), Replica(other, "the same on another stack").calls(16))
        report.same_with_itself("end to end, two stacks, 16 clients", "rate", "/s", pairs)


def main(report: Report, plan: Plan) -> None:
    if plan.full:
        same_program_twice(report, plan)
    with running_stack() as stack, stack_then() as stack_of_then:
        ours, then = Replica(stack, "the service"), Replica(stack_of_then, f"the service of {THEN}")
        same = take_pairs(plan, ours.calls(16), ours.calls(16))
        report.same_with_itself("end to end, 16 clients", "rate", "/s", same)
        beside_then(report, plan, ours, then)
        at_a_rate(report, plan, ours, then)
    with running_stack() as stack:
        ours = Replica(stack, "the service")
        one_client(report, plan, ours)
        hot = take_pairs(plan, ours.calls(16, users=1, name="one hot user"), ours.calls(16, name="1,000 users"))
        report.compare("mutations end to end, one hot user, 16 clients", "rate", "/s", hot, at_least(0.8))
