"""What operators do with dead letters."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

from browser import Browser
from conftest import Place
from playwright.sync_api import Locator, expect
from product import Product
from refusal import mend, refuse_successors_of
from todo_client import Client, rows


@contextmanager
def refused(place: Place, title: str) -> Iterator[None]:
    assert place.stack
    refuse_successors_of(place.stack, title)
    try:
        yield
    finally:
        mend(place.stack)


def complete_a_daily_task(client: Client, title: str) -> int:
    task = client.create(title, due_local="2030-05-06", recurrence_rule="daily")
    client.complete(task.id)
    return int(task.id)


def operator(browser: Browser, place: Place, user: str) -> Product:
    product = Product(browser.person(place.origin).tab("/operator"))
    product.sign_in_if_asked(f"olga-{user}", operator=True)
    product.visit("/operator")
    return product


def letter_of(product: Product, user: str) -> Locator:
    return product.page.get_by_role("list", name="Dead letters").get_by_role("listitem").filter(has_text=user)


def states(place: Place, user: str) -> list[list[str]]:
    assert place.stack
    return rows(place.stack, f"select state from dead_letters where user_id = '{user}'")


def test_an_operator_replays_a_dead_letter(browser: Browser, place: Place, user: str, client: Client) -> None:
    title = f"poison {user}"
    with refused(place, title):
        task = complete_a_daily_task(client, title)
        product = operator(browser, place, user)
        letter = letter_of(product, user)
        expect(letter).to_be_visible(timeout=60_000)  # without a reload
        letter.get_by_role("button", name="Record").click()
        expect(letter.get_by_label("Record", exact=True).last).to_contain_text(title)
    letter.get_by_role("button", name="Replay").click()
    product.dialog().get_by_role("button", name=re.compile("Replay")).click()
    expect(letter).to_have_count(0)
    assert client.successor_of(client.get(task)).title == title
    assert states(place, user) == [["replayed"]]


def test_an_operator_discards_and_replays_what_a_filter_finds(browser: Browser, place: Place, user: str, client: Client) -> None:
    title, other = f"poison {user}", f"bob-{user}"
    with refused(place, title):
        complete_a_daily_task(client, title)
        task = complete_a_daily_task(place.client(other), title)
        product = operator(browser, place, user)
        expect(letter_of(product, f"user {user}")).to_be_visible(timeout=60_000)
        expect(letter_of(product, f"user {other}")).to_be_visible(timeout=60_000)
    filters = product.page.get_by_role("search", name="Filter dead letters")
    filters.get_by_label("User").fill(user)
    expect(letter_of(product, f"user {other}")).to_have_count(0)
    product.page.get_by_role("button", name="Discard all that match").click()
    dialog = product.dialog("Discard for good?")
    dialog.get_by_role("textbox").fill("a test of the filter")
    dialog.get_by_role("button", name="Discard").click()
    expect(letter_of(product, f"user {user}")).to_have_count(0)
    assert (states(place, user), states(place, other)) == ([["discarded"]], [["open"]])

    filters.get_by_label("User").fill(other)
    expect(letter_of(product, f"user {other}")).to_be_visible()
    product.page.get_by_role("button", name="Replay all that match").click()
    product.dialog().get_by_role("button", name="Replay").click()
    expect(letter_of(product, f"user {other}")).to_have_count(0)
    theirs = place.client(other)
    assert theirs.successor_of(theirs.get(task)).title == title
    assert states(place, other) == [["replayed"]]
