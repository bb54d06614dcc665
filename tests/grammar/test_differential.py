"""Generated sentences, ours against chrono-node (dates) and recurrent (rules).

Every disagreement has a line in disagreements.txt, with the rule of docs/dates.md that decides it:
    parser | form of the sentence | what the parser says, compared with us | rule
A disagreement without a line fails, and so does a line that no sentence needs.

SENTENCES sets how many there are of each form (default 60), GRAMMAR_SEED the seed. SHOW=1 prints the
lines that are missing.
"""

import collections
import datetime
import os
import pathlib
import random
import re
import time

import recurrent

from sentences import DATES, RULES, sentence

HERE = pathlib.Path(__file__).resolve().parent
PER_FORM = int(os.environ.get("SENTENCES", "60"))
SEED = int(os.environ.get("GRAMMAR_SEED", "20261126"))
SHOW = os.environ.get("SHOW") == "1"

# In the middle of a day, and at the ends of days, months and years.
NOWS = [
    datetime.datetime(2026, 11, 26, 10, 0),
    datetime.datetime(2027, 2, 28, 23, 30),
    datetime.datetime(2026, 12, 31, 7, 15),
    datetime.datetime(2028, 2, 29, 12, 0),
    datetime.datetime(2027, 5, 30, 18, 45),
]


def rules_of_the_document():
    text = (HERE.parents[1] / "docs" / "dates.md").read_text()
    return {int(number) for number in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)}


def listed():
    """(parser, form, outcome) -> number of a rule"""
    entries = {}
    for line in (HERE / "disagreements.txt").read_text().splitlines():
        if not line or line.startswith("#"):
            continue
        parser, form, outcome, rule = (part.strip() for part in line.split("|"))
        key = (parser, form, outcome)
        assert key not in entries, f"twice: {line}"
        entries[key] = int(rule)
    return entries


# ---- dates


def compare_dates(ours, theirs, now):
    """None when both find the same date, else what the other parser says."""
    if ours is None and theirs["date"] is None:
        return None
    if ours is None:
        return "a date"
    if theirs["date"] is None:
        return "no date"
    our_day, _, our_time = ours.partition("T")
    our_time = our_time[:5] or None
    their_time = theirs["time"]
    days = (datetime.date.fromisoformat(theirs["date"]) - datetime.date.fromisoformat(our_day)).days
    if days == 0 and our_time == their_time:
        return None
    said = []
    if days:
        in_past = datetime.date.fromisoformat(theirs["date"]) < now.date()
        distance = {-1: "a day earlier", 1: "a day later", -7: "a week earlier", 7: "a week later"}
        said.append("in the past" if in_past else distance.get(days, "another day"))
    if our_time != their_time:
        if their_time is None:
            said.append("no time")
        elif our_time is None:
            said.append("a time")
        else:
            minutes = lambda clock: int(clock[:2]) * 60 + int(clock[3:])
            gap = minutes(their_time) - minutes(our_time)
            said.append({720: "12 hours later", -720: "12 hours earlier"}.get(gap, "another time"))
    return ", ".join(said)


# ---- rules


def all_parts_of(rule):
    line = next(line for line in rule.splitlines() if "FREQ=" in line)  # DTSTART has a line of its own
    return dict(part.split("=") for part in line.removeprefix("RRULE:").split(";"))


def parts_of(rule):
    """The parts of a rule that say on which days it falls."""
    parts = all_parts_of(rule)
    for name in ("BYHOUR", "BYMINUTE", "RSCALE", "SKIP", "WKST"):
        parts.pop(name, None)
    if parts.get("INTERVAL") == "1":
        parts.pop("INTERVAL")
    if "BYDAY" in parts:
        parts["BYDAY"] = ",".join(sorted(parts["BYDAY"].split(",")))
    return parts


def their_clock(rule):
    parts = all_parts_of(rule)
    if "BYHOUR" not in parts:
        return None
    return f"{int(parts['BYHOUR']):02}:{int(parts.get('BYMINUTE', 0)):02}"


def compare_rules(ours, theirs):
    """None when both find the same rule, else what the other parser says."""
    their_rule = theirs if isinstance(theirs, str) and "FREQ=" in theirs else None
    if ours["rule"] is None and their_rule is None:
        return None
    if ours["rule"] is None:
        return "a rule"
    if their_rule is None:
        return "no rule"
    mine, other = parts_of(ours["rule"]), parts_of(their_rule)
    said = [
        f"{name} {other.get(name, 'missing') if name == 'FREQ' else 'differs'}"
        for name in sorted(mine.keys() | other.keys())
        if mine.get(name) != other.get(name)
    ]
    our_clock = ours["due"].partition("T")[2][:5] or None
    if our_clock != their_clock(their_rule):
        said.append("another time")
    return ", ".join(said) or None


def compared(forms, ask):
    """Counts of (form, outcome), and an example of each."""
    rng = random.Random(SEED)
    counts, examples = collections.Counter(), {}
    for form in forms:
        for _ in range(PER_FORM):
            now = rng.choice(NOWS)
            text = sentence(rng, form, now)
            outcome = ask(text, now)
            counts[form, outcome] += 1
            examples.setdefault((form, outcome), f"{text!r} at {now}")
    return counts, examples


def judge(parser, counts, examples):
    """Holds what was found against the list."""
    known = {key[1:]: rule for key, rule in listed().items() if key[0] == parser}
    found = {key for key in counts if key[1] is not None}
    if SHOW:
        for form, outcome in sorted(found - known.keys()):
            print(f"{parser} | {form} | {outcome} | ?    {examples[form, outcome]}")
    missing = [f"{key}: {examples[key]}" for key in sorted(found - known.keys())]
    assert not missing, f"{parser} disagrees, and no rule decides: " + "; ".join(missing)
    if PER_FORM >= 60:
        assert not known.keys() - found, f"nothing needs {sorted(known.keys() - found)}"
    total, same = sum(counts.values()), sum(n for key, n in counts.items() if key[1] is None)
    print(f"\n{parser}: {total} sentences, {same} with the same answer, {len(found)} kinds of difference")
    assert same > total / 3


def test_dates_against_chrono(probe, chrono):
    began = time.monotonic()

    def ask(text, now):
        ours = probe.ask(text=text, now=now.isoformat(), zone="UTC")
        theirs = chrono.ask(text=text, now=now.isoformat(), month_first=False)
        return compare_dates(ours["due"], theirs, now)

    judge("chrono", *compared(DATES, ask))
    print(f"{time.monotonic() - began:.1f} s")


def test_rules_against_recurrent(probe):
    began = time.monotonic()

    def ask(text, now):
        ours = probe.ask(text=text, now=now.isoformat(), zone="UTC")
        theirs = recurrent.RecurringEvent(now_date=now).parse(text)
        return compare_rules(ours, theirs)

    judge("recurrent", *compared(RULES, ask))
    print(f"{time.monotonic() - began:.1f} s")


def test_every_rule_of_the_list_is_in_the_document():
    unknown = set(listed().values()) - rules_of_the_document()
    assert not unknown, f"docs/dates.md has no rule {sorted(unknown)}"
