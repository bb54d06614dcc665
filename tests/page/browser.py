"""Chromium with the page in it, for several people with several tabs each. What the browser complains of fails the test:
errors on the console, exceptions that nobody caught, and violations of the page's policy."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from chromium import find_chromium
from playwright.sync_api import BrowserContext, Page, Playwright, expect

PATIENCE = 20.0  # seconds: machines are shared
expect.set_options(timeout=PATIENCE * 1000)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--no-proxy-server"]

# A browser reports these itself whenever a request fails; no page can prevent it.
LOST_NETWORK = re.compile(r"net::ERR_|WebSocket connection to|ERR_CONNECTION|Failed to fetch|error occurred when fetching the script", re.IGNORECASE)
REFUSED_CALL = re.compile(r"the server responded with a status of 4\d\d")
UNAVAILABLE = re.compile(r"the server responded with a status of 5\d\d")

# Also violations that Chromium does not print, such as those in frames.
REPORT_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
    console.error(`policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""


class Person:
    """Somebody with a browser profile of their own."""

    def __init__(self, context: BrowserContext, origin: str) -> None:
        self.context = context
        self.origin = origin
        self.complaints: list[str] = []
        self._allowed: list[re.Pattern[str]] = []
        context.set_default_timeout(PATIENCE * 1000)
        context.add_init_script(REPORT_VIOLATIONS)
        context.on("page", self._watch)
        context.on("weberror", lambda error: self.complaints.append(f"exception: {error.error}"))

    def _watch(self, page: Page) -> None:
        def note(message: Any) -> None:
            if message.type == "error":
                place = message.location or {}
                self.complaints.append(f"console: {message.text} ({place.get('url', '')}:{place.get('lineNumber', '')})")
        page.on("console", note)
        page.on("dialog", lambda dialog: self._refuse(dialog))

    def _refuse(self, dialog: Any) -> None:
        self.complaints.append(f"a dialog of the browser: {dialog.message}")
        dialog.dismiss()

    def allow(self, *patterns: re.Pattern[str]) -> None:
        """This test causes such complaints on purpose."""
        self._allowed += patterns

    def tab(self, path: str = "/", origin: str | None = None) -> Page:
        page = self.context.new_page()
        page.goto((origin or self.origin) + path)
        return page

    @property
    def tabs(self) -> list[Page]:
        return self.context.pages

    def offline(self) -> None:
        self.allow(LOST_NETWORK)
        self.context.set_offline(True)

    def online(self) -> None:
        self.context.set_offline(False)

    def unexpected(self) -> list[str]:
        return [text for text in self.complaints if not any(pattern.search(text) for pattern in self._allowed)]


class Browser:
    """One process of Chromium. `screens` is where pictures of failed tests go."""

    def __init__(self, playwright: Playwright, screens: Path) -> None:
        program = find_chromium()
        assert program, "no chromium is installed"
        self._browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        self._screens = screens
        self._people: list[Person] = []

    def person(self, origin: str, **options: Any) -> Person:
        """`options` are those of Playwright's new_context: viewport, color_scheme, locale, …"""
        settings = {"viewport": {"width": 1280, "height": 800}, "locale": "en-US", "timezone_id": "Europe/Berlin", **options}
        person = Person(self._browser.new_context(**settings), origin)
        self._people.append(person)
        return person

    def end_of_test(self, name: str, failed: bool) -> list[str]:
        """Closes the profiles. The answer is what the browser complained of; a picture of each tab is kept if the test
        failed, or is about to fail for that reason."""
        complaints = [text for person in self._people for text in person.unexpected()]
        if failed or complaints:
            self._keep_pictures(name)
        for person in self._people:
            person.context.close()
        self._people.clear()
        return complaints

    def _keep_pictures(self, name: str) -> None:
        self._screens.mkdir(parents=True, exist_ok=True)
        safe = re.sub(r"[^\w.-]+", "-", name)
        for number, page in enumerate(page for person in self._people for page in person.tabs):
            quietly(lambda page=page, number=number: page.screenshot(path=self._screens / f"{safe}-{number}.png"))
            quietly(lambda page=page, number=number: (self._screens / f"{safe}-{number}.txt").write_text(
                page.locator("body").aria_snapshot()))

    def close(self) -> None:
        self._browser.close()


def quietly(action: Callable[[], object]) -> None:
    """A picture that cannot be taken must not hide why the test failed."""
    try:
        action()
    except Exception as error:  # noqa: BLE001
        print(f"no picture: {error}")
