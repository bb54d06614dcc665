"""Every view for everybody: axe finds nothing serious in light and dark, all can be done with the keyboard alone, and a
screen reader hears the right names."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from browser import Browser, Person
from conftest import Place
from playwright.sync_api import Page, expect
from product import Product, Spoken
from todo_client import Client, eventually

VIEWS = ("/today", "/upcoming", "/all", "/done", "/tag/home", "/search?q=water", "/task/{id}", "/chat", "/usage", "/notifications",
         "/preferences", "/operator", "/about")
SERIOUS = ("serious", "critical")


def violations(page: Page, axe: str, person: Person) -> list[str]:
    complaints = len(person.complaints)
    page.evaluate(axe + "\n;null")
    found = page.evaluate("async () => (await axe.run(document, { resultTypes: ['violations'] })).violations")
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done)))")  # all has been reported
    del person.complaints[complaints:]  # of axe's own style
    return [f"{each['id']} ({each['impact']}): {each['help']}: " + "; ".join(node["html"][:160] for node in each["nodes"][:4])
            for each in found if each["impact"] in SERIOUS]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_axe_finds_nothing_serious(browser: Browser, place: Place, furnished: Client, axe: str, scheme: str, width: int) -> None:
    person = browser.person(place.origin, color_scheme=scheme, viewport={"width": width, "height": 800}, reduced_motion="reduce")
    page = person.tab("/today")
    found = {"sign-in": violations(page, axe, person)} if page.get_by_label("Your name").is_visible() else {}
    product = Product(page)
    product.sign_in_if_asked(furnished.user, operator=True)
    task = furnished.tasks(completed=False)[0]
    for view in VIEWS:
        product.visit(view.format(id=task.id))
        found[view] = violations(page, axe, person)
        if width == 320:
            wide = page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
            found[view] += [f"scrolls sideways by {wide}px"] if wide > 0 else []
    assert not any(found.values()), "\n".join(f"{view}: {each}" for view, all in found.items() for each in all)


def test_axe_finds_nothing_serious_in_what_opens(opened: Callable[..., Product], person: Person, client: Client, axe: str) -> None:
    task = client.create("Water the plants", due_local="2030-01-02T09:00:00", time_zone="Europe/Berlin",
                         recurrence_rule="weekly", tags=["home"])
    product = opened("/all")
    page = product.page
    found = {}
    for name, keys in {"help": "?", "palette": "Control+k"}.items():
        product.press(keys)
        expect(product.dialog()).to_be_visible()
        product.settled()
        found[name] = violations(page, axe, person)
        product.press("Escape")
        expect(product.dialog()).to_be_hidden()
    product.focus(task.title)
    product.press("d")
    expect(page.get_by_role("menu")).to_be_visible()
    product.settled()
    found["due dates"] = violations(page, axe, person)
    product.press("Escape")
    product.type_task("Pay rent every month on the 1st at 9am p1 #home")
    expect(product.chip(re.compile("month", re.I))).to_be_visible()
    found["understood"] = violations(page, axe, person)
    assert not any(found.values()), "\n".join(f"{view}: {each}" for view, all in found.items() for each in all)


def test_texts_of_twice_the_size_hide_nothing(browser: Browser, place: Place, furnished: Client) -> None:
    """As a browser's zoom of 200 % on a screen of 1280 pixels: half the width in CSS pixels."""
    person = browser.person(place.origin, viewport={"width": 640, "height": 400}, device_scale_factor=2)
    product = Product(person.tab("/today"))
    product.sign_in_if_asked(furnished.user, operator=True)
    for view in VIEWS:
        product.visit(view.format(id=furnished.tasks(completed=False)[0].id))
        assert product.run("() => document.documentElement.scrollWidth <= innerWidth"), view


def test_everything_with_the_keyboard_alone(opened: Callable[..., Product], client: Client) -> None:
    """Add, complete, edit, delete, undo; and what a screen reader is told in between."""
    product = opened("/all")
    page = product.page
    spoken = Spoken(page)
    product.press("q")
    expect(product.new_task).to_be_focused()
    page.keyboard.type("Buy bread tomorrow at 8am #home", delay=5)
    expect(product.chip("home")).to_be_visible()
    product.press("Enter")
    expect(product.row("Buy bread")).to_be_visible()
    page.keyboard.type("Buy milk", delay=5)
    product.press("Enter", "Escape")
    expect(product.row("Buy milk")).to_be_visible()
    tree = product.row("Buy bread").aria_snapshot()
    assert re.search(r'checkbox "[^"]*Buy bread[^"]*"', tree), tree
    assert "home" in tree and re.search("tomorrow", tree, re.I), tree
    product.focus("Buy milk")
    product.press("e")
    eventually(lambda: any(task.completed for task in client.tasks()), "completed")
    expect(product.row("Buy milk")).to_have_count(0)
    spoken.must_say(re.compile("buy milk", re.I))
    product.focus("Buy bread")
    product.press("Enter")
    expect(product.panel).to_be_visible()
    assert re.search(r'textbox "Title"', page.locator("body").aria_snapshot())
    product.panel.get_by_role("textbox", name="Title").focus()
    product.press("Control+a")
    page.keyboard.type("Buy rye bread", delay=5)
    product.press("Enter", "Escape")
    eventually(lambda: "Buy rye bread" in [task.title for task in client.tasks()], "edited")
    expect(product.panel).to_be_hidden()
    product.focus("Buy rye bread")
    product.press("Delete")
    expect(product.row("Buy rye bread")).to_have_count(0)
    eventually(lambda: "Buy rye bread" not in [task.title for task in client.tasks()], "deleted")
    spoken.must_say(re.compile("deleted", re.I))
    product.press("u")
    expect(product.row("Buy rye bread")).to_be_visible()
    eventually(lambda: "Buy rye bread" in [task.title for task in client.tasks()], "undone")


def test_the_focus_is_always_seen_and_never_lost(opened: Callable[..., Product], client: Client) -> None:
    client.create("Read a book", due_local="2030-01-02")
    product = opened("/all")
    expect(product.row("Read a book")).to_be_visible()
    unseen = []
    for _ in range(40):
        product.press("Tab")
        focus = product.run("""() => {
            const element = document.activeElement, style = getComputedStyle(element), box = element.getBoundingClientRect();
            const ring = (at) => at.outlineStyle !== "none" && parseFloat(at.outlineWidth) > 0 || at.boxShadow !== "none";
            return { what: element.outerHTML.slice(0, 120), seen: element === document.body ||
                (ring(style) || ring(getComputedStyle(element.parentElement))) && box.width > 0 };
        }""")
        unseen += [] if focus["seen"] else [focus["what"]]
    assert unseen == []


def test_single_keys_do_nothing_in_fields_and_can_be_switched_off(opened: Callable[..., Product], client: Client) -> None:
    client.create("Read a book")
    product = opened("/all")
    expect(product.row("Read a book")).to_be_visible()
    product.new_task.focus()
    product.page.keyboard.type("queue up jk and ?", delay=5)
    expect(product.new_task).to_have_value("queue up jk and ?")
    expect(product.dialog()).to_be_hidden()
    product.new_task.fill("")
    product.visit("/preferences")
    product.page.get_by_role("checkbox", name=re.compile("single|keyboard|keys", re.I)).or_(
        product.page.get_by_role("switch", name=re.compile("single|keyboard|keys", re.I))).first.uncheck()
    product.visit("/all")
    product.press("?", "Control+k")  # the second one works still, and comes later
    expect(product.page.locator("dialog[open]")).to_have_count(1)
    expect(product.dialog("Commands")).to_be_visible()


def test_what_changes_elsewhere_is_said(opened: Callable[..., Product], client: Client) -> None:
    product = opened("/all")
    product.add("Read a book")
    expect(product.row("Read a book")).to_be_visible()
    spoken = Spoken(product.page)
    task = client.create("Call the plumber")
    spoken.must_say(re.compile("added elsewhere: “call the plumber”"))
    client.complete(task.id)
    spoken.must_say(re.compile("completed elsewhere: “call the plumber”"))
    assert not any("elsewhere" in each and "Read a book" in each for each in product.run("() => window.spoken")), "the own change was no news"


@pytest.mark.parametrize("chat", [False, True])
def test_the_panel_fits_with_large_text_too(opened: Callable[..., Product], client: Client, *, chat: bool) -> None:
    client.create("Water the plants", due_local="2030-01-02T09:00:00", time_zone="Europe/Berlin", recurrence_rule="weekly")
    product = opened("/all")
    product.page.set_viewport_size({"width": 1280, "height": 800})
    if chat:
        product.open_chat()
    panel = product.open_task("Water the plants")
    expect(panel).to_contain_text("every week at")
    fits = "each => each.scrollWidth <= each.clientWidth"
    for size in ("100%", "200%"):
        product.run("size => { document.documentElement.style.fontSize = size; }", size)
        assert product.page.locator("html").evaluate(fits), f"the page at {size}"
        assert panel.evaluate(fits), f"the panel at {size}"
        assert panel.evaluate("each => each.getBoundingClientRect().left >= 0 && each.getBoundingClientRect().right <= innerWidth"), size
