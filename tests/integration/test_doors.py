"""Each port serves its own callers: the sidecar's callbacks are on the app port alone, and nothing but the questions that a
sidecar asks at its start is answered there without the app token."""

from __future__ import annotations

import http.client
import importlib
from collections.abc import Iterator

import grpc
import pytest
from todo_client import Client, protos, reason_of, rows

from tools.stack import Stack

PATIENCE = 15.0  # seconds
PUBLIC = ("todo", "reminder", "notification", "chat", "analytics", "ops")
# They bring nothing and tell nothing that a stranger could use; a sidecar that has the wrong token learns so from them.
OPEN_CALLBACKS = {"ListTopicSubscriptions", "ListInputBindings", "HealthCheck"}


def methods_of(*modules: str) -> Iterator[str]:
    protos()
    for module in modules:
        for service in importlib.import_module(module).DESCRIPTOR.services_by_name.values():
            yield from (f"/{service.full_name}/{method.name}" for method in service.methods)


def callbacks() -> list[str]:
    return list(methods_of("dapr.proto.runtime.v1.appcallback_pb2"))


def public_methods() -> list[str]:
    return list(methods_of(*(f"todo.v1.{name}_service_pb2" for name in PUBLIC)))


def refusal(target: str, method: str, **metadata: str) -> grpc.RpcError | None:
    """None: the call was answered. An empty message is one of every type; the first message of a stream is enough."""
    headers = [(name.replace("_", "-"), value) for name, value in metadata.items()]
    with grpc.insecure_channel(target) as channel:
        try:
            for _ in channel.unary_stream(method)(b"", timeout=PATIENCE, metadata=headers):
                return None
        except grpc.RpcError as error:
            return error
    return None


def test_no_callback_is_on_the_api_port_or_the_web_port(stack: Stack) -> None:
    token = stack.tokens()["APP_API_TOKEN"]
    assert len(callbacks()) > 8
    web = http.client.HTTPConnection("127.0.0.1", stack.ports["web-0"], timeout=PATIENCE)
    for method in callbacks():
        error = refusal(stack.api_target(), method, dapr_api_token=token, x_user_id="doors-eve")
        assert error is not None and error.code() == grpc.StatusCode.UNIMPLEMENTED, (method, error)
        web.request("POST", method, b"{}", {"content-type": "application/json", "dapr-api-token": token, "x-user-id": "doors-eve"})
        answer = web.getresponse()
        answer.read()
        assert answer.status == 404, (method, answer.status)


@pytest.mark.parametrize("token", ["", "wrong"])
def test_nothing_is_done_on_the_app_port_without_the_app_token(stack: Stack, token: str) -> None:
    given = {"dapr_api_token": token} if token else {}
    for method in callbacks():
        error = refusal(stack.app_target(), method, **given)
        if method.rpartition("/")[2] in OPEN_CALLBACKS:
            assert error is None, (method, error)
        else:
            assert error is not None, method
            assert error.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNIMPLEMENTED), (method, error)
    for method in public_methods():
        error = refusal(stack.app_target(), method, x_user_id="doors-eve", x_user_role="operator", **given)
        assert error is not None and error.code() == grpc.StatusCode.UNAUTHENTICATED, (method, error)
        assert reason_of(error) == "APP_TOKEN_MISSING", (method, error)
    assert rows(stack, "select count(*) from changes where user_id = 'doors-eve'") == [["0"]]


def test_with_the_app_token_the_public_methods_are_there(stack: Stack) -> None:
    token = stack.tokens()["APP_API_TOKEN"]
    task = Client(stack.api_target(), "doors-ada").create("mine")
    client = Client(stack.app_target(), "doors-ada")
    request = client.messages.GetTaskRequest(id=task.id)
    assert client.call("GetTask", request, dapr_api_token=token) == task
    for method in public_methods():
        error = refusal(stack.app_target(), method, dapr_api_token=token)
        assert error is not None and reason_of(error) == "IDENTITY_MISSING", (method, error)
