"""Every method with the ids of another user, on the real service and its database, through both doors: the answer is
the one that an unknown id gets. tests/unit/api/ownership_test.cc tries many more on stores in memory."""

from __future__ import annotations

import http.client
import importlib
import json
import uuid
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from google.protobuf import json_format
from google.rpc import status_pb2
from service_binary import binary
from todo_client import Notified, eventually, protos

from tools.stack import Stack

TASK_METHODS = {
    "TodoService": ["GetTask", "CompleteTask", "UncompleteTask", "DeleteTask", "RestoreTask", "SkipTask", "StopSeries",
                    "UpdateTask", "BatchUpdateTasks"],
    "ReminderService": ["CreateReminder", "ListReminders", "DeleteReminder", "SnoozeReminder"],
}
ENDPOINT_METHODS = ["UpdateWebhookEndpoint", "DeleteWebhookEndpoint", "RotateWebhookSecret", "TestWebhookEndpoint",
                    "ListWebhookDeliveries"]
UNKNOWN_TASK, UNKNOWN_ID = 999_999_999, str(uuid.uuid4())


class Doors:
    """The same calls through gRPC and as JSON."""

    def __init__(self, stack: Stack) -> None:
        protos()
        self._channel = grpc.insecure_channel(stack.api_target())
        self._web = stack.ports["web-0"]

    def message(self, service: str, name: str) -> Any:
        module = {"TodoService": "todo", "ReminderService": "reminder", "NotificationService": "notification"}[service]
        return getattr(importlib.import_module(f"todo.v1.{module}_service_pb2"), name)

    def grpc(self, user: str, service: str, method: str, request: Any) -> Any:
        """The answer's bytes, or the error's code, text and details."""
        call = self._channel.unary_unary(f"/todo.v1.{service}/{method}")
        try:
            return call(request.SerializeToString(), metadata=[("x-user-id", user)], timeout=30)
        except grpc.RpcError as error:
            rich = dict(error.trailing_metadata()).get("grpc-status-details-bin", b"")
            reasons = [detail.value for detail in status_pb2.Status.FromString(rich).details]
            return error.code().name.lower(), error.details(), reasons

    def json(self, user: str, service: str, method: str, request: Any) -> tuple[int, dict[str, Any]]:
        web = http.client.HTTPConnection("127.0.0.1", self._web, timeout=30)
        web.request("POST", f"/todo.v1.{service}/{method}", json_format.MessageToJson(request),
                    {"content-type": "application/json", "x-user-id": user})
        answer = web.getresponse()
        return answer.status, json.loads(answer.read())


def requests(doors: Doors, task: int, endpoint: str) -> list[tuple[str, str, Any]]:
    """Every method that takes the id of a task or an endpoint, each with one that would do for its owner."""
    made = []
    for service, methods in TASK_METHODS.items():
        for method in methods:
            request = doors.message(service, f"{method}Request")()
            if method == "UpdateTask":
                request.task.id, request.task.title = task, "taken"
                request.update_mask.paths.append("title")
            elif method == "BatchUpdateTasks":
                request.changes.add(id=task).tags.add.append("taken")
            elif "task_id" in request.DESCRIPTOR.fields_by_name:
                request.task_id = task
            else:
                request.id = task
            if method == "CreateReminder":
                request.reminder.before = "PT5M"
            if method in ("DeleteReminder", "SnoozeReminder"):
                request.number = 1
            if method == "SnoozeReminder":
                request.duration = "PT10M"
            made.append((service, method, request))
    for method in ENDPOINT_METHODS:
        request = doors.message("NotificationService", f"{method}Request")()
        if method == "UpdateWebhookEndpoint":
            request.endpoint.id = endpoint
            request.update_mask.paths.append("reminders")
        elif "endpoint_id" in request.DESCRIPTOR.fields_by_name:
            request.endpoint_id = endpoint
        else:
            request.id = endpoint
        made.append(("NotificationService", method, request))
    return made


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    secrets = {"webhook-master-key": "a master key of these tests, of no use elsewhere"}
    with Stack(tmp_path_factory.mktemp("ownership") / "run", broker="memory", service_binary=binary(), secrets=secrets,
               service_flags=["--webhook-allow-hosts=127.0.0.1"], keep_data=False) as running:
        yield running


def test_ids_of_another_user_are_answered_like_unknown_ones(stack: Stack) -> None:
    doors = Doors(stack)
    task_message = doors.message("TodoService", "Task")
    ids: dict[str, tuple[int, str]] = {}
    for user in ("ann", "ben"):
        create = doors.message("TodoService", "CreateTaskRequest")(task=task_message(title=f"of {user}"))
        task = task_message.FromString(doors.grpc(user, "TodoService", "CreateTask", create))
        settings = Notified(stack.api_target(), user)
        eventually(lambda s=settings: s.call("GetChannels").webhook_available, "webhooks are on")
        ids[user] = task.id, settings.webhook("http://127.0.0.1:9/hook").id
    unknown = requests(doors, UNKNOWN_TASK, UNKNOWN_ID)
    for asker, owner in (("ann", "ben"), ("ben", "ann"), ("eve", "ann")):
        task, endpoint = ids[owner]
        for (service, method, request), (_, _, nobodys) in zip(requests(doors, task, endpoint), unknown, strict=True):
            code, text, details = doors.grpc(asker, service, method, nobodys)
            expected = code, text.replace(str(UNKNOWN_TASK), "ID").replace(UNKNOWN_ID, "ID"), details
            code, text, details = doors.grpc(asker, service, method, request)
            found = code, text.replace(str(task), "ID").replace(endpoint, "ID"), details
            assert found == expected and found[0] == "not_found", (asker, service, method)
            status, body = doors.json(asker, service, method, request)
            assert (status, body["code"], body["message"]) == (404, "not_found", text), (asker, service, method)
    # Nothing has changed, and the owner may still do all of it.
    for user, (task, endpoint) in ids.items():
        for service, method, request in requests(doors, task, endpoint)[:1]:
            status, body = doors.json(user, service, method, request)
            assert (status, body["title"]) == (200, f"of {user}")
        [kept] = Notified(stack.api_target(), user).call("ListWebhookEndpoints").endpoints
        assert kept.id == endpoint
