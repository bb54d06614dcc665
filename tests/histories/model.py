"""What a user of a recurring task is promised, in the plainest way: the judge of the service.

It was written from the README, the protos, RFC 5545 and the reports of faults, never from the
service's code. Dates are found by asking of every day whether the rule names it
(tests/recurrence/day_matcher.py). One model is one series of one user.

Where several outcomes are sensible the model takes no side: it raises `Unspecified`, and the
history goes on without that operation. The rules that it does hold, in their order of appearance:

- A date passes when its task is completed or skipped. From schedule, the next date is the first of
  the rule after both the scheduled date and that moment; an all-day date of today still counts.
  The scheduled date is where the rule put the task, wherever it was postponed to. What lies between
  is `missed`.
- From completion, a rule that names no days starts anew on the day of completion. One that names
  days goes on with its first day after both the completion's day and the scheduled date; with an
  INTERVAL, in the n-th period after that of the completion or a multiple of it. One that is skipped
  ahead of its date counts as done on that.
- COUNT is what is left, this one included: of the rule's dates from schedule, of the tasks from
  completion.
- The consumer looks at a task: passed and without a next one, it makes or revives that, with the
  values that the task has now; not passed, it removes the next one if no person has changed it.
- A due date without scope, or for THIS, is of this task alone. For FOLLOWING and ALL it moves the
  series, also to where this one was moved before: the anchor goes along, and the one day that the
  rule names. Everything else about the schedule leaves the days of the series as they are.
- A task that is opened again when a person has deleted all that came after it either shows no rule
  any more, or recurs.
- A restored task is there again as it was, whoever had taken it away. It was not skipped then.
- A title without scope is also that of the next ones, unless it was changed for this once before:
  then it stays so.
- Absolute reminders keep their distance to the scheduled date on the wall clock, others to the due
  date; a next one has those of the task before it, whenever it is made or revived.
"""

import copy
import dataclasses
import datetime
import functools
import zoneinfo

from day_matcher import ONE_DAY, WEEKDAYS, DayMatcher, month_length

UTC = datetime.timezone.utc
WORDS = {
    "daily": "FREQ=DAILY",
    "weekdays": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
    "weekly": "FREQ=WEEKLY",
    "monthly": "FREQ=MONTHLY;RSCALE=GREGORIAN;SKIP=BACKWARD",
    "yearly": "FREQ=YEARLY;RSCALE=GREGORIAN;SKIP=BACKWARD",
}
TIME_PARTS = ("BYHOUR", "BYMINUTE", "BYSECOND")
DAY_PARTS = ("BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY")
# How far the model looks for a date. Beyond, it takes no side.
HORIZONS = [40, 400, 1600, 4000, 11000]


class Unspecified(Exception):
    """Nobody has promised what happens then."""


class Refused(Exception):
    """The service must refuse the call, naming one of `names`."""

    def __init__(self, *names):
        super().__init__(f"must be refused, naming one of {names}" if names else "must be refused")
        self.names = names


def zone_of(name):
    return zoneinfo.ZoneInfo(name)


def instant_of(local, zone):
    """A skipped time is read with the offset before the change, one that comes twice is the first."""
    return local.replace(tzinfo=zone_of(zone), fold=0).astimezone(UTC)


def local_of(instant, zone):
    return instant.astimezone(zone_of(zone)).replace(tzinfo=None, fold=0)


def day_text(value):
    return f"{value[0] or ''}{value[1]}"


@dataclasses.dataclass(frozen=True)
class Rule:
    parts: tuple  # of (name, value), without COUNT and UNTIL; lists as tuples
    count: int = None
    until: str = None
    is_word: bool = dataclasses.field(default=False, compare=False)

    @staticmethod
    def parse(text):
        parts, count, until = {}, None, None
        for part in WORDS.get(text, text).removeprefix("RRULE:").split(";"):
            if not part:
                continue
            name, value = part.upper().split("=")
            if name == "COUNT":
                count = int(value)
            elif name == "UNTIL":
                until = value
            elif name == "BYDAY":
                parts[name] = tuple((int(day[:-2] or 0), day[-2:]) for day in value.split(","))
            elif name.startswith("BY"):
                parts[name] = tuple(int(number) for number in value.split(","))
            elif name == "INTERVAL":
                parts[name] = int(value)
            else:
                parts[name] = value
        return Rule(tuple(sorted(parts.items())), count, until, text in WORDS)

    def __getitem__(self, name):
        return dict(self.parts).get(name)

    def __contains__(self, name):
        return any(name == have for have, _ in self.parts)

    def with_parts(self, **changes):
        kept = {**dict(self.parts), **changes}
        return dataclasses.replace(
            self, parts=tuple(sorted((name, value) for name, value in kept.items() if value))
        )

    def names_days(self):
        return any(name in self for name in DAY_PARTS)

    def shown(self):
        """For comparisons: what the rule says but for COUNT, which may be written as what is left;
        what is said by not saying it is left out."""
        parts = {name: value for name, value in self.parts if name not in ("RSCALE", "INTERVAL")}
        if self["INTERVAL"] not in (None, 1):
            parts["INTERVAL"] = self["INTERVAL"]
        if self["SKIP"] == "OMIT":
            del parts["SKIP"]
        if self["WKST"] == "MO":
            del parts["WKST"]
        return {
            name: tuple(sorted(set(value))) if isinstance(value, tuple) else value
            for name, value in parts.items()
        }


@functools.lru_cache(maxsize=20000)
def wall_clock_dates(parts, anchor, days):
    return DayMatcher(dict(parts), anchor).until(anchor + datetime.timedelta(days=days))


@dataclasses.dataclass(frozen=True)
class Due:
    kind: str  # date, local, instant
    local: datetime.datetime  # in the zone; of a date its midnight
    at: datetime.datetime

    @staticmethod
    def at_local(kind, local, zone):
        return Due(kind, local, instant_of(local, zone))

    @staticmethod
    def at_instant(at, zone):
        return Due("instant", local_of(at, zone), at)

    def shown(self):
        if self.kind == "date":
            return f"{self.local:%Y-%m-%d}"
        return f"{self.local:%Y-%m-%dT%H:%M:%S}" if self.kind == "local" else ""


@dataclasses.dataclass(frozen=True)
class Schedule:
    """Where the dates of a series come from."""

    rule: Rule
    basis: str
    kind: str
    zone: str
    anchor: Due

    def parts(self):
        if self.kind != "date":
            return self.rule.parts
        return tuple((name, value) for name, value in self.rule.parts if name not in TIME_PARTS)

    def due(self, local):
        at = instant_of(local, self.zone)
        # The user of an all-day task in a zone that skipped that day: whatever that may mean.
        if self.kind == "date" and local_of(at, self.zone).date() != local.date():
            raise Unspecified("a day that the zone skipped")
        return Due(self.kind, local, at)

    def allows(self, due):
        """UNTIL."""
        until = self.rule.until
        if until is None:
            return True
        day = datetime.datetime.strptime(until[:8], "%Y%m%d")
        if len(until) == 8 or self.kind == "date":
            return due.local.date() <= day.date()
        moment = datetime.datetime.strptime(until[:15], "%Y%m%dT%H%M%S")
        if until.endswith("Z"):
            return due.at <= moment.replace(tzinfo=UTC)
        return due.at <= instant_of(moment, self.zone)

    def dates(self, anchor, enough):
        """The dates after `anchor` up to the first for which `enough` is true, that one included;
        the last is not enough when the series ends before."""
        for days in HORIZONS:
            found = {}
            for local in wall_clock_dates(self.parts(), anchor.local, days):
                at = instant_of(local, self.zone)
                if at > anchor.at:
                    found.setdefault(at, local)  # two times at one instant are one date
            answer = []
            # Near the end a date may be missing that a change of clocks brings forward.
            safe = anchor.at + datetime.timedelta(days=days - 2)
            for at, local in sorted(found.items()):
                if at > safe:
                    break
                due = self.due(local)
                if not self.allows(due):
                    return answer
                answer.append(due)
                if enough(due):
                    return answer
            if not self.allows(self.due(anchor.local + datetime.timedelta(days=days - 3))):
                return answer
        raise Unspecified("a date too far away")

    def next_from_schedule(self, scheduled, passed):
        """The next date and how many were missed."""
        if self.kind == "date":
            today = local_of(passed, self.zone).date()
            after = lambda due: due.local > scheduled.local and due.local.date() >= today
        else:
            after = lambda due: due.at > max(scheduled.at, passed)
        later = [
            due
            for due in self.dates(self.anchor, after)
            if (due.local > scheduled.local if self.kind == "date" else due.at > scheduled.at)
        ]
        if not later or not after(later[-1]):
            return None, len(later)
        return later[-1], len(later) - 1

    def next_from_completion(self, scheduled, passed):
        many_times = any(len(self.rule[name] or ()) > 1 for name in TIME_PARTS)
        if many_times and self.kind != "date":
            raise Unspecified("the times of one day, from completion")
        # On which days of a month or week, the anchor says when the rule does not.
        vague = ("BYMONTH", "BYWEEKNO")
        if any(name in self.rule for name in vague) and not any(
            name in self.rule for name in DAY_PARTS if name not in vague
        ):
            raise Unspecified("named months or weeks without days, from completion")
        today = local_of(passed, self.zone).date()
        begin = self.due(datetime.datetime.combine(today, self.anchor.local.time()))
        if local_of(begin.at, self.zone) != begin.local:
            raise Unspecified("a time that is skipped today")
        if not self.rule.names_days():
            enough = lambda due: True
        else:
            if self.rule["SKIP"] not in (None, "OMIT"):
                raise Unspecified("named days with SKIP, from completion")
            matcher = DayMatcher(dict(self.parts()), begin.local)
            interval = self.rule["INTERVAL"] or 1
            enough = lambda due: due.local.date() > max(today, scheduled.local.date()) and (
                interval == 1 or matcher.period(due.local.date()) > 0
            )
        dates = self.dates(begin, enough)
        return dates[-1] if dates and enough(dates[-1]) else None

    def names(self, local):
        """Whether the rule names that day, INTERVAL apart: it counts from there then."""
        if "BYSETPOS" in self.rule and any(name in self.rule for name in TIME_PARTS):
            raise Unspecified("positions among times")
        parts = {name: value for name, value in self.parts() if name not in TIME_PARTS}
        parts.pop("INTERVAL", None)
        parts = DayMatcher(parts, local).parts  # what the anchor says is the day itself
        if "BYSETPOS" not in parts:
            return bool(DayMatcher(parts, local).names(local.date()))
        return local in DayMatcher(parts, local - ONE_DAY).until(local + ONE_DAY)

    def in_step(self, local):
        """Whether the day is in one of the periods that INTERVAL leaves."""
        period = DayMatcher(dict(self.parts()), self.anchor.local).period(local.date())
        return period % (self.rule["INTERVAL"] or 1) == 0

    def has_one_day(self):
        """Whether the rule could follow to any other day."""
        if any(name in self.rule for name in ("BYSETPOS", "BYYEARDAY", "BYWEEKNO")):
            return False
        days = [self.rule[name] or () for name in ("BYMONTH", "BYMONTHDAY", "BYDAY")]
        return all(len(set(values)) < 2 for values in days) and min(days[1], default=1) > 0

    def follow(self, local):
        """The rule once its one day is that of `local`."""
        rule = self.rule
        if not self.names(local):
            if rule["FREQ"] in ("DAILY", "WEEKLY") and "BYMONTH" in rule:
                raise Unspecified("days of some months")
            if sum(name in rule for name in DAY_PARTS) > 1:
                raise Unspecified("several kinds of days")
            fixed = [name for name in ("BYSETPOS", "BYYEARDAY", "BYWEEKNO") if name in rule]
            if fixed:
                raise Refused(*fixed, *[name for name in ("BYDAY", "BYMONTHDAY") if name in rule])
            for name, new in (
                ("BYMONTH", local.month),
                ("BYMONTHDAY", local.day),
                ("BYDAY", self.same_kind_of_day(local)),
            ):
                values = rule[name]
                if values is None or new in values:
                    continue
                if name == "BYMONTHDAY" and local.day - month_length(local) - 1 in values:
                    continue
                if len(set(values)) > 1 or (name == "BYMONTHDAY" and values[0] < 0):
                    raise Refused("REPLACE TASK.RECURRENCE_RULE" if rule.is_word else name)
                rule = rule.with_parts(**{name: (new,)})
        return rule

    def same_kind_of_day(self, local):
        """What BYDAY would call the day: by its weekday, or counted from the begin or the end."""
        values = self.rule["BYDAY"]
        if values is None:
            return None
        name, position = WEEKDAYS[local.weekday()], values[0][0]
        if position == 0:
            return (0, name)
        for number in range(1, 54):
            signed = number if position > 0 else -number
            parts = {**dict(self.rule.parts), "BYDAY": [(signed, name)], "BYMONTH": [local.month]}
            if self.rule["FREQ"] == "YEARLY" and "BYMONTH" not in self.rule:
                del parts["BYMONTH"]
            if DayMatcher(parts, local).has_weekday(local.date()):
                return (signed, name)
        raise AssertionError(local)

    def follow_until(self, rule, scheduled, due):
        """The rule with as many dates as before, when `due` has another time of day."""
        if rule.until is None or len(rule.until) == 8 or due.kind == "date":
            return rule
        if self.kind == "date":
            return dataclasses.replace(rule, until=rule.until[:8])
        until = datetime.datetime.strptime(rule.until[:15], "%Y%m%dT%H%M%S")
        by = due.local - scheduled.local
        if not by:
            return rule
        if rule.until.endswith("Z"):
            moved = instant_of(local_of(until.replace(tzinfo=UTC), self.zone) + by, self.zone)
            return dataclasses.replace(rule, until=f"{moved:%Y%m%dT%H%M%SZ}")
        return dataclasses.replace(rule, until=f"{until + by:%Y%m%dT%H%M%S}")

    def follow_time(self, rule, was, local):
        if self.kind == "date":
            return rule
        for name, new in (
            ("BYHOUR", local.hour),
            ("BYMINUTE", local.minute),
            ("BYSECOND", local.second),
        ):
            values = rule[name]
            if values is None or new in values:
                continue
            if was and new == getattr(was, name[2:].lower()):
                raise Unspecified("a first time that the rule does not name is moved")
            if len(set(values)) > 1:
                raise Unspecified("one of several times of day")
            rule = rule.with_parts(**{name: (new,)})
        return rule


@dataclasses.dataclass
class Reminder:
    number: int
    at: datetime.datetime = None
    days: int = 0
    seconds: int = 0
    time_of_day: datetime.time = None

    def instant(self, task):
        if self.at:
            return self.at
        if self.time_of_day is None and self.days == 0:
            return task.due.at - datetime.timedelta(seconds=self.seconds)
        local = task.due.local - self.days * ONE_DAY
        if self.time_of_day is not None:
            local = datetime.datetime.combine(local.date(), self.time_of_day)
        return instant_of(local, task.zone) - datetime.timedelta(seconds=self.seconds)

    def for_next(self, task, following):
        if not self.at:
            return dataclasses.replace(self)
        distance = local_of(self.at, task.schedule.zone) - task.scheduled.local
        return dataclasses.replace(
            self, at=instant_of(following.scheduled.local + distance, following.schedule.zone)
        )


@dataclasses.dataclass
class Task:
    occurrence: int
    title: str
    due: Due
    zone: str
    schedule: Schedule = None  # None: the task does not recur
    scheduled: Due = None
    left: int = None  # dates, this one included; None: no COUNT
    missed: int = 0
    series_title: str = None  # where this one's was changed for this once
    completed_at: datetime.datetime = None
    skipped_at: datetime.datetime = None
    gone: str = None  # removed by the "consumer", or deleted by a "person"
    touched: bool = True  # by a person, since the consumer made it
    may_end: bool = False  # open, and what came after it was deleted: it may show no rule
    reopened: bool = False
    reminders: list = dataclasses.field(default_factory=list)
    own_reminders: bool = False  # other ones than those that came with it

    @property
    def visible(self):
        return self.gone is None

    @property
    def open(self):
        return self.visible and self.completed_at is None

    @property
    def passed_at(self):
        return self.completed_at or self.skipped_at

    def next(self):
        """The task that follows when this one has passed; None when the series ends."""
        schedule = self.schedule
        if schedule.basis == "schedule":
            due, missed = schedule.next_from_schedule(self.scheduled, self.passed_at)
        else:
            passed = self.completed_at or max(self.skipped_at, self.scheduled.at)
            due, missed = schedule.next_from_completion(self.scheduled, passed), 0
        left = None if self.left is None else self.left - missed - 1
        if due is None or (left is not None and left < 1):
            return None
        following = Task(
            occurrence=self.occurrence + 1,
            title=self.series_title or self.title,
            due=due,
            zone=schedule.zone,
            schedule=schedule,
            scheduled=due,
            left=left,
            missed=missed,
            touched=False,
        )
        following.reminders = [reminder.for_next(self, following) for reminder in self.reminders]
        return following


def follows(schedule, scheduled, left):
    """Whether anything follows a date, done in time."""
    if left == 1:
        return False
    return bool(schedule.dates(scheduled, lambda due: True))


class Model:
    def __init__(self, zone):
        self.user_zone = zone
        self.tasks = {}  # by occurrence
        self.waiting = set()  # occurrences that changed since the consumer looked
        self.now = None

    # ---- what the tasks look like

    def visible(self):
        return [task for _, task in sorted(self.tasks.items()) if task.visible]

    def newest(self, task):
        """Whether nothing comes after it, but perhaps what is about to be taken away."""
        later = [other for n, other in self.tasks.items() if n > task.occurrence]
        return all(not other.visible or self.about_to_go(other) for other in later)

    def about_to_go(self, task):
        before = self.tasks.get(task.occurrence - 1)
        return (
            task.visible
            and not task.touched
            and before is not None
            and (before.passed_at is None or before.schedule is None)
        )

    # ---- what the consumer does

    def deliver(self):
        while self.waiting:
            number = min(self.waiting)
            self.waiting.discard(number)
            if number in self.tasks:
                self.settle(self.tasks[number])

    def all_deleted_after(self, task):
        following = self.tasks.get(task.occurrence + 1)
        later = [other for n, other in self.tasks.items() if n > task.occurrence]
        return following and following.gone == "person" and not any(one.visible for one in later)

    def settle(self, task):
        number = task.occurrence + 1
        following = self.tasks.get(number)
        if task.passed_at and task.schedule:
            if following and following.gone == "person" and task.may_end:
                if following.skipped_at or following.own_reminders:
                    raise Unspecified("whether what was skipped comes again, and with what reminders")
                following = None
            elif following and following.gone == "person" and task.reopened:
                raise Unspecified("whether what was deleted comes again before what is there")
            if following and following.gone == "consumer" and following.own_reminders:
                raise Unspecified("what becomes of the reminders that a removed task had of its own")
            if following is None or following.gone == "consumer":
                made = task.next()
                if made:
                    self.tasks[number] = made
                elif following is None:
                    self.tasks.pop(number, None)
            task.may_end = False
        elif following and following.visible and not following.touched:
            following.gone = "consumer"

    def touch(self, task):
        task.touched = True
        self.waiting.add(task.occurrence)

    # ---- what the user does; each is followed by `deliver`, unless the bus is late

    def create(self, title, due, zone, rule=None, basis="schedule"):
        task = Task(1, title, due, zone)
        if rule is not None:
            rule = Rule.parse(rule)
            self.start(task, rule, basis, due)
            if not follows(task.schedule, due, rule.count):
                raise Refused()
        self.tasks[1] = task

    def start(self, task, rule, basis, anchor):
        task.schedule = Schedule(rule, basis, task.due.kind, task.zone, anchor)
        task.scheduled = task.due
        task.left = rule.count

    def complete(self, task):
        if task.open:
            task.completed_at = self.now
            self.touch(task)

    def uncomplete(self, task):
        if task.completed_at:
            following = self.tasks.get(task.occurrence + 1)
            if self.waiting and following and following.gone == "person":
                raise Unspecified("reopened and done before the bus has told of it")
            task.completed_at = None
            task.reopened = True
            self.touch(task)

    def skip(self, task):
        if not task.open or not task.schedule:
            raise Refused()
        task.skipped_at = self.now
        task.gone = "person"
        self.touch(task)

    def delete(self, task, scope):
        if task.schedule is None:
            if task.scheduled and scope in ("following", "all"):
                raise Unspecified("a series that is stopped is deleted")
            scope = ""  # a task that does not recur is all there is
        if scope == "this" and task.open and task.schedule:
            return self.skip(task)
        if self.waiting and scope in ("following", "all"):
            raise Unspecified("deleted before the bus has told of what comes")
        if scope == "following" and task.completed_at:
            raise Unspecified("a done task and what follows from it")
        doomed = [task]
        if scope == "following":
            doomed += [t for n, t in self.tasks.items() if n > task.occurrence and t.open]
        elif scope == "all":
            doomed = [t for t in self.tasks.values() if t.open]
        for one in doomed:
            one.gone = "person"
            self.touch(one)
            before = self.tasks.get(one.occurrence - 1)
            if before:
                self.waiting.add(before.occurrence)

    def restore(self, task):
        task.gone = task.skipped_at = None
        task.reopened = True
        self.touch(task)

    def stop(self, task):
        if not any(one.schedule for one in self.tasks.values()):
            raise Unspecified("nothing to stop")
        last = max(n for n, one in self.tasks.items() if one.gone != "consumer")
        for number, one in self.tasks.items():
            if one.visible and not one.open and number != last and self.all_deleted_after(one):
                raise Unspecified("a stopped series whose done tasks may be opened again")
            if one.schedule and number == last and not one.open and not self.waiting:
                one.may_end = True  # nothing follows it anyway
            elif one.schedule and (one.open or number == last) and not self.about_to_go(one):
                one.schedule = None
                self.touch(one)
        # Opened again, a done one would bring it back when the open one after it is deleted.
        there = self.visible()
        for one, following in zip(there, there[1:]):
            if following.open and not one.open and one.schedule:
                one.schedule = None
                self.touch(one)

    def update(self, task, scope, title=None, due=None, zone=None, rule="same", basis=None):
        series = scope in ("following", "all")
        if due == task.due and task.schedule and (not series or due == task.scheduled):
            due = None  # nothing new
        if zone == task.zone:
            zone = None
        basis_of_all = basis if scope == "all" else None
        if task.schedule and basis == task.schedule.basis:
            basis = None
        schedule_changes = due is not None or zone or rule != "same" or basis
        newest = self.newest(task)
        if self.waiting and series:
            raise Unspecified("a series is changed before the bus has told of what comes")
        if task.schedule is None and rule == "same":
            scope, series = "this", False  # a task that does not recur is all there is
        if series and schedule_changes and not (newest and task.open):
            if due is None and not zone and rule == "same":
                raise Unspecified("the basis of a series is changed on an older task")
            raise Refused()
        if newest and schedule_changes and self.all_deleted_after(task):
            raise Unspecified("the schedule of a task behind which all was deleted")
        if task.completed_at and (scope != "this" or schedule_changes):
            raise Unspecified("a done task is changed")
        if scope == "" and not newest and (title or zone or rule != "same" or basis):
            raise Unspecified("whether what follows is changed too")
        if scope and task.schedule and rule is None:
            raise Unspecified("stopped by clearing the rule in a scope")
        if scope == "this" and task.schedule and (rule != "same" or basis):
            raise Unspecified("a rule for this once")
        before = copy.deepcopy(task)
        if zone and due is not None and task.schedule and (task.schedule.rule.until or "")[8:]:
            raise Unspecified("an end at a time, in another zone at another time")
        if title:
            self.retitle(task, scope, title)
        if zone:
            self.change_zone(task, scope, zone, alone=due is None or series)
        if rule != "same":
            self.change_rule(task, rule, due if series else None, due, basis)
        elif basis and task.schedule:
            if task.left is not None:
                raise Unspecified("what COUNT counts then")
            task.schedule = dataclasses.replace(task.schedule, basis=basis)
        for one in self.tasks.values() if basis_of_all else ():
            if one is not task and one.open and one.schedule:
                if one.schedule.basis != basis_of_all:
                    if one.left is not None:
                        raise Unspecified("what COUNT counts then")
                    one.schedule = dataclasses.replace(one.schedule, basis=basis_of_all)
                    self.touch(one)
        if due is not None and rule == "same":
            if series:
                self.move(task, due)
            else:
                task.due = due
        if task != before:
            self.touch(task)

    def retitle(self, task, scope, title):
        if scope == "this" or scope == "" and task.series_title:
            if task.schedule and task.series_title is None and title != task.title:
                task.series_title = task.title
            task.title = title
            if task.series_title == title:
                task.series_title = None
            return
        for number, one in self.tasks.items():
            if one is task or (
                one.open and (scope == "all" or scope == "following" and number > task.occurrence)
            ):
                if one.title != title or one.series_title:
                    self.touch(one)
                one.title, one.series_title = title, None

    def change_zone(self, task, scope, zone, alone):
        if any(reminder.at for reminder in task.reminders):
            raise Unspecified("what becomes of a point in time in another zone")
        if not alone:
            raise Unspecified("a due date of this one, a zone of all")
        schedule = task.schedule
        if schedule and (task.due.kind == "instant") != (schedule.kind == "instant"):
            raise Unspecified("a point in time in a series of others, in another zone")
        if schedule and schedule.kind == "instant":
            rule = schedule.rule
            if rule["FREQ"] not in ("DAILY", "WEEKLY") or rule.until or any(
                name.startswith("BY") for name, _ in rule.parts
            ):
                raise Unspecified("the days that a rule names for points in time, in another zone")
        task.zone = zone
        moved = lambda due: (
            Due.at_instant(due.at, zone)
            if due.kind == "instant"
            else Due.at_local(due.kind, due.local, zone)
        )
        task.due = moved(task.due)
        if schedule is None:
            return
        if scope == "this":
            raise Unspecified("another zone for this once")
        if schedule.kind == "instant":
            task.scheduled = moved(task.scheduled)
            task.schedule = dataclasses.replace(schedule, zone=zone, anchor=task.scheduled)
            return
        task.schedule = dataclasses.replace(
            task.schedule, zone=zone, anchor=moved(task.schedule.anchor)
        )
        task.scheduled = moved(task.scheduled)

    def change_rule(self, task, text, due_of_series, due, basis):
        if text is None:
            if due is not None:
                raise Unspecified("no rule and another due date")
            task.schedule = None
            return
        rule = Rule.parse(text)
        old = task.schedule
        if due is not None and due_of_series is None:
            raise Unspecified("a rule for all, a due date of this one")
        if old and old.rule == rule and due is None and (basis or old.basis) == old.basis:
            if rule.count is not None:
                raise Unspecified("the same COUNT again")
            return
        if old and old.rule.parts == rule.parts and due is not None and not basis:
            if old.rule == rule:
                if rule.count is not None:
                    raise Unspecified("the same COUNT again")
                return self.move(task, due)
            task.schedule = dataclasses.replace(
                old, rule=dataclasses.replace(old.rule, count=rule.count, until=rule.until)
            )
            task.left = rule.count
            self.move(task, due, with_until=False)
            if not follows(task.schedule, task.scheduled, task.left):
                raise Unspecified("a new rule after which nothing follows")
            return
        same_days = old and old.rule.parts == rule.parts and due is None
        if task.scheduled and not old and not basis:
            raise Unspecified("the basis of a series that is taken up again")
        basis = basis or (old.basis if old else "schedule")
        if same_days:
            task.schedule = dataclasses.replace(old, rule=rule, basis=basis)
            task.left = rule.count
        else:
            if due is None and old and task.due != task.scheduled:
                raise Unspecified("new days for a task that was moved for this once")
            task.due = due or task.due
            self.start(task, rule, basis, task.due)
        if not follows(task.schedule, task.scheduled, task.left):
            raise Unspecified("a new rule after which nothing follows")

    def move(self, task, due, with_until=True):
        if any(reminder.at for reminder in task.reminders):
            raise Unspecified("what becomes of a point in time when the series moves")
        old, scheduled, local = task.schedule, task.scheduled, due.local
        new = dataclasses.replace(old, kind=due.kind)
        keeps_date = local.date() == scheduled.local.date()
        if keeps_date and with_until:
            old = dataclasses.replace(old, rule=old.follow_until(old.rule, scheduled, due))
            new = dataclasses.replace(new, rule=old.rule)
        if not new.allows(due):
            raise Unspecified("a move behind the end")
        rule, named = old.rule, False
        if keeps_date:
            anchor = datetime.datetime.combine(old.anchor.local.date(), local.time())
        else:
            named = new.names(local)
            if named and not old.in_step(local) and not new.has_one_day():
                raise Unspecified("a day that is named, but not in that period")
            if not named and not old.names(scheduled.local):
                raise Unspecified("a first date that the rule does not name is moved")
            clipped = max(old.anchor.local.day, scheduled.local.day) > 28 and "SKIP" in rule
            if clipped and not rule.names_days():
                raise Unspecified("whether the last day of a short month is the day of all")
            rule, anchor = new.follow(local), local
        rule = new.follow_time(rule, None if old.kind == "date" else scheduled.local, local)
        at = due if anchor == local else Due.at_local(due.kind, anchor, new.zone)
        new = dataclasses.replace(new, rule=rule, anchor=at)
        must_go_on = not (keeps_date or (named and rule.names_days()))
        went_on = old.basis == "completion" or follows(old, scheduled, task.left)
        if must_go_on and went_on and not follows(new, due, task.left):
            raise Unspecified("a move after which nothing follows")
        task.schedule, task.due, task.scheduled = new, due, due

    def remind(self, task, **when):
        if not task.open:
            raise Unspecified("a reminder of a task that is done")
        number = max([reminder.number for reminder in task.reminders], default=0) + 1
        reminder = Reminder(number, **when)
        if reminder.instant(task) <= self.now + datetime.timedelta(minutes=1):
            raise Unspecified("a reminder in the past")
        task.reminders.append(reminder)
        task.own_reminders = True

    def forget(self, task, number):
        if not any(reminder.number == number for reminder in task.reminders):
            raise Unspecified("no such reminder")
        task.reminders = [one for one in task.reminders if one.number != number]
        task.own_reminders = True
