"""What a call costs the service through the JSON door, beside the same call through gRPC: the CPU of the process."""

from __future__ import annotations

import http.client
import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path

from todo_client import Client

from tools.stack import Stack

from ..harness.pairs import Plan, in_turns
from ..harness.places import running_stack
from ..harness.report import Report

CALLS = 3_000
USERS = 200  # the calls go round, so that no user calls too often
ALLOWED = 2.0


class Bench:
    def __init__(self, stack: Stack) -> None:
        self._pid = stack.node("service-0").pid
        self._web = http.client.HTTPConnection("127.0.0.1", stack.ports["web-0"], timeout=60)
        self._clients = [Client(stack.api_target(), f"user-{n}") for n in range(USERS)]
        self._tasks = [client.create("Water the plants", description="all of them, also those on the balcony",
                                     tags=["home", "green"], due_local="2030-10-24T09:00:00",
                                     time_zone="Europe/Berlin", recurrence_rule="FREQ=WEEKLY").id
                       for client in self._clients]
        self._turns = itertools.cycle(range(USERS))
        before = self._cpu()
        time.sleep(3)
        self._idle = (self._cpu() - before) / 3

    def grpc(self) -> float:
        return self._measure(lambda n: self._clients[n].get(self._tasks[n]))

    def json(self) -> float:
        return self._measure(self._call)

    def _call(self, n: int) -> None:
        self._web.request("POST", "/todo.v1.TodoService/GetTask", json.dumps({"id": self._tasks[n]}).encode(),
                          {"content-type": "application/json", "x-user-id": f"user-{n}"})
        response = self._web.getresponse()
        assert json.loads(response.read())["title"] == "Water the plants", response.status

    def _measure(self, call: Callable[[int], object]) -> float:
        """Seconds of CPU for each call, without what the service needs when nobody calls."""
        cpu, began = self._cpu(), time.monotonic()
        for _ in range(CALLS):
            call(next(self._turns))
        return (self._cpu() - cpu - self._idle * (time.monotonic() - began)) / CALLS

    def _cpu(self) -> float:
        """Seconds of CPU so far, of all threads that live."""
        return sum(int((thread / "schedstat").read_text().split()[0])
                   for thread in Path(f"/proc/{self._pid}/task").iterdir()) / 1e9


def main(report: Report, plan: Plan) -> None:
    with running_stack() as stack:
        bench = Bench(stack)
        of_grpc, of_json = in_turns(plan.pairs, bench.grpc, bench.json)
        report.times("CPU of a GetTask as JSON over HTTP", "µs", [each * 1e6 for each in of_json],
                     [each * 1e6 for each in of_grpc], ALLOWED, peer_name="the same through gRPC")
