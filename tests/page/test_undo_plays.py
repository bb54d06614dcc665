"""Plays about taking changes back with the key."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect
from product import Product, Spoken
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


def test_what_an_undo_brings_is_no_news_from_elsewhere(opened: Callable[..., Product], client: Client) -> None:
    for title in ("Water the plants", "Feed the cat"):
        client.create(title, due_local="2030-05-06", recurrence_rule="daily", time_zone="Europe/Berlin")
    product = opened("/all")
    expect(product.row("Feed the cat")).to_be_visible()
    spoken = Spoken(product.page)
    select(product, "Water the plants", "Feed the cat")
    product.press("e")
    eventually(lambda: len(client.tasks(completed=False)) == 2 and len(client.tasks()) == 4, "the next ones are there")
    expect(product.toast("Next:")).to_be_visible()
    product.press("u")
    eventually(lambda: len(client.tasks()) == 2, "the next ones are gone")
    select(product, "Water the plants")
    product.press("Delete")
    product.dialog().get_by_role("button", name="This one only").click()
    eventually(lambda: sorted(task.due_local for task in client.tasks()) == ["2030-05-06", "2030-05-07"], "skipped")
    product.press("u")
    eventually(lambda: [task.due_local for task in client.tasks()] == ["2030-05-06"] * 2, "back")
    client.create("Call Ann")
    spoken.must_say(re.compile("added elsewhere: “call ann”"))
    said = spoken.all()
    assert [each for each in said if "elsewhere" in each and "Call Ann" not in each] == [], said


def test_a_message_is_said_once_and_covers_no_row(opened: Callable[..., Product], client: Client) -> None:
    for number in range(30):
        client.create(f"Task {number:02}")
    product = opened("/all")
    expect(product.row("Task 00")).to_be_visible()
    spoken = Spoken(product.page)
    for title in ("Task 00", "Task 01", "Task 02"):
        product.focus(title)
        product.press("p")
        product.page.get_by_role("menuitemradio", name="High").click()
        expect(product.toast(f"Set high priority for “{title}”")).to_be_visible()
    expect(product.page.locator(".toast")).to_have_count(2)
    assert sum("Task 02" in each for each in spoken.all()) == 1
    product.run("() => scrollTo(0, document.documentElement.scrollHeight)")
    last = product.rows.last
    expect(last).to_be_in_viewport(ratio=1)
    row, messages = last.bounding_box(), product.page.locator(".toast").first.bounding_box()
    assert row and messages and row["y"] + row["height"] <= messages["y"]
    for title in ("Task 02", "Task 01", "Task 00"):
        product.press("u")
        expect(product.toast(f"Undone: Set high priority for “{title}”")).to_be_visible()
