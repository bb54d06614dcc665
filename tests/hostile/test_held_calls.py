"""Calls without end on hundreds of connections, by clients without an identity: the number of calls on all connections
together is bounded, not only on each."""

from __future__ import annotations

import contextlib
import time

import pytest
from honest import MIB, Honest, Target
from raw_http2 import DATA, END_HEADERS, HEADERS, Closed, Connection, call_headers, frame

CONNECTIONS = 400
CALLS_EACH = 250  # the connection alone may have 255
SECONDS = 5.0
MANY = 100  # connections that are cut off
PATIENCE = 60.0


def hold(port: int, opening: bytes, more: bytes) -> int:
    """Opens calls on all connections, keeps them, and opens what was cut off again. The number of connections that were
    cut off."""
    def connect() -> Connection | None:
        with contextlib.suppress(Closed, OSError):
            one = Connection(port)
            one.send(b"".join(frame(HEADERS, END_HEADERS, one.next_stream(), opening) for _ in range(CALLS_EACH)))
            return one
        return None

    cut_off = 0
    held = [connect() for _ in range(CONNECTIONS)]
    began = time.monotonic()
    while (passed := time.monotonic() - began) < SECONDS or (cut_off <= MANY and passed < PATIENCE):
        for place, one in enumerate(held):
            try:
                if one is None:
                    raise Closed
                list(one.frames(0.001))
                if more:
                    one.send(more)
            except (Closed, OSError):
                cut_off += 1
                if one is not None:
                    one.close()
                held[place] = connect()
        time.sleep(0.05)
    for one in held:
        if one is not None:
            one.close()
    return cut_off


@pytest.mark.parametrize("large", [False, True], ids=["small metadata", "large metadata"])
def test_calls_without_a_request_are_bounded_together(roomy_target: Target, large: bool) -> None:
    fields = call_headers("/todo.v1.TodoService/GetTask", **({"x_filler": "f" * 12_000} if large else {}))
    with Honest(roomy_target, max_growth=250 * MIB):
        assert hold(roomy_target.api_port, fields, b"") > MANY


def test_requests_that_trickle_in_are_bounded_together(roomy_target: Target) -> None:
    """A byte of each message now and then, so that the request moves."""
    fields = call_headers("/todo.v1.TodoService/GetTask")
    more = b"".join(frame(DATA, 0, 2 * call + 1, b"\0") for call in range(CALLS_EACH))
    with Honest(roomy_target, max_growth=250 * MIB):
        assert hold(roomy_target.api_port, fields, more) > MANY
