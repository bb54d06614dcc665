"""Attacks on the two HTTP ports. While each runs, honest calls and probes are answered in time and the process keeps to
its memory. No attacker here has an identity, but where a test says so."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest
from http_clients import MAX_WAIT, MIB, Crowd, HonestCallers
from service_binary import binary

from tools.stack import Stack

SECONDS = 8.0
BOTH_PORTS = pytest.mark.parametrize("port", ["web-0", "ops-0"])
WHO = b"Host: localhost\r\nx-user-id: mallory\r\nContent-Type: application/json\r\n"
CALL = b"POST /todo.v1.TodoService/ListTasks HTTP/1.1\r\n" + WHO
MESSAGE = b"POST /mcp HTTP/1.1\r\n" + WHO


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Its places are fewer than a crowd."""
    with Stack(tmp_path_factory.mktemp("web") / "run", broker="memory", service_binary=binary(),
               service_flags=["--web-max-connections=1000"], keep_data=False) as running:
        yield running


def send_until_closed(port: int, opening: bytes, more: bytes, limit: int) -> int:
    """Sends `more` again and again; the number of bytes until the server had enough."""
    sent = 0
    with socket.create_connection(("127.0.0.1", port), timeout=MAX_WAIT) as one:
        try:
            one.sendall(opening)
            while sent < limit:
                one.sendall(more)
                sent += len(more)
        except (ConnectionError, BrokenPipeError):
            pass
    return sent


@BOTH_PORTS
@pytest.mark.parametrize("count", [256, 1_000])
def test_half_open_connections(stack: Stack, port: str, count: int) -> None:
    with HonestCallers(stack, 100 * MIB), Crowd(stack.ports[port], count, b"GET /healthz HTTP/1.1\r\n") as crowd:
        crowd.press(SECONDS)


@BOTH_PORTS
def test_connections_that_say_nothing(stack: Stack, port: str) -> None:
    with HonestCallers(stack, 100 * MIB), Crowd(stack.ports[port], 1_000, b"") as crowd:
        crowd.press(SECONDS)


@BOTH_PORTS
def test_heads_that_trickle_in(stack: Stack, port: str) -> None:
    with HonestCallers(stack, 100 * MIB), Crowd(stack.ports[port], 500, b"GET /healthz HTTP/1.1\r\nA: ") as crowd:
        crowd.press(SECONDS, lambda one: one.sendall(b"b"))


@BOTH_PORTS
def test_an_endless_trailer(stack: Stack, port: str) -> None:
    opening = b"Host: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n"
    field = b"a: " + b"b" * 1_000 + b"\r\n"
    with HonestCallers(stack, 50 * MIB):
        for first in (b"GET /healthz HTTP/1.1\r\n", CALL):
            assert send_until_closed(stack.ports[port], first + opening, field, 300 * MIB) < 16 * MIB


def test_an_endless_trailer_of_a_user(stack: Stack) -> None:
    opening = CALL + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
    with HonestCallers(stack, 50 * MIB):
        for more in (b"a: " + b"b" * 1_000 + b"\r\n", b"a:\r\n" * 1_000, b"a" * 4_000):
            assert send_until_closed(stack.ports["web-0"], opening, more, 300 * MIB) < 16 * MIB


def test_endless_extensions_and_bodies_of_a_user(stack: Stack) -> None:
    with HonestCallers(stack, 100 * MIB):
        for more in (b"1;" + b"a" * 200 + b"\r\n \r\n", b"1;" + b"a" * 4_000, b"400\r\n" + b" " * 1_024 + b"\r\n"):
            for first in (CALL, MESSAGE):
                opening = first + b"Transfer-Encoding: chunked\r\n\r\n"
                assert send_until_closed(stack.ports["web-0"], opening, more, 300 * MIB) < 16 * MIB


@BOTH_PORTS
def test_floods_of_fields(stack: Stack, port: str) -> None:
    opening = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
    with HonestCallers(stack, 100 * MIB), Crowd(stack.ports[port], 200, opening) as crowd:
        crowd.press(SECONDS, lambda one: one.sendall(b"a: b\r\n" * 200))


def test_pages_that_nobody_reads(stack: Stack) -> None:
    opening = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100
    with HonestCallers(stack, 100 * MIB), Crowd(stack.ports["ops-0"], 300, opening, receive_buffer=4_096) as crowd:
        crowd.press(SECONDS, lambda one: one.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"))


@pytest.mark.parametrize("users", [1, 500])
def test_bodies_of_users_that_trickle_in(stack: Stack, users: int) -> None:
    opening = CALL.replace(b"mallory", b"mallory-%d") + b"Content-Length: 1000000\r\n\r\n{"

    def opening_of(number: int) -> bytes:
        return opening % (number % users)

    # More connections than --web-max-connections, and each sends a byte far more often than every second.
    with HonestCallers(stack, 150 * MIB), Crowd(stack.ports["web-0"], 1_200, opening_of) as crowd:
        crowd.press(SECONDS, lambda one: one.sendall(b" "))


def test_requests_of_a_user_that_nobody_reads(stack: Stack) -> None:
    call = CALL + b"Content-Length: 2\r\n\r\n{}"
    with HonestCallers(stack, 100 * MIB), Crowd(stack.ports["web-0"], 20, call, receive_buffer=4_096) as crowd:
        crowd.press(SECONDS, lambda one: one.sendall(call))


def test_messages_of_assistants_that_are_hard_to_read(stack: Stack) -> None:
    size = 256 * 1_024
    begin = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"find_tasks","arguments":'
    names = b",".join(b'"%d":0' % number for number in range(20_000))
    bodies = [b"[" * size, b'{"a":[' * (size // 6), begin + b"[" + b"[]," * 80_000 + b"0]}}", begin + b"{" + names + b"}}}",
              begin + b'{"words":"' + b"\\u0000" * 30_000 + b'"}}}', begin + b'{"words":"' + b"buy " * 50_000 + b'"}}}',
              b'{"jsonrpc":"2.0","method":"ping","id":"' + b"i" * (size - 100) + b'"}']

    def opening_of(number: int) -> bytes:
        body = bodies[number % len(bodies)]
        return MESSAGE + b"Connection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    with HonestCallers(stack, 150 * MIB), Crowd(stack.ports["web-0"], 30, opening_of) as crowd:
        crowd.press(SECONDS)


@BOTH_PORTS
def test_garbage(stack: Stack, port: str) -> None:
    with HonestCallers(stack, 100 * MIB):
        for garbage in (b"\x16\x03\x01\x02\x00" + os.urandom(500), os.urandom(5_000), b"\r\n" * 100_000, b"\0" * 10_000):
            with Crowd(stack.ports[port], 50, garbage) as crowd:
                crowd.press(1.0)
