"""Attacks on the gRPC ports. Each is bounded: honest calls go on, memory stays, and all ports are alive afterwards."""

from __future__ import annotations

import contextlib
import resource
import socket
import struct
import threading
import time
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from honest import MIB, Honest, Target, create_task, own_channel
from raw_http2 import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    HEADERS,
    PING,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    Closed,
    Connection,
    call_headers,
    frame,
    grpc_message,
    integer,
)
from todo_client import eventually

LIST_TASKS = "/todo.v1.TodoService/ListTasks"
GET_TASK = "/todo.v1.TodoService/GetTask"
SUBSCRIPTIONS = "/dapr.proto.runtime.v1.AppCallback/ListTopicSubscriptions"
BULK_EVENTS = "/dapr.proto.runtime.v1.AppCallbackAlpha/OnBulkTopicEventAlpha1"
PORTS = pytest.mark.parametrize("port", ["api", "app"])


def port_of(target: Target, name: str) -> int:
    return target.api_port if name == "api" else target.app_port


def at_once(*attacks: Callable[[], None]) -> None:
    """Runs all; the server may end any of them."""
    def run(attack: Callable[[], None]) -> None:
        with contextlib.suppress(Closed, OSError):
            attack()
    threads = [threading.Thread(target=run, args=(attack,)) for attack in attacks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def bare_connections(port: int, count: int) -> list[socket.socket]:
    sockets = []
    for _ in range(count):
        one = socket.socket()
        one.settimeout(5)
        with contextlib.suppress(OSError):
            one.connect(("127.0.0.1", port))
        sockets.append(one)
    return sockets


@PORTS
def test_bare_connections_do_not_use_up_the_descriptors(target: Target, port: str) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(4_096, hard), hard))
    with Honest(target, max_growth=50 * MIB):
        sockets = bare_connections(port_of(target, port), 1_200)
        time.sleep(2)
        for one in sockets:
            one.close()
        time.sleep(0.5)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@PORTS
def test_idle_connections_give_way(target: Target, port: str) -> None:
    with Honest(target, max_growth=50 * MIB):
        idle = []
        for _ in range(250):
            with contextlib.suppress(Closed, OSError):
                idle.append(Connection(port_of(target, port)))
            time.sleep(0.01)
        time.sleep(1)
        for one in idle:
            one.close()


def test_answers_that_are_not_read_are_cancelled(target: Target) -> None:
    with own_channel(target.stack.api_target()) as channel:
        for _ in range(250):
            create_task(channel, "mallory", "large", description="d" * 4_000)

    cancelled = []

    def hold() -> None:
        connection = Connection(target.api_port, window=0)
        for _ in range(120):
            connection.call(LIST_TASKS, b"\x08\xf4\x03", x_user_id="mallory")  # page_size: 500
        for one in connection.frames(8):
            if one.kind == RST_STREAM:
                cancelled.append(one.stream)

    with Honest(target, max_growth=250 * MIB):
        at_once(*[hold] * 3)
    assert cancelled


@PORTS
def test_calls_at_the_same_time_are_bounded(target: Target, port: str) -> None:
    """Requests that never end; the limit that the server announces is ignored."""
    def hold() -> None:
        connection = Connection(port_of(target, port))
        for _ in range(5_000):
            connection.send(frame(HEADERS, END_HEADERS, connection.next_stream(), call_headers(GET_TASK)))
        connection.ends(2)

    with Honest(target, max_growth=100 * MIB):
        at_once(*[hold] * 4)


@PORTS
def test_endless_headers_are_cut_off(target: Target, port: str) -> None:
    """A header that claims a gigabyte, in frames without end."""
    ended = []

    def flood() -> None:
        connection = Connection(port_of(target, port))
        fields = call_headers(GET_TASK) + b"\0" + integer(3, 7) + b"x-a" + integer(2**30, 7)
        try:
            connection.send(frame(HEADERS, 0, connection.next_stream(), fields))
            for _ in range(640):
                connection.send(frame(CONTINUATION, 0, 1, b"a" * 16_384) * 4)
        except Closed:
            ended.append(True)

    with Honest(target, max_growth=150 * MIB):
        at_once(*[flood] * 4)
    assert len(ended) == 4


@PORTS
def test_small_continuations_are_cut_off(target: Target, port: str) -> None:
    def flood() -> None:
        connection = Connection(port_of(target, port))
        connection.send(frame(HEADERS, 0, connection.next_stream(), call_headers(GET_TASK)))
        until = time.monotonic() + 4
        while time.monotonic() < until:
            connection.send(frame(CONTINUATION, 0, 1) * 1_000)

    with Honest(target, max_growth=50 * MIB):
        at_once(*[flood] * 4)


def test_rapid_reset_is_slowed_down(target: Target) -> None:
    def flood(port: int, path: str, **more: str) -> None:
        connection = Connection(port)
        fields = call_headers(path, **more)
        until = time.monotonic() + 4
        while time.monotonic() < until:
            streams = [connection.next_stream() for _ in range(200)]
            connection.send(b"".join(
                frame(HEADERS, END_HEADERS, stream, fields) + frame(DATA, END_STREAM, stream, grpc_message(b"")) +
                frame(RST_STREAM, 0, stream, struct.pack(">I", 8)) for stream in streams))

    # Six connections with 1,000 resets that are free and 200 for each of four seconds: at most 10,800 calls of about 20 KiB,
    # all of which a server that has little of the processor holds at once.
    with Honest(target, max_growth=250 * MIB):
        at_once(*[partial(flood, target.api_port, LIST_TASKS, x_user_id="mallory"),
                  partial(flood, target.app_port, SUBSCRIPTIONS)] * 3)


def test_floods_of_control_frames_are_slowed_down(target: Target) -> None:
    def attack(port: int, flood: bytes) -> None:
        connection = Connection(port)
        connection.send(frame(HEADERS, END_HEADERS, connection.next_stream(), call_headers(GET_TASK)))
        until = time.monotonic() + 4
        while time.monotonic() < until:
            connection.send(flood * 1_000)

    kinds = (frame(PING, 0, 0, b"12345678"), frame(SETTINGS, 0, 0, struct.pack(">HI", 4, 65_535)),
             frame(SETTINGS, ACK, 0), frame(DATA, 0, 1), frame(WINDOW_UPDATE, 0, 0, struct.pack(">I", 1)))
    with Honest(target, max_growth=100 * MIB):
        at_once(*[partial(attack, port, kind) for kind in kinds for port in (target.api_port, target.app_port)])


@PORTS
def test_a_compressed_message_is_not_unpacked(target: Target, port: str) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = bytes(MIB)
    bomb = b"".join([*(packer.compress(block) for _ in range(600)), packer.flush()])
    path = GET_TASK if port == "api" else BULK_EVENTS

    def attack() -> None:
        connection = Connection(port_of(target, port))
        stream = connection.upload(path, grpc_message(bomb, compressed=True), grpc_encoding="gzip", x_user_id="mallory")
        connection.finished(stream, 5)

    with Honest(target, max_growth=50 * MIB):
        at_once(attack, attack)


def test_slow_openings_and_slow_headers_are_cut_off(target: Target) -> None:
    """A byte now and then, within the preface and within a header block."""
    opening = PREFACE + frame(SETTINGS, 0, 0)
    whole = opening + frame(HEADERS, 0, 1, call_headers(GET_TASK))
    ended = []

    def attack(port: int, start: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as slow:
            slow.sendall(whole[:start])
            try:
                for position in range(start, start + 60):
                    slow.sendall(whole[position:position + 1])
                    time.sleep(0.4)
            except OSError:
                ended.append(True)

    with Honest(target, max_growth=50 * MIB):
        at_once(*[partial(attack, port, start) for port in (target.api_port, target.app_port)
                  for start in (1, len(opening) + 10)] * 10)
    assert len(ended) == 40


def test_memory_is_given_back(target: Target) -> None:
    """After all of the above; the service gives memory back every few seconds."""
    eventually(lambda: target.rss() < 150 * MIB, "little memory is in use")
    assert not target.stack.died()


def test_the_ports_outlive_a_lack_of_descriptors(target: Target) -> None:
    """Last, because it takes away descriptors that the service has counted on."""
    used = len(list(Path(f"/proc/{target.pid}/fd").iterdir()))
    before = resource.prlimit(target.pid, resource.RLIMIT_NOFILE)
    for port in (target.api_port, target.app_port):
        resource.prlimit(target.pid, resource.RLIMIT_NOFILE, (used + 4, before[1]))
        sockets = bare_connections(port, 60)
        time.sleep(1)
        resource.prlimit(target.pid, resource.RLIMIT_NOFILE, before)
        for one in sockets:
            one.close()
    with Honest(target, max_growth=50 * MIB):
        pass  # it calls for a while
