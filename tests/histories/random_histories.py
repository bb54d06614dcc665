"""Histories by seed. Most of their rules name the day on which the task is due."""

import datetime

from day_matcher import WEEKDAYS
from model import local_of, zone_of
from random_rules import random_parts, some, text_of

UTC = datetime.timezone.utc
DAY = 24 * 60
# Days before clocks change; Apia skipped 30 December 2011.
NEAR_CHANGES = {
    "Europe/Berlin": ["2027-03-26", "2027-10-29"],
    "America/New_York": ["2027-03-12", "2027-11-05"],
    "Australia/Lord_Howe": ["2027-04-02", "2027-10-01"],
    "Pacific/Apia": ["2011-12-28"],
    "UTC": ["2028-02-27"],
}
ZONES = ["Europe/Berlin"] * 4 + ["America/New_York"] * 2 + list(NEAR_CHANGES)[2:]
TIMES = ["09:00:00", "09:00:00", "00:00:00", "01:30:00", "02:15:00", "02:30:00", "23:30:00"]


def random_rule(rng, due):
    """A rule, mostly one that names the day of `due`."""
    weekday = WEEKDAYS[due.weekday()]
    nth = (due.day - 1) // 7 + 1
    interval = f";INTERVAL={rng.randint(2, 4)}" if rng.random() < 0.3 else ""
    days = ",".join(sorted({weekday, *some(rng, WEEKDAYS, 3)}, key=WEEKDAYS.index))
    templates = [
        rng.choice(["daily", "weekdays", "weekly", "monthly", "yearly"]),
        f"FREQ={rng.choice(['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'])}{interval}",
        f"FREQ=WEEKLY{interval};BYDAY={weekday}",
        f"FREQ=WEEKLY{interval};BYDAY={weekday};WKST={rng.choice(WEEKDAYS)}",
        f"FREQ=WEEKLY{interval};BYDAY={days}",
        f"FREQ=DAILY{interval};BYDAY={days}",
        f"FREQ=MONTHLY{interval};BYMONTHDAY={due.day}",
        f"FREQ=MONTHLY{interval};BYMONTHDAY={due.day},{rng.randint(1, 31)}",
        f"FREQ=MONTHLY{interval};BYMONTHDAY=-{rng.randint(1, 3)}",
        f"FREQ=MONTHLY{interval};BYDAY={nth}{weekday}",
        f"FREQ=MONTHLY{interval};BYDAY={rng.choice(['-1', '', '2'])}{weekday}",
        f"FREQ=MONTHLY{interval};BYDAY=MO,TU,WE,TH,FR;BYSETPOS={rng.choice(['1', '-1'])}",
        f"FREQ=YEARLY{interval};BYMONTH={due.month};BYMONTHDAY={due.day}",
        f"FREQ=YEARLY;BYMONTH={due.month}",
        f"FREQ=YEARLY;BYMONTH={due.month};BYDAY={nth}{weekday}",
        f"FREQ=YEARLY;BYDAY={(due.timetuple().tm_yday - 1) // 7 + 1}{weekday}",
        f"FREQ=YEARLY;BYYEARDAY={due.timetuple().tm_yday}",
        f"FREQ=YEARLY;BYWEEKNO={due.isocalendar().week}{rng.choice(['', ';BYDAY=' + weekday, ',-1'])}",
        f"FREQ=DAILY;BYHOUR={due.hour}",
        f"FREQ=WEEKLY;BYDAY={weekday};BYHOUR={due.hour};BYMINUTE={due.minute}",
        f"FREQ=DAILY;BYHOUR={due.hour},{rng.randint(0, 23)}",
        f"FREQ=DAILY;BYHOUR={due.hour};BYMINUTE=30,45",
        text_of(random_parts(rng)),
    ]
    return rng.choice(templates)


def random_end(rng, due, zone):
    """;COUNT or ;UNTIL"""
    if rng.random() < 0.5:
        return f";COUNT={rng.choice([1, 2, 2, 3, 3, 4, 4, 6, 6])}"
    until = due + datetime.timedelta(days=rng.choice([1, 6, 7, 8, 14, 30, 60, 400, 2000]))
    form = rng.choice(["date", "utc", "floating"])
    if form == "date":
        return f";UNTIL={until:%Y%m%d}"
    if form == "utc":
        return f";UNTIL={until.replace(tzinfo=zone_of(zone)).astimezone(UTC):%Y%m%dT%H%M%SZ}"
    return f";UNTIL={until:%Y%m%dT%H%M%S}"


def with_end(rng, rule, due, zone):
    if not rule.startswith("FREQ") or rng.random() < 0.65:
        return rule
    return rule + random_end(rng, due, zone)


def random_when(rng):
    if rng.random() < 0.45:
        return ["due", rng.choice([-3, -1, 0, 1, 2, 7, 8, 30, 45]) * DAY + rng.choice([-200, 0, 90])]
    return ["step", rng.choice([1, 5, 60, 600, DAY, DAY, 3 * DAY, 9 * DAY])]


def random_reminder(rng):
    return {
        "do": "remind",
        **rng.choice(
            [
                {"before_due": rng.choice([60, 0, DAY, -60])},
                {"before_minutes": rng.choice([0, 10, 60, 3 * DAY])},
                {"before_days": rng.choice([1, 2, 8])},
                {"before_days": rng.choice([0, 1]), "time_of_day": "08:30:00"},
            ]
        ),
    }


def random_move(rng):
    step = {
        "do": "update" if rng.random() < 0.93 else "update of any",
        "scope": rng.choice(["", "this", "this", "following", "following", "following", "all"]),
    }
    if rng.random() < 0.8:
        step["days"] = rng.choice([0, 0, -7, -3, -2, -1, 1, 2, 3, 4, 7, 9, 14, 30, 365])
    if "days" not in step or rng.random() < 0.3:
        step["time"] = rng.choice([*TIMES, "10:00:00"])
    if rng.random() < 0.1:
        step["kind"] = rng.choice(["date", "local"])
    return step


def random_edit(rng, due, zone):
    step = {"do": "update", "scope": rng.choice(["", "following", "all"])}
    what = rng.choice(["zone", "zone", "end", "end", "end", "rule", "rule", "basis", "no rule"])
    if what == "zone":
        step["time_zone"] = rng.choice(ZONES)
    elif what == "end":
        step["add"] = random_end(rng, due + datetime.timedelta(days=60), zone)
    elif what == "rule":
        step["rule"] = with_end(rng, random_rule(rng, due), due, zone)
    elif what == "basis":
        step["basis"] = rng.choice(["schedule", "completion"])
    else:
        step.update(rule=None, scope="")
    return step


def random_passing(rng):
    do = rng.choice(["complete"] * 4 + ["skip"])
    return {"do": do, "deliver": rng.choice(["once"] * 4 + ["twice", "backwards", "later"])}


def random_steps(rng, due, zone):
    """One step, or several that go together."""
    roll = rng.random()
    if roll < 0.38:
        return [random_passing(rng)]
    if roll < 0.43:
        return [{"do": "uncomplete", "of": rng.choice([1, 1, 0, 2])}]
    if roll < 0.44:
        return [{"do": "restore"}]
    if roll < 0.52:
        return [random_passing(rng), {"do": "uncomplete", "of": 1}]
    if roll < 0.74:
        return [random_move(rng)]
    if roll < 0.79:
        scope = rng.choice(["", "this", "following", "all"])
        title = rng.choice(["coffee", "milk", "cake"])
        return [{"do": "update", "scope": scope, "title": title}]
    if roll < 0.86:
        return [random_edit(rng, due, zone)]
    if roll < 0.89:
        return [{"do": "delete", "scope": rng.choice(["", "this", "this", "following", "all"])}]
    if roll < 0.91:
        doomed = {"do": "delete", "scope": rng.choice(["", "following"])}
        return [random_passing(rng), doomed, {"do": "uncomplete"}, random_passing(rng)]
    if roll < 0.915:
        doomed = {"do": "delete", "scope": rng.choice(["", "", "this", "following", "all"])}
        return [*([random_passing(rng)] if rng.random() < 0.5 else []), doomed, {"do": "restore"}]
    if roll < 0.93:
        return [{"do": "skip"}, *([random_move(rng)] if rng.random() < 0.3 else []), {"do": "restore"}]
    if roll < 0.94:
        return [{"do": "stop"}]
    if roll < 0.95:
        forgotten = {"do": "forget", "of": 0}
        return [random_reminder(rng), random_passing(rng), {"do": "uncomplete"}, forgotten]
    if roll < 0.975:
        return [random_reminder(rng)]
    return [{"do": "forget", "which": rng.randint(0, 2)}]


def random_history(rng):
    zone = rng.choice(ZONES)
    roll = rng.random()
    if roll < 0.4:
        today = datetime.date(2026, 11, 26)
    elif roll < 0.7:
        today = datetime.date.fromisoformat(rng.choice(NEAR_CHANGES[zone]))
    else:
        today = datetime.date(2025, 1, 1) + datetime.timedelta(days=rng.randint(0, 1500))
    now = datetime.datetime.combine(today, datetime.time(rng.randint(0, 23), 17, 30), UTC)
    local_today = local_of(now, zone).date()
    offset = rng.choice(
        [rng.randint(0, 6)] * 6 + [rng.randint(-40, -1), rng.randint(7, 60), rng.randint(-2000, 9000)]
    )
    time = rng.choice(TIMES) if rng.random() < 0.8 else f"{rng.randint(0, 23):02}:45:00"
    due = datetime.datetime.combine(
        local_today + datetime.timedelta(days=offset), datetime.time.fromisoformat(time)
    )
    create = {
        "do": "create",
        "kind": rng.choice(["local"] * 5 + ["date"] * 4 + ["instant"] * 2),
        "due": due.isoformat(),
        "rule": with_end(rng, random_rule(rng, due), due, zone),
    }
    if rng.random() < 0.04:
        create["rule"] = None
    elif rng.random() < 0.25:
        create["basis"] = "completion"
    if rng.random() < 0.1:
        create["time_zone"] = rng.choice(ZONES)
    steps = [random_reminder(rng)] if rng.random() < 0.3 else []
    for _ in range(rng.randint(2, 8)):
        steps += random_steps(rng, due, zone)
    for step in steps:
        step.setdefault("of", rng.choice([0] * 6 + [1, 1, 2]))
        step["when"] = random_when(rng)
    return {"zone": zone, "now": f"{now:%Y-%m-%dT%H:%M:%SZ}", "steps": [create, *steps]}
