"""Two replicas on one broker, and screens on both of them through every door."""

from __future__ import annotations

import asyncio
import itertools
import random
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from live_doors import DOORS
from screens import Editor, Screen, Viewer, compare, until
from service_binary import binary
from todo_client import Client, eventually

from tools.stack import Stack

DISCONNECTS = 1_000
SEED = 8
CHANGES_OF_OWNERS = 1_000
# Few users who come and go as often as many would.
FLAGS = ["--user-streams=1000", "--user-streams-per-second=100000", "--user-stream-burst=100000"]


@pytest.fixture(scope="module")
def two_replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """On Kafka: each test uses users of its own."""
    with Stack(tmp_path_factory.mktemp("two") / "run", service_binary=binary(), service_flags=FLAGS, replicas=2,
               keep_data=False) as running:
        yield running


def viewers_of(stack: Stack, users: list[str], replicas: int, each: int) -> list[Viewer]:
    """`each` screens for every user, over all doors and replicas in turn."""
    doors = itertools.cycle(DOORS)
    return [Viewer(stack, Screen(user, f"{user}-{n} ({door.name})"), door, n % replicas)
            for user in users for n, door in zip(range(each), doors)]


async def started(viewers: list[Viewer]) -> list[Viewer]:
    for viewer in viewers:
        viewer.start()
    await until(lambda: all(viewer.screen.cursor for viewer in viewers), "all screens have a cursor")
    return viewers


async def stopped(viewers: list[Viewer]) -> None:
    await asyncio.gather(*(viewer.stop() for viewer in viewers))


def test_a_change_through_one_replica_reaches_screens_on_the_other(two_replicas: Stack) -> None:
    async def scenario() -> None:
        through_a = Client(two_replicas.api_target(0), "ada")
        await asyncio.to_thread(through_a.create, "before")
        viewers = await started([Viewer(two_replicas, Screen("ada", door.name), door, replica=1) for door in DOORS])
        request_id = "00000000-0000-4000-8000-00000000000a"
        task = await asyncio.to_thread(through_a.create, "water the plants", request_id)
        await until(lambda: all(task.id in viewer.screen.tasks for viewer in viewers), "the new task is on all screens")
        await asyncio.to_thread(through_a.complete, task.id)
        await asyncio.to_thread(through_a.delete, task.id)
        await compare(two_replicas, [viewer.screen for viewer in viewers])
        for viewer in viewers:
            print(f"{viewer.door.name}: longest wait {viewer.screen.longest_wait * 1000:.0f} ms")
        on_socket = viewers[0].screen
        assert on_socket.request_ids[0] == request_id, "a page knows its own change"
        await stopped(viewers)

    asyncio.run(scenario())


async def resume_at_random(stack: Stack, replicas: int, disconnects: int, seed: int) -> list[Viewer]:
    """Screens come and go, with changes going on, until all have been disconnected so often together."""
    chosen = random.Random(seed)
    users = [f"user-{seed}-{n}" for n in range(20)]
    viewers = viewers_of(stack, users, replicas, 4)
    for viewer in viewers:
        viewer.disconnect_after = lambda: chosen.choice([0.0, 0.02, 0.05, 0.1, 0.2, 0.5])

        def elsewhere(viewer: Viewer = viewer) -> None:
            viewer.replica, viewer.door = chosen.randrange(replicas), chosen.choice(DOORS)

        viewer.before_return = elsewhere
    over = threading.Event()
    editors = [Editor(stack, users[n::4], range(replicas), seed + n) for n in range(4)]

    def edit(editor: Editor) -> None:
        while not over.is_set():
            editor.change()
            over.wait(0.01)

    edits = [asyncio.create_task(asyncio.to_thread(edit, editor)) for editor in editors]
    try:
        for viewer in viewers:
            viewer.start()
        await until(lambda: sum(viewer.connections for viewer in viewers) >= disconnects, "so many disconnects", 200)
        for viewer in viewers:
            viewer.disconnect_after = None
    finally:
        over.set()
        await asyncio.gather(*edits)
    applied = sum(len(viewer.screen.changes) for viewer in viewers)
    print(f"{sum(viewer.connections for viewer in viewers)} connections, {sum(editor.changes for editor in editors)} "
          f"changes, {applied} applied, ends: {Counter(str(end) for viewer in viewers for end in viewer.ends)}")
    return viewers


def test_nothing_is_missed_or_repeated_over_random_disconnects(two_replicas: Stack) -> None:
    async def scenario() -> None:
        viewers = await resume_at_random(two_replicas, 2, DISCONNECTS, SEED)
        await compare(two_replicas, [viewer.screen for viewer in viewers])
        resyncs = [reason for viewer in viewers for reason in viewer.screen.resyncs]
        assert resyncs == [], "each cursor was good"
        await stopped(viewers)

    asyncio.run(scenario())


def test_nothing_is_missed_when_a_replica_is_killed(two_replicas: Stack) -> None:
    """The other replica takes its screens, and is killed in its turn."""
    stack = two_replicas

    async def scenario() -> None:
        users = [f"killed-{n}" for n in range(6)]
        viewers = await started(viewers_of(stack, users, 2, 8))
        for viewer in viewers:
            def elsewhere(viewer: Viewer = viewer) -> None:
                viewer.replica = 1 - viewer.replica
            viewer.before_return = elsewhere
        editors = [Editor(stack, users, [replica], SEED + replica) for replica in range(2)]
        for victim in (0, 1, 0):
            await asyncio.to_thread(stack.kill, f"service-{victim}")
            start = asyncio.create_task(asyncio.to_thread(stack.start_one, f"service-{victim}"))
            while not start.done():
                await asyncio.to_thread(editors[1 - victim].change)
            await start
        await until(lambda: all(viewer.connected for viewer in viewers), "all came back")
        await compare(stack, [viewer.screen for viewer in viewers])
        assert not any(viewer.screen.resyncs for viewer in viewers)
        print(f"{sum(editor.changes for editor in editors)} changes, "
              f"{sum(viewer.connections for viewer in viewers)} connections")
        await stopped(viewers)

    asyncio.run(scenario())


def test_nobody_gets_the_update_of_another_user(two_replicas: Stack) -> None:
    """Many users and connections, all doors, and changes as fast as they are taken."""

    async def scenario() -> None:
        users = [f"owner-{n}" for n in range(50)]
        viewers = await started(viewers_of(two_replicas, users, 2, 4))
        editors = [Editor(two_replicas, users[n::4], [0, 1], SEED + n) for n in range(4)]

        def edit(editor: Editor) -> None:
            for _ in range(CHANGES_OF_OWNERS // 4):
                editor.change()

        await asyncio.gather(*(asyncio.to_thread(edit, editor) for editor in editors))
        await compare(two_replicas, [viewer.screen for viewer in viewers])
        applied = sum(len(viewer.screen.changes) for viewer in viewers)
        print(f"{len(viewers)} connections, {applied} updates")
        assert {viewer.screen.name: viewer.ends for viewer in viewers if viewer.ends} == {}
        await stopped(viewers)

    asyncio.run(scenario())


def test_the_check_notices_a_registration_after_the_gap_was_read(tmp_path: Path) -> None:
    """The mistake that this order of steps prevents, made on purpose."""
    with Stack(tmp_path / "run", broker="memory", service_binary=binary(), service_flags=FLAGS,
               service_env={"TODO_FAULTS": "live-late-register=plant"}, keep_data=False) as stack:

        async def scenario() -> None:
            viewers = await resume_at_random(stack, 1, DISCONNECTS, SEED)
            try:
                with pytest.raises(AssertionError, match="missed|a ping of"):
                    await compare(stack, [viewer.screen for viewer in viewers], within=20)
            finally:
                await stopped(viewers)

        asyncio.run(scenario())


def test_a_replica_that_stops_tells_every_screen_when_to_come_back(two_replicas: Stack) -> None:
    """They are spread out, return to the other replica and miss nothing."""
    stack = two_replicas

    async def scenario() -> None:
        users = [f"user-{n}" for n in range(10)]
        viewers = await started(viewers_of(stack, users, 1, 8))
        for viewer in viewers:
            def elsewhere(viewer: Viewer = viewer) -> None:
                viewer.replica = 1
            viewer.before_return = elsewhere
        editor = Editor(stack, users, [1], SEED)
        stop = asyncio.create_task(asyncio.to_thread(stack.stop_one, "service-0"))
        while not stop.done():
            await asyncio.to_thread(editor.change)
        await stop
        await until(lambda: all(viewer.connected and viewer.replica == 1 for viewer in viewers), "all came back")
        await compare(stack, [viewer.screen for viewer in viewers], replica=1)
        for viewer in viewers:
            first = viewer.ends[0]
            assert first.reason == "SERVER_STOPPING", (viewer.screen.name, first)
            assert first.retry_after is not None, viewer.screen.name
            assert first.code == {"websocket": 1012, "events": 200}.get(viewer.door.name, "UNAVAILABLE")
            assert viewer.screen.resyncs == []
        pauses = [viewer.ends[0].retry_after or 0.0 for viewer in viewers]
        print(f"they come back within {min(pauses):.2f} to {max(pauses):.2f} s")
        assert max(pauses) - min(pauses) > 0.3, "spread out"
        await stopped(viewers)

    asyncio.run(scenario())
    stack.start_one("service-0")


def test_a_restored_backup_is_noticed_by_every_screen(two_replicas: Stack) -> None:
    stack = two_replicas

    async def scenario() -> None:
        users = [f"user-{n}" for n in range(6)]
        editor = Editor(stack, users, [0, 1], SEED)
        for user in users * 5:
            await asyncio.to_thread(editor.change, user)
        backup = await asyncio.to_thread(stack.postgres.dump)
        for user in users * 5:
            await asyncio.to_thread(editor.change, user)
        viewers = await started(viewers_of(stack, users, 2, 8))
        # The last two users do nothing more: only the check of the cursors can tell their screens.
        await asyncio.to_thread(stack.postgres.restore, backup)
        clients = [Client(stack.api_target(n % 2), user) for n, user in enumerate(users[:4])]
        for _ in range(7):  # the numbers of lost changes are given again
            for client in clients:
                await asyncio.to_thread(create_when_back, client)
        await until(lambda: all(viewer.screen.resyncs for viewer in viewers), "all are told")
        await compare(stack, [viewer.screen for viewer in viewers])
        # A message that is still on its way from the lost time may call for a second one.
        assert {reason for viewer in viewers for reason in viewer.screen.resyncs} == {"UNKNOWN_CURSOR"}
        await stopped(viewers)

    asyncio.run(scenario())


def create_when_back(client: Client) -> None:
    def attempt() -> bool:
        try:
            client.create("after the restore")
        except grpc.RpcError:
            return False
        return True

    eventually(attempt, "the service works again")
