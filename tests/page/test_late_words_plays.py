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


def test_the_question_about_words_stays_with_the_task_until_it_is_answered(opened: Callable[..., Product], person: Person,
                                                                           client: Client) -> None:
    product = opened("/today")
    product.ready_for_offline()
    person.offline()
    expect(product.banner).to_be_visible()
    for title in ("Pay the rent tomorrow 9am", "Call Ann tomorrow", "Read the book tomorrow"):
        product.add(title)
    person.online()
    question = re.compile("^Read the words: Tomorrow")
    questions = product.rows.get_by_role("button", name=question)
    expect(questions).to_have_count(3, timeout=60_000)
    product.page.reload()
    expect(questions).to_have_count(3)
    tasks = {task.title.split()[0]: task for task in client.tasks()}
    assert {task.due_local for task in tasks.values()} == {product.run("() => new Date().toLocaleDateString('sv')")}, "they are of today by default"

    other = Product(person.tab("/all"))
    expect(other.rows.get_by_role("button", name=question)).to_have_count(3)
    rent = product.row("Pay the rent tomorrow 9am")
    rent.get_by_role("button", name=re.compile("^Read the words: Tomorrow (09:00|9 am)")).click()
    eventually(lambda: client.get(tasks["Pay"].id).due_local.endswith("T09:00:00"), "read")
    assert client.get(tasks["Pay"].id).title == "Pay the rent"
    assert client.get(tasks["Pay"].id).due_local[:10] > tasks["Pay"].due_local, "the day of the words goes before that of the list"
    product.row("Call Ann tomorrow").get_by_role("button", name="Leave the words as they are").click()
    expect(other.row("Call Ann tomorrow").get_by_role("button", name=question)).to_have_count(0)
    panel = product.open_task("Read the book tomorrow")
    expect(panel.get_by_role("button", name=question)).to_be_visible()
    title = panel.get_by_role("textbox", name="Title")
    title.fill("Read the other book tomorrow")
    title.press("Enter")
    expect(panel.get_by_role("button", name=question)).to_have_count(0)
    expect(other.rows.get_by_role("button", name=question)).to_have_count(0)
    eventually(lambda: client.get(tasks["Read"].id).title == "Read the other book tomorrow", "renamed")
    product.page.reload()
    expect(product.row("Call Ann tomorrow")).to_be_visible()
    expect(questions).to_have_count(0)
    assert client.get(tasks["Call"].id).title == "Call Ann tomorrow"


def test_a_day_in_the_past_is_named_as_a_part_of_the_title(opened: Callable[..., Product], client: Client) -> None:
    product = opened("/today")
    understood = product.page.get_by_role("group", name="Understood")
    for text, note in (("Call Ann yesterday p1", "“yesterday” stays in the title: nothing is due in the past."),
                       ("Call Bob 2020-11-20", "20 November 2020 is in the past, so it is no due date.")):
        product.type_task(text)
        expect(understood).to_contain_text(note)
        product.new_task.press("Enter")
        expect(product.toast("Added").filter(has_text=note)).to_be_visible()
    eventually(lambda: sorted(task.title for task in client.tasks()) == ["Call Ann yesterday", "Call Bob 2020-11-20"], "added")
