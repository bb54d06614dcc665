"""A running service and a browser for the plays. TODO_SERVICE names the binary under test; with PAGE_ORIGIN and PAGE_API
(host:port of gRPC) the plays run against a service that somebody else started."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), *(str(REPOSITORY / "tests" / folder) for folder in ("support", "live", "page", "identity"))]

from browser import Browser, Person  # noqa: E402
from playwright.sync_api import Playwright, sync_playwright  # noqa: E402
from product import Product  # noqa: E402
from receivers import channel_secrets  # noqa: E402
from service_binary import binary  # noqa: E402
from todo_client import Client, Reminders  # noqa: E402

from tools.stack import Stack  # noqa: E402

SCREENS = REPOSITORY / "build" / "page"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    report = yield
    setattr(item, f"report_{report.when}", report)
    return report


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    running = Browser(playwright, SCREENS)
    yield running
    running.close()


@pytest.fixture
def browser(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Browser]:
    """For one test, which fails if the browser complains."""
    yield chromium
    report = getattr(request.node, "report_call", None)
    complaints = chromium.end_of_test(request.node.name, failed=report is None or report.failed)
    assert not complaints, "the browser complains:\n" + "\n".join(complaints)


class Place:
    """Where the page is, and how the same user calls the API."""

    def __init__(self, origin: str, api: str, stack: Stack | None = None) -> None:
        self.origin = origin
        self.api = api
        self.stack = stack

    def client(self, user: str) -> Client:
        return Client(self.api, user)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """One replica on the bus in memory: each test uses users of its own."""
    if "PAGE_ORIGIN" in os.environ:
        yield Place(os.environ["PAGE_ORIGIN"], os.environ["PAGE_API"])
        return
    with Stack(tmp_path_factory.mktemp("page") / "run", broker="memory", service_binary=binary(),
               service_flags=["--webhook-allow-hosts=127.0.0.1", "--vapid-contact=mailto:todo@todo.example"],
               secrets=channel_secrets(), keep_data=False) as stack:
        yield Place(stack.web_url(), stack.api_target(), stack)


@pytest.fixture
def user() -> str:
    return f"ada-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def client(place: Place, user: str) -> Client:
    return place.client(user)


@pytest.fixture
def person(browser: Browser, place: Place) -> Person:
    return browser.person(place.origin)


@pytest.fixture
def opened(person: Person, user: str) -> Callable[..., Product]:
    """Opens a tab of the user; the first one signs in."""
    def open_tab(path: str = "/") -> Product:
        product = Product(person.tab(path))
        product.sign_in_if_asked(user)
        return product
    return open_tab


def page_tests() -> Path:
    """The packages that examine the page."""
    where = subprocess.run([REPOSITORY / "tools/setup", "--where", "page-tests"], check=True, capture_output=True, text=True)
    return Path(where.stdout.strip())


@pytest.fixture(scope="session")
def axe() -> str:
    return (page_tests() / "axe-core" / "axe.min.js").read_text()


@pytest.fixture(scope="session")
def furnished(place: Place) -> Client:
    """A user whose views all show something."""
    client = place.client(f"olga-{uuid.uuid4().hex[:8]}")
    messages = client.messages
    done = client.create("Book the hotel", tags=["holiday"])
    client.complete(done.id)
    client.create("Water the plants", tags=["home"], due_local="2026-01-02T09:00:00", time_zone="Europe/Berlin",
                  recurrence_rule="weekly", priority=messages.PRIORITY_HIGH, description="All of them, on the balcony too.")
    reminded = client.create("Call grandmother", tags=["family", "home"], due_local="2030-01-02T18:00:00",
                             time_zone="Europe/Berlin")
    Reminders(client).create(reminded.id, before="PT1H")
    client.create("Read a book", priority=messages.PRIORITY_LOW)
    return client
