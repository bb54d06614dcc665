"""Further plays: conflicts, undo, series, snooze, chat."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable

import pytest
from browser import REFUSED_CALL, Browser, Person
from conftest import Place
from playwright.sync_api import expect
from product import Product
from todo_client import Client, Reminders, eventually


def rename(client: Client, task_id: int, title: str) -> None:
    messages = client.messages
    request = messages.UpdateTaskRequest(task=messages.Task(id=task_id, title=title), request_id=str(uuid.uuid4()))
    request.update_mask.paths.append("title")
    client.call("UpdateTask", request)


def test_a_conflict_is_shown_and_the_user_decides(opened: Callable[..., Product], person: Person, client: Client) -> None:
    person.allow(REFUSED_CALL)
    for choice, winner in (("mine", "written here"), ("theirs", "written there")):
        task = client.create(f"draft {choice}")
        product = opened("/all")
        expect(product.row(task.title)).to_be_visible()
        product.ready_for_offline()
        person.offline()
        expect(product.banner).to_be_visible()
        product.rename(task.title, f"written here {choice}")
        rename(client, task.id, f"written there {choice}")
        person.online()
        conflict = product.conflict
        expect(conflict).to_contain_text(f"written here {choice}")
        expect(conflict).to_contain_text(f"written there {choice}")
        assert client.get(task.id).title == f"written there {choice}", "nothing is settled without the user"
        product.settle(choice)
        expect(product.row(f"{winner} {choice}")).to_be_visible()
        eventually(lambda: client.get(task.id).title == f"{winner} {choice}", f"{choice} wins")
        product.page.close()


def test_undo_takes_back_completing_moving_and_deleting(opened: Callable[..., Product], client: Client) -> None:
    task = client.create("Sort the photos", due_local="2030-05-06")
    product = opened("/all")
    product.check_off(task.title)
    eventually(lambda: client.get(task.id).completed, "done")
    product.undo()
    eventually(lambda: not client.get(task.id).completed, "open again")
    expect(product.row(task.title)).to_be_visible()
    product.focus(task.title)
    product.press("Delete")
    expect(product.row(task.title)).to_have_count(0)
    eventually(lambda: not client.tasks(), "deleted")
    product.press("u")
    expect(product.row(task.title)).to_be_visible()
    eventually(lambda: [each.title for each in client.tasks()] == [task.title], "it is back")
    product.reschedule(task.title, "Tomorrow")
    eventually(lambda: client.tasks()[0].due_local != "2030-05-06", "moved")
    product.undo()
    eventually(lambda: client.tasks()[0].due_local == "2030-05-06", "moved back")


@pytest.mark.parametrize(("scope", "first", "second"), [
    ("This", "Changed", "Stretch"), ("following", "Changed", "Changed"), ("All", "Changed", "Changed")])
def test_an_edit_of_a_series_asks_what_it_is_for(opened: Callable[..., Product], client: Client, scope: str, first: str,
                                                second: str) -> None:
    task = client.create("Stretch", due_local="2030-05-06T08:00:00", time_zone="Europe/Berlin", recurrence_rule="daily")
    product = opened("/all")
    product.rename("Stretch", "Changed")
    product.dialog().get_by_role("button", name=re.compile(scope, re.I)).or_(
        product.dialog().get_by_role("radio", name=re.compile(scope, re.I))).first.click()
    product.confirm_scope()
    eventually(lambda: client.get(task.id).title == first, "this one")
    client.complete(task.id)
    following = client.successor_of(task)
    assert following.title == second
    expect(product.row(second)).to_be_visible()


def test_a_reminder_is_snoozed_from_its_notification(opened: Callable[..., Product], client: Client) -> None:
    task = client.create("Take the cake out")
    Reminders(client).create(task.id, at=time.time() + 3)
    product = opened("/all")
    bell = product.page.get_by_role("button", name=re.compile(r"^Notifications, 1 unread"))
    expect(bell).to_be_visible(timeout=60_000)
    bell.click()
    panel = product.page.get_by_role("dialog", name="Notifications")
    panel.get_by_role("button", name=re.compile("Snooze")).click()
    product.page.get_by_role("menuitem", name=re.compile("10 minutes")).click()
    expect(product.toast("comes again")).to_be_visible()
    eventually(lambda: Reminders(client).state(task.id) == "PENDING", "it is set again")
    [reminder] = Reminders(client).of(task.id)
    assert 500 < reminder.remind_at.seconds - time.time() < 660


def test_a_sentence_in_the_chat_brings_the_next_occurrence(opened: Callable[..., Product], client: Client) -> None:
    task = client.create("Buy groceries", due_local="2030-05-06", recurrence_rule="weekly")
    product = opened("/all")
    expect(product.row("Buy groceries")).to_be_visible()
    product.open_chat()
    product.say("I finished buying groceries")
    log = product.page.get_by_role("log", name="Conversation")
    expect(log.get_by_role("link", name="Buy groceries").first).to_be_visible()
    following = client.successor_of(task)
    product.visit("/all")
    expect(product.rows.locator(f'a[href$="/task/{following.id}"]')).to_be_visible()
    assert client.get(task.id).completed


def test_another_user_of_the_same_browser_sees_and_sends_nothing(person: Person, client: Client, place: Place, user: str) -> None:
    """The queue and the copies belong to the user who made them."""
    product = Product(person.tab("/all"))
    product.sign_in_if_asked(user)
    product.add("mine alone")
    expect(product.row("mine alone")).to_be_visible()
    eventually(lambda: len(client.tasks()) == 1, "stored")
    product.sign_out()
    product.sign_in_if_asked(f"other-{user}")
    product.visit("/all")
    expect(product.rows).to_have_count(0)
    assert place.client(f"other-{user}").tasks() == []
    assert len(client.changes()) == 1


def test_a_refused_change_is_taken_back_with_the_reason(opened: Callable[..., Product], person: Person, client: Client) -> None:
    person.allow(REFUSED_CALL)
    task = client.create("Short lived")
    product = opened("/all")
    expect(product.row(task.title)).to_be_visible()
    product.ready_for_offline()
    person.offline()
    expect(product.banner).to_be_visible()
    product.check_off(task.title)
    expect(product.row(task.title)).to_have_count(0)
    client.delete(task.id)
    person.online()
    expect(product.toast(re.compile("not|deleted|gone|does", re.I))).to_be_visible()
    expect(product.row(task.title)).to_have_count(0)
