"""Becomes the program of a container, as a container runtime would: `enter.py SPEC` with a file that `pods.py` wrote.

The program gets a root of its own that is read-only, the network of its pod, process numbers and mounts of its own, an
unprivileged user, no capability, and no way to get one. Needs root. A system-call filter and limits of memory and CPU are
not there.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

_NEW = 0x00020000 | 0x04000000 | 0x08000000 | 0x20000000  # mounts, host name, IPC, processes
_NEW_NETWORK = 0x40000000
_SET_PARENT_DEATH_SIGNAL, _DROP_FROM_BOUNDING_SET, _NO_NEW_PRIVILEGES = 1, 24, 38
_libc = ctypes.CDLL(None, use_errno=True)


def check(result: int, what: str) -> None:
    """Of a call of the C library."""
    if result != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def main() -> int:
    spec = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    network = os.open(spec["network"], os.O_RDONLY)
    check(_libc.setns(network, _NEW_NETWORK), "setns")
    check(_libc.unshare(_NEW), "unshare")
    child = os.fork()
    if child == 0:
        try:
            _become(spec)
        except OSError as error:
            print(f"enter: {error}", file=sys.stderr)
        os._exit(126)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda sent, _: os.kill(child, sent))
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) % 256


def _become(spec: dict[str, Any]) -> None:
    _libc.prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    socket.sethostname(spec["hostname"])
    root = Path(spec["root"])
    _mount("--make-rprivate", "/")
    _mount("--bind", str(root), str(root))
    _mount("-t", "proc", "proc", str(root / "proc"))
    for name in ("null", "zero", "random", "urandom"):
        _mount("--bind", f"/dev/{name}", str(root / "dev" / name))
    for source, target in spec["mounts"].items():
        _mount("--bind", source, f"{root}{target}")
        _mount("-o", "remount,bind,ro", f"{root}{target}")
    _mount("-o", "remount,bind,ro", str(root))
    # After this Python finds none of its own modules.
    last = int(Path("/proc/sys/kernel/cap_last_cap").read_text("utf-8"))
    os.chroot(root)
    os.chdir("/")
    for capability in range(last + 1):
        check(_libc.prctl(_DROP_FROM_BOUNDING_SET, capability, 0, 0, 0), "prctl")
    os.setgroups([spec["gid"]])
    os.setresgid(*[spec["gid"]] * 3)
    os.setresuid(*[spec["uid"]] * 3)
    check(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "prctl")
    os.execve(spec["argv"][0], spec["argv"], spec["env"])


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)


if __name__ == "__main__":
    sys.exit(main())
