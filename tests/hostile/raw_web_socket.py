"""WebSockets without the manners of a library: any bytes at any time."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

TEXT, CLOSE, PING, CONTINUATION = 1, 8, 9, 0
MAX_WAIT = 30.0


def frame(opcode: int, payload: bytes = b"", *, final: bool = True, length: int | None = None) -> bytes:
    """Masked, with a key of zeros. `length` is what the frame claims to hold."""
    size = len(payload) if length is None else length
    head = bytes([opcode | (0x80 if final else 0)])
    if size < 126:
        head += bytes([0x80 | size])
    elif size < 65_536:
        head += b"\xfe" + struct.pack(">H", size)
    else:
        head += b"\xff" + struct.pack(">Q", size)
    return head + bytes(4) + payload


class RawWebSocket:
    """Opened by its constructor; OSError when the server does not answer with 101. It answers neither pings nor closes.
    With `early` bytes, which follow the handshake at once, `begin` must be called to read the answer."""

    def __init__(self, port: int, *, origin: str = "", receive_buffer: int = 0, early: bytes = b"") -> None:
        self._unread = b""
        self.socket = socket.socket()
        self.socket.settimeout(MAX_WAIT)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            self.socket.connect(("127.0.0.1", port))
            self.socket.sendall((
                f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
                f"Sec-WebSocket-Protocol: todo.v1\r\n{f'Origin: {origin}' + chr(13) + chr(10) if origin else ''}\r\n").encode() + early)
            if not early:
                self.begin()
        except BaseException:
            self.socket.close()
            raise

    def begin(self) -> None:
        try:
            while b"\r\n\r\n" not in self._unread:
                self._receive()
            head, self._unread = self._unread.split(b"\r\n\r\n", 1)
            if b" 101 " not in head.split(b"\r\n")[0]:
                raise OSError(head.split(b"\r\n")[0].decode())
        except BaseException:
            self.socket.close()
            raise

    def hello(self, token: str, **more: Any) -> None:
        self.send(frame(TEXT, json.dumps({"type": "hello", "token": token, **more}).encode()))

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def receive_frame(self) -> tuple[int, bytes]:
        """Opcode and payload. OSError: there is none."""
        self._fill(2)
        opcode, size, skip = self._unread[0] & 15, self._unread[1] & 127, 2
        if size >= 126:
            skip = 4 if size == 126 else 10
            self._fill(skip)
            size = int.from_bytes(self._unread[2:skip], "big")
        self._fill(skip + size)
        payload, self._unread = self._unread[skip:skip + size], self._unread[skip + size:]
        return opcode, payload

    def end(self) -> str:
        """Reads until the server closes: the code of its close frame, or "cut" without one, or "open" after MAX_WAIT."""
        try:
            while True:
                opcode, payload = self.receive_frame()
                if opcode == CLOSE:
                    return str(int.from_bytes(payload[:2], "big"))
        except TimeoutError:
            return "open"
        except OSError:
            return "cut"
        finally:
            self.close()

    def flood(self, data: bytes, limit: int) -> str:
        """Sends `data` again and again until the server has had enough; how it ended. "open": after `limit` bytes."""
        sent = 0
        try:
            while sent < limit:
                self.send(data)
                sent += len(data)
            self.socket.settimeout(1.0)
        except TimeoutError:
            self.close()
            return "open"
        except OSError:
            pass  # a close frame may have come before
        return self.end()

    def cut(self) -> bool:
        """Reads nothing but the end of the connection."""
        try:
            while self.socket.recv(65_536):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        finally:
            self.close()
        return True

    def close(self) -> None:
        self.socket.close()

    def _fill(self, size: int) -> None:
        while len(self._unread) < size:
            self._receive()

    def _receive(self) -> None:
        more = self.socket.recv(65_536)
        if not more:
            raise ConnectionResetError("closed")
        self._unread += more
