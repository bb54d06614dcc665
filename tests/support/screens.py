"""Screens that watch their user's tasks, and the check of the promise: every change reaches a screen once and in order."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from live_doors import PATIENCE, Cursor, Door, Ended, Message, WebSocketDoor, cursor_text
from todo_client import Client

from tools.stack import Stack


class Screen:
    """What one screen knows of its user's tasks. `take` applies one message; a breach of the promise is noted in
    `breaches`, and the screen goes on from what it got."""

    def __init__(self, user: str, name: str = "") -> None:
        self.user = user
        self.name = name or user
        self.cursor: Cursor | None = None
        self.tasks: dict[int, Any] = {}
        self.changes: list[tuple[int, str]] = []  # all that were applied since the last snapshot
        self.notifications: list[str] = []
        self.request_ids: list[str] = []
        self.resyncs: list[str] = []
        self.snapshots = 0
        self.pings = 0  # with a cursor
        self.signs_of_life = 0  # pings without one
        self.breaches: list[str] = []
        self.longest_wait = 0.0  # seconds from a change's time to its arrival here, of changes that came live
        self._opening = True
        self._head = 0  # as the first answer said it; what comes up to it was missed before
        self._parts: dict[int, Any] | None = None

    def begin(self) -> Cursor | None:
        """A connection begins; with this cursor."""
        self._opening = True
        self._parts = None
        return self.cursor

    def take(self, message: Message) -> None:
        kind = message["type"]
        if kind == "ping" and "seq" not in message:  # may come at any time
            self.signs_of_life += 1
            if message.keys() != {"type"}:
                self._breach(f"a sign of life with more: {message}")
            return
        expected = {"resumed", "resync"} if self.cursor else {"snapshot"}
        if self._opening and kind not in expected and not (kind == "snapshot" and self._parts is not None):
            self._breach(f"{kind} came first, with cursor {self.cursor}")
        self._opening = False
        handle = getattr(self, f"_take_{kind}", None)
        if handle:  # screens ignore types that they do not know
            handle(message)
        if "id" in message and (self.cursor is None or message["id"] != cursor_text(self.cursor)):
            self._breach(f"id {message['id']} with cursor {self.cursor}")

    def _take_resumed(self, message: Message) -> None:
        self._head = message["seq"]
        if self.cursor is None or message["seq"] < self.cursor[0]:
            self._breach(f"resumed at {message['seq']} with cursor {self.cursor}")

    def _take_resync(self, message: Message) -> None:
        self.resyncs.append(message["reason"])
        self.cursor, self._parts, self.tasks, self.changes = None, None, {}, []

    def _take_snapshot(self, message: Message) -> None:
        if self.cursor is not None:
            self._breach(f"a snapshot without a resync, with cursor {self.cursor}")
        self._parts = self._parts or {}
        self._parts.update({int(_get(task, "id")): task for task in message["tasks"]})
        self._check_owners(message["tasks"])
        if message["last"]:
            self.tasks, self._parts, self.changes = self._parts, None, []
            self.cursor = message["seq"], message["event_id"]
            self._head = message["seq"]
            self.snapshots += 1

    def _take_update(self, message: Message) -> None:
        seq, event_id = message["seq"], message["event_id"]
        if self.cursor is None:
            self._breach(f"update {seq} without a cursor")
        elif seq <= self.cursor[0]:
            self._breach(f"update {seq} again, after {self.cursor[0]}")
            return
        elif seq > self.cursor[0] + 1:
            self._breach(f"missed {self.cursor[0] + 1} to {seq - 1}")
        self.cursor = seq, event_id
        self.changes.append((seq, event_id))
        if message["task"] is None:
            self.tasks.pop(message["task_id"], None)
        else:
            self.tasks[message["task_id"]] = message["task"]
            self._check_owners([message["task"]])
        if "request_id" in message:
            self.request_ids.append(message["request_id"])
        if "timestamp" in message and seq > self._head:
            at = datetime.fromisoformat(message["timestamp"]).timestamp()
            self.longest_wait = max(self.longest_wait, time.time() - at)

    def _take_notification(self, message: Message) -> None:
        self.notifications.append(message["notification_id"])

    def _take_ping(self, message: Message) -> None:
        self.pings += 1
        if self.cursor is None or (message["seq"], message["event_id"]) != self.cursor:
            self._breach(f"a ping of {message['seq']} with cursor {self.cursor}")

    def _check_owners(self, tasks: list[Any]) -> None:
        for owner in {_get(task, "user_id") for task in tasks} - {self.user}:
            self._breach(f"a task of {owner}")

    def _breach(self, text: str) -> None:
        self.breaches.append(f"{self.name}: {text}")


class Viewer:
    """Keeps a screen connected: comes back after each end, with the cursor that it has, as docs/live.md says."""

    def __init__(self, stack: Stack, screen: Screen, door: type[Door] = WebSocketDoor, replica: int = 0, *,
                 identity: Callable[[], Mapping[str, str]] | None = None) -> None:
        self.stack = stack
        self.screen = screen
        self.door = door
        self.replica = replica
        self.ends: list[Ended] = []
        self.failed_openings = 0
        self.connections = 0
        self.connected = False
        self.disconnect_after: Callable[[], float] | None = None  # seconds; by itself
        self.before_return: Callable[[], None] = lambda: None
        self._identity = identity or (lambda: {"x-user-id": screen.user})
        self._task: asyncio.Task[None] | None = None
        self.current: Door | None = None

    def start(self) -> Viewer:
        self._task = asyncio.create_task(self._run())
        return self

    async def stop(self) -> None:
        assert self._task
        self._task.cancel()
        await asyncio.wait([self._task], timeout=PATIENCE)
        assert self._task.done(), f"{self.screen.name} does not stop: {self._task}"
        with suppress(asyncio.CancelledError):
            self._task.result()

    async def _run(self) -> None:
        while True:
            try:
                await self._connect_once()
            except Ended as end:
                self.ends.append(end)
                await asyncio.sleep(0.05 if end.retry_after is None else end.retry_after)
            except (OSError, EOFError, TimeoutError, asyncio.IncompleteReadError) as failure:
                # The server is not there (yet).
                self.failed_openings += 1
                self.last_failure = failure
                await asyncio.sleep(0.1)
            self.before_return()

    async def _connect_once(self) -> None:
        door = self.door(self.stack, self.replica, self._identity(), self.screen.begin())
        try:
            await door.open()
            self.current = door
            self.connections += 1
            life = self.disconnect_after() if self.disconnect_after else None
            with suppress(TimeoutError):
                async with asyncio.timeout(life):
                    while True:
                        self.screen.take(await door.next())
                        self.connected = True
        finally:
            self.connected = False
            with suppress(Exception):
                await door.close()


class Editor:
    """Changes the tasks of some users at random, through any of some replicas. Blocks: give it a thread."""

    def __init__(self, stack: Stack, users: list[str], replicas: Iterable[int], seed: int) -> None:
        self._random = random.Random(seed)
        targets = [stack.api_target(n) for n in replicas]
        self._clients = {user: [Client(target, user) for target in targets] for user in users}
        self._open: dict[str, list[int]] = {user: [] for user in users}
        self.changes = 0

    def change(self, user: str | None = None) -> None:
        user = user or self._random.choice(list(self._clients))
        client = self._random.choice(self._clients[user])
        tasks, roll = self._open[user], self._random.random()
        if len(tasks) < 3 or roll < 0.4:
            tasks.append(client.create(f"task {self.changes} of {user}", description=user * 5).id)
        elif roll < 0.7:
            client.complete(self._random.choice(tasks))
        elif roll < 0.85:
            client.uncomplete(self._random.choice(tasks))
        else:
            client.delete(tasks.pop(self._random.randrange(len(tasks))))
        self.changes += 1


async def until(probe: Callable[[], Any], what: str, within: float = 60.0) -> None:
    """Like todo_client.eventually, for code that must let others run."""
    deadline = time.monotonic() + within
    while not probe():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {within:g} s")
        await asyncio.sleep(0.02)


def brief(task: Any) -> tuple[Any, ...]:
    """What must be equal on a screen and in the database, of a task in either form."""
    texts = tuple(_get(task, name) or "" for name in ("title", "description", "due_local", "recurrence_rule", "series_id"))
    numbers = tuple(int(_get(task, name) or 0) for name in ("id", "version", "occurrence"))
    return (*numbers, *texts, bool(_get(task, "completed")), tuple(_get(task, "tags")))


async def compare(stack: Stack, screens: list[Screen], replica: int = 0, within: float = 60.0) -> None:
    """Waits until all screens are at the head of their users, who change nothing any more. No screen may have seen a
    breach; each must show what the database has, and have applied what the change log has, once and in order."""
    known: dict[str, tuple[list[tuple[int, str]], list[tuple[Any, ...]]]] = {}
    for user in {screen.user for screen in screens}:
        client = Client(stack.api_target(replica), user)
        changes = await asyncio.to_thread(client.changes)
        tasks = await asyncio.to_thread(client.tasks)
        known[user] = [(change.seq, change.event_id) for change in changes], sorted(map(brief, tasks))

    def behind() -> list[str]:
        return [f"{screen.name} at {screen.cursor}, head {known[screen.user][0][-1:]}" for screen in screens
                if screen.cursor != (known[screen.user][0] or [(0, None)])[-1]]

    deadline = time.monotonic() + within
    while behind() and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
    breaches = [breach for screen in screens for breach in screen.breaches]
    assert not breaches, f"{len(breaches)}: {breaches[:5]}"
    assert not behind(), behind()[:5]
    for screen in screens:
        log, tasks = known[screen.user]
        assert sorted(map(brief, screen.tasks.values())) == tasks, screen.name
        assert screen.changes == log[len(log) - len(screen.changes):], screen.name


def _get(task: Any, name: str) -> Any:
    return task.get(name) if isinstance(task, dict) else getattr(task, name)
