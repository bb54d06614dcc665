"""The network of a pod: loopback and an address of the pod, and wires to servers outside."""

from __future__ import annotations

import ctypes
import fcntl
import os
import socket
import struct
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

POD_ADDRESS = "10.244.0.7"
_NEW_NETWORK = 0x40000000
_SET_ADDRESS, _SET_FLAGS, _UP_AND_RUNNING = 0x8916, 0x8914, 0x41
_Address = tuple[str, int]


class Network:
    """A network namespace. Nothing in it reaches anything outside but through `reach`, and nobody comes in but through
    `publish` and `connect`. Needs root."""

    def __init__(self) -> None:
        # One thread lives inside. Its sockets stay inside, whoever uses them.
        self._inside = ThreadPoolExecutor(max_workers=1)
        self._open: list[socket.socket] = []
        self.path = self._inside.submit(self._enter).result()

    def close(self) -> None:
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._inside.shutdown()
        os.close(self._handle)

    def connect(self, port: int, host: str = POD_ADDRESS, timeout: float = 5) -> socket.socket:
        """From another machine of the cluster, or with host 127.0.0.1 from inside of the pod. OSError: nobody there."""
        return self._inside.submit(socket.create_connection, (host, port), timeout).result()

    def reach(self, inside: _Address, outside: _Address) -> None:
        """Who connects to `inside` in the pod is connected to a server outside."""
        listening = self._inside.submit(socket.create_server, inside).result()
        self._serve(listening, lambda: socket.create_connection(outside, 5))

    def publish(self, port: int) -> int:
        """The port of loopback outside that leads to a port of the pod, as `kubectl port-forward` does."""
        listening = socket.create_server(("127.0.0.1", 0))
        self._serve(listening, lambda: self.connect(port))
        found: int = listening.getsockname()[1]
        return found

    def _enter(self) -> str:
        if ctypes.CDLL(None, use_errno=True).unshare(_NEW_NETWORK) != 0:
            raise OSError(ctypes.get_errno(), "a network of its own needs root")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
            address = struct.pack("16sHH4s8x", b"lo:0", socket.AF_INET, 0, socket.inet_aton(POD_ADDRESS))
            fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sH14x", b"lo", _UP_AND_RUNNING))
            fcntl.ioctl(any_socket, _SET_ADDRESS, address)
        self._handle = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
        return f"/proc/{os.getpid()}/fd/{self._handle}"

    def _serve(self, listening: socket.socket, connect: Callable[[], socket.socket]) -> None:
        self._open.append(listening)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    near, _ = listening.accept()
                    try:
                        far = connect()
                    except OSError:
                        near.close()
                        continue
                    for source, target in ((near, far), (far, near)):
                        threading.Thread(target=_pump, args=(source, target), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()


def _pump(source: socket.socket, target: socket.socket) -> None:
    source.settimeout(None)
    with suppress(OSError):
        while content := source.recv(65536):
            target.sendall(content)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)
