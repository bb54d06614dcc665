"""Many WebSockets of one process, which count what they get and do as little as possible."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import Any

PATIENCE = 120.0


class _Socket(asyncio.Protocol):
    def __init__(self, crowd: Crowd, port: int, hello: bytes) -> None:
        self._crowd = crowd
        self._port = port
        self._hello = hello
        self._unread = b""
        self._open = False
        self.messages = 0
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        self.transport = transport
        transport.write((f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                         "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                         "Sec-WebSocket-Protocol: todo.v1\r\n\r\n").encode())

    def data_received(self, data: bytes) -> None:
        self._unread += data
        if not self._open:
            if b"\r\n\r\n" not in self._unread:
                return
            head, self._unread = self._unread.split(b"\r\n\r\n", 1)
            assert b" 101 " in head[:20], head
            self._open = True
            self._crowd.open += 1
            self.transport.write(_frame(self._hello))
        while (message := self._message()) is not None:
            self.messages += 1
            self._crowd.messages += 1
            self._crowd.last_at = time.time()
            if self._crowd.on_message:
                self._crowd.on_message(message)

    def _message(self) -> bytes | None:
        data = self._unread
        if len(data) < 2:
            return None
        size, skip = data[1] & 127, 2
        if size >= 126:
            skip = 4 if size == 126 else 10
            size = int.from_bytes(data[2:skip], "big")
        if len(data) < skip + size:
            return None
        self._unread = data[skip + size:]
        assert data[0] == 0x81, f"not a text message: {data[:100]!r}"
        return data[skip:skip + size]

    def connection_lost(self, error: Exception | None) -> None:
        self._crowd.lost += 1


def _frame(text: bytes) -> bytes:
    """Masked, with a key of zeros."""
    head = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
    return b"\x81" + head + bytes(4) + text


class Crowd:
    """with Crowd(port, [{"type": "hello", …}, …]) as crowd: crowd.wait(lambda: crowd.messages == 10)"""

    def __init__(self, port: int, hellos: list[Mapping[str, Any]],
                 on_message: Callable[[bytes], None] | None = None, at_once: int = 200) -> None:
        self._port = port
        self._hellos = [json.dumps(hello).encode() for hello in hellos]
        self._at_once = at_once
        self._sockets: list[_Socket] = []
        self.on_message = on_message
        self.open = self.messages = self.lost = 0
        self.last_at = 0.0  # Unix time of the newest message
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Crowd:
        self._thread.start()
        self._run(self._connect()).result(PATIENCE)
        self.wait(lambda: self.open == len(self._hellos))
        return self

    def __exit__(self, *_: object) -> None:
        self._run(self._close()).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def wait(self, probe: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not probe():
            assert not self.lost, f"{self.lost} sockets were closed"
            assert time.monotonic() < deadline, f"{self.open} open, {self.messages} messages"
            time.sleep(0.001)

    def _run(self, work: Any) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _connect(self) -> None:
        places = asyncio.Semaphore(self._at_once)

        async def one(hello: bytes) -> None:
            async with places:
                made = await self._loop.create_connection(lambda: _Socket(self, self._port, hello), "127.0.0.1", self._port)
                self._sockets.append(made[1])

        await asyncio.gather(*map(one, self._hellos))

    async def _close(self) -> None:
        for one in self._sockets:
            one.transport.abort()
        await asyncio.sleep(0)
