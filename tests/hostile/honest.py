"""The honest callers, and what they and the process must keep while somebody attacks."""

from __future__ import annotations

import importlib
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

import grpc
from todo_client import eventually, protos

from tools.stack import Stack

MAX_WAIT = 5.0  # seconds
MIN_SECONDS = 2.0  # of calls, also beside an attack that is cut off at once
MIB = 1024 * 1024
GIVEN_BACK = 64 * MIB  # a burst leaves less than this behind


def own_channel(target: str) -> grpc.Channel:
    """A channel that neither shares its connection with others nor repeats calls. One whose connection gave way, before
    its first call, connects again soon."""
    return grpc.insecure_channel(target, [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1),
                                          ("grpc.initial_reconnect_backoff_ms", 100),
                                          ("grpc.min_reconnect_backoff_ms", 1_000),
                                          ("grpc.max_reconnect_backoff_ms", 500)])


def create_task(channel: grpc.Channel, user: str, title: str, description: str = "") -> None:
    messages, stubs = protos()
    task = messages.Task(title=title, description=description)
    request = messages.CreateTaskRequest(task=task, request_id=str(uuid.uuid4()))
    stubs.TodoServiceStub(channel).CreateTask(request, timeout=MAX_WAIT, metadata=[("x-user-id", user)],
                                               wait_for_ready=True)


class Target:
    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.api_port = stack.ports["api-0"]
        self.app_port = stack.ports["app-0"]

    @property
    def pid(self) -> int:
        pid = self.stack.node("service-0").pid
        assert pid, "the service has ended"
        return pid

    def rss(self) -> int:
        """Bytes of memory of the process."""
        return self._status("VmRSS")

    def peak_rss(self) -> int:
        """Since the last forget_peak."""
        return self._status("VmHWM")

    def forget_peak(self) -> None:
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def ready(self) -> bool:
        with suppress(OSError), urllib.request.urlopen(
                f"http://127.0.0.1:{self.stack.ports['ops-0']}/readyz", timeout=MAX_WAIT) as answer:
            return bool(answer.status == 200)
        return False

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) * 1024
        raise AssertionError(f"no {name}")


@dataclass
class Calls:
    """What one honest caller saw."""

    name: str
    waits: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def make(self, call: Callable[[], object]) -> None:
        began = time.monotonic()
        try:
            call()
        except grpc.RpcError as error:
            self.failures.append(f"{error.code()}: {error.details()}")
        self.waits.append(time.monotonic() - began)


class Honest:
    """Calls both gRPC ports while the block runs, over a lasting connection and over new ones. Afterwards no call may
    have failed or waited for long, the memory must have stayed below its bound, and all ports must be alive.

    with Honest(target, max_growth=200 * MIB):
        attack()
    """

    def __init__(self, target: Target, max_growth: int) -> None:
        self._target = target
        self._max_growth = max_growth
        self._calls = [Calls("api"), Calls("api, new connections"), Calls("app")]
        self._over = threading.Event()

    def __enter__(self) -> Honest:
        self._target.forget_peak()
        self._rss = self._target.rss()
        self._began = time.monotonic()
        bodies = (self._api, self._api_anew, self._app)
        self._threads = [threading.Thread(target=body, args=(calls,)) for body, calls in zip(bodies, self._calls)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._over.wait(self._began + MIN_SECONDS - time.monotonic())
        self._over.set()
        for thread in self._threads:
            thread.join()
        grown = self._target.peak_rss() - self._rss
        summary = ", ".join(f"{one.name}: {len(one.waits)} calls, longest {max(one.waits, default=0):.2f} s"
                            for one in self._calls)
        print(f"\n{summary}; memory {self._rss // MIB} MiB, at most {grown // MIB} MiB more")
        if kind is not None:
            return
        for one in self._calls:
            assert not one.failures, f"{one.name}: {len(one.failures)} of {len(one.waits)} calls failed: {one.failures[0]}"
            assert one.waits and max(one.waits) < MAX_WAIT, f"{one.name}: a call took {max(one.waits):.1f} s"
        assert grown < self._max_growth, f"{grown // MIB} MiB more than before"
        eventually(lambda: self._target.rss() < self._rss + GIVEN_BACK, "the memory was given back")
        eventually(self._target.ready, "the service is ready")
        last = Calls("afterwards")
        self._over.clear()
        for body in (self._api, self._app):
            threading.Timer(0.5, self._over.set).start()
            body(last)
            self._over.clear()
        assert not last.failures, last.failures[0]

    def _api(self, calls: Calls) -> None:
        with own_channel(self._target.stack.api_target()) as channel:
            while not self._over.is_set():
                calls.make(lambda: create_task(channel, "ada", "an honest task"))
                self._over.wait(0.05)

    def _api_anew(self, calls: Calls) -> None:
        while not self._over.is_set():
            with own_channel(self._target.stack.api_target()) as channel:
                calls.make(lambda: create_task(channel, "grace", "an honest task"))  # noqa: B023: called at once
            self._over.wait(0.1)

    def _app(self, calls: Calls) -> None:
        protos()
        stubs = importlib.import_module("dapr.proto.runtime.v1.appcallback_pb2_grpc")
        empty = importlib.import_module("google.protobuf.empty_pb2").Empty()
        tokens = [("dapr-api-token", self._target.stack.tokens()["APP_API_TOKEN"])]
        with own_channel(self._target.stack.app_target()) as channel:
            stub = stubs.AppCallbackStub(channel)
            while not self._over.is_set():
                calls.make(lambda: stub.ListTopicSubscriptions(empty, timeout=MAX_WAIT, metadata=tokens,
                                                               wait_for_ready=True))
                self._over.wait(0.05)
