"""The one folder a stack lives in: its data, logs, ports, passwords, and the list of processes started there."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import threading
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from . import ports, process_table
from .process_table import ProcessId

BACKUPS = "backups"  # of the database
DATA_FOLDERS = ("postgres", "kafka", "scheduler", BACKUPS)


class StackError(Exception):
    """Something did not start, stop or answer; the text is meant for people."""


class Place:
    """Owns the folder while it is open. A second runner in the same folder is refused."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.resolve()
        self.logs = self.directory / "logs"
        self.secrets_file = self.directory / "secrets.json"
        self.ports: dict[str, int] = {}
        self.closing = threading.Event()  # set when the stack is going down: nobody waits for readiness any more
        self._pids_file = self.directory / "pids.json"
        self._pids: dict[str, list[ProcessId]] = {}
        self._files_lock = threading.Lock()  # processes are started at the same time
        self._lock_file: Any = None
        self._block: ports.PortBlock | None = None

    def open(self, port_names: Iterable[str], preferred_ports: Mapping[str, int]) -> None:
        """Takes the folder, ends what a crashed runner left in it, and settles the ports."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self._lock_file = open(self.directory / "lock", "a+", encoding="ascii")
        try:
            fcntl.flock(self._lock_file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock_file.seek(0)
            runner = self._lock_file.read().strip()
            self._lock_file.close()
            self._lock_file = None
            raise StackError(f"a stack already runs in {self.directory} (process {runner}); stop it first") from None
        self._lock_file.truncate(0)
        self._lock_file.write(str(os.getpid()))
        self._lock_file.flush()
        self.closing.clear()
        self._end_leftovers()
        self._rotate_logs()
        self._settle_ports(port_names, preferred_ports)

    def close(self) -> None:
        if self._block:
            self._block.close()
            self._block = None
        if self._lock_file:
            self._lock_file.close()
            self._lock_file = None

    def remove_data(self) -> None:
        """Forgets everything but logs. Only while nothing runs in the folder."""
        for name in DATA_FOLDERS:
            path = self.directory / name
            if path.is_symlink():
                shutil.rmtree(path.resolve(), ignore_errors=True)
                path.unlink()
            shutil.rmtree(path, ignore_errors=True)
        self.secrets_file.unlink(missing_ok=True)

    def secret(self, group: str, name: str, value: str | None = None) -> str:
        """A password of this folder, made up on first use unless `value` is given.

        The file is also what Dapr's local secret store reads.
        """
        with self._files_lock:
            content = _read_json(self.secrets_file)
            values = content.setdefault(group, {})
            wanted: str = value or values.get(name) or secrets.token_urlsafe(24)
            if values.get(name) != wanted:
                values[name] = wanted
                _write_json(self.secrets_file, content)
            return wanted

    def remember(self, name: str, processes: list[ProcessId]) -> None:
        """Writes down who runs under this name, so that a later runner can end it if we are killed. Empty: nobody."""
        with self._files_lock:
            if processes:
                self._pids[name] = processes
            else:
                self._pids.pop(name, None)
            pids = {key: [[p.pid, p.started] for p in value] for key, value in self._pids.items()}
            _write_json(self._pids_file, {"boot": process_table.boot_id(), "processes": pids})

    def _end_leftovers(self) -> None:
        content = _read_json(self._pids_file)
        if content.get("boot") == process_table.boot_id():
            for entries in content["processes"].values():
                for pid, started in entries:
                    process_table.kill_all(process_table.tree(ProcessId(pid, started)))
        self._pids_file.unlink(missing_ok=True)

    def _rotate_logs(self) -> None:
        self.logs.mkdir(exist_ok=True)
        for log in self.logs.glob("*.log"):
            log.replace(log.with_suffix(".log.1"))

    def _settle_ports(self, names: Iterable[str], preferred: Mapping[str, int]) -> None:
        file = self.directory / "ports.json"
        before = _read_json(file)
        self._block = ports.lock_block(self.directory, before.get("block"))
        known = before.get("ports", {}) if before.get("block") == self._block.number else {}
        self.ports = self._block.assign(names, known, preferred)
        _write_json(file, {"block": self._block.number, "ports": {**known, **self.ports}})


def _read_json(file: Path) -> dict[str, Any]:
    with suppress(FileNotFoundError):
        content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return content
    return {}


def _write_json(file: Path, content: Any) -> None:
    """Whole or not at all, and readable by the owner only: passwords are among what is written."""
    temporary = file.with_suffix(".new")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        json.dump(content, out, indent=2)
    temporary.replace(file)
