"""A real OpenID provider, and the real service that believes its tokens."""

from __future__ import annotations

import importlib
import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey
from service_binary import binary
from todo_client import eventually, protos

from calls import LOOPBACK, Calls, header
from provider import Provider

from tools.stack import Stack

ONE_MINUTE = 60.0


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    running = Provider()
    yield running
    running.close()


@pytest.fixture(scope="module")
def stack(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    flags = [f"--auth-issuer={provider.issuer}", *LOOPBACK]
    directory = tmp_path_factory.mktemp("stack") / "run"
    with Stack(directory, broker="memory", service_binary=binary(), service_flags=flags, keep_data=False) as running:
        yield running


@pytest.fixture(scope="module")
def calls(stack: Stack) -> Calls:
    return Calls(stack)


def test_a_token_of_the_provider_opens_grpc(provider: Provider, calls: Calls) -> None:
    ada = provider.token("ada")
    eventually(lambda: calls.refusal(ada)[1] != "KEYS_UNAVAILABLE", "the keys of the provider")
    assert calls.create(ada).title == "a task"
    assert calls.titles(ada) == ["a task"]
    assert calls.titles(provider.token("ops")) == [], "the tasks of another user"
    code, reason, text = calls.refusal("")
    assert (code, reason) == ("UNAUTHENTICATED", "TOKEN_MISSING")
    assert "authorization: Bearer" in text


def test_a_token_of_the_provider_opens_json(provider: Provider, calls: Calls, stack: Stack) -> None:
    def post(token: str) -> tuple[int, Any]:
        url = f"http://127.0.0.1:{stack.ports['web-0']}/todo.v1.TodoService/ListTasks"
        request = urllib.request.Request(url, b"{}")
        request.add_header("content-type", "application/json")
        for name, value in header(token).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    ada = provider.token("ada")
    eventually(lambda: calls.refusal(ada)[1] != "KEYS_UNAVAILABLE", "the keys of the provider")
    calls.create(ada)
    status, answer = post(ada)
    assert status == 200
    assert {task["title"] for task in answer["tasks"]} == {"a task"}
    status, answer = post("")
    assert (status, answer["code"]) == (401, "unauthenticated")


def test_roles_of_a_token_open_the_service_of_operators(provider: Provider, calls: Calls, stack: Stack) -> None:
    protos()
    messages = importlib.import_module("todo.v1.ops_service_pb2")
    ops = importlib.import_module("todo.v1.ops_service_pb2_grpc").OpsServiceStub(grpc.insecure_channel(stack.api_target()))

    def letters(client: str) -> Any:
        token = provider.token(client)
        metadata = [("authorization", f"Bearer {token}"), ("x-user-role", "operator")]
        return ops.ListDeadLetters(messages.ListDeadLettersRequest(), timeout=15, metadata=metadata)

    ops_token = provider.token("ops")
    eventually(lambda: calls.refusal(ops_token)[1] != "KEYS_UNAVAILABLE", "the keys of the provider")
    assert list(letters("ops").dead_letters) == []
    with pytest.raises(grpc.RpcError) as refused:
        letters("ada")
    assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED


def test_a_rotated_key_is_taken_up_within_a_minute_and_a_flood_fetches_once(provider: Provider, calls: Calls) -> None:
    before = provider.token("ada")
    eventually(lambda: calls.refusal(before)[1] != "KEYS_UNAVAILABLE", "the keys of the provider")
    assert calls.refusal(before) == ("", "", "")
    forger = ECKey.generate_key("P-256")

    def forged() -> str:
        now = int(time.time())
        claims = {"iss": provider.issuer, "aud": "todo-service", "sub": "ada", "iat": now, "exp": now + 600}
        return jwt.encode({"alg": "ES256", "kid": str(uuid.uuid4())}, claims, forger)

    provider.ask("rotate")
    fetched = provider.ask("counts")["jwks"]
    after = provider.token("ada")
    began = time.monotonic()

    def taken_up() -> bool:
        assert calls.refusal(forged())[:2] == ("UNAUTHENTICATED", "TOKEN_KEY")
        return calls.refusal(after)[0] == ""

    # The fetch itself takes its time too.
    eventually(taken_up, "the new key", within=ONE_MINUTE + 15)
    assert time.monotonic() - began < ONE_MINUTE + 10
    assert calls.refusal(before)[:2] == ("UNAUTHENTICATED", "TOKEN_KEY"), "the old key is gone, with the tokens of it"
    for _ in range(500):
        assert calls.refusal(forged())[1] == "TOKEN_KEY"
    assert provider.ask("counts")["jwks"] == fetched + 1
