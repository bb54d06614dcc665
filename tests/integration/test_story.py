"""The main job on the real stack: a completed recurring task gets its next occurrence, exactly once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from schemas import validator
from todo_client import Client, by_user, eventually, foreign_event, published, read_topic, rows, send

from tools.stack import Stack


def test_completing_a_recurring_task_makes_the_next_occurrence(stack: Stack) -> None:
    ada = Client(stack.api_target(), "story-ada")
    task = ada.create("water the plants", description="all of them", tags=["home", "green"],
                      priority=ada.messages.PRIORITY_HIGH, due_local="2026-10-24T09:00:00", time_zone="Europe/Berlin",
                      recurrence_rule="FREQ=WEEKLY")
    assert ada.complete(task.id).completed
    following = ada.successor_of(task)

    assert (following.title, following.description) == (task.title, task.description)
    assert (list(following.tags), following.priority) == (["home", "green"], ada.messages.PRIORITY_HIGH)
    assert following.recurrence_rule == "FREQ=WEEKLY"
    assert not following.completed
    assert following.due_date.ToJsonString() > task.due_date.ToJsonString()
    assert following.due_local.endswith("T09:00:00")

    published(stack)
    events = dict(by_user(read_topic(stack, "task-events")))["story-ada"]
    assert [event["data"]["event_type"] for event in events] == ["created", "completed", "created"]
    assert events[-1]["data"]["task_data"]["series_id"] == task.series_id
    assert events[-1]["data"]["task_data"]["occurrence"] == 2


def test_records_are_what_the_contract_says(stack: Stack) -> None:
    bob = Client(stack.api_target(), "story-bob")
    task = bob.create("a", due_local="2026-10-24", recurrence_rule="daily")
    bob.complete(task.id)
    bob.uncomplete(task.id)
    bob.delete(task.id)
    published(stack)
    for topic, schema in (("task-events", "task-event-produced.schema.json"), ("task-updates", "task-update.schema.json")):
        records = [record for record in read_topic(stack, topic) if record.key == "story-bob"]
        assert len(records) >= 4
        for record in records:
            event = record.event
            validator("cloud-event-produced.schema.json").validate(event)
            validator(schema).validate(event["data"])
            assert event["id"] == event["data"]["id"]
            assert event["subject"] == str(event["data"]["task_id"])


def test_a_foreign_producers_event_makes_a_successor(stack: Stack) -> None:
    user = "story-foreign"
    send(stack, foreign_event(user, 8_000_001))
    client = Client(stack.api_target(), user)
    found = eventually(client.tasks, "successor of the foreign task")
    assert [(task.title, task.due_date.ToJsonString(), task.occurrence) for task in found] == [
        ("Buy groceries", "2025-01-03T10:00:00Z", 2)]


def test_a_foreign_event_about_somebody_elses_task_has_no_effect(stack: Stack) -> None:
    owner, thief = (Client(stack.api_target(), f"story-{name}") for name in ("owner", "thief"))
    task = owner.create("mine", due_local="2026-10-24", recurrence_rule="daily")
    send(stack, foreign_event(thief.user, task.id))
    send(stack, foreign_event(thief.user, 8_000_002))  # what comes after it shows that it was taken
    eventually(thief.tasks, "successor of the second event")
    assert len(thief.tasks()) == 1
    assert [t.id for t in owner.tasks()] == [task.id]
    assert not owner.get(task.id).completed


def test_the_same_event_three_times_gives_one_successor(stack: Stack) -> None:
    user = "story-thrice"
    event = foreign_event(user, 8_000_003)
    for _ in range(3):
        send(stack, event)
    send(stack, foreign_event(user, 8_000_004))
    client = Client(stack.api_target(), user)
    eventually(lambda: len(client.tasks()) >= 2, "both successors")
    assert len(client.tasks()) == 2


def test_many_clients_at_once(stack: Stack) -> None:
    """200 tasks completed by 16 clients give 200 successors, and each user's events stay in order."""
    clients = [Client(stack.api_target(), f"story-many-{n}") for n in range(16)]
    tasks = [(client, client.create(f"task {n}", due_local="2026-10-24", recurrence_rule="daily"))
             for n in range(200) for client in [clients[n % 16]]]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda pair: pair[0].complete(pair[1].id), tasks))
    eventually(lambda: sum(len(c.tasks(completed=False)) for c in clients) == 200, "200 successors")
    published(stack)
    users = {client.user for client in clients}
    count = 0
    for user, events in by_user(read_topic(stack, "task-events")):
        if user not in users:
            continue
        first_copies = list(dict.fromkeys(event["data"]["task_data"]["seq"] for event in events))
        assert first_copies == list(range(1, len(first_copies) + 1)), user
        count += len(first_copies)
    assert count == 600
    assert rows(stack, "select count(*) from tasks where user_id like 'story-many-%' and occurrence = 2") == [["200"]]


def test_uncompleting_removes_and_completing_again_revives(stack: Stack) -> None:
    client = Client(stack.api_target(), "story-again")
    task = client.create("again", due_local="2026-10-24", recurrence_rule="daily")
    client.complete(task.id)
    following = client.successor_of(task)
    client.uncomplete(task.id)
    eventually(lambda: [t.id for t in client.tasks()] == [task.id], "the untouched successor is gone")
    client.complete(task.id)
    revived = client.successor_of(task)
    assert revived.id == following.id
    assert [c.event_type for c in client.changes()] == [
        "created", "completed", "created", "uncompleted", "deleted", "completed", "created"]


def test_a_touched_successor_stays(stack: Stack) -> None:
    client = Client(stack.api_target(), "story-touched")
    task = client.create("again", due_local="2026-10-24", recurrence_rule="daily")
    client.complete(task.id)
    following = client.successor_of(task)
    request = client.messages.UpdateTaskRequest(task=client.messages.Task(id=following.id, title="mine now"))
    request.update_mask.paths.append("title")
    client.call("UpdateTask", request)
    client.uncomplete(task.id)
    # A later event of the same user that has a visible effect shows that the uncomplete was taken.
    other = client.create("other", due_local="2026-10-24", recurrence_rule="daily")
    client.complete(other.id)
    client.successor_of(other)
    assert client.get(following.id).title == "mine now"


def test_seq_has_no_gap_under_contention(stack: Stack) -> None:
    client = Client(stack.api_target(), "story-contention")
    start = threading.Barrier(16)

    def work(n: int) -> None:
        start.wait()
        for i in range(10):
            client.create(f"{n}.{i}")

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(16)))
    assert [change.seq for change in client.changes()] == list(range(1, 161))


@pytest.mark.parametrize("broken", ["service-0", "daprd-0", "kafka"])
def test_kill_and_come_back(own_stack: Stack, broken: str) -> None:
    """kill -9 at a bad moment: nothing lost, nothing doubled."""
    client = Client(own_stack.api_target(), "story-kill")
    tasks = [client.create(f"task {n}", due_local="2026-10-24", recurrence_rule="daily") for n in range(30)]
    for task in tasks[:15]:
        client.complete(task.id)
    own_stack.kill(broken)
    if broken != "service-0":
        for task in tasks[15:]:
            client.complete(task.id)  # changes are accepted while the bus is away
    own_stack.start_one(broken)
    if broken == "service-0":
        client = Client(own_stack.api_target(), "story-kill")
        for task in tasks[15:]:
            client.complete(task.id)
    eventually(lambda: len(client.tasks(completed=False)) == 30, "30 successors", within=120)
    published(own_stack)
    # Quiet: everything is on the bus, so a late copy would have been taken by now or meets its inbox row.
    assert len(client.tasks(completed=False)) == 30
    assert [change.seq for change in client.changes()] == list(range(1, 91))


def test_two_replicas_share_and_take_over(two_replicas: Stack) -> None:
    clients = [Client(two_replicas.api_target(n % 2), f"story-two-{n}") for n in range(20)]
    tasks = [(c, c.create("x", due_local="2026-10-24", recurrence_rule="daily")) for c in clients]
    for client, task in tasks:
        client.complete(task.id)
    for client, task in tasks:
        client.successor_of(task)
    owners = eventually(lambda: [r for r in [rows(two_replicas, "select owner, count(*) from relay_shards group by 1")]
                                 if len(r) == 2], "both replicas own shards")
    assert sorted(int(count) for _, count in owners[0]) == [8, 8]

    two_replicas.kill("service-0")
    killed = time.monotonic()
    eventually(lambda: rows(two_replicas, "select owner from relay_shards where lease_until > clock_timestamp() "
                                          "group by owner having count(*) = 16"), "one owns all shards")
    print(f"the other replica had all shards {time.monotonic() - killed:.1f} s after the kill")
    survivors = [Client(two_replicas.api_target(1), f"story-two-{n}") for n in range(20)]
    for client, (_, task) in zip(survivors, tasks, strict=True):
        following = next(t for t in client.tasks() if not t.completed)
        client.complete(following.id)
    for client in survivors:
        eventually(lambda client=client: [t for t in client.tasks() if t.occurrence == 3], "third occurrence", 120)
    for client in survivors:
        assert sorted(t.occurrence for t in client.tasks()) == [1, 2, 3]
