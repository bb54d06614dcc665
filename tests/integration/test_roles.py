"""The service as two processes, one for calls and one for events; and calls of other apps through a sidecar."""

from __future__ import annotations

import importlib
import json
import subprocess
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import grpc
import pytest
from conftest import REPOSITORY, binary
from todo_client import Client, Notified, Reminders, eventually, protos, published, reason_of, rows

from tools.stack import Stack
from tools.stack.dapr import http_get

EVENTS, API = 0, 1  # numbers of the replicas


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("roles") / "run", service_binary=binary(), roles=("events", "api"),
               keep_data=False) as running:
        yield running


def test_the_roles_work_together(apart: Stack) -> None:
    target = apart.api_target(API)
    silent, heard = (Client(target, name) for name in ("roles-silent", "roles-heard"))
    apart.wait_jobs(EVENTS)
    settings = Notified(target, silent.user)

    def finds_its_sidecar() -> bool:
        try:
            return bool(settings.call("GetPreferences"))
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNAVAILABLE
            return False

    eventually(finds_its_sidecar, "the process for calls reads the preferences")
    settings.call("UpdatePreferences", preferences=settings.messages.NotificationPreferences(in_app=False, webhook=True))
    for client in (silent, heard):
        task = client.create("water", due_date=datetime.fromtimestamp(time.time() + 3600, UTC), recurrence_rule="daily")
        Reminders(client).create(task.id, at=time.time() + 2)
        done = client.complete(task.id)
        assert client.successor_of(done).title == "water"
        other = client.create("only once")
        Reminders(client).create(other.id, at=time.time() + 1)

    # The reminders fire in one process, by the preferences saved in the other, and are listed in the other.
    [notification] = eventually(lambda: Notified(target, heard.user).notifications(), "the notification")
    assert notification.title == "only once"
    eventually(lambda: rows(apart, "select count(*) from inbox where consumer = 'notifications' and state = 'done'")
               == [["2"]], "both reminders were taken")
    assert settings.notifications() == []


def test_each_role_has_its_ports_and_its_work(apart: Stack) -> None:
    with pytest.raises(grpc.RpcError) as closed:
        Client(apart.api_target(EVENTS), "roles-nobody", timeout=3).tasks()
    assert closed.value.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    assert [s["topic"] for s in apart.daprds[EVENTS].metadata()["subscriptions"]] == ["task-events", "reminders"]
    assert [s["topic"] for s in apart.daprds[API].metadata()["subscriptions"]] == ["task-updates"]
    # The relay of the one process publishes the changes of the other.
    Client(apart.api_target(API), "roles-relay").create("published")
    published(apart)


def test_screens_of_the_one_process_show_what_the_other_does(apart: Stack, tmp_path: Path) -> None:
    client = Client(apart.api_target(API), "roles-screen")
    shown = tmp_path / "events"
    with shown.open("w") as out:
        screen = subprocess.Popen(["curl", "-sN", "-H", "x-user-id: roles-screen", f"{apart.web_url(API)}/events"],
                                  stdout=out)
    try:
        eventually(lambda: "event: snapshot" in shown.read_text(), "the screen is connected")
        done = client.complete(client.create("water", due_date=datetime.now(UTC), recurrence_rule="daily").id)
        successor = client.successor_of(done)  # made by the process for events
        eventually(lambda: f'"task_id":{successor.id},' in shown.read_text(), "the next occurrence")
        seqs = [json.loads(line[6:])["seq"] for line in shown.read_text().splitlines()
                if line.startswith('data: {"type":"update"')]
        assert seqs == [1, 2, 3]
    finally:
        screen.kill()
        screen.wait()


def forged_reminder(victim: str) -> Any:
    protos()
    messages = importlib.import_module("dapr.proto.runtime.v1.appcallback_pb2")
    event = {"specversion": "1.0", "id": str(uuid.uuid4()), "source": "x", "type": "todo.reminder.due.v1",
             "data": {"id": str(uuid.uuid4()), "task_id": 1, "title": "forged", "user_id": victim,
                      "remind_at": "2026-01-01T00:00:00Z"}}
    return messages.TopicEventRequest(id=event["id"], pubsub_name="kafka-pubsub", topic="reminders",
                                      path="/events/reminders", data=json.dumps(event).encode())


def deliver_forged(stack: Stack, metadata: list[tuple[str, str]], victim: str) -> grpc.RpcError:
    """What the sidecar answers that was asked to call our callback."""
    request = forged_reminder(victim)
    stubs = importlib.import_module("dapr.proto.runtime.v1.appcallback_pb2_grpc")
    with pytest.raises(grpc.RpcError) as refused:
        stubs.AppCallbackStub(grpc.insecure_channel(stack.daprds[EVENTS].grpc_endpoint)).OnTopicEvent(
            request, metadata=metadata, timeout=30)
    return refused.value


def through_sidecar(stack: Stack, app_id: str) -> list[tuple[str, str]]:
    """The metadata that makes a sidecar hand a call to the app."""
    return [("dapr-app-id", app_id), ("dapr-api-token", stack.tokens()["DAPR_API_TOKEN"])]


def test_trap_25_another_app_cannot_call_a_callback(apart: Stack) -> None:
    """The caller's sidecar says in the call whom it is for. That one is asked here itself: sidecars find each other by
    multicast, and so also those of other tests."""
    metadata = [*through_sidecar(apart, "todo-service"), ("dapr-callee-app-id", "todo-service"),
                ("dapr-caller-app-id", "mallory")]
    error = deliver_forged(apart, metadata, "roles-victim")
    assert error.code() == grpc.StatusCode.PERMISSION_DENIED and "callbacks are for" in error.details()
    assert rows(apart, "select count(*) from notifications where user_id = 'roles-victim'") == [["0"]]


def test_trap_25_the_shipped_rules_of_the_sidecar_deny_all_but_the_work(tmp_path: Path) -> None:
    """A program in the same pod leaves no trace in the call: only the sidecar can refuse it."""
    configuration = REPOSITORY / "deploy" / "configuration" / "access-control.yaml"
    with Stack(tmp_path / "run", service_binary=binary(), configuration=configuration, keep_data=False) as stack:
        # Callbacks are no calls that the sidecar's list allows, whoever asks.
        error = deliver_forged(stack, through_sidecar(stack, "todo-service"), "roles-victim")
        assert error.code() == grpc.StatusCode.UNIMPLEMENTED and "callbacks are for" not in error.details()
        assert rows(stack, "select count(*) from notifications") == [["0"]]
        # The API is for the apps that the access control names, and this call names none.
        protos()
        messages, stubs = (importlib.import_module(f"todo.v1.todo_service_pb2{part}") for part in ("", "_grpc"))
        channel = grpc.insecure_channel(stack.daprds[0].grpc_endpoint)
        with pytest.raises(grpc.RpcError) as stranger:
            stubs.TodoServiceStub(channel).ListTasks(messages.ListTasksRequest(), timeout=30, metadata=[
                *through_sidecar(stack, "todo-service"), ("x-user-id", "roles-victim")])
        assert stranger.value.code() == grpc.StatusCode.PERMISSION_DENIED
        check_secrets(stack, channel)
        # Over HTTP nothing is allowed but the health pages and the metadata.
        token = {"dapr-api-token": stack.tokens()["DAPR_API_TOKEN"]}
        port = stack.daprds[0].http_port
        assert http_get(port, "/v1.0/metadata", token)[0] == 200
        assert http_get(port, "/v1.0/secrets/kubernetes-secrets/todo-secrets", token)[0] == 404
        assert http_get(port, "/v1.0/state/statestore/any", token)[0] == 404
        # The service's own work goes on: publishing, deliveries, jobs, state, its secret.
        stack.wait_jobs()
        client = Client(stack.api_target(), "roles-honest")
        settings = Notified(stack.api_target(), client.user)
        settings.call("UpdatePreferences", preferences=settings.messages.NotificationPreferences(in_app=True))
        done = client.complete(client.create("water", due_date=datetime.now(UTC), recurrence_rule="daily").id)
        task = client.successor_of(done)
        Reminders(client).create(task.id, at=time.time() + 1)
        eventually(lambda: settings.notifications(), "the notification")


def check_secrets(stack: Stack, channel: grpc.Channel) -> None:
    messages, stubs = (importlib.import_module(f"dapr.proto.runtime.v1.{name}")
                       for name in ("secret_pb2", "dapr_pb2_grpc"))
    metadata = [("dapr-api-token", stack.tokens()["DAPR_API_TOKEN"])]

    def read(secret: str) -> Any:
        request = messages.GetSecretRequest(store_name="kubernetes-secrets", key=secret)
        return stubs.DaprStub(channel).GetSecret(request, metadata=metadata, timeout=30)

    assert "database-url" in read("todo-secrets").data
    with pytest.raises(grpc.RpcError) as other:
        read("dapr")  # it is in the same file
    assert other.value.code() == grpc.StatusCode.PERMISSION_DENIED


def test_other_apps_call_the_api_through_the_sidecar(apart: Stack) -> None:
    messages, stubs = protos()
    stub = stubs.TodoServiceStub(grpc.insecure_channel(apart.daprds[API].grpc_endpoint))
    metadata = [*through_sidecar(apart, "todo-service-api"), ("dapr-caller-app-id", "another-app")]
    task = stub.CreateTask(messages.CreateTaskRequest(task=messages.Task(title="from another app")),
                           metadata=[*metadata, ("x-user-id", "roles-invoked")], timeout=30)
    assert [t.id for t in Client(apart.api_target(API), "roles-invoked").tasks()] == [task.id]
    # Who calls is decided as on every other door.
    with pytest.raises(grpc.RpcError) as nobody:
        stub.ListTasks(messages.ListTasksRequest(), metadata=metadata, timeout=30)
    assert (nobody.value.code(), reason_of(nobody.value)) == (grpc.StatusCode.UNAUTHENTICATED, "IDENTITY_MISSING")
