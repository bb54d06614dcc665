"""Plays about reminders, and about what stays readable without a network."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

from browser import Person
from playwright.sync_api import Locator, expect
from product import Product
from todo_client import Client, Reminders, eventually

PATIENCE = 60_000  # milliseconds


def chips(panel: Locator) -> Locator:
    return panel.get_by_role("group", name="Reminders")


def test_reminders_rule_and_history_stay_readable_without_network(opened: Callable[..., Product], person: Person,
                                                                  client: Client) -> None:
    task = client.create("Water the plants", due_local="2030-05-06T09:00:00", time_zone="Europe/Berlin", recurrence_rule="daily")
    Reminders(client).create(task.id, before="PT1H")
    product = opened("/all")
    panel = product.open_task("Water the plants")
    expect(chips(panel)).to_contain_text("1 hour before")
    expect(panel).to_contain_text("every day at")
    panel.get_by_role("button", name="History").click()
    expect(product.dialog("History").get_by_role("listitem")).to_have_count(1)
    product.press("Escape")
    product.ready_for_offline()
    person.offline()
    product.page.reload()
    expect(chips(product.panel)).to_contain_text("1 hour before")
    expect(product.panel).to_contain_text("every day at")
    expect(product.rows.get_by_text("Has a reminder")).to_have_count(1)
    product.panel.get_by_role("button", name="History").click()
    history = product.dialog("History")
    expect(history.get_by_role("listitem")).to_have_count(1)
    expect(history).to_contain_text("Without network: as it was read")
    product.press("Escape")
    chips(product.panel).get_by_role("button", name=re.compile("1 hour before")).click()
    expect(chips(product.panel).get_by_text("1 hour before")).to_have_count(0)
    product.page.reload()
    expect(product.banner).to_be_visible()
    expect(chips(product.panel)).to_be_visible()
    expect(chips(product.panel).get_by_text("1 hour before")).to_have_count(0)
    person.online()
    eventually(lambda: Reminders(client).of(task.id) == [], "deleted")


def test_what_is_kept_goes_with_the_sign_out(opened: Callable[..., Product], client: Client) -> None:
    task = client.create("Call the bank", due_local="2030-05-06T09:00:00")
    Reminders(client).create(task.id, before="PT1H")
    product = opened("/all")
    expect(product.rows.get_by_text("Has a reminder")).to_have_count(1, timeout=PATIENCE)
    names = "() => indexedDB.databases().then(all => all.map(each => each.name))"
    eventually(lambda: product.run("""async name => {
        const open = indexedDB.open(name);
        const database = await new Promise(done => { open.onsuccess = () => done(open.result); });
        const all = database.transaction("meta").objectStore("meta").getAllKeys();
        const keys = await new Promise(done => { all.onsuccess = () => done(all.result); });
        database.close();
        return keys.some(([kind]) => kind === "reminders");
    }""", product.run(names)[0]), "kept")
    product.sign_out()
    eventually(lambda: product.run(names) == [], "deleted")


def test_reminders_are_right_in_every_tab(opened: Callable[..., Product], person: Person, client: Client) -> None:
    task = client.create("Take the cake out", due_local="2030-05-06T09:00:00")
    here, there = opened("/all"), opened("/all")
    panels = [here.open_task("Take the cake out"), there.open_task("Take the cake out")]
    panels[0].get_by_role("button", name="Add a reminder").click()
    here.page.get_by_role("menuitem", name="10 minutes before").click()
    for panel in panels:
        expect(chips(panel).get_by_role("button", name=re.compile("10 minutes before"))).to_have_count(1)
    expect(there.rows.get_by_text("Has a reminder")).to_have_count(1)
    chips(panels[1]).get_by_role("button", name=re.compile("10 minutes before")).click()
    for panel in panels:
        expect(chips(panel).get_by_text("10 minutes before")).to_have_count(0)
    eventually(lambda: Reminders(client).of(task.id) == [], "deleted")


def test_a_reminder_that_is_sent_and_snoozed_is_shown_as_such_in_every_tab(opened: Callable[..., Product], client: Client) -> None:
    task = client.create("Take the cake out")
    Reminders(client).create(task.id, at=time.time() + 6)
    here, there = opened("/all"), opened("/all")
    panels = [here.open_task("Take the cake out"), there.open_task("Take the cake out")]
    for panel in panels:
        expect(chips(panel)).to_contain_text("(sent)", timeout=PATIENCE)
    for product in (here, there):
        expect(product.rows.get_by_text("Has a reminder")).to_have_count(0)
    here.page.get_by_role("button", name="In 10 minutes").click()
    eventually(lambda: Reminders(client).state(task.id) == "PENDING", "it is set again")
    for panel in panels:
        expect(chips(panel)).to_contain_text("(snoozed)")
    for product in (here, there):
        expect(product.rows.get_by_text("Has a reminder")).to_have_count(1)


def test_a_reminder_that_comes_while_the_tab_is_away_is_read_when_it_is_back(opened: Callable[..., Product], person: Person,
                                                                          client: Client) -> None:
    task = client.create("Take the cake out")
    product = opened("/all")
    panel = product.open_task("Take the cake out")
    product.ready_for_offline()
    person.offline()
    expect(product.banner).to_be_visible()
    Reminders(client).create(task.id, at=time.time() + 3600)
    person.online()
    expect(chips(panel).get_by_role("button", name=re.compile("remove this reminder"))).to_have_count(1, timeout=PATIENCE)


def test_notifications_stay_readable_without_network(opened: Callable[..., Product], person: Person, client: Client) -> None:
    task = client.create("Call the bank", due_local="2030-05-06T09:00:00")
    Reminders(client).create(task.id, at=time.time() + 1)
    product = opened("/all")
    bell = product.page.get_by_role("button", name="Notifications, 1 unread")
    expect(bell).to_be_visible(timeout=PATIENCE)
    product.ready_for_offline()
    product.visit("/notifications")  # its code is in the copy, too
    person.offline()
    product.page.reload()
    expect(product.page.get_by_role("list", name="Notifications").get_by_text("Call the bank")).to_be_visible()
    expect(bell).to_be_visible()


def test_a_reminder_of_another_device_appears_at_the_next_look(opened: Callable[..., Product], client: Client) -> None:
    task = client.create("Call the bank", due_local="2030-05-06T09:00:00")
    product = opened("/all")
    panel = product.open_task("Call the bank")
    expect(chips(panel)).to_be_visible()
    product.page.wait_for_load_state("networkidle")
    Reminders(client).create(task.id, before="PT1H")
    product.run("() => dispatchEvent(new Event('focus'))")
    expect(chips(panel)).to_contain_text("1 hour before")
    product.open_chat()
    product.say("remind me of Call the bank 2 hours before")
    expect(chips(panel)).to_contain_text("2 hours before")
