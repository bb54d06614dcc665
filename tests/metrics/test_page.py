"""The page /metrics of a service that has work: its form, and that alerts, dashboard and documents name what is on it."""

from __future__ import annotations

import re
import time
from collections import Counter

import grpc
import pytest
from conftest import REPOSITORY
from prometheus import alerts, graphs, names_in, run, samples, value_of
from todo_client import Client, Reminders, eventually

from tools.stack import Stack
from tools.stack.dapr import http_get

OPERATIONS = REPOSITORY / "docs" / "operations.md"
RUNBOOK = REPOSITORY / "docs" / "runbook.md"
SECRET = "a title that nobody else may read"
# A user of the tests, who must be on no page.
USER = "metrics-ada"
MAX_SAMPLES = 4_000


def page_of(stack: Stack) -> str:
    status, body = http_get(stack.ports["ops-0"], "/metrics", {})
    assert status == 200
    return body.decode()


@pytest.fixture(scope="module")
def page(stack: Stack) -> str:
    """After the main story: a series, a call that is refused, a reminder, and the first look at the database."""
    client = Client(stack.api_target(), USER)
    task = client.create(SECRET, due_local="2036-10-24", recurrence_rule="daily")
    client.complete(task.id)
    successor = client.successor_of(task)
    with pytest.raises(grpc.RpcError):
        client.get(2**53)
    stack.wait_jobs()
    Reminders(client).create(successor.id, at=time.time() + 2)

    def whole() -> str | None:
        text = page_of(stack)
        ready = value_of(text, "todo_reminder_lateness_seconds_count") and value_of(text, "todo_outbox_oldest_seconds") is not None
        return text if ready and value_of(text, "todo_events_total", consumer="recurring-tasks", result="applied") else None

    return eventually(whole, "a page with everything")


def families(page: str) -> dict[str, str]:
    """Each metric and its type."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE))


def names(page: str) -> set[str]:
    return {name for name, _, _ in samples(page)}


def test_promtool_has_nothing_to_say_about_the_page(page: str) -> None:
    code, said = run("check", "metrics", text=page)
    assert (code, said) == (0, "")
    worse = page + "# HELP todo_bad_milliseconds bad\n# TYPE todo_bad_milliseconds counter\ntodo_bad_milliseconds 1\n"
    assert run("check", "metrics", text=worse)[0] != 0, "and promtool would say so"


def test_alerts_and_dashboard_name_metrics_of_the_page(page: str) -> None:
    for title, expression in {**alerts(), **graphs()}.items():
        assert names_in(expression), title
        assert not names_in(expression) - names(page), title


def test_alerts_and_dashboard_name_labels_of_the_page(page: str) -> None:
    known = {"le", "job", "instance", "namespace"}
    for name, labels, _ in samples(page):
        known |= {f"{name}{{{label}" for label in re.findall(r'(\w+)="', labels)}
    for title, expression in {**alerts(), **graphs()}.items():
        for name, selected in re.findall(r"((?:todo|process)_[a-z_]+)\{([^}]*)\}", expression):
            for label in re.findall(r"(\w+)[=!~]+\"", selected):
                assert label in known or f"{name}{{{label}" in known, (title, label)
        grouped = {label for by in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression) for label in by.split(", ")}
        for label in grouped - known:
            assert any(f"{name}{{{label}" in known for name in names_in(expression)), (title, label)


def test_documents_name_metrics_of_the_page(page: str) -> None:
    known = set(families(page))
    for document in (OPERATIONS, RUNBOOK):
        named = set(re.findall(r"`((?:todo|process)_[a-z_]+)(?:\{[^`]*\})?`", document.read_text()))
        assert named and not named - known, document
    assert not known - set(re.findall(r"`([a-z_]+)`", OPERATIONS.read_text())), "docs/operations.md has a line for each"


def test_names_are_kept() -> None:
    """Dashboards of others use them: a name that was ever on the page stays."""
    kept = (REPOSITORY / "tests" / "metrics" / "names.txt").read_text().split()
    assert kept == sorted(set(kept))
    assert set(kept) <= set(re.findall(r"`([a-z_]+)`", OPERATIONS.read_text()))


def test_the_page_has_every_name_that_was_ever_on_it(page: str) -> None:
    kept = set((REPOSITORY / "tests" / "metrics" / "names.txt").read_text().split())
    assert set(families(page)) == kept, "add new names to tests/metrics/names.txt; never take one away"


def test_calls_are_counted_by_method_and_code(page: str) -> None:
    count = "todo_call_duration_seconds_count"
    assert value_of(page, count, method="todo.v1.TodoService/CompleteTask", code="OK") == 1
    assert value_of(page, count, method="todo.v1.TodoService/GetTask", code="NOT_FOUND") == 1
    assert value_of(page, "todo_call_duration_seconds_sum", method="todo.v1.TodoService/CompleteTask") > 0


def test_events_and_reminders_are_counted_with_their_delay(page: str) -> None:
    for consumer in ("recurring-tasks", "usage", "task-webhooks"):
        applied = value_of(page, "todo_events_total", consumer=consumer, result="applied")
        assert applied == value_of(page, "todo_event_lag_seconds_count", consumer=consumer), consumer
    assert value_of(page, "todo_events_total", result="dead") == 0
    assert value_of(page, "todo_reminder_lateness_seconds_count") == 1


def test_the_process_is_that_of_the_kernel(stack: Stack, page: str) -> None:
    assert abs(value_of(page, "process_start_time_seconds") - time.time()) < 3_600
    assert value_of(page, "process_open_fds") > 10
    assert value_of(page, "process_resident_memory_bytes") > 10_000_000
    assert value_of(page_of(stack), "process_cpu_seconds_total") >= value_of(page, "process_cpu_seconds_total") > 0
    assert value_of(page, "todo_sidecar_answers") == value_of(page, "todo_healthy") == 1
    assert abs(value_of(page, "todo_clock_difference_seconds")) < 5


def test_the_page_is_bounded_and_says_nothing_about_users(page: str) -> None:
    """Labels have the values of tables in the program."""
    assert USER not in page and SECRET not in page
    seen = Counter(name for name, _, _ in samples(page))
    assert seen.total() < MAX_SAMPLES, seen.most_common(5)
    values = {label for _, labels, _ in samples(page) for label in re.findall(r'(\w+)="', labels)}
    assert values == {"channel", "code", "consumer", "le", "method", "outcome", "pool", "port", "purpose", "reason", "result",
                      "version", "way"}
