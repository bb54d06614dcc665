"""Counts round trips on the wire: a proxy between a client and PostgreSQL. A round trip begins when a client sends
something after the last byte that the server has sent it, so statements that go out together are one."""

from __future__ import annotations

import selectors
import socket
import threading
from types import TracebackType

CHUNK = 1 << 18


class RoundTrips:
    """with RoundTrips(port_of_the_server) as wire: … clients connect to wire.port, and wire.count rises."""

    def __init__(self, target: int) -> None:
        self.count = 0
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._peers: dict[socket.socket, socket.socket] = {}
        self._clients: set[socket.socket] = set()
        self._answered: set[socket.socket] = set()  # clients whose server spoke last
        self._selector = selectors.DefaultSelector()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve)

    def __enter__(self) -> RoundTrips:
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        for one in [self._listener, *self._peers]:
            one.close()
        self._selector.close()

    def _serve(self) -> None:
        while not self._over.is_set():
            for key, _ in self._selector.select(timeout=0.05):
                if key.fileobj is self._listener:
                    self._accept()
                elif isinstance(key.fileobj, socket.socket) and key.fileobj in self._peers:
                    self._pass_on(key.fileobj)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        server = socket.create_connection(("127.0.0.1", self._target))
        self._clients.add(client)
        self._answered.add(client)
        for one, other in ((client, server), (server, client)):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._peers[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _pass_on(self, one: socket.socket) -> None:
        try:
            data = one.recv(CHUNK)
            if data:
                self._peers[one].sendall(data)
        except OSError:
            data = b""
        if not data:
            self._end(one)
        elif one not in self._clients:
            self._answered.add(self._peers[one])
        elif one in self._answered:
            self._answered.discard(one)
            self.count += 1

    def _end(self, one: socket.socket) -> None:
        for end in (one, self._peers[one]):
            self._selector.unregister(end)
            self._peers.pop(end)
            end.close()
