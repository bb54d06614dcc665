"""Random rules, ours against python-dateutil; where they differ, a day matcher is the judge.

DIFF_RULES sets how many rules (default 10,000), DIFF_SEED the seed. A failure prints the rule.
"""

import collections
import datetime
import os
import random
import signal
import time
import zoneinfo

from dateutil.rrule import rrulestr

from day_matcher import DayMatcher
from random_rules import disguised, random_anchor, random_parts, text_of

RULES = int(os.environ.get("DIFF_RULES", "10000"))
SEED = int(os.environ.get("DIFF_SEED", "20261024"))
YEARS = 9  # every comparison covers this much time after the anchor; it holds two 29ths of February
OCCURRENCES = 15
# dateutil searches to the year 9999 for rules that rarely match.
DATEUTIL_SECONDS = 0.1  # of computing

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "America/Sao_Paulo",
    "Asia/Kathmandu",
    "Africa/Casablanca",
    "Asia/Gaza",
    "Europe/Dublin",
    "America/Havana",
    "Antarctica/Troll",
]
UTC = datetime.timezone.utc


class TooLong(Exception):
    pass


def by_dateutil(parts, anchor, end):
    """The first times after `anchor` and before `end`, more than enough of them; None when dateutil
    takes too long or knows no such rule."""
    if "RSCALE" in parts and parts.get("SKIP", "OMIT") != "OMIT":
        return None
    text = text_of({name: value for name, value in parts.items() if name not in ("RSCALE", "SKIP")})

    def interrupt(signum, frame):
        raise TooLong

    signal.signal(signal.SIGVTALRM, interrupt)
    found = []
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, DATEUTIL_SECONDS)
        try:
            for at in rrulestr(text, dtstart=anchor):
                if at >= end or len(found) == 2 * OCCURRENCES:
                    break
                if at > anchor:
                    found.append(at)
        finally:  # where the signal may come too
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
    except TooLong:
        return None
    return found


def series(local_times, anchor, zone, count, until):
    """[(wall-clock time, epoch second, number)] of the occurrences after the anchor."""
    # A wall-clock time that is skipped resolves with the offset before the change, one that comes
    # twice is the first: what fold=0 means.
    second_of = lambda local: int(local.replace(tzinfo=zone, fold=0).timestamp())
    first = second_of(anchor)
    by_second = {}
    for local in local_times:
        by_second.setdefault(second_of(local), local)
    answer = []
    for second in sorted(second for second in by_second if second > first):
        number = len(answer) + 2
        if (count and number > count) or (until is not None and second > until):
            break
        answer.append([by_second[second].isoformat(), second, number])
    return answer


def random_end(rng, anchor, zone, all_day):
    """(text to append to the rule, COUNT, UNTIL as epoch second)"""
    roll = rng.random()
    if roll < 0.25:
        count = rng.randint(2, 12)
        return f";COUNT={count}", count, None
    if roll < 0.5:
        until = anchor + datetime.timedelta(
            days=rng.randint(1, rng.choice([40, 400, 2000])), seconds=rng.choice([0, 0, -1, 1])
        )
        kind = rng.choice(["date", "floating", "utc"])
        text = f"{until:%Y%m%d}" if kind == "date" else f"{until:%Y%m%dT%H%M%S}"
        if kind == "date" or all_day:
            last = until.replace(hour=23, minute=59, second=59, tzinfo=zone)
        else:
            last = until.replace(tzinfo=zone if kind == "floating" else UTC)
        return f";UNTIL={text}{'Z' if kind == 'utc' else ''}", None, int(last.timestamp())
    return "", None, None


def test_random_rules(probe):
    rng = random.Random(SEED)
    tally = collections.Counter()
    slowest = (0.0, "")
    wrong_dateutil = {}
    began = time.monotonic()
    for _ in range(RULES):
        parts, anchor, zone_name = random_parts(rng), random_anchor(rng), rng.choice(ZONES)
        zone = zoneinfo.ZoneInfo(zone_name)
        all_day = rng.random() < 0.15
        if all_day:
            anchor = anchor.replace(hour=0, minute=0, second=0)
        end_text, count, until = random_end(rng, anchor, zone, all_day)
        rule = disguised(rng, parts) + end_text
        if all_day:
            parts = {k: v for k, v in parts.items() if k not in ("BYHOUR", "BYMINUTE", "BYSECOND")}
        end = anchor + datetime.timedelta(days=365 * YEARS)
        # At the end of the compared stretch zones can swap or merge occurrences; two days before it
        # they no longer do.
        safe = int(end.replace(tzinfo=UTC).timestamp()) - 2 * 86400

        answer = probe.ask(
            rule=rule,
            zone=zone_name,
            anchor=anchor.isoformat(),
            n=OCCURRENCES,
            all_day=all_day,
        )
        slowest = max(slowest, (max(answer["micros"]), rule))
        refused = "refused" in answer
        if refused:
            assert "can never occur again" in answer["refused"], (rule, anchor, answer)
            tally["refused, nothing follows the anchor"] += 1
        ours = [entry for entry in answer.get("next", []) if entry[1] < safe]

        def compare(times):
            expected = [
                entry for entry in series(times, anchor, zone, count, until) if entry[1] < safe
            ]
            return ours == expected[:OCCURRENCES], expected

        theirs = None if refused else by_dateutil(parts, anchor, end)
        if theirs is None:
            tally["judged alone (dateutil cannot or takes too long)"] += 1
        elif compare(theirs)[0]:
            tally["dateutil agrees"] += 1
            continue
        same, expected = compare(DayMatcher(parts, anchor).until(end))
        what = f"{rule} from {anchor} in {zone_name}, {all_day=}"
        assert same, f"{what}: {ours=} {expected=} {theirs=}"
        if theirs is not None:
            tally["dateutil is wrong, the judge agrees with us"] += 1
            wrong_dateutil.setdefault(
                " ".join(
                    sorted(set(parts) & {"FREQ", "BYDAY", "BYSETPOS", "BYMONTHDAY", "BYWEEKNO"})
                ),
                rule,
            )

    seconds = time.monotonic() - began
    print(
        f"\n{RULES} rules, seed {SEED}, {seconds:.0f} s; "
        f"slowest call {slowest[0] / 1000:.2f} ms: {slowest[1]}"
    )
    for what, how_many in tally.most_common():
        print(f"{how_many:8} {what}")
    for parts, rule in wrong_dateutil.items():
        print(f"         dateutil is wrong, for example, with {parts}: {rule}")
    assert tally["dateutil agrees"] > 0.5 * RULES


def test_matcher_knows_the_standard(probe):
    """The judge itself, on rules whose days are known."""

    def days(text, anchor, end):
        parts = {}
        for part in text.split(";"):
            name, value = part.split("=")
            if name == "BYDAY":
                parts[name] = [(int(day[:-2] or 0), day[-2:]) for day in value.split(",")]
            elif name.startswith("BY"):
                parts[name] = [int(number) for number in value.split(",")]
            else:
                parts[name] = int(value) if name == "INTERVAL" else value
        return [f"{at:%Y-%m-%d}" for at in DayMatcher(parts, anchor).until(end)]

    january = datetime.datetime(2026, 1, 1, 9)
    assert days(
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", january, datetime.datetime(2026, 12, 31)
    ) == ["2026-02-13", "2026-03-13", "2026-11-13"]
    assert days(
        "FREQ=MONTHLY;BYDAY=TU,WE,TH;BYSETPOS=3", january, datetime.datetime(2026, 4, 1)
    ) == ["2026-01-07", "2026-02-05", "2026-03-05"]
    assert days("FREQ=YEARLY;BYDAY=20MO", january, datetime.datetime(2028, 1, 1)) == [
        "2026-05-18",
        "2027-05-17",
    ]
    assert days(
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=MO",
        datetime.datetime(1997, 8, 5, 9),
        datetime.datetime(1997, 8, 26),
    ) == ["1997-08-10", "1997-08-19", "1997-08-24"]
    assert days(
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU",
        datetime.datetime(1997, 8, 5, 9),
        datetime.datetime(1997, 9, 1),
    ) == ["1997-08-17", "1997-08-19", "1997-08-31"]
    assert days(
        "FREQ=WEEKLY;BYDAY=TU,SA,SU;BYSETPOS=2",
        datetime.datetime(2015, 1, 3, 9),
        datetime.datetime(2015, 1, 14),
    ) == ["2015-01-10"], "the first week began in the year before"
    assert days(
        "FREQ=MONTHLY;BYMONTHDAY=31;SKIP=FORWARD",
        datetime.datetime(2026, 1, 31, 9),
        datetime.datetime(2026, 6, 2),
    ) == ["2026-03-01", "2026-03-31", "2026-05-01", "2026-05-31"]
    assert days(
        "FREQ=YEARLY;SKIP=BACKWARD",
        datetime.datetime(2024, 2, 29, 9),
        datetime.datetime(2028, 3, 1),
    ) == ["2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]
    assert days(
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
        datetime.datetime(1997, 5, 12, 9),
        datetime.datetime(2000, 1, 1),
    ) == ["1998-05-11", "1999-05-17"], "the example of the RFC"
    assert days(
        "FREQ=YEARLY;BYWEEKNO=1,53", datetime.datetime(2026, 1, 1, 9), datetime.datetime(2033, 1, 1)
    ) == [
        "2026-12-31",  # week 53, in a year that begins on a Thursday
        "2027-01-07",
        "2028-01-06",
        "2029-01-04",
        "2030-01-03",
        "2031-01-02",
        "2032-01-01",
        "2032-12-30",
    ]
    assert days(
        "FREQ=YEARLY;INTERVAL=2;BYWEEKNO=1;BYDAY=MO",
        datetime.datetime(2024, 12, 30, 9),  # of week 1 of 2025
        datetime.datetime(2030, 1, 1),
    ) == ["2027-01-04", "2029-01-01"]
    by_iso = DayMatcher({"FREQ": "YEARLY", "BYWEEKNO": [1]}, january)
    day = datetime.date(1970, 1, 1)
    while day.year < 2400:
        assert by_iso.numbered_week(day)[:2] == day.isocalendar()[:2]
        day += datetime.timedelta(days=1)


def test_rules_that_dateutil_takes_and_the_standard_forbids(probe):
    for rule in [
        "FREQ=WEEKLY;BYMONTHDAY=1",
        "FREQ=DAILY;BYYEARDAY=1",
        "FREQ=WEEKLY;BYYEARDAY=1",
        "FREQ=MONTHLY;BYYEARDAY=1",
        "FREQ=MONTHLY;BYWEEKNO=1",
        "FREQ=WEEKLY;BYWEEKNO=1",
        "FREQ=DAILY;BYWEEKNO=1",
        "FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO",
        "FREQ=YEARLY;BYWEEKNO=54",
        "FREQ=YEARLY;BYWEEKNO=0",
        "FREQ=DAILY;BYDAY=1MO",
        "FREQ=WEEKLY;BYDAY=-1MO",
        "FREQ=DAILY;BYSETPOS=1",
        "FREQ=DAILY;BYMONTHDAY=0",
        "FREQ=DAILY;BYMONTH=13",
        "FREQ=DAILY;BYHOUR=24",
        "FREQ=DAILY;INTERVAL=-1",
        "FREQ=HOURLY",
        "FREQ=DAILY;BYEASTER=0",
        "FREQ=MONTHLY;SKIP=FORWARD",
        "FREQ=DAILY;COUNT=3;UNTIL=20270101",
    ]:
        answer = probe.ask(rule=rule, anchor="2026-01-01T09:00:00")
        assert answer.get("code") == "INVALID_ARGUMENT", (rule, answer)
