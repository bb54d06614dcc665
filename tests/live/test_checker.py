"""The check that the scenarios rely on notices each breach of the promise."""

from __future__ import annotations

from typing import Any

import pytest
from screens import Screen

TASK: dict[str, Any] = {"id": 1, "title": "a", "user_id": "ada"}


def update(seq: int, task: Any = TASK, event_id: str = "") -> dict[str, Any]:
    return {"type": "update", "seq": seq, "event_id": event_id or f"e{seq}", "change": "updated", "task_id": 1, "task": task}


def snapshot(seq: int, *tasks: Any, last: bool = True) -> dict[str, Any]:
    return {"type": "snapshot", "seq": seq, "event_id": f"e{seq}" if seq else None, "tasks": list(tasks), "last": last}


def head(kind: str, seq: int) -> dict[str, Any]:
    return {"type": kind, "seq": seq, "event_id": f"e{seq}"}


RESYNC = {"type": "resync", "reason": "UNKNOWN_CURSOR"}
ALIVE = {"type": "ping"}  # without a cursor


def screen_with(*messages: dict[str, Any]) -> Screen:
    """None stands for a new connection."""
    screen = Screen("ada")
    screen.begin()
    for message in messages:
        screen.begin() if message is None else screen.take(message)
    return screen


@pytest.mark.parametrize("messages", [
    [snapshot(0), update(1), update(2), head("ping", 2)],
    [snapshot(4, TASK, last=False), snapshot(4, {**TASK, "id": 2}), update(5), None, head("resumed", 6), update(6)],
    [snapshot(4), update(5), RESYNC, snapshot(2), update(3), head("ping", 3)],
    [snapshot(4), None, RESYNC, snapshot(2), update(3)],
    [snapshot(4, TASK, last=False), None, snapshot(5, TASK)],
    [ALIVE, snapshot(4, TASK, last=False), ALIVE, snapshot(4), ALIVE, None, ALIVE, head("resumed", 4), ALIVE, update(5)],
    [snapshot(0), {"type": "something new"}],
])
def test_good_connections_have_no_breach(messages: list[Any]) -> None:
    assert screen_with(*messages).breaches == []


@pytest.mark.parametrize(("messages", "breach"), [
    ([snapshot(4), update(6)], "missed 5 to 5"),
    ([snapshot(4), update(5), update(5)], "update 5 again"),
    ([snapshot(4), update(6), update(5)], "missed 5 to 5"),
    ([snapshot(4), None, head("resumed", 6), update(6)], "missed 5 to 5"),
    ([snapshot(4), None, snapshot(4)], "snapshot came first"),
    ([snapshot(4), snapshot(4)], "a snapshot without a resync"),
    ([update(1)], "update came first"),
    ([snapshot(4), head("ping", 5)], "a ping of 5"),
    ([snapshot(4), {**head("ping", 4), "event_id": "other"}], "a ping of 4"),
    ([snapshot(4), {**ALIVE, "id": "4.e4"}], "a sign of life with more"),
    ([snapshot(4), None, head("resumed", 3)], "resumed at 3"),
    ([snapshot(4), update(5, {**TASK, "user_id": "eve"})], "a task of eve"),
    ([snapshot(4, TASK, {**TASK, "id": 2, "user_id": "eve"})], "a task of eve"),
    ([snapshot(4), {**update(5), "id": "4.e4"}], "id 4.e4"),
])
def test_a_breach_is_noticed(messages: list[Any], breach: str) -> None:
    assert any(breach in found for found in screen_with(*messages).breaches)


def test_a_screen_shows_what_it_was_told() -> None:
    screen = screen_with(snapshot(4, TASK, {**TASK, "id": 2}), update(5, {**TASK, "title": "b"}), update(6, None))
    assert list(screen.tasks) == [2] and screen.changes == [(5, "e5"), (6, "e6")] and screen.cursor == (6, "e6")
