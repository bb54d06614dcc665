"""What a run leaves behind, read from outside: the database, the topics, the API's history. See checks.py."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import confluent_kafka
from todo_client import Client, Operator, Record, eventually, read_topic, rows
from usage import ALL, Analytics, Answer, Question, questions
from users import Mutation

from tools.stack import Stack

EVENTS, UPDATES = "task-events", "task-updates"
CONSUMERS = ("recurring-tasks", "usage")  # each takes every event of task-events once

# One statement, so one snapshot: what is not settled yet.
UNSETTLED = """
select (select count(*) from changes c join relay_shards s using (shard) where c.id > s.position)
     + (select count(*) from messages m join relay_shards s using (shard) where m.id > s.message_position),
       (select count(*) from retries), (select count(*) from changes), (select count(*) from inbox)"""


@dataclass
class Change:
    user_id: str
    seq: int
    event_id: str
    kind: str
    task_id: int
    version: int
    at: str
    traceparent: str
    task: dict[str, Any]
    request_id: str | None  # null: a consumer made it


@dataclass
class Evidence:
    mutations: Sequence[Mutation]
    changes: list[Change]                       # by user and seq
    unchanged: set[tuple[str, str]]             # (user, request id) of calls that changed nothing
    tasks: list[dict[str, Any]]                 # task_json, and deleted
    inbox: list[tuple[str, str, str]]           # consumer, event id, state
    dead_letters: list[tuple[str, str, str]]    # consumer, event id, reason
    users_seq: dict[str, int]
    users_open: dict[str, int]                  # the open tasks that are counted
    history: dict[str, list[Any]]               # ListChanges by user
    topics: dict[str, list[Record]] = field(default_factory=dict)
    usage: list[tuple[Question, Answer]] = field(default_factory=list)
    consumers: Sequence[str] = CONSUMERS
    order_kept: bool = True                     # neither broker nor sidecar were touched


def _json_rows(stack: Stack, sql: str) -> list[Any]:
    return [json.loads(row[0]) for row in rows(stack, f"select row_to_json(r) from ({sql}) r")]


def collect(stack: Stack, mutations: Sequence[Mutation], order_kept: bool) -> Evidence:
    changes = read_changes(stack)
    users = rows(stack, "select user_id, seq, open_tasks from users")
    users_seq = {name: int(seq) for name, seq, _ in users}
    target = stack.api_target()
    return Evidence(
        mutations=mutations,
        changes=changes,
        unchanged={(u, r) for u, r in rows(stack, "select user_id, request_id from requests where seq is null")},
        tasks=_json_rows(stack, "select task_json(t)::json as task, deleted_at is not null as deleted from tasks t"),
        inbox=[(c, e, s) for c, e, s in rows(stack, "select consumer, event_id, state from inbox")],
        dead_letters=[(c, e, r) for c, e, r in rows(stack, "select consumer, event_id, reason from dead_letters")],
        users_seq=users_seq,
        users_open={name: int(count) for name, _, count in users},
        history={name: Client(target, name, timeout=60).changes() for name in users_seq},
        topics={topic: read_topic(stack, topic) for topic in (EVENTS, UPDATES)},
        usage=read_usage(stack, changes, users_seq),
        order_kept=order_kept,
    )


def read_usage(stack: Stack, changes: Sequence[Change], users: Iterable[str]) -> list[tuple[Question, Answer]]:
    target = stack.api_target()
    ask = {name: Analytics(target, name) for name in users}
    ask[ALL] = Analytics(target, "root", role="operator")
    return [(question, ask[question.user].answer(question)) for question in questions(changes, users)]


# Puts the whole change log around the moment in which the clocks of Chatham go back, in steps that are no round numbers.
MOVE_THE_LOG = """
update changes set
    at = timestamptz '2026-04-03T00:00:00Z' + (seq * 613) % 259200 * interval '1 second',
    task_json = (task_json::jsonb || jsonb_build_object('created_at', rfc3339(
        timestamptz '2026-04-02T00:00:00Z' + (task_id * 1009) % 259200 * interval '1 second')))::text"""


def with_rebuilt_usage(stack: Stack, evidence: Evidence) -> Evidence:
    """Other times in the change log, and usage that was counted from it by RebuildAnalytics."""
    rows(stack, MOVE_THE_LOG)
    operator = Operator(stack.api_target())
    started = operator.rebuild_analytics().started_at
    eventually(lambda: not operator.status().usage_rebuild.running, "the rebuild of usage")
    assert operator.status().usage_rebuild.started_at == started
    changes = read_changes(stack)
    return replace(evidence, changes=changes, usage=read_usage(stack, changes, evidence.users_seq))


def read_changes(stack: Stack) -> list[Change]:
    return [Change(**change) for change in _json_rows(stack, """
        select c.user_id, c.seq, c.event_id, c.kind, c.task_id, c.version, rfc3339(c.at) as at, c.traceparent,
               c.task_json::json as task, r.request_id
        from changes c left join requests r on r.user_id = c.user_id and r.seq = c.seq
        order by c.user_id, c.seq""")]


def unread(stack: Stack, topics: Iterable[str] = (EVENTS,), group: str = "todo-service") -> int:
    """How many records the service's group has not acknowledged yet."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": f"127.0.0.1:{stack.ports['kafka']}", "group.id": group})
    try:
        left = 0
        for topic in topics:
            known = consumer.list_topics(topic, timeout=10).topics[topic].partitions
            parts = [confluent_kafka.TopicPartition(topic, number) for number in known]
            for position in consumer.committed(parts, timeout=10):
                low, high = consumer.get_watermark_offsets(position, timeout=10)
                left += high - max(position.offset, low)
        return left
    finally:
        consumer.close()


def wait_for_quiet(stack: Stack, patience: float) -> str | None:
    """Returns when all that was accepted is on the bus, and all that is on the bus was acknowledged by the service,
    twice in a row with nothing new in between. None, or what is not settled when nothing moved for `patience`."""
    before: object = None
    moved_at = time.monotonic()
    settled: object = None
    while True:
        try:
            unpublished, waiting, changes, taken = (int(n) for n in rows(stack, UNSETTLED)[0])
            left = unread(stack)
        except confluent_kafka.KafkaException as error:
            unpublished, waiting, changes, taken, left = -1, 0, 0, 0, 0
            text = f"the broker does not answer: {error}"
        else:
            text = (f"{unpublished} changes unpublished, {waiting} events in the retry queue, {left} records unread; "
                    f"{changes} changes, {taken} inbox rows")
        now = (unpublished, waiting, changes, taken, left)
        if unpublished == waiting == left == 0:
            if settled == changes:
                return None
            settled = changes
        else:
            settled = None
        if now != before:
            before, moved_at = now, time.monotonic()
        elif time.monotonic() - moved_at > patience:
            return text
        time.sleep(0.5)
