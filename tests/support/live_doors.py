"""The doors through which a screen watches its user's tasks, as clients of them: each connection gives the messages of
docs/live.md one after the other, as dictionaries, and at its end raises Ended."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import grpc
import grpc.aio
import websockets
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2
from todo_client import protos
from websockets.asyncio.client import connect

from tools.stack import Stack

Message = dict[str, Any]
Cursor = tuple[int, "str | None"]

SUBPROTOCOL = "todo.v1"
PATIENCE = 20.0  # seconds until a connection must be open; machines are shared


class Ended(Exception):
    """The watch has ended. `code` is the close code of a WebSocket, the HTTP status of a refused request (200: the answer
    has ended), or the name of a gRPC code; `reason` is machine-readable, or empty; `retry_after` is in seconds."""

    def __init__(self, code: int | str, reason: str = "", retry_after: float | None = None, text: str = "") -> None:
        super().__init__(f"{code} {reason} {text}".strip())
        self.code = code
        self.reason = reason
        self.retry_after = retry_after


def cursor_text(cursor: Cursor) -> str:
    """As ids of server-sent events have it."""
    return f"{cursor[0]}.{cursor[1]}" if cursor[1] else str(cursor[0])


class Door:
    """One connection. `identity` holds headers: x-user-id, or authorization. A `ticket` in it takes their place on the
    doors that know tickets."""

    name = ""

    def __init__(self, stack: Stack, replica: int, identity: Mapping[str, str], cursor: Cursor | None = None,
                 snapshot: str = "") -> None:
        self._stack = stack
        self._replica = replica
        self._identity = {name: value for name, value in identity.items() if name != "ticket"}
        self._cursor = cursor
        self._snapshot = snapshot
        self._ticket = identity.get("ticket", "")

    async def open(self) -> None:
        raise NotImplementedError

    async def next(self) -> Message:
        raise NotImplementedError

    async def close(self) -> None:
        raise NotImplementedError

    @property
    def _web_port(self) -> int:
        return self._stack.ports[f"web-{self._replica}"]


class WebSocketDoor(Door):
    name = "websocket"

    async def open(self) -> None:
        # Without a proxy of the environment; the server's own pings are what keeps the connection.
        self.socket = await connect(f"ws://127.0.0.1:{self._web_port}/ws", subprotocols=[SUBPROTOCOL], compression=None,
                                    proxy=None, ping_interval=None, max_size=None, open_timeout=PATIENCE)
        self._last_error: Message = {}
        hello: Message = {"type": "hello"}
        if self._ticket:
            hello["ticket"] = self._ticket
        elif user := self._identity.get("x-user-id"):
            hello["user_id"] = user
        elif token := self._identity.get("authorization"):
            hello["token"] = token.removeprefix("Bearer ")
        if self._cursor:
            hello["seq"], hello["event_id"] = self._cursor
        if self._snapshot:
            hello["snapshot"] = self._snapshot
        await self.send(hello)

    async def send(self, message: Message) -> None:
        with suppress(websockets.ConnectionClosed):
            await self.socket.send(json.dumps(message))

    async def next(self) -> Message:
        try:
            message: Message = json.loads(await self.socket.recv())
        except websockets.ConnectionClosed as closed:
            error = self._last_error
            retry = error.get("retry_after_ms")
            raise Ended(closed.rcvd.code if closed.rcvd else 1006, error.get("code", ""),
                        None if retry is None else retry / 1000, error.get("message", "")) from None
        if message["type"] == "error":
            self._last_error = message
            return await self.next()
        return message

    async def close(self) -> None:
        self.socket.transport.abort()  # as a laptop that is closed


class HttpAnswer:
    """One HTTP/1.1 request whose answer is read as it comes."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._chunked = False
        self.status = 0
        self.headers: dict[str, str] = {}

    @staticmethod
    async def request(port: int, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> HttpAnswer:
        async with asyncio.timeout(PATIENCE):  # never wait_for: in Python 3.11 it may swallow a cancellation
            reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4 << 20)
        answer = HttpAnswer(reader, writer)
        fields = {"host": f"127.0.0.1:{port}", **headers, **({"content-length": str(len(body))} if body else {})}
        head = f"{method} {path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        try:
            writer.write(head.encode() + b"\r\n" + body)
            async with asyncio.timeout(PATIENCE):
                await answer._read_head()
        except BaseException:
            await answer.close()
            raise
        return answer

    async def _read_head(self) -> None:
        line = await self._reader.readline()
        if not line:
            raise ConnectionResetError("closed before an answer")
        self.status = int(line.split()[1])
        while (line := await self._reader.readline()).strip():
            name, value = line.decode().split(":", 1)
            self.headers[name.lower()] = value.strip()
        self._chunked = self.headers.get("transfer-encoding") == "chunked"

    async def read_some(self) -> bytes:
        """Empty at the end."""
        if not self._chunked:
            return await self._reader.read(65_536)
        size = int((await self._reader.readline()).split(b";")[0] or b"0", 16)
        chunk = await self._reader.readexactly(size)
        await self._reader.readexactly(2)
        return chunk

    async def read_all(self) -> bytes:
        if "content-length" in self.headers:
            return await self._reader.readexactly(int(self.headers["content-length"]))
        whole = b""
        while part := await self.read_some():
            whole += part
        return whole

    async def close(self) -> None:
        self._writer.transport.abort()


class EventsDoor(Door):
    """Server-sent events. The id that came with a message is its member `id`."""

    name = "events"

    async def open(self) -> None:
        query = {name: value for name, value in (("ticket", self._ticket), ("snapshot", self._snapshot)) if value}
        headers = {"accept": "text/event-stream", **({} if self._ticket else self._identity)}
        if self._cursor:
            headers["last-event-id"] = cursor_text(self._cursor)
        self.answer = await HttpAnswer.request(self._web_port, "GET", f"/events?{urlencode(query)}", headers)
        self._unread = b""
        self._retry: float | None = None
        self._reason = ""

    async def next(self) -> Message:
        if self.answer.status != 200:
            await self._refuse()
        while True:
            fields = await self._fields()
            if "retry" in fields:
                self._retry = int(fields["retry"]) / 1000
            if "data" not in fields:
                continue
            message: Message = json.loads(fields["data"])
            assert fields.get("event") == message["type"], fields
            assert "id" in fields or message["type"] != "update", "an update without an id"
            if message["type"] == "error":
                self._reason = message["code"]
                continue
            return {**message, "id": fields["id"]} if "id" in fields else message

    async def close(self) -> None:
        await self.answer.close()

    async def _refuse(self) -> None:
        problem = json.loads(await self.answer.read_all() or b"{}")
        retry = self.answer.headers.get("retry-after")
        raise Ended(self.answer.status, problem.get("reason", ""), float(retry) if retry else None, str(problem))

    async def _fields(self) -> dict[str, str]:
        """Of the next event; comments are left out."""
        while b"\n\n" not in self._unread:
            try:
                more = await self.answer.read_some()
            except (asyncio.IncompleteReadError, ConnectionError, ValueError):
                raise Ended(0, self._reason, self._retry, "cut off") from None
            if not more:
                raise Ended(200, self._reason, self._retry)
            self._unread += more
        event, self._unread = self._unread.split(b"\n\n", 1)
        pairs = (line.partition(":") for line in event.decode().split("\n") if not line.startswith(":"))
        return {name: value.removeprefix(" ") for name, _, value in pairs}


class GrpcDoor(Door):
    """WatchTasks over gRPC, on a connection of its own."""

    name = "grpc"

    async def open(self) -> None:
        _, stubs = protos()
        self._channel = grpc.aio.insecure_channel(
            self._stack.api_target(self._replica), [("grpc.enable_retries", 0), ("grpc.use_local_subchannel_pool", 1)])
        self._call = stubs.TodoServiceStub(self._channel).WatchTasks(
            watch_request(self._cursor, self._snapshot), metadata=list(self._identity.items()), wait_for_ready=True)

    async def next(self) -> Message:
        try:
            response = await self._call.read()
            if response is not grpc.aio.EOF:
                return message_of(response)
            code, details, trailers = (await self._call.code(), await self._call.details(),
                                       await self._call.trailing_metadata())
        except grpc.aio.AioRpcError as error:
            code, details, trailers = error.code(), error.details(), error.trailing_metadata()
        rich = dict(trailers or ()).get("grpc-status-details-bin", b"")
        reason, retry = _reason_and_retry(status_pb2.Status.FromString(rich).details)
        raise Ended(code.name, reason, retry, details or "")

    async def close(self) -> None:
        self._call.cancel()
        await self._channel.close()


class ConnectDoor(Door):
    """WatchTasks over the Connect protocol, with messages in JSON."""

    name = "connect"

    async def open(self) -> None:
        protos()
        request = json_format.MessageToJson(watch_request(self._cursor, self._snapshot)).encode()
        headers = {"content-type": "application/connect+json", "connect-protocol-version": "1", **self._identity}
        self.answer = await HttpAnswer.request(self._web_port, "POST", "/todo.v1.TodoService/WatchTasks", headers,
                                               struct.pack(">BI", 0, len(request)) + request)
        self._unread = b""

    async def next(self) -> Message:
        if self.answer.status != 200:
            raise Ended(self.answer.status, "", None, str(await self.answer.read_all()))
        flags, size = struct.unpack(">BI", await self._exactly(5))
        body = await self._exactly(size)
        if not flags & 2:
            messages, _ = protos()
            return message_of(json_format.Parse(body, messages.WatchTasksResponse()))
        error = json.loads(body).get("error", {})
        details = []
        for detail in error.get("details", []):
            kind = {"google.rpc.ErrorInfo": error_details_pb2.ErrorInfo,
                    "google.rpc.RetryInfo": error_details_pb2.RetryInfo}.get(detail["type"])
            if kind:
                details.append(kind.FromString(_base64(detail["value"])))
        reason, retry = _reason_and_retry(details)
        raise Ended(error.get("code", "ok").upper(), reason, retry, error.get("message", ""))

    async def close(self) -> None:
        await self.answer.close()

    async def _exactly(self, size: int) -> bytes:
        while len(self._unread) < size:
            try:
                more = await self.answer.read_some()
            except (asyncio.IncompleteReadError, ConnectionError, ValueError):
                raise Ended(0, "", None, "cut off") from None
            if not more:
                raise Ended(0, "", None, "ended without an end")
            self._unread += more
        part, self._unread = self._unread[:size], self._unread[size:]
        return part


DOORS: tuple[type[Door], ...] = (WebSocketDoor, EventsDoor, GrpcDoor, ConnectDoor)


async def call_json(stack: Stack, replica: int, method: str, body: Message, identity: Mapping[str, str]) -> Message:
    """A call of TodoService that must succeed."""
    answer = await HttpAnswer.request(stack.ports[f"web-{replica}"], "POST", f"/todo.v1.TodoService/{method}",
                                      {"content-type": "application/json", **identity}, json.dumps(body).encode())
    try:
        content: Message = json.loads(await answer.read_all())
        if answer.status != 200:
            raise AssertionError(f"{method}: {answer.status} {content}")
        return content
    finally:
        await answer.close()


def watch_request(cursor: Cursor | None, snapshot: str) -> Any:
    messages, _ = protos()
    request = messages.WatchTasksRequest()
    if cursor:
        request.cursor.seq = cursor[0]
        request.cursor.event_id = cursor[1] or ""
    if snapshot:
        request.snapshot = messages.SnapshotScope.Value(f"SNAPSHOT_SCOPE_{snapshot.upper()}")
    return request


def message_of(response: Any) -> Message:
    """A WatchTasksResponse as the message that the other doors send; tasks stay messages of todo.v1."""
    kind = response.WhichOneof("event")
    event = getattr(response, kind)
    if kind == "update":
        message = {"type": kind, "seq": event.seq, "event_id": event.event_id, "change": event.event_type,
                   "task_id": event.task_id, "task": None if event.event_type == "deleted" else event.task,
                   "timestamp": event.timestamp.ToJsonString()}
        return {**message, "request_id": event.request_id} if event.request_id else message
    if kind == "resync":
        return {"type": kind, "reason": event.Reason.Name(event.reason).removeprefix("REASON_")}
    if kind == "notification":
        return {"type": kind, "notification_id": event.notification_id, "task_id": event.task_id}
    if kind == "ping" and not event.HasField("head"):
        return {"type": kind}
    cursor = event.cursor if kind == "snapshot" else event.head
    message = {"type": kind, "seq": cursor.seq, "event_id": cursor.event_id or None}
    return {**message, "tasks": list(event.tasks), "last": event.last} if kind == "snapshot" else message


def _reason_and_retry(details: Any) -> tuple[str, float | None]:
    reason, retry = "", None
    for detail in details:
        info, delay = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
        for found in (info, delay):
            if isinstance(detail, type(found)):
                found.CopyFrom(detail)
            elif hasattr(detail, "Unpack"):
                detail.Unpack(found)
        reason = info.reason or reason
        if delay.HasField("retry_delay"):
            retry = delay.retry_delay.ToNanoseconds() / 1e9
    return reason, retry


def _base64(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))
