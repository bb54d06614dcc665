"""Sentences from forms: a form is a text with slots, such as "{title} on {weekday} at {hour}{half}"."""

import datetime
import re

SLOT = re.compile(r"\{(\w+)\}")

WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()
MONTHS = (
    "january february march april may june july august september october november december".split()
)

# Sentences with a date, or with something that looks like one.
DATES = """
{title} today
{title} tomorrow
{title} tonight
{title} {weekday}
{title} on {weekday}
{title} by {weekday}
{title} this {weekday}
{title} next {weekday}
{title} {weekday} next week
{title} {short_weekday}
{title} at {hour}
{title} at {hour}{half}
{title} {hour}{half}
{title} at {clock}
{title} {clock}
{title} tomorrow at {hour}
{title} tomorrow at {hour}{half}
{title} tomorrow {clock}
{title} today at {hour}{half}
{title} {weekday} at {hour}{half}
{title} on {weekday} at {hour}
{title} next {weekday} at {hour}{half}
{title} at {hour}{half} tomorrow
{title} at {hour} on {weekday}
{title} in {count} days
{title} in {count} weeks
{title} in {count} months
{title} in {count} minutes
{title} in {count} min
{title} in {count} hours
{title} in an hour
{title} in half an hour
{title} in a week
{title} {count} weeks from now
{title} {count} days from now
{title} {day} {month}
{title} {month} {day}
{title} on {month} {ordinal}
{title} on the {ordinal} of {month}
{title} before {month} {day}
{title} {day} {month} {year}
{title} {month} {ordinal}, {year}
{title} on the {ordinal}
{title} on {iso}
{title} {iso} {clock}
{title} on {numeric}
{title} {dotted}
{title} {dotted_short}
{title} next week
{title} next month
{title} next year
{title} this week
{title} this weekend
{title} next weekend
{title} end of month
{title} end of week
{title} tomorrow {part}
{title} this {part}
{title} {weekday} {part}
{title} at noon
{title} at midnight
{title} tomorrow at midnight
{title} day after tomorrow
{title} a week from {weekday}
{title} {weekday} {hour}-{later_hour}pm
{title} at {hour} in the evening
{title} in {month}
{title} {month}
{weekday} {title}
tomorrow {title}
tomorrow at {hour}{half} {title}
on {weekday} {title}
in {count} days {title}
{month} {day} {title}
read the {weekday} paper at home
send {weekday} notes to Ann
take the {hour}{half} pill with water
notes since {weekday}
photos of {weekday}
read chapter {count}
read page {count}/{count}
buy {count} eggs
upgrade to 1.{count}.{count}
call 555 {year}
call {month_name}
watch {weekday_name} Night Lights
read "{title} tomorrow"
yesterday's notes
last {weekday}
{title} every {weekday}
""".strip().split("\n")

# Sentences with a rule.
RULES = """
{title} every day
{title} every {weekday}
{title} every {short_weekday}
{title} every {weekday} at {hour}{half}
{title} every day at {hour}{half}
{title} every day at {hour}
{title} every weekday
{title} every weekday at {clock}
{title} every weekend
{title} every week
{title} every month
{title} every year
{title} every {count} days
{title} every {count} weeks
{title} every {count} months
{title} every {count} years
{title} every other day
{title} every other week
{title} every other {weekday}
{title} every second week
{title} every {weekday} and {weekday}
{title} every {short_weekday}, {short_weekday} and {short_weekday}
{title} every {count} weeks on {weekday}
{title} every month on the {ordinal}
{title} every {ordinal}
{title} every {month} {day}
{title} every year on {month} {day}
{title} every first {weekday}
{title} every first {weekday} of the month
{title} every last {weekday}
{title} every last {weekday} of the month
{title} daily
{title} weekly
{title} monthly
{title} yearly
{title} every morning
{title} every evening
{title} on {weekday}s
{title} every day until {month} {day}
{title} every {weekday} starting tomorrow
every {weekday} {title}
every day {title}
{title} on the {ordinal} of every month
{title} every hour
{title} once a week
read the weekly report
count every vote
""".strip().split("\n")

# Ordinary words only: no word of these is a date for anybody.
TITLES = ["call Ann", "pay rent", "buy milk", "water plants", "clean the car", "write report"]


def ordinal(number):
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def slots(rng, now):
    """A value for each slot."""
    day = now + datetime.timedelta(days=rng.randint(2, 700))
    hour = rng.randint(1, 11)
    weekdays = rng.sample(WEEKDAYS, len(WEEKDAYS))  # a sentence names each one once
    month = rng.randint(1, 12)
    return {
        "title": lambda: rng.choice(TITLES),
        "weekday": lambda: weekdays.pop(),
        "weekday_name": lambda: weekdays.pop().capitalize(),
        "short_weekday": lambda: weekdays.pop()[:3],
        "month": lambda: MONTHS[month - 1],
        "month_name": lambda: rng.choice(["April", "May", "June"]),
        "hour": lambda: str(hour),
        "later_hour": lambda: str(hour + 1 if hour < 11 else 12),
        "half": lambda: rng.choice(["am", "pm"]),
        "clock": lambda: f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}",
        "count": lambda: str(rng.randint(2, 12)),
        "day": lambda: str(rng.randint(1, 28)),
        "ordinal": lambda: ordinal(rng.randint(1, 28)),
        "year": lambda: str(now.year + rng.randint(1, 3)),
        "iso": lambda: f"{day:%Y-%m-%d}",
        "numeric": lambda: f"{day.day}/{day.month}/{day.year}",
        "dotted": lambda: f"{day.day}.{day.month}.{day.year}",
        "dotted_short": lambda: f"{day.day}.{day.month}.",
        "part": lambda: rng.choice(["morning", "afternoon", "evening", "night"]),
    }


def sentence(rng, form, now):
    values = slots(rng, now)
    return SLOT.sub(lambda slot: values[slot[1]](), form)
