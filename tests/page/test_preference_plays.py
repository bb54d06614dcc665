"""Preferences: what is set is there after a reload, and takes effect where it can be seen; how lists are sorted and grouped."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, expect
from product import Product
from todo_client import Client, eventually


def saved(product: Product, change: Callable[[], object]) -> None:
    with product.page.expect_response(re.compile("UpdatePreferences")) as answer:
        change()
    assert answer.value.ok


def test_quiet_hours_are_kept(opened: Callable[..., Product]) -> None:
    product = opened("/preferences")
    quiet = product.page.get_by_role("region", name="Quiet hours")
    saved(product, quiet.get_by_role("switch", name="Quiet hours").click)
    saved(product, lambda: (quiet.get_by_label("From").fill("21:30"), quiet.get_by_label("From").blur()))
    saved(product, lambda: quiet.get_by_label("Zone").select_option("Asia/Tokyo"))
    product.visit("/preferences")
    expect(quiet.get_by_role("switch", name="Quiet hours")).to_be_checked()
    expect(quiet.get_by_label("From")).to_have_value("21:30")
    expect(quiet.get_by_label("To")).to_have_value("07:00")
    expect(quiet.get_by_label("Zone")).to_have_value("Asia/Tokyo")
    saved(product, quiet.get_by_role("switch", name="Quiet hours").click)
    product.visit("/preferences")
    expect(quiet.get_by_role("switch", name="Quiet hours")).not_to_be_checked()


def test_clock_and_order_of_dates_reach_the_list(opened: Callable[..., Product], client: Client) -> None:
    client.create("Team lunch", due_local="2031-02-01T18:30:00", time_zone="Europe/Berlin")
    product = opened("/preferences")
    product.page.get_by_label("Clock").select_option("24")
    product.visit("/all")
    row = product.row("Team lunch")
    expect(row).to_contain_text("1 Feb 2031")
    expect(row).to_contain_text("18:30")
    product.visit("/preferences")
    saved(product, lambda: product.page.get_by_label("“1/2” means").select_option("DATE_ORDER_MONTH_FIRST"))
    product.page.get_by_label("Clock").select_option("12")
    product.visit("/all")
    expect(row).to_contain_text("Feb 1, 2031")
    expect(row).to_contain_text("6:30 pm")


def test_a_chosen_clock_reaches_the_texts_of_the_server(opened: Callable[..., Product], client: Client) -> None:
    client.create("Water the plants", due_local="2031-02-03T18:30:00", time_zone="Europe/Berlin", recurrence_rule="FREQ=WEEKLY;BYDAY=MO")
    product = opened("/preferences")
    clock = product.page.get_by_label("Clock")
    expect(clock).to_have_value("")  # nothing is chosen, and the browser's language has 12 hours
    saved(product, lambda: clock.select_option("12"))
    product.page.evaluate("localStorage.removeItem('todo.device')")  # the account has it, not only this device
    product.visit("/preferences")
    expect(clock).to_have_value("12")
    product.visit("/all")
    product.type_task("call Ann tomorrow at 17:00")
    expect(product.chip(re.compile("5 pm")).first).to_be_visible()
    product.new_task.fill("")
    product.open_task("Water the plants")
    expect(product.panel).to_contain_text("every Monday at 6:30 pm")
    product.press("Escape")
    product.open_chat()
    product.say("add Call Bob tomorrow at 17:00")
    expect(product.page.get_by_role("log", name="Conversation")).to_contain_text(re.compile("Added: Call Bob, due .*, 5 pm"))


def test_the_words_of_a_date_follow_the_preferences(opened: Callable[..., Product]) -> None:
    product = opened("/preferences")
    saved(product, lambda: product.page.get_by_label("“1/2” means").select_option("DATE_ORDER_MONTH_FIRST"))
    saved(product, lambda: (product.page.get_by_label("Evening").fill("20:15"), product.page.get_by_label("Evening").blur()))
    product.visit("/all")
    product.type_task("call Ann on 3/4/2031 in the evening")
    expect(product.chip(re.compile("4 March 2031.*20:15")).first).to_be_visible()


def test_the_theme_is_that_of_this_device(opened: Callable[..., Product]) -> None:
    product = opened("/preferences")
    product.page.get_by_label("Theme").select_option("dark")
    product.visit("/all")
    expect(product.page.locator("html")).to_have_attribute("data-theme", "dark")


def test_single_keys_can_be_switched_off(opened: Callable[..., Product], client: Client) -> None:
    task = client.create("Stay open")
    product = opened("/preferences")
    product.page.get_by_role("switch", name=re.compile("Shortcuts of a single key")).click()
    product.visit("/all")
    product.focus("Stay open")
    product.press("e")
    product.press("Control+k")  # what needs another key still works
    expect(product.page.get_by_role("combobox", name=re.compile("Find a command"))).to_be_focused()
    product.press("Escape")
    assert not client.get(task.id).completed
    product.visit("/preferences")
    product.page.get_by_role("switch", name=re.compile("Shortcuts of a single key")).click()
    product.visit("/all")
    product.focus("Stay open")
    product.press("e")
    eventually(lambda: client.get(task.id).completed, "the key completes the task")


def choose(product: Product, entry: str) -> None:
    product.page.get_by_role("button", name="Sort and group").click()
    item = product.page.get_by_role("menuitemradio", name=entry).or_(product.page.get_by_role("menuitemcheckbox", name=entry)).or_(
        product.page.get_by_role("menuitem", name=entry))
    item.first.click()


def has_order(product: Product, *titles: str) -> None:
    eventually(lambda: product.titles() == list(titles), f"the order {titles}, not {product.titles()}")


def headings(product: Product) -> Locator:
    return product.page.get_by_role("main").get_by_role("heading", level=2)


def test_a_list_is_sorted_and_grouped_as_one_chooses(opened: Callable[..., Product], client: Client) -> None:
    messages = client.messages  # each order of the three is another one
    client.create("Bean", due_local="2031-01-01", priority=messages.PRIORITY_LOW, tags=["fruit"])
    client.create("Cherry", due_local="2031-01-03", priority=messages.PRIORITY_HIGH, tags=["plant"])
    client.create("Apple", due_local="2031-01-02", priority=messages.PRIORITY_MEDIUM, tags=["fruit"])
    product = opened("/all")
    has_order(product, "Bean", "Apple", "Cherry")
    choose(product, "Title")
    has_order(product, "Apple", "Bean", "Cherry")
    choose(product, "Priority")
    has_order(product, "Cherry", "Apple", "Bean")
    choose(product, "Newest first")
    has_order(product, "Apple", "Cherry", "Bean")
    choose(product, "By tag")
    expect(headings(product)).to_have_text([re.compile("fruit"), re.compile("plant")])
    has_order(product, "Apple", "Bean", "Cherry")
    product.visit("/all")  # the choice is kept
    has_order(product, "Apple", "Bean", "Cherry")
    choose(product, "By priority")
    expect(headings(product)).to_have_text([re.compile("High"), re.compile("Medium"), re.compile("Low")])
    has_order(product, "Cherry", "Apple", "Bean")
    choose(product, "No groups")
    has_order(product, "Apple", "Cherry", "Bean")


def find(product: Product, text: str) -> Locator:
    product.press("Control+k")
    field = product.page.get_by_role("combobox", name=re.compile("Find a command"))
    field.fill(text)
    return product.page.get_by_role("listbox", name="Results").get_by_role("option")


def test_the_palette_finds_commands_lists_tags_and_tasks(opened: Callable[..., Product], client: Client) -> None:
    client.create("Plant the rose", tags=["garden"])
    product = opened("/all")
    expect(product.row("Plant the rose")).to_be_visible()
    for text, entry, address in (("go to", "Go to Done", "/done"), ("gard", "#garden", "/tag/garden"),
                                 ("rose", "Plant the rose", r"/task/\d+$"), ("usage", "Usage", "/usage")):
        options = find(product, text)
        expect(options.filter(has_text=entry).first).to_be_visible()
        expect(options.first).to_have_attribute("aria-selected", "true")
        while entry not in options.and_(product.page.locator('[aria-selected="true"]')).inner_text():
            product.press("ArrowDown")
        product.press("Enter")
        expect(product.page).to_have_url(re.compile(address))
    find(product, "theme dark")
    product.press("Enter")
    expect(product.page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(find(product, "zzz").last).to_contain_text("Search for “zzz”")
    product.press("Enter")
    expect(product.page).to_have_url(re.compile(r"/search\?q=zzz"))
