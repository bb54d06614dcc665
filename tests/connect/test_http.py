"""The JSON door as a plain HTTP client sees it."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import socket
import subprocess
import threading
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from todo_client import Client

from tools.stack import Stack
from tools.stack.__main__ import first_steps

SERVICE = "/todo.v1.TodoService"
MIB = 1024 * 1024


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def reason(self) -> str:
        """That of the ErrorInfo."""
        return next((d["debug"]["reason"] for d in self.json["details"] if d["type"] == "google.rpc.ErrorInfo"), "")


class Web:
    """One connection of a user."""

    def __init__(self, stack: Stack, user: str | None) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", stack.ports["web-0"], timeout=30)
        self._user = user

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self._user is not None:
            named["x-user-id"] = self._user
        self._connection.request(method, path, body, named, encode_chunked=not isinstance(body, (bytes, type(None))))
        response = self._connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())

    def call(self, method: str, request: Any, **headers: str) -> Answer:
        body = request if isinstance(request, bytes) else json.dumps(request).encode()
        path = method if method.startswith("/") else f"{SERVICE}/{method}"
        return self.send("POST", path, body, **{"content_type": "application/json", **headers})


def test_a_task_from_its_creation_to_its_end(stack: Stack) -> None:
    ada = Web(stack, "http-ada")
    made = ada.call("CreateTask", {"task": {"title": "Zähne putzen", "dueLocal": "2030-10-24T09:00:00",
                                            "timeZone": "Europe/Berlin"}, "requestId": str(uuid.uuid4())})
    assert made.status == 200, made.body
    assert made.headers["content-type"] == "application/json"
    assert made.headers["cache-control"] == "no-store"
    task = made.json
    assert (task["title"], task["userId"], task["version"]) == ("Zähne putzen", "http-ada", "1")

    listed = ada.call("ListTasks", {}).json["tasks"]
    assert [entry["id"] for entry in listed] == [task["id"]]
    update = {"task": {"id": task["id"], "title": "Teeth", "etag": task["etag"]}, "updateMask": "title"}
    assert ada.call("UpdateTask", update).json["version"] == "2"
    stale = ada.call("UpdateTask", update)
    assert (stale.status, stale.json["code"], stale.reason) == (409, "aborted", "STALE_ETAG")
    assert ada.call("CompleteTask", {"id": task["id"]}).json["completed"] is True
    assert ada.call("DeleteTask", {"id": task["id"]}).status == 200
    gone = ada.call("GetTask", {"id": task["id"]})
    assert (gone.status, gone.json["code"], gone.reason) == (404, "not_found", "TASK_NOT_FOUND")
    # What JSON did is what gRPC shows.
    assert [change.event_type for change in Client(stack.api_target(), "http-ada").changes()] == [
        "created", "updated", "completed", "deleted"]


def test_several_changes_are_one_step(stack: Stack) -> None:
    bea = Web(stack, "http-bea")
    one, two, three = (bea.call("CreateTask", {"task": {"title": title, "tags": ["old"]}}).json["id"] for title in "abc")
    batch = {"requestId": str(uuid.uuid4()), "changes": [
        {"id": one, "completed": True}, {"id": two, "tags": {"add": ["new"], "remove": ["old"]}},
        {"id": two, "update": {"task": {"dueLocal": "2030-12-31", "priority": "PRIORITY_HIGH"}, "updateMask": "dueLocal,priority"}},
        {"id": three, "deleted": True}]}
    made = bea.call("BatchUpdateTasks", batch)
    assert made.status == 200, made.body
    assert [(task["id"], task["version"]) for task in made.json["tasks"]] == [(one, "2"), (two, "2"), (two, "3"), (three, "2")]
    assert made.json["tasks"][2]["tags"] == ["new"] and made.json["tasks"][2]["dueLocal"] == "2030-12-31"
    assert bea.call("BatchUpdateTasks", batch).json == made.json, "a repetition gets the first answer"
    changes = bea.call("ListChanges", {"afterSeq": 3}).json["changes"]
    assert [(change["seq"], change["eventType"], change["taskId"]) for change in changes] == [
        ("4", "completed", one), ("5", "updated", two), ("6", "updated", two), ("7", "deleted", three)]
    assert {change["requestId"] for change in changes} == {batch["requestId"]}
    history = bea.call("ListChanges", {"taskId": two}).json
    assert [change["seq"] for change in history["changes"]] == ["2", "5", "6"] and history["lastSeq"] == "7"
    assert "changes" not in Web(stack, "http-eve").call("ListChanges", {"taskId": two}).json

    refused = bea.call("BatchUpdateTasks", {"changes": [{"id": one, "completed": False}, {"id": three, "completed": True}]})
    assert (refused.status, refused.reason) == (404, "TASK_NOT_FOUND")
    assert refused.json["details"][0]["debug"]["metadata"] == {"index": "1"}
    back = bea.call("BatchUpdateTasks", {"changes": [{"id": three, "deleted": False}, {"id": one, "completed": False}]})
    assert [task["version"] for task in back.json["tasks"]] == ["3", "3"]
    assert bea.call("ListChanges", {"afterSeq": 7}).json["lastSeq"] == "9", "the refused call changed nothing"


def test_get_binary_and_gzip_are_other_forms_of_the_same_call(stack: Stack) -> None:
    ben = Web(stack, "http-ben")
    task = ben.call("CreateTask", {"task": {"title": "x" * 400, "description": "y" * 5000}}).json
    message = json.dumps({"id": task["id"]})

    def get(**query: str) -> Answer:
        return ben.send("GET", f"{SERVICE}/GetTask?{urlencode({'connect': 'v1', **query})}")

    assert get(encoding="json", message=message).json == task
    packed = base64.urlsafe_b64encode(gzip.compress(message.encode())).decode().rstrip("=")
    assert get(encoding="json", message=packed, base64="1", compression="gzip").json == task
    assert get(encoding="json", message="{").json["code"] == "invalid_argument"
    refused = ben.send("GET", f"{SERVICE}/DeleteTask?connect=v1&encoding=json&message=%7B%7D")
    assert (refused.status, refused.headers["allow"]) == (405, "POST")

    zipped = ben.call("GetTask", gzip.compress(message.encode()), content_encoding="gzip", accept_encoding="gzip")
    assert zipped.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(zipped.body)) == task

    grpc_client = Client(stack.api_target(), "http-ben")
    request = grpc_client.messages.GetTaskRequest(id=int(task["id"]))
    binary = ben.call("GetTask", request.SerializeToString(), content_type="application/proto")
    assert grpc_client.messages.Task.FromString(binary.body) == grpc_client.get(int(task["id"]))


def test_a_chunked_body_is_taken(stack: Stack) -> None:
    answer = Web(stack, "http-chunks").send("POST", f"{SERVICE}/CreateTask", iter([b'{"task": {"tit', b'le": "a"}}']),
                                            content_type="application/json", transfer_encoding="chunked")
    assert answer.json["title"] == "a"


@pytest.mark.parametrize(("body", "text"), [
    (b"", "the body is empty"),
    (b"{", "not JSON of type todo.v1.CreateTaskRequest"),
    (b'{"task": {"titel": "a"}}', "titel"),
    (b'{"task": {"title": "\xff"}}', "UTF-8"),
    (b'{"task": {"title": ["a"]}}', "not JSON of type"),
    (b"[" * 100_000, "not JSON of type"),
])
def test_malformed_json_is_explained(stack: Stack, body: bytes, text: str) -> None:
    answer = Web(stack, "http-malformed").call("CreateTask", body)
    assert (answer.status, answer.json["code"], answer.reason) == (400, "invalid_argument", "MALFORMED_REQUEST")
    assert text in answer.json["message"]


def test_wrong_fields_are_named_as_in_grpc(stack: Stack) -> None:
    answer = Web(stack, "http-fields").call("CreateTask", {"task": {"dueLocal": "tomorrow"}})
    bad = next(d["debug"] for d in answer.json["details"] if d["type"] == "google.rpc.BadRequest")
    assert [violation["field"] for violation in bad["fieldViolations"]] == ["task.title", "task.due_local"]


def test_requests_that_are_no_calls_get_a_problem(stack: Stack) -> None:
    web = Web(stack, "http-problems")
    for method, path, headers, status in (
        ("GET", "/no/such/place", {}, 404),
        ("POST", "/todo.v2.TodoService/GetTask", {"content_type": "application/json"}, 404),
        ("PUT", f"{SERVICE}/GetTask", {"content_type": "application/json"}, 405),
        ("POST", f"{SERVICE}/GetTask", {"content_type": "text/plain"}, 415),
    ):
        answer = web.send(method, path, b"{}", **headers)
        assert (answer.status, answer.headers["content-type"]) == (status, "application/problem+json"), path
        assert answer.json["status"] == status
    assert web.call("NoSuchMethod", {}).json["code"] == "unimplemented"


def test_callers_must_say_who_they_are(stack: Stack) -> None:
    nobody = Web(stack, None).call("ListTasks", {})
    assert (nobody.status, nobody.json["code"]) == (401, "unauthenticated")
    operator = Web(stack, "http-root")
    assert operator.call("/todo.v1.OpsService/GetStatus", {}).json["code"] == "permission_denied"
    assert operator.call("/todo.v1.OpsService/GetStatus", {}, x_user_role="operator").json["sidecarAnswers"] is True


def test_requests_have_a_bound_before_and_after_unpacking(stack: Stack) -> None:
    web = Web(stack, "http-large")
    assert web.call("ListTasks", b"{}".ljust(MIB)).status == 200
    for answer in (Web(stack, "http-large").call("ListTasks", b"{}".ljust(MIB + 1)),
                   Web(stack, "http-large").send("POST", f"{SERVICE}/ListTasks", iter([b" " * MIB, b"{}"]),
                                                 content_type="application/json", transfer_encoding="chunked"),
                   web.call("ListTasks", gzip.compress(b"{}".ljust(100 * MIB)), content_encoding="gzip")):
        assert (answer.status, answer.json["code"], answer.reason) == (429, "resource_exhausted", "MESSAGE_TOO_LONG")
        assert "retry-after" not in answer.headers


def test_the_head_is_refused_before_the_body_comes(stack: Stack) -> None:
    with socket.create_connection(("127.0.0.1", stack.ports["web-0"]), timeout=30) as connection:
        connection.sendall(f"POST {SERVICE}/CreateTask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                           "Content-Length: 1000\r\n\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 401 ")


def test_many_calls_at_once_are_each_answered_once(stack: Stack) -> None:
    def create(number: int) -> None:
        web = Web(stack, f"http-many-{number}")
        for i in range(25):
            assert web.call("CreateTask", {"task": {"title": str(i)}}).json["title"] == str(i)

    threads = [threading.Thread(target=create, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n in range(8):
        assert len(Web(stack, f"http-many-{n}").call("ListTasks", {}).json["tasks"]) == 25


def test_the_printed_curl_line_works_as_pasted(stack: Stack) -> None:
    """The one that `make run` prints for a new user."""
    lines = first_steps(stack.api_target(), stack.web_url())
    begin = next(n for n, line in enumerate(lines) if line.lstrip().startswith("curl "))
    command = "\n".join(lines[begin:begin + 2])
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(ran.stdout)["title"] == "Buy milk"
