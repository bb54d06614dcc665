"""The machine and the versions that a figure belongs to."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SYNCS = 100
TURNS = 2_000_000


def describe() -> dict[str, str]:
    """What a reader needs to judge the figures, in words."""
    return {
        "processor": f"{len(os.sched_getaffinity(0))} × {_processor()}",
        "memory": f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB",
        "kernel": platform.release(),
        "load before": f"{os.getloadavg()[0]:.1f}",
        "reference loop": f"{_loop():.2f} s for {TURNS:,} turns of Python",
        "fsync": f"{_sync() * 1000:.2f} ms, median of {SYNCS} in the folder for temporary files",
        "commit": _output("git", "-C", str(REPOSITORY), "describe", "--always", "--dirty"),
        "postgresql": _output("psql", "--version"),
        "compiler": _output("g++", "--version").splitlines()[0],
        "dapr": _version_in("tools/dapr/go.mod", r"github\.com/dapr/dapr (v\S+)"),
        "kafka": _version_in("tools/kafka/pom.xml", r"<kafka.version>([^<]+)"),
        "python": platform.python_version(),
    }


def _processor() -> str:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


def _loop() -> float:
    """A machine-independent piece of work: says how fast one core is just now."""
    began = time.perf_counter()
    total = 0
    for n in range(TURNS):
        total += n & 7
    return time.perf_counter() - began


def _sync() -> float:
    waits = []
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(SYNCS):
            os.write(file.fileno(), b"x" * 400)
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            waits.append(time.perf_counter() - began)
    return sorted(waits)[SYNCS // 2]


def _output(*command: str) -> str:
    with suppress(OSError):
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"
    return "unknown"


def _version_in(file: str, pattern: str) -> str:
    found = re.search(pattern, (REPOSITORY / file).read_text("utf-8"))
    return found[1] if found else "unknown"
