"""One durable PostgreSQL server with a database for each side: both sides have the same disk, the same settings and the
same durability (fsync and synchronous_commit are on)."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tools.stack.place import Place
from tools.stack.postgres import DATABASE, ROLE, Postgres

from .pairs import Sample
from .processes import Used, used_by

# The position in the WAL is exact. Backends report their syncs once a second and when they end.
COUNTERS = "select pg_current_wal_insert_lsn() - '0/0', wal_sync from pg_stat_wal"


class Server:
    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres

    def create(self, database: str, template: str = "template0") -> str:
        """A new database, and its URL."""
        self.postgres.query(f"create database {database} owner {ROLE} template {template}", superuser=True,
                            database="postgres")
        return self.url(database)

    def url(self, database: str) -> str:
        return self.postgres.url.replace(f"/{DATABASE}?", f"/{database}?")

    def run(self, database: str, sql: str) -> str:
        """Runs a script as the owner of the database, all or nothing."""
        done = subprocess.run(["psql", self.url(database), "-X", "-q", "-A", "-t", "-1", "-v", "ON_ERROR_STOP=1", "-f", "-"],
                              input=sql, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def settle(self) -> None:
        """What the filling left to do is done now, and not in the middle of a sample."""
        self.postgres.query("checkpoint", superuser=True)

    def counters(self) -> tuple[int, int, Used]:
        """Bytes of WAL, syncs of it, and what the server's processes used."""
        wal, syncs = self.postgres.query(COUNTERS, superuser=True).split("|")
        return int(wal), int(syncs), used_by(self.postgres.pid)


class Costs:
    """What operations cost the server, from begin() to of()."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self.begin()

    def begin(self) -> None:
        self._wal, self._syncs, self._used = self._server.counters()

    def of(self, operations: float) -> Sample:
        wal, syncs, used = self._server.counters()
        return {"wal_bytes": (wal - self._wal) / operations, "fsyncs": (syncs - self._syncs) / operations,
                "postgres_cpu_us": (used - self._used).cpu / operations * 1e6}


@contextmanager
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="todo-bench-") as folder:
        place = Place(Path(folder) / "run")
        place.open(["postgres"], {})
        postgres = Postgres(place)
        try:
            postgres.start()
            yield Server(postgres)
        finally:
            postgres.stop()
            place.remove_data()
            place.close()


class Child:
    """A program that measures; `pid` while it runs."""

    def __init__(self) -> None:
        self.pid: int | None = None

    def run(self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None,
            at_begin: Callable[[], None] = lambda: None) -> dict[str, Any]:
        """The line of JSON that it prints. `at_begin` is called when its warm-up is over."""
        lines: list[str] = []

        def look(line: str) -> None:
            at_begin() if line == "begin" else lines.append(line)

        self.follow(command, look, environment)
        told = [line for line in lines if line.startswith('{"count"')]
        assert told, f"{command[0]}: {lines}"
        answer: dict[str, Any] = json.loads(told[-1])
        assert answer["count"] > 0 and answer["failures"] * 1000 <= answer["count"], f"{command[0]}: {lines}"
        return answer

    def output(self, command: Sequence[str | Path], environment: Mapping[str, str] | None = None) -> str:
        lines: list[str] = []
        self.follow(command, lines.append, environment)
        return "\n".join(lines)

    def follow(self, command: Sequence[str | Path], look: Callable[[str], None],
               environment: Mapping[str, str] | None = None) -> None:
        """Gives each line to `look` when it comes."""
        process = subprocess.Popen(list(map(str, command)), env={**os.environ, **(environment or {})}, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.pid = process.pid
        last: deque[str] = deque(maxlen=20)
        try:
            assert process.stdout
            for line in process.stdout:
                last.append(line)
                look(line.rstrip("\n"))
            code = process.wait(60)
        finally:
            self.pid = None
            process.kill()
        assert code == 0, f"{command[0]}: {''.join(last)}"
