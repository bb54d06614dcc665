"""What docs/runbook.md calls tried: a situation on the real stack, and what the alert's own expression makes of it."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import grpc
import pytest
from prometheus import fires, value_of
from test_page import page_of
from todo_client import Client, Notified, Operator, eventually, insist_on_start, kcat

from tools.stack import Stack


def page_when(stack: Stack, what: str, true: Callable[[str], bool]) -> str:
    def probe() -> str | None:
        page = page_of(stack)
        return page if true(page) else None

    return eventually(probe, what, within=120, every=0.5)


def test_the_sidecar_is_away(stack: Stack) -> None:
    client = Client(stack.api_target(), "runbook-sidecar")
    before = page_when(stack, "the sidecar is there", lambda page: value_of(page, "todo_sidecar_answers") == 1)
    assert not fires("TodoSidecarAway", [before]) and not fires("TodoOutboxStuck", [before])
    stack.kill("daprd-0")
    try:
        client.create("waits for the bus")
        away = page_when(stack, "it is noticed", lambda page: value_of(page, "todo_sidecar_answers") == 0)
        assert fires("TodoSidecarAway", [before, away])
        stuck = page_when(stack, "the change has waited", lambda page: (value_of(page, "todo_outbox_oldest_seconds") or 0) > 30)
        assert fires("TodoOutboxStuck", [before, stuck])
        assert value_of(stuck, "todo_outbox_unpublished_changes") == 1
    finally:
        insist_on_start(stack, "daprd-0")
    after = page_when(stack, "all is well again", lambda page: value_of(page, "todo_sidecar_answers") == 1
                      and value_of(page, "todo_outbox_unpublished_changes") == 0)
    assert not fires("TodoSidecarAway", [away, after]) and not fires("TodoOutboxStuck", [stuck, after])


def fail(client: Client, calls: int) -> None:
    for _ in range(calls):
        with suppress(grpc.RpcError):
            client.create("in vain")


def test_the_database_is_away(stack: Stack) -> None:
    client = Client(stack.api_target(), "runbook-database", timeout=3)
    client.create("before")
    before = page_of(stack)
    stack.stop_one("postgres")
    try:
        # The rate of a code that has not been seen before begins with its second page.
        fail(client, calls=20)
        failing = page_of(stack)
        fail(client, calls=20)
        away = page_when(stack, "it is noticed", lambda page: value_of(page, "todo_healthy") == 0)
        assert fires("TodoDatabaseAway", [before, away])
        assert fires("TodoCallsFail", [before, failing, away])
        page_when(stack, "no figures are better than outdated ones",
                  lambda page: value_of(page, "todo_outbox_oldest_seconds") is None)
    finally:
        stack.start_one("postgres")
    after = page_when(stack, "all is well again", lambda page: value_of(page, "todo_healthy") == 1)
    assert not fires("TodoDatabaseAway", [away, after])
    assert not fires("TodoCallsFail", [after, after])


def test_an_event_becomes_a_dead_letter(stack: Stack) -> None:
    before = page_of(stack)
    assert not fires("TodoDeadLetters", [before, before])
    kcat(stack, "task-events", "runbook-dead", b"no event")
    dead = page_when(stack, "a dead letter", lambda page: value_of(page, "todo_events_total", result="dead")
                     > value_of(before, "todo_events_total", result="dead"))
    assert fires("TodoDeadLetters", [before, dead])
    page_when(stack, "it is open", lambda page: (value_of(page, "todo_dead_letters_open") or 0) > 0)
    operator = Operator(stack.api_target())
    for letter in operator.list():
        operator.discard(letter.id, "of a test")
    after = page_when(stack, "none is open", lambda page: value_of(page, "todo_dead_letters_open") == 0)
    assert not fires("TodoDeadLetters", [after, after])


@pytest.fixture
def unwilling() -> Iterator[str]:
    """The URL of a server that is always out of order."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(503)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/hook"
    server.shutdown()
    server.server_close()


def test_a_webhook_endpoint_is_out_of_order(stack: Stack, unwilling: str) -> None:
    user = f"runbook-webhook-{uuid.uuid4()}"
    Notified(stack.api_target(), user).webhook(unwilling, task_events=True)
    before = page_of(stack)
    assert not fires("TodoDeliveriesFail", [before, before])
    Client(stack.api_target(), user).create("to be told")
    failed = page_when(stack, "a failed attempt", lambda page: value_of(
        page, "todo_delivery_attempts_total", channel="webhook", outcome="retry") > value_of(
        before, "todo_delivery_attempts_total", channel="webhook", outcome="retry"))
    assert fires("TodoDeliveriesFail", [before, failed])
    assert value_of(failed, "todo_delivery_attempt_duration_seconds_count", channel="webhook") > 0
