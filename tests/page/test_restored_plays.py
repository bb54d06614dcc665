"""Plays about tasks that were deleted and came back."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect
from product import Product
from todo_client import Client, eventually


def test_a_task_that_was_brought_back_is_called_restored(opened: Callable[..., Product], client: Client) -> None:
    task = client.create("Sort the photos")
    product = opened("/all")
    product.focus("Sort the photos")
    product.press("Delete")
    expect(product.rows).to_have_count(0)
    eventually(lambda: client.tasks() == [], "deleted")
    product.undo()
    expect(product.rows).to_have_count(1)
    eventually(lambda: client.tasks(), "it is back")
    product.visit(f"/task/{task.id}")
    product.panel.get_by_role("button", name="History").click()
    steps = product.dialog("History").get_by_role("listitem")
    expect(steps).to_have_count(3)
    for at, word in enumerate(("Restored", "Deleted", "Added")):
        expect(steps.nth(at)).to_contain_text(re.compile(f"^\\s*{word}"))
