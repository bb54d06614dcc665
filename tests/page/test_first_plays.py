"""What the page must never lose: the plays that run for every change (stage `page` of tools/test)."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from browser import LOST_NETWORK, UNAVAILABLE, Browser, Person
from conftest import Place
from playwright.sync_api import expect
from product import Product
from service_binary import binary
from todo_client import Client, eventually

from tools.stack import Stack

HOSTILE = [
    "<img src=x onerror=\"document.title='hacked'\">",
    "<script>document.title='hacked'</script>",
    "\u202eeltit desrever\u202c \u2067rtl\u2069 ‏",
    "🍓" * 500,
    "{{7*7}} ${7*7} %s &lt;b&gt; \u0000".replace("\u0000", "") + "'\"`",
]


def test_from_the_first_visit_to_the_first_task(browser: Browser, place: Place, user: str, client: Client) -> None:
    person = browser.person(place.origin)
    product = Product(person.tab())
    product.sign_in_if_asked(user)
    expect(product.rows).to_have_count(0)
    product.type_task("Pay the rent tomorrow at 9am p1 #home")
    expect(product.chip(re.compile("tomorrow", re.I))).to_be_visible()
    expect(product.chip("home")).to_be_visible()
    product.new_task.press("Enter")
    eventually(lambda: len(client.tasks()) == 1, "the task is stored")
    [task] = client.tasks()
    tomorrow = datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=1)
    assert (task.title, list(task.tags)) == ("Pay the rent", ["home"])
    assert abs((datetime.date.fromisoformat(task.due_local[:10]) - tomorrow).days) <= 1 and task.due_local[11:16] == "09:00"
    product.go("Upcoming")
    expect(product.row("Pay the rent")).to_be_visible()
    product.check_off("Pay the rent")
    eventually(lambda: client.get(task.id).completed, "the task is done")
    product.go("Done")
    expect(product.row("Pay the rent")).to_be_visible()
    # The address of a view and of a task can be kept.
    again = Product(person.tab(f"/task/{task.id}"))
    expect(again.panel).to_be_visible()


def test_a_recurring_task_done_and_undone(opened: Callable[..., Product], client: Client) -> None:
    product = opened("/all")
    product.add("Water the plants every day at 8am")
    expect(product.row("Water the plants")).to_have_count(1)
    first = eventually(lambda: next(iter(client.tasks()), None), "the task is stored")
    product.check_off("Water the plants")
    second = client.successor_of(first)
    expect(product.row("Water the plants").locator(f'a[href$="/task/{second.id}"]')).to_have_count(1)
    assert client.get(first.id).completed
    product.undo()
    eventually(lambda: not client.get(first.id).completed, "the first one is open again")
    expect(product.row("Water the plants").locator(f'a[href$="/task/{first.id}"]')).to_have_count(1)


def test_two_tabs_stay_in_step(opened: Callable[..., Product]) -> None:
    one, other = opened("/all"), opened("/all")
    one.add("Call the plumber")
    expect(other.row("Call the plumber")).to_be_visible()
    other.check_off("Call the plumber")
    expect(one.row("Call the plumber")).to_have_count(0)
    other.undo()
    expect(one.row("Call the plumber")).to_be_visible()
    expect(other.row("Call the plumber")).to_be_visible()


def test_a_hostile_title_is_text_everywhere(opened: Callable[..., Product], client: Client, person: Person) -> None:
    for title in HOSTILE:
        client.create(title, description=title, tags=[title[:20].strip()], due_local="2030-01-02")
    product = opened("/all")
    for title in HOSTILE:
        expect(product.rows.filter(has_text=title[:200])).to_have_count(1)
    for path in ("/today", "/upcoming", "/done", "/search?q=img", "/usage", "/notifications", "/chat",
                 *(f"/task/{task.id}" for task in client.tasks())):
        product.visit(path)
    # As a suggestion, in the question before it is deleted, and in what is said afterwards.
    product.visit("/all")
    product.type_task(HOSTILE[0])
    product.new_task.press("Escape")
    product.check_off_any(HOSTILE[0])
    product.undo()
    expect(product.rows.filter(has_text=HOSTILE[0])).to_have_count(1)
    assert "hacked" not in person.tabs[0].title()
    assert product.run("() => document.querySelectorAll('main img, main script').length") == 0


def test_changes_made_offline_are_made_exactly_once(opened: Callable[..., Product], person: Person, client: Client) -> None:
    """Ten changes without network, the tab closed and opened again, and the network is back."""
    product = opened("/all")
    for title in ("one", "two"):
        product.add(title)
    eventually(lambda: len(client.tasks()) == 2, "two tasks are stored")
    before = len(client.changes())
    product.ready_for_offline()
    person.offline()
    expect(product.banner).to_be_visible()
    for number in range(8):
        product.add(f"offline {number}")
    product.check_off("one")
    product.check_off("two")
    expect(product.rows).to_have_count(8)
    assert len(client.changes()) == before
    product.page.close()
    product = opened("/all")
    expect(product.rows).to_have_count(8)
    expect(product.banner).to_be_visible()
    assert len(client.changes()) == before
    person.online()
    eventually(lambda: len(client.changes()) >= before + 10, "the changes are made")
    expect(product.banner).to_be_hidden()
    expect(product.rows).to_have_count(8)
    product.page.reload()
    expect(product.rows).to_have_count(8)
    made = client.changes()[before:]
    assert Counter((change.event_type, change.task.title) for change in made) == Counter(
        [*(("created", f"offline {number}") for number in range(8)), ("completed", "one"), ("completed", "two")])
    assert [change.task.title for change in made if change.event_type == "created"] == [f"offline {n}" for n in range(8)], \
        "in the order in which they were made"


@pytest.fixture(scope="module")
def two_replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("two") / "run", service_binary=binary(), replicas=2, keep_data=False) as stack:
        yield stack


def test_a_tab_catches_up_by_itself_after_its_replica_was_killed(two_replicas: Stack, browser: Browser, user: str) -> None:
    person = browser.person(two_replicas.web_url(0))
    person.allow(LOST_NETWORK, UNAVAILABLE)
    product = Product(person.tab("/all"))
    product.sign_in_if_asked(user)
    product.add("before")
    expect(product.row("before")).to_be_visible()
    # The row is there at once, the task when the call has been answered.
    other = Client(two_replicas.api_target(1), user)
    [before] = eventually(other.tasks, "the task is stored")
    two_replicas.kill("service-0")
    other.create("through the other replica")
    other.complete(before.id)
    expect(product.banner).to_be_visible()
    two_replicas.start_one("service-0")
    expect(product.row("through the other replica")).to_be_visible(timeout=60_000)
    expect(product.row("before")).to_have_count(0)
    expect(product.banner).to_be_hidden()
