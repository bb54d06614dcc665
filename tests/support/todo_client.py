"""What integration tests use to talk to a running stack: the public API, the topics, the database."""

from __future__ import annotations

import atexit
import functools
import importlib
import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

import confluent_kafka
import grpc
from google.rpc import error_details_pb2, status_pb2
from grpc_tools import protoc

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY))

from tools.stack import Stack, StackError  # noqa: E402

T = TypeVar("T")

DEADLINE = 60.0  # generous: machines are shared


def eventually(probe: Callable[[], T], what: str, within: float = DEADLINE, every: float = 0.02) -> T:
    """The first true answer of `probe`."""
    deadline = time.monotonic() + within
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within:g} s; last answer: {answer!r}")
        time.sleep(every)


@functools.cache
def protos() -> tuple[ModuleType, ModuleType]:
    """(messages, stubs) of todo.v1, compiled from the sources of this very tree, and with them those of Dapr. The modules
    of the other services can be imported afterwards."""
    folder = tempfile.TemporaryDirectory(prefix="todo-protos-")
    atexit.register(folder.cleanup)
    out, sources = folder.name, REPOSITORY / "proto"
    names = [str(path.relative_to(sources)) for package in ("todo", "dapr") for path in sorted(sources.glob(f"{package}/**/*.proto"))]
    well_known = str(Path(importlib.import_module("grpc_tools").__file__).parent / "_proto")
    arguments = [f"-I{sources}", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}"]
    if protoc.main(["protoc", *arguments, *names]) != 0:
        raise AssertionError(f"protoc failed for {names}")
    sys.path.insert(0, out)
    return importlib.import_module("todo.v1.todo_service_pb2"), importlib.import_module("todo.v1.todo_service_pb2_grpc")


def _detail(error: grpc.RpcError, kind: Any) -> Any:
    """The part of this kind of the details that a refused call carries; empty when it has none."""
    found = kind()
    for name, value in error.trailing_metadata() or ():
        if name == "grpc-status-details-bin":
            for detail in status_pb2.Status.FromString(value).details:
                if detail.Unpack(found):
                    return found
    return found


def reason_of(error: grpc.RpcError) -> str:
    return str(_detail(error, error_details_pb2.ErrorInfo).reason)


def retry_seconds(error: grpc.RpcError) -> float:
    """After how long the call should be repeated, as the service says; 0: it does not say."""
    return float(_detail(error, error_details_pb2.RetryInfo).retry_delay.ToNanoseconds() / 1e9)


class Client:
    """The API as one user."""

    def __init__(self, target: str, user: str, timeout: float = 15.0) -> None:
        self.user = user
        self.messages, stubs = protos()
        self._channel = grpc.insecure_channel(target, [("grpc.enable_retries", 0)])
        self._stub = stubs.TodoServiceStub(self._channel)
        self._timeout = timeout

    def call(self, method: str, request: Any, **metadata: str) -> Any:
        headers = [("x-user-id", self.user), *((k.replace("_", "-"), v) for k, v in metadata.items())]
        return getattr(self._stub, method)(request, timeout=self._timeout, metadata=headers)

    def create(self, title: str = "a task", request_id: str | None = None, **fields: Any) -> Any:
        request = self.messages.CreateTaskRequest(
            task=self.messages.Task(title=title, **fields), request_id=request_id or str(uuid.uuid4())
        )
        return self.call("CreateTask", request)

    def get(self, task_id: int) -> Any:
        return self.call("GetTask", self.messages.GetTaskRequest(id=task_id))

    def complete(self, task_id: int, request_id: str | None = None, etag: str = "") -> Any:
        return self.call("CompleteTask", self.messages.CompleteTaskRequest(
            id=task_id, etag=etag, request_id=request_id or str(uuid.uuid4())))

    def uncomplete(self, task_id: int) -> Any:
        return self.call("UncompleteTask", self.messages.UncompleteTaskRequest(
            id=task_id, request_id=str(uuid.uuid4())))

    def delete(self, task_id: int) -> Any:
        return self.call("DeleteTask", self.messages.DeleteTaskRequest(id=task_id, request_id=str(uuid.uuid4())))

    def tasks(self, **filters: Any) -> list[Any]:
        """All tasks, page by page."""
        found: list[Any] = []
        token = ""
        while True:
            answer = self.call("ListTasks", self.messages.ListTasksRequest(
                page_size=500, page_token=token, filter=self.messages.ListTasksRequest.Filter(**filters)))
            found += answer.tasks
            token = answer.next_page_token
            if not token:
                return found

    def changes(self) -> list[Any]:
        found: list[Any] = []
        while True:
            answer = self.call("ListChanges", self.messages.ListChangesRequest(
                after_seq=found[-1].seq if found else 0, page_size=500))
            found += answer.changes
            if not answer.changes:
                return found

    def successor_of(self, task: Any, within: float = DEADLINE) -> Any:
        """The next occurrence, once it is there."""
        def probe() -> Any:
            return next((t for t in self.tasks() if t.series_id == task.series_id
                         and t.occurrence == task.occurrence + 1), None)
        return eventually(probe, f"next occurrence of task {task.id}", within)


class Reminders:
    """ReminderService as the user of `client`."""

    def __init__(self, client: Client) -> None:
        protos()
        self.messages = importlib.import_module("todo.v1.reminder_service_pb2")
        stubs = importlib.import_module("todo.v1.reminder_service_pb2_grpc")
        self._stub = stubs.ReminderServiceStub(client._channel)
        self._metadata = [("x-user-id", client.user)]

    def _call(self, method: str, request: Any) -> Any:
        return getattr(self._stub, method)(request, timeout=15, metadata=self._metadata)

    def create(self, task_id: int, at: float | None = None, **when: str) -> Any:
        """`at` is a Unix time."""
        reminder = self.messages.Reminder(**when)
        if at is not None:
            reminder.at.FromNanoseconds(int(at * 1e9))
        return self._call("CreateReminder", self.messages.CreateReminderRequest(
            task_id=task_id, reminder=reminder, request_id=str(uuid.uuid4())))

    def of(self, task_id: int) -> list[Any]:
        return list(self._call("ListReminders", self.messages.ListRemindersRequest(task_id=task_id)).reminders)

    def delete(self, task_id: int, number: int) -> Any:
        return self._call("DeleteReminder", self.messages.DeleteReminderRequest(
            task_id=task_id, number=number, request_id=str(uuid.uuid4())))

    def snooze(self, task_id: int, number: int, duration: str) -> Any:
        return self._call("SnoozeReminder", self.messages.SnoozeReminderRequest(
            task_id=task_id, number=number, duration=duration, request_id=str(uuid.uuid4())))

    def state(self, task_id: int, number: int = 1) -> str:
        """PENDING, FIRED, CANCELLED or GONE."""
        for reminder in self.of(task_id):
            if reminder.number == number:
                name: str = self.messages.ReminderState.Name(reminder.state)
                return name.removeprefix("REMINDER_STATE_")
        return "GONE"


class Notified:
    """NotificationService as one user."""

    def __init__(self, target: str, user: str) -> None:
        protos()
        self.user = user
        self.messages = importlib.import_module("todo.v1.notification_service_pb2")
        stubs = importlib.import_module("todo.v1.notification_service_pb2_grpc")
        self._stub = stubs.NotificationServiceStub(grpc.insecure_channel(target))

    def call(self, method: str, **fields: Any) -> Any:
        request = getattr(self.messages, f"{method}Request")(**fields)
        return getattr(self._stub, method)(request, timeout=30, metadata=[("x-user-id", self.user)])

    def webhook(self, url: str, **fields: Any) -> Any:
        wanted = {"reminders": True, **fields}
        return self.call("CreateWebhookEndpoint", request_id=str(uuid.uuid4()),
                         endpoint=self.messages.WebhookEndpoint(url=url, **wanted))

    def deliveries(self, endpoint: Any) -> list[Any]:
        return list(self.call("ListWebhookDeliveries", endpoint_id=endpoint.id).deliveries)

    def notifications(self) -> list[Any]:
        return list(self.call("ListNotifications").notifications)


class Usage:
    """AnalyticsService as one user."""

    def __init__(self, target: str, user: str) -> None:
        protos()
        self.messages = importlib.import_module("todo.v1.analytics_service_pb2")
        stubs = importlib.import_module("todo.v1.analytics_service_pb2_grpc")
        self._stub = stubs.AnalyticsServiceStub(grpc.insecure_channel(target))
        self._metadata = [("x-user-id", user)]

    def get(self, **fields: Any) -> Any:
        return self._stub.GetUsage(self.messages.GetUsageRequest(**fields), timeout=15, metadata=self._metadata)


class Operator:
    """OpsService, as somebody with a role."""

    def __init__(self, target: str, role: str | None = "operator") -> None:
        protos()
        self.messages = importlib.import_module("todo.v1.ops_service_pb2")
        self._stub = importlib.import_module("todo.v1.ops_service_pb2_grpc").OpsServiceStub(grpc.insecure_channel(target))
        self._metadata = [("x-user-id", "root"), *([("x-user-role", role)] if role else [])]

    def _call(self, method: str, request: Any) -> Any:
        return getattr(self._stub, method)(request, timeout=15, metadata=self._metadata)

    def list(self, **filters: Any) -> list[Any]:
        found: list[Any] = []
        token = ""
        while True:
            answer = self._call("ListDeadLetters", self.messages.ListDeadLettersRequest(
                page_size=2, page_token=token, filter=self.messages.DeadLetterFilter(**filters)))
            found += answer.dead_letters
            token = answer.next_page_token
            if not token:
                return found

    def get(self, letter_id: str) -> Any:
        return self._call("GetDeadLetter", self.messages.GetDeadLetterRequest(id=letter_id))

    def replay(self, ids: Sequence[str] = (), filter: bool = False) -> int:
        everything = self.messages.DeadLetterFilter() if filter else None
        return self._call("ReplayDeadLetters", self.messages.ReplayDeadLettersRequest(
            ids=ids, filter=everything)).replayed_count

    def discard(self, letter_id: str, note: str) -> int:
        return self._call("DiscardDeadLetters", self.messages.DiscardDeadLettersRequest(
            ids=[letter_id], note=note)).discarded_count

    def rebuild_analytics(self) -> Any:
        return self._call("RebuildAnalytics", self.messages.RebuildAnalyticsRequest())

    def set_log_level(self, level: str, seconds: int | None = None) -> Any:
        """`level` is DEBUG, INFO, WARNING, ERROR, or UNSPECIFIED for that of the settings."""
        request = self.messages.SetLogLevelRequest(level=f"LOG_LEVEL_{level}")
        if seconds is not None:
            request.duration.seconds = seconds
        return self._call("SetLogLevel", request)

    def status(self) -> Any:
        return self._call("GetStatus", self.messages.GetStatusRequest())


class Sidecar:
    """Plays daprd towards one replica."""

    def __init__(self, stack: Stack, replica: int = 0) -> None:
        protos()
        self._messages = importlib.import_module("dapr.proto.runtime.v1.appcallback_pb2")
        stubs = importlib.import_module("dapr.proto.runtime.v1.appcallback_pb2_grpc")
        self._stub = stubs.AppCallbackStub(grpc.insecure_channel(stack.app_target(replica)))
        self._metadata = [("dapr-api-token", stack.tokens()["APP_API_TOKEN"])]

    def deliver(self, topic: str, records: Sequence[tuple[bytes, bytes]]) -> list[str]:
        """Delivers (key, value) records in one call; the status of each."""
        entries = [self._messages.TopicEventBulkRequestEntry(
            entry_id=str(number), bytes=value, metadata={"__key": key.decode()})
            for number, (key, value) in enumerate(records)]
        answer = self._stub.OnBulkTopicEvent(self._messages.TopicEventBulkRequest(
            pubsub_name="kafka-pubsub", topic=topic, entries=entries), timeout=DEADLINE, metadata=self._metadata)
        assert [entry.entry_id for entry in answer.statuses] == [entry.entry_id for entry in entries]
        name_of = self._messages.TopicEventResponse.TopicEventResponseStatus.Name
        return [name_of(entry.status) for entry in answer.statuses]


@dataclass(frozen=True)
class Record:
    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    headers: dict[str, str]

    @property
    def event(self) -> dict[str, Any]:
        return json.loads(self.value)


def read_topic(stack: Stack, topic: str) -> list[Record]:
    """Everything on the topic now, by a client that shares no code with the service."""
    consumer = confluent_kafka.Consumer({
        "bootstrap.servers": f"127.0.0.1:{stack.ports['kafka']}",
        "group.id": f"test-{uuid.uuid4()}",
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "auto.offset.reset": "earliest",
    })
    try:
        partitions = consumer.list_topics(topic, timeout=20).topics[topic].partitions
        consumer.assign([confluent_kafka.TopicPartition(topic, p, confluent_kafka.OFFSET_BEGINNING) for p in partitions])
        records: list[Record] = []
        at_end: set[int] = set()
        deadline = time.monotonic() + DEADLINE
        while len(at_end) < len(partitions):
            assert time.monotonic() < deadline, f"could not read {topic} to its end"
            message = consumer.poll(1.0)
            if message is None:
                continue
            if message.error():
                assert message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF, message.error()
                at_end.add(message.partition())
                continue
            headers = {k: (v or b"").decode(errors="replace") for k, v in message.headers() or []}
            records.append(Record(topic, message.partition(), message.offset(), (message.key() or b"").decode(),
                                  message.value() or b"", headers))
        return records
    finally:
        consumer.close()


def kcat(stack: Stack, topic: str, key: str, *values: bytes, headers: dict[str, str] | None = None) -> None:
    """Writes records as a foreign producer would."""
    arguments = ["kcat", "-P", "-b", f"127.0.0.1:{stack.ports['kafka']}", "-t", topic, "-k", key]
    for name, text in (headers or {}).items():
        arguments += ["-H", f"{name}={text}"]
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / str(number) for number in range(len(values))]
        for file, value in zip(files, values, strict=True):
            file.write_bytes(value)
        # A file argument is one message, whatever bytes it has.
        subprocess.run([*arguments, *files], check=True, timeout=30)


def produce(stack: Stack, topic: str, records: Iterable[tuple[bytes | None, bytes | None]],
            headers: Sequence[tuple[str, bytes]] = ()) -> None:
    """Writes many records (key, value), in order for each key; returns when the broker has them."""
    failures: list[object] = []
    producer = confluent_kafka.Producer({
        "bootstrap.servers": f"127.0.0.1:{stack.ports['kafka']}",
        "enable.idempotence": True,
        "linger.ms": 20,
        "message.max.bytes": 1_048_588,
        "queue.buffering.max.messages": 1_000_000,
        "log_level": 2,
        "on_delivery": lambda error, _: failures.append(error) if error else None,
    })
    for key, value in records:
        producer.produce(topic, value, key, headers=list(headers))
        producer.poll(0)
    assert producer.flush(DEADLINE) == 0, f"{topic}: the broker did not take everything"
    assert not failures, failures[0]


def acknowledged(stack: Stack, topic: str = "task-events", group: str = "todo-service") -> None:
    """Waits until the consumer group has come to the end of the topic: nothing will be delivered again."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": f"127.0.0.1:{stack.ports['kafka']}", "group.id": group})
    try:
        partitions = [confluent_kafka.TopicPartition(topic, p)
                      for p in consumer.list_topics(topic, timeout=20).topics[topic].partitions]

        def waiting() -> list[str]:
            ends = [consumer.get_watermark_offsets(p, timeout=20)[1] for p in partitions]
            committed = consumer.committed(partitions, timeout=20)
            return [f"{p.partition}: {max(p.offset, 0)} of {end}" for p, end in zip(committed, ends, strict=True)
                    if max(p.offset, 0) < end]

        eventually(lambda: not waiting(), f"{topic} is acknowledged to its end")
    finally:
        consumer.close()


def rows(stack: Stack, sql: str) -> list[list[str]]:
    """The answer of one SQL statement, as text."""
    out = subprocess.run(
        ["psql", stack.database_url, "-X", "-q", "-A", "-t", "-F", "\x1f", "-R", "\x1e", "-v", "ON_ERROR_STOP=1", "-c", sql],
        check=True, capture_output=True, text=True, timeout=60).stdout.rstrip("\n")
    return [row.split("\x1f") for row in out.split("\x1e")] if out else []


def by_user(records: list[Record]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    users: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        users.setdefault(record.key, []).append(record.event)
    yield from users.items()


def insist_on_start(stack: Stack, name: str, within: float = 180.0) -> None:
    """Starts a process until it is up, as an orchestrator would: daprd ends when it does not find the broker."""
    deadline = time.monotonic() + within
    while True:
        try:
            stack.start_one(name)
            return
        except StackError:
            stack.kill(name)
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def published(stack: Stack) -> None:
    """Waits until the change log is on the bus, as the relay's cursors say from outside."""
    sql = """select (select count(*) from changes c join relay_shards s on s.shard = c.shard where c.id > s.position)
                  + (select count(*) from messages m join relay_shards s on s.shard = m.shard
                     where m.id > s.message_position)"""
    eventually(lambda: rows(stack, sql) == [["0"]], "the relay has published everything")


def foreign_event(user: str, task_id: int, /, **changes: object) -> dict[str, Any]:
    event_id = str(uuid.uuid4())
    data = {
        "id": event_id, "event_type": "completed", "task_id": task_id, "user_id": user,
        "timestamp": "2025-01-01T12:00:00Z",
        "task_data": {"id": task_id, "title": "Buy groceries", "description": None, "completed": True,
                      "priority": "medium", "tags": ["x"], "due_date": "2025-01-02T10:00:00Z",
                      "recurrence_rule": "FREQ=DAILY", "user_id": user, "created_at": "2025-01-01T00:00:00Z",
                      "updated_at": "2025-01-01T00:00:00Z"},
        **changes,
    }
    return {"specversion": "1.0", "id": event_id, "source": "other-system", "type": "todo.task.completed.v1",
            "datacontenttype": "application/json", "data": data}


def send(stack: Stack, event: dict[str, Any]) -> None:
    kcat(stack, "task-events", str(event["data"]["user_id"]), json.dumps(event).encode(),
         headers={"content-type": "application/cloudevents+json"})
