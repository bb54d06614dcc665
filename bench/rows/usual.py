"""The service beside the usual Python way (peers/usual): calls and events for a second of the app's CPU, memory, start."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from todo_client import acknowledged, eventually, produce

from tools.stack.installed import where

from ..harness.databases import Child
from ..harness.pairs import Plan, Sample, Side, take_pairs
from ..harness.places import REPOSITORY, Stack, running_stack
from ..harness.processes import resident_mib, used_by
from ..harness.replicas import Replica
from ..harness.report import Report, at_least
from ..harness.session import Session
from .events import RUNS, Consumer, backlog, frozen_sidecar, timed

BENCH = REPOSITORY / "bench"
CLIENTS = 16
EVENTS = 60  # for each second of a sample: it is slow


class Usual:
    """The app behind the sidecar of a stack without a service."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._port = stack.ports["app-0"]
        self._child = Child()
        self.start()
        self._session = Session(stack)

    def start(self) -> float:
        """Seconds until it takes connections."""
        environment = {"DATABASE_URL": self.stack.database_url.replace("postgresql://", "postgresql+asyncpg://").split("?")[0],
                       "DAPR_HTTP_PORT": str(self.stack.daprds[0].http_port),
                       "DAPR_API_TOKEN": self.stack.tokens()["DAPR_API_TOKEN"]}
        began = time.monotonic()
        self._process = subprocess.Popen(
            [where("bench"), "-m", "uvicorn", "app:app", "--app-dir", BENCH / "peers" / "usual", "--port", str(self._port),
             "--no-access-log", "--log-level", "warning"], env={**os.environ, **environment})
        self.pid = self._process.pid
        return until_open(self._port, began)

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(30)

    def calls(self, seconds: float) -> Sample:
        before = used_by(self.pid)
        answer = self._child.run([sys.executable, BENCH / "load" / "http_load.py", str(self._port), str(CLIENTS), str(seconds)])
        acknowledged(self.stack)
        spent = (used_by(self.pid) - before).cpu
        return {"rate": answer["count"] / answer["seconds"], "per_cpu_second": answer["all_count"] / spent,
                "p50_ms": answer["p50_ms"]}

    def events(self, seconds: float) -> Sample:
        count, run, before = round(EVENTS * seconds), next(RUNS), used_by(self.pid)
        records, taken = backlog("completed", run, count), self._taken()
        sample = timed(count, frozen_sidecar(self.stack), lambda: produce(self.stack, "task-events", records),
                       lambda: self._taken() - taken)
        acknowledged(self.stack)
        return {**sample, "per_cpu_second": count / (used_by(self.pid) - before).cpu}

    def _taken(self) -> int:
        """Only the completed: each leaves a successor whose title says so."""
        return int(self._session.run("select count(*) from tasks where title = 'Buy groceries'")[0])


def until_open(port: int, began: float) -> float:
    while True:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return time.monotonic() - began
        assert time.monotonic() < began + 60, "the app does not start"
        time.sleep(0.002)


@contextmanager
def usual() -> Iterator[Usual]:
    with running_stack(service=False, app_protocol="http") as stack:
        app = Usual(stack)
        try:
            yield app
        finally:
            app.close()


class Service:
    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._calls = Replica(stack, "the service").calls(CLIENTS)
        self._consumer = Consumer(stack, "the service")

    def calls(self, seconds: float) -> Sample:
        sample = self._calls.measure(seconds)
        return {**sample, "per_cpu_second": 1e6 / sample["service_cpu_us"]}

    def events(self, seconds: float) -> Sample:
        sample = self._consumer.side("completed").measure(seconds)
        return {**sample, "per_cpu_second": 1e6 / sample["service_cpu_us"]}

    def restart(self) -> float:
        """Seconds until it says that it serves, and does."""
        node = self.stack.node("service-0")
        node.stop()
        began = time.monotonic()
        node.launch()
        eventually(lambda: node.not_ready() is None, "the service is ready", every=0.005)
        return time.monotonic() - began


def memory_and_start(report: Report, service: Service, app: Usual) -> None:
    ours: list[float] = []
    peer: list[float] = []
    starts: list[tuple[float, float]] = []
    for _ in range(3):
        app.close()
        starts.append((service.restart(), app.start()))
        time.sleep(1)
        pid = service.stack.node("service-0").pid
        assert pid
        peer.append(resident_mib(app.pid))
        ours.append(resident_mib(pid))
    report.times("idle memory", "MiB", ours, peer, 0.34, peer_name="the usual Python way")
    report.times("start until calls are taken", "s", [one for one, _ in starts], [other for _, other in starts], 0.1,
                 peer_name="the usual Python way")


def main(report: Report, plan: Plan) -> None:
    with running_stack() as stack, usual() as app:
        service = Service(stack)
        pairs = take_pairs(plan, Side("the service", service.calls), Side("the usual Python way", app.calls))
        report.compare("mutations per CPU-second of the app", "per_cpu_second", "", pairs, at_least(16, stretch=30))
        report.compare("mutations, 16 clients, beside the usual way", "rate", "/s", pairs)
        pairs = take_pairs(plan, Side("the service", service.events), Side("the usual Python way", app.events))
        report.compare("completed events per CPU-second of the app", "per_cpu_second", "", pairs, at_least(25, stretch=30))
        memory_and_start(report, service, app)
