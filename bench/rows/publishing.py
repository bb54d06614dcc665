"""The outbox, as the relay publishes it: the same program parts as in the service, beside a loop of bulk publishes that
has no database, through the same sidecar to the same broker."""

from __future__ import annotations

import os

from ..harness.databases import Child
from ..harness.pairs import Plan, Sample, Side, take_pairs
from ..harness.places import Stack, program, running_stack
from ..harness.report import Report, at_least
from .outbox import Bench

ROWS = 6_000  # for each second of a sample


def loop(stack: Stack) -> Side:
    child = Child()
    sidecar = stack.daprds[0]
    environment = {"DAPR_GRPC_ENDPOINT": sidecar.grpc_endpoint, "DAPR_API_TOKEN": sidecar.tokens["DAPR_API_TOKEN"]}

    def measure(seconds: float) -> Sample:
        answer = child.run([program("publish_loop"), f"--events={round(ROWS * seconds)}"], {**os.environ, **environment})
        return {"rate": answer["count"] / answer["seconds"], "cpu_us": answer["cpu_seconds"] / answer["count"] * 1e6}

    return Side("a bare loop of BulkPublish", measure)


def relay(bench: Bench) -> Side:
    def measure(seconds: float) -> Sample:
        count = round(ROWS * seconds)
        bench.fill(count)
        return {"rate": count / bench.drain(count)}

    return Side("the relay", measure, lambda: [bench.child.pid])


def main(report: Report, plan: Plan) -> None:
    with running_stack() as stack:
        bench = Bench(stack)  # it stops the service
        pairs = take_pairs(plan, relay(bench), loop(stack))
        report.compare("outbox → broker, events", "rate", "/s", pairs, at_least(0.7, stretch=0.95),
                       note="each to two topics")
