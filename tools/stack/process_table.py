"""Reads /proc: which processes are alive, which belong together, and whether a pid is still the process we meant."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ProcessId:
    """A process for certain: a pid alone may have been given to another program since."""

    pid: int
    started: int  # clock ticks since boot

    def alive(self) -> bool:
        """False for a zombie too: it only waits for its parent to look."""
        found = _stat(self.pid)
        return found is not None and found.started == self.started and found.state not in "ZX"

    def signal(self, number: int) -> None:
        if self.alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)


@dataclass(frozen=True)
class _Stat:
    state: str
    parent: int
    started: int


def _stat(pid: int) -> _Stat | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="latin-1")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text[text.rindex(")") + 2 :].split()  # the name before it may hold anything, spaces and brackets too
    return _Stat(state=fields[0], parent=int(fields[1]), started=int(fields[19]))


def identify(pid: int) -> ProcessId | None:
    found = _stat(pid)
    return ProcessId(pid, found.started) if found else None


def boot_id() -> str:
    """Start times count from boot, so they mean nothing after the next one."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def tree(root: ProcessId) -> list[ProcessId]:
    """The process and everything below it, parents first. Process groups would miss PostgreSQL's own children."""
    if not root.alive():
        return []
    children: dict[int, list[ProcessId]] = {}
    for pid in _pids():
        if found := _stat(pid):
            children.setdefault(found.parent, []).append(ProcessId(pid, found.started))
    result = [root]
    for process in result:
        result.extend(children.get(process.pid, []))
    return result


def working_in(directory: Path) -> list[ProcessId]:
    """The processes whose working directory this is: finds children that outlived their parent."""
    found = []
    wanted = str(directory.resolve())
    for pid in _pids():
        with suppress(OSError):
            if os.readlink(f"/proc/{pid}/cwd") == wanted and (process := identify(pid)):
                found.append(process)
    return found


def kill_all(processes: list[ProcessId]) -> None:
    for process in processes:
        process.signal(signal.SIGKILL)


def _pids() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]
