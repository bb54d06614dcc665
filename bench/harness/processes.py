"""What processes use, as the operating system counts it."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tools.stack.process_table import identify, tree

TICK = 1 / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Used:
    """So far, by a process and its children, also by those that have ended."""

    cpu: float = 0.0  # seconds
    switches: int = 0  # of threads, given up or taken away; only of threads that still live

    def __add__(self, other: Used) -> Used:
        return Used(self.cpu + other.cpu, self.switches + other.switches)

    def __sub__(self, before: Used) -> Used:
        return Used(self.cpu - before.cpu, self.switches - before.switches)


def used_by(pid: int | None) -> Used:
    first = identify(pid) if pid else None
    cpu, switches = 0.0, 0
    for process in tree(first) if first else ():
        with suppress(FileNotFoundError, ProcessLookupError):
            folder = Path(f"/proc/{process.pid}")
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            cpu += sum(map(int, fields[11:15])) * TICK  # its own, and that of children that have ended
            for task in (folder / "task").iterdir():
                switches += _switches(task)
    return Used(cpu, switches)


def _switches(task: Path) -> int:
    with suppress(FileNotFoundError, ProcessLookupError):
        return sum(int(line.split()[1]) for line in (task / "status").read_text().splitlines()
                   if "ctxt_switches" in line)
    return 0


def resident_mib(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise AssertionError("no VmRSS")
