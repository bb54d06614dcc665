"""The service against the model: the examples of what once went wrong, and random histories.

HISTORIES sets how many of the latter (default 300), HISTORIES_SEED the seed; a failure prints the
shortest history that still fails. Every tenth also runs on PostgreSQL, where TODO_TEST_DATABASE_URL
names a server.
"""

import collections
import concurrent.futures
import os
import random

import pytest

from compared import failure_of, play, report, shown_in, shrink
from json_lines import Program
from random_histories import random_history

HISTORIES = int(os.environ.get("HISTORIES", "300"))
SEED = os.environ.get("HISTORIES_SEED", "20261126")
AT_ONCE = 50  # histories that one probe plays

TODAY = "2026-11-26T09:00:30Z"  # a Thursday; 10:00 in Berlin
COMPLETE = {"do": "complete"}
SKIP = {"do": "skip"}


def create(rule, due, **more):
    kind = "date" if len(due) == 10 else "instant" if due.endswith("Z") else "local"
    return {"do": "create", "kind": kind, "due": due, "rule": rule, **more}


def update(scope, of=0, **changes):
    return {"do": "update", "of": of, "scope": scope, **changes}


def dues(told):
    """When each task is due that the user sees in the end, the skipped and deleted ones left out."""
    return [
        task["due_local"] or task["due_date"]
        for task in sorted(told[-1][1]["tasks"], key=lambda task: task["occurrence"])
    ]


def story(probe, *steps, zone="Europe/Berlin", now=TODAY):
    """Plays the steps, compares each with the model, and answers what the service showed."""
    history = {"zone": zone, "now": now, "steps": list(steps)}
    if failure := failure_of(history, probe):
        pytest.fail(report(failure, history), pytrace=False)
    told = play(history, probe)
    assert len(told) == len(steps) + 1, "the model took no side"
    return told


# ---- moving a series


MONDAY = "2026-11-30T09:00:00"


@pytest.mark.parametrize("scope", ["following", "all"])
@pytest.mark.parametrize(
    "rule, due, to, then",
    [
        ("FREQ=WEEKLY;BYDAY=MO", MONDAY, "2026-11-27T09:00:00", "2026-12-04T09:00:00"),
        ("FREQ=WEEKLY;BYDAY=MO;COUNT=2", MONDAY, "2026-11-27T09:00:00", "2026-12-04T09:00:00"),
        ("FREQ=WEEKLY;BYDAY=MO", "2026-11-30", "2026-11-27", "2026-12-04"),
        ("FREQ=WEEKLY;BYDAY=MO", MONDAY, "2026-11-30T10:00:00", "2026-12-07T10:00:00"),
        ("FREQ=WEEKLY;BYDAY=MO,TH", MONDAY, "2026-12-03T09:00:00", "2026-12-07T09:00:00"),
        ("FREQ=MONTHLY;BYMONTHDAY=30", MONDAY, "2026-11-27T09:00:00", "2026-12-27T09:00:00"),
        ("FREQ=MONTHLY;BYDAY=5MO", MONDAY, "2026-12-11T09:00:00", "2027-01-08T09:00:00"),
        ("FREQ=MONTHLY;BYDAY=-1MO", MONDAY, "2026-11-27T09:00:00", "2026-12-25T09:00:00"),
        (
            "FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=30",
            MONDAY,
            "2026-12-01T09:00:00",
            "2027-12-01T09:00:00",
        ),
        ("FREQ=DAILY;BYHOUR=9", MONDAY, "2026-11-30T18:00:00", "2026-12-01T18:00:00"),
        ("weekdays", MONDAY, "2026-12-04T10:00:00", "2026-12-07T10:00:00"),
        (
            "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
            MONDAY,
            "2026-11-30T10:00:00",
            "2026-12-31T10:00:00",
        ),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", MONDAY, "2026-12-31T09:00:00", "2027-01-31T09:00:00"),
    ],
)
def test_a_series_moves_with_the_day_that_its_rule_names(probe, scope, rule, due, to, then):
    told = story(probe, create(rule, due), update(scope, due=to), COMPLETE)
    assert dues(told) == [to, then]


@pytest.mark.parametrize(
    "rule, to, part",
    [
        ("weekdays", "2026-11-29T09:00:00", "replace task.recurrence_rule"),
        ("FREQ=WEEKLY;BYDAY=MO,WE", "2026-12-01T09:00:00", "BYDAY"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "2026-12-01T09:00:00", "BYSETPOS"),
        ("FREQ=YEARLY;BYYEARDAY=334", "2026-12-01T09:00:00", "BYYEARDAY"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1", "2026-12-01T09:00:00", "BYMONTHDAY"),
    ],
)
def test_a_move_that_the_rule_cannot_follow_names_the_part_to_change(probe, rule, to, part):
    told = story(probe, create(rule, MONDAY), update("following", due=to))
    assert part in told[1][1]["refused"]["message"]
    assert dues(told) == [MONDAY]


def test_the_rest_of_count_moves_along(probe):
    told = story(
        probe,
        create("FREQ=WEEKLY;BYDAY=MO;COUNT=3", MONDAY),
        COMPLETE,
        update("following", days=-3),
        COMPLETE,
        COMPLETE,
    )
    assert dues(told) == [MONDAY, "2026-12-04T09:00:00", "2026-12-11T09:00:00"]


# ---- one that was moved for this once


@pytest.mark.parametrize(
    "change", [{"time_zone": "America/New_York"}, {"add": ";UNTIL=20270101"}, {"add": ";COUNT=5"}]
)
def test_a_task_moved_for_this_once_keeps_the_days_of_its_series(probe, change):
    told = story(
        probe,
        create("FREQ=WEEKLY", MONDAY),
        update("this", due="2026-12-02T09:00:00"),
        update("following", **change),
        COMPLETE,
    )
    assert dues(told) == ["2026-12-02T09:00:00", "2026-12-07T09:00:00"]


@pytest.mark.parametrize("rule", ["weekly", "FREQ=WEEKLY;BYDAY=MO"])
@pytest.mark.parametrize("passes", [COMPLETE, SKIP])
def test_next_counts_from_the_scheduled_date(probe, rule, passes):
    told = story(
        probe, create(rule, MONDAY), update("", due="2026-12-09T09:00:00"), passes
    )
    assert dues(told)[-1] == "2026-12-07T09:00:00"
    assert told[-1][1]["tasks"][-1]["missed"] == 0


# ---- from completion


@pytest.mark.parametrize(
    "rule, due, then",
    [
        ("FREQ=YEARLY;BYMONTH=12;BYMONTHDAY=24", "2026-12-24", ["2027-12-24"]),
        ("FREQ=WEEKLY;INTERVAL=3;BYDAY=SA", "2026-11-28T09:00:00", ["2026-12-19T09:00:00"]),
        ("FREQ=WEEKLY;BYDAY=MO;COUNT=3", "2026-11-30", ["2026-12-07", "2026-12-14"]),
        ("FREQ=DAILY", "2026-11-30", ["2026-11-27"]),
        ("FREQ=WEEKLY;INTERVAL=6", "2026-11-30", ["2027-01-07"]),
    ],
)
def test_done_early_from_completion(probe, rule, due, then):
    ends = "COUNT" in rule
    told = story(
        probe, create(rule, due, basis="completion"), *[COMPLETE] * (len(then) + (1 if ends else 0))
    )
    assert dues(told) == [due, *then]


# ---- all-day tasks


@pytest.mark.parametrize("passes", [COMPLETE, SKIP])
@pytest.mark.parametrize("end", ["", ";UNTIL=20261126", ";UNTIL=20261126T000000Z"])
def test_an_all_day_task_done_late_does_not_swallow_today(probe, passes, end):
    told = story(probe, create("FREQ=WEEKLY" + end, "2026-11-19"), passes)
    assert dues(told)[-1] == "2026-11-26"
    assert told[-1][1]["tasks"][-1]["missed"] == 0
    told = story(probe, create("FREQ=WEEKLY" + end, "2026-11-19"), passes, COMPLETE)
    assert dues(told)[-1] == ("2026-11-26" if end else "2026-12-03")


def test_times_of_day_are_ignored_for_all_day_tasks(probe):
    told = story(
        probe, create("FREQ=DAILY;BYHOUR=9,18;BYMINUTE=15;COUNT=2", "2026-11-27"), COMPLETE, COMPLETE
    )
    assert dues(told) == ["2026-11-27", "2026-11-28"]


# ---- reopened


@pytest.mark.parametrize("scope", ["", "following"])
def test_a_reopened_task_recurs_or_shows_no_rule(probe, scope):
    told = story(
        probe,
        create("FREQ=WEEKLY", MONDAY),
        COMPLETE,
        {"do": "delete", "of": 0, "scope": scope},
        {"do": "uncomplete"},
        COMPLETE,
    )
    reopened = told[3][1]["tasks"][0]
    assert dues(told) == [MONDAY] + (["2026-12-07T09:00:00"] if reopened["rule"] else [])


def test_a_stopped_series_does_not_come_back(probe):
    told = story(
        probe,
        create("FREQ=WEEKLY", MONDAY),
        COMPLETE,
        {"do": "stop"},
        {"do": "delete", "of": 0},
        {"do": "uncomplete"},
        COMPLETE,
    )
    assert dues(told) == [MONDAY]
    assert told[4][1]["tasks"][0]["rule"] is None


def test_nothing_comes_back_over_a_gap_when_all_that_follows_was_deleted(probe):
    told = story(
        probe,
        create("FREQ=WEEKLY", MONDAY),
        COMPLETE,
        COMPLETE,
        {"do": "uncomplete", "of": 2},
        {"do": "delete", "of": 1},
        {"do": "delete", "of": 0, "scope": "following"},
        COMPLETE,
    )
    assert dues(told) == [MONDAY]


# ---- restored


def test_a_skipped_task_comes_back_and_the_next_one_goes(probe):
    told = story(probe, create("FREQ=WEEKLY", MONDAY), SKIP, {"do": "restore"}, COMPLETE)
    assert dues(told[:3]) == [MONDAY]
    assert dues(told) == [MONDAY, "2026-12-07T09:00:00"]


def test_a_next_one_that_a_person_has_changed_stays_beside_a_restored_one(probe):
    told = story(
        probe,
        create("FREQ=WEEKLY", MONDAY),
        SKIP,
        update("this", title="cake"),
        {"do": "restore"},
        {"do": "complete", "of": 1},
    )
    assert dues(told) == [MONDAY, "2026-12-07T09:00:00"]


@pytest.mark.parametrize("scope", ["", "following", "all"])
def test_a_series_goes_on_with_its_restored_task(probe, scope):
    gone = {"do": "delete", "of": 0, "scope": scope}
    told = story(
        probe, create("FREQ=WEEKLY", MONDAY), COMPLETE, gone, {"do": "restore"}, COMPLETE
    )
    assert dues(told) == [MONDAY, "2026-12-07T09:00:00", "2026-12-14T09:00:00"]


# ---- the same rule once more


@pytest.mark.parametrize("rule", ["RRULE:FREQ=WEEKLY;BYDAY=MO", "FREQ=WEEKLY;BYDAY=MO;COUNT=5"])
def test_a_series_moves_with_its_rule_in_another_spelling_or_with_another_end(probe, rule):
    told = story(
        probe,
        create("FREQ=WEEKLY;BYDAY=MO", MONDAY),
        update("following", due="2026-11-27T09:00:00", rule=rule),
        COMPLETE,
    )
    assert dues(told) == ["2026-11-27T09:00:00", "2026-12-04T09:00:00"]


# ---- points in time


@pytest.mark.parametrize("scope", ["", "following", "all"])
def test_points_in_time_stay_in_a_new_zone(probe, scope):
    told = story(
        probe,
        create("FREQ=WEEKLY", "2026-11-30T20:00:00Z"),
        update(scope, time_zone="Asia/Tokyo"),
        COMPLETE,
    )
    assert dues(told)[-1] == "2026-12-07T20:00:00Z"


# ---- the end of a series


@pytest.mark.parametrize("time", ["10:00:00", "08:00:00"])
@pytest.mark.parametrize("until", ["20261207T080000Z", "20261207T090000", "20261207"])
def test_another_time_of_day_leaves_as_many_dates(probe, until, time):
    told = story(
        probe,
        create(f"FREQ=WEEKLY;BYDAY=MO;UNTIL={until}", MONDAY),
        update("following", time=time),
        COMPLETE,
        COMPLETE,
    )
    assert dues(told) == [f"2026-11-30T{time}", f"2026-12-07T{time}"]


# ---- basis


def test_the_basis_of_all_is_that_of_every_open_one(probe):
    told = story(
        probe,
        create("FREQ=WEEKLY", MONDAY),
        COMPLETE,
        update("", title="cake"),
        {"do": "uncomplete", "of": 1},
        update("all", basis="completion"),
    )
    assert [task["basis"] for task in told[-1][1]["tasks"]] == ["completion", "completion"]


# ---- reminders


def reminders_of_newest(told):
    newest = max(told[-1][1]["tasks"], key=lambda task: task["occurrence"])
    return sorted(reminder["remind_at"] for reminder in newest["reminders"])


def test_a_reminder_keeps_its_distance_to_the_scheduled_date(probe):
    told = story(
        probe,
        create("FREQ=WEEKLY", MONDAY),
        {"do": "remind", "at": "2026-11-30T07:00:00Z"},
        update("this", due="2026-11-28T09:00:00"),
        COMPLETE,
    )
    assert reminders_of_newest(told) == ["2026-12-07T07:00:00Z"], "08:00 in Berlin"


def test_a_revived_next_one_has_the_reminders_that_its_predecessor_has_now(probe):
    told = story(
        probe,
        create("FREQ=WEEKLY", MONDAY, basis="completion"),
        {"do": "remind", "before_minutes": 60},
        {"do": "remind", "before_minutes": 30},
        COMPLETE,
        {"do": "uncomplete", "of": 1},
        {"do": "forget", "which": 0},
        {"do": "remind", "before_minutes": 10},
        {"do": "complete", "when": ["step", 24 * 60]},
    )
    assert dues(told) == [MONDAY, "2026-12-04T09:00:00"]
    assert reminders_of_newest(told) == ["2026-12-04T07:30:00Z", "2026-12-04T07:50:00Z"]


# ---- the second of two equal hours


def test_an_instant_in_the_second_of_two_equal_hours(probe):
    told = story(
        probe,
        create("FREQ=DAILY;BYHOUR=1;BYMINUTE=30,45;COUNT=3", "2027-11-07T06:30:00Z"),
        COMPLETE,
        COMPLETE,
        COMPLETE,
        zone="America/New_York",
        now="2027-11-07T00:00:30Z",
    )
    assert dues(told) == ["2027-11-07T06:30:00Z", "2027-11-08T06:30:00Z", "2027-11-08T06:45:00Z"]
    assert told[-1][1]["tasks"][1]["missed"] == 0


# ---- random


def history_of(number):
    return random_history(random.Random(f"{SEED}-{number}"))


def play_some(begin, end):
    """The numbers of those that fail, and how often each thing was done."""
    probe, tally, failed = Program("histories", "history_probe"), collections.Counter(), []
    for number in range(begin, end):
        if failure_of(history_of(number), probe, tally=tally):
            failed.append(number)
    probe.close()
    return failed, tally


def test_random_histories(probe):
    tally, failed = collections.Counter(), []
    with concurrent.futures.ProcessPoolExecutor() as pool:
        parts = [
            pool.submit(play_some, begin, min(begin + AT_ONCE, HISTORIES))
            for begin in range(0, HISTORIES, AT_ONCE)
        ]
        for part in parts:
            some, done = part.result()
            failed += some
            tally += done
    print(f"\n{HISTORIES} histories, seed {SEED}")
    for what, how_many in sorted(tally.items()):
        print(f"{how_many:8} {what}")
    for number in failed[:3]:
        history = history_of(number)
        if failure_of(history, probe):
            history = shrink(history, probe)
            print(f"\nhistory {number}:\n{report(failure_of(history, probe), history)}")
    assert not failed, f"{len(failed)} of {HISTORIES} histories: {failed[:20]}"
    made = sum(how_many for what, how_many in tally.items() if not what.startswith("left out"))
    assert made > 4 * HISTORIES, "most histories end before they have begun"


def test_postgresql_shows_the_same():
    if not os.environ.get("TODO_TEST_DATABASE_URL"):
        assert os.environ.get("TODO_REQUIRE_POSTGRES") != "1"
        pytest.skip("needs a database")
    in_memory = Program("histories", "history_probe")
    in_database = Program("histories", "history_probe")
    for number in range(0, HISTORIES, 10):
        history = history_of(number)
        theirs = shown_in(history, in_database, store="postgres")
        assert theirs == shown_in(history, in_memory), f"history {number}: {history}"
    in_memory.close()
    in_database.close()


@pytest.mark.parametrize(
    "mistake",
    [
        "move-is-for-this-once",
        "postponing-moves-series",
        "completion-is-schedule",
        "reopening-leaves-next",
        "restoring-leaves-next",
        "reminders-stay-unplanned",
    ],
)
def test_a_planted_mistake_is_found(probe, mistake):
    wrong = Program("histories", "history_probe", f"--plant={mistake}")
    for number in range(HISTORIES):
        if failure_of(history_of(number), wrong):
            smallest = shrink(history_of(number), wrong)
            if failure_of(smallest, probe):
                continue
            print(report(failure_of(smallest, wrong), smallest))
            assert len(smallest["steps"]) <= 4, "a report for people"
            wrong.close()
            return
    pytest.fail("nobody noticed")
