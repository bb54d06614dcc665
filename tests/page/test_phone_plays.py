"""The page on a phone: the drawer of lists, messages that leave the controls free, large text."""

from __future__ import annotations

import re

import pytest
from browser import Browser
from conftest import Place
from playwright.sync_api import Locator, Page, expect
from product import Product
from todo_client import Client, eventually

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True}


@pytest.fixture
def phone(browser: Browser, place: Place, user: str) -> Product:
    product = Product(browser.person(place.origin, **PHONE).tab("/today"))
    product.sign_in_if_asked(user)
    return product


def overlap(one: Locator, other: Locator) -> bool:
    boxes = [one.bounding_box(), other.bounding_box()]
    assert boxes[0] and boxes[1]
    first, second = boxes[0], boxes[1]
    return (first["x"] < second["x"] + second["width"] and second["x"] < first["x"] + first["width"]
            and first["y"] < second["y"] + second["height"] and second["y"] < first["y"] + first["height"])


def opener(page: Page) -> Locator:
    return page.get_by_role("button", name="Show the lists")


def test_the_drawer_holds_the_focus_and_gives_it_back(phone: Product) -> None:
    page = phone.page
    drawer = page.get_by_role("dialog", name="Lists")
    opener(page).press("Enter")
    expect(drawer.get_by_role("link", name="Today")).to_be_focused()
    for _ in range(30):
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement === document.body || Boolean(document.activeElement.closest('dialog'))")
    page.keyboard.press("Escape")
    expect(drawer).to_have_count(0)
    expect(opener(page)).to_be_focused()
    opener(page).click()
    drawer.get_by_role("button", name="Close the lists").click()
    expect(opener(page)).to_be_focused()
    opener(page).click()
    drawer.get_by_role("link", name="Upcoming").press("Enter")
    expect(page.get_by_role("heading", name="Upcoming", level=1)).to_be_visible()
    expect(page.get_by_role("main")).to_be_focused()
    expect(drawer).to_have_count(0)


def test_a_menu_in_the_drawer_closes_alone(phone: Product) -> None:
    page = phone.page
    opener(page).click()
    drawer = page.get_by_role("dialog", name="Lists")
    drawer.get_by_role("button", name=re.compile("^Account of")).click()
    expect(drawer.get_by_role("menu")).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer.get_by_role("menu")).to_have_count(0)
    expect(drawer).to_be_visible()
    page.mouse.click(350, 400)  # beside it
    expect(drawer).to_have_count(0)


def test_messages_leave_the_panel_and_its_menu_free(phone: Product, client: Client) -> None:
    page = phone.page
    for number in range(3):
        client.create(f"Task {number}")
    phone.visit("/all")
    panel = phone.open_task("Task 1")
    for priority in ("Low", "High"):
        panel.get_by_role("button", name=priority).click()
    message = page.locator(".toast:visible")
    expect(message).to_have_count(1)
    expect(message).to_contain_text("high")
    remove = panel.get_by_role("button", name="Delete")
    remove.scroll_into_view_if_needed()
    assert not overlap(message, remove)
    panel.get_by_role("button", name="More").click()
    for entry in page.get_by_role("menuitem").all():
        entry.click(trial=True)


def test_a_list_has_its_name_once(phone: Product, client: Client) -> None:
    for number in range(30):
        client.create(f"Task {number}")
    phone.visit("/all")
    expect(phone.row("Task 1")).to_be_visible()
    name = phone.page.locator(".topbar-title")
    expect(name).to_have_text("")

    def scrolled() -> bool:
        phone.page.mouse.wheel(0, 600)  # lost while the list is still being laid out
        return name.text_content() == "All"

    eventually(scrolled, "the name of the list is in the bar", every=0.2)


def test_large_text_is_not_cut(phone: Product) -> None:
    page = phone.page
    page.set_viewport_size({"width": 320, "height": 640})
    page.evaluate("() => { document.documentElement.style.fontSize = '200%'; }")
    bar = page.get_by_role("navigation", name="Main")
    expect(bar.get_by_role("link", name="Upcoming")).to_be_visible()
    cut = "all => all.filter(each => each.scrollWidth > each.clientWidth + 1).map(each => each.textContent)"
    assert bar.locator("a, button").evaluate_all(cut) == []
    opener(page).click()
    drawer = page.get_by_role("dialog", name="Lists")
    assert drawer.locator(".nav-label").evaluate_all(cut) == []
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")


def test_a_long_dialog_keeps_its_end_in_sight(phone: Product, client: Client) -> None:
    client.create("Stretch", due_local="2031-05-06T08:00:00", time_zone="Europe/Berlin", recurrence_rule="weekly")
    phone.visit("/all")
    phone.open_task("Stretch").get_by_role("button", name=re.compile("^every week", re.I)).click()
    dialog = phone.dialog("Repeat")
    expect(dialog.get_by_text("Next dates")).to_be_attached()
    expect(dialog.get_by_role("button", name="Save")).to_be_in_viewport(ratio=1)
    tops = dialog.locator(".t-day").evaluate_all("all => [...new Set(all.map(each => each.offsetTop))].length")
    assert tops == 1, "the days of the week stand in one line"


def test_the_panel_is_modal_and_gives_the_focus_back(phone: Product, client: Client) -> None:
    for number in range(3):
        client.create(f"Task {number}")
    phone.visit("/all")
    page = phone.page
    link = phone.row("Task 1").get_by_role("link").first
    for leave in (lambda: page.keyboard.press("Escape"), page.go_back, lambda: page.get_by_role("button", name="Close the task").click()):
        link.press("Enter")
        panel = page.get_by_role("dialog", name="Task", exact=True)
        expect(panel.get_by_role("button", name="Close the task")).to_be_focused()
        assert panel.get_attribute("aria-modal") == "true"
        expect(phone.rows).to_have_count(0)
        expect(page.get_by_role("navigation")).to_have_count(0)
        for _ in range(25):
            page.keyboard.press("Tab")
            assert page.evaluate("() => document.activeElement === document.body || Boolean(document.activeElement.closest('.t-panel'))")
        leave()
        expect(panel).to_have_count(0)
        expect(link).to_be_focused()
    link.press("Enter")
    page.get_by_role("button", name="Close the task").press("p")
    page.get_by_role("menuitemradio", name="High").click()
    expect(panel.get_by_role("button", name="High")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(".toast").get_by_role("button", name="Undo")).to_be_visible()
    page.set_viewport_size({"width": 1280, "height": 800})
    expect(page.get_by_role("complementary", name="Task")).to_be_visible()
    expect(phone.rows).to_have_count(3)
