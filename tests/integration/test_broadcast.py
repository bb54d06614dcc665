"""Live updates: every replica that answers calls gets all of them, through a consumer group of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka.admin import AdminClient
from conftest import binary
from evidence import UPDATES, unread
from todo_client import Client, eventually, published

from tools.stack import Stack

ATTEMPTS = 6
GROUPS = ("bridge-todo-service-0", "bridge-todo-service-1")


@pytest.fixture(scope="module")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("broadcast") / "run", service_binary=binary(), roles=("all", "api", "events"),
               keep_data=False) as running:
        yield running


def every_replica_gets_updates(stack: Stack) -> None:
    """Makes changes of many users, which lie in all partitions, until each replica has taken all that there are: a
    group that is new takes nothing of before."""
    for attempt in range(1, ATTEMPTS + 1):
        for number in range(10):
            Client(stack.api_target(), f"broadcast-{number}").create("water")
        published(stack)
        try:
            eventually(lambda: [unread(stack, (UPDATES,), group) for group in GROUPS] == [0, 0],
                       "all updates were taken by both replicas", within=10, every=0.2)
            return
        except AssertionError:
            if attempt == ATTEMPTS:
                raise


def test_each_replica_that_answers_calls_has_a_group_of_its_own(replicas: Stack) -> None:
    every_replica_gets_updates(replicas)
    admin = AdminClient({"bootstrap.servers": f"127.0.0.1:{replicas.ports['kafka']}"})
    found = admin.list_consumer_groups().result(timeout=30).valid
    assert {group.group_id for group in found} == {"todo-service", *GROUPS}


def test_a_replica_whose_sidecar_was_killed_gets_updates_again(replicas: Stack) -> None:
    replicas.kill("daprd-1")
    Client(replicas.api_target(), "broadcast-0").create("while it is away")
    replicas.start_one("daprd-1")
    every_replica_gets_updates(replicas)


def test_a_replica_gets_updates_again_after_an_outage_of_the_database(replicas: Stack) -> None:
    replicas.kill("postgres")
    replicas.start_one("postgres")
    every_replica_gets_updates(replicas)
