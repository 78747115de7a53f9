"""The words periods are made of: months, weekdays, holidays, seasons, and the fragments to find them with."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from dateutil.easter import easter

from assistant.nlu.numbers import NUMBER, ORDINAL

MONTHS = {
    "january": 1, "jan": 1, "february": 2, "feb": 2, "march": 3, "mar": 3, "april": 4, "apr": 4, "may": 5, "june": 6,
    "jun": 6, "july": 7, "jul": 7, "august": 8, "aug": 8, "september": 9, "sept": 9, "sep": 9, "october": 10,
    "oct": 10, "november": 11, "nov": 11, "december": 12, "dec": 12,
}  # fmt: skip
WEEKDAYS = {
    "monday": 0, "mon": 0, "tuesday": 1, "tues": 1, "tue": 1, "wednesday": 2, "wed": 2, "thursday": 3, "thurs": 3,
    "thur": 3, "thu": 3, "friday": 4, "fri": 4, "saturday": 5, "sat": 5, "sunday": 6, "sun": 6,
}  # fmt: skip
#: First month of a season and how many months; meteorological, northern. Winter begins in December.
SEASONS = {"spring": 3, "summer": 6, "fall": 9, "autumn": 9, "winter": 12}


def _nth(year: int, month: int, weekday: int, nth: int) -> date:
    """The nth such weekday of a month; -1 is the last."""
    if nth > 0:
        first = date(year, month, 1)
        return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
    last = date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)
    return last - timedelta(days=(last.weekday() - weekday) % 7)


def _fixed(month: int, day: int) -> Callable[[int], date]:
    return lambda year: date(year, month, day)


def _thanksgiving(year: int) -> date:
    return _nth(year, 11, 3, 4)


#: Holidays an American names when speaking of money, with the day in a given year.
HOLIDAYS: dict[str, Callable[[int], date]] = {
    "new year's eve": _fixed(12, 31), "new years eve": _fixed(12, 31),
    "new year's day": _fixed(1, 1), "new years day": _fixed(1, 1), "new year's": _fixed(1, 1),
    "new years": _fixed(1, 1), "new year": _fixed(1, 1), "the new year": _fixed(1, 1),
    "mlk day": lambda year: _nth(year, 1, 0, 3), "martin luther king day": lambda year: _nth(year, 1, 0, 3),
    "valentine's day": _fixed(2, 14), "valentines day": _fixed(2, 14), "valentine's": _fixed(2, 14),
    "presidents day": lambda year: _nth(year, 2, 0, 3), "presidents' day": lambda year: _nth(year, 2, 0, 3),
    "st patrick's day": _fixed(3, 17), "st patricks day": _fixed(3, 17),
    "easter sunday": easter, "easter": easter,
    "mother's day": lambda year: _nth(year, 5, 6, 2), "mothers day": lambda year: _nth(year, 5, 6, 2),
    "memorial day": lambda year: _nth(year, 5, 0, -1),
    "father's day": lambda year: _nth(year, 6, 6, 3), "fathers day": lambda year: _nth(year, 6, 6, 3),
    "juneteenth": _fixed(6, 19),
    "independence day": _fixed(7, 4), "the fourth of july": _fixed(7, 4), "fourth of july": _fixed(7, 4),
    "labor day": lambda year: _nth(year, 9, 0, 1), "columbus day": lambda year: _nth(year, 10, 0, 2),
    "halloween": _fixed(10, 31), "veterans day": _fixed(11, 11),
    "thanksgiving day": _thanksgiving, "thanksgiving": _thanksgiving,
    "black friday": lambda year: _thanksgiving(year) + timedelta(days=1),
    "cyber monday": lambda year: _thanksgiving(year) + timedelta(days=4),
    "christmas eve": _fixed(12, 24), "christmas day": _fixed(12, 25), "christmas": _fixed(12, 25),
    "xmas": _fixed(12, 25),
}  # fmt: skip


def any_of(*words: str) -> str:
    """An alternation, longest first."""
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


UNIT = r"(?:day|week|month|quarter|year)"
UNITS = r"(?:hour|day|night|week|fortnight|month|quarter|year|decade)s?"
MONTH = any_of(*MONTHS)
WEEKDAY = any_of(*WEEKDAYS)
HOLIDAY = any_of(*HOLIDAYS)
SEASON = any_of(*SEASONS)
#: Four digits, or as spoken: "twenty twenty five". Two digits only with an apostrophe.
YEAR = (
    r"(?:(?:19|20)\d\d|'\d\d|twenty (?:ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
    r"|twenty(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?|thirty))"
)
MANY = rf"(?:a couple(?: of)?|couple(?: of)?|a few|few|several|a dozen|{NUMBER})"
LAST = r"(?:last|previous|prior|past)"
THIS = r"(?:this|the current|current)"
NEXT = r"(?:next|the next|coming|the coming|upcoming|the upcoming)"
DAY_NUMBER = rf"(?:{ORDINAL}|\b\d{{1,2}}\b)"
