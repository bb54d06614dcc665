"""libical as a witness: it reads what we write; where it differs, the day matcher decides.

The second test is also the measurement behind doing without it. LIBICAL_RULES sets how many rules.
"""

import collections
import datetime
import os
import random

from day_matcher import DayMatcher
from random_rules import random_anchor, random_parts, text_of

RULES = int(os.environ.get("LIBICAL_RULES", "1500"))
OCCURRENCES = 8
YEARS = 9


def test_libical_reads_our_spelling_as_we_mean_it(probe, libical):
    rng = random.Random(1)
    for _ in range(RULES):
        anchor = random_anchor(rng)
        ours = probe.ask(rule=text_of(random_parts(rng)), anchor=anchor.isoformat(), n=1)
        if "refused" in ours:
            continue
        theirs = libical.ask(rule=ours["text"], anchor=f"{anchor:%Y%m%dT%H%M%S}", n=0)
        assert theirs.get("refused") != "parse", ours
        back = probe.ask(rule=theirs["text"], anchor=anchor.isoformat(), n=1)
        assert back.get("text") == ours["text"], (ours, theirs, back)


def test_where_libical_differs_we_are_right(probe, libical):
    rng = random.Random(2)
    tally, examples, slowest = collections.Counter(), {}, (0.0, "")
    for _ in range(RULES):
        parts, anchor = random_parts(rng), random_anchor(rng)
        rule = text_of(parts)
        ours = probe.ask(rule=rule, anchor=anchor.isoformat(), n=OCCURRENCES)
        end = anchor + datetime.timedelta(days=365 * YEARS)
        if len(ours.get("next", [])) < OCCURRENCES or ours["next"][-1][0] >= end.isoformat():
            tally["too rare to compare"] += 1
            continue
        # In our spelling, with lists in order: libical also minds their order.
        rule = ours["text"]
        theirs = libical.ask(rule=rule, anchor=f"{anchor:%Y%m%dT%H%M%S}", n=OCCURRENCES)
        if "refused" in theirs:
            tally["libical refuses a rule in good order"] += 1
            continue
        slowest = max(slowest, (theirs["micros"], rule))
        our_times = [datetime.datetime.fromisoformat(local) for local, _, _ in ours["next"]]
        if theirs["next"] == [f"{time:%Y%m%dT%H%M%S}" for time in our_times]:
            tally["libical agrees"] += 1
            continue
        assert our_times == DayMatcher(parts, anchor).until(end)[:OCCURRENCES], (rule, anchor)
        kind = " ".join([parts["FREQ"], *sorted(set(parts) - {"FREQ", "WKST", "RSCALE"})])
        tally["libical is wrong"] += 1
        examples.setdefault(kind, f"{rule} from {anchor}")
    print(f"\nslowest call of libical {slowest[0] / 1000:.1f} ms: {slowest[1]}")
    for what, how_many in tally.most_common():
        print(f"{how_many:6} {what}")
    for kind, example in sorted(examples.items())[:20]:
        print(f"       {kind}: {example}")
    assert tally["libical agrees"] > 0.4 * RULES


def test_texts_that_libical_misreads_in_silence(probe, libical):
    """Why it does not read for us either: it takes these for other rules than they are."""
    for rule in [
        "FREQ=DAILY;INTERVAL=70000",
        "FREQ=DAILY;;INTERVAL=2",
        "FREQ=DAILY;COUNT=5x",
        "FREQ=DAILY;COUNT=99999999999",
        "FREQ=DAILY;UNTIL=20261399",
        "FREQ=WEEKLY;BYDAY=1MO",
        "FREQ=MONTHLY;BYDAY=0TU",
        "FREQ=DAILY;SKIP=FORWARD",
    ]:
        ours = probe.ask(rule=rule, anchor="2026-01-01T09:00:00")
        assert ours.get("code") == "INVALID_ARGUMENT", (rule, ours)
        assert libical.ask(rule=rule, anchor="20260101T090000", n=0).get("refused") != "parse", rule
