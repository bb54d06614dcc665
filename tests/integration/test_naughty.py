"""The big list of naughty strings (npm: blns) in every text field of the API, over both doors: each string is refused with
a clear error, or stored and given back byte by byte, by every door, by the bus and on a screen."""

from __future__ import annotations

import asyncio
import http.client
import importlib
import json
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from conftest import REPOSITORY, binary
from google.protobuf import json_format, message_factory
from google.rpc import error_details_pb2
from screens import Screen, Viewer, compare, until
from todo_client import Client, _detail, protos, published, read_topic

from tools.stack import Stack

PATIENCE = 30.0  # seconds; machines are shared
TITLE_CHARACTERS, TAG_CHARACTERS = 500, 50
MODULES = {"TodoService": "todo", "ReminderService": "reminder", "NotificationService": "notification",
           "ChatService": "chat", "AnalyticsService": "analytics", "OpsService": "ops"}
Json = dict[str, Any]


def naughty_strings() -> list[str]:
    packages = subprocess.run([REPOSITORY / "tools" / "setup", "--where", "node"], check=True, capture_output=True, text=True)
    path = Path(packages.stdout.strip()) / "blns" / "resources" / "blns.json"
    strings: list[str] = json.loads(path.read_text(encoding="utf-8"))
    return list(dict.fromkeys(strings))


STRINGS = naughty_strings()


@dataclass(frozen=True)
class Answer:
    """`code` is OK or the name of a status; `fields` are those at fault."""

    code: str
    content: Json
    text: str = ""
    fields: tuple[str, ...] = ()


class GrpcDoor:
    def __init__(self, stack: Stack, user: str) -> None:
        protos()
        self._channel = grpc.insecure_channel(stack.api_target())
        self._metadata = [("x-user-id", user), ("x-user-role", "operator")]

    def call(self, method: str, request: Json) -> Answer:
        service, name = method.split("/")
        module = importlib.import_module(f"todo.v1.{MODULES[service]}_service_pb2")
        types = module.DESCRIPTOR.services_by_name[service].methods_by_name[name]
        message = json_format.ParseDict(request, message_factory.GetMessageClass(types.input_type)())
        call = self._channel.unary_unary(f"/todo.v1.{method}", type(message).SerializeToString,
                                         message_factory.GetMessageClass(types.output_type).FromString)
        try:
            answer = call(message, timeout=PATIENCE, metadata=self._metadata)
        except grpc.RpcError as error:
            bad = _detail(error, error_details_pb2.BadRequest)
            return Answer(error.code().name, {}, error.details(), tuple(one.field for one in bad.field_violations))
        return Answer("OK", json_format.MessageToDict(answer))


class JsonDoor:
    """Each thread has a connection of its own."""

    def __init__(self, stack: Stack, user: str) -> None:
        self._port = stack.ports["web-0"]
        self._headers = {"content-type": "application/json", "x-user-id": user, "x-user-role": "operator"}
        self._local = threading.local()

    def call(self, method: str, request: Json) -> Answer:
        if not hasattr(self._local, "web"):
            self._local.web = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        # Both spellings of what is not ASCII: escaped, and as it is.
        body = json.dumps(request, ensure_ascii=len(repr(request)) % 2 == 0).encode()
        self._local.web.request("POST", f"/todo.v1.{method}", body, self._headers)
        response = self._local.web.getresponse()
        content: Json = json.loads(response.read())
        if response.status == 200:
            return Answer("OK", content)
        fields = [violation["field"] for detail in content.get("details", ())
                  for violation in detail.get("debug", {}).get("fieldViolations", ())]
        return Answer(content["code"].upper(), {}, content.get("message", ""), tuple(fields))


Door = GrpcDoor | JsonDoor
DOORS: dict[str, Callable[[Stack, str], Door]] = {"grpc": GrpcDoor, "json": JsonDoor}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One user makes thousands of calls, and webhooks can be made."""
    flags = ["--user-calls-per-second=100000", "--user-call-burst=100000", "--mail-from=Todo <todo@todo.example>"]
    with Stack(tmp_path_factory.mktemp("naughty") / "run", service_binary=binary(), service_flags=flags, keep_data=False,
               secrets={"webhook-master-key": "a master key that only the tests of this stack use"}) as running:
        yield running


def each(do: Callable[[int, str], None]) -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(do, range(len(STRINGS)), STRINGS):
            pass


def must_be_taken(text: str, limit: int) -> bool:
    """Of texts without a letter, a digit or a sign of ASCII, the service decides which are visible."""
    return len(text) <= limit and any("!" <= character <= "~" for character in text)


def create(door: Door, text: str) -> Json:
    """The task that has the text in every field that takes it."""
    wanted = {"title": text, "description": text, "tags": [text]}
    answer = door.call("TodoService/CreateTask", {"task": wanted, "requestId": str(uuid.uuid4())})
    if answer.code != "OK":
        assert answer.code == "INVALID_ARGUMENT" and answer.fields and answer.text, (text, answer)
        assert set(answer.fields) <= {"task.title", "task.tags", "task.tags[0]"}, (text, answer)
        if "task.title" in answer.fields:
            assert not must_be_taken(text, TITLE_CHARACTERS), (text, answer)
            wanted["title"] = "plain"
        if set(answer.fields) - {"task.title"}:
            assert not must_be_taken(text, TAG_CHARACTERS), (text, answer)
            wanted["tags"] = []
        answer = door.call("TodoService/CreateTask", {"task": wanted, "requestId": str(uuid.uuid4())})
    assert answer.code == "OK", (text, answer)
    check(answer.content, wanted)
    return {"id": answer.content["id"], **wanted}


def check(task: Json, wanted: Json) -> None:
    """Byte by byte; a door leaves empty fields out, the bus writes null for them."""
    for name in ("title", "description", "tags"):
        assert (task.get(name) or type(wanted[name])()) == wanted[name], (name, task, wanted)


@pytest.mark.parametrize("name", DOORS)
def test_texts_of_tasks_come_back_byte_by_byte(stack: Stack, name: str) -> None:
    user = f"naughty-{name}"
    doors = [make(stack, user) for make in DOORS.values()]
    here = DOORS[name](stack, user)
    made: dict[str, Json] = {}

    async def scenario() -> None:
        viewer = Viewer(stack, Screen(user)).start()
        await until(lambda: viewer.screen.cursor, "the screen is connected")

        def make(_: int, text: str) -> None:
            task = create(here, text)
            made[task["id"]] = task

        await asyncio.to_thread(each, make)
        await compare(stack, [viewer.screen])  # with what the database has
        for task_id, wanted in made.items():
            check(viewer.screen.tasks[int(task_id)], wanted)
        await viewer.stop()

    asyncio.run(scenario())
    assert sum(task["title"] != "plain" for task in made.values()) > 0.95 * len(STRINGS)
    for door in doors:
        listed = {task["id"]: task for task in door.call("TodoService/ListTasks", {"pageSize": 500}).content["tasks"]}
        assert listed.keys() == made.keys()
        for task_id, wanted in made.items():
            check(listed[task_id], wanted)

    published(stack)
    for topic, key in (("task-events", "task_data"), ("task-updates", "task")):
        records = [record.event["data"] for record in read_topic(stack, topic) if record.key == user]
        assert len(records) == len(made)
        for data in records:
            check(data[key], made[str(data["task_id"])])

    def find(number: int, text: str) -> None:
        door = doors[number % 2]
        for key, limit in (("text", 500), ("tag", TAG_CHARACTERS)):
            answer = door.call("TodoService/ListTasks", {"pageSize": 500, "filter": {key: text}})
            assert answer.code in ("OK", "INVALID_ARGUMENT"), (key, text, answer)
            if must_be_taken(text, limit):
                found = {task["id"] for task in answer.content["tasks"]}
                assert {i for i, task in made.items() if text in (task["title"], *task["tags"])} <= found, (key, text)

    each(find)


@dataclass(frozen=True)
class Field:
    """A field whose text has a form. `path` leads to it in the answer, where the answer has it."""

    method: str
    request: Callable[[str], Json]
    path: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()  # beside OK and INVALID_ARGUMENT


def preference(*path: str) -> Field:
    def request(text: str) -> Json:
        value: Any = text
        for name in reversed(path):
            value = {name: value}
        return {"preferences": value, "updateMask": path[0]}
    return Field("NotificationService/UpdatePreferences", request, path)


KEY, SALT = "BA" + "A" * 85, "A" * 22
FIELDS = [
    Field("TodoService/CreateTask", lambda text: {"task": {"title": "x", "dueLocal": text}}, ("dueLocal",)),
    Field("TodoService/CreateTask", lambda text: {"task": {"title": "x", "dueLocal": "2036-10-24", "timeZone": text}}),
    Field("TodoService/CreateTask", lambda text: {"task": {"title": "x", "dueLocal": "2036-10-24", "recurrenceRule": text}}),
    Field("TodoService/CreateTask", lambda text: {"task": {"title": "x"}, "requestId": text}),
    Field("TodoService/UpdateTask", lambda text: {"task": {"id": "1", "title": "x", "etag": text}, "updateMask": "title"},
          codes=("NOT_FOUND", "ABORTED")),
    Field("TodoService/CompleteTask", lambda text: {"id": "1", "etag": text}, codes=("NOT_FOUND", "ABORTED")),
    Field("TodoService/BatchUpdateTasks", lambda text: {"changes": [{"id": "1", "etag": text, "completed": True}]},
          codes=("NOT_FOUND", "ABORTED")),
    Field("TodoService/BatchUpdateTasks", lambda text: {"changes": [{"id": "1", "tags": {"add": [text], "remove": [text]}}]},
          codes=("NOT_FOUND",)),
    Field("TodoService/PreviewRecurrence", lambda text: {"task": {"dueLocal": "2036-10-24", "recurrenceRule": text}}),
    Field("TodoService/ListTasks", lambda text: {"orderBy": text}),
    Field("TodoService/ListTasks", lambda text: {"pageToken": text}),
    Field("TodoService/ParseTask", lambda text: {"text": text}),
    Field("TodoService/ParseTask", lambda text: {"text": "x", "timeZone": text}),
    Field("ReminderService/CreateReminder", lambda text: {"taskId": "1", "reminder": {"before": text}}, codes=("NOT_FOUND",)),
    Field("ReminderService/CreateReminder", lambda text: {"taskId": "1", "reminder": {"before": "P1D", "timeOfDay": text}},
          codes=("NOT_FOUND",)),
    Field("ReminderService/SnoozeReminder", lambda text: {"taskId": "1", "number": 1, "duration": text}, codes=("NOT_FOUND",)),
    preference("timeZone"), preference("quietHours", "start"), preference("wording", "morning"),
    preference("wording", "language"),
    Field("NotificationService/SetEmailAddress", lambda text: {"emailAddress": text}, codes=("FAILED_PRECONDITION",)),
    Field("NotificationService/CreateWebhookEndpoint", lambda text: {"endpoint": {"url": text, "reminders": True}}, ("url",)),
    Field("NotificationService/CreateWebhookEndpoint",
          lambda text: {"endpoint": {"url": f"https://hooks.example/{text}", "reminders": True}}, ("url",),
          codes=("RESOURCE_EXHAUSTED", "FAILED_PRECONDITION")),  # a user has ten of them
    Field("NotificationService/ListWebhookDeliveries", lambda text: {"endpointId": text}, codes=("NOT_FOUND",)),
    Field("NotificationService/AddPushSubscription",
          lambda text: {"subscription": {"endpoint": text, "p256dh": text, "auth": text}}, codes=("FAILED_PRECONDITION",)),
    Field("NotificationService/MarkNotificationsRead", lambda text: {"ids": [text]}),
    Field("AnalyticsService/GetUsage", lambda text: {"timeZone": text}),
    # Sentences of one user at the same time meet in one memory.
    Field("ChatService/Send", lambda text: {"text": text}, codes=("ABORTED",)),
    Field("ChatService/Send", lambda text: {"text": f'add "{text}" tomorrow'}, codes=("ABORTED",)),
    Field("OpsService/ListDeadLetters", lambda text: {"filter": {"consumer": text, "topic": text, "userId": text}}),
    Field("OpsService/ListDeadLetters", lambda text: {"filter": {"reason": text}}),
    Field("OpsService/DiscardDeadLetters", lambda text: {"ids": [str(uuid.uuid4())], "note": text}),
]


def at(content: Json, path: tuple[str, ...]) -> Any:
    value: Any = content
    for name in path:
        value = value.get(name, {} if name != path[-1] else "")
    return value


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: f"{field.method.split('/')[1]}-{'-'.join(field.path)}".rstrip("-"))
def test_texts_with_a_form_are_refused_clearly_or_taken_as_they_are(stack: Stack, field: Field) -> None:
    doors = [make(stack, "naughty-forms") for make in DOORS.values()]
    codes = {"OK", "INVALID_ARGUMENT", *field.codes}

    def ask(number: int, text: str) -> None:
        answer = doors[number % 2].call(field.method, field.request(text))
        assert answer.code in codes, (text, answer)
        if answer.code == "OK" and field.path and text:  # an empty field is the same as none
            sent = at(field.request(text), ("endpoint", *field.path) if "endpoint" in field.request("") else
                      ("preferences", *field.path) if "preferences" in field.request("") else ("task", *field.path))
            assert at(answer.content, field.path) == sent, (text, answer)
        if answer.code == "INVALID_ARGUMENT":
            assert answer.text, (text, answer)

    each(ask)


def test_nothing_of_it_was_too_much_for_the_service(stack: Stack) -> None:
    client = Client(stack.api_target(), "naughty-after")
    assert client.get(client.create("still there").id).title == "still there"
    log = (stack.logs / "service-0.log").read_text(errors="replace")
    assert '"event":"serving"' in log and '"severity":"error"' not in log
