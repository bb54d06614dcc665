"""How long the backlog of an outage of the bus takes to drain: 60 s at 500 changes/s, made through the API while broker
and sidecar are away."""

from __future__ import annotations

import time
import uuid
from collections import deque
from typing import Any

import grpc
from todo_client import Operator, insist_on_start, protos, read_topic, rows

from tools.stack import Stack

from ..harness.pairs import Plan
from ..harness.places import running_stack
from ..harness.processes import used_by
from ..harness.report import Report

CHANGES = 60 * 500
IN_FLIGHT = 32
AIM = 15.0  # seconds until a backlog of a minute at 500/s is gone
UNPUBLISHED = "select count(*) from changes c join relay_shards s using (shard) where c.id > s.position"
UNTAKEN = "select (select count(*) from changes) - (select count(*) from inbox where consumer = 'recurring-tasks')"


def make_changes(stack: Stack, count: int, users: int = 200) -> None:
    """As fast as it goes, some calls always on their way."""
    messages, stubs = protos()
    with grpc.insecure_channel(stack.api_target()) as channel:
        stub: Any = stubs.TodoServiceStub(channel)
        on_their_way: deque[Any] = deque()
        for n in range(count):
            request = messages.CreateTaskRequest(task=messages.Task(title=f"task {n}"), request_id=str(uuid.uuid4()))
            on_their_way.append(stub.CreateTask.future(request, timeout=60, metadata=[("x-user-id", f"user-{n % users}")]))
            if len(on_their_way) == IN_FLIGHT:
                on_their_way.popleft().result()
        for call in on_their_way:
            call.result()


def seconds_until_zero(stack: Stack, sql: str, since: float) -> float:
    while rows(stack, sql) != [["0"]]:
        time.sleep(0.05)
    return time.monotonic() - since


def cpu_seconds(stack: Stack) -> float:
    """Used so far by everything that runs; beside other programs the clock says less than this."""
    return sum(used_by(stack.node(name).pid).cpu for name in stack.names)


def main(report: Report, _: Plan) -> None:
    with running_stack() as stack:
        stack.kill("kafka")
        stack.kill("daprd-0")
        began = time.monotonic()
        make_changes(stack, CHANGES)
        making = time.monotonic() - began
        backlog = Operator(stack.api_target()).status().unpublished_changes
        stack.start_one("kafka")
        broker_back = time.monotonic()
        insist_on_start(stack, "daprd-0")
        sidecar_back = time.monotonic()
        used = cpu_seconds(stack)
        published = seconds_until_zero(stack, UNPUBLISHED, sidecar_back)
        taken = seconds_until_zero(stack, UNTAKEN, sidecar_back)
        used = cpu_seconds(stack) - used
        events = {record.event["id"] for record in read_topic(stack, "task-events")}
    complete = len(events) == CHANGES == backlog
    in_time = published <= AIM
    report.promise("drain_after_outage", complete and in_time, f"{CHANGES} changes made at {CHANGES / making:.0f}/s "
                   f"while the bus was away, backlog {backlog}; published {published:.1f} s after the sidecar was back ({published + sidecar_back - broker_back:.1f}"
                   f" s after the broker), consumed after {taken:.1f} s, with {used:.1f} s of CPU in all; "
                   f"{'nothing' if complete else 'SOMETHING'} is missing on the topic; aim {AIM:.0f} s")
