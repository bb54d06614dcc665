"""Recurring tasks as their users edit them, on the real stack: the calendar, skipping, editing, stopping."""

from __future__ import annotations

import datetime
import zoneinfo
from typing import Any

import grpc
import pytest
from schemas import validator
from todo_client import Client, by_user, eventually, foreign_event, published, read_topic, send

from tools.stack import Stack

BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


def last_sunday_of_october() -> datetime.date:
    """The day on which clocks go back, in a year to come: what is completed now is completed ahead of it."""
    day = datetime.date(datetime.date.today().year + 1, 10, 31)
    return day - datetime.timedelta(days=(day.weekday() + 1) % 7)


def update(client: Client, task_id: int, scope: str = "UNSPECIFIED", **fields: Any) -> Any:
    request = client.messages.UpdateTaskRequest(task=client.messages.Task(id=task_id, **fields),
                                                scope=f"SERIES_SCOPE_{scope}")
    request.update_mask.paths.extend(fields)
    return client.call("UpdateTask", request)


def refusal(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


def test_a_weekly_task_keeps_its_wall_clock_time_over_the_october_change(stack: Stack) -> None:
    client = Client(stack.api_target(), "series-october")
    change = last_sunday_of_october()
    week = datetime.timedelta(days=7)
    task = client.create("call mum", due_local=f"{change - week}T09:00:00", time_zone="Europe/Berlin",
                         recurrence_rule="FREQ=WEEKLY")
    for day in (change, change + week):
        client.complete(task.id)
        task = client.successor_of(task)
        assert task.due_local == f"{day}T09:00:00"
        at = datetime.datetime.combine(day, datetime.time(9), BERLIN)
        assert task.due_date.ToDatetime(datetime.timezone.utc) == at
        assert at.astimezone(datetime.timezone.utc).hour == 8
        assert task.missed_occurrences == 0


def test_skipping_goes_on_and_says_so(stack: Stack) -> None:
    client = Client(stack.api_target(), "series-skip")
    task = client.create("water the plants", due_local="2090-01-02", recurrence_rule="daily")
    skip = client.messages.SkipTaskRequest(id=task.id, request_id="7d444840-9dc0-41d1-b245-5ffdce74fad2")
    answer = client.call("SkipTask", skip)
    assert answer.HasField("skipped_at") and not answer.completed
    following = client.successor_of(task)
    assert following.due_local == "2090-01-03"
    assert client.call("SkipTask", skip) == answer
    assert refusal(lambda: client.get(task.id))[0] == grpc.StatusCode.NOT_FOUND
    assert [t.id for t in client.tasks()] == [following.id]

    published(stack)
    events = dict(by_user(read_topic(stack, "task-events")))["series-skip"]
    for event in events:
        validator("task-event-produced.schema.json").validate(event["data"])
    kinds = [(event["data"]["event_type"], event["data"]["task_data"]["skipped_at"] is not None) for event in events]
    assert kinds == [("created", False), ("deleted", True), ("created", False)]
    created = events[-1]["data"]["task_data"]
    assert (created["series_id"], created["occurrence"]) == (task.series_id, 2)


def test_editing_this_one_and_this_and_following(stack: Stack) -> None:
    client = Client(stack.api_target(), "series-edit")
    first = client.create("water the plants", due_local="2090-01-02T09:00:00", time_zone="Europe/Berlin",
                          recurrence_rule="FREQ=WEEKLY;COUNT=5")
    # Postponed, and with a title for this once: the next one is as if nothing had been.
    update(client, first.id, "THIS", title="water and feed", due_local="2090-01-03T20:00:00")
    client.complete(first.id)
    second = client.successor_of(first)
    assert (second.title, second.due_local) == ("water the plants", "2090-01-09T09:00:00")
    # Moved with all that follows, to another day and time.
    moved = update(client, second.id, "FOLLOWING", title="water all plants", due_local="2090-01-10T18:00:00")
    assert (moved.series_id, moved.occurrence, moved.recurrence_rule) == (first.series_id, 2, "FREQ=WEEKLY;COUNT=4")
    client.complete(second.id)
    third = client.successor_of(second)
    assert (third.title, third.due_local) == ("water all plants", "2090-01-17T18:00:00")
    # The one before the edit brings no second successor of its own.
    client.uncomplete(first.id)
    client.complete(first.id)
    update(client, third.id, "FOLLOWING", recurrence_rule="daily")
    client.complete(third.id)
    fourth = client.successor_of(third)
    assert fourth.due_local == "2090-01-18T18:00:00"
    assert sorted(t.occurrence for t in client.tasks()) == [1, 2, 3, 4]
    code, text = refusal(lambda: update(client, fourth.id, "THIS", recurrence_rule="weekly"))
    assert code == grpc.StatusCode.INVALID_ARGUMENT and "task.recurrence_rule" in text


def test_the_whole_series_and_its_end(stack: Stack) -> None:
    client = Client(stack.api_target(), "series-end")
    first = client.create("a", due_local="2090-01-02", recurrence_rule="daily")
    client.complete(first.id)
    second = client.successor_of(first)
    update(client, second.id, title="touched")
    client.uncomplete(first.id)
    seq = client.changes()[-1].seq
    update(client, first.id, "ALL", title="all")
    assert {t.id: t.title for t in client.tasks()} == {first.id: "all", second.id: "all"}
    assert [change.seq for change in client.changes()[-2:]] == [seq + 1, seq + 2]

    client.call("StopSeries", client.messages.StopSeriesRequest(id=first.id))
    assert not any(t.HasField("recurrence_rule") for t in client.tasks())
    client.complete(second.id)
    # A later event of the same user with a visible effect shows that the completed one was taken.
    other = client.create("b", due_local="2090-01-02", recurrence_rule="daily")
    client.complete(other.id)
    successor = client.successor_of(other)
    assert [t for t in client.tasks() if t.series_id == first.series_id and t.occurrence > 2] == []

    client.call("DeleteTask", client.messages.DeleteTaskRequest(id=successor.id, scope="SERIES_SCOPE_ALL"))
    assert [t.id for t in client.tasks() if t.series_id == other.series_id] == [other.id], "what is done is history"


def test_a_foreign_series_is_edited_like_our_own(stack: Stack) -> None:
    user = "series-foreign"
    client = Client(stack.api_target(), user)
    event = foreign_event(user, 8_100_001)
    # Another system's words for its own series are no orders to ours.
    event["data"]["task_data"] |= {"series_id": "7d444840-9dc0-41d1-b245-5ffdce74fad2", "occurrence": 40,
                                   "following": {"title": ""}}
    send(stack, event)
    [second] = eventually(client.tasks, "successor of the foreign task")
    assert (second.title, second.occurrence) == ("Buy groceries", 2)
    client.call("SkipTask", client.messages.SkipTaskRequest(id=second.id))
    third = client.successor_of(second)
    client.call("StopSeries", client.messages.StopSeriesRequest(id=third.id))
    assert [t.occurrence for t in client.tasks()] == [3]


def test_a_preview_and_its_refusals(stack: Stack) -> None:
    client = Client(stack.api_target(), "series-preview")

    def preview(count: int = 3, **task: Any) -> Any:
        return client.call("PreviewRecurrence", client.messages.PreviewRecurrenceRequest(
            task=client.messages.Task(**task), count=count))

    answer = preview(due_local="2027-01-31T09:00:00", time_zone="Europe/Berlin", recurrence_rule="FREQ=MONTHLY")
    assert [o.due_local for o in answer.occurrences] == [
        "2027-03-31T09:00:00", "2027-05-31T09:00:00", "2027-07-31T09:00:00"]
    assert [o.due_date.ToJsonString() for o in answer.occurrences][0] == "2027-03-31T07:00:00Z"
    assert [o.number for o in answer.occurrences] == [2, 3, 4]
    assert list(answer.warnings) == ["The rule skips months without a 31st."]
    assert len(preview(100, due_local="2027-01-31", recurrence_rule="daily").occurrences) == 100
    code, text = refusal(lambda: preview(due_local="2027-01-31", time_zone="Berlin", recurrence_rule="FREQ=HOURLY"))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert "task.time_zone" in text and "task.recurrence_rule" in text
    assert "count" in refusal(lambda: preview(101, due_local="2027-01-31", recurrence_rule="daily"))[1]
    assert client.changes() == []
