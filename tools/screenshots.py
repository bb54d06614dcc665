#!/usr/bin/env python3
"""Makes the pictures of docs/images: `make screenshots`. TODO_SERVICE names the binary. The people in them live on Monday,
3 June 2030, so that the pictures of two days are the same."""

from __future__ import annotations

import datetime
import json
import os
import re
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(REPOSITORY), str(REPOSITORY / "tests" / "support"), str(REPOSITORY / "tests" / "page")]

from browser import Browser  # noqa: E402
from playwright.sync_api import expect, sync_playwright  # noqa: E402
from png_palette import with_palette  # noqa: E402
from product import Product  # noqa: E402
from service_binary import binary  # noqa: E402
from todo_client import Client, Reminders, eventually, rows  # noqa: E402

from tools.stack import Stack  # noqa: E402

IMAGES = REPOSITORY / "docs" / "images"
NOW = datetime.datetime(2030, 6, 3, 9, 41, tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
ZONE = "Europe/Berlin"

# title, due, rule, priority, tags, minutes before which a reminder comes
TASKS: list[tuple[str, str, str, str, list[str], int]] = [
    ("Send the invoice to the theatre", "2030-05-31", "", "high", ["work"], 0),
    ("Stand-up with the team", "2030-06-03T09:30:00", "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "medium", ["work"], 10),
    ("Call the dentist about Thursday", "2030-06-03T11:00:00", "", "high", ["health"], 15),
    ("Water the plants on the balcony", "2030-06-03T18:00:00", "FREQ=DAILY;INTERVAL=3", "medium", ["home"], 0),
    ("Buy groceries", "2030-06-03", "FREQ=WEEKLY", "medium", ["errands", "home"], 0),
    ("Read two chapters of “The Overstory”", "2030-06-03", "", "low", ["reading"], 0),
    ("Prepare the slides for the workshop", "2030-06-04T14:00:00", "", "high", ["work"], 60),
    ("Renew the library card", "2030-06-04", "", "low", ["errands"], 0),
    ("Run 8 km along the river", "2030-06-05T07:00:00", "FREQ=DAILY;INTERVAL=2", "medium", ["health"], 0),
    ("Parents' evening at school", "2030-06-06T19:00:00", "", "medium", ["family"], 120),
    ("Back up the photos", "2030-06-07", "FREQ=MONTHLY", "low", ["home"], 0),
    ("Pay the rent", "2030-06-28T09:00:00", "FREQ=MONTHLY;BYDAY=-1FR", "high", ["home"], 0),
    ("Book flights to Lisbon", "", "", "medium", ["holiday"], 0),
    ("Learn to bake sourdough", "", "", "low", ["someday"], 0),
    ("Sort the winter clothes", "", "", "low", ["home"], 0),
]
OPENED = "Prepare the slides for the workshop"
DESCRIPTION = "Twelve slides, twenty minutes.\n\nAsk Mira for the figures of the pilot, and leave time for questions."


def furnish(client: Client) -> None:
    messages = client.messages
    for title, due, rule, priority, tags, before in TASKS:
        fields: dict[str, Any] = {"priority": getattr(messages, f"PRIORITY_{priority.upper()}"), "tags": tags}
        if due:
            fields |= {"due_local": due, "time_zone": ZONE}
        if rule:
            fields["recurrence_rule"] = rule
        if title == OPENED:
            fields["description"] = DESCRIPTION
        task = client.create(title, **fields)
        if before:
            Reminders(client).create(task.id, before=f"PT{before}M")
    for title in ("Order new filters", "Write to Jonas", "Return the parcel"):
        client.complete(client.create(title, tags=["errands"]).id)


def publish(stack: Stack, key: str, record: bytes) -> None:
    """As a foreign program would, by way of the sidecar."""
    daprd = stack.daprds[0]
    request = urllib.request.Request(
        f"http://127.0.0.1:{daprd.http_port}/v1.0/publish/kafka-pubsub/task-events?metadata.rawPayload=true"
        f"&metadata.partitionKey={key}", record,
        {"content-type": "application/octet-stream", "dapr-api-token": daprd.tokens["DAPR_API_TOKEN"]})
    urllib.request.urlopen(request, timeout=30).close()


def something_for_operators(stack: Stack) -> None:
    """Two records that no consumer can apply."""
    event = {"specversion": "1.0", "id": "7c3f6c58-9a4e-4d2b-8d5c-0f3b1f3a9e21", "source": "importer",
             "type": "todo.task.completed.v1", "datacontenttype": "application/json",
             "data": {"event_type": "exploded", "task_id": 4711, "user_id": "mira"}}
    publish(stack, "mira", json.dumps(event).encode())
    publish(stack, "jonas", b'{"specversion":"1.0","data":{')
    eventually(lambda: rows(stack, "select count(*) from dead_letters") == [["2"]], "two dead letters")


class Camera:
    def __init__(self, browser: Browser, origin: str) -> None:
        self._browser = browser
        self._origin = origin

    def picture(self, name: str, path: str, prepare: Callable[[Product], None], user: str = "ada", real_time: bool = False,
                **options: Any) -> None:
        person = self._browser.person(self._origin, timezone_id=ZONE, locale="en-GB", reduced_motion="reduce", **options)
        if not real_time:
            person.context.clock.set_fixed_time(NOW)
        calls: set[Any] = set()
        person.context.on("request", lambda call: calls.add(call))
        for end in ("requestfinished", "requestfailed"):
            person.context.on(end, lambda call: calls.discard(call))
        product = Product(person.tab("/today"))
        product.sign_in_if_asked(user, operator=user == "olga")
        product.visit(path)
        prepare(product)
        product.page.mouse.move(0, 0)
        self._come_to_rest(product, calls)
        IMAGES.mkdir(exist_ok=True)
        file = IMAGES / f"{name}.png"
        file.write_bytes(with_palette(product.page.screenshot()))
        print(f"{file.relative_to(REPOSITORY)}: {file.stat().st_size / 1000:.0f} kB", flush=True)
        complaints = self._browser.end_of_test(name, failed=False)
        assert not complaints, complaints


    @staticmethod
    def _come_to_rest(product: Product, calls: set[Any]) -> None:
        """All parts are drawn, also those that come late, and no call is under way."""
        expect(product.page.get_by_role("button", name=re.compile("^Notifications"))).to_be_visible()
        expect(product.page.locator("[aria-busy=true], .spinner")).to_have_count(0)
        deadline = time.monotonic() + 60
        quiet = 0
        while quiet < 3:
            assert time.monotonic() < deadline, f"still under way: {[call.url for call in calls]}"
            product.run("() => new Promise((done) => requestIdleCallback(done))")
            quiet = 0 if calls else quiet + 1
        product.settled()


def take(camera: Camera) -> None:
    desktop = {"width": 1280, "height": 800}
    phone = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}

    def opened(product: Product) -> None:
        product.open_task(OPENED)

    def typed(product: Product) -> None:
        product.type_task("Team lunch on 7 June 2030 at 12:30 #work p1")
        expect(product.chip("work")).to_be_visible()

    def chatted(product: Product) -> None:
        product.open_chat()
        product.say("done with the library card")
        expect(product.page.get_by_role("log", name="Conversation").get_by_role("link").first).to_be_visible()

    def all_sent(product: Product) -> None:
        expect(product.page.get_by_role("group", name="Outbox")).to_contain_text(re.compile(r"^Outbox\s*0"))
        letters = product.page.get_by_role("list", name="Dead letters").get_by_role("listitem")
        expect(letters).to_have_count(2)

    camera.picture("page", "/upcoming", opened, viewport={"width": 1440, "height": 900})
    camera.picture("page-add", "/today", typed, viewport=desktop)
    camera.picture("page-dark", "/today", chatted, viewport=desktop, color_scheme="dark")
    camera.picture("page-phone", "/today", lambda _: None, **phone)
    camera.picture("page-phone-dark", "/upcoming", lambda _: None, color_scheme="dark", **phone)
    camera.picture("page-operator", "/operator", all_sent, user="olga", real_time=True, viewport={"width": 1280, "height": 1100})


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="todo-screenshots-") as folder, \
            Stack(Path(folder) / "run", broker="memory", service_binary=binary(), replicas=2, keep_data=False) as stack, \
            sync_playwright() as playwright:
        furnish(Client(stack.api_target(), "ada"))
        stack.postgres.query("update tasks set created_at = '2030-05-27 08:12+02'")
        something_for_operators(stack)
        browser = Browser(playwright, REPOSITORY / "build" / "page")
        take(Camera(browser, os.environ.get("PAGE_ORIGIN", stack.web_url())))
        browser.close()


if __name__ == "__main__":
    main()
