"""Every zone of the IANA database, every change of its clocks from 1970 to 2037: a daily and a
weekly task across it, at times of day inside, at and around the change, agree with zoneinfo.

Both sides read the same database: the folder named by TZDIR, else /usr/share/zoneinfo.
"""

import datetime
import struct
import zoneinfo

UTC = datetime.timezone.utc
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=UTC)
SECOND = datetime.timedelta(seconds=1)
ONE_DAY = datetime.timedelta(days=1)
FIRST, LAST = EPOCH, datetime.datetime(2038, 1, 1, tzinfo=UTC)


def all_zones(folder):
    """Names of the zones that every machine means the same by."""
    names = set()
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if name.split("/")[0] in ("posix", "right", "posixrules", "localtime", "Factory"):
            continue
        if path.is_file() and path.read_bytes()[:4] == b"TZif":
            names.add(name)
    return sorted(names)


def listed_changes(file):
    """Epoch seconds of the changes that a zone's file lists, and whether a rule goes on from there
    (RFC 8536)."""
    data = file.read_bytes()
    header = ">4sc15x6l"
    _, version, *counts = struct.unpack_from(header, data)
    assert version >= b"2", file
    utc_flags, std_flags, leaps, times, types, letters = counts
    begin = (
        struct.calcsize(header)
        + times * 5
        + types * 6
        + letters
        + leaps * 8
        + std_flags
        + utc_flags
    )
    times = struct.unpack_from(header, data, begin)[5]
    footer = data[data[:-1].rindex(b"\n") + 1 : -1]
    return (
        list(struct.unpack_from(f">{times}q", data, begin + struct.calcsize(header))),
        b"," in footer,
    )


def transitions(name, folder):
    """[(instant of change, offset before, offset after)]"""
    zone = zoneinfo.ZoneInfo(name)
    offset = lambda at: at.astimezone(zone).utcoffset()
    times, goes_on = listed_changes(folder / name)
    candidates = [EPOCH + second * SECOND for second in times if 0 <= second < LAST.timestamp()]
    if goes_on:  # files may leave the yearly changes to the rule
        day = max([FIRST, *candidates]).replace(hour=0, minute=0, second=0)
        while day < LAST:
            low, high = day, day + ONE_DAY
            before = offset(low)
            if offset(high) != before:
                while high - low > SECOND:
                    middle = low + (high - low) // 2 // SECOND * SECOND
                    low, high = (middle, high) if offset(middle) == before else (low, middle)
                candidates.append(high)
            day += ONE_DAY
    changes = {at: (offset(at - SECOND), offset(at)) for at in candidates if FIRST <= at < LAST}
    return [
        (at, before, after) for at, (before, after) in sorted(changes.items()) if before != after
    ]


def expected(anchor, step, zone, count):
    """Epoch seconds of what follows `anchor` every `step` on the wall clock, same instants once."""
    second_of = lambda local: int(local.replace(tzinfo=zone, fold=0).timestamp())
    seconds = {second_of(anchor + i * step) for i in range(1, count + 3)} - {second_of(anchor)}
    return sorted(seconds)[:count]


def test_every_change_of_every_zone(probe, zone_folder):
    names = all_zones(zone_folder)
    assert len(names) > 400
    changes = questions = 0
    for name in names:
        zone = zoneinfo.ZoneInfo(name)
        for at, before, after in transitions(name, zone_folder):
            changes += 1
            # Wall-clock times on both sides of the change and inside the gap or overlap.
            shown = (at + before).replace(tzinfo=None), (at + after).replace(tzinfo=None)
            middle = min(shown) + (max(shown) - min(shown)) / 2 // SECOND * SECOND
            for moment in (min(shown) - SECOND, min(shown), middle, max(shown)):
                for rule, step in (
                    ("FREQ=DAILY", datetime.timedelta(days=1)),
                    ("FREQ=WEEKLY", datetime.timedelta(days=7)),
                ):
                    anchor = moment - 2 * step
                    if anchor.year < 1970:
                        continue
                    questions += 1
                    answer = probe.ask(rule=rule, zone=name, anchor=anchor.isoformat(), n=4)
                    ours = [second for _, second, _ in answer["next"]]
                    assert ours == expected(anchor, step, zone, 4), (name, at, rule, anchor, answer)
                    assert [number for _, _, number in answer["next"]] == [2, 3, 4, 5], (
                        name,
                        at,
                        rule,
                        anchor,
                        answer,
                    )
    print(f"\n{len(names)} zones, {changes} changes of clocks, {questions} tasks across them")
    assert changes > 10_000


def test_names_that_are_no_zones(probe):
    for name in [
        "",
        "Europe/Atlantis",
        "europe/berlin",
        "/usr/share/zoneinfo/UTC",
        "../zoneinfo/UTC",
        "Europe/../UTC",
        "Europe//Berlin",
        "Europe/Berlin/",
        "./UTC",
        "localtime",
        "posixrules",
        "Factory",
        "posix/UTC",
        "right/UTC",
        "Fixed/UTC+01:00:00",
        "UTC+1",
        "tzdata.zi",
        "zone.tab",
        "file:UTC",
        "Europe",
        "UTC\0",
        "a" * 99,
    ]:
        answer = probe.ask(rule="daily", zone=name, anchor="2026-01-01T09:00:00")
        assert answer.get("code") == "INVALID_ARGUMENT" and "Europe/Berlin" in answer["refused"], (
            name,
            answer,
        )
