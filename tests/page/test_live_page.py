"""The example page of docs/live.md, and an EventSource, in a real browser."""

from __future__ import annotations

import functools
import http.server
import json
import re
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), *(str(REPOSITORY / "tests" / folder) for folder in ("support", "live", "page"))]

from chromium import Page  # noqa: E402
from scripted_socket import ALIVE, EMPTY, scripted_socket, update  # noqa: E402
from todo_client import eventually  # noqa: E402
from transcript import Changer, running_service  # noqa: E402

from tools.stack import Stack  # noqa: E402

# Around the sample of docs/live.md: what it applies is in `seen`. It gets these tickets, one after the other.
AROUND_SAMPLE = """
window.seen = []; window.tickets = {tickets};
window.apply = (message) => seen.push(message);
window.todo = {{ createWatchTicket: async () => ({{ ticket: tickets.length > 1 ? tickets.shift() : tickets[0] }}) }};
"""


def sample(address: str) -> str:
    found = re.search(r"<!-- sample: events -->\n```js\n(.*?)```", (REPOSITORY / "docs" / "live.md").read_text(), re.DOTALL)
    assert found
    code, address_count = re.subn(r"https://todo\.example\.org", address, found[1])
    assert address_count == 1
    return code


class QuietFiles(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    """The origin that serves docs/examples."""
    files = functools.partial(QuietFiles, directory=str(REPOSITORY / "docs" / "examples"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def service(site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stack, Callable[[str], str]]]:
    with running_service(tmp_path_factory.mktemp("page"), f"--web-allowed-origins={site}") as running:
        yield running


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with Page(tmp_path / "profile") as opened:
        yield opened


def sign_in(page: Page, site: str, url: str, token: str, before: str = "") -> None:
    """Opens the example page, runs JavaScript `before`, and gives the page its token."""
    page.open("about:blank")
    page.open(f"{site}/live.html#url={url}")
    eventually(lambda: page.run("document.readyState") == "complete" and page.run("typeof form") == "object",
               "the page")
    page.run(before)
    page.run(f"form.elements.token.value = {token!r}; form.requestSubmit()")


LINES = 'Array.from(document.querySelectorAll("#tasks li"), (line) => line.textContent)'


def test_the_example_page_follows_changes_and_a_restart(page: Page, site: str,
                                                        service: tuple[Stack, Callable[[str], str]]) -> None:
    stack, token = service
    ada = Changer(stack, token("1h"))
    first = ada.create("water the plants")
    sign_in(page, site, f"ws://127.0.0.1:{stack.ports['web-0']}/ws", token("1h"))
    eventually(lambda: page.run(LINES) == ["water the plants"], "the snapshot")
    second = ada.create("buy bread")
    eventually(lambda: page.run(LINES) == ["water the plants", "buy bread"], "a new task")
    ada.complete(second)
    eventually(lambda: page.run(LINES) == ["water the plants", "✓ buy bread"], "a completed task")
    stack.restart("service-0")
    eventually(lambda: succeeds(lambda: ada.delete(first)), "the service takes calls again")
    eventually(lambda: page.run(LINES) == ["✓ buy bread"], "the page came back")
    ada.delete(second)
    eventually(lambda: page.run(LINES) == [], "no task is left")


def test_the_example_page_connects_again_when_nothing_comes(page: Page, site: str) -> None:
    """A ping without a cursor is a sign of life, and no reason to connect again."""
    faster = "const real = setTimeout; setTimeout = (call, wait) => real(call, wait / 20)"
    with scripted_socket(lambda _: [ALIVE, EMPTY, update(1, "one"), ALIVE, update(2, "two")]) as server:
        sign_in(page, site, server.url, "token", faster)
        eventually(lambda: page.run(LINES) == ["one", "two"], "all updates")
        assert server.handshakes == 1
        eventually(lambda: len(server.hellos) == 2, "another connection")
    assert server.hellos[1] == {"type": "hello", "token": "token", "seq": 2, "event_id": "event 2"}


def test_the_example_page_asks_for_another_token(page: Page, site: str) -> None:
    with scripted_socket(lambda number: [EMPTY, update(1, "one")] if number else 4401) as server:
        sign_in(page, site, server.url, "old")
        eventually(lambda: len(server.hellos) == 1 and not page.run("form.hidden"), "the question")
        page.run("form.elements.token.value = 'new'; form.requestSubmit()")
        eventually(lambda: page.run(LINES) == ["one"], "connected")
    assert [hello["token"] for hello in server.hellos] == ["old", "new"]


def test_a_page_of_another_origin_is_told_to_stay_away(page: Page, service: tuple[Stack, Callable[[str], str]]) -> None:
    stack, _ = service
    page.open("about:blank")
    code = page.run(f"""new Promise((done) => {{
        new WebSocket("ws://127.0.0.1:{stack.ports['web-0']}/ws", "todo.v1").onclose = (event) => done(event.code); }})""")
    assert code == 4503


def test_an_event_source_comes_back_and_misses_nothing(page: Page, site: str,
                                                       service: tuple[Stack, Callable[[str], str]]) -> None:
    """After its ticket has expired, and after a restart in which it may be refused."""
    stack, token = service
    ada = Changer(stack, token("1h"))

    def seen(kind: str) -> list[int]:
        return [message.get("seq") for message in page.run("seen") if message["type"] == kind]

    page.open(f"{site}/")  # its origin
    eventually(lambda: page.run("document.readyState") == "complete", "the page is there")
    page.run(AROUND_SAMPLE.format(tickets=json.dumps([Changer(stack, token("8s")).ticket(), ada.ticket()])))
    page.run(sample(f"http://127.0.0.1:{stack.ports['web-0']}") + "\nopen(); null")
    eventually(lambda: len(seen("snapshot")) == 1, "the snapshot")
    ada.delete(ada.create("one"))
    eventually(lambda: len(seen("update")) == 2, "two updates")
    eventually(lambda: seen("resumed"), "came back with another ticket")
    ada.delete(ada.create("two"))
    eventually(lambda: len(seen("update")) == 4, "two more")
    stack.restart("service-0")
    eventually(lambda: succeeds(lambda: ada.delete(ada.create("three"))), "the service takes calls again")
    eventually(lambda: len(seen("update")) >= 6, "the source came back")
    assert len(seen("snapshot")) == 1 and not seen("resync")
    numbers = seen("update")
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "none missed, none repeated"


def succeeds(call: Callable[[], object]) -> bool:
    try:
        call()
    except grpc.RpcError:
        return False
    return True
