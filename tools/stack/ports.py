"""Picks loopback ports that no other stack and, as far as anybody can tell, no other program will take.

Each running stack holds a lock on one block of ports below the kernel's ephemeral range: so two stacks that start
at the same moment never pick the same port, and an outgoing connection never happens to sit on one of ours.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

BLOCK_SIZE = 128
FIRST_PORT = 12_000
LAST_PORT = 32_000


def is_free(port: int) -> bool:
    """Whether a server could listen there now. Connections that are only fading away (TIME_WAIT) do not count."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


class PortBlock:
    """A locked block of ports. The lock lives as long as this object is open, so it also ends with the process."""

    def __init__(self, number: int, lock: IO[str]) -> None:
        self.number = number
        self._lock = lock

    def close(self) -> None:
        self._lock.close()

    def assign(self, names: Iterable[str], known: Mapping[str, int], preferred: Mapping[str, int]) -> dict[str, int]:
        """A port for each name: the one it had before, else the preferred one, else the block's next free one."""
        first = FIRST_PORT + self.number * BLOCK_SIZE
        candidates = iter(range(first, first + BLOCK_SIZE))
        chosen: dict[str, int] = {}
        for name in names:
            for port in (known.get(name), preferred.get(name)):
                if port and port not in chosen.values() and is_free(port):
                    chosen[name] = port
                    break
            else:
                taken = set(chosen.values()) | set(known.values())
                chosen[name] = next(port for port in candidates if port not in taken and is_free(port))
        return chosen


def lock_block(directory: Path, wanted: int | None) -> PortBlock:
    """Locks the block this folder had last time if nobody has it now, otherwise the next one that is free."""
    locks = Path(tempfile.gettempdir()) / f"todo-stack-ports-{os.getuid()}"
    locks.mkdir(mode=0o700, exist_ok=True)
    count = (LAST_PORT - FIRST_PORT) // BLOCK_SIZE
    start = zlib.crc32(str(directory).encode()) % count if wanted is None else wanted
    for step in range(count):
        number = (start + step) % count
        lock = open(locks / f"block-{number}.lock", "w", encoding="ascii")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        return PortBlock(number, lock)
    raise RuntimeError(f"all {count} blocks of ports are in use")
