"""Live screens: the memory of an idle socket, the CPU of a delivered message, and many screens that come back at once.
Memory and CPU stand beside a bare Beast server, raw sockets and Python's `websockets`."""

from __future__ import annotations

import json
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from todo_client import Client, eventually

from tools.stack import Stack
from tools.stack.dapr import http_get

from ..harness.pairs import Plan, median
from ..harness.places import REPOSITORY, program, running_stack
from ..harness.report import Report, at_most
from ..harness.sockets import Load

SOCKETS = 10_000
GOAL_KIB = 8.0
SUBSCRIBERS = (1, 10, 100, 1_000)
DELIVERIES = 20_000  # for each number of subscribers, at most
CHANGES = (20, 300)  # at least, at most
# As long as an update with a task.
MESSAGE = json.dumps({"type": "update", "seq": 1, "text": "x" * 650}, separators=(",", ":"))
RETURNING = 1_000
MISSED = 5
MAX_QUERIES = 1.0  # for each client; the comparisons of all cursors do not grow with the clients that return


def flags(connections: int) -> list[str]:
    return [f"--web-max-connections={connections}", f"--live-max-screens={connections}", "--user-streams=100000",
            "--user-streams-per-second=1000000", "--user-stream-burst=1000000"]


def sockets_here() -> int:
    """As many as the service gives to its web port: a quarter of its descriptors, or all but 9,000."""
    descriptors = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 65_536)
    return min(SOCKETS, max(descriptors // 4, descriptors - 9_000) - 300)


def kib(pid: int) -> int:
    """Resident memory."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError("no VmRSS")


def cpu(pid: int) -> float:
    """Seconds of CPU so far, of all threads that live."""
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in Path(f"/proc/{pid}/task").iterdir()) / 1e9


class Server:
    """What the measurements need of each of them."""

    name = ""
    pid = 0
    port = 0
    makes_changes = False  # before it sends

    def hellos(self, users: Iterable[int]) -> list[dict[str, Any]]:
        """Of sockets of these users; none: they say nothing."""
        return []

    def send(self) -> None:
        """One message to all sockets of user 0."""
        raise NotImplementedError


class Service(Server):
    name = "todo-service"
    makes_changes = True

    def __init__(self, stack: Stack) -> None:
        pid = stack.node("service-0").pid
        assert pid
        self.pid, self.port = pid, stack.ports["web-0"]
        self._client = Client(stack.api_target(), "crowd-0")
        self._task = self._client.create("Water the plants", description="all of them, also those on the balcony")
        self._completed = False

    def hellos(self, users: Iterable[int]) -> list[dict[str, Any]]:
        return [{"type": "hello", "user_id": f"crowd-{n}", "snapshot": "none"} for n in users]

    def send(self) -> None:
        (self._client.uncomplete if self._completed else self._client.complete)(self._task.id)
        self._completed = not self._completed


class Yardstick(Server):
    def __init__(self, name: str, command: list[str | Path]) -> None:
        self.name = name
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout
        self.pid, self.port = self._process.pid, int(self._process.stdout.readline())

    def send(self) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"1 {MESSAGE}\n")
        self._process.stdin.flush()

    def close(self) -> None:
        self._process.kill()
        self._process.wait(30)


@contextmanager
def servers(stack: Stack) -> Iterator[list[Server]]:
    beast = Yardstick("bare Beast", [program("beast_echo")])
    raw = Yardstick("raw sockets", [program("raw_sockets")])
    python = Yardstick("Python websockets", [sys.executable, REPOSITORY / "bench" / "peers" / "web_socket_server.py"])
    try:
        yield [Service(stack), beast, raw, python]
    finally:
        beast.close()
        raw.close()
        python.close()


# Memory.

def memory_of(server: Server, count: int) -> float:
    """KiB for each idle socket."""
    with Load(server.port, server.hellos(range(10**6, 10**6 + 200)), count=200):
        time.sleep(1)
    time.sleep(2)
    before = kib(server.pid)
    with Load(server.port, server.hellos(range(count)), count=count):
        time.sleep(5)  # until what the opening took has been given back
        return (kib(server.pid) - before) / count


def measure_memory(report: Report, all_servers: list[Server]) -> None:
    count = sockets_here()
    found = {server.name: memory_of(server, count) for server in all_servers}
    report.alone("memory of an idle live socket", "KiB", [found["todo-service"]], at_most(GOAL_KIB),
                 note=f"{count:,} of them; " + ", ".join(f"{name} {each:.1f}" for name, each in found.items()))


# CPU.

def cpu_of(server: Server, subscribers: int) -> float:
    """Microseconds for each delivered message. Those of the call that makes the change do not count."""
    changes = max(CHANGES[0], min(CHANGES[1], DELIVERIES // subscribers))

    def spent(wait: Callable[[int], None]) -> float:
        began, at = cpu(server.pid), time.monotonic()
        for n in range(changes):
            server.send()
            wait(n)
        return cpu(server.pid) - began - idle * (time.monotonic() - at)

    before, idle = cpu(server.pid), 0.0
    time.sleep(2)
    idle = (cpu(server.pid) - before) / 2
    unheard = spent(lambda _: time.sleep(0.002)) if server.makes_changes else 0.0
    with Load(server.port, server.hellos([0] * subscribers), count=subscribers) as load:
        load.mark()
        heard = spent(lambda n: load.wait((n + 1) * subscribers))
    return max(0.0, heard - unheard) / changes / subscribers * 1e6


def measure_cpu(report: Report, all_servers: list[Server]) -> None:
    for subscribers in SUBSCRIBERS:
        each = {server.name: cpu_of(server, subscribers) for server in all_servers}
        report.alone(f"CPU of a delivered live message, {subscribers} subscribers", "µs", [each["todo-service"]],
                     note=", ".join(f"{name} {figure:.1f}" for name, figure in each.items()))


# The return.

def measure_return(report: Report, stack: Stack) -> None:
    users = [f"returning-{n}" for n in range(RETURNING)]
    cursors: dict[str, tuple[int, str]] = {}

    def prepare(user: str) -> None:
        client = Client(stack.api_target(), user)
        for n in range(1 + MISSED):
            client.create(f"task {n}")
        first = client.changes()[0]
        cursors[user] = first.seq, first.event_id
        client._channel.close()

    with futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(prepare, users))
    hellos = [{"type": "hello", "user_id": user, "seq": cursors[user][0], "event_id": cursors[user][1]} for user in users]

    def queries() -> int:
        page = http_get(stack.ports["ops-0"], "/metrics")[1].decode()
        found = re.search(r'^todo_live_queries_total\{purpose="missed"\} (\d+)', page, re.MULTILINE)
        assert found, "the metric is gone"
        return int(found[1])

    before = queries()
    with Load(stack.ports["web-0"], hellos, at_once=RETURNING) as load:
        each = (queries() - before) / RETURNING
    report.alone("queries of a live client that returns", "", [each], at_most(MAX_QUERIES),
                 note=f"{RETURNING} clients with {MISSED} changes missed are current {load.opening_seconds:.2f} s after the "
                      "first has connected")


def main(report: Report, _: Plan) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with running_stack(*flags(sockets_here() + 500)) as stack, servers(stack) as all_servers:
        measure_memory(report, all_servers)
        measure_cpu(report, all_servers)
        measure_return(report, stack)
