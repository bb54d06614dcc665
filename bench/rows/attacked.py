"""How long honest users wait while every kind of hostile client attacks, beside a control that burns the same CPU
without touching the service: the 99th percentile of their calls, and of the time from a call to its update on a screen."""

from __future__ import annotations

import http.client
import json
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import grpc
from service_binary import make_token
from todo_client import Client, eventually

from tools.stack import Stack

from ..harness.pairs import Plan, in_turns
from ..harness.places import REPOSITORY, build, running_stack
from ..harness.report import Report
from ..harness.sockets import Load

SECONDS = 10
PER_SECOND = 20  # calls of a user that the service allows; an honest one makes half as many
HONEST = 10
ALLOWED = 1.2
ALLOWED_LIVE = 2.0  # a change also passes the database and the bus
LIMITS = (f"--user-calls-per-second={PER_SECOND}", "--user-call-burst=50")

# Burns CPU for a part of the time, in slices too short to hold anybody up for long.
BURN = """
import sys, time
until, part = time.monotonic() + float(sys.argv[1]), float(sys.argv[2])
while time.monotonic() < until:
    busy = time.monotonic() + 0.01 * part
    while time.monotonic() < busy: pass
    time.sleep(0.01 * (1 - part))
"""


class Bench:
    attackers = "attackers.py"
    measured = "honest calls"

    def __init__(self, stack: Stack, key: Path, door: str) -> None:
        def token(user: str, lifetime: str = "1h") -> str:
            return make_token("--key", str(key), "--user", user, "--for", lifetime, service=build() / "todo-service")

        self._aim: dict[str, int | str] = {name: stack.ports[f"{name}-0"] for name in ("web", "api", "app", "ops")}
        self._aim |= {"token": token("mallory"), "other": token("trudy"), "expired": token("mallory", "1s")}
        self._aim["forged"] = str(self._aim["token"])[:-8] + "AAAAAAAA"
        self._call = {"gRPC": self._grpc, "JSON": self._json}.get(door, self._grpc)
        self._tokens = [token(f"honest-{n}") for n in range(HONEST)]
        self._clients = [Client(stack.api_target(), f"honest-{n}") for n in range(HONEST)]
        self._cpu = 0.5  # cores that the attackers take, as last seen
        eventually(self._known, "the keys are known")

    def _known(self) -> bool:
        try:
            return self._grpc(0) is None
        except grpc.RpcError:
            return False

    def _grpc(self, n: int) -> None:
        client = self._clients[n]
        client.call("ListTasks", client.messages.ListTasksRequest(), authorization=f"Bearer {self._tokens[n]}")

    def _json(self, n: int) -> None:
        web = http.client.HTTPConnection("127.0.0.1", self._aim["web"], timeout=60)
        try:
            web.request("POST", "/todo.v1.TodoService/ListTasks", b"{}",
                        {"content-type": "application/json", "authorization": f"Bearer {self._tokens[n]}"})
            answer = web.getresponse()
            assert answer.status == 200, answer.read()
            answer.read()
        finally:
            web.close()

    def attacked(self) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        attack = subprocess.Popen([sys.executable, str(REPOSITORY / "tests" / "hostile" / self.attackers),
                                   json.dumps(self._aim), str(SECONDS + 3)], stdout=subprocess.DEVNULL)
        began = time.monotonic()
        time.sleep(2)  # until all of them are at it
        try:
            return self._p99()
        finally:
            assert attack.wait(60) == 0
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
            self._cpu = used / (time.monotonic() - began)

    def control(self) -> float:
        part = min(self._cpu / 2, 0.99)
        burners = [subprocess.Popen([sys.executable, "-c", BURN, str(SECONDS + 3), str(part)]) for _ in range(2)]
        time.sleep(2)
        try:
            return self._p99()
        finally:
            for burner in burners:
                burner.wait(60)

    def _p99(self) -> float:
        """Of calls at fixed times, whether or not those before have been answered: seconds from the time at which the
        call was to begin."""
        waits: list[float] = []

        def user(n: int) -> None:
            began = time.monotonic() + 2 * n / PER_SECOND / HONEST
            for turn in range(SECONDS * PER_SECOND // 2):
                due = began + turn * 2 / PER_SECOND
                time.sleep(max(0.0, due - time.monotonic()))
                self._call(n)
                waits.append(time.monotonic() - due)

        users = [threading.Thread(target=user, args=(n,)) for n in range(HONEST)]
        for one in users:
            one.start()
        for one in users:
            one.join()
        return sorted(waits)[len(waits) * 99 // 100]


class LiveBench(Bench):
    """The honest users make changes, and wait until their screens show them."""

    attackers = "live_attackers.py"
    measured = "honest changes, until a screen shows them"

    def __init__(self, stack: Stack, key: Path, door: str) -> None:
        super().__init__(stack, key, door)
        self._aim["api"] = stack.api_target()  # these attackers speak gRPC
        self._call = self._change
        self._due: dict[tuple[int, int], float] = {}  # Unix times, by user and seq
        self._heads = [0] * HONEST
        self._screens = Load(stack.ports["web-0"], [{"type": "hello", "token": token, "snapshot": "none"}
                                                    for token in self._tokens])

    def __enter__(self) -> LiveBench:
        self._screens.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._screens.__exit__()

    def _change(self, n: int) -> None:
        self._heads[n] += 1
        self._due[n, self._heads[n]] = time.time()
        client = self._clients[n]
        request = client.messages.CreateTaskRequest(task=client.messages.Task(title="honest"))
        client.call("CreateTask", request, authorization=f"Bearer {self._tokens[n]}")

    def _p99(self) -> float:
        self._due.clear()
        self._screens.mark()
        super()._p99()
        self._screens.wait(len(self._due))
        waits = [at - self._due[socket, seq] for socket, seq, at in self._screens.times()]
        return sorted(waits)[len(waits) * 99 // 100]


def measure(report: Report, bench: Bench, door: str, rounds: int, allowed: float) -> None:
    control, attacked = in_turns(rounds, bench.control, bench.attacked)
    report.times(f"attacked {door}", "s", attacked, control, allowed, peer_name="beside as much CPU for nothing",
                 note=f"p99 of {bench.measured}, beside all attackers")


def main(report: Report, plan: Plan) -> None:
    with tempfile.TemporaryDirectory(prefix="todo-keys-") as keys:
        key = Path(keys) / "key.pem"
        key.with_name("keys.json").write_text(make_token("--new-key", str(key), service=build() / "todo-service"))
        flags = ("--auth-issuer=todo-local", f"--auth-jwks-file={key.with_name('keys.json')}", "--auth-clock-skew=0s")
        with running_stack(*flags, *LIMITS) as stack:
            for door in ("gRPC", "JSON"):
                measure(report, Bench(stack, key, door), door, plan.pairs, ALLOWED)
            with LiveBench(stack, key, "live") as bench:
                measure(report, bench, "live", plan.pairs, ALLOWED_LIVE)
