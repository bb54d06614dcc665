"""Warnings of random rules, held to the truth: the day matcher looks at every month and year of 28
years, in which each kind of year comes. WARNING_RULES sets how many rules that warn are looked at.
"""

import calendar
import collections
import datetime
import os
import random
import re
import zoneinfo

from day_matcher import WEEKDAYS, DayMatcher, ONE_DAY
from random_rules import random_anchor, random_parts, text_of

RULES = int(os.environ.get("WARNING_RULES", "150"))
YEARS = 28
NAMES = dict(zip(calendar.day_name, WEEKDAYS))
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]


def days_of(first, behind):
    return [first + k * ONE_DAY for k in range((behind - first).days)]


def months(first, behind):
    """The days of each month that lies between the months of two days."""
    found = []
    year, month = first.year, first.month
    while True:
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)
        start = datetime.date(year, month, 1)
        stop = start + calendar.monthrange(year, month)[1] * ONE_DAY
        if stop > behind:
            return found
        found.append(days_of(start, stop))


def years(matcher, first, behind):
    """The same of years; of week numbers, where the rule has them."""
    year_of = lambda day: matcher.numbered_week(day)[0] if "BYWEEKNO" in matcher.parts else day.year
    by_year = collections.defaultdict(list)
    day = datetime.date(first.year - 1, 12, 1)
    while day < behind + 400 * ONE_DAY:
        by_year[year_of(day)].append(day)
        day += ONE_DAY
    return [
        days for year, days in by_year.items() if year > year_of(first) and days[-1] < behind
    ]


def lacks(sentence):
    """(months or years, which of them the sentence is about) from their days."""
    weekday = re.search("|".join(NAMES), sentence)
    fewer_than = lambda n: lambda days: sum(
        WEEKDAYS[day.weekday()] == NAMES[weekday.group()] for day in days
    ) < n
    for pattern, kind, about in [
        (r"29 February comes only|no 29th day", "months", lambda days: len(days) < 29),
        (r"no 30th day", "months", lambda days: len(days) < 30),
        (r"without a 31st|without 31 days", "months", lambda days: len(days) < 31),
        (r"without a fifth", "months", fewer_than(5)),
        (r"without a 53rd", "years", fewer_than(53)),
        (r"without a week 53|without 53 weeks", "years", lambda days: len(days) < 53 * 7),
        (r"Day 366 comes only", "years", lambda days: len(days) < 366),
    ]:
        if re.search(pattern, sentence):
            return kind, about
    return None, None


def rules_of(matcher, kind, spans):
    """Those of `spans` that the rule can fill: its months, in periods that INTERVAL leaves."""
    months_named = matcher.parts.get("BYMONTH", range(1, 13))
    every = matcher.parts.get("INTERVAL", 1)
    return [
        days
        for days in spans
        if (kind == "years" or days[0].month in months_named)
        and (matcher.frequency == "DAILY" or matcher.period(days[0]) % every == 0)
    ]


def check_absence(sentence, matcher, times, end):
    kind, about = lacks(sentence)
    first = matcher.anchor.date()
    spans = months(first, end) if kind == "months" else years(matcher, first, end)
    filled = collections.Counter(time.date() for time in times)
    without, others = [], []
    for days in rules_of(matcher, kind, spans):
        (without if about(days) else others).append(sum(filled[day] for day in days))
    if not without:  # only later than the stretch that is looked at
        return
    if sentence.startswith("The rule skips"):
        assert max(without) == 0
    else:
        assert not others or max(without) < min(others)


def check_clocks(sentence, matcher, times, zone):
    named = datetime.datetime.fromisoformat(
        re.search(r"forward over (\d{4}-\d\d-\d\d \d\d:\d\d)", sentence).group(1)
    )
    of_rule = [time for time in times if time.replace(second=0) == named]
    assert of_rule, "the rule names that time"
    local = of_rule[0].replace(tzinfo=zone)
    shown = local.astimezone(datetime.timezone.utc).astimezone(zone)
    assert shown.replace(tzinfo=None) != of_rule[0], "no clock shows it"
    assert sentence.endswith(f"comes at {shown:%Y-%m-%d %H:%M}.")


def test_warnings_are_true(probe):
    rng = random.Random(int(os.environ.get("DIFF_SEED", "20261126")))
    seen = collections.Counter()
    looked_at = 0
    while looked_at < RULES:
        parts, anchor = random_parts(rng), random_anchor(rng)
        if rng.random() < 0.7 and "BYMONTHDAY" in parts:
            parts["BYMONTHDAY"] = sorted({*parts["BYMONTHDAY"], rng.choice([29, 30, 31])})
        zone_name = rng.choice(ZONES)
        all_day = rng.random() < 0.2
        if rng.random() < 0.2:  # where many zones skip an hour
            anchor = anchor.replace(hour=2, minute=30, second=0)
            zone_name = "Europe/Berlin"
        if all_day:
            anchor = anchor.replace(hour=0, minute=0, second=0)
        count = rng.randint(2, 30) if rng.random() < 0.2 else None
        rule = text_of(parts) + (f";COUNT={count}" if count else "")
        answer = probe.ask(
            rule=rule, zone=zone_name, anchor=anchor.isoformat(), n=1, all_day=all_day
        )
        warnings = answer.get("warnings", [])
        dull = all(sentence.startswith("The first") or " ignored: " in sentence for sentence in warnings)
        if dull and (not warnings or rng.random() < 0.95):  # most rules
            continue
        looked_at += 1
        used = {
            name: value
            for name, value in parts.items()
            if not all_day or name not in ("BYHOUR", "BYMINUTE", "BYSECOND")
        }
        matcher = DayMatcher(used, anchor)
        end = anchor + datetime.timedelta(days=366 * YEARS)
        times = matcher.until(end)
        if count and len(times) >= count - 1:
            times = times[: count - 1]
            end = times[-1]
        for sentence in warnings:
            what = f"{sentence} {rule} from {anchor} in {zone_name}, {all_day=}"
            if sentence.startswith("The first occurrence"):
                assert not matcher.names_anchor(), what
                seen["start"] += 1
            elif sentence.startswith("Clocks in"):
                assert not all_day, what
                check_clocks(sentence, matcher, times, zoneinfo.ZoneInfo(zone_name))
                seen["clocks"] += 1
            elif " ignored: " in sentence:
                ignored = [name for name in ("BYHOUR", "BYMINUTE", "BYSECOND") if name in parts]
                assert all_day and sentence.startswith(", ".join(ignored) + " "), what
                seen["ignored"] += 1
            elif sentence.startswith("No month has"):
                seen["no month"] += 1
            else:
                try:
                    check_absence(sentence, matcher, times, end.date())
                except AssertionError as error:
                    raise AssertionError(what) from error
                seen[re.sub("|".join(NAMES), "day", sentence)] += 1
    for what, how_many in seen.most_common():
        print(f"{how_many:6} {what}")
    assert {"start", "clocks", "ignored", "The rule skips months without a 31st."} <= seen.keys()
