"""A WebSocket server that says what a test tells it to, for clients of docs/live.md."""

from __future__ import annotations

import http
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve


class ScriptedSocket:
    """Connection n, from 0, gets the messages that `script(n)` gives, and after them nothing; None in the place of
    messages refuses the handshake with 503, a number closes with this code."""

    def __init__(self, script: Callable[[int], list[dict[str, Any]] | int | None]) -> None:
        self.hellos: list[dict[str, Any]] = []
        self.handshakes = 0
        self.url = ""
        self._script = script

    def admit(self, connection: ServerConnection, _: Request) -> Response | None:
        self.handshakes += 1
        if self._script(self.handshakes - 1) is None:
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "busy\n")
        return None

    def talk(self, connection: ServerConnection) -> None:
        script = self._script(self.handshakes - 1)
        try:
            self.hellos.append(json.loads(connection.recv()))
            if isinstance(script, int):
                return connection.close(script, "as the script says")
            for message in script or []:
                connection.send(json.dumps(message))
            connection.recv()  # until the client goes away
        except ConnectionClosed:
            pass


@contextmanager
def scripted_socket(script: Callable[[int], list[dict[str, Any]] | int | None]) -> Iterator[ScriptedSocket]:
    scripted = ScriptedSocket(script)
    with serve(scripted.talk, "127.0.0.1", 0, subprotocols=["todo.v1"], process_request=scripted.admit,  # type: ignore[list-item]
               compression=None, ping_interval=None) as server:
        scripted.url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}/ws"
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield scripted
        server.shutdown()


def update(seq: int, title: str) -> dict[str, Any]:
    """As docs/live.md has it, as far as clients look at it."""
    return {"type": "update", "seq": seq, "event_id": f"event {seq}", "change": "created", "task_id": seq,
            "task": {"id": seq, "title": title, "completed": False}}


EMPTY = {"type": "snapshot", "seq": 0, "event_id": None, "tasks": [], "last": True}
ALIVE = {"type": "ping"}  # without a cursor
