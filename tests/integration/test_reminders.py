"""Reminders on the real stack: they fire once, never early, and whatever becomes of the scheduler."""

from __future__ import annotations

import datetime
import json
import shutil
import time
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from conftest import binary
from schemas import validator
from todo_client import Client, Operator, Reminders, eventually, published, read_topic, rows

from tools.stack import Stack

SWEEP_FLAGS = ["--reminder-sweep=1s"]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Sweeps so seldom that what fires in time was fired by its job."""
    with Stack(tmp_path_factory.mktemp("stack") / "run", service_binary=binary(), keep_data=False,
               service_flags=["--reminder-sweep=10m"]) as running:
        running.wait_jobs()
        yield running


def instant(text: str) -> float:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def reminded(stack: Stack, user: str) -> list[dict[str, Any]]:
    """The user's events on the topic, each checked against the contract."""
    published(stack)
    events = []
    for record in read_topic(stack, "reminders"):
        if record.key != user:
            continue
        event = record.event
        validator("cloud-event-produced.schema.json").validate(event)
        validator("reminder-event-produced.schema.json").validate(event["data"])
        assert event["type"] == "todo.reminder.due.v1"
        assert event["subject"] == str(event["data"]["task_id"])
        assert event["id"] == event["data"]["id"]
        assert instant(event["time"]) >= instant(event["data"]["remind_at"]), "never early"
        events.append(event["data"])
    return events


def jobs_written(stack: Stack) -> None:
    eventually(lambda: rows(stack, """select count(*) from reminders
                                      where wanted_job is distinct from job_at or unplanned_since is not null""")
               == [["0"]], "every job is as it should be")


def test_a_reminder_fires_once_by_its_job(stack: Stack) -> None:
    ada = Client(stack.api_target(), "reminder-ada")
    reminders = Reminders(ada)
    due = time.time() + 3602
    task = ada.create("call \"Bob\" ünd 🛒")
    dated = ada.create("with a date")
    dated = ada.call("UpdateTask", ada.messages.UpdateTaskRequest(
        task=ada.messages.Task(id=dated.id, due_date={"seconds": int(due)}), update_mask={"paths": ["due_date"]}))
    absolute = reminders.create(task.id, at=time.time() + 2)
    relative = reminders.create(dated.id, before="PT1H")
    assert (absolute.number, relative.number) == (1, 1)
    assert reminders.state(task.id) == "PENDING"
    eventually(lambda: reminders.state(task.id) == reminders.state(dated.id) == "FIRED", "both have fired")
    events = {event["task_id"]: event for event in reminded(stack, "reminder-ada")}
    assert len(events) == len(reminded(stack, "reminder-ada")) == 2
    assert events[task.id]["title"] == "call \"Bob\" ünd 🛒"
    assert events[task.id]["remind_at"] == absolute.remind_at.ToJsonString()
    assert "due_date" not in events[task.id] and "late" not in events[task.id]
    assert events[dated.id]["due_date"] == dated.due_date.ToJsonString()
    assert instant(events[dated.id]["remind_at"]) == int(due) - 3600
    # The topic and the user's log of changes are two things.
    assert [change.event_type for change in ada.changes()] == ["created", "created", "updated"]


def test_completed_deleted_and_snoozed_ones_do_not_remind(stack: Stack) -> None:
    ada = Client(stack.api_target(), "reminder-quiet")
    reminders = Reminders(ada)
    tasks = {name: ada.create(name) for name in ("completed", "deleted", "reminder deleted", "snoozed", "plain")}
    at = time.time() + 3
    for task in tasks.values():
        reminders.create(task.id, at=at)
    jobs_written(stack)
    ada.complete(tasks["completed"].id)
    ada.delete(tasks["deleted"].id)
    reminders.delete(tasks["reminder deleted"].id, 1)
    reminders.snooze(tasks["snoozed"].id, 1, duration="PT2H")
    eventually(lambda: reminders.state(tasks["plain"].id) == "FIRED", "the plain one has fired")
    assert reminders.state(tasks["completed"].id) == "CANCELLED"
    assert reminders.state(tasks["reminder deleted"].id) == "GONE"
    assert reminders.state(tasks["snoozed"].id) == "PENDING"
    jobs_written(stack)
    assert rows(stack, f"select count(*) from reminders where task_id = {tasks['reminder deleted'].id}") == [["0"]]

    reminders.snooze(tasks["snoozed"].id, 1, duration="PT1S")
    reminders.snooze(tasks["plain"].id, 1, duration="PT1S")
    eventually(lambda: len(reminded(stack, "reminder-quiet")) == 3, "snoozed until now, one of them after it had fired")
    assert [event["title"] for event in reminded(stack, "reminder-quiet")][0] == "plain"
    assert {event["title"] for event in reminded(stack, "reminder-quiet")} == {"plain", "snoozed"}


def test_uncompleting_brings_it_back_and_the_next_occurrence_has_it(stack: Stack) -> None:
    ada = Client(stack.api_target(), "reminder-series")
    reminders = Reminders(ada)
    task = ada.create("again", due_local="2031-10-24T09:00:00", time_zone="Europe/Berlin", recurrence_rule="daily")
    first = reminders.create(task.id, before="P1D", time_of_day="08:00")
    second = reminders.create(task.id, at=instant("2031-10-24T05:30:00Z"))
    assert (first.remind_at.ToJsonString(), second.number) == ("2031-10-23T06:00:00Z", 2)
    ada.complete(task.id)
    following = ada.successor_of(task)
    eventually(lambda: reminders.state(following.id, 2) == "PENDING", "the next occurrence is planned")
    assert [(r.number, r.before, r.time_of_day, r.remind_at.ToJsonString()) for r in reminders.of(following.id)] == [
        (1, "P1D", "08:00", "2031-10-24T06:00:00Z"), (2, "", "", "2031-10-25T05:30:00Z")]
    assert {r.state for r in reminders.of(task.id)} == {reminders.messages.REMINDER_STATE_CANCELLED}

    ada.uncomplete(task.id)
    eventually(lambda: reminders.state(task.id) == "PENDING", "it is back")
    with_job = "select count(*) from reminders where user_id = 'reminder-series' and job_at is not null"
    eventually(lambda: rows(stack, with_job) == [["2"]], "its successor's jobs are gone, its own are back")


def test_moving_the_due_date_moves_the_reminder(stack: Stack) -> None:
    ada = Client(stack.api_target(), "reminder-moved")
    reminders = Reminders(ada)
    task = ada.create("move", due_date={"seconds": int(time.time()) + 7200})
    reminders.create(task.id, before="PT1H")
    jobs_written(stack)
    ada.call("UpdateTask", ada.messages.UpdateTaskRequest(
        task=ada.messages.Task(id=task.id, due_date={"seconds": int(time.time()) + 3603}),
        update_mask={"paths": ["due_date"]}))
    eventually(lambda: reminders.state(task.id) == "FIRED", "it has fired at its new time")
    assert len(reminded(stack, "reminder-moved")) == 1


def test_strangers_and_nonsense_are_refused(stack: Stack) -> None:
    ada, eve = (Client(stack.api_target(), f"reminder-{name}") for name in ("owner", "eve"))
    task = ada.create("mine", due_local="2031-10-24")
    Reminders(ada).create(task.id, before="PT1H")
    for attempt in (lambda: Reminders(eve).create(task.id, before="PT1H"), lambda: Reminders(eve).of(task.id),
                    lambda: Reminders(eve).delete(task.id, 1), lambda: Reminders(eve).snooze(task.id, 1, "PT1H")):
        with pytest.raises(grpc.RpcError) as refused:
            attempt()
        assert refused.value.code() == grpc.StatusCode.NOT_FOUND
    with pytest.raises(grpc.RpcError) as refused:
        Reminders(ada).create(task.id, before="tomorrow", time_of_day="noon")
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert "reminder.before" in refused.value.details() and "reminder.time_of_day" in refused.value.details()


def test_nobody_but_the_sidecar_triggers(stack: Stack) -> None:
    """The callback port asks for the app token."""
    method = grpc.insecure_channel(stack.app_target()).unary_unary(
        "/dapr.proto.runtime.v1.AppCallbackAlpha/OnJobEventAlpha1")
    name = b"\x0a\x0freminder-task-1"
    with pytest.raises(grpc.RpcError) as refused:
        method(name, timeout=15)
    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
    token = stack.tokens()["APP_API_TOKEN"]
    assert method(name, timeout=15, metadata=[("dapr-api-token", token)]) == b""


def test_the_sweep_fires_all_when_scheduler_and_service_were_away(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The scheduler loses its data, later the service is away as well: each reminder fires, once."""
    with Stack(tmp_path_factory.mktemp("sweep") / "run", service_binary=binary(), keep_data=False,
               service_flags=SWEEP_FLAGS) as stack:
        stack.wait_jobs()
        ada = Client(stack.api_target(), "reminder-sweep")
        reminders = Reminders(ada)
        near = [ada.create(f"near {n}") for n in range(10)]
        far = [ada.create(f"far {n}") for n in range(10)]
        at = time.time() + 8
        for task in near:
            reminders.create(task.id, at=at)
        for task in far:
            reminders.create(task.id, at=at + 3600)
        jobs_written(stack)
        stack.kill("scheduler")
        shutil.rmtree(stack.directory / "scheduler")
        eventually(lambda: {reminders.state(task.id) for task in near} == {"FIRED"}, "the sweep has fired them")
        assert sorted(e["title"] for e in reminded(stack, "reminder-sweep")) == sorted(t.title for t in near)
        status = Operator(stack.api_target()).status()
        assert (status.pending_reminders, status.overdue_reminders, status.unplanned_reminders) == (10, 0, 0)

        # With the scheduler back, its jobs are written again.
        forgotten = rows(stack, "select max(job_written_at) from reminders")[0][0]
        stack.start_one("scheduler")
        eventually(lambda: rows(stack, f"""select count(*) from reminders where state = 'pending' and job_at = remind_at
                                           and job_written_at > '{forgotten}'""") == [["10"]], "ten jobs", within=120)
        [task] = far[:1]
        reminders.snooze(task.id, 1, duration="PT3S")
        jobs_written(stack)
        stack.kill("service-0")
        time_due = float(rows(stack, f"select extract(epoch from remind_at) from reminders where task_id = {task.id}")[0][0])
        eventually(lambda: time.time() > time_due, "its time has passed")
        stack.start_one("service-0")
        ada = Client(stack.api_target(), "reminder-sweep")
        eventually(lambda: Reminders(ada).state(task.id) == "FIRED", "missed while down, fired on return")
        events = reminded(stack, "reminder-sweep")
        assert len({event["id"] for event in events}) == len(events) == 11
        assert json.dumps(events).count('"late"') == 0, "less than a minute is not called late"
