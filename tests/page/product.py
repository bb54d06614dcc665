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
        expect(name.or_(self.new_task).first).to_be_visible()
        if name.is_visible():
            name.fill(user)
            if operator:
                self.page.get_by_role("checkbox", name=re.compile("operator", re.I)).check()
            self.page.get_by_role("button", name=re.compile("^(sign in|start|continue)", re.I)).click()
        expect(self.new_task).to_be_visible()

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
        self.row(title).first.get_by_role("checkbox").first.check()

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
        return self.page.get_by_text(re.compile("offline|no connection", re.I)).first

    def dialog(self, name: str | re.Pattern[str] = "") -> Locator:
        return self.page.get_by_role("dialog", name=name).or_(self.page.get_by_role("alertdialog", name=name)).first

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def run(self, function: str, argument: Any = None) -> Any:
        return self.page.evaluate(function, argument)
