"""docs/events: the schemas are sound, accept what the event contract allows and refuse what it does not."""

import copy
import datetime
import json
import pathlib
import re

import pytest
from jsonschema import Draft7Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

EVENTS = pathlib.Path(__file__).resolve().parent.parent.parent / "docs" / "events"
SCHEMAS = {path.name: json.loads(path.read_text()) for path in sorted(EVENTS.glob("*.schema.json"))}
REGISTRY = Registry().with_resources(
    (name, Resource(contents=schema, specification=DRAFT7)) for name, schema in SCHEMAS.items()
)
FORMATS = FormatChecker(formats=["uuid"])


@FORMATS.checks("date-time", raises=ValueError)
def is_date_time(value: object) -> bool:
    """RFC 3339. The usual checker is silently absent unless another package is installed."""
    return not isinstance(value, str) or datetime.datetime.fromisoformat(value.upper()).tzinfo is not None


def validator(name: str) -> Draft7Validator:
    return Draft7Validator({"$ref": f"{name}.schema.json"}, registry=REGISTRY, format_checker=FORMATS)


def faults(name: str, value: object) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in validator(name).iter_errors(value)]


def example(name: str, number: int = 0) -> dict:
    return copy.deepcopy(SCHEMAS[f"{name}.schema.json"]["examples"][number])


REMOVED = object()


def changed(value: dict, path: str, replacement: object) -> dict:
    """A copy with the value at a dotted path set, or taken out with REMOVED."""
    value = copy.deepcopy(value)
    *parents, last = path.split(".")
    inner = value
    for key in parents:
        inner = inner[key]
    if replacement is REMOVED:
        del inner[last]
    else:
        inner[last] = replacement
    return value


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_is_valid_draft_07(name):
    assert SCHEMAS[name]["$schema"] == "http://json-schema.org/draft-07/schema#"
    Draft7Validator.check_schema(SCHEMAS[name])


@pytest.mark.parametrize("name", SCHEMAS)
def test_schema_allows_further_keys_everywhere(name):
    assert "additionalProperties" not in json.dumps(SCHEMAS[name])


@pytest.mark.parametrize("name", [name.removesuffix(".schema.json") for name in SCHEMAS if name[:6] != "types."])
def test_own_examples_are_valid(name):
    examples = SCHEMAS[f"{name}.schema.json"]["examples"]
    assert examples
    for value in examples:
        assert faults(name, value) == []


def cloud_event(event_type: str, data: dict) -> dict:
    return {
        "specversion": "1.0",
        "id": data["id"],
        "source": "todo-service",
        "type": event_type,
        "subject": str(data["task_id"]),
        "datacontenttype": "application/json",
        "data": data,
    }


DAPR_ENVELOPE = {
    "specversion": "1.0",
    "id": "550e8400-e29b-41d4-a716-446655440000",
    "source": "other-app",
    "type": "com.dapr.event.sent",
    "time": "2025-01-01T01:00:00+01:00",
    "datacontenttype": "application/json",
    "pubsubname": "kafka-pubsub",
    "topic": "task-events",
    "traceid": "",
    "traceparent": "",
    "tracestate": "",
    "data": {},
}

CREATED = example("task-event")
UPDATED = example("task-event-produced")
REMINDER = example("reminder-event")
OUR_REMINDER = example("reminder-event-produced")
DELETED_UPDATE = example("task-update")
CREATED_UPDATE = example("task-update", 1)
NOTIFICATION = example("task-update", 2)
DAY_TASK = example("task")
DEAD_LETTER = example("dead-letter")

ACCEPTED = {
    "no task_data": ("task-event", changed(CREATED, "task_data", REMOVED)),
    "empty task_data": ("task-event", changed(CREATED, "task_data", {})),
    "further keys": ("task-event", changed(CREATED, "series_id", 7)),
    "further keys in task_data": ("task-event", changed(CREATED, "task_data.color", None)),
    "keys of todo-service in another shape": (
        "task-event", changed(changed(CREATED, "task_data.version", "9"), "task_data.series_id", "my-series")),
    "created in the year 1": ("task-event", changed(CREATED, "task_data.created_at", "0001-01-01T00:00:00Z")),
    "time with a long fraction": ("task-event", changed(CREATED, "timestamp", f"2025-01-01T00:00:00.{'9' * 99}Z")),
    "time with an offset": ("task-event", changed(CREATED, "timestamp", "2025-01-01T05:30:00+05:30")),
    "time with fractions": ("task-event", changed(CREATED, "timestamp", "2025-01-01T00:00:00.123456789Z")),
    "time in small letters": ("task-event", changed(CREATED, "timestamp", "2025-01-01t00:00:00z")),
    "due date with an offset": ("task-event", changed(CREATED, "task_data.due_date", "2025-01-02T10:00:00-08:00")),
    "id in capitals": ("task-event", changed(CREATED, "id", CREATED["id"].upper())),
    "integer beyond a double": ("task-event", changed(CREATED, "task_id", 2**53 + 1)),
    "our reminder of a day": ("reminder-event-produced", example("reminder-event-produced", 1)),
    "reminder with keys of its producer's own": (
        "reminder-event", REMINDER | {"due_kind": "someday", "due_local": 7}),
    "reminder without due date": ("reminder-event", changed(REMINDER, "due_date", REMOVED)),
    "update by no call": ("task-update", changed(DELETED_UPDATE, "request_id", REMOVED)),
    "notification without its task": ("task-update", changed(NOTIFICATION, "task_id", REMOVED)),
    "update with an unknown change": ("task-update", changed(NOTIFICATION, "change", "shared")),
    "envelope of Dapr": ("cloud-event", DAPR_ENVELOPE),
    "our task event": ("cloud-event-produced", cloud_event("todo.task.updated.v1", UPDATED)),
    "our reminder": ("cloud-event-produced", cloud_event("todo.reminder.due.v1", OUR_REMINDER)),
    "our update": ("cloud-event-produced", cloud_event("todo.task.changed.v1", CREATED_UPDATE)),
    "a type of the future": ("cloud-event-produced", cloud_event("todo.list.shared.v1", UPDATED)),
    "a day in its own form": ("task", DAY_TASK),
    "no due date": (
        "task",
        DAY_TASK | {"due_kind": None, "due_local": None, "due_date": None},
    ),
    "dead letter of a bus without offsets": (
        "dead-letter",
        changed(changed(DEAD_LETTER, "dlqoffset", REMOVED), "dlqpartition", REMOVED),
    ),
    "dead letter of a record that is a JSON string": ("dead-letter", changed(DEAD_LETTER, "data", "text")),
    "dead letter of a record that is too large to travel on": ("dead-letter", changed(DEAD_LETTER, "data", REMOVED)),
}

# Planted faults, and the place that must be reported.
REFUSED = {
    **{f"task event without {key}": ("task-event", changed(CREATED, key, REMOVED), "$: ") for key in
       ("id", "event_type", "task_id", "user_id", "timestamp")},
    "unknown event type": ("task-event", changed(CREATED, "event_type", "archived"), "$.event_type"),
    "id that is no uuid": ("task-event", changed(CREATED, "id", "42"), "$.id"),
    "id in braces": ("task-event", changed(CREATED, "id", "{" + CREATED["id"] + "}"), "$.id"),
    "task id as text": ("task-event", changed(CREATED, "task_id", "1"), "$.task_id"),
    "task id with a fraction": ("task-event", changed(CREATED, "task_id", 1.5), "$.task_id"),
    "task id that is a boolean": ("task-event", changed(CREATED, "task_id", True), "$.task_id"),
    "user id that is a number": ("task-event", changed(CREATED, "user_id", 7), "$.user_id"),
    "time without an offset": ("task-event", changed(CREATED, "timestamp", "2025-01-01T00:00:00"), "$.timestamp"),
    "time of an impossible day": ("task-event", changed(CREATED, "timestamp", "2025-02-30T00:00:00Z"), "$.timestamp"),
    "day instead of a time": ("task-event", changed(CREATED, "timestamp", "2025-01-01"), "$.timestamp"),
    "time as a number": ("task-event", changed(CREATED, "timestamp", 1735689600), "$.timestamp"),
    "task_data null": ("task-event", changed(CREATED, "task_data", None), "$.task_data"),
    "unknown priority": ("task-event", changed(CREATED, "task_data.priority", "urgent"), "$.task_data.priority"),
    "title null": ("task-event", changed(CREATED, "task_data.title", None), "$.task_data.title"),
    "tags as text": ("task-event", changed(CREATED, "task_data.tags", "home"), "$.task_data.tags"),
    "tag that is a number": ("task-event", changed(CREATED, "task_data.tags", [1]), "$.task_data.tags[0]"),
    "completed as text": ("task-event", changed(CREATED, "task_data.completed", "no"), "$.task_data.completed"),
    "due date as a day": ("task-event", changed(CREATED, "task_data.due_date", "2025-01-02"), "$.task_data.due_date"),
    "not an object": ("task-event", [CREATED], "$: "),
    "our event without task_data": ("task-event-produced", changed(UPDATED, "task_data", REMOVED), "$: "),
    **{f"our event without task_data.{key}": (
        "task-event-produced", changed(UPDATED, f"task_data.{key}", REMOVED), "$.task_data: ")
       for key in UPDATED["task_data"]},
    "our event with an offset": (
        "task-event-produced", changed(UPDATED, "timestamp", "2025-01-01T00:00:00+00:00"), "$.timestamp"),
    "our event with an unknown type": (
        "task-event-produced", changed(UPDATED, "event_type", "archived"), "$.event_type"),
    "version zero": ("task", changed(DAY_TASK, "version", 0), "$.version"),
    "a day without its local form": ("task", changed(DAY_TASK, "due_local", None), "$.due_local"),
    "a day without a zone": ("task", changed(DAY_TASK, "time_zone", REMOVED), "$: "),
    **{f"reminder without {key}": ("reminder-event", changed(REMINDER, key, REMOVED), "$: ") for key in
       ("task_id", "title", "remind_at", "user_id")},
    "reminder at a day": ("reminder-event", changed(REMINDER, "remind_at", "2025-01-02"), "$.remind_at"),
    "reminder with due date null": ("reminder-event", changed(REMINDER, "due_date", None), "$.due_date"),
    "our reminder of a day without the day": (
        "reminder-event-produced", changed(example("reminder-event-produced", 1), "due_local", REMOVED), "$: "),
    "our reminder without what its due date is": (
        "reminder-event-produced", changed(OUR_REMINDER, "due_kind", REMOVED), "$: "),
    "our reminder without id": ("reminder-event-produced", REMINDER, "$: "),
    **{f"update without {key}": ("task-update", changed(CREATED_UPDATE, key, REMOVED), "$: ") for key in
       CREATED_UPDATE},
    "update of a deleted task with a task": (
        "task-update", changed(DELETED_UPDATE, "task", CREATED_UPDATE["task"]), "$.task"),
    "update of a live task without one": ("task-update", changed(CREATED_UPDATE, "task", None), "$.task"),
    "update with half a task": ("task-update", changed(CREATED_UPDATE, "task", {"id": 2}), "$.task"),
    "update with seq zero": ("task-update", changed(CREATED_UPDATE, "seq", 0), "$.seq"),
    "update with an event id that is no uuid": ("task-update", changed(CREATED_UPDATE, "event_id", "42"), "$.event_id"),
    "update with a request id that is no uuid": (
        "task-update", changed(DELETED_UPDATE, "request_id", "42"), "$.request_id"),
    "notification with a seq": ("task-update", changed(NOTIFICATION, "seq", 3), "$: "),
    **{f"envelope without {key}": ("cloud-event", changed(DAPR_ENVELOPE, key, REMOVED), "$: ") for key in
       ("specversion", "id", "source", "type")},
    "envelope of another version": ("cloud-event", changed(DAPR_ENVELOPE, "specversion", "0.3"), "$.specversion"),
    "envelope with an empty id": ("cloud-event", changed(DAPR_ENVELOPE, "id", ""), "$.id"),
    "envelope with data twice": ("cloud-event", changed(DAPR_ENVELOPE, "data_base64", "AA=="), "$: "),
    "our envelope, foreign source": (
        "cloud-event-produced", changed(cloud_event("todo.task.updated.v1", UPDATED), "source", "x"), "$.source"),
    "our envelope, data of another type": (
        "cloud-event-produced", cloud_event("todo.task.created.v1", UPDATED), "$.data.event_type"),
    "our envelope, foreign data": (
        "cloud-event-produced", cloud_event("todo.task.created.v1", CREATED), "$.data.task_data"),
    "our envelope without a subject": (
        "cloud-event-produced", changed(cloud_event("todo.task.updated.v1", UPDATED), "subject", REMOVED), "$: "),
    "our envelope, wrong trace": (
        "cloud-event-produced",
        cloud_event("todo.task.updated.v1", UPDATED) | {"traceparent": "00-1-2-01"},
        "$.traceparent",
    ),
    **{f"dead letter without {key}": ("dead-letter", changed(DEAD_LETTER, key, REMOVED), "$: ") for key in
       ("dlqreason", "dlqconsumer", "dlqattempts", "dlqfirstfailedat", "dlqlastfailedat", "dlqtopic")},
    "dead letter with its record twice": ("dead-letter", changed(DEAD_LETTER, "data_base64", "AA=="), "$: "),
    "dead letter with a number as offset": ("dead-letter", changed(DEAD_LETTER, "dlqoffset", 4711), "$.dlqoffset"),
    "dead letter never tried": ("dead-letter", changed(DEAD_LETTER, "dlqattempts", 0), "$.dlqattempts"),
}


@pytest.mark.parametrize("case", ACCEPTED.values(), ids=ACCEPTED.keys())
def test_accepts(case):
    name, value = case
    assert faults(name, value) == []


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED.keys())
def test_refuses(case):
    name, value, place = case
    found = faults(name, value)
    assert any(fault.startswith(place) for fault in found), found


def test_every_schema_belongs_to_the_asyncapi_document():
    named = set(re.findall(r"\$ref: \./([\w-]+\.schema\.json)", (EVENTS / "asyncapi.yaml").read_text()))
    assert named <= SCHEMAS.keys()
    reached: set[str] = set()
    while named - reached:
        name = (named - reached).pop()
        reached.add(name)
        named |= set(re.findall(r'"\$ref": "([\w-]+\.schema\.json)', json.dumps(SCHEMAS[name])))
    assert reached == SCHEMAS.keys()
