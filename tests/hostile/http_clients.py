"""Clients of the HTTP ports: honest ones, and sockets for those that are not."""

from __future__ import annotations

import http.client
import json
import select
import socket
import threading
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from todo_client import eventually

from tools.stack import Stack

MAX_WAIT = 5.0  # seconds
MIB = 1024 * 1024
GIVEN_BACK = 64 * MIB  # a burst leaves less than this behind


def list_tasks(port: int, identity: dict[str, str]) -> None:
    """One JSON call on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=MAX_WAIT)
    try:
        headers = {"content-type": "application/json", **identity}
        connection.request("POST", "/todo.v1.TodoService/ListTasks", "{}", headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise OSError(f"{answer.status}: {body[:200]!r}")
        json.loads(body)
    finally:
        connection.close()


def has_expired(port: int, token: str) -> bool:
    try:
        list_tasks(port, {"authorization": f"Bearer {token}"})
    except OSError as refusal:
        return "expired" in str(refusal)
    return False


def get(port: int, path: str) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=MAX_WAIT) as answer:
        answer.read()


class HonestCallers:
    """A user of the web port and the probes of the ops port, while the block runs. Afterwards no call may have failed
    or waited for long, and the process may not have grown by more than `max_growth` bytes.

    with HonestCallers(stack, 100 * MIB):
        attack()
    """

    def __init__(self, stack: Stack, max_growth: int, identity: dict[str, str] | None = None) -> None:
        who = identity or {"x-user-id": "ada"}
        web, ops = stack.ports["web-0"], stack.ports["ops-0"]
        self._calls: dict[str, Callable[[], None]] = {
            "call": lambda: list_tasks(web, who),
            "probe": lambda: get(ops, "/readyz"),
            "metrics": lambda: get(ops, "/metrics"),
        }
        self._status = Path(f"/proc/{stack.node('service-0').pid}/status")
        self._max_growth = max_growth
        self._waits: dict[str, list[float]] = {name: [] for name in self._calls}
        self._failures: list[str] = []
        self._over = threading.Event()

    def __enter__(self) -> HonestCallers:
        self._status.with_name("clear_refs").write_text("5")  # forgets the peak
        self._rss = self._kib("VmRSS") * 1024
        self._threads = [threading.Thread(target=self._call, args=(name,)) for name in self._calls]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
        grown = self._kib("VmHWM") * 1024 - self._rss
        print("\n" + ", ".join(f"{name}: {len(waits)}, longest {max(waits, default=0):.2f} s"
                               for name, waits in self._waits.items()), f"at most {grown / MIB:.0f} MiB more")
        if kind is not None:
            return
        assert not self._failures, f"{len(self._failures)} failures: {self._failures[:3]}"
        for name, waits in self._waits.items():
            assert waits and max(waits) < MAX_WAIT, f"{name}: {max(waits, default=0):.1f} s"
        assert grown < self._max_growth, f"{grown / MIB:.0f} MiB more than before"
        eventually(lambda: self._kib("VmRSS") * 1024 < self._rss + GIVEN_BACK, "the memory was given back")
        for call in self._calls.values():
            call()

    def _call(self, name: str) -> None:
        while not self._over.is_set():
            began = time.monotonic()
            try:
                self._calls[name]()
            except (OSError, http.client.HTTPException) as failure:
                self._failures.append(f"{name}: {failure!r}")
            self._waits[name].append(time.monotonic() - began)
            self._over.wait(0.05)

    def _kib(self, name: str) -> int:
        for line in self._status.read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1])
        raise AssertionError(f"no {name}")


class Crowd:
    """Many connections that each send `opening`, which may depend on the number of the connection; those that the server closes are opened again."""

    def __init__(self, port: int, count: int, opening: bytes | Callable[[int], bytes],
                 receive_buffer: int = 0) -> None:
        self._port = port
        self._count = count
        self._opening = opening
        self._receive_buffer = receive_buffer
        self._sockets: list[socket.socket] = []
        self.opened = 0

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._sockets:
            one.close()

    def press(self, seconds: float, each: Callable[[socket.socket], None] = lambda _: None) -> None:
        """Keeps all connections open for this time, and does `each` to them again and again."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            while len(self._sockets) < self._count:
                with suppress(OSError):
                    self._sockets.append(self._open())
            alive = []
            for one in self._sockets:
                try:
                    each(one)
                    alive.append(one)
                except BlockingIOError:
                    alive.append(one)
                except OSError:
                    one.close()
            # A connection that the server has closed is readable.
            poll = select.poll()
            by_number = {one.fileno(): one for one in alive}
            for number in by_number:
                poll.register(number, select.POLLRDHUP | select.POLLHUP | select.POLLERR)
            for number, _ in poll.poll(0):
                by_number.pop(number).close()
            self._sockets = list(by_number.values())
            time.sleep(0.02)  # else the attacker takes the processor from everybody, itself included

    def _open(self) -> socket.socket:
        one = socket.socket()
        one.settimeout(MAX_WAIT)
        if self._receive_buffer:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
        try:
            one.connect(("127.0.0.1", self._port))
            one.sendall(self._opening if isinstance(self._opening, bytes) else self._opening(self.opened))
        except OSError:
            one.close()
            raise
        one.setblocking(False)
        self.opened += 1
        return one
