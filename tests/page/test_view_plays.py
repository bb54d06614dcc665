"""Views beside the lists: what the side list counts, what usage says of undone completions, and channels that are missing."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect
from product import Product
from todo_client import Client, eventually


def test_the_side_list_counts_what_is_done(opened: Callable[..., Product], client: Client) -> None:
    for number in range(3):
        client.complete(client.create(f"Finished {number}").id)
    product = opened("/today")
    lists = product.page.get_by_role("navigation", name="Lists")
    expect(lists.get_by_role("link", name=re.compile("^Done ?, 3 tasks$"))).to_be_visible()


def test_usage_tells_how_undone_completions_count(opened: Callable[..., Product], client: Client) -> None:
    task = client.create("Sort the photos")
    product = opened("/all")
    product.check_off(task.title)
    eventually(lambda: client.get(task.id).completed, "done")
    product.undo()
    eventually(lambda: not client.get(task.id).completed, "open again")

    def told() -> bool:
        product.visit("/usage")
        card = product.page.get_by_role("main").locator(".v-number").filter(has_text="Completed").first
        expect(card).to_be_visible()
        return "1 completion was undone; this number counts it too" in re.sub(r"\s+", " ", card.inner_text())
    eventually(told, "the card says it")


def test_a_channel_that_the_operator_did_not_set_up_has_no_switch(opened: Callable[..., Product]) -> None:
    product = opened("/preferences")
    reminders = product.page.get_by_role("main")
    expect(reminders.get_by_role("switch", name="The list in this page")).to_be_visible()
    expect(reminders.get_by_text("Not set up by the operator.").first).to_be_visible()
    expect(reminders.get_by_role("switch", name="E-mail")).to_have_count(0)


def test_the_dialog_of_the_due_date_writes_dates_as_the_user_wants_them(opened: Callable[..., Product], client: Client) -> None:
    client.create("Team lunch", due_local="2031-01-02")
    product = opened("/preferences")
    product.page.get_by_label("Clock").select_option("12")
    with product.page.expect_response(re.compile("UpdatePreferences")):
        product.page.get_by_label("“1/2” means").select_option("DATE_ORDER_MONTH_FIRST")
    product.visit("/all")
    product.focus("Team lunch")
    product.press("d")
    product.page.get_by_role("menuitem", name="Another date or time…").first.click()
    dialog = product.dialog("Due date")
    dialog.get_by_label("In words").fill("7 june 2031 at 12:30pm")
    expect(dialog.get_by_role("status")).to_have_text("Saturday, June 7, 2031, 12:30 pm")


def test_the_form_knows_a_rule_that_falls_back_to_the_last_day(opened: Callable[..., Product], client: Client) -> None:
    rule = "RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;SKIP=BACKWARD"
    task = client.create("Pay the rent", due_local="2031-01-31", recurrence_rule=rule)
    product = opened("/all")
    product.open_task("Pay the rent").get_by_role("button", name=re.compile("month")).click()
    dialog = product.dialog("Repeat")
    expect(dialog.get_by_role("button", name="Every month")).to_have_attribute("aria-pressed", "true")
    dialog.get_by_role("spinbutton").first.fill("2")
    expect(dialog.get_by_role("status")).to_contain_text("31 March")
    dialog.get_by_role("button", name="Save").click()
    eventually(lambda: client.get(task.id).recurrence_rule == "RSCALE=GREGORIAN;FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=31;SKIP=BACKWARD",
               "every other month, as before on its last day if it is shorter")


def test_rows_and_panel_keep_their_place(opened: Callable[..., Product], client: Client) -> None:
    for number in range(20):
        client.create(f"Task {number}")
    product = opened("/all")
    row = product.row("Task 3")
    expect(row).to_be_visible()
    height = row.evaluate("row => row.offsetHeight")
    row.hover()
    expect(row.get_by_role("button", name="More")).to_be_visible()
    assert row.evaluate("row => row.offsetHeight") == height, "the rows below do not move"
    panel = product.open_task("Task 3")
    product.page.evaluate("() => scrollTo(0, document.documentElement.scrollHeight)")
    box = panel.bounding_box()
    assert box and box["y"] == 0, "the head of the panel stays at the end of a list"
