"""Something is away: while the service runs, and when it starts. What was accepted waits, and goes on by itself."""

from __future__ import annotations

import json
import time
import uuid
from pathlib import Path
from typing import Any

import grpc
import pytest
from checks import WITHOUT_MUTATIONS, check
from conftest import REPOSITORY, binary
from evidence import collect, wait_for_quiet
from todo_client import (
    Client,
    Operator,
    eventually,
    foreign_event,
    insist_on_start,
    kcat,
    published,
    reason_of,
    retry_seconds,
    rows,
    send,
)

from tools.stack import Stack


def complete_some(stack: Stack, user: str, count: int = 10) -> Client:
    """Accepted at once, whatever is away but the database; their successors need the bus."""
    client = Client(stack.api_target(), user)
    for n in range(count):
        task = client.create(f"task {n}", due_local="2036-10-24", recurrence_rule="daily")
        client.complete(task.id)
    return client


def tasks(client: Client) -> list[Any]:
    """The open ones; none as long as the service cannot answer."""
    try:
        return client.tasks(completed=False)
    except grpc.RpcError as error:
        assert error.code() == grpc.StatusCode.UNAVAILABLE
        return []


def goes_on(stack: Stack, client: Client, since: float, what: str) -> None:
    def probe() -> bool:
        if stack.daprds[0].died:  # 1.17 does when the scheduler comes or goes at a bad moment; see docs/operations.md
            stack.kill("daprd-0")
            insist_on_start(stack, "daprd-0")
        return len(tasks(client)) == 10
    eventually(probe, f"{what}: ten successors", within=120)
    print(f"{what}: work goes on {time.monotonic() - since:.1f} s after it was back")


def nothing_lost_or_doubled(stack: Stack) -> None:
    assert wait_for_quiet(stack, patience=90) is None
    status = Operator(stack.api_target()).status()
    assert (status.unpublished_changes, status.waiting_retries, status.open_dead_letters) == (0, 0, 0)
    assert check(collect(stack, [], order_kept=False), WITHOUT_MUTATIONS) == []


@pytest.mark.parametrize("away", ["daprd-0", "kafka"])
def test_without_the_bus_changes_are_accepted_and_wait(stack: Stack, away: str) -> None:
    ops = Operator(stack.api_target())
    stack.kill(away)
    client = complete_some(stack, f"outage-{away}")
    assert ops.status().unpublished_changes >= 20
    stack.start_one(away)
    goes_on(stack, client, time.monotonic(), f"{away} away")

    # A replica that is started meanwhile serves all the same.
    stack.kill(away)
    stack.kill("service-0")
    stack.start_one("service-0")
    if away == "kafka":
        stack.kill("daprd-0")  # it ends as long as it does not find the broker
    client = complete_some(stack, f"outage-{away}-at-start")
    status = Operator(stack.api_target()).status()
    assert status.unpublished_changes >= 20
    assert not status.sidecar_answers
    stack.start_one(away)
    since = time.monotonic()
    if away == "kafka":
        insist_on_start(stack, "daprd-0")
    goes_on(stack, client, since, f"{away} away at start")
    nothing_lost_or_doubled(stack)


def refused_with_advice(stack: Stack, user: str) -> None:
    """Calls fail by themselves, long before their deadline, and say when to come again."""
    client = Client(stack.api_target(), user, timeout=60)
    for _ in range(3):
        began = time.monotonic()
        with pytest.raises(grpc.RpcError) as refused:
            client.create()
        assert refused.value.code() == grpc.StatusCode.UNAVAILABLE
        assert time.monotonic() - began < 20
        assert retry_seconds(refused.value) > 0
        assert reason_of(refused.value)


def test_without_the_database_calls_fail_fast_and_no_event_dies(stack: Stack) -> None:
    client = complete_some(stack, "outage-postgres")
    stack.kill("postgres")
    refused_with_advice(stack, client.user)
    send(stack, foreign_event("outage-foreign", 9_000_001))
    daprd = stack.daprds[0]
    eventually(lambda: '"App entered un-healthy status' in daprd.output(), "delivery stops")
    refused_with_advice(stack, client.user)
    stack.start_one("postgres")
    since = time.monotonic()
    goes_on(stack, client, since, "postgres away")
    foreign = Client(stack.api_target(), "outage-foreign")
    eventually(lambda: tasks(foreign), "the event that came meanwhile", within=120)
    print(f"postgres away: what came meanwhile was taken {time.monotonic() - since:.1f} s after it was back")
    assert rows(stack, "select count(*) from dead_letters") == [["0"]]

    stack.kill("postgres")
    stack.kill("service-0")
    stack.services[0].launch()
    eventually(lambda: stack.services[0].app_port_closed() is None, "the service listens")
    refused_with_advice(stack, client.user)
    stack.start_one("postgres")
    since = time.monotonic()
    stack.services[0].wait_ready()
    goes_on(stack, complete_some(stack, "outage-postgres-at-start"), since, "postgres away at start")
    assert rows(stack, "select count(*) from dead_letters") == [["0"]]


def test_without_the_scheduler_tasks_go_on(stack: Stack) -> None:
    stack.kill("scheduler")
    goes_on(stack, complete_some(stack, "outage-scheduler"), time.monotonic(), "scheduler away")
    stack.kill("daprd-0")
    stack.kill("service-0")
    stack.start_one("service-0")
    client = complete_some(stack, "outage-scheduler-at-start")
    insist_on_start(stack, "daprd-0")
    goes_on(stack, client, time.monotonic(), "scheduler away at start")
    stack.start_one("scheduler")
    goes_on(stack, complete_some(stack, "outage-scheduler-back"), time.monotonic(), "scheduler back")


def test_without_the_state_store_reminders_wait_and_all_else_goes_on(tmp_path: Path) -> None:
    """The sidecar has no store of that name: whoever reads the users' preferences gets nowhere until it has."""
    components = tmp_path / "components"
    components.mkdir()
    with Stack(tmp_path / "run", service_binary=binary(), service_flags=["--statestore=late-store"],
               components=components, keep_data=False) as stack:
        reminded = [str(uuid.uuid4()) for _ in range(30)]
        for number, event_id in enumerate(reminded):
            data = {"id": event_id, "task_id": 9_100_000 + number, "user_id": f"outage-state-{number % 3}",
                    "title": "call mum", "remind_at": "2026-01-01T09:00:00Z"}
            kcat(stack, "reminders", data["user_id"], json.dumps({
                "specversion": "1.0", "id": event_id, "source": "other", "type": "t", "data": data}).encode())
        waiting = "select count(*), max(attempts) from retries where consumer = 'notifications'"
        eventually(lambda: rows(stack, waiting) == [["30", "0"]], "the reminders wait")
        since = time.monotonic()
        goes_on(stack, complete_some(stack, "outage-state"), since, "state store away")
        published(stack)
        assert rows(stack, waiting) == [["30", "0"]]
        assert rows(stack, "select count(*) from notifications") == [["0"]]

        store = (REPOSITORY / "deploy" / "components" / "common" / "statestore.yaml").read_text(encoding="utf-8")
        (components / "late.yaml").write_text(store.replace("name: statestore", "name: late-store"), encoding="utf-8")
        stack.restart("daprd-0")
        told = "select count(*), count(distinct id) from notifications"
        eventually(lambda: rows(stack, told) == [["30", "30"]], "each of them is told once")
        eventually(lambda: rows(stack, "select count(*) from retries") == [["0"]], "nothing waits")
        assert rows(stack, "select count(*) from dead_letters") == [["0"]]


def test_old_rows_go_when_the_service_serves_and_do_not_keep_it_from_serving(stack: Stack) -> None:
    old = "select count(*) from requests where at < now() - interval '8 days'"
    rows(stack, "insert into requests select 'old', gen_random_uuid(), '', null, '{}', now() - interval '9 days'"
                " from generate_series(1, 2500)")
    rows(stack, "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$")
    rows(stack, "create trigger refuse before delete on requests for each row execute function refuse()")
    for expected in ("2500", "0"):
        stack.kill("service-0")
        stack.start_one("service-0")
        assert Client(stack.api_target(), "serves").create().id
        eventually(lambda: '"maintenance_failed"' in stack.services[0].output() or rows(stack, old) == [["0"]],
                   "it has tried")
        assert rows(stack, old) == [[expected]]
        rows(stack, "drop trigger if exists refuse on requests")
