"""Random recurrence rules in good order, as dicts of parts and as texts, and starts for them."""

import calendar
import datetime

from day_matcher import WEEKDAYS

# How far BYSETPOS reaches: beyond it a period rarely has that many times.
SET_POSITIONS = {"DAILY": [2], "WEEKLY": [2, 4], "MONTHLY": [2, 6], "YEARLY": [2, 6, 40]}


def some(rng, values, most):
    return rng.sample(values, rng.randint(1, min(most, len(values))))


def signed(limit):
    return [number for number in range(-limit, limit + 1) if number]


def random_parts(rng):
    frequency = rng.choice(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
    parts = {"FREQ": frequency}
    if rng.random() < 0.5:
        parts["INTERVAL"] = rng.choice([1, 2, 3, 4, 5, 7, 10, 13, 26])
    if rng.random() < 0.35:
        parts["BYMONTH"] = some(rng, range(1, 13), 5)
    if frequency != "WEEKLY" and rng.random() < 0.4:
        parts["BYMONTHDAY"] = some(
            rng, signed(31) if rng.random() < 0.6 else [28, 29, 30, 31, -1, 1], 4
        )
    if frequency == "YEARLY" and rng.random() < 0.25:
        parts["BYWEEKNO"] = some(
            rng, signed(53) if rng.random() < 0.5 else [1, 2, 52, 53, -1, -2, -52, -53], 4
        )
    if frequency == "YEARLY" and rng.random() < 0.2:
        parts["BYYEARDAY"] = some(
            rng, signed(366) if rng.random() < 0.7 else [1, 59, 60, 365, 366, -1, -365], 4
        )
    if rng.random() < 0.45:
        positions = [0]
        if frequency == "MONTHLY" or frequency == "YEARLY" and "BYMONTH" in parts:
            positions = [0, 0, 1, 2, 3, 4, 5, -1, -2, -5]
        elif frequency == "YEARLY":
            positions = [0, 0, 1, 2, 20, 52, 53, -1, -3, -53]
        if "BYWEEKNO" in parts:
            positions = [0]
        parts["BYDAY"] = [(rng.choice(positions), name) for name in some(rng, WEEKDAYS, 5)]
    if rng.random() < 0.15:
        parts["BYHOUR"] = some(rng, range(24), 3)
    if rng.random() < 0.1:
        parts["BYMINUTE"] = some(rng, range(60), 2)
    if rng.random() < 0.05:
        parts["BYSECOND"] = some(rng, range(60), 2)
    if any(name.startswith("BY") for name in parts) and rng.random() < 0.25:
        parts["BYSETPOS"] = some(rng, signed(rng.choice(SET_POSITIONS[frequency])), 3)
    if rng.random() < 0.3:
        parts["WKST"] = rng.choice(WEEKDAYS)
    if (
        rng.random() < 0.15
        and min(parts.get("BYMONTHDAY", [0])) >= -28
        and min(parts.get("BYYEARDAY", [0])) > -366
    ):
        parts["RSCALE"] = "GREGORIAN"
        if rng.random() < 0.9 and not (
            "BYWEEKNO" in parts and ("BYMONTHDAY" in parts or "BYYEARDAY" in parts)
        ):
            parts["SKIP"] = rng.choice(["OMIT", "BACKWARD", "BACKWARD", "FORWARD", "FORWARD"])
    return parts


def text_of(parts):
    def value_text(value):
        if not isinstance(value, list):
            return str(value)
        return ",".join(f"{v[0] or ''}{v[1]}" if isinstance(v, tuple) else str(v) for v in value)

    return ";".join(f"{name}={value_text(value)}" for name, value in parts.items())


def disguised(rng, parts):
    """The rule in one of its other spellings."""
    items = list(parts.items())
    rng.shuffle(items)
    items = [
        (
            name,
            (
                value + [rng.choice(value)]
                if isinstance(value, list) and rng.random() < 0.1
                else value
            ),
        )
        for name, value in items
    ]
    text = rng.choice(["", "", "RRULE:", "rrule:"]) + text_of(dict(items))
    return text.lower() if rng.random() < 0.2 else text


def random_anchor(rng):
    year, month = rng.randint(1975, 2060), rng.randint(1, 12)
    last = calendar.monthrange(year, month)[1]
    day = last if rng.random() < 0.25 else rng.randint(1, last)
    hour = rng.choice([0, 1, 2, 3, 23]) if rng.random() < 0.4 else rng.randint(0, 23)
    return datetime.datetime(
        year, month, day, hour, rng.choice([0, 15, 30, rng.randint(0, 59)]), rng.choice([0, 0, 7])
    )
