"""A client of HTTP/2 that builds its frames by hand, to do what libraries refuse to do."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 6, 7, 8, 9
END_STREAM = ACK = 1
END_HEADERS = 4
INITIAL_WINDOW_SIZE = 4  # a setting
INITIAL_WINDOW = 65_535


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def integer(value: int, prefix_bits: int, first: int = 0) -> bytes:
    """An integer of HPACK."""
    most = (1 << prefix_bits) - 1
    if value < most:
        return bytes([first | value])
    out = bytearray([first | most])
    value -= most
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    out.append(value)
    return bytes(out)


def header(name: str, value: str) -> bytes:
    """A header field that is not compressed and not remembered."""
    key, content = name.encode(), value.encode()
    return b"\0" + integer(len(key), 7) + key + integer(len(content), 7) + content


def call_headers(path: str, **more: str) -> bytes:
    fields = {":method": "POST", ":scheme": "http", ":path": path, ":authority": "hostile", "te": "trailers",
              "content-type": "application/grpc", **{name.replace("_", "-"): value for name, value in more.items()}}
    return b"".join(header(name, value) for name, value in fields.items())


def grpc_message(content: bytes, compressed: bool = False) -> bytes:
    return bytes([compressed]) + struct.pack(">I", len(content)) + content


@dataclass(frozen=True)
class Frame:
    kind: int
    flags: int
    stream: int
    payload: bytes


class Closed(Exception):
    """The server has ended the connection."""


class Connection:
    """Not thread-safe. A connection that the server has ended raises Closed."""

    def __init__(self, port: int, window: int | None = None, timeout: float = 10) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unread = b""
        self._next_stream = 1
        self.windows = {0: INITIAL_WINDOW}  # of the server, by stream
        self._stream_window = INITIAL_WINDOW
        settings = b"" if window is None else struct.pack(">HI", INITIAL_WINDOW_SIZE, window)
        self.send(PREFACE + frame(SETTINGS, 0, 0, settings))

    def send(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except OSError as error:
            raise Closed(str(error)) from error

    def next_stream(self) -> int:
        stream = self._next_stream
        self._next_stream += 2
        self.windows[stream] = self._stream_window
        return stream

    def call(self, path: str, content: bytes = b"", **headers: str) -> int:
        stream = self.next_stream()
        self.send(frame(HEADERS, END_HEADERS, stream, call_headers(path, **headers)) +
                  frame(DATA, END_STREAM, stream, grpc_message(content)))
        return stream

    def upload(self, path: str, body: bytes, **headers: str) -> int:
        """A call whose body may be larger than the windows; waits for them to open."""
        stream = self.next_stream()
        self.send(frame(HEADERS, END_HEADERS, stream, call_headers(path, **headers)))
        sent = 0
        while sent < len(body):
            size = min(16_384, self.windows[0], self.windows[stream], len(body) - sent)
            if size <= 0:
                list(self.frames(0.1))
                continue
            sent += size
            self.send(frame(DATA, END_STREAM if sent == len(body) else 0, stream, body[sent - size:sent]))
            for window in (0, stream):
                self.windows[window] -= size
        return stream

    def frames(self, seconds: float) -> Iterator[Frame]:
        """The frames that arrive within this time. Acknowledges SETTINGS and PING."""
        deadline = time.monotonic() + seconds
        while True:
            while (taken := self._take()) is not None:
                self._answer(taken)
                yield taken
            left = deadline - time.monotonic()
            if left <= 0:
                return
            self.socket.settimeout(left)
            try:
                data = self.socket.recv(65_536)
            except TimeoutError:
                return
            except OSError as error:
                raise Closed(str(error)) from error
            finally:
                with contextlib.suppress(OSError):
                    self.socket.settimeout(10)
            if not data:
                raise Closed("end of the connection")
            self._unread += data

    def finished(self, stream: int, seconds: float) -> bool:
        """Whether the call ends within this time."""
        return any(one.stream == stream and (one.kind == RST_STREAM or one.kind == HEADERS and one.flags & END_STREAM)
                   for one in self.frames(seconds))

    def ends(self, seconds: float) -> bool:
        """Whether the server ends the connection within this time."""
        try:
            for _ in self.frames(seconds):
                pass
        except Closed:
            return True
        return False

    def close(self) -> None:
        self.socket.close()

    def _take(self) -> Frame | None:
        if len(self._unread) < 9:
            return None
        length = int.from_bytes(self._unread[:3], "big")
        if len(self._unread) < 9 + length:
            return None
        kind, flags = self._unread[3], self._unread[4]
        stream = int.from_bytes(self._unread[5:9], "big") & 0x7FFFFFFF
        payload = self._unread[9:9 + length]
        self._unread = self._unread[9 + length:]
        return Frame(kind, flags, stream, payload)

    def _answer(self, taken: Frame) -> None:
        if taken.kind == SETTINGS and not taken.flags & ACK:
            for name, value in struct.iter_unpack(">HI", taken.payload):
                if name == INITIAL_WINDOW_SIZE:
                    for stream in self.windows.keys() - {0}:
                        self.windows[stream] += value - self._stream_window
                    self._stream_window = value
            self.send(frame(SETTINGS, ACK, 0))
        elif taken.kind == PING and not taken.flags & ACK:
            self.send(frame(PING, ACK, 0, taken.payload))
        elif taken.kind == WINDOW_UPDATE and taken.stream in self.windows:
            self.windows[taken.stream] += struct.unpack(">I", taken.payload)[0]
