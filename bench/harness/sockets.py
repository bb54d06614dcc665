"""Many WebSockets, held by the program live_load: see bench/load/live_load.cc."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping
from typing import Any

from .places import program

PATIENCE = 120.0


class Load:
    """with Load(port, hellos) as load: … All sockets are current when the block begins: each has its snapshot, or the
    changes that it had missed. Without hellos there are `count` silent sockets."""

    def __init__(self, port: int, hellos: Iterable[Mapping[str, Any]] = (), *, count: int = 0, at_once: int = 200) -> None:
        self._hellos = [json.dumps(hello, separators=(",", ":")) for hello in hellos]
        self._count = count or len(self._hellos)
        self._at_once = at_once
        self._process = subprocess.Popen([program("live_load"), str(port)], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, text=True)
        self.opening_seconds = 0.0  # until all were current

    def __enter__(self) -> Load:
        with tempfile.NamedTemporaryFile("w", prefix="todo-hellos-") as file:
            file.write("".join(f"{hello}\n" for hello in self._hellos))
            file.flush()
            began = time.monotonic()
            state = self._ask(f"open {self._count} {self._at_once} {file.name if self._hellos else '-'}")
            self.opening_seconds = time.monotonic() - began
        assert state["current"] == self._count, state
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(30)

    def mark(self) -> None:
        """Forgets all updates so far."""
        self._ask("mark")

    def wait(self, updates: int) -> None:
        """Until so many have come since the mark."""
        state = self._ask(f"await {updates} {PATIENCE}")
        assert state["complete"], state

    def times(self) -> list[tuple[int, int, float]]:
        """Socket, seq and Unix time of each update since the mark."""
        offset = time.time() - time.monotonic()
        return [(socket, seq, at / 1e9 + offset) for socket, seq, at in self._ask("times")["times"]]

    def _ask(self, command: str) -> dict[str, Any]:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "live_load has ended"
        answer: dict[str, Any] = json.loads(line)
        return answer
