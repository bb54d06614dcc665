"""Plays about single tasks: history, rules, dates in one step, search, sorting, what a click on a chip takes out."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect
from browser import Person
from product import Product
from todo_client import Client, eventually


def test_the_story_of_a_new_user(opened: Callable[..., Product], client: Client) -> None:
    """Without reading anything: a task that repeats every Monday at nine with a reminder is made, checked off, its next one
    found and postponed, and that undone."""
    product = opened("/")
    product.add("Take out the bins every Monday at nine, remind me")
    product.page.get_by_role("button", name="Show").click()
    expect(product.panel).to_contain_text(re.compile("every Monday at (9:00|09:00)"))
    expect(product.panel.get_by_role("button", name=re.compile("At the due time"))).to_be_visible()
    product.press("Escape")
    [first] = client.tasks()
    product.go("Upcoming")
    product.check_off("Take out the bins")
    product.page.get_by_role("button", name="Show").last.click()
    second = client.successor_of(first)
    product.page.wait_for_url(f"**/task/{second.id}")
    product.press("Escape")
    expect(product.rows.get_by_text("Has a reminder")).to_have_count(1)
    product.reschedule("Take out the bins", "Tomorrow")
    eventually(lambda: client.get(second.id).due_local < second.due_local, "postponed to another day, at the same time")
    assert client.get(second.id).due_local.endswith("T09:00:00")
    product.undo()
    eventually(lambda: client.get(second.id).due_local == second.due_local, "as before")


def test_an_earlier_version_is_brought_back(opened: Callable[..., Product], client: Client) -> None:
    task = client.create("Sort the photos", description="of the summer", tags=["home"])
    product = opened("/all")
    product.rename("Sort the photos", "Sort all photos")
    eventually(lambda: client.get(task.id).title == "Sort all photos", "renamed")
    product.panel.get_by_role("button", name="History").click()
    history = product.dialog("History")
    expect(history.get_by_role("listitem")).to_have_count(2)
    expect(history).to_contain_text("Sort the photos")
    history.get_by_role("button", name="Bring this version back").click()
    eventually(lambda: client.get(task.id).title == "Sort the photos", "it is back")
    assert (client.get(task.id).description, list(client.get(task.id).tags)) == ("of the summer", ["home"])
    product.undo()
    eventually(lambda: client.get(task.id).title == "Sort all photos", "and the newer one again")


def test_a_rule_is_made_with_words_dates_and_warnings(opened: Callable[..., Product], client: Client) -> None:
    task = client.create("Pay the rent", due_local="2030-01-31T09:00:00", time_zone="Europe/Berlin")
    product = opened("/all")
    product.open_task("Pay the rent").get_by_role("button", name="Does not repeat").click()
    editor = product.dialog("Repeat")
    editor.get_by_role("button", name="Every month").click()
    expect(editor).to_contain_text("every month on the 31st")
    expect(editor.get_by_text("Next dates")).to_be_visible()
    expect(editor).to_contain_text(re.compile("skips|last day|31"))
    editor.get_by_role("button", name="Save").click()
    eventually(lambda: "FREQ=MONTHLY" in client.get(task.id).recurrence_rule, "it repeats")
    expect(product.panel).to_contain_text("every month on the 31st")


def test_overdue_tasks_are_moved_to_today_in_one_step(opened: Callable[..., Product], client: Client) -> None:
    for title in ("one", "two"):
        client.create(title, due_local="2026-01-02T09:30:00", time_zone="Europe/Berlin")
    product = opened("/today")
    product.page.get_by_role("button", name="Move all to today").click()
    eventually(lambda: all(task.due_local > "2026-01-03" for task in client.tasks()), "moved")
    assert {task.due_local[10:] for task in client.tasks()} == {"T09:30:00"}, "at the same time of day"
    product.undo()
    eventually(lambda: all(task.due_local.startswith("2026-01-02") for task in client.tasks()), "moved back")


def test_search_looks_into_titles_tags_and_descriptions(opened: Callable[..., Product], client: Client) -> None:
    client.create("Buy bread")
    client.create("Call Ann", description="about the bread knife")
    client.create("Bake", tags=["breadmaking"])
    client.create("Read a book")
    product = opened("/all")
    expect(product.rows).to_have_count(4)
    product.press("/")
    field = product.page.get_by_role("searchbox")
    expect(field).to_be_focused()
    field.fill("bread")
    expect(product.rows).to_have_count(3)
    assert product.page.url.endswith("/search?q=bread"), "the address can be kept"


def test_a_click_on_a_chip_makes_its_words_plain(opened: Callable[..., Product], client: Client) -> None:
    product = opened("/all")
    product.type_task('Watch "Tomorrow" on Friday #cinema')
    group = product.page.get_by_role("group", name="Understood")
    expect(group.get_by_role("button")).to_have_count(2)
    group.get_by_role("button", name=re.compile("Friday")).click()
    expect(group.get_by_role("button")).to_have_count(1)
    product.new_task.press("Enter")
    [task] = eventually(client.tasks, "stored")
    assert (task.title, task.due_local, list(task.tags)) == ('Watch "Tomorrow" on Friday', "", ["cinema"])


def test_an_address_of_a_skipped_occurrence_says_so(opened: Callable[..., Product], client: Client) -> None:
    task = client.create("Water the plants", due_local="2030-05-06", recurrence_rule="daily")
    product = opened("/all")
    panel = product.open_task("Water the plants")
    panel.get_by_role("button", name="Skip this one").click()
    eventually(lambda: [each.due_local for each in client.tasks()] == ["2030-05-07"], "skipped")
    expect(product.toast("Next:")).to_be_visible()  # the page knows it, too
    product.page.go_back()
    product.page.wait_for_url(f"**/task/{task.id}")
    expect(product.panel).to_contain_text("This occurrence was skipped: Today")
    product.panel.get_by_role("button", name="History").click()
    expect(product.dialog("History").get_by_role("listitem").first).to_contain_text("Skipped")


def test_dates_in_warnings_have_the_form_of_the_user(opened: Callable[..., Product], client: Client) -> None:
    client.create("Stretch", due_local="2030-05-06T09:00:00", time_zone="Europe/Berlin", recurrence_rule="weekly")
    product = opened("/all")
    product.open_task("Stretch").get_by_role("button", name=re.compile("^every week", re.I)).click()
    dialog = product.dialog("Repeat")
    dialog.get_by_text("Advanced").click()
    dialog.get_by_role("textbox", name="Rule").fill("FREQ=WEEKLY;BYDAY=TU")
    warning = dialog.get_by_text("is not one that the rule names")
    expect(warning).to_contain_text(re.compile("Monday,? 6 May 2030, 9 am"))
    assert "2030-05-06" not in (warning.text_content() or "")


def test_a_text_that_was_left_by_esc_stays_until_it_is_used(opened: Callable[..., Product], client: Client) -> None:
    task = client.create("Sort the photos", description="of the summer")
    product = opened("/all")
    panel = product.open_task("Sort the photos")
    field = panel.get_by_role("textbox", name="Description")
    field.fill("of the summer, and of the winter")
    field.press("Escape")
    expect(field).to_have_value("of the summer")
    expect(panel).to_be_visible()
    unsaved = panel.get_by_role("group", name="Unsaved description")
    expect(unsaved).to_contain_text("of the summer, and of the winter")
    product.press("Escape")
    product.page.reload()
    product.open_task("Sort the photos")
    unsaved.get_by_role("button", name="Use it").click()
    eventually(lambda: client.get(task.id).description == "of the summer, and of the winter", "used")
    expect(unsaved).to_have_count(0)
    product.press("Escape")

    product.focus("Sort the photos")
    product.press("F2")
    title = product.page.get_by_role("textbox", name="Title of “Sort the photos”")
    title.fill("Sort all photos")
    title.press("Escape")
    expect(product.row("Sort the photos")).to_be_visible()
    product.open_task("Sort the photos")
    unsaved = panel.get_by_role("group", name="Unsaved title")
    expect(unsaved).to_contain_text("Sort all photos")
    unsaved.get_by_role("button", name="Discard").click()
    expect(unsaved).to_have_count(0)
    product.page.reload()
    expect(panel.get_by_role("textbox", name="Title")).to_have_value("Sort the photos")
    expect(unsaved).to_have_count(0)


# The second change is shown while the first one is on its way, and comes into the stored queue after its answer.
SLOW_STORE = """async () => {
    const { Writes } = await import("/core/writes.js");
    const { add, edit } = Writes.prototype;
    let settled;
    const first = new Promise((resolve) => { settled = resolve; });
    let count = 0;
    Writes.prototype.add = async function (write) {
        if (++count === 2) await first;
        return add.call(this, write);
    };
    Writes.prototype.edit = async function (change) {
        await edit.call(this, change);
        settled();
    };
}"""


def test_two_quick_changes_of_a_task_are_no_conflict(opened: Callable[..., Product], client: Client) -> None:
    task = client.create("Mend the roof")
    product = opened("/all")
    product.page.evaluate(SLOW_STORE)
    panel = product.open_task("Mend the roof")
    expect(panel.get_by_role("button", name="High")).to_be_visible()
    panel.evaluate("""panel => ["Low", "High"].forEach((name) =>
        [...panel.querySelectorAll("button")].find((button) => button.textContent.trim() === name).click())""")
    eventually(lambda: client.get(task.id).version == 3, "both made")
    assert client.get(task.id).priority == client.messages.PRIORITY_HIGH
    expect(product.page.get_by_text("waits: the task was changed elsewhere")).to_have_count(0)


def test_a_part_that_could_not_be_loaded_is_loaded_again(person: Person, opened: Callable[..., Product], client: Client) -> None:
    client.create("Paint the fence")
    person.context.route("**/tasks/panel.js", lambda route: route.abort(), times=1)
    person.allow(re.compile("ERR_FAILED|Failed to fetch dynamically imported module"))
    product = opened("/all")
    product.open_task("Paint the fence")
    expect(product.panel.get_by_role("textbox", name="Title")).to_have_value("Paint the fence")


def test_a_deleted_task_is_brought_back_from_its_address(opened: Callable[..., Product], client: Client) -> None:
    task = client.create("Sharpen the saw")
    client.delete(task.id)
    product = opened(f"/task/{task.id}")
    expect(product.panel).to_contain_text("This task was deleted")
    product.panel.get_by_role("button", name="Bring it back").click()
    expect(product.toast("Brought back “Sharpen the saw”")).to_be_visible()
    expect(product.panel.get_by_role("textbox", name="Title")).to_have_value("Sharpen the saw")
    assert client.get(task.id).title == "Sharpen the saw"
