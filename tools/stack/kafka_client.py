"""The few requests of Kafka's protocol that the runner needs, so that no JVM has to start for them (a second each).

Old versions of the requests are used on purpose: their encoding is plain, and brokers from 2.1 to 4.x accept them.
See https://kafka.apache.org/protocol.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

UNKNOWN_TOPIC = 3
TOPIC_EXISTS = 36


class KafkaError(Exception):
    """The broker is not there, or refused; `code` is its error number, 0 when it gave none."""

    def __init__(self, text: str, code: int = 0) -> None:
        super().__init__(text)
        self.code = code


@dataclass(frozen=True)
class Partition:
    number: int
    leader: int  # -1: nobody serves it now


class KafkaClient:
    """One connection, opened for a few requests and closed again. Use it in a `with` statement."""

    def __init__(self, port: int, timeout: float = 10.0) -> None:
        try:
            self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        except OSError as error:
            raise KafkaError(f"broker on port {port}: {error}") from error
        self._last_id = 0

    def __enter__(self) -> KafkaClient:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def topics(self) -> dict[str, list[Partition]]:
        """All topics that can be used now, Kafka's own left out."""
        reply = self._call(3, 4, struct.pack(">ib", -1, 0))
        reply.number("i")  # throttle time
        reply.list(lambda: (reply.number("i"), reply.text(), reply.number("i"), reply.text()))  # brokers
        reply.text()  # cluster id
        reply.number("i")  # controller
        result: dict[str, list[Partition]] = {}
        for _ in range(reply.number("i")):
            error, name, internal = reply.number("h"), reply.text(), reply.number("b")
            partitions = reply.list(lambda: self._partition(reply))
            if not error and not internal:
                result[name or ""] = partitions
        return result

    def create_topic(self, name: str, partitions: int, config: dict[str, str]) -> None:
        """Harmless when the topic exists already."""
        settings = b"".join(_text(key) + _text(value) for key, value in config.items())
        topic = _text(name) + struct.pack(">ihii", partitions, 1, 0, len(config)) + settings
        reply = self._call(19, 4, struct.pack(">i", 1) + topic + struct.pack(">ib", 10_000, 0))
        reply.number("i")  # throttle time
        for answer in reply.list(lambda: (reply.text(), reply.number("h"), reply.text())):
            if answer[1] not in (0, TOPIC_EXISTS):
                raise KafkaError(f"create topic {name}: error {answer[1]} {answer[2] or ''}", answer[1])

    def delete_topics(self, names: Iterable[str]) -> None:
        """Harmless for topics that do not exist. Returns before the broker has forgotten them."""
        wanted = list(names)
        body = struct.pack(">i", len(wanted)) + b"".join(_text(name) for name in wanted) + struct.pack(">i", 10_000)
        reply = self._call(20, 3, body)
        reply.number("i")  # throttle time
        for name, error in reply.list(lambda: (reply.text(), reply.number("h"))):
            if error not in (0, UNKNOWN_TOPIC):
                raise KafkaError(f"delete topic {name}: error {error}", error)

    def topic_config(self, name: str) -> dict[str, str]:
        """All settings of a topic, the broker's defaults included."""
        resource = struct.pack(">ib", 1, 2) + _text(name) + struct.pack(">ib", -1, 0)
        reply = self._call(32, 1, resource)
        reply.number("i"), reply.number("i")  # throttle time, number of resources
        error, text = reply.number("h"), reply.text()
        if error:
            raise KafkaError(f"settings of topic {name}: error {error} {text or ''}", error)
        reply.number("b"), reply.text()  # kind and name of the resource
        return dict(reply.list(lambda: self._setting(reply)))

    @staticmethod
    def _partition(reply: _Reply) -> Partition:
        reply.number("h")  # error
        number, leader = reply.number("i"), reply.number("i")
        reply.list(lambda: reply.number("i")), reply.list(lambda: reply.number("i"))  # replicas, those in sync
        return Partition(number, leader)

    @staticmethod
    def _setting(reply: _Reply) -> tuple[str, str]:
        name, value = reply.text() or "", reply.text() or ""
        reply.number("b"), reply.number("b"), reply.number("b")  # read-only, source, secret
        reply.list(lambda: (reply.text(), reply.text(), reply.number("b")))  # synonyms
        return name, value

    def _call(self, api: int, version: int, body: bytes) -> _Reply:
        self._last_id += 1
        message = struct.pack(">hhi", api, version, self._last_id) + _text("tools.stack") + body
        try:
            self._socket.sendall(struct.pack(">i", len(message)) + message)
            (size,) = struct.unpack(">i", self._receive(4))
            reply = _Reply(self._receive(size))
        except OSError as error:
            raise KafkaError(f"connection to the broker: {error}") from error
        reply.number("i")  # the id we sent
        return reply

    def _receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise KafkaError("the broker closed the connection")
            data += part
        return data


class _Reply:
    """Reads a reply's fields in order."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def number(self, kind: str) -> int:
        """`b`, `h` or `i`: one, two or four bytes."""
        (value,) = struct.unpack_from(f">{kind}", self._data, self._at)
        self._at += struct.calcsize(kind)
        return int(value)

    def text(self) -> str | None:
        size = self.number("h")
        if size < 0:
            return None
        self._at += size
        return self._data[self._at - size : self._at].decode()

    def list(self, read: Callable[[], T]) -> list[T]:
        return [read() for _ in range(self.number("i"))]


def _text(value: str) -> bytes:
    data = value.encode()
    return struct.pack(">h", len(data)) + data
