"""Bad events, crashes at bad moments, and what becomes of both."""

from __future__ import annotations

import base64
import json
import time
import uuid
from pathlib import Path

import grpc
import pytest
from conftest import binary
from poison import poison
from refusal import mend, refuse_successors_of
from schemas import validator
from todo_client import (
    Client, Operator, eventually, foreign_event, kcat, produce, published, read_topic, rows, send,
)

from tools.stack import Stack


def dead_letters(stack: Stack, where: str = "true") -> int:
    return int(rows(stack, f"select count(*) from dead_letters where {where}")[0][0])


@pytest.mark.parametrize("bulk", ["true", "false"])
def test_a_failing_event_is_retried_then_dead_and_can_be_replayed(tmp_path: Path, bulk: str) -> None:
    with Stack(tmp_path / "run", service_binary=binary(), service_flags=[f"--bulk-delivery={bulk}"],
               keep_data=False) as stack:
        refuse_successors_of(stack, "poison")
        user = Client(stack.api_target(), "fault-ada")
        bad = user.create("poison", due_local="2026-10-24", recurrence_rule="daily")
        good = user.create("good", due_local="2026-10-24", recurrence_rule="daily")
        user.complete(bad.id)
        user.uncomplete(bad.id)
        user.complete(bad.id)
        user.complete(good.id)
        user.successor_of(good)  # other tasks' events go on

        # The later events of the task wait behind the first, and each has its four attempts.
        attempts = eventually(lambda: rows(stack, "select attempts from retries where attempts > 0"), "a retry")
        assert attempts
        eventually(lambda: dead_letters(stack) == 3, "three dead letters", within=120)
        assert rows(stack, "select count(*) from retries") == [["0"]]
        letters = rows(stack, """select attempts, extract(epoch from last_failed_at - first_failed_at), reason, event_id
                                 from dead_letters order by first_failed_at""")
        for tries, seconds, reason, _ in letters:
            assert tries == "4"
            assert 7.0 <= float(seconds) < 30, "1 s + 2 s + 4 s, never early"
            assert "database error P0001" in reason
        published(stack)
        records = [r for r in read_topic(stack, "task-events-dlq")]
        assert len(records) == 3
        for record in records:
            validator("dead-letter.schema.json").validate(record.event)
            assert record.key == "fault-ada"
            assert record.event["dlqattempts"] == 4
            assert record.event["data"]["id"] == record.event["dlqeventid"]

        mend(stack)
        before = len(read_topic(stack, "task-events"))
        ops = Operator(stack.api_target())
        listed = ops.list(consumer="recurring-tasks")
        assert [letter.attempts for letter in listed] == [4, 4, 4]
        assert ops.get(listed[0].id).record in {r.value for r in read_topic(stack, "task-events")}
        assert ops.replay(ids=[listed[0].id]) == 1
        assert ops.replay(filter=True) == 2
        following = user.successor_of(bad)
        assert following.title == "poison"
        eventually(lambda: rows(stack, "select count(*) from retries") == [["0"]], "the queue is empty")
        assert len([t for t in user.tasks() if t.series_id == bad.series_id]) == 2
        published(stack)
        assert len(read_topic(stack, "task-events")) == before + 1  # the successor's `created`, nothing again
        assert ops.replay(filter=True) == 0
        status = ops.status()
        assert (status.waiting_retries, status.open_dead_letters, status.unpublished_changes) == (0, 0, 0)
        assert status.sidecar_answers and "kafka-pubsub (pubsub.kafka)" in status.components


def test_dead_letters_are_for_operators_only(stack: Stack) -> None:
    for call in ("list", "status"):
        with pytest.raises(grpc.RpcError) as refused:
            getattr(Operator(stack.api_target(), role=None), call)()
        assert refused.value.code() == grpc.StatusCode.PERMISSION_DENIED


def test_discarding_needs_a_note_and_closes(stack: Stack) -> None:
    kcat(stack, "task-events", "fault-discard", b"no event")
    ops = Operator(stack.api_target())
    [letter] = eventually(lambda: [d for d in ops.list() if d.record_key == "fault-discard"], "the dead letter")
    assert ops.get(letter.id).record == b"no event"
    with pytest.raises(grpc.RpcError) as refused:
        ops.discard(letter.id, note="")
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert ops.discard(letter.id, note="seen") == 1
    assert ops.discard(letter.id, note="seen") == 0
    assert ops.get(letter.id).note == "seen"
    assert ops.replay(ids=[letter.id]) == 0


def test_poison_is_dead_lettered_with_a_reason_and_stops_nobody(stack: Stack) -> None:
    user = "fault-poison"
    records = poison(user, 7_000_000)
    for number, record in enumerate(records.values()):
        kcat(stack, "task-events", user, record)
        send(stack, foreign_event(user, 7_200_000 + number))
    large = foreign_event(user, 7_300_000, padding="x" * 900_000)  # nothing is wrong with it
    # Nor with these: no traceparent is no fault, and one that is none is not handed on to the successor.
    traced = [{**foreign_event(user, 7_300_001 + n), "traceparent": trace} for n, trace in enumerate((7, "x" * 900_000))]
    produce(stack, "task-events", [(user.encode(), json.dumps(event).encode()) for event in (large, *traced)])
    client = Client(stack.api_target(), user)
    eventually(lambda: len(client.tasks()) == len(records) + 3, "every good event took effect")
    eventually(lambda: dead_letters(stack, f"record_key = '{user}'") == len(records), "all poison is dead-lettered")
    published(stack)
    originals = set(records.values())
    for record in read_topic(stack, "task-events-dlq"):
        if record.key != user:
            continue
        event = record.event
        validator("dead-letter.schema.json").validate(event)
        assert len(event["dlqreason"]) > 10
        assert event["dlqtopic"] == "task-events" and event["dlqpartition"] in (0, 1, 2)
        if "data_base64" in event:
            assert base64.b64decode(event["data_base64"]) in originals
        elif "data" in event:
            assert any(event["data"] == json.loads(o) for o in originals if _is_json(o))
        else:
            assert "does not fit the dead-letter topic" in event["dlqreason"]
            assert Operator(stack.api_target()).get(event["id"]).record in originals, "but it is kept"


def _is_json(text: bytes) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def restart_without_faults(stack: Stack) -> None:
    service = stack.services[0]
    eventually(lambda: service.died, "the service has killed itself")
    service.env = {}
    stack.kill("service-0")
    stack.start_one("service-0")


@pytest.mark.parametrize("point", ["before-commit@7", "after-commit@7", "before-publish@3", "after-publish@3",
                                   "before-mark@1", "after-inbox@2", "before-effect-commit@2", "before-answer@2"])
def test_killed_at(tmp_path: Path, point: str) -> None:
    """kill -9 at every bad moment: nothing acknowledged is lost, nothing happens twice."""
    with Stack(tmp_path / "run", service_binary=binary(), keep_data=False,
               service_env={"TODO_FAULTS": point.replace("@", "=kill@")}) as stack:
        acknowledged: list[int] = []
        requests = [str(uuid.uuid4()) for _ in range(12)]
        titles = [f"task {n}" for n in range(12)]

        def run(client: Client, first: bool) -> None:
            for request, title in zip(requests, titles, strict=True):
                try:
                    task = client.create(title, request_id=request, due_local="2026-10-24", recurrence_rule="daily")
                    client.complete(task.id, request_id=str(uuid.uuid5(uuid.NAMESPACE_OID, request)))
                    acknowledged.append(task.id)
                except Exception:
                    if not first:
                        raise
                    return

        run(Client(stack.api_target(), "fault-kill", timeout=5), first=True)
        restart_without_faults(stack)
        client = Client(stack.api_target(), "fault-kill")
        survived = {task.id: task for task in client.tasks()}
        assert set(acknowledged) <= survived.keys(), "what was acknowledged is there"
        run(client, first=False)  # the same requests again: what was done is done
        eventually(lambda: len(client.tasks(completed=False)) == 12, "12 successors", within=90)
        published(stack)
        assert len(client.tasks()) == 24
        assert [change.seq for change in client.changes()] == list(range(1, 37))
        on_topic = {record.event["id"] for record in read_topic(stack, "task-events")}
        assert on_topic == {change.event_id for change in client.changes()}
        assert dead_letters(stack) == 0


def test_replicas_that_die_one_after_the_other_bury_only_what_kills_them(tmp_path: Path) -> None:
    user = "fault-replicas"
    deadly = 7_400_020
    with Stack(tmp_path / "run", service_binary=binary(), replicas=3, keep_data=False,
               service_env={"TODO_FAULTS": f"apply-recurring-tasks-{deadly}=kill"}) as stack:
        # One partition, and as many as possible in one delivery: who dies, dies with the neighbours in hand.
        produce(stack, "task-events", [(user.encode(), json.dumps(foreign_event(user, 7_400_000 + n)).encode())
                                       for n in range(40)])
        eventually(lambda: all(service.died for service in stack.services), "each has died of it", within=120)
        deaths = 3
        for service in stack.services:
            stack.kill(service.name)
            service.launch()

        def restarted() -> bool:
            nonlocal deaths
            for service in stack.services:
                if service.died:
                    deaths += 1
                    stack.kill(service.name)
                    service.launch()
            return dead_letters(stack) > 0

        eventually(restarted, "it is given up", within=120)
        print(f"given up after {deaths} deaths of three replicas")
        target = next(n for n, service in enumerate(stack.services) if not service.died)
        client = Client(stack.api_target(target), user)
        eventually(lambda: len(client.tasks()) == 39, "its neighbours have their effects, once", within=90)
        assert rows(stack, "select task_id, attempts from dead_letters") == [[str(deadly), "3"]]


@pytest.mark.parametrize("name", ["the same name", "a new name each time"])
def test_an_event_that_kills_the_process_dies_at_its_third_crash(tmp_path: Path, name: str) -> None:
    """A pod of a StatefulSet comes back under its name, a pod of a Deployment may get another."""
    with Stack(tmp_path / "run", service_binary=binary(), keep_data=False) as stack:
        client = Client(stack.api_target(), "fault-crash")
        tasks = [client.create(f"task {n}", due_local="2026-10-24", recurrence_rule="daily") for n in range(10)]
        published(stack)
        service = stack.services[0]
        service.env = {"TODO_FAULTS": f"apply-recurring-tasks-{tasks[4].id}=kill"}
        # Only its `completed` must meet the armed process: the earlier events are consumed.
        eventually(lambda: rows(stack, "select count(*) from inbox where consumer = 'recurring-tasks'") == [["10"]],
                   "all were consumed")
        stack.restart("service-0")
        client = Client(stack.api_target(), "fault-crash", timeout=5)
        for task in tasks:
            try:
                client.complete(task.id, request_id=str(uuid.uuid5(uuid.NAMESPACE_OID, str(task.id))))
            except Exception:
                break
        crashes = 0
        deadline = time.monotonic() + 120
        while dead_letters(stack) == 0:
            assert time.monotonic() < deadline, f"not dead after {crashes} crashes"
            if service.died:
                crashes += 1
                stack.kill("service-0")
                if name != "the same name":
                    service.flags = [f"--instance=todo-service-{uuid.uuid4().hex[:5]}"]
                stack.start_one("service-0")
            time.sleep(0.05)
        assert crashes == 3
        assert rows(stack, "select task_id, attempts from dead_letters") == [[str(tasks[4].id), "3"]]
        client = Client(stack.api_target(), "fault-crash")
        for task in tasks:
            client.complete(task.id, request_id=str(uuid.uuid5(uuid.NAMESPACE_OID, str(task.id))))
        eventually(lambda: len(client.tasks(completed=False)) == 9, "its neighbours went on", within=90)
        assert not service.died
