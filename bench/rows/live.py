"""Live screens: the memory of an idle socket, the CPU of a delivered message, the way from commit to client, and many
screens that come back at once. Memory and CPU stand beside a bare Beast server and Python's `websockets`."""

from __future__ import annotations

import importlib
import json
import re
import resource
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent import futures
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import grpc
from todo_client import Client, eventually

from tools.stack import Stack
from tools.stack.dapr import http_get

from ..harness.pairs import Plan, median
from ..harness.places import REPOSITORY, program, running_stack
from ..harness.report import Report, at_most
from ..harness.session import Session
from ..harness.sockets import Load
from .reminders import dapr_protos, percentile

SOCKETS = 10_000
GOAL_KIB = 8.0
SUBSCRIBERS = (1, 10, 100, 1_000)
DELIVERIES = 20_000  # for each number of subscribers, at most
CHANGES = (20, 300)  # at least, at most
# As long as an update with a task.
MESSAGE = json.dumps({"type": "update", "seq": 1, "text": "x" * 650}, separators=(",", ":"))
HOPS = 200
RETURNING = 1_000
MISSED = 5
MAX_QUERIES = 1.0  # for each client; the comparisons of all cursors do not grow with the clients that return
MAX_FACTOR = 2.0  # of the median way, beside the sum of its hops


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
    """What the measurements need of each of the three."""

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
    python = Yardstick("Python websockets", [sys.executable, REPOSITORY / "bench" / "peers" / "web_socket_server.py"])
    try:
        yield [Service(stack), beast, python]
    finally:
        beast.close()
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


# The way of a change.

def way_of_changes(stack: Stack) -> list[float]:
    """Seconds from the change's time, which is before its commit, to a socket."""
    client = Client(stack.api_target(), "way")
    with Load(stack.ports["web-0"], [{"type": "hello", "user_id": "way", "snapshot": "none"}]) as load:
        load.mark()
        for n in range(HOPS):
            client.create(f"task {n}")
            load.wait(n + 1)
        made = {change.seq: change.timestamp.ToNanoseconds() / 1e9 for change in client.changes()}
        return [at - made[seq] for _, seq, at in load.times()]


def commits_alone(stack: Stack) -> list[float]:
    session = Session(stack)
    session.run("create table if not exists hop (text text)")
    waits = []
    for _ in range(HOPS):
        began = time.time()
        session.run(f"insert into hop values (repeat('x', {len(MESSAGE)}))")
        waits.append(time.time() - began)
    session.close()
    return waits


def sockets_alone(server: Server) -> list[float]:
    began = []
    with Load(server.port, count=1) as load:
        load.mark()
        for n in range(HOPS):
            began.append(time.time())
            server.send()
            load.wait(n + 1)
        return [at - sent for sent, (_, _, at) in zip(began, load.times(), strict=True)]


def bus_alone() -> list[float]:
    """Seconds from the publish call to a bare app, through daprd and Kafka."""
    callbacks, dapr, _ = dapr_protos()
    app = importlib.import_module("dapr.proto.runtime.v1.appcallback_pb2")
    arrived: dict[str, float] = {}

    class App(callbacks.AppCallbackServicer):  # type: ignore[misc, name-defined]
        def ListTopicSubscriptions(self, request: Any, context: Any) -> Any:
            return app.ListTopicSubscriptionsResponse(subscriptions=[app.TopicSubscription(
                pubsub_name="kafka-broadcast", topic="task-updates", metadata={"rawPayload": "true"},
                routes=app.TopicRoutes(default="/hop"))])

        def OnTopicEvent(self, request: Any, context: Any) -> Any:
            arrived[request.data.decode()[:36]] = time.time()
            return app.TopicEventResponse()

        def ListInputBindings(self, request: Any, context: Any) -> Any:
            return app.ListInputBindingsResponse()

    class Health(callbacks.AppCallbackHealthCheckServicer):  # type: ignore[misc, name-defined]
        def HealthCheck(self, request: Any, context: Any) -> Any:
            return app.HealthCheckResponse()

    with running_stack(service=False) as stack:
        server = grpc.server(futures.ThreadPoolExecutor(4))
        callbacks.add_AppCallbackServicer_to_server(App(), server)
        callbacks.add_AppCallbackHealthCheckServicer_to_server(Health(), server)
        server.add_insecure_port(stack.app_target())
        server.start()
        messages = importlib.import_module("dapr.proto.runtime.v1.pubsub_pb2")
        stub = dapr.DaprStub(grpc.insecure_channel(f"127.0.0.1:{stack.ports['daprd-grpc-0']}"))
        token = [("dapr-api-token", stack.tokens()["DAPR_API_TOKEN"])]

        def publish() -> str:
            name = str(uuid.uuid4())
            stub.PublishEvent(messages.PublishEventRequest(
                pubsub_name="kafka-pubsub", topic="task-updates", data=name.encode() + MESSAGE.encode(),
                metadata={"rawPayload": "true", "partitionKey": "way"}), metadata=token, timeout=15)
            return name

        # The first ones may come before the subscription does.
        eventually(lambda: publish() and arrived, "the subscription", every=0.5)
        waits = []
        for _ in range(HOPS):
            began = time.time()
            name = publish()
            eventually(lambda: name in arrived, "the event", every=0.0005)  # noqa: B023: called at once
            waits.append(arrived[name] - began)
        server.stop(None)
    return waits


def measure_way(report: Report, stack: Stack, beast: Server) -> None:
    way = way_of_changes(stack)
    hops = {"commit": commits_alone(stack), "bus": bus_alone(), "socket": sockets_alone(beast)}
    total = sum(median(waits) for waits in hops.values())

    def told(waits: list[float]) -> str:
        return f"p50 {percentile(waits, 0.5) * 1000:.1f} ms, p99 {percentile(waits, 0.99) * 1000:.1f} ms"

    alone = "; ".join(f"{name} {told(waits)}" for name, waits in hops.items())
    report.alone("commit → live client, p50", "times the hops alone", [median(way) / total], at_most(MAX_FACTOR),
                 note=f"change to client: {told(way)}; alone: {alone}")


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
        measure_way(report, stack, all_servers[1])
        measure_return(report, stack)
