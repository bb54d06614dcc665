"""Plays about what the page keeps: the focus, changes that cannot be sent, and a browser that keeps nothing itself."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

from browser import FLAGS, REFUSED_CALL, UNAVAILABLE, Person
from chromium import find_chromium
from conftest import Place
from playwright.sync_api import Playwright, Route, expect
from product import Product
from todo_client import Client, Reminders, eventually


def test_the_focus_stays_in_the_panel_when_a_new_task_gets_its_id(opened: Callable[..., Product], person: Person,
                                                                  client: Client) -> None:
    held: list[Route] = []
    person.context.route("**/todo.v1.TodoService/CreateTask", lambda route: held.append(route))
    product = opened("/all")
    product.add("Book the hotel")
    panel = product.open_task("Book the hotel")
    title = panel.get_by_role("textbox", name="Title")
    title.focus()
    title.press("End")
    product.page.keyboard.type(" in", delay=5)
    eventually(lambda: product.run("() => 0") == 0 and held, "the call is under way")
    held[0].continue_()
    task = eventually(lambda: next(iter(client.tasks()), None), "the task is stored")
    product.page.wait_for_url(f"**/task/{task.id}")
    expect(title).to_be_focused()
    product.page.keyboard.type(" Oslo", delay=5)
    title.press("Enter")
    eventually(lambda: client.get(task.id).title == "Book the hotel in Oslo", "all that was typed is stored")


def test_a_change_that_cannot_be_sent_waits_for_the_user(opened: Callable[..., Product], person: Person, client: Client) -> None:
    """A proxy refuses one call and passes all others."""
    person.allow(REFUSED_CALL, UNAVAILABLE)
    task = client.create("Sort the photos")
    person.context.route("**/todo.v1.TodoService/UpdateTask", lambda route: route.fulfill(status=413, body="<html>Too large</html>"))
    product = opened("/all")
    product.rename("Sort the photos", "Sort all photos")
    product.press("Escape")
    product.add("Something else")
    bar = product.page.get_by_role("status", name="A change that could not be sent")
    expect(bar).to_contain_text("answered 413", timeout=60_000)
    eventually(lambda: len(client.tasks()) == 2, "what is behind it goes on")
    expect(product.row("Sort all photos")).to_be_visible()
    product.page.reload()
    expect(bar).to_be_visible()
    expect(product.row("Sort all photos")).to_be_visible()
    person.context.unroute("**/todo.v1.TodoService/UpdateTask")
    bar.get_by_role("button", name="Try again").click()
    eventually(lambda: client.get(task.id).title == "Sort all photos", "sent")
    expect(bar).to_be_hidden()


def test_changes_of_several_tasks_ask_about_series_and_are_undone(opened: Callable[..., Product], client: Client) -> None:
    client.create("Water the plants", due_local="2030-05-06", recurrence_rule="daily", tags=["home"])
    for title in ("Buy soil", "Buy pots"):
        client.create(title)
    product = opened("/all")
    for title in ("Water the plants", "Buy soil", "Buy pots"):
        product.focus(title)
        product.press("x")
    product.press("Delete")
    question = product.dialog("Which ones shall be deleted?")
    expect(question).to_contain_text("1 of the 3 tasks repeats.")
    question.get_by_role("button", name=re.compile("All open ones")).click()
    expect(product.rows).to_have_count(0)
    eventually(lambda: client.tasks() == [], "all are deleted")
    before = len(client.changes())
    product.undo()
    expect(product.rows).to_have_count(3)
    eventually(lambda: len(client.tasks()) == 3, "all are back")
    made = client.changes()[before:]
    assert [change.event_type for change in made] == ["created"] * 3 and len({change.request_id for change in made}) == 1, "in one call"


def test_a_browser_that_keeps_no_data_shows_the_page_all_the_same(playwright: Playwright, place: Place, user: str, client: Client,
                                                                  tmp_path: Path) -> None:
    (tmp_path / "Default").mkdir()
    (tmp_path / "Default" / "Preferences").write_text(json.dumps({"profile": {"default_content_setting_values": {"cookies": 2}}}))
    context = playwright.chromium.launch_persistent_context(tmp_path, executable_path=find_chromium(), args=FLAGS)
    try:
        person = Person(context, place.origin)
        product = Product(person.tab("/all"))
        assert product.run("() => { try { return localStorage.length; } catch (error) { return error.name; } }") == "SecurityError"
        product.sign_in_if_asked(user)
        product.add("Works without")
        expect(product.row("Works without")).to_be_visible()
        eventually(lambda: len(client.tasks()) == 1, "the task is stored")
        product.check_off("Works without")
        eventually(lambda: not client.tasks(completed=False), "the task is done")
    finally:
        context.close()


def test_each_chart_is_had_as_a_picture_and_as_a_table(opened: Callable[..., Product], client: Client) -> None:
    task = client.create("Water the plants", due_local="2030-05-06", recurrence_rule="daily", tags=["home"])
    client.complete(task.id)
    client.successor_of(task)
    product = opened("/usage")
    product.visit("/usage")
    main = product.page.get_by_role("main")
    expect(main.get_by_role("heading", name="Streaks of repeating tasks")).to_be_visible()
    for kind, begins in (("PNG", b"\x89PNG"), ("CSV", b"")):
        buttons = main.get_by_role("button", name=re.compile(f"^{kind} of"))
        expect(buttons).to_have_count(5)
        for button in buttons.all():
            with product.page.expect_download() as download:
                button.click()
            file = download.value.path().read_bytes()
            assert file.startswith(begins) and len(file) > 20, download.value.suggested_filename


def test_a_reminder_made_offline_is_shown_at_once_and_made_once(opened: Callable[..., Product], person: Person, client: Client) -> None:
    task = client.create("Call the bank", due_local="2030-05-06T09:00:00")
    product = opened("/all")
    panel = product.open_task("Call the bank")
    product.ready_for_offline()
    person.offline()
    panel.get_by_role("button", name="Add a reminder").click()
    product.page.get_by_role("menuitem", name="10 minutes before").click()
    chips = panel.get_by_role("group", name="Reminders")
    expect(chips).to_contain_text("10 minutes before (not sent yet)")
    person.online()
    expect(chips.get_by_role("button", name=re.compile("10 minutes before.*remove this reminder"))).to_have_count(1, timeout=60_000)
    expect(chips).not_to_contain_text("not sent yet")
    assert len(Reminders(client).of(task.id)) == 1
