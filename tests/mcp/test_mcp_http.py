"""The door /mcp as plain HTTP clients see it."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tools.stack import Stack

PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


def post(stack: Stack, body: Any, method: str = "POST", **headers: str) -> tuple[int, dict[str, str], bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", stack.ports["web-0"], timeout=30)
    named = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    connection.request(method, "/mcp", body if isinstance(body, bytes) else json.dumps(body).encode(), named)
    response = connection.getresponse()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, response.read()


@pytest.fixture(scope="module")
def bearer(token_of: Callable[[str], str]) -> dict[str, str]:
    return {"authorization": f"Bearer {token_of('mcp-http')}"}


def test_a_message_is_answered_as_json(stack: Stack, bearer: dict[str, str]) -> None:
    status, headers, body = post(stack, PING, **bearer)
    assert (status, headers["content-type"], json.loads(body)) == (
        200, "application/json", {"jsonrpc": "2.0", "id": 1, "result": {}})
    status, _, body = post(stack, {"jsonrpc": "2.0", "method": "notifications/initialized"}, **bearer)
    assert (status, body) == (202, b"")


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_only_post_is_taken(stack: Stack, bearer: dict[str, str], method: str) -> None:
    status, headers, _ = post(stack, b"", method, **bearer)
    assert (status, headers["allow"]) == (405, "POST")


def test_pages_of_other_origins_are_refused(stack: Stack, bearer: dict[str, str]) -> None:
    assert post(stack, PING, origin="https://evil.example", **bearer)[0] == 403
    assert post(stack, PING, origin="null", **bearer)[0] == 403
    status, headers, _ = post(stack, PING, origin="https://app.example", **bearer)
    assert (status, headers["access-control-allow-origin"]) == (200, "https://app.example")


def test_a_browser_may_send_the_headers_of_the_protocol(stack: Stack) -> None:
    status, headers, _ = post(stack, b"", "OPTIONS", origin="https://app.example", access_control_request_method="POST")
    assert status == 204
    assert {"mcp-protocol-version", "mcp-method", "mcp-name"} <= set(headers["access-control-allow-headers"].split(", "))


@pytest.mark.parametrize("authorization", [None, "Bearer x", "Basic YTpi"])
def test_callers_without_a_token_are_told_so(stack: Stack, authorization: str | None) -> None:
    headers = {} if authorization is None else {"authorization": authorization}
    status, answered, _ = post(stack, PING, **headers)
    assert (status, answered["www-authenticate"]) == (401, "Bearer")
    assert post(stack, PING, x_user_id="ada")[0] == 401


def test_the_head_is_refused_before_the_body_comes(stack: Stack) -> None:
    with socket.create_connection(("127.0.0.1", stack.ports["web-0"]), timeout=30) as connection:
        connection.sendall(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                           b"Content-Length: 1000\r\n\r\n")
        assert connection.recv(1000).startswith(b"HTTP/1.1 401 ")


@pytest.mark.parametrize(("body", "status", "code"), [
    (b"", 400, -32700),
    (b"{", 400, -32700),
    (b"[" * 100_000, 400, -32700),
    (b'{"a":' * 30_000 + b"1" + b"}" * 30_000, 400, -32700),
    (b'{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}', 400, -32700),
    (b'{"jsonrpc":"2.0","id":1,"method":"\xff"}', 400, -32700),
    (b'{"jsonrpc":"2.0","id":1,"method":"\\u0000"}', 200, -32601),
    (b"[]", 400, -32600),
    (json.dumps([PING, PING]).encode(), 400, -32600),
    (b'{"jsonrpc":"2.0","id":{},"method":"ping"}', 400, -32600),
    (b'{"jsonrpc":"2.0","id":1,"method":"no/such"}', 200, -32601),
    (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}', 200, -32602),
])
def test_hostile_messages_get_an_error(stack: Stack, bearer: dict[str, str], body: bytes, status: int, code: int) -> None:
    answered, headers, text = post(stack, body, **bearer)
    assert (answered, headers["content-type"]) == (status, "application/json")
    assert json.loads(text)["error"]["code"] == code


def test_a_body_has_a_bound(stack: Stack, bearer: dict[str, str]) -> None:
    assert post(stack, json.dumps(PING).encode().ljust(256 * 1024), **bearer)[0] == 200
    assert post(stack, json.dumps(PING).encode().ljust(256 * 1024 + 1), **bearer)[0] == 413


@pytest.mark.parametrize(("version", "status"), [("2025-11-25", 200), ("2025-06-18", 200), ("2024-11-05", 400),
                                                 ("x", 400), ("2026-07-28", 400)])
def test_the_version_is_looked_at(stack: Stack, bearer: dict[str, str], version: str, status: int) -> None:
    answered, _, text = post(stack, PING, mcp_protocol_version=version, **bearer)
    assert answered == status, text
    if version == "2024-11-05":
        assert json.loads(text)["error"]["data"] == {"supported": ["2026-07-28", "2025-11-25", "2025-06-18"],
                                                     "requested": "2024-11-05"}
