"""Plays about the focus, which keys and screen readers follow."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect
from product import Product
from todo_client import Client, eventually


def test_the_focus_goes_with_a_task_that_moves_to_another_group(opened: Callable[..., Product], client: Client) -> None:
    for number in range(60):
        client.create(f"Day {number:02}", due_local=f"2031-{number % 12 + 1:02}-{number % 28 + 1:02}")
    moved = client.create("Call Ann", due_local="2032-05-06")
    client.create("Call Bob", due_local="2032-05-07")
    product = opened("/all")
    expect(product.page.get_by_role("heading", level=1)).to_have_text("All")
    product.page.get_by_role("button", name="Sort and group").click()
    product.page.get_by_role("menuitemradio", name=re.compile("date", re.I)).last.click()
    product.press("End")
    link = product.row("Call Ann").get_by_role("link").first
    expect(link).to_be_visible()
    for when in ("Tomorrow", "No date"):
        before = client.get(moved.id).due_local
        product.reschedule("Call Ann", when)
        eventually(lambda before=before: client.get(moved.id).due_local != before, "moved")
        expect(link).to_be_focused()
        expect(link).to_be_in_viewport()
    product.press("p")
    product.page.get_by_role("menuitemradio", name="High").click()
    expect(link).to_be_focused()
    eventually(lambda: client.get(moved.id).priority == client.messages.PRIORITY_HIGH, "keys are for the task that was moved")
