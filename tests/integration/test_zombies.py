"""A replica is frozen past its leases in the middle of something. The other one takes over, and when the first wakes
again it finds that what it was about to do is done, or no longer its own."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from typing import Any

import grpc
import pytest
from checks import WITHOUT_MUTATIONS, check
from conftest import binary
from evidence import collect, wait_for_quiet
from todo_client import Client, eventually, insist_on_start, published, rows

from tools.stack import Stack


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Two on one bus; each test arms the first anew."""
    folder = tmp_path_factory.mktemp("zombies") / "run"
    with Stack(folder, service_binary=binary(), replicas=2, keep_data=False) as stack:
        yield stack


def arm(stack: Stack, faults: str) -> None:
    stack.services[0].env = {"TODO_FAULTS": faults}
    stack.restart("service-0")
    both_hold_shards(stack)


def freeze_at(stack: Stack, point: str) -> None:
    """Once the first replica is in the midst of it. It stays there for seconds, so it is still there when frozen."""
    service = stack.services[0]
    eventually(lambda: f'"name":"{point}"' in service.output(), f"{point} is reached")
    stack.freeze("service-0")


def owners(stack: Stack) -> list[str]:
    return [owner for owner, in rows(stack, "select distinct owner from relay_shards where lease_until > now()")]


def both_hold_shards(stack: Stack) -> None:
    eventually(lambda: len(owners(stack)) == 2, "both replicas own shards")


def one_holds_all(stack: Stack) -> None:
    sql = "select count(*), count(distinct owner) from relay_shards where lease_until > now()"
    eventually(lambda: rows(stack, sql) == [["16", "1"]], "the other replica has taken over")


def insist(call: Any, *arguments: Any, **fields: Any) -> Any:
    """Repeats a call until it is answered, as every client should."""
    request_id = str(uuid.uuid4())

    def probe() -> Any:
        try:
            return call(*arguments, request_id=request_id, **fields)
        except grpc.RpcError as error:
            assert error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED, grpc.StatusCode.UNKNOWN,
                                    grpc.StatusCode.DEADLINE_EXCEEDED), error
            return None
    return eventually(probe, "an answer")


def as_if_nothing_had_been(stack: Stack) -> None:
    both_hold_shards(stack)
    assert wait_for_quiet(stack, patience=90) is None
    assert check(collect(stack, [], order_kept=True), WITHOUT_MUTATIONS) == []


def test_in_the_middle_of_a_mutation(replicas: Stack) -> None:
    arm(replicas, "before-commit=delay:5000@2")
    sleeper = Client(replicas.api_target(0), "zombie-mutation", timeout=120)
    awake = Client(replicas.api_target(1), "zombie-mutation")
    sleeper.create("before")
    request_id = str(uuid.uuid4())
    late: list[Any] = []
    call = threading.Thread(target=lambda: late.append(sleeper.create("once", request_id=request_id)), daemon=True)
    call.start()
    freeze_at(replicas, "before-commit")
    task = awake.create("once", request_id=request_id)  # nobody waits for the zombie
    one_holds_all(replicas)
    assert awake.complete(task.id).completed
    replicas.thaw("service-0")
    call.join(60)
    # The zombie's own attempt comes after all that, and finds the request done.
    assert late == [task]
    assert [(c.event_type, c.task.title) for c in awake.changes()] == [
        ("created", "before"), ("created", "once"), ("completed", "once")]
    as_if_nothing_had_been(replicas)


def test_in_the_middle_of_a_batch(replicas: Stack) -> None:
    """It holds the rows of the users whose events it was processing."""
    clients = [Client(replicas.api_target(1), f"zombie-batch-{n}") for n in range(12)]
    tasks = [client.create("daily", due_local="2036-10-24", recurrence_rule="daily") for client in clients]
    assert wait_for_quiet(replicas, patience=90) is None  # what it will meet is the completions
    arm(replicas, "before-effect-commit=delay:5000@1")
    for client, task in zip(clients, tasks, strict=True):
        insist(client.complete, task.id)
    freeze_at(replicas, "before-effect-commit")
    began = time.monotonic()
    sql = """select count(*) from pg_stat_activity
             where application_name = 'todo-service' and state = 'idle in transaction'"""
    assert rows(replicas, sql) != [["0"]], "it holds a transaction open"
    for client in clients:
        insist(client.create, "meanwhile")
    print(f"batch: every user was answered within {time.monotonic() - began:.1f} s of the freeze")
    for client, task in zip(clients, tasks, strict=True):
        client.successor_of(task, within=120)
    print(f"batch: every effect was there within {time.monotonic() - began:.1f} s of the freeze")
    replicas.thaw("service-0")
    as_if_nothing_had_been(replicas)


@pytest.mark.parametrize("point", ["before-publish", "after-publish"])
def test_in_the_middle_of_a_publish(replicas: Stack, point: str) -> None:
    arm(replicas, f"{point}=delay:5000@6")
    clients = [Client(replicas.api_target(1), f"zombie-{point}-{n}") for n in range(12)]
    for n in range(4):
        for client in clients:
            client.create(f"task {n}")
    freeze_at(replicas, point)
    began = time.monotonic()
    one_holds_all(replicas)
    for client in clients:
        client.create("meanwhile")
    unpublished = "select count(*) from changes c join relay_shards s using (shard) where c.id > s.position"
    eventually(lambda: rows(replicas, unpublished) == [["0"]], "all is published while it sleeps")
    print(f"{point}: everything was published within {time.monotonic() - began:.1f} s of the freeze")
    replicas.thaw("service-0")
    for client in clients:
        client.create("afterwards")
    as_if_nothing_had_been(replicas)


def test_a_replica_whose_sidecar_stays_away_leaves_its_shards_to_the_other(replicas: Stack) -> None:
    arm(replicas, "")
    replicas.kill("daprd-0")
    for n in range(32):
        Client(replicas.api_target(0), f"zombie-sidecar-{n}").create("published by the other")
    one_holds_all(replicas)
    published(replicas)
    insist_on_start(replicas, "daprd-0")
    as_if_nothing_had_been(replicas)
