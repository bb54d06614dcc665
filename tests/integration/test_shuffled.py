"""`make bench ONLY=shuffled`, small enough for every run of the tests."""

from __future__ import annotations

from bench.rows.shuffled import compare
from tools.stack import Stack


def test_shuffled_and_repeated_events_have_one_effect_and_end_in_the_same_state(stack: Stack) -> None:
    in_order, shuffled = compare(stack, events=1_000, copies=10)
    assert in_order.effects == in_order.taken == 1_000
    assert shuffled.deliveries == 10_000
    assert shuffled.effects == shuffled.taken == 1_000
    assert 0 < len(in_order.state) < 1_000
    assert shuffled.state == in_order.state
    assert shuffled.versions == in_order.versions
