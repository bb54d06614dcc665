"""The end of the service while work is in progress."""

from __future__ import annotations

import http.client
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from conftest import binary
from todo_client import Client, eventually, rows

from tools.stack import Stack
from tools.stack.dapr import http_get


@contextmanager
def locked(stack: Stack, table: str) -> Iterator[None]:
    """Nobody else can change the table in this block."""
    session = subprocess.Popen(["psql", stack.database_url, "-X", "-q"], stdin=subprocess.PIPE, text=True)
    assert session.stdin
    session.stdin.write(f"begin; lock table {table};\n")
    session.stdin.flush()
    eventually(lambda: rows(stack, f"select count(*) from pg_locks where relation = '{table}'::regclass and granted "
                                   "and mode = 'AccessExclusiveLock'") == [["1"]], "the lock")
    try:
        yield
    finally:
        session.communicate("rollback;\n", timeout=30)


def post(port: int) -> None:
    with suppress(OSError, http.client.HTTPException):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", "/todo.v1.TodoService/CreateTask", b'{"task": {"title": "stuck"}}',
                           {"content-type": "application/json", "x-user-id": "ada"})
        connection.getresponse().read()


def test_calls_that_hang_on_the_database_are_left_in_order(tmp_path: Path) -> None:
    """The process cannot wait for them for ever; it says so by its exit code, and does not crash on them."""
    with Stack(tmp_path / "run", broker="memory", service_binary=binary(), service_flags=["--drain-timeout=1s"],
               keep_data=False) as stack:
        Client(stack.api_target(), "ada").create("before")
        with locked(stack, "tasks"):
            calls = [threading.Thread(target=post, args=(stack.ports["web-0"],)) for _ in range(3)]
            for call in calls:
                call.start()
            # The first of them; the others of this user wait for it.
            eventually(lambda: rows(stack, "select count(*) from pg_stat_activity where wait_event_type = 'Lock' "
                                           "and query like '%apply_change%'") == [["1"]], "a call waits for the lock")
            service = stack.node("service-0")
            service.stop()
            for call in calls:
                call.join()
        assert service.exit_code == 3, service.last_words()  # not drained


def test_a_port_that_answers_nobody_ends_the_process(tmp_path: Path) -> None:
    """The kernel goes on taking connections for it, so only an answer shows that somebody listens."""
    with Stack(tmp_path / "run", broker="memory", service_binary=binary(), service_env={"TODO_FAULTS": "api-deaf=plant"},
               keep_data=False) as stack:
        service = stack.node("service-0")
        eventually(lambda: http_get(stack.ports["ops-0"], "/readyz")[0] == 503, "it is not ready")
        eventually(lambda: service.exit_code is not None, "it has ended", within=150)
        assert service.exit_code == 1
        assert '"port_dead"' in service.output() and "the api port no longer answers" in service.output()
