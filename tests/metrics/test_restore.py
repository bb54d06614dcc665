"""The page "Backup and restore" of docs/runbook.md: a dump under load, a restore under load, and everything goes on."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress

import grpc
import pytest
from checks import (
    Finding, check, each_consumer_took_each_event_once, effects_have_their_cause, open_tasks_are_counted, seq_has_no_gap,
    tasks_are_what_the_log_says_last, usage_is_what_the_log_says,
)
from conftest import REPOSITORY, binary
from evidence import collect, wait_for_quiet
from todo_client import Client, Notified, Operator, Reminders, eventually, rows

from tools.stack import Stack

USERS = 3
RULES = (seq_has_no_gap, tasks_are_what_the_log_says_last, open_tasks_are_counted, each_consumer_took_each_event_once,
         effects_have_their_cause, usage_is_what_the_log_says)
# Events of the lost time that were on their way have their effect, although the database knows no cause of it.
OF_THE_LOST_TIME = ("which no change made", "its predecessor is None")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One replica on Kafka that soon notices an effect which a restored database lacks."""
    with Stack(tmp_path_factory.mktemp("restore") / "run", service_binary=binary(), service_flags=["--audit-delay=5s"],
               keep_data=False) as running:
        yield running


class Load:
    """A user who makes series and completes their first tasks, one after the other, whatever happens."""

    def __init__(self, stack: Stack, number: int) -> None:
        self.client = Client(stack.api_target(), f"backup-{number}", timeout=10)
        self.done: list[str] = []  # titles of the tasks that were completed
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            title = f"task {number}"
            with suppress(grpc.RpcError):
                task = self.client.create(title, due_local="2036-10-24", recurrence_rule="daily")
                self.client.complete(task.id)
                self.done.append(title)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join()


def more(loads: list[Load], count: int) -> None:
    """Waits until each user has completed so many further tasks."""
    wanted = [len(load.done) + count for load in loads]
    eventually(lambda: all(len(load.done) >= least for load, least in zip(loads, wanted, strict=True)), "the load goes on",
               within=120)


def unfinished(client: Client, titles: set[str]) -> list[str]:
    """The titles without a completed task and an open one, its next occurrence."""
    found = {(task.title, task.completed) for task in client.tasks()}
    return [title for title in titles if not {(title, True), (title, False)} <= found]


class Reminded:
    """A user with reminders that are due after the backup: before, during and after the restore."""

    def __init__(self, stack: Stack) -> None:
        self.user = "backup-reminded"
        self._notified = Notified(stack.api_target(), self.user)
        client = Client(stack.api_target(), self.user)
        now = time.time()
        self._due = {f"in {seconds} s": now + seconds for seconds in (2, 10, 30)}
        for title, at in self._due.items():
            Reminders(client).create(client.create(title).id, at=at)

    def notifications(self) -> list[str]:
        try:
            return sorted(one.title for one in self._notified.notifications())
        except grpc.RpcError:  # the database is exchanged
            return []

    def wait_until_each_has_fired(self, restored_at: float) -> None:
        eventually(lambda: set(self.notifications()) == set(self._due), "the reminders fire", within=120)
        for title, times in Counter(self.notifications()).items():
            # One that was due before may have fired in the lost time, and its event may have been on its way.
            assert times <= (2 if self._due[title] < restored_at else 1), title


def changes_of(stack: Stack) -> set[str]:
    """The ids of the events in the change log."""
    return {event_id for (event_id,) in rows(stack, "select event_id from changes")}


def unexplained(stack: Stack, made_before: set[str]) -> list[Finding]:
    """What is wrong in the database, and is not an effect of the lost time. Changes `made_before` the restore may lack the
    mark of usage: they are counted again from the change log, and the rule of usage compares the numbers."""
    excused = {f"usage never took event {event_id}" for event_id in made_before}
    return [finding for finding in check(collect(stack, [], order_kept=False), RULES)
            if finding.text not in excused and not any(trace in finding.text for trace in OF_THE_LOST_TIME)]


def test_a_backup_under_load_is_restored_under_load_and_everything_goes_on(stack: Stack) -> None:
    loads = [Load(stack, number) for number in range(USERS)]
    try:
        more(loads, 20)
        reminded = Reminded(stack)
        kept = [list(load.done) for load in loads]
        backup = stack.postgres.dump()
        more(loads, 20)
        made_before = changes_of(stack)
        stack.postgres.restore(backup)
        restored_at = time.time()
        restored = [len(load.done) for load in loads]
        more(loads, 20)
    finally:
        for load in loads:
            load.stop()
    reminded.wait_until_each_has_fired(restored_at)
    # The first one after the restore may have been made before it, and completed in the same moment.
    promised = {load.client: {*before, *load.done[since + 1:]} for load, before, since in zip(loads, kept, restored, strict=True)}
    # The backup may have a change whose effect came after it; the audit notices, and publishes the change again.
    eventually(lambda: not [title for client, titles in promised.items() for title in unfinished(client, titles)],
               "each task was completed, and followed", within=120, every=0.5)
    assert wait_for_quiet(stack, patience=90) is None
    for client, titles in promised.items():
        found = Counter((task.title, task.completed) for task in client.tasks() if task.title in titles)
        assert set(found.values()) == {1}, (client.user, "completed once, and followed once", found.most_common(3))
    operator = Operator(stack.api_target())
    operator.rebuild_analytics()
    eventually(lambda: not operator.status().usage_rebuild.running, "usage was counted again")
    # The audit may still publish again what a consumer lacks.
    with suppress(AssertionError):
        eventually(lambda: not unexplained(stack, made_before), "each change has its effects", within=120, every=1)
    assert unexplained(stack, made_before) == []
    status = operator.status()
    assert (status.unpublished_changes, status.waiting_retries) == (0, 0)


def test_the_steps_of_the_runbook_are_those_that_were_tried() -> None:
    page = (REPOSITORY / "docs" / "runbook.md").read_text().partition("## Backup and restore")[2]
    tried = (REPOSITORY / "tools" / "stack" / "postgres.py").read_text()
    flags = set(re.findall(r"--[a-z-]+(?:=custom)?", page))
    assert {"--format=custom", "--exit-on-error"} <= flags
    for step in ("pg_dump", "pg_restore", "--format=custom", "--exit-on-error", "template0", "allow_connections false",
                 "with (force)", "rename to"):
        assert step in page and step in tried, step
