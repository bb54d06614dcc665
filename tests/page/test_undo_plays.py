"""Plays about taking changes back with the key."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect
from product import Product
from todo_client import Client, eventually


def dismiss_all(product: Product) -> None:
    """Messages end by themselves; here it takes no time."""
    closers = product.page.get_by_role("button", name="Dismiss")
    while closers.count():
        closers.first.click()


def select(product: Product, *titles: str) -> None:
    for title in titles:
        product.focus(title)
        product.press("x")


def test_many_changes_are_undone_in_their_order_beyond_their_messages(opened: Callable[..., Product], client: Client) -> None:
    product = opened("/all")
    for title in ("Buy soil", "Buy pots", "Call Ann"):
        product.add(title)
        expect(product.row(title)).to_be_visible()
    eventually(lambda: len(client.tasks()) == 3, "added")
    product.rename("Call Ann", "Call Bob")
    product.press("Escape")
    product.reschedule("Call Bob", "Tomorrow")
    product.focus("Buy soil")
    product.press("e")
    expect(product.row("Buy soil")).to_have_count(0)
    select(product, "Buy pots", "Call Bob")
    product.press("p")
    product.page.get_by_role("menuitemradio", name="High").click()
    eventually(lambda: [task.priority for task in client.tasks(completed=False)] == [client.messages.PRIORITY_HIGH] * 2, "changed")
    product.press("Escape")
    product.focus("Call Bob")
    product.press("Delete")
    eventually(lambda: len(client.tasks()) == 2, "deleted")
    dismiss_all(product)

    def undo(text: str) -> None:
        product.press("u")
        expect(product.toast(f"Undone: {text}")).to_be_visible()

    undo("Deleted “Call Bob”")
    expect(product.row("Call Bob")).to_be_visible()
    undo("Set high priority for 2 tasks")
    undo("Completed “Buy soil”")
    expect(product.row("Buy soil")).to_be_visible()
    undo("Moved “Call Bob” to Tomorrow")
    undo("Renamed to “Call Bob”")
    expect(product.row("Call Ann")).to_be_visible()

    def present() -> dict[str, tuple[int, str, bool]]:
        return {task.title: (task.priority, task.due_local, task.completed) for task in client.tasks()}

    before = (client.messages.PRIORITY_MEDIUM, "", False)
    eventually(lambda: present() == {"Buy soil": before, "Buy pots": before, "Call Ann": before}, "as they were added")
    for title in ("Call Ann", "Buy pots", "Buy soil"):
        undo(f"Added “{title}”")
        expect(product.row(title)).to_have_count(0)
    eventually(lambda: client.tasks() == [], "nothing is left")
    product.press("u")
    expect(product.toast("Nothing to undo")).to_be_visible()


def test_a_repeating_task_that_was_added_by_mistake_leaves_no_series(opened: Callable[..., Product], client: Client) -> None:
    product = opened("/all")
    product.add("Water the plants every day")
    eventually(lambda: client.tasks(), "added")
    product.check_off("Water the plants")
    eventually(lambda: len(client.tasks()) == 2, "the next one is there")
    expect(product.toast("Next:")).to_be_visible()
    dismiss_all(product)
    product.press("u")
    eventually(lambda: len(client.tasks(completed=False)) == 1, "open again, and alone")
    product.press("u")
    expect(product.toast("Undone: Added “Water the plants”")).to_be_visible()
    eventually(lambda: client.tasks() == [], "the series is gone")
