"""What a recurrence rule means, by brute force: asks of every day whether the rule names it.

Slow and plain on purpose, and built the other way round than the service, which makes the days of
a period from the rule. Wall-clock times only; COUNT, UNTIL and zones are the caller's.
"""

import calendar
import datetime

WEEKDAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
ONE_DAY = datetime.timedelta(days=1)


def month_length(day):
    return calendar.monthrange(day.year, day.month)[1]


def year_length(day):
    return 366 if calendar.isleap(day.year) else 365


class DayMatcher:
    """`parts` is a rule as a dict: {"FREQ": "MONTHLY", "BYDAY": [(2, "TU")], "INTERVAL": 2}."""

    def __init__(self, parts, anchor):
        self.parts = dict(parts)
        self.anchor = anchor
        self.frequency = parts["FREQ"]
        self.skip = parts.get("SKIP", "OMIT")
        if not any(name in parts for name in ("BYDAY", "BYMONTHDAY", "BYYEARDAY")):
            if self.frequency == "WEEKLY" or "BYWEEKNO" in parts:
                self.parts["BYDAY"] = [(0, WEEKDAYS[anchor.weekday()])]
            elif self.frequency in ("MONTHLY", "YEARLY"):
                self.parts["BYMONTHDAY"] = [anchor.day]
                if self.frequency == "YEARLY":
                    self.parts.setdefault("BYMONTH", [anchor.month])
        self.weeks_before = {}  # of a year and a first weekday, as far as they were asked for

    def period(self, day):
        """The number of the day, week, month or year that `day` is in; the anchor's is 0."""
        first = self.anchor.date()
        if self.frequency == "DAILY":
            return (day - first).days
        if self.frequency == "WEEKLY":
            week_start = WEEKDAYS.index(self.parts.get("WKST", "MO"))
            monday_based = lambda d: (d.toordinal() - 1 - week_start) // 7
            return monday_based(day) - monday_based(first)
        if self.frequency == "MONTHLY":
            return (day.year - first.year) * 12 + day.month - first.month
        if "BYWEEKNO" in self.parts:
            return self.numbered_week(day)[0] - self.numbered_week(first)[0]
        return day.year - first.year

    def numbered_week(self, day):
        """(year, number, number from the year's end) of the week that `day` is in, as ISO 8601
        numbers weeks, from a Monday or whatever WKST says: counted week by week from 1 January, of
        which the first seven-day stretch with four days or more in the year is number 1."""
        week_start = WEEKDAYS.index(self.parts.get("WKST", "MO"))

        def first_week(year):
            if year not in self.weeks_before:
                start = datetime.date(year, 1, 1)
                while start.weekday() != week_start:
                    start -= ONE_DAY
                days_inside = sum((start + k * ONE_DAY).year == year for k in range(7))
                self.weeks_before[year] = start if days_inside >= 4 else start + 7 * ONE_DAY
            return self.weeks_before[year]

        year = next(y for y in (day.year + 1, day.year, day.year - 1) if first_week(y) <= day)
        number = (day - first_week(year)).days // 7 + 1
        return year, number, number - (first_week(year + 1) - first_week(year)).days // 7 - 1

    def names(self, day):
        """The periods for which the rule names `day`, INTERVAL and BYSETPOS apart: none, its own, or
        with SKIP=FORWARD also the one before."""
        found = set()
        if self.names_plainly(day):
            found.add(self.period(day))
        movable = self.frequency in ("MONTHLY", "YEARLY") and "BYWEEKNO" not in self.parts
        if self.skip != "OMIT" and movable:
            found |= self.stands_in_for(day)
        return found

    def names_plainly(self, day):
        return (
            ("BYMONTH" not in self.parts or day.month in self.parts["BYMONTH"])
            and self.has_month_day(day)
            and self.has_year_day(day)
            and self.has_weekday(day)
            and self.has_week(day)
        )

    def has_month_day(self, day):
        wanted = self.parts.get("BYMONTHDAY")
        return wanted is None or day.day in wanted or day.day - month_length(day) - 1 in wanted

    def has_year_day(self, day):
        wanted = self.parts.get("BYYEARDAY")
        number = day.timetuple().tm_yday
        return wanted is None or number in wanted or number - year_length(day) - 1 in wanted

    def has_week(self, day):
        wanted = self.parts.get("BYWEEKNO")
        if wanted is None:
            return True
        _, number, from_end = self.numbered_week(day)
        return number in wanted or from_end in wanted

    def has_weekday(self, day):
        wanted = self.parts.get("BYDAY")
        if wanted is None:
            return True
        if self.frequency == "MONTHLY" or "BYMONTH" in self.parts:
            before, behind = day.day - 1, month_length(day) - day.day
        else:
            number = day.timetuple().tm_yday
            before, behind = number - 1, year_length(day) - number
        return any(
            WEEKDAYS[day.weekday()] == name and position in (0, before // 7 + 1, -(behind // 7 + 1))
            for position, name in wanted
        )

    def stands_in_for(self, day):
        """The periods in which `day` takes the place of a day that does not exist."""
        if not self.has_weekday(day):
            return set()
        # Days that do not exist come right after the last day of a month or year.
        last = day if self.skip == "BACKWARD" else day - ONE_DAY
        if (last + ONE_DAY).day != 1:
            return set()
        found = set()
        if "BYYEARDAY" in self.parts:
            if (
                last.month == 12
                and year_length(last) == 365
                and 366 in self.parts["BYYEARDAY"]
                and ("BYMONTH" not in self.parts or day.month in self.parts["BYMONTH"])
                and self.has_month_day(day)
            ):
                found.add(self.period(last))
        elif "BYMONTHDAY" in self.parts:
            if ("BYMONTH" not in self.parts or last.month in self.parts["BYMONTH"]) and any(
                number > month_length(last) for number in self.parts["BYMONTHDAY"]
            ):
                found.add(self.period(last))
        return found

    def times(self, day):
        return [
            datetime.datetime.combine(day, datetime.time(hour, minute, second))
            for hour in sorted(self.parts.get("BYHOUR", [self.anchor.hour]))
            for minute in sorted(self.parts.get("BYMINUTE", [self.anchor.minute]))
            for second in sorted(self.parts.get("BYSECOND", [self.anchor.second]))
        ]

    def chosen(self, times):
        if "BYSETPOS" not in self.parts:
            return set(times)
        return {
            times[wanted - 1 if wanted > 0 else len(times) + wanted]
            for wanted in self.parts["BYSETPOS"]
            if 1 <= abs(wanted) <= len(times)
        }

    def names_anchor(self):
        return self.anchor in self.all_before(self.anchor + ONE_DAY)

    def until(self, end):
        """Every time after the anchor and before `end`, in order."""
        return sorted(time for time in self.all_before(end) if self.anchor < time < end)

    def all_before(self, end):
        """Every time of the anchor's period and of those after it up to `end`; and some more."""
        days_of = {}
        # The longest period is a year, and the anchor's may have begun that long ago, its week a few
        # days before that; one more day for SKIP=FORWARD. A year of numbered weeks may be the one
        # before the anchor's or after the end's.
        day = datetime.date(self.anchor.year - 1, 12, 31) - 6 * ONE_DAY
        if "BYWEEKNO" in self.parts:
            day -= 366 * ONE_DAY
        stop = (
            datetime.date(end.year + (2 if "BYWEEKNO" in self.parts else 1), 1, 8)
            if self.frequency == "YEARLY"
            else end.date() + 32 * ONE_DAY
        )
        while day < stop:
            for period in self.names(day):
                if period % self.parts.get("INTERVAL", 1) == 0:
                    days_of.setdefault(period, []).append(day)
            day += ONE_DAY
        found = set()
        for days in days_of.values():
            found |= self.chosen([time for day in days for time in self.times(day)])
        return found
