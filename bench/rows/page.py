"""The page in a real Chromium: bytes of the first visit, the longest task of the main thread while a list of 10,000 tasks
is scrolled and one is completed, and the time from a change in one tab to its paint in the tab of another device."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..harness.pairs import Plan, median
from ..harness.places import running_stack
from ..harness.report import REPOSITORY, Report, at_most

sys.path.insert(0, str(REPOSITORY / "tests" / "page"))

from browser import Browser, Person  # noqa: E402
from playwright.sync_api import Page, expect, sync_playwright  # noqa: E402
from product import Product  # noqa: E402
from todo_client import Client  # noqa: E402

from tools.stack import Stack  # noqa: E402

ALLOWED_BYTES = 120_000
ALLOWED_TASK = 100.0  # milliseconds
ALLOWED_CHANGE = 250.0  # milliseconds: a blink
TASKS = 10_000
ROUNDS = 9

# When the row is painted: after the frame in which it came.
WHEN_PAINTED = """title => new Promise(done => {
    const seen = () => Array.from(document.querySelectorAll("main li")).some(row => row.textContent.includes(title));
    const painted = () => requestAnimationFrame(() => setTimeout(() => done(Date.now())));
    if (seen()) return painted();
    const observer = new MutationObserver(() => { if (seen()) { observer.disconnect(); painted(); } });
    observer.observe(document.body, { subtree: true, childList: true, characterData: true });
})"""


@contextmanager
def everybody(playwright: Any, origin: str, count: int) -> Iterator[list[Person]]:
    """People with profiles of their own, in one browser."""
    with tempfile.TemporaryDirectory(prefix="todo-bench-page-") as folder:
        browser = Browser(playwright, Path(folder))
        try:
            yield [browser.person(origin) for _ in range(count)]
        finally:
            browser.end_of_test("bench", failed=False)
            browser.close()


def first_visit(playwright: Any, origin: str, report: Report) -> None:
    """All that goes over the network until a new user sees their list."""
    with everybody(playwright, origin, 1) as [person]:
        page = person.context.new_page()
        network = person.context.new_cdp_session(page)
        network.send("Network.enable")
        sizes: list[float] = []
        network.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        page.goto(origin)
        Product(page).sign_in_if_asked("first-visit")
        page.wait_for_timeout(2_000)
        report.alone("page: first visit", "bytes", [sum(sizes)], at_most(ALLOWED_BYTES),
                     note=f"compressed, in {len(sizes)} answers")


def fill(stack: Stack, user: str) -> None:
    def some(worker: int) -> None:
        client = Client(stack.api_target(), user)
        for number in range(worker, TASKS, 8):
            client.create(f"Task {number:05} of many", tags=[f"tag-{number % 20}"],
                          due_local=f"2030-{number % 12 + 1:02}-{number % 28 + 1:02}")
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(some, range(8)))


def longest_task(page: Page, work: Any) -> tuple[float, float]:
    """Milliseconds of the longest task of the page's main thread during `work`, and of its CPU time at most, which a busy
    machine does not lengthen."""
    browser = page.context.browser
    assert browser
    browser.start_tracing(page=page, categories=["toplevel", "disabled-by-default-devtools.timeline", "__metadata"])
    try:
        work()
    finally:
        events = json.loads(browser.stop_tracing())["traceEvents"]
    main = {(event["pid"], event["tid"]) for event in events
            if event["name"] == "thread_name" and event["args"].get("name") == "CrRendererMain"}
    tasks = [event for event in events if event["name"].endswith("RunTask") and "dur" in event
             and (event["pid"], event["tid"]) in main]
    return max(task["dur"] for task in tasks) / 1000, max(task.get("tdur", 0) for task in tasks) / 1000


def long_list(playwright: Any, stack: Stack, rounds: int, report: Report) -> None:
    fill(stack, "many")
    tasks = []
    with everybody(playwright, stack.web_url(), 1) as [person]:
        product = Product(person.tab("/all"))
        product.sign_in_if_asked("many")
        product.visit("/all")
        expect(product.rows.first).to_be_visible(timeout=60_000)
        product.page.wait_for_timeout(2_000)
        product.rows.first.hover()
        wheel = product.page.mouse.wheel

        def work() -> None:
            for step in range(40):
                wheel(0, 900 if step < 25 else -900)
                product.page.wait_for_timeout(16)
            product.rows.nth(3).get_by_role("checkbox").first.click()
            product.page.wait_for_timeout(500)

        for _ in range(rounds):
            tasks.append(longest_task(product.page, work))
    report.alone(f"page: list of {TASKS:,} tasks scrolled and one completed", "ms", [task for task, _ in tasks],
                 at_most(ALLOWED_TASK), note=f"longest task of the main thread, in each of {rounds} rounds; "
                 f"{median([cpu for _, cpu in tasks]):.0f} ms of CPU")


def change_to_paint(playwright: Any, origin: str, rounds: int, report: Report) -> None:
    own, other = [], []
    with everybody(playwright, origin, 2) as people:
        one, two = (Product(person.tab("/all")) for person in people)
        for product in (one, two):
            product.sign_in_if_asked("two-devices")
            product.visit("/all")
            product.run("""() => addEventListener("keydown", event => {
                if (event.key === "Enter") window.pressed = Date.now(); }, true)""")
        for number in range(rounds + 1):
            title = f"change {number}"
            for product in (one, two):
                product.run(f"() => {{ window.painted = ({WHEN_PAINTED})({json.dumps(title)}); }}")
            one.new_task.fill(title)
            one.page.wait_for_timeout(400)
            one.new_task.press("Enter")
            at, pressed = one.run("() => window.painted"), one.run("() => window.pressed")
            own.append(at - pressed)
            other.append(two.run("() => window.painted") - pressed)
    del own[0], other[0]  # only warmed up
    report.alone("page: change in one tab to paint in another device's", "ms", other, at_most(ALLOWED_CHANGE),
                 note=f"in the tab itself {median(own):.0f} ms")


def main(report: Report, plan: Plan) -> None:
    rounds = max(plan.pairs, ROUNDS)
    with running_stack() as stack, sync_playwright() as playwright:
        first_visit(playwright, stack.web_url(), report)
        change_to_paint(playwright, stack.web_url(), rounds, report)
        long_list(playwright, stack, rounds, report)
