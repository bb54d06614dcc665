"""A PostgreSQL of its own for one command: contract tests make and drop a database each in it, so it does not wait for
the disk. What is measured or killed runs on the durable one of a stack."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .place import Place
from .postgres import Postgres


def run_with_database(command: Sequence[str]) -> int:
    """Runs `command` with TODO_TEST_DATABASE_URL set; returns its exit code. Nothing remains."""
    with tempfile.TemporaryDirectory(prefix="todo-database-") as folder:
        place = Place(Path(folder))
        place.open(["postgres"], {})
        postgres = Postgres(place, durable=False)
        try:
            postgres.start()
            return subprocess.run(
                command, env={**os.environ, "TODO_TEST_DATABASE_URL": postgres.superuser_url}, check=False
            ).returncode
        finally:
            postgres.stop()
            place.remove_data()
            place.close()
