"""One stretch of time said in one go ("last march", "the first week of june"): a table of patterns and what each means."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from assistant.banking.period import Grain, Period
from assistant.nlu.numbers import read_number, read_ordinal
from assistant.nlu.period_words import (
    DAY_NUMBER,
    HOLIDAY,
    HOLIDAYS,
    LAST,
    MANY,
    MONTH,
    MONTHS,
    NEXT,
    SEASON,
    SEASONS,
    THIS,
    UNIT,
    UNITS,
    WEEKDAY,
    WEEKDAYS,
    YEAR,
)

#: The fiscal year of the United States government (31 U.S.C. 1102): fiscal 2026 begins on October 1, 2025.
FISCAL_FIRST_MONTH = 10
_DAY = timedelta(days=1)


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
        return self.today + _DAY

    def before(self, day: date) -> Context:
        """As if today were the day before, to look further back."""
        return replace(self, today=day - _DAY)

    def ahead(self, words: str) -> Period | None:
        """What "until" and "before" point to when it lies ahead by its nature: payday, the end of a unit."""
        if _PAYDAY.match(words):
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
    return _year(day.year)


def _year(year: int) -> Period:
    return Period(date(year, 1, 1), date(year + 1, 1, 1), Grain.YEAR)


def _step(unit: str, count: int) -> relativedelta:
    unit = unit.rstrip("s")
    if unit == "hour":
        return relativedelta(days=(count + 23) // 24)
    days = {"day": 1, "night": 1, "week": 7, "fortnight": 14}.get(unit)
    if days:
        return relativedelta(days=days * count)
    return relativedelta(months={"month": 1, "quarter": 3, "year": 12, "decade": 120}[unit] * count)


def _moved(unit: str, count: int, day: date) -> Period:
    """The calendar unit ``count`` units from the one a day lies in."""
    return unit_of(day + _step(unit, count) if unit != "month" else day.replace(day=1) + _step(unit, count), unit)


def _rolling(unit: str, count: int, context: Context) -> Period:
    """The last ``count`` units up to and including today; calendar units are not meant."""
    if count < 1:
        raise ValueError("a period holds at least one day")
    return Period(context.tomorrow - _step(unit, count), context.tomorrow)


def _many(words: str) -> int:
    number = read_number(words)
    if words == "several":
        return 3
    if number is None or number < 1 or number != int(number):
        raise ValueError("not a whole number of units")
    return int(number)


def _read_year(words: str, context: Context) -> int:
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


def _latest(make: Callable[[int], Period], context: Context) -> Period:
    """The most recent one that has begun, of something that comes once a year (or in leap years)."""
    for year in range(context.today.year, context.today.year - 9, -1):
        try:
            period = make(year)
        except ValueError:
            continue
        if period.start <= context.today:
            return period
    raise ValueError("no such day")


def _of_year(make: Callable[[int], Period], how: str, year: str, context: Context) -> Period:
    """``make`` for the year that "last", "this", "next" or a year's number picks; else the latest."""
    if year:
        return make(_read_year(year, context))
    latest = _latest(make, context)
    how = how.strip()
    if re.fullmatch(NEXT, how):
        for ahead in range(context.today.year, context.today.year + 9):
            following = make(ahead)
            if following.start > context.today:
                return following
    if how == "last" and context.today in latest:
        return _latest(make, context.before(latest.start))
    return latest


def _month_in(month: int) -> Callable[[int], Period]:
    return lambda year: Period.month_of(date(year, month, 1))


def _day_in(month: int, day: int) -> Callable[[int], Period]:
    return lambda year: Period.day_of(date(year, month, day))


def _season(name: str) -> Callable[[int], Period]:
    def make(year: int) -> Period:
        start = date(year, SEASONS[name], 1)
        return Period(start, start + relativedelta(months=3))

    return make


def _weekday(name: str, how: str, context: Context) -> Period:
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


def _day_number(words: str) -> int:
    return read_ordinal(words) or int(words)


def _lone_day(day: int, context: Context) -> Period:
    first = context.today.replace(day=1)
    for back in range(12):
        try:
            found = (first - relativedelta(months=back)).replace(day=day)
        except ValueError:
            continue
        if found <= context.today:
            return Period.day_of(found)
    raise ValueError("no such day")


def _slashed(first: str, second: str, year: str, context: Context) -> Period:
    month, day = int(first), int(second)
    if month > 12:
        month, day = day, month
    make = _day_in(month, day)
    return make(int(year) if len(year) == 4 else 2000 + int(year)) if year else _latest(make, context)


def _weekend(how: str, context: Context) -> Period:
    saturday = context.today - timedelta(days=(context.today.weekday() - 5) % 7)
    begun = Period(saturday, saturday + timedelta(days=2))
    how = how.strip()
    if re.fullmatch(NEXT, how):
        return Period(saturday + timedelta(days=7), saturday + timedelta(days=9))
    if how == "before last" or (re.fullmatch(LAST, how) and context.today in begun):
        return Period(saturday - timedelta(days=7), saturday - timedelta(days=5))
    return begun


_NTH = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4, "last": -1}


def _quarter(number: int, fiscal: bool) -> Callable[[int], Period]:
    def make(year: int) -> Period:
        start = date(year, 1, 1)
        if fiscal:
            start = date(year - 1, FISCAL_FIRST_MONTH, 1)
        start += relativedelta(months=3 * (number - 1))
        return Period(start, start + relativedelta(months=3), Grain.QUARTER)

    return make


def _half(number: int) -> Callable[[int], Period]:
    def make(year: int) -> Period:
        start = date(year, 1 + 6 * (number - 1), 1)
        return Period(start, start + relativedelta(months=6))

    return make


def _quarter_or_half(found: re.Match[str], context: Context) -> Period:
    kind = (found["short"] or "")[:1] or found["kind"][0]
    number = int(found["short"][1]) if found["short"] else _NTH[found["nth"]]
    if number == -1:
        if kind == "q" and not found["year"]:
            return _moved("quarter", -1, context.today)
        number = 4 if kind == "q" else 2
    if kind == "h" and number > 2:
        raise ValueError("a year has two halves")
    make = _quarter(number, "fiscal" in found[0] or " fy" in found[0]) if kind == "q" else _half(number)
    return _of_year(make, "", _plain_year(found["year"]), context)


def _plain_year(words: str | None) -> str:
    return re.sub(
        r"^,? ?(?:of |in )?(?:the )?(?:fiscal |calendar )?(?:year |fy ?)?'?(?=.)", "", words or ""
    ).strip() or ("this year" if words else "")


def _fiscal_year(found: re.Match[str], context: Context) -> Period:
    year = _read_year(found["year"].lstrip("'"), context)
    if found["kind"] in ("tax", "calendar"):
        return _year(year)
    start = date(year - 1, FISCAL_FIRST_MONTH, 1)
    return Period(start, start + relativedelta(years=1), Grain.YEAR)


def _calendar(how: str, kind: str, unit: str, context: Context) -> Period:
    """ "this month", "last week", "next year", "the past year", "all month"."""
    how = how.strip()
    if kind in ("fiscal", "financial", "business") and unit == "year":
        this = context.today.year + (context.today.month >= FISCAL_FIRST_MONTH)
        start = date(this - 1 + _direction(how), FISCAL_FIRST_MONTH, 1)
        return Period(start, start + relativedelta(years=1), Grain.YEAR)
    if how == "the last" or how.endswith("past"):
        if unit == "day":
            return Period(context.today - _DAY, context.tomorrow)
        return _rolling(unit, 1, context)
    return _moved(unit, _direction(how), context.today)


def _direction(how: str) -> int:
    if re.search(r"\b(?:last|previous|prior|past)\b", how):
        return -1
    return 1 if re.search(r"\b(?:next|coming|upcoming)\b", how) else 0


def _base(context: Context) -> Period:
    return context.base or Period.month_of(context.today)


def _relative(unit: str, step: int, context: Context) -> Period:
    """ "the month before", "the week after": from the period under discussion."""
    base = _base(context)
    if unit in ("one", "period", "that"):
        if step < 0:
            return base.previous()
        length = _unit_step(base)
        return Period(base.end, base.end + length, base.grain)
    if step < 0:
        return _moved(unit, -1, base.start)
    return _moved(unit, 1, base.last_day)


def _unit_step(base: Period) -> relativedelta:
    if base.grain in (Grain.RANGE, Grain.DAY):
        return relativedelta(days=base.days)
    return _step(base.grain.value, 1)


def _same(unit: str, context: Context) -> Period:
    """ "the same month last year": the period under discussion, moved back."""
    base = _base(context)
    step = _step(unit, 1)
    if base.end - step <= base.start - step:
        raise ValueError("nothing is left of it")
    return Period(base.start - step, base.end - step, base.grain)


def _ago(count: int, unit: str, context: Context) -> Period:
    """ "3 days ago" is that day, "two weeks ago" that week. "a year ago" is this month a year back; "two years
    ago" that whole year, because nobody remembers the month."""
    unit = unit.rstrip("s").replace("night", "day") if unit not in ("fortnight", "fortnights") else "fortnight"
    if unit == "fortnight":
        return _moved("week", -2 * count, context.today)
    if unit == "hour":
        return Period.day_of(context.today - timedelta(days=count // 24))
    if unit == "decade":
        return _year(context.today.year - 10 * count)
    if unit == "year" and count == 1:
        return Period.month_of(context.today - relativedelta(years=1))
    return _moved(unit, -count, context.today)


def _part(which: str, whole: Period) -> Period:
    """ "the first week of june", "the second half of last year", "the end of march"."""
    days = whole.days
    if which in ("beginning", "start", "early", "first part"):
        return Period(whole.start, whole.start + timedelta(days=max(1, days // 3)))
    if which in ("end", "late"):
        return Period(whole.end - timedelta(days=max(1, days // 3)), whole.end)
    if which in ("middle", "mid"):
        third = max(1, days // 3)
        return Period(whole.start + timedelta(days=third), whole.end - timedelta(days=third))
    nth, unit = which.split()
    if unit == "day":
        return Period.day_of(whole.start if nth == "first" else whole.last_day)
    if unit == "week":
        if nth == "last":
            return Period(whole.end - timedelta(days=7), whole.end)
        start = whole.start + timedelta(days=7 * (_NTH[nth] - 1))
        return Period(start, min(start + timedelta(days=7), whole.end))
    if unit == "quarter":
        number = 4 if nth == "last" else _NTH[nth]
        start = whole.start + relativedelta(months=3 * (number - 1))
        return Period(start, start + relativedelta(months=3), Grain.QUARTER)
    middle = whole.start + (relativedelta(months=6) if whole.grain is Grain.YEAR else timedelta(days=days // 2))
    return Period(whole.start, middle) if nth == "first" else Period(middle, whole.end)


def _payday(how: str, context: Context) -> Period:
    past = [day for day in context.paydays if day <= context.today]
    ahead = [day for day in context.paydays if day > context.today]
    if how.strip() == "next":
        if not ahead:
            raise NeedsPayday
        return Period.day_of(ahead[0])
    if not past:
        raise NeedsPayday
    return Period.day_of(past[-1])


def _pay_period(how: str, context: Context) -> Period:
    past = [day for day in context.paydays if day <= context.today]
    ahead = [day for day in context.paydays if day > context.today]
    if how.strip() in ("last", "previous"):
        if len(past) < 2:
            raise NeedsPayday
        return Period(past[-2], past[-1])
    if not past:
        raise NeedsPayday
    return Period(past[-1], ahead[0] if ahead else context.tomorrow)


def _holiday(found: re.Match[str], context: Context) -> Period:
    on = HOLIDAYS[found["name"]]
    how, year = found["how"] or "", found["year"] or ""
    if how.startswith(("last year", "previous year", "prior year", "past year")):
        how, year = "", "last year"
    return _of_year(lambda number: Period.day_of(on(number)), how, year.strip(), context)


def _holidays(how: str, context: Context) -> Period:
    """The holidays: from Thanksgiving to New Year's Day."""
    thanksgiving = HOLIDAYS["thanksgiving"]
    return _of_year(lambda year: Period(thanksgiving(year), date(year + 1, 1, 2)), how, "", context)


_PAYDAY = re.compile(
    r"^(?:my |the )?(?P<how>last |next |this )?(?:payday|pay day|pay ?check)$|^(?:i|we) (?:last |next )?(?:got|get|was|were) paid(?: last| next)?$"
)
_YEAR_TAIL = rf"(?:,? ?(?:of |in )?(?P<year>{YEAR}|{LAST} year|this year|the year before))?"
_HOW = rf"(?P<how>(?:this past|{LAST}|this|{NEXT}) )?"

_Meaning = Callable[["re.Match[str]", Context], Period]


def _row(pattern: str, meaning: _Meaning) -> tuple[re.Pattern[str], _Meaning]:
    return re.compile(pattern), meaning


#: Everything people say, first match wins. The words come folded, without a leading preposition.
TABLE: tuple[tuple[re.Pattern[str], _Meaning], ...] = (
    _row(r"(?:today|tonight|this (?:morning|afternoon|evening)|now)", lambda m, c: Period.day_of(c.today)),
    _row(r"yesterday(?: \w+)?|last night", lambda m, c: Period.day_of(c.today - _DAY)),
    _row(r"(?:the )?day before yesterday", lambda m, c: Period.day_of(c.today - 2 * _DAY)),
    _row(r"tomorrow(?: \w+)?", lambda m, c: Period.day_of(c.tomorrow)),
    _row(r"(?:the )?day after tomorrow", lambda m, c: Period.day_of(c.tomorrow + _DAY)),
    _row(
        rf"(?:the |these )?(?:{LAST}) (?P<n>{MANY}) (?P<unit>{UNITS})",
        lambda m, c: _rolling(m["unit"], _many(m["n"]), c),
    ),
    _row(
        rf"(?:the )?(?:{NEXT}|following) (?P<n>{MANY}) (?P<unit>{UNITS})",
        lambda m, c: Period(c.tomorrow, c.tomorrow + _step(m["unit"], _many(m["n"]))),
    ),
    _row(
        rf"(?:the )?(?P<which>first|last) (?P<n>{MANY}) (?P<unit>day|week|month)s? of (?P<whole>.+)",
        lambda m, c: _edge(m["which"], _step(m["unit"], _many(m["n"])), _whole(m["whole"], c)),
    ),
    _row(r"(?:the )?(?:last|past) half (?:a )?year", lambda m, c: _rolling("month", 6, c)),
    _row(r"(?:the )?(?:last|past) (?P<unit>fortnight|decade)", lambda m, c: _rolling(m["unit"], 1, c)),
    _row(r"(?:the )?(?:last|past) century", lambda m, c: _rolling("decade", 10, c)),
    _row(
        rf"(?P<n>a|an|{MANY}) (?P<unit>{UNITS}) (?:ago|back|earlier|before that)",
        lambda m, c: _ago(1 if m["n"] in ("a", "an") else _many(m["n"]), m["unit"], c),
    ),
    _row(
        rf"(?:the )?same (?:{UNIT}|time|period|day)(?: of| in)?(?: (?:{LAST}|the) | a )(?P<unit>{UNIT})(?: ago| earlier| before)?",
        lambda m, c: _same(m["unit"], c),
    ),
    _row(
        rf"(?P<how>this past|the {LAST}|{LAST}|{THIS}|{NEXT}|the|the whole|the entire|all|all of (?:this|last|the)) (?P<kind>calendar |fiscal |financial |tax |business )?(?P<unit>{UNIT})(?:'s)?",
        lambda m, c: _calendar(m["how"], (m["kind"] or "").strip(), m["unit"], c),
    ),
    _row(rf"(?:the )?(?P<unit>{UNIT}) before last", lambda m, c: _moved(m["unit"], -2, c.today)),
    _row(
        rf"(?:the )?(?P<unit>{UNIT}|one)(?: (?:before|prior)(?: that)?| earlier)|(?:the )?(?:previous|prior) (?P<other>one|period)|before (?P<that>that)",
        lambda m, c: _relative(m["unit"] or m["other"] or m["that"], -1, c),
    ),
    _row(
        rf"(?:the )?(?P<unit>{UNIT}|one) after(?: that)?|(?:the )?(?:following|next) (?P<other>one|period|{UNIT})",
        lambda m, c: _relative(m["unit"] or m["other"], 1, c),
    ),
    _row(
        rf"(?:over )?(?:the )?{_HOW}(?:the )?weekend(?P<last> before last)?",
        lambda m, c: _weekend(m["last"] or m["how"] or "", c),
    ),
    _row(rf"{_HOW}(?P<day>{WEEKDAY})", lambda m, c: _weekday(m["day"], m["how"] or "", c)),
    _row(
        rf"(?P<day>{WEEKDAY}) (?P<how>last|this|the) week(?: before)?|(?P<other>last) week (?P<later>{WEEKDAY})",
        lambda m, c: Period.day_of(
            _moved("week", -1 if (m["how"] or m["other"]) != "this" else 0, c.today).start
            + timedelta(days=WEEKDAYS[m["day"] or m["later"]])
        ),
    ),
    _row(
        rf"{WEEKDAY},? (?:the )?(?P<day>{DAY_NUMBER})",
        lambda m, c: _lone_day(_day_number(m["day"]), c),
    ),
    _row(
        rf"(?:the )?(?:month of )?{_HOW}(?P<month>{MONTH}){_YEAR_TAIL}",
        lambda m, c: _of_year(_month_in(MONTHS[m["month"]]), m["how"] or "", m["year"] or "", c),
    ),
    _row(
        rf"{_HOW}(?P<month>{MONTH}) (?:the )?(?P<day>{DAY_NUMBER}){_YEAR_TAIL}",
        lambda m, c: _of_year(_day_in(MONTHS[m["month"]], _day_number(m["day"])), m["how"] or "", m["year"] or "", c),
    ),
    _row(
        rf"(?:the )?(?P<day>{DAY_NUMBER}) (?:day )?(?:of )?(?P<month>{MONTH}){_YEAR_TAIL}",
        lambda m, c: _of_year(_day_in(MONTHS[m["month"]], _day_number(m["day"])), "", m["year"] or "", c),
    ),
    _row(
        rf"(?:the )?(?P<day>{DAY_NUMBER})(?: of (?P<how>this|{LAST}) month)?",
        lambda m, c: _day_in_month(_day_number(m["day"]), m["how"] or "", c),
    ),
    _row(
        r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})",
        lambda m, c: Period.day_of(date(int(m["year"]), int(m["month"]), int(m["day"]))),
    ),
    _row(
        r"(?P<a>\d{1,2})/(?P<b>\d{1,2})(?:/(?P<year>\d{4}|\d{2}))?",
        lambda m, c: _slashed(m["a"], m["b"], m["year"] or "", c),
    ),
    _row(
        rf"(?:the )?(?P<which>beginning|start|end|middle|first half|second half|first part|latter half|(?:first|second|third|fourth|last) (?:week|quarter|day)) of (?P<whole>.+)",
        lambda m, c: _part(m["which"].replace("latter", "second"), _whole(m["whole"], c)),
    ),
    _row(r"(?P<which>early|late|mid)[ -](?P<whole>.+)", lambda m, c: _part(m["which"], _whole(m["whole"], c))),
    _row(
        rf"(?:the )?(?P<unit>week|month|quarter|year)[ -]end",
        lambda m, c: Period.day_of(unit_of(c.today, m["unit"]).last_day),
    ),
    _row(
        rf"(?:(?:fiscal |calendar )?(?P<short>q[1-4]|h[12])|(?:the )?(?P<nth>first|second|third|fourth|last|1st|2nd|3rd|4th) (?:fiscal |calendar )?(?P<kind>quarter|half))(?P<year>,?(?: of| in)?(?: (?:the )?(?:fiscal |calendar )?(?:year )?{YEAR}| {LAST} year| this year| the year| fy ?'?\d\d(?:\d\d)?))?",
        _quarter_or_half,
    ),
    _row(rf"(?P<kind>fiscal|financial|fy|calendar|tax) ?(?:year )?(?P<year>'?\d\d|{YEAR})", _fiscal_year),
    _row(rf"(?:the )?(?:year )?(?P<year>{YEAR})", lambda m, c: _year(_read_year(m["year"], c))),
    _row(
        rf"(?P<how>(?:{LAST} year's|{LAST}|this past|this|{NEXT}) )?(?P<name>{HOLIDAY})(?:,? (?:of |in )?(?P<year>{YEAR}|{LAST} year|this year))?",
        _holiday,
    ),
    _row(rf"(?:the |{_HOW})(?:holidays|holiday season)", lambda m, c: _holidays(m["how"] or "", c)),
    _row(
        rf"(?:the )?{_HOW}(?P<season>{SEASON}){_YEAR_TAIL}",
        lambda m, c: _of_year(_season(m["season"]), m["how"] or "", m["year"] or "", c),
    ),
    _row(_PAYDAY.pattern.strip("^$"), lambda m, c: _payday(m["how"] or "", c)),
    _row(
        r"(?:my |the )?(?P<how>last |previous |this |current )?pay (?:period|cycle)",
        lambda m, c: _pay_period(m["how"] or "", c),
    ),
)


def _edge(which: str, length: relativedelta, whole: Period) -> Period:
    if which == "first":
        return Period(whole.start, min(whole.start + length, whole.end))
    return Period(max(whole.end - length, whole.start), whole.end)


def _whole(words: str, context: Context) -> Period:
    period = point(words, context)
    if period is None:
        raise ValueError("a part of nothing")
    return period


def _day_in_month(day: int, how: str, context: Context) -> Period:
    if not how:
        return _lone_day(day, context)
    return Period.day_of(_moved("month", 0 if how == "this" else -1, context.today).start.replace(day=day))


def point(words: str, context: Context) -> Period | None:
    """The stretch of time meant, or None when the words are none of the table's.

    Raises ValueError for days that do not exist (February 30th), NeedsPayday.
    """
    for pattern, meaning in TABLE:
        found = pattern.fullmatch(words)
        if found:
            return meaning(found, context)
    return None
