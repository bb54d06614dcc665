"""What must be true of a run, each rule a function that yields what breaks it. To add one: write it, put it in CHECKS.

Four kinds of findings: what was accepted and is missing is `lost`; what happened or is said twice is `duplicate`; what
nobody asked for, or differs from what was asked, is a `ghost`; what stands or took effect before what it follows is
`reordered`.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evidence import EVENTS, UPDATES, Change, Evidence
from usage import differences, recount

KINDS = ("lost", "duplicate", "ghost", "reordered")


@dataclass(frozen=True)
class Finding:
    kind: str
    text: str


def by_user(evidence: Evidence) -> dict[str, list[Change]]:
    users: dict[str, list[Change]] = defaultdict(list)
    for change in evidence.changes:
        users[change.user_id].append(change)
    return users


# --- What was answered


def accepted_changes_are_there(evidence: Evidence) -> Iterator[Finding]:
    """The change log has what each caller was answered, word for word, and ListChanges shows it."""
    by_request = {(change.user_id, change.request_id): change for change in evidence.changes if change.request_id}
    shown = {name: {entry.seq: entry for entry in entries} for name, entries in evidence.history.items()}
    for mutation in evidence.mutations:
        if mutation.answer is None:
            continue
        key = (mutation.user, mutation.request_id)
        if key in evidence.unchanged:
            continue
        what = f"{mutation.kind} of task {mutation.answer.id} of {mutation.user}, request {mutation.request_id}"
        change = by_request.get(key)
        if change is None:
            yield Finding("lost", f"{what}: not in the change log")
            continue
        entry = shown.get(mutation.user, {}).get(change.seq)
        if entry is None or entry.event_id != change.event_id:
            yield Finding("lost", f"{what}: ListChanges does not show seq {change.seq}")
        elif (entry.event_type, entry.task) != (mutation.kind, mutation.answer):
            yield Finding("lost", f"{what}: answered\n{mutation.answer}\nbut recorded as {entry}")


def nothing_happened_unasked(evidence: Evidence) -> Iterator[Finding]:
    """A change belongs to a call that was made and not refused, or to a consumer (see `effects_have_their_cause`)."""
    asked = {(mutation.user, mutation.request_id): mutation for mutation in evidence.mutations}
    for change in evidence.changes:
        if change.request_id is None:
            continue
        mutation = asked.get((change.user_id, change.request_id))
        where = f"{change.kind} of task {change.task_id} of {change.user_id}, seq {change.seq}"
        if mutation is None:
            yield Finding("ghost", f"{where}: nobody asked for it")
        elif not mutation.may_have_happened:
            yield Finding("ghost", f"{where}: it was refused with {mutation.refusal}")


# --- The change log and the tasks


def seq_has_no_gap(evidence: Evidence) -> Iterator[Finding]:
    users = by_user(evidence)
    for name, count in evidence.users_seq.items():
        seqs = [change.seq for change in users[name]]
        if seqs != list(range(1, count + 1)):
            yield Finding("lost", f"{name}: seq counts to {count}, the change log has {seqs}")
        shown = [entry.seq for entry in evidence.history[name]]
        if shown != seqs:
            yield Finding("lost", f"{name}: ListChanges shows {shown}, the change log has {seqs}")


def tasks_are_what_the_log_says_last(evidence: Evidence) -> Iterator[Finding]:
    last = {(change.user_id, change.task_id): change for change in evidence.changes}
    for row in evidence.tasks:
        change = last.pop((row["task"]["user_id"], row["task"]["id"]), None)
        if change is None:
            yield Finding("ghost", f"task {row['task']['id']}: no change made it")
        elif change.task != row["task"] or (change.kind == "deleted") != row["deleted"]:
            yield Finding("lost", f"task {change.task_id} is {row}, its last change was {change}")
    for change in last.values():
        yield Finding("lost", f"task {change.task_id} of {change.user_id}: gone")


def open_tasks_are_counted(evidence: Evidence) -> Iterator[Finding]:
    """The count in the user's row, which the limit of open tasks goes by, is the number of the user's open tasks."""
    there = Counter(row["task"]["user_id"] for row in evidence.tasks
                    if not row["deleted"] and not row["task"]["completed"])
    for name, counted in evidence.users_open.items():
        if counted != there[name]:
            yield Finding("lost" if counted < there[name] else "duplicate",
                          f"{name}: {there[name]} open tasks, counted are {counted}")


# --- The bus


def _instants(event: Any) -> Any:
    """The event with its two times as instants: only how many digits they have is up to who writes them."""
    event["time"] = datetime.fromisoformat(event["time"])
    event["data"]["timestamp"] = datetime.fromisoformat(event["data"]["timestamp"])
    return event


def _envelope(change: Change, event_id: str, kind: str, data: dict[str, Any]) -> dict[str, Any]:
    event = {"specversion": "1.0", "id": event_id, "source": "todo-service", "type": kind,
             "subject": str(change.task_id), "time": change.at, "datacontenttype": "application/json",
             "data": {"id": event_id, "user_id": change.user_id, "task_id": change.task_id, "timestamp": change.at, **data}}
    if change.traceparent:
        event["traceparent"] = change.traceparent
    return _instants(event)


def task_event(change: Change) -> dict[str, Any]:
    """The record of task-events that the contract demands for a change."""
    return _envelope(change, change.event_id, f"todo.task.{change.kind}.v1",
                     {"event_type": change.kind, "task_data": change.task})


def task_update(change: Change) -> dict[str, Any]:
    """The same for task-updates, whose events have ids of their own, derived from the event's."""
    task = None if change.kind == "deleted" else change.task
    request = {} if change.request_id is None else {"request_id": change.request_id}
    return _envelope(change, change.event_id[:14] + "8" + change.event_id[15:], "todo.task.changed.v1",
                     {"event_id": change.event_id, "seq": change.seq, "change": change.kind, "task": task, **request})


def topic_says_what_the_log_says(evidence: Evidence) -> Iterator[Finding]:
    """Each change is on both topics, every copy of its record is as the contract says, and there is nothing else."""
    for topic, make in ((EVENTS, task_event), (UPDATES, task_update)):
        expected = {event["id"]: (change, event) for change in evidence.changes for event in [make(change)]}
        first: dict[str, bytes] = {}
        for record in evidence.topics[topic]:
            where = f"{topic}, partition {record.partition}, offset {record.offset}"
            event_id = str(record.event.get("id"))
            if event_id not in expected:
                yield Finding("ghost", f"{where}: unknown event {event_id}")
                continue
            change, event = expected[event_id]
            if event_id in first:
                if record.value != first[event_id]:
                    yield Finding("ghost", f"{where}: event {event_id} differs from its first copy")
                continue
            first[event_id] = record.value
            if record.key != change.user_id:
                yield Finding("ghost", f"{where}: key {record.key}, not {change.user_id}")
            if _instants(record.event) != event:
                yield Finding("ghost", f"{where}: {json.dumps(record.event)} is not what the change log says: {event}")
        for event_id in expected.keys() - first.keys():
            change = expected[event_id][0]
            yield Finding("lost", f"{topic} lacks event {event_id}: {change.kind} of task {change.task_id}, "
                                  f"seq {change.seq} of {change.user_id}")


def first_copies_come_in_order(evidence: Evidence) -> Iterator[Finding]:
    """Per user, as long as neither broker nor sidecar failed. Partitions keep the order of what has one key."""
    if not evidence.order_kept:
        return
    for topic in (EVENTS, UPDATES):
        seqs: dict[str, list[int]] = defaultdict(list)
        seen: set[str] = set()
        for record in sorted(evidence.topics[topic], key=lambda record: (record.partition, record.offset)):
            event = record.event
            if event["id"] in seen:
                continue
            seen.add(event["id"])
            data = event["data"]
            seqs[record.key].append(data["seq"] if topic == UPDATES else data["task_data"]["seq"])
        for name, found in seqs.items():
            for before, after in zip(found, found[1:], strict=False):
                if after < before:
                    yield Finding("reordered", f"{topic}: {name}: seq {after} comes after {before}")


# --- The consumers


def each_consumer_took_each_event_once(evidence: Evidence) -> Iterator[Finding]:
    """An event has one inbox row per consumer, in the state done; the rows are written with the effects."""
    events = {change.event_id for change in evidence.changes}
    for consumer in evidence.consumers:
        taken = Counter(event for name, event, _ in evidence.inbox if name == consumer)
        for event_id in events - taken.keys():
            yield Finding("lost", f"{consumer} never took event {event_id}")
        for event_id, count in taken.items():
            if event_id not in events:
                yield Finding("ghost", f"{consumer} took event {event_id}, which no change made")
            if count > 1:
                yield Finding("duplicate", f"{consumer} took event {event_id} {count} times")
    for consumer, event_id, state in evidence.inbox:
        if state != "done":
            yield Finding("lost", f"{consumer}: event {event_id} is {state}")
    for consumer, event_id, reason in evidence.dead_letters:
        yield Finding("lost", f"{consumer}: event {event_id} is a dead letter: {reason}")


class _Replay:
    """One user's tasks as the change log made them, change by change."""

    def __init__(self) -> None:
        self.tasks: dict[int, dict[str, Any]] = {}
        self.live: set[int] = set()
        self.touched: set[int] = set()  # by the user, since the consumer last wrote it
        self.occurrences: dict[tuple[str, int], int] = {}

    def neighbour(self, task: dict[str, Any], step: int) -> dict[str, Any] | None:
        if not task["series_id"]:
            return None
        found = self.occurrences.get((task["series_id"], task["occurrence"] + step))
        return None if found is None else self.tasks[found]

    def newest_live(self, series_id: str) -> dict[str, Any] | None:
        live = [self.tasks[number] for number in self.live if self.tasks[number]["series_id"] == series_id]
        return max(live, key=lambda task: task["occurrence"], default=None)

    def is_passed_by(self, task: dict[str, Any]) -> bool:
        """Whether a later occurrence of its series is there."""
        newest = self.newest_live(task["series_id"])
        return newest is not None and newest["occurrence"] > task["occurrence"]

    def apply(self, change: Change) -> None:
        was, was_live = self.tasks.get(change.task_id), change.task_id in self.live
        task = self.tasks[change.task_id] = change.task
        if task["series_id"]:
            self.occurrences[task["series_id"], task["occurrence"]] = task["id"]
        (self.live.discard if change.kind == "deleted" else self.live.add)(task["id"])
        (self.touched.discard if change.request_id is None else self.touched.add)(task["id"])
        opened = was is not None and was["completed"] and not task["completed"]
        if task["series_id"] and was is not None and (opened or was_live != (task["id"] in self.live)):
            self._go_on(task["series_id"])

    def _go_on(self, series_id: str) -> None:
        """The newest task goes on with its series when it is open: a deleted next one may come back."""
        newest = self.newest_live(series_id)
        following = newest and not newest["completed"] and self.neighbour(newest, 1)
        if following and not following.get("skipped_at"):
            self.touched.discard(following["id"])


def _calls_for_successor(task: dict[str, Any]) -> bool:
    """Whether a next occurrence has to be there: it is completed, and its series goes on."""
    rule = task["recurrence_rule"]
    if not task["completed"] or not rule or not task["series_id"]:
        return False
    count = next((int(part[6:]) for part in rule.split(";") if part.startswith("COUNT=")), None)
    return count is None or task["occurrence"] < count


def _why_not(change: Change, was: _Replay) -> Finding | None:
    """What is wrong with a change that a consumer made, given the user's tasks before it."""
    where = f"seq {change.seq} of {change.user_id}: a consumer's {change.kind} of task {change.task_id}"
    task = change.task
    exists = task["id"] in was.tasks
    cause = was.neighbour(task, -1)
    wanted = cause is not None and _calls_for_successor(cause)
    if change.kind == "created":
        if cause is None or not wanted:
            return Finding("ghost", f"{where}: its predecessor is {cause}")
        if task["id"] in was.live or (not exists and was.neighbour(task, 0)):
            return Finding("duplicate", f"{where}: that occurrence is there already")
        if exists and was.is_passed_by(task):
            return Finding("ghost", f"{where}: a later task is there")
        if exists and task["id"] in was.touched:
            return Finding("ghost", f"{where}: the user had deleted it")
        return None
    if change.kind == "deleted" and not wanted and task["id"] in was.live and task["id"] not in was.touched:
        return None
    return Finding("ghost", f"{where}: nothing called for it; its predecessor is {cause}")


def effects_have_their_cause(evidence: Evidence) -> Iterator[Finding]:
    """In the order of seq, each consumer's change is what the tasks called for at that moment, versions go up by one,
    and in the end each completed recurring task has its successor, and no other has one that nobody touched."""
    for name, changes in by_user(evidence).items():
        replay = _Replay()
        for change in changes:
            was = replay.tasks.get(change.task_id)
            if change.version != (was["version"] + 1 if was else 1):
                yield Finding("reordered", f"seq {change.seq} of {name}: version {change.version} of task "
                                           f"{change.task_id} follows {was['version'] if was else 0}")
            if change.request_id is None and (finding := _why_not(change, replay)):
                yield finding
            replay.apply(change)
        for task in replay.tasks.values():
            successor = replay.neighbour(task, 1)
            if _calls_for_successor(task):
                # One that the user deleted, or that the consumer had removed after the user touched it, stays away;
                # so does one with a later task.
                if not successor or (successor["id"] not in replay.live and successor["id"] not in replay.touched
                                     and not replay.is_passed_by(successor)):
                    yield Finding("lost", f"task {task['id']} of {name} is completed and has no next occurrence")
            elif successor and successor["id"] in replay.live and successor["id"] not in replay.touched:
                yield Finding("lost", f"task {task['id']} of {name} is open, and nobody removed task {successor['id']}")


def usage_is_what_the_log_says(evidence: Evidence) -> Iterator[Finding]:
    """Every number of GetUsage follows from the change log."""
    for question, answer in evidence.usage:
        for excess, text in differences(question, answer, recount(evidence.changes, question)):
            yield Finding("duplicate" if excess > 0 else "lost" if excess < 0 else "ghost", text)


CHECKS: tuple[Callable[[Evidence], Iterator[Finding]], ...] = (
    accepted_changes_are_there,
    nothing_happened_unasked,
    seq_has_no_gap,
    tasks_are_what_the_log_says_last,
    open_tasks_are_counted,
    topic_says_what_the_log_says,
    first_copies_come_in_order,
    each_consumer_took_each_event_once,
    effects_have_their_cause,
    usage_is_what_the_log_says,
)


# For scenarios that do not write down what they asked for.
WITHOUT_MUTATIONS = tuple(rule for rule in CHECKS if rule not in (accepted_changes_are_there, nothing_happened_unasked))


def check(evidence: Evidence, rules: Iterable[Callable[[Evidence], Iterator[Finding]]] = CHECKS) -> list[Finding]:
    return [finding for rule in rules for finding in rule(evidence)]
