"""The page as its users know it: things are found by role and accessible name. One place, so that a new name in the page is
a change of one line here."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect


def exactly(text: str) -> re.Pattern[str]:
    return re.compile(f"^{re.escape(text)}$")


class Product:
    """One tab."""

    def __init__(self, page: Page) -> None:
        self.page = page

    # Signing in.

    def sign_in_if_asked(self, user: str, operator: bool = False) -> None:
        """The page opens with the field for a name, or with the tasks of the last user."""
        name = self.page.get_by_label("Your name")
        inside = self.page.locator("#main")
        expect(name.or_(inside).first).to_be_visible(timeout=20_000)
        if name.is_visible():
            name.fill(user)
            if operator:
                self.page.get_by_role("checkbox", name=re.compile("operator", re.I)).check()
            self.page.get_by_role("button", name="Start").click()
        expect(inside).to_be_visible()

    # Adding.

    @property
    def new_task(self) -> Locator:
        return self.page.get_by_role("textbox", name="Add a task").or_(
            self.page.get_by_role("combobox", name="Add a task")).first

    def type_task(self, text: str) -> None:
        self.new_task.fill(text)

    def add(self, text: str) -> None:
        self.type_task(text)
        self.new_task.press("Enter")
        expect(self.new_task).to_have_value("")

    def chip(self, meaning: str | re.Pattern[str]) -> Locator:
        """What the page understood of the text in the field."""
        return self.page.get_by_role("group", name="Understood").get_by_text(meaning)

    # The list.

    @property
    def rows(self) -> Locator:
        return self.page.get_by_role("main").get_by_role("listitem").filter(has=self.page.get_by_role("checkbox"))

    def row(self, title: str) -> Locator:
        """The row of a task that is not done, unless the list shows done ones."""
        return self.rows.filter(has=self.page.get_by_text(title, exact=True))

    def titles(self) -> list[str]:
        return [row.get_by_role("link").first.inner_text() for row in self.rows.all()]

    def check_off(self, title: str) -> None:
        self.row(title).first.get_by_role("checkbox").first.click()

    def open_task(self, title: str) -> Locator:
        self.row(title).first.get_by_role("link").first.click()
        expect(self.panel).to_be_visible()
        return self.panel

    @property
    def panel(self) -> Locator:
        return self.page.get_by_role("complementary", name=re.compile("task", re.I)).or_(
            self.page.get_by_role("dialog", name=re.compile("task", re.I))).first

    def go(self, list_name: str) -> None:
        self.page.get_by_role("navigation").get_by_role("link", name=re.compile(f"^{re.escape(list_name)}")).first.click()

    # What the page says.

    def toast(self, text: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("status").or_(self.page.get_by_role("alert")).filter(has_text=text).first

    def undo(self) -> None:
        self.page.get_by_role("button", name="Undo").last.click()

    @property
    def banner(self) -> Locator:
        """Shown while there is no connection."""
        return self.page.get_by_role("status").filter(has_text=re.compile("You are offline|Connecting again"))

    def dialog(self, name: str | re.Pattern[str] = "") -> Locator:
        return self.page.get_by_role("dialog", name=name).or_(self.page.get_by_role("alertdialog", name=name)).first

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def run(self, function: str, argument: Any = None) -> Any:
        return self.page.evaluate(function, argument)

    # Further steps.

    def visit(self, path: str) -> None:
        """Another address in the same tab, and all of it is there."""
        origin = "/".join(self.page.url.split("/")[:3])
        self.page.goto(origin + path)
        expect(self.page.get_by_role("main")).to_be_visible()
        expect(self.page.locator('[aria-busy="true"]')).to_have_count(0)
        self.settled()

    def settled(self) -> None:
        """Nothing is loading any more, and nothing moves."""
        expect(self.page.get_by_label(re.compile("^Loading"))).to_have_count(0)
        self.page.wait_for_function("""() => document.getAnimations().every(each => each.playState !== "running"
            || each.effect.getTiming().iterations === Infinity)""")

    def ready_for_offline(self) -> None:
        """The service worker has a copy of the page."""
        self.run("() => navigator.serviceWorker.ready.then(() => null)")
        self.page.wait_for_function("() => navigator.serviceWorker.controller !== null")

    def focus(self, title: str) -> None:
        """The row of the task is the one that keys are for."""
        self.row(title).first.get_by_role("link").first.focus()

    def check_off_any(self, text: str) -> None:
        self.rows.filter(has_text=text).first.get_by_role("checkbox").first.click()

    def rename(self, old: str, new: str) -> None:
        panel = self.open_task(old)
        title = panel.get_by_role("textbox", name="Title")
        title.fill(new)
        title.press("Enter")

    def confirm_scope(self) -> None:
        apply = self.dialog().get_by_role("button", name=re.compile("^(save|apply|ok|change)", re.I))
        if apply.count():
            apply.first.click()

    def reschedule(self, title: str, when: str) -> None:
        self.focus(title)
        self.press("d")
        self.page.get_by_role("menuitem", name=re.compile(f"^{when}", re.I)).first.click()

    @property
    def conflict(self) -> Locator:
        """Both versions of a task that was changed here and elsewhere."""
        return self.page.get_by_role("region", name=re.compile("conflict|changed", re.I)).or_(
            self.page.get_by_role("dialog", name=re.compile("conflict|changed", re.I))).first

    def settle(self, choice: str) -> None:
        self.conflict.get_by_role("button", name=re.compile(choice, re.I)).first.click()

    def open_chat(self) -> None:
        """Beside the list."""
        self.press("c")
        expect(self.page.get_by_role("log", name="Conversation")).to_be_visible()

    def say(self, sentence: str) -> None:
        field = self.page.get_by_role("textbox", name="Say what to do")
        field.fill(sentence)
        field.press("Enter")

    def sign_out(self) -> None:
        out = self.page.get_by_role("button", name=re.compile("sign out", re.I)).or_(
            self.page.get_by_role("menuitem", name=re.compile("sign out", re.I)))
        if not out.first.is_visible():
            self.page.get_by_role("button", name=re.compile("^Account of")).first.click()
        out.first.click()


class Spoken:
    """What live regions have said since."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.evaluate("""() => {
            window.spoken = [];
            const note = () => document.querySelectorAll("[aria-live], [role=status], [role=alert]").forEach((region) => {
                const text = region.textContent.trim();
                if (text && text !== region.lastSpoken) window.spoken.push(text);
                region.lastSpoken = text;
            });
            new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true });
        }""")

    def must_say(self, text: re.Pattern[str]) -> None:
        self._page.wait_for_function("text => window.spoken.some(each => new RegExp(text, 'i').test(each))", arg=text.pattern)

    def all(self) -> list[str]:
        said: list[str] = self._page.evaluate("() => window.spoken")
        return said
