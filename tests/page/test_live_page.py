"""The example page of docs/live.md, and an EventSource, in a real browser."""

from __future__ import annotations

import functools
import http.server
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(REPOSITORY), *(str(REPOSITORY / "tests" / folder) for folder in ("support", "live", "page"))]

from chromium import Page  # noqa: E402
from todo_client import eventually  # noqa: E402
from transcript import Changer, running_service  # noqa: E402

from tools.stack import Stack  # noqa: E402

# Shows what came in `window.seen`, and the ids.
EVENT_SOURCE = """
window.seen = []; window.ids = [];
window.source = new EventSource("{url}");
for (const kind of ["snapshot", "resumed", "resync", "update"])
  source.addEventListener(kind, (event) => {{ seen.push(kind); ids.push(event.lastEventId); }});
"""


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


LINES = 'Array.from(document.querySelectorAll("#tasks li"), (line) => line.textContent)'


def test_the_example_page_follows_changes_and_a_restart(page: Page, site: str,
                                                        service: tuple[Stack, Callable[[str], str]]) -> None:
    stack, token = service
    ada = Changer(stack, token("1h"))
    first = ada.create("water the plants")
    page.open(f"{site}/live.html#url=ws://127.0.0.1:{stack.ports['web-0']}/ws&token={token('1h')}")
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


def test_a_page_of_another_origin_is_told_to_stay_away(page: Page, service: tuple[Stack, Callable[[str], str]]) -> None:
    stack, _ = service
    page.open("about:blank")
    code = page.run(f"""new Promise((done) => {{
        new WebSocket("ws://127.0.0.1:{stack.ports['web-0']}/ws", "todo.v1").onclose = (event) => done(event.code); }})""")
    assert code == 4503


def test_an_event_source_comes_back_by_itself_and_misses_nothing(page: Page, site: str,
                                                                 service: tuple[Stack, Callable[[str], str]]) -> None:
    stack, token = service
    ada = Changer(stack, token("1h"))
    page.open(f"{site}/live.html#url=ws://127.0.0.1:9/&token=none")
    eventually(lambda: page.run("document.readyState") == "complete", "the page is there")
    url = f"http://127.0.0.1:{stack.ports['web-0']}/events?ticket={ada.ticket()}"
    page.run(EVENT_SOURCE.format(url=url))
    eventually(lambda: page.run("seen").count("snapshot") == 1, "the snapshot")
    ada.delete(ada.create("one"))
    eventually(lambda: page.run("seen").count("update") == 2, "two updates")
    stack.restart("service-0")
    eventually(lambda: succeeds(lambda: ada.delete(ada.create("two"))), "the service takes calls again")
    eventually(lambda: page.run("seen").count("update") >= 4, "the source came back")
    seen, ids = page.run("seen"), page.run("ids")
    assert seen.count("snapshot") == 1 and "resync" not in seen
    numbers = [int(one.split(".")[0]) for one, kind in zip(ids, seen, strict=True) if kind == "update"]
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "none missed, none repeated"


def succeeds(call: Callable[[], object]) -> bool:
    try:
        call()
    except grpc.RpcError:
        return False
    return True
