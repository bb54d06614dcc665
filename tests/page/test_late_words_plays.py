"""Plays about words that were typed without a network."""

from __future__ import annotations

import re
from collections.abc import Callable

from browser import Person
from playwright.sync_api import expect
from product import Product
from todo_client import Client, Reminders, eventually

LATER = re.compile("^Does “")


def test_words_typed_without_network_are_read_when_the_user_says_so(opened: Callable[..., Product], person: Person,
                                                                    client: Client) -> None:
    product = opened("/all")
    product.ready_for_offline()
    person.offline()
    expect(product.banner).to_be_visible()
    product.add("Pay the rent tomorrow at 9am p1 #home remind me 1 hour before")
    product.add("Buy milk")
    product.page.reload()  # the words are kept with the task
    expect(product.row("Buy milk")).to_be_visible()
    person.online()
    offer = product.toast(LATER)
    expect(offer).to_contain_text(re.compile("“Pay the rent.*09:00.*high priority"), timeout=60_000)
    [task] = [task for task in eventually(lambda: len(client.tasks()) == 2 and client.tasks(), "sent") if "rent" in task.title]
    assert (task.title, task.due_local) == ("Pay the rent tomorrow at 9am p1 #home remind me 1 hour before", ""), "nothing is read silently"
    offer.get_by_role("button", name="Read it").click()
    eventually(lambda: client.get(task.id).due_local.endswith("T09:00:00"), "read")
    read = client.get(task.id)
    assert (read.title, list(read.tags), read.priority) == ("Pay the rent", ["home"], client.messages.PRIORITY_HIGH)
    eventually(lambda: [reminder.before for reminder in Reminders(client).of(task.id)] == ["PT1H"], "with its reminder")
    expect(product.toast("Read the words of “Pay the rent”")).to_be_visible()
    product.press("Escape", "u")
    eventually(lambda: client.get(task.id).title == task.title and client.get(task.id).due_local == "", "taken back")


def test_the_offer_ends_in_every_tab_when_it_is_taken_in_one(opened: Callable[..., Product], person: Person, client: Client) -> None:
    here, there = opened("/all"), opened("/all")
    here.ready_for_offline()
    person.offline()
    expect(here.banner).to_be_visible()
    for title in ("Call Ann tomorrow", "Call Bob on friday"):
        here.add(title)
    person.online()
    for product in (here, there):
        expect(product.toast("words of 2 new tasks")).to_be_visible(timeout=60_000)
    there.page.get_by_role("button", name="Read them").click()
    eventually(lambda: sorted(task.title for task in client.tasks()) == ["Call Ann", "Call Bob"], "read")
    expect(here.page.get_by_role("button", name="Read them")).to_have_count(0)
