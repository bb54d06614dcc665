"""Programs that take the place of the service: behind the sidecar, or beside it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..harness.places import Stack, program


class App:
    """Speaks to one of the programs in peers: each line asks for the number of records that it has taken."""

    def __init__(self, command: list[str | Path], environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(list(map(str, command)), env={**os.environ, **environment}, text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.pid = self._process.pid
        assert self._answer() == "ready"

    def count(self) -> int:
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return int(self._answer())

    def close(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()

    def _answer(self) -> str:
        assert self._process.stdout
        line = self._process.stdout.readline().strip()
        assert line, "the program has ended: its words are above"
        return line


@contextmanager
def noop_app(stack: Stack, *, consumers: int = 0) -> Iterator[App]:
    """Behind the sidecar of a stack that has no service."""
    app = App([program("noop_app"), f"--port={stack.ports['app-0']}", f"--consumers={consumers}"],
              {"DATABASE_URL": stack.database_url})
    try:
        yield app
    finally:
        app.close()


@contextmanager
def kafka_consumer(stack: Stack, *, consumers: int = 0) -> Iterator[App]:
    """librdkafka beside a stack, without a sidecar."""
    app = App([program("kafka_consumer"), f"--brokers={stack.kafka.brokers}", f"--consumers={consumers}"],
              {"DATABASE_URL": stack.database_url})
    try:
        before = -1
        while before != (before := app.count()):  # until it has read what earlier measurements left on the topic
            time.sleep(1)
        yield app
    finally:
        app.close()
