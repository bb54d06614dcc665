"""What replicas cost: the CPU of all of them for an event of the work topics, with 1, 2 and 4. Events without an effect leave
nothing for the live feed, which every replica reads; its part is the difference to events that make changes."""

from __future__ import annotations

from ..harness.pairs import Plan, take_pairs
from ..harness.places import running_stack
from ..harness.report import Report, at_most
from .events import Consumer


def main(report: Report, plan: Plan) -> None:
    with running_stack() as one:
        for count in (2, 4):
            with running_stack(replicas=count) as many:
                sides = Consumer(many, f"{count} replicas"), Consumer(one, "one replica")
                pairs = take_pairs(plan, *(side.side("created") for side in sides))
                report.compare(f"CPU of {count} replicas per event of the work topics", "service_cpu_us", "µs", pairs,
                               at_most(1.15))
                pairs = take_pairs(plan, *(side.side("completed") for side in sides))
                report.compare(f"CPU of {count} replicas per completed event, live feed and publishing included",
                               "service_cpu_us", "µs", pairs)
