"""All hostile clients at the same time, on the ports of users, while honest users with tokens go on working."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import grpc
import pytest
from http_clients import MAX_WAIT, MIB, HonestCallers, has_expired
from service_binary import binary, make_token
from todo_client import Client, eventually

from tools.stack import Stack

SECONDS = 15.0
LIMITED = {"429 resource_exhausted"}
# How calls may end; each of these clients must have made some.
ALLOWED = {
    "wrong token": {"401 unauthenticated"},
    "expired token": {"401 unauthenticated"},
    "no token at all": {"401 unauthenticated"},
    "bad UTF-8": {"400 invalid_argument"} | LIMITED,
    "invalid JSON": {"400 invalid_argument"} | LIMITED,
    "gzip bomb": LIMITED,
    "one user, JSON": {"200 ok"} | LIMITED,
    "one user, gRPC": {"OK", "RESOURCE_EXHAUSTED"},
    "wrong token, gRPC": {"UNAUTHENTICATED"},
}


@pytest.fixture(scope="module")
def stack(key: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    flags = ["--auth-issuer=todo-local", f"--auth-jwks-file={key.with_name('keys.json')}", "--auth-clock-skew=0s",
             "--user-calls-per-second=20", "--user-call-burst=50"]
    with Stack(tmp_path_factory.mktemp("at-once") / "run", broker="memory", service_binary=binary(),
               service_flags=flags, raise_limits=False, keep_data=False) as running:
        yield running


def test_honest_users_are_served_while_all_attack(stack: Stack, key: Path) -> None:
    def token(user: str, lifetime: str = "1h") -> str:
        return make_token("--key", str(key), "--user", user, "--for", lifetime)

    aim = {name: stack.ports[f"{name}-0"] for name in ("web", "api", "app", "ops")}
    aim |= {"token": token("mallory"), "expired": token("mallory", "1s")}
    grace, grace_token = Client(stack.api_target(), "grace"), f"Bearer {token('grace')}"

    def works() -> bool:
        with suppress(grpc.RpcError):
            return bool(grace.call("ListTasks", grace.messages.ListTasksRequest(), authorization=grace_token))
        return False

    eventually(works, "the keys are known")
    eventually(lambda: has_expired(aim["web"], aim["expired"]), "the token for one second has expired")
    waits: list[float] = []
    with HonestCallers(stack, 250 * MIB, {"authorization": f"Bearer {token('ada')}"}):
        attack = subprocess.Popen([sys.executable, str(Path(__file__).with_name("attackers.py")), json.dumps(aim),
                                   str(SECONDS)], stdout=subprocess.PIPE, text=True)
        while attack.poll() is None:
            began = time.monotonic()
            task = grace.messages.Task(title="honest")
            created = grace.call("CreateTask", grace.messages.CreateTaskRequest(task=task), authorization=grace_token)
            waits.append(time.monotonic() - began)
            assert created.user_id == "grace"
            time.sleep(0.1)
    assert attack.returncode == 0
    outcomes: dict[str, dict[str, int]] = json.loads(attack.communicate()[0])
    print("\n".join(f"{client}: {counts}" for client, counts in outcomes.items()))
    print(f"honest over gRPC: {len(waits)} calls, longest {max(waits):.2f} s")
    assert max(waits) < MAX_WAIT
    for client, allowed in ALLOWED.items():
        assert outcomes[client] and outcomes[client].keys() <= allowed, (client, outcomes[client])
    flood = outcomes["one user, gRPC"]
    assert flood["RESOURCE_EXHAUSTED"] > flood["OK"] and flood["OK"] <= 50 + 20 * (SECONDS + 5)
