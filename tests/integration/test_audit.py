"""What the bus loses comes again, by itself; a consumer that is only behind is left in peace."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator

import pytest
from conftest import binary
from todo_client import Client, Operator, eventually, published, read_topic, rows

from tools.stack import Stack

DELAY_SECONDS = 4
# Longer than daprd takes from its start to its first delivery.
LONG_DELAY_SECONDS = 12

CONSUMER = "recurring-tasks"
DAILY = {"due_local": "2026-10-24", "recurrence_rule": "daily"}
NOBODY_CONSUMES = {"TODO_FAULTS": "after-inbox=fail"}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    # Short from the start: a replica keeps the audit's turn for some time after it has ended.
    with Stack(tmp_path_factory.mktemp("audit") / "run", service_binary=binary(), keep_data=False,
               service_flags=[f"--audit-delay={DELAY_SECONDS}s"]) as running:
        yield running


def restart_service(stack: Stack, delay_seconds: int = DELAY_SECONDS, env: dict[str, str] | None = None,
                    **flags: str) -> None:
    service = stack.services[0]
    service.flags = [f"--audit-delay={delay_seconds}s", *(f"--{name.replace('_', '-')}={value}"
                                                          for name, value in flags.items())]
    service.env = env or {}
    stack.restart("service-0")


def count(stack: Stack, what: str) -> int:
    return int(rows(stack, f"select count(*) from {what}")[0][0])


def all_taken(stack: Stack) -> None:
    """Waits until every change was taken, those that consumers made included, and the bus has them all."""
    eventually(lambda: count(stack, f"inbox where consumer = '{CONSUMER}'") == count(stack, "changes"), "every change was taken", within=180)
    published(stack)


def audited(stack: Stack) -> None:
    """Waits until the audit has looked at everything that was published."""
    behind = "audit_cursors a join relay_shards s on s.shard = a.shard where a.position < s.position"
    eventually(lambda: count(stack, behind) == 0, "everything was audited")


def copies(stack: Stack, user: str) -> Counter[str]:
    """How often each event of the user is on the topic."""
    return Counter(record.event["id"] for record in read_topic(stack, "task-events") if record.key == user)


def wipe_broker(stack: Stack) -> None:
    stack.kill("kafka")
    shutil.rmtree(stack.directory / "kafka" / "data")
    stack.start_one("kafka")


def lose_topic(stack: Stack) -> None:
    stack.kafka.delete_topic("task-events")
    stack.kafka.create_topics()


@pytest.mark.parametrize("lose", [lose_topic, wipe_broker])
def test_events_lost_by_the_bus_take_effect_once(stack: Stack, lose: object) -> None:
    user = f"audit-{lose.__name__}"  # type: ignore[attr-defined]
    restart_service(stack, env=NOBODY_CONSUMES)
    client = Client(stack.api_target(), user)
    tasks = [client.create(f"task {n}", **DAILY) for n in range(20)]
    for task in tasks:
        client.complete(task.id)
    published(stack)
    assert set(copies(stack, user)) == {change.event_id for change in client.changes()}, "they were on the bus"
    stack.kill("daprd-0")  # it has some in hand
    lose(stack)  # type: ignore[operator]
    assert copies(stack, user) == {}
    stack.start_one("daprd-0")
    restart_service(stack)

    client = Client(stack.api_target(), user)
    eventually(lambda: len(client.tasks(completed=False)) == 20, "20 successors", within=180)
    all_taken(stack)
    assert len(client.tasks()) == 40
    assert [change.seq for change in client.changes()] == list(range(1, 61))
    assert set(copies(stack, user)) == {change.event_id for change in client.changes()}
    eventually(lambda: count(stack, "audit_missing") == 0, "nothing is missing")
    assert Operator(stack.api_target()).status().lost_events == 0


def test_a_consumer_that_was_cut_off_is_not_flooded(stack: Stack) -> None:
    user = "audit-cut-off"
    restart_service(stack, env=NOBODY_CONSUMES)
    client = Client(stack.api_target(), user)
    tasks = [client.create(f"task {n}", **DAILY) for n in range(20)]
    for task in tasks:
        client.complete(task.id)
    published(stack)
    stack.kill("daprd-0")
    restart_service(stack, LONG_DELAY_SECONDS)
    eventually(lambda: count(stack, f"audit_missing where user_id = '{user}'") == 40, "the audit misses them")
    eventually(lambda: count(stack, "audit_missing where due_at >= now()") == 0, "any silence would count")
    stack.start_one("daprd-0")

    client = Client(stack.api_target(), user)
    eventually(lambda: len(client.tasks(completed=False)) == 20, "20 successors", within=180)
    all_taken(stack)
    assert set(copies(stack, user).values()) == {1}
    assert len(copies(stack, user)) == 60


def test_a_consumer_that_is_behind_is_not_flooded(stack: Stack) -> None:
    user = "audit-behind"
    restart_service(stack, env=NOBODY_CONSUMES)
    client = Client(stack.api_target(), user)
    for n in range(40):
        client.create(f"task {n}")
    published(stack)
    stack.kill("daprd-0")
    restart_service(stack, env={"TODO_FAULTS": "after-inbox=delay:400"}, bulk_delivery="false")
    stack.start_one("daprd-0")  # asks how it should deliver: one by one, so each takes its time
    eventually(lambda: count(stack, f"audit_missing where user_id = '{user}'") > 0, "the audit misses some")
    all_taken(stack)
    assert set(copies(stack, user).values()) == {1}
    assert len(copies(stack, user)) == 40


def test_parked_and_dead_events_are_not_published_again(stack: Stack) -> None:
    user = "audit-parked"
    stack.postgres.query("""
        create function refuse() returns trigger language plpgsql as $$
        begin
            if new.title = 'poison' and new.occurrence = 2 then raise exception 'the cause'; end if;
            return new;
        end $$;
        create trigger refuse before insert on tasks for each row execute function refuse();""")
    restart_service(stack)
    stack.restart("daprd-0")
    client = Client(stack.api_target(), user)
    task = client.create("poison", **DAILY)
    client.complete(task.id)
    eventually(lambda: count(stack, "retries") == 1, "it is parked")
    eventually(lambda: count(stack, "dead_letters") == 1, "it is dead", within=120)
    audited(stack)
    assert count(stack, "audit_missing") == 0
    assert set(copies(stack, user).values()) == {1}
