"""Records that no consumer can make anything of: every kind that a producer may come up with."""

from __future__ import annotations

import json
from typing import Any

from todo_client import foreign_event


def _event(user: str, task_id: int, /, **changes: object) -> bytes:
    return json.dumps(foreign_event(user, task_id, **changes)).encode()


def _task(user: str, task_id: int, **changes: object) -> dict[str, Any]:
    return {**foreign_event(user, task_id)["data"]["task_data"], **changes}


def poison(user: str, task_id: int) -> dict[str, bytes]:
    """By kind. Those that are JSON speak of task `task_id` of `user`."""
    missing = foreign_event(user, task_id)
    del missing["data"]["task_id"]
    wrong_content = {**foreign_event(user, task_id), "datacontenttype": "text/plain"}
    return {
        "malformed": b'{"specversion":"1.0","data":{',
        "binary": bytes(range(256)),
        "not an object": b"[1,2,3]",
        "no envelope": b'{"id":"x"}',
        "invalid utf-8": b'{"specversion":"1.0","data":"\xff\xfe"}',
        "deeply nested": b'{"specversion":"1.0","data":' + b"[" * 5000 + b"]" * 5000 + b"}",
        "wrong type": _event(user, task_id, task_id="one"),
        "unknown type": _event(user, task_id, event_type="exploded"),
        "beyond 2^53": _event(user, 2**53 + 1),
        "bad uuid": _event(user, task_id, id="not-a-uuid"),
        "bad time": _event(user, task_id, timestamp="yesterday"),
        "missing field": json.dumps(missing).encode(),
        "wrong content type": json.dumps(wrong_content).encode(),
        # What is wrong with them is as long as they are, and base64 makes the first longer than the bus takes.
        "malformed and huge": b'{"specversion":"1.0","data":"' + b"x" * 900_000,
        "unknown and huge": b'{"specversion":"' + b"x" * 900_000 + b'"}',
        # These two are events; only the consumer finds that they can have no effect.
        "bad rule": _event(user, task_id, task_data=_task(user, task_id, recurrence_rule="FREQ=FOO")),
        "huge": _event(user, task_id + 1, task_data=_task(user, task_id + 1, title="x" * 900_000)),
    }
