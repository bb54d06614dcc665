"""Keys that no provider serves: in a file, made by `make-token`, and in the secret store."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from service_binary import binary, make_token
from todo_client import Client, eventually, reason_of

from calls import LOOPBACK, Calls
from tools.stack import Stack

SECRET = "a secret of more than thirty-two characters"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("keys")
    (made / "keys.json").write_text(make_token("--new-key", str(made / "key.pem")))
    issuers = [
        {"issuer": "todo-local", "jwks_file": str(made / "keys.json")},
        {"issuer": "program", "secret_entry": "token-secret", "user_prefix": "program:"},
    ]
    (made / "issuers.json").write_text(json.dumps({"issuers": issuers}))
    return made


@pytest.fixture(scope="module")
def stack(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    flags = [f"--auth-issuers-file={folder / 'issuers.json'}", *LOOPBACK]
    directory = tmp_path_factory.mktemp("stack") / "run"
    with Stack(directory, broker="memory", service_binary=binary(), service_flags=flags,
               secrets={"token-secret": SECRET}, keep_data=False) as running:
        yield running


@pytest.fixture(scope="module")
def calls(stack: Stack) -> Calls:
    return Calls(stack)


def test_a_token_of_make_token_opens_the_service(folder: Path, calls: Calls) -> None:
    token = make_token("--key", str(folder / "key.pem"), "--user=ada", "--for=8h")
    eventually(lambda: calls.refusal(token)[1] != "KEYS_UNAVAILABLE", "the keys of the file")
    assert calls.create(token).user_id == "ada"


def test_a_token_counts_also_through_a_sidecar(folder: Path, calls: Calls, stack: Stack) -> None:
    token = make_token("--key", str(folder / "key.pem"), "--user=grace")
    eventually(lambda: calls.refusal(token)[1] != "KEYS_UNAVAILABLE", "the keys of the file")
    calls.create(token)
    through = Client(stack.daprds[0].grpc_endpoint, "somebody-else")
    invoked = {"dapr_app_id": "todo-service", "dapr_api_token": stack.tokens()["DAPR_API_TOKEN"]}

    def titles(**more: str) -> list[str]:
        answer = through.call("ListTasks", through.messages.ListTasksRequest(), **invoked, **more)
        return [task.title for task in answer.tasks]

    assert titles(authorization=f"Bearer {token}") == ["a task"]
    with pytest.raises(grpc.RpcError) as refused:
        titles()
    assert (refused.value.code(), reason_of(refused.value)) == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_MISSING")


def test_a_secret_of_the_secret_store_opens_the_service(calls: Calls) -> None:
    now = int(time.time())
    claims = {"iss": "program", "aud": "todo-service", "sub": "ada", "exp": now + 600}
    token = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))
    eventually(lambda: calls.refusal(token)[1] != "KEYS_UNAVAILABLE", "the secret")
    assert calls.create(token).user_id == "program:ada"
    forged = jwt.encode({"alg": "HS256"}, claims, OctKey.import_key("another" + SECRET))
    assert calls.refusal(forged)[:2] == ("UNAUTHENTICATED", "TOKEN_SIGNATURE")


def test_a_file_that_changes_is_read_again(folder: Path, calls: Calls) -> None:
    old = make_token("--key", str(folder / "key.pem"), "--user=ada")
    eventually(lambda: calls.refusal(old)[0] == "", "the old key")
    (folder / "keys.json").write_text(make_token("--new-key", str(folder / "next.pem"), "--type=ed25519"))
    new = make_token("--key", str(folder / "next.pem"), "--user=ada")
    eventually(lambda: calls.refusal(new)[0] == "", "the new key")
    assert calls.refusal(old)[:2] == ("UNAUTHENTICATED", "TOKEN_KEY")
