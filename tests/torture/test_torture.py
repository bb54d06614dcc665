"""Whoever checks must be checked: each rule sees what breaks it, and a service that is broken on purpose is found out."""

from __future__ import annotations

import copy
import json
import os
import sys
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from torture import REPOSITORY, report, torture  # noqa: E402  it knows where the rest is

from checks import check, task_event, task_update  # noqa: E402
from evidence import EVENTS, UPDATES, Change, Evidence  # noqa: E402
from reminders import judge  # noqa: E402
from todo_client import Record  # noqa: E402
from usage import ALL, Answer, questions, recount  # noqa: E402
from users import Mutation  # noqa: E402


@pytest.mark.parametrize(("plant", "kind"), [
    ("inbox", "lost"),  # nobody knows any more what was taken
    ("order", "reordered"),
    ("ack", "lost"),
    ("double-count", "duplicate"),
])
def test_a_planted_mistake_is_found(tmp_path: Path, plant: str, kind: str) -> None:
    binary = Path(os.environ.get("TODO_SERVICE", REPOSITORY / "build" / "ci" / "todo-service"))
    result = torture(tmp_path / "run", binary=binary, seconds=5, mutations=300, seed=7, kinds=["service"],
                     plant=plant, hands=1)
    report(result)
    assert not result.trouble
    assert result.counts[kind] > 0
    assert set(result.counts) == {kind}, "and nothing else is wrong"


# A run of one user: creates a daily task, completes it, and the consumer makes the next occurrence.

USER = "ada"
SERIES = str(uuid.uuid4())


def task(task_id: int, version: int, seq: int, **more: Any) -> dict[str, Any]:
    return {"id": task_id, "title": "t", "completed": False, "recurrence_rule": "FREQ=DAILY", "user_id": USER,
            "version": version, "seq": seq, "series_id": SERIES, "occurrence": task_id, "priority": "high", "tags": ["a"],
            "created_at": "2026-11-23T11:00:00Z", **more}


def change(seq: int, kind: str, content: dict[str, Any], asked: bool) -> Change:
    return Change(USER, seq, str(uuid.uuid4()), kind, content["id"], content["version"], "2026-11-23T12:00:00.5Z", "",
                  content, str(uuid.uuid4()) if asked else None)


def record(topic: str, offset: int, event: dict[str, Any]) -> Record:
    text = json.dumps(event, default=lambda at: at.isoformat().replace("+00:00", "Z"))
    return Record(topic, 0, offset, USER, text.encode(), {})


def a_good_run() -> Evidence:
    changes = [change(1, "created", task(1, 1, 1), True), change(2, "completed", task(1, 2, 2, completed=True), True),
               change(3, "created", task(2, 1, 3), False)]
    answers = {c.seq: SimpleNamespace(id=c.task_id) for c in changes}
    return Evidence(
        mutations=[Mutation(USER, c.kind, str(c.request_id), 1, answers[c.seq]) for c in changes if c.request_id],
        changes=changes,
        unchanged=set(),
        tasks=[{"task": changes[1].task, "deleted": False}, {"task": changes[2].task, "deleted": False}],
        inbox=[(consumer, c.event_id, "done") for c in changes for consumer in ("recurring-tasks", "usage")],
        dead_letters=[],
        users_seq={USER: 3},
        users_open={USER: 1},
        history={USER: [SimpleNamespace(seq=c.seq, event_id=c.event_id, event_type=c.kind, task=answers[c.seq])
                        for c in changes]},
        topics={topic: [record(topic, n, make(c)) for n, c in enumerate(changes)]
                for topic, make in ((EVENTS, task_event), (UPDATES, task_update))},
        usage=[(question, recount(changes, question)) for question in questions(changes, [USER])],
    )


def answer_forgotten(run: Evidence) -> None:
    run.mutations = [*run.mutations, Mutation(USER, "completed", str(uuid.uuid4()), 1, SimpleNamespace(id=1))]


def answered_otherwise(run: Evidence) -> None:
    run.mutations[0].answer = SimpleNamespace(id=1, title="another")


def refused_and_done(run: Evidence) -> None:
    run.mutations[1].answer, run.mutations[1].refusal = None, "STALE_ETAG"


def unasked(run: Evidence) -> None:
    run.changes[1].request_id = str(uuid.uuid4())
    run.mutations = run.mutations[:1]


def gap(run: Evidence) -> None:
    run.users_seq[USER] = 4


def counted_too_few(run: Evidence) -> None:
    run.users_open[USER] = 0


def counted_too_many(run: Evidence) -> None:
    run.users_open[USER] = 2


def task_gone(run: Evidence) -> None:
    run.tasks.pop()


def not_published(run: Evidence) -> None:
    run.topics[EVENTS].pop(0)


def published_otherwise(run: Evidence) -> None:
    run.topics[UPDATES][1] = record(UPDATES, 1, task_update(copy.deepcopy(run.changes[1])) | {"subject": "7"})


def published_with(number: int, key: str, value: object) -> Callable[[Evidence], None]:
    """The update of one change says something else under one key of its data."""
    def mistake(run: Evidence) -> None:
        update = task_update(copy.deepcopy(run.changes[number]))
        update["data"][key] = value
        run.topics[UPDATES][number] = record(UPDATES, number, update)
    return mistake


def published_from_nowhere(run: Evidence) -> None:
    run.topics[EVENTS].append(record(EVENTS, 9, task_event(change(4, "deleted", task(2, 2, 4), True))))


def second_copy_differs(run: Evidence) -> None:
    first = run.topics[EVENTS][0]
    run.topics[EVENTS].append(Record(EVENTS, 0, 9, USER, first.value.replace(b'"t"', b'"u"'), {}))


def swapped_on_the_topic(run: Evidence) -> None:
    first, second, _ = run.topics[EVENTS]
    run.topics[EVENTS][:2] = [Record(EVENTS, 0, 0, USER, second.value, {}), Record(EVENTS, 0, 1, USER, first.value, {})]


def not_taken(run: Evidence) -> None:
    run.inbox.pop()


def taken_twice(run: Evidence) -> None:
    run.inbox.append(run.inbox[0])


def still_waiting(run: Evidence) -> None:
    run.inbox[0] = (*run.inbox[0][:2], "waiting")


def effect_without_cause(run: Evidence) -> None:
    del run.changes[1]  # the completion


def effect_twice(run: Evidence) -> None:
    again = change(4, "created", task(2, 1, 4) | {"id": 3}, False)
    run.changes.append(again)


def version_skipped(run: Evidence) -> None:
    run.changes[1].version = 3


def no_effect(run: Evidence) -> None:
    del run.changes[2]


def usage_answer(run: Evidence, user: str, breakdown: str) -> Answer:
    return next(answer for question, answer in run.usage
                if (question.user, question.zone, question.breakdown) == (user, "Asia/Kathmandu", breakdown))


def counted_twice(run: Evidence) -> None:
    usage_answer(run, USER, "NONE").totals.counts["completed"] += 1


def counted_twice_for_all(run: Evidence) -> None:
    usage_answer(run, ALL, "NONE").totals.counts["created"] += 1


def counted_not_at_all(run: Evidence) -> None:
    usage_answer(run, USER, "TAG").parts["a"].counts["created"] -= 1


def counted_in_another_hour(run: Evidence) -> None:
    points = usage_answer(run, USER, "NONE").points
    start, counts = points.popitem()
    points[start + timedelta(minutes=15)] = counts


def measured_otherwise(run: Evidence) -> None:
    usage_answer(run, USER, "PRIORITY").totals.times = (1, 3600.5, 3601.5)


def says_too_early_that_all_is_counted(run: Evidence) -> None:
    usage_answer(run, USER, "SERIES").as_of_seq = 2


@pytest.mark.parametrize(("mistake", "kind"), [
    (answer_forgotten, "lost"), (answered_otherwise, "lost"), (refused_and_done, "ghost"), (unasked, "ghost"),
    (gap, "lost"), (counted_too_few, "lost"), (counted_too_many, "duplicate"), (task_gone, "lost"),
    (not_published, "lost"), (published_otherwise, "ghost"), (published_from_nowhere, "ghost"),
    (published_with(1, "event_id", str(uuid.uuid4())), "ghost"), (published_with(1, "seq", 3), "ghost"),
    (published_with(1, "request_id", str(uuid.uuid4())), "ghost"),
    (published_with(2, "request_id", str(uuid.uuid4())), "ghost"),  # a consumer's change
    (second_copy_differs, "ghost"), (swapped_on_the_topic, "reordered"), (not_taken, "lost"),
    (taken_twice, "duplicate"), (still_waiting, "lost"), (effect_without_cause, "ghost"),
    (effect_twice, "duplicate"), (version_skipped, "reordered"), (no_effect, "lost"),
    (counted_twice, "duplicate"), (counted_twice_for_all, "duplicate"), (counted_not_at_all, "lost"),
    (counted_in_another_hour, "ghost"), (measured_otherwise, "ghost"), (says_too_early_that_all_is_counted, "lost"),
])
def test_each_rule_sees_what_breaks_it(mistake: Callable[[Evidence], None], kind: str) -> None:
    run = a_good_run()
    assert check(run) == []
    mistake(run)
    assert kind in {finding.kind for finding in check(run)}


def reminder_event(task_id: int, event_id: str, at: str = "2026-11-24T09:00:00.25Z") -> dict[str, Any]:
    return {"id": event_id, "time": at, "data": {"task_id": task_id, "remind_at": "2026-11-24T09:00:00Z"}}


@pytest.mark.parametrize(("events", "told", "found"), [
    ([reminder_event(1, "a"), reminder_event(1, "a"), reminder_event(2, "b")], [1, 2], {}),  # copies do no harm
    ([reminder_event(1, "a")], [1], {"lost": 1}),
    ([reminder_event(1, "a"), reminder_event(2, "b")], [1], {"lost": 1}),  # on the topic, but nobody was told
    ([reminder_event(1, "a"), reminder_event(1, "c"), reminder_event(2, "b")], [1, 2], {"doubled": 1}),
    ([reminder_event(1, "a"), reminder_event(2, "b")], [1, 1, 2], {"doubled": 1}),
    ([reminder_event(1, "a", "2026-11-24T08:59:59.999Z"), reminder_event(2, "b")], [1, 2], {"early": 1}),
])
def test_lost_doubled_and_early_reminders_are_seen(events: list[dict[str, Any]], told: list[int],
                                                   found: dict[str, int]) -> None:
    assert judge([1, 2], events, told) == found
