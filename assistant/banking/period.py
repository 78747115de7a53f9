"""A span of days, half open."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from dateutil.relativedelta import relativedelta


class Grain(str, Enum):
    """How the customer cut the time; decides what "the one before" means."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"
    RANGE = "range"


_STEP = {
    Grain.DAY: relativedelta(days=1),
    Grain.WEEK: relativedelta(weeks=1),
    Grain.MONTH: relativedelta(months=1),
    Grain.QUARTER: relativedelta(months=3),
    Grain.YEAR: relativedelta(years=1),
}


@dataclass(frozen=True, slots=True)
class Period:
    """The days from ``start`` up to, but not including, ``end``, in the customer's time zone.

    ``start`` < ``end`` always. ``grain`` is the unit the customer spoke in; RANGE when none fits.
    """

    start: date
    end: date
    grain: Grain = Grain.RANGE

    def __post_init__(self) -> None:
        if self.start >= self.end:
            raise ValueError("a period holds at least one day")

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and self.start <= day < self.end

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    @property
    def last_day(self) -> date:
        return self.end - timedelta(days=1)

    def previous(self) -> Period:
        """The period before: the month before a month, the same number of days before a range.

        A part of a unit ("so far this month") is compared with the same part of the unit before.
        """
        step = _STEP.get(self.grain)
        if step is None:
            return Period(self.start - timedelta(days=self.days), self.start)
        if self.start + step == self.end:
            return Period(self.start - step, self.start, self.grain)
        start = self.start - step
        return Period(start, max(min(self.end - step, self.start), start + timedelta(days=1)), self.grain)

    def clipped(self, last_day: date) -> Period | None:
        """Without the days after ``last_day`` (today, say); None when nothing is left."""
        end = min(self.end, last_day + timedelta(days=1))
        return Period(self.start, end, self.grain) if end > self.start else None

    def months(self) -> Iterator[Period]:
        """The calendar months it touches, each cut to the period."""
        start = self.start
        while start < self.end:
            following = start.replace(day=1) + relativedelta(months=1)
            yield Period(start, min(following, self.end), Grain.MONTH)
            start = following

    def following(self) -> Period:
        """The one after, as long: the month after a month, the same number of days after a range."""
        step = _STEP.get(self.grain)
        return Period(self.end, self.end + (step or timedelta(days=self.days)), self.grain)

    def year_before(self) -> Period:
        """The same days of the year before."""
        year = relativedelta(years=1)
        return Period(self.start - year, self.end - year, self.grain)

    def same_part(self, part: Period) -> Period:
        """As much of this one as ``part`` is of a unit like it: the first half of February for half of March, all of
        it for a whole month."""
        step = _STEP.get(part.grain)
        if step is None or part.start + step == part.end:
            return self
        before = part.previous()
        if before.start == self.start and before.end <= self.end:
            return before
        return Period(self.start, min(self.start + timedelta(days=part.days), self.end), self.grain)

    @classmethod
    def month_of(cls, day: date) -> Period:
        first = day.replace(day=1)
        return cls(first, first + relativedelta(months=1), Grain.MONTH)

    @classmethod
    def day_of(cls, day: date) -> Period:
        return cls(day, day + timedelta(days=1), Grain.DAY)
