"""TLS on the ports for users: JSON and gRPC with one certificate, which may change while the service runs."""

from __future__ import annotations

import http.client
import json
import ssl
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import grpc
import pytest
import trustme
from service_binary import binary
from todo_client import eventually, protos

from tools.stack import Stack
from tools.stack.dapr import http_get


def put(ca: trustme.CA, folder: Path) -> bytes:
    """Writes a new certificate of `ca` and its key for the service; what a client must trust."""
    made = ca.issue_cert("localhost", "127.0.0.1")
    made.private_key_pem.write_to_path(str(folder / "key.pem"))
    (folder / "cert.pem").write_bytes(b"".join(part.bytes() for part in made.cert_chain_pems))
    return ca.cert_pem.bytes()


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Path, bytes]]:
    folder = tmp_path_factory.mktemp("tls")
    trusted = put(trustme.CA(), folder)
    flags = [f"--tls-cert={folder / 'cert.pem'}", f"--tls-key={folder / 'key.pem'}"]
    with Stack(folder / "run", broker="memory", service_binary=binary(), service_flags=flags, keep_data=False) as stack:
        yield stack, folder, trusted


def json_titles(stack: Stack, trusted: bytes) -> list[str]:
    context = ssl.create_default_context(cadata=trusted.decode())
    web = http.client.HTTPSConnection("localhost", stack.ports["web-0"], timeout=30, context=context)
    web.request("POST", "/todo.v1.TodoService/ListTasks", b"{}", {"content-type": "application/json", "x-user-id": "ada"})
    return [task["title"] for task in json.loads(web.getresponse().read()).get("tasks", [])]


def grpc_titles(stack: Stack, trusted: bytes) -> list[str]:
    messages, stubs = protos()
    options = [("grpc.use_local_subchannel_pool", 1)]
    credentials = grpc.ssl_channel_credentials(trusted)
    with grpc.secure_channel(f"localhost:{stack.ports['api-0']}", credentials, options) as channel:
        answer = stubs.TodoServiceStub(channel).ListTasks(messages.ListTasksRequest(), metadata=[("x-user-id", "ada")],
                                                          timeout=30)
        return [task.title for task in answer.tasks]


def test_both_ports_speak_tls_and_take_up_a_new_certificate(secured: tuple[Stack, Path, bytes]) -> None:
    stack, folder, trusted = secured
    assert json_titles(stack, trusted) == grpc_titles(stack, trusted) == []
    renewed = put(trustme.CA(), folder)

    def taken_up() -> bool:
        with suppress(ssl.SSLError, grpc.RpcError):
            return json_titles(stack, renewed) == grpc_titles(stack, renewed) == []
        return False

    eventually(taken_up, "the new certificate")
    with pytest.raises(ssl.SSLError):
        json_titles(stack, trusted)


def test_a_service_with_tls_stays_ready(secured: tuple[Stack, Path, bytes]) -> None:
    """Its watch of the own ports must not take them for dead."""
    stack, _, _ = secured
    service = stack.node("service-0")
    accepted = connections(stack)
    eventually(lambda: connections(stack) >= accepted + 2, "the watch has looked twice")
    assert http_get(stack.ports["ops-0"], "/readyz")[0] == 200
    assert "port_silent" not in service.output() and "Handshake failed" not in service.output()


def connections(stack: Stack) -> int:
    page = http_get(stack.ports["ops-0"], "/metrics")[1].decode()
    [line] = [line for line in page.splitlines() if line.startswith('todo_grpc_connections_accepted_total{port="api"}')]
    return int(line.split()[-1])


def test_plain_text_gets_nowhere(secured: tuple[Stack, Path, bytes]) -> None:
    stack, _, _ = secured
    plain = http.client.HTTPConnection("localhost", stack.ports["web-0"], timeout=30)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        plain.request("GET", "/")
        plain.getresponse()
