"""The calendar behind what people say: units, the latest of something, days and weekends, measured from today."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from assistant.banking.period import Grain, Period
from assistant.nlu.numbers import read_number, read_ordinal
from assistant.nlu.period_words import LAST, NEXT, SEASONS, UNIT, WEEKDAYS

DAY = timedelta(days=1)
#: Words for the day of pay.
PAYDAY = re.compile(
    r"^(?:my |the )?(?P<how>last |next |this )?(?:payday|pay day|pay ?check)$|^(?:i|we) (?:last |next )?(?:got"
    r"|get|was|were) paid(?: last| next)?$"
)


class NeedsPayday(Exception):
    """The words speak of payday, and none is known."""


@dataclass(frozen=True, slots=True)
class Context:
    """What words like "last" and "before" are measured from."""

    today: date
    base: Period | None
    paydays: tuple[date, ...]

    @property
    def tomorrow(self) -> date:
        return self.today + DAY

    def before(self, day: date) -> Context:
        """As if today were the day before, to look further back."""
        return replace(self, today=day - DAY)

    def ahead(self, words: str) -> Period | None:
        """What "until" and "before" point to when it lies ahead by its nature: payday, the end of a unit."""
        if PAYDAY.match(words):
            following = [day for day in self.paydays if day > self.today]
            if not following:
                raise NeedsPayday
            return Period.day_of(following[0])
        ending = re.match(rf"^(?:the )?(?:end of (?:the|this) (?P<a>{UNIT})|(?P<b>{UNIT})[ -]end)$", words)
        return Period.day_of(unit_of(self.today, ending["a"] or ending["b"]).last_day) if ending else None


def unit_of(day: date, unit: str) -> Period:
    """The calendar unit a day lies in. Weeks begin on Monday."""
    if unit == "day":
        return Period.day_of(day)
    if unit == "week":
        start = day - timedelta(days=day.weekday())
        return Period(start, start + timedelta(days=7), Grain.WEEK)
    if unit == "month":
        return Period.month_of(day)
    if unit == "quarter":
        start = date(day.year, day.month - (day.month - 1) % 3, 1)
        return Period(start, start + relativedelta(months=3), Grain.QUARTER)
    return year_of(day.year)


def year_of(year: int) -> Period:
    return Period(date(year, 1, 1), date(year + 1, 1, 1), Grain.YEAR)


def step_of(unit: str, count: int) -> relativedelta:
    unit = unit.rstrip("s")
    if unit == "hour":
        return relativedelta(days=(count + 23) // 24)
    days = {"day": 1, "night": 1, "week": 7, "fortnight": 14}.get(unit)
    if days:
        return relativedelta(days=days * count)
    return relativedelta(months={"month": 1, "quarter": 3, "year": 12, "decade": 120}[unit] * count)


def moved_by(unit: str, count: int, day: date) -> Period:
    """The calendar unit ``count`` units from the one a day lies in."""
    return unit_of(day + step_of(unit, count) if unit != "month" else day.replace(day=1) + step_of(unit, count), unit)


def rolling_back(unit: str, count: int, context: Context) -> Period:
    """The last ``count`` units up to and including today; calendar units are not meant."""
    if count < 1:
        raise ValueError("a period holds at least one day")
    return Period(context.tomorrow - step_of(unit, count), context.tomorrow)


def many_of(words: str) -> int:
    number = read_number(words)
    if words == "several":
        return 3
    if number is None or number < 1 or number != int(number):
        raise ValueError("not a whole number of units")
    return int(number)


def read_year(words: str, context: Context) -> int:
    if words == "this year":
        return context.today.year
    if words.endswith("year before"):
        return (context.base.start.year if context.base else context.today.year) - 1
    if words.endswith("year"):
        return context.today.year - 1
    if words.startswith("'"):
        return 2000 + int(words[1:])
    if words.isdecimal():
        return int(words) if len(words) == 4 else 2000 + int(words)
    rest = read_number(words.removeprefix("twenty "))
    if rest is None:
        raise ValueError("not a year")
    return 2000 + int(rest)


def latest_of(make: Callable[[int], Period], context: Context) -> Period:
    """The most recent one that has begun, of something that comes once a year (or in leap years)."""
    for year in range(context.today.year, context.today.year - 9, -1):
        try:
            period = make(year)
        except ValueError:
            continue
        if period.start <= context.today:
            return period
    raise ValueError("no such day")


def of_year(make: Callable[[int], Period], how: str, year: str, context: Context) -> Period:
    """``make`` for the year that "last", "this", "next" or a year's number picks; else the latest."""
    if year:
        return make(read_year(year, context))
    latest = latest_of(make, context)
    how = how.strip()
    if re.fullmatch(NEXT, how):
        for ahead in range(context.today.year, context.today.year + 9):
            following = make(ahead)
            if following.start > context.today:
                return following
    if how == "last" and context.today in latest:
        return latest_of(make, context.before(latest.start))
    return latest


def month_in(month: int) -> Callable[[int], Period]:
    return lambda year: Period.month_of(date(year, month, 1))


def day_in(month: int, day: int) -> Callable[[int], Period]:
    return lambda year: Period.day_of(date(year, month, day))


def season_in(name: str) -> Callable[[int], Period]:
    def make(year: int) -> Period:
        start = date(year, SEASONS[name], 1)
        return Period(start, start + relativedelta(months=3))

    return make


def weekday_of(name: str, how: str, context: Context) -> Period:
    target = WEEKDAYS[name]
    back = (context.today.weekday() - target) % 7
    how = how.strip()
    if re.fullmatch(NEXT, how):
        return Period.day_of(context.today + timedelta(days=7 - back))
    if how == "this":
        return Period.day_of(unit_of(context.today, "week").start + timedelta(days=target))
    if how and back == 0:
        back = 7
    return Period.day_of(context.today - timedelta(days=back))


def day_number(words: str) -> int:
    return read_ordinal(words) or int(words)


def lone_day(day: int, context: Context) -> Period:
    first = context.today.replace(day=1)
    for back in range(12):
        try:
            found = (first - relativedelta(months=back)).replace(day=day)
        except ValueError:
            continue
        if found <= context.today:
            return Period.day_of(found)
    raise ValueError("no such day")


def slashed_day(first: str, second: str, year: str, context: Context) -> Period:
    month, day = int(first), int(second)
    if month > 12:
        month, day = day, month
    make = day_in(month, day)
    return make(int(year) if len(year) == 4 else 2000 + int(year)) if year else latest_of(make, context)


def weekend_of(how: str, context: Context) -> Period:
    saturday = context.today - timedelta(days=(context.today.weekday() - 5) % 7)
    begun = Period(saturday, saturday + timedelta(days=2))
    how = how.strip()
    if re.fullmatch(NEXT, how):
        return Period(saturday + timedelta(days=7), saturday + timedelta(days=9))
    if how == "before last" or (re.fullmatch(LAST, how) and context.today in begun):
        return Period(saturday - timedelta(days=7), saturday - timedelta(days=5))
    return begun
