"""Usage as the service answers it, and the same counted again from the change log.

The recount shares nothing with the service: it takes each change for itself, and the calendar of Python.
"""

from __future__ import annotations

import importlib
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import grpc
from todo_client import protos

ZONES = ("UTC", "Asia/Kathmandu", "Pacific/Chatham")
QUARTER = timedelta(minutes=15)
BREAKDOWNS = ("NONE", "PRIORITY", "TAG", "SERIES")
KINDS = ("created", "updated", "completed", "uncompleted", "deleted")
ALL = "*"


class Change(Protocol):
    user_id: str
    seq: int
    kind: str
    version: int
    at: str
    task: dict[str, Any]


@dataclass(frozen=True)
class Question:
    user: str  # ALL: every user together
    zone: str
    bucket: str
    breakdown: str
    start: datetime
    end: datetime


@dataclass
class Totals:
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    rate: float = -1
    times: tuple[int, float, float] = (0, 0, 0)  # how many, p50, p90


@dataclass
class Answer:
    points: dict[datetime, dict[str, int]]  # those that are not zero
    totals: Totals
    parts: dict[str, Totals]
    as_of_seq: int
    streak: int                             # the longest in the range


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


# --- Asking


class Analytics:
    """AnalyticsService as one user; an operator may ask for all."""

    def __init__(self, target: str, user: str, role: str | None = None) -> None:
        protos()
        self.messages: Any = importlib.import_module("todo.v1.analytics_service_pb2")
        stubs = importlib.import_module("todo.v1.analytics_service_pb2_grpc")
        self._stub = stubs.AnalyticsServiceStub(grpc.insecure_channel(target))
        self._metadata = [("x-user-id", user), *([("x-user-role", role)] if role else [])]

    def get(self, **fields: Any) -> Any:
        return self._stub.GetUsage(self.messages.GetUsageRequest(**fields), timeout=60, metadata=self._metadata)

    def answer(self, question: Question) -> Answer:
        request = self.messages.GetUsageRequest(
            time_zone=question.zone, bucket=f"USAGE_BUCKET_{question.bucket}",
            breakdown=f"USAGE_BREAKDOWN_{question.breakdown}", user_id=ALL if question.user == ALL else "")
        request.start.FromDatetime(question.start)
        request.end.FromDatetime(question.end)
        return _answer_in(self._stub.GetUsage(request, timeout=60, metadata=self._metadata))


def _counts_in(counts: Any) -> dict[str, int]:
    return {kind: getattr(counts, kind) for kind in KINDS}


def _totals_in(message: Any) -> Totals:
    times = message.completion_times
    return Totals(_counts_in(message.counts), message.completion_rate, (times.count, times.p50, times.p90))


def _answer_in(usage: Any) -> Answer:
    points = {point.start.ToDatetime(UTC): _counts_in(point.counts) for point in usage.points}
    return Answer(points={start: counts for start, counts in points.items() if any(counts.values())},
                  totals=_totals_in(usage.totals), parts={part.key: _totals_in(part) for part in usage.parts},
                  as_of_seq=usage.as_of_seq, streak=usage.longest_streak_days)


def questions(changes: Iterable[Change], users: Iterable[str]) -> Iterator[Question]:
    """All that is worth asking, over a range that has every change and is no longer than it must be."""
    times = [at for change in changes for at in (_instant(change.at), _instant(change.task["created_at"]))]
    if not times:
        return
    start = min(times).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    end = max(times).replace(minute=0, second=0, microsecond=0) + timedelta(hours=2)
    for user in (*users, ALL):
        for zone in ZONES:
            for breakdown in BREAKDOWNS:
                if user == ALL and breakdown == "SERIES":
                    continue
                yield Question(user, zone, "HOUR" if breakdown == "NONE" else "DAY", breakdown, start, end)


# --- Counting again


def _same_hour(one: datetime, other: datetime, zone: str) -> bool:
    return one.astimezone(ZoneInfo(zone)).strftime("%F %H") == other.astimezone(ZoneInfo(zone)).strftime("%F %H")


def _bucket_start(at: datetime, question: Question) -> datetime:
    local = at.astimezone(ZoneInfo(question.zone))
    if question.bucket == "HOUR":
        start = at - timedelta(minutes=local.minute % 15, seconds=local.second, microseconds=local.microsecond)
        # Where clocks change by other than whole hours, an hour may begin late.
        while start.astimezone(ZoneInfo(question.zone)).minute and _same_hour(start, start - QUARTER, question.zone):
            start -= QUARTER
    else:
        start = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).astimezone(UTC)
    return max(start, question.start)


def _keys(task: dict[str, Any], breakdown: str) -> set[str]:
    if breakdown == "PRIORITY":
        return {task["priority"]}
    if breakdown == "TAG":
        return set(task["tags"])
    if breakdown == "SERIES":
        return {task["series_id"]} if task.get("series_id") else set()
    return set()


def _created_at(change: Change) -> datetime:
    return min(_instant(change.task["created_at"]), _instant(change.at))


def _totals(changes: Sequence[Change]) -> Totals:
    totals = Totals()
    born = done = 0
    seconds: list[float] = []
    for change in changes:
        totals.counts[change.kind] += 1
        born += change.kind == "created" and change.version == 1
        done += (change.kind == "completed") - (change.kind == "uncompleted")
        if change.kind == "completed":
            seconds.append((_instant(change.at) - _created_at(change)).total_seconds())
    if born:
        totals.rate = min(1.0, max(0.0, done / born))
    if seconds:
        seconds.sort()
        p50, p90 = (seconds[math.ceil(share * len(seconds)) - 1] for share in (0.5, 0.9))
        totals.times = (len(seconds), p50, p90)
    return totals


def recount(changes: Iterable[Change], question: Question) -> Answer:
    """The answer that the change log calls for. The question's range has every change."""
    counted = [change for change in changes if question.user in (change.user_id, ALL)]
    points: dict[datetime, dict[str, int]] = defaultdict(lambda: dict.fromkeys(KINDS, 0))
    parts: dict[str, list[Change]] = defaultdict(list)
    days = set()
    for change in counted:
        at = _instant(change.at)
        points[_bucket_start(at, question)][change.kind] += 1
        for key in _keys(change.task, question.breakdown):
            parts[key].append(change)
        if change.kind == "completed" and question.user != ALL:
            days.add(at.astimezone(ZoneInfo(question.zone)).date())
    longest = length = 0
    for day in sorted(days):
        length = length + 1 if day - timedelta(days=1) in days else 1
        longest = max(longest, length)
    return Answer(points=dict(points), totals=_totals(counted),
                  parts={key: _totals(of_key) for key, of_key in parts.items()},
                  as_of_seq=0 if question.user == ALL else len(counted), streak=longest)


# --- Comparing


def _near(found: float, expected: float, exact: bool) -> bool:
    # The times of all users are in bins.
    return math.isclose(found, expected, rel_tol=1e-9 if exact else 0.051, abs_tol=1e-6 if exact else 0.002)


def _totals_differ(found: Totals, expected: Totals, exact: bool) -> bool:
    return (found.counts != expected.counts or not _near(found.rate, expected.rate, True)
            or found.times[0] != expected.times[0]
            or not all(_near(a, b, exact) for a, b in zip(found.times[1:], expected.times[1:], strict=True)))


def differences(question: Question, found: Answer, expected: Answer) -> Iterator[tuple[int, str]]:
    """What differs, in words, and how many events too many are counted; 0: none, yet it differs."""
    exact = question.user != ALL
    where = f"usage of {question.user} in {question.zone} by {question.bucket} and {question.breakdown}"
    excess = sum(found.totals.counts.values()) - sum(expected.totals.counts.values())
    if _totals_differ(found.totals, expected.totals, exact):
        yield excess, f"{where}: totals are {found.totals}, not {expected.totals}"
    if found.points != expected.points:
        differ = {at for at in found.points.keys() | expected.points.keys()
                  if found.points.get(at) != expected.points.get(at)}
        first = min(differ)
        yield excess, (f"{where}: {len(differ)} points differ, first that of {first}: {found.points.get(first)}, not "
                       f"{expected.points.get(first)}")
    if len(expected.parts) <= 100:
        for key in found.parts.keys() | expected.parts.keys():
            has, wants = found.parts.get(key, Totals()), expected.parts.get(key, Totals())
            if _totals_differ(has, wants, exact):
                yield (sum(has.counts.values()) - sum(wants.counts.values()),
                       f"{where}: {key} has {has}, not {wants}")
    if found.as_of_seq != expected.as_of_seq:
        yield (min(0, found.as_of_seq - expected.as_of_seq),
               f"{where}: counted up to seq {found.as_of_seq} of {expected.as_of_seq}")
    if found.streak != expected.streak:
        yield excess, f"{where}: a streak of {found.streak} days, not {expected.streak}"
