"""One stretch of time said in one go ("last march", "the first week of june"): patterns, and what each means."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from assistant.banking.period import Grain, Period
from assistant.nlu.period_calendar import (
    DAY,
    PAYDAY,
    Context,
    NeedsPayday,
    day_in,
    day_number,
    lone_day,
    many_of,
    month_in,
    moved_by,
    of_year,
    read_year,
    rolling_back,
    season_in,
    slashed_day,
    step_of,
    unit_of,
    weekday_of,
    weekend_of,
    year_of,
)
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
    THIS,
    UNIT,
    UNITS,
    WEEKDAY,
    WEEKDAYS,
    YEAR,
)

#: The fiscal year of the United States government (31 U.S.C. 1102): fiscal 2026 begins on October 1, 2025.
FISCAL_FIRST_MONTH = 10
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
            return moved_by("quarter", -1, context.today)
        number = 4 if kind == "q" else 2
    if kind == "h" and number > 2:
        raise ValueError("a year has two halves")
    make = _quarter(number, "fiscal" in found[0] or " fy" in found[0]) if kind == "q" else _half(number)
    return of_year(make, "", _plain_year(found["year"]), context)


def _plain_year(words: str | None) -> str:
    return re.sub(
        r"^,? ?(?:of |in )?(?:the )?(?:fiscal |calendar )?(?:year |fy ?)?'?(?=.)", "", words or ""
    ).strip() or ("this year" if words else "")


def _fiscal_year(found: re.Match[str], context: Context) -> Period:
    year = read_year(found["year"].lstrip("'"), context)
    if found["kind"] in ("tax", "calendar"):
        return year_of(year)
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
            return Period(context.today - DAY, context.tomorrow)
        return rolling_back(unit, 1, context)
    return moved_by(unit, _direction(how), context.today)


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
        return moved_by(unit, -1, base.start)
    return moved_by(unit, 1, base.last_day)


def _unit_step(base: Period) -> relativedelta:
    if base.grain in (Grain.RANGE, Grain.DAY):
        return relativedelta(days=base.days)
    return step_of(base.grain.value, 1)


def _same(unit: str, context: Context) -> Period:
    """ "the same month last year": the period under discussion, moved back."""
    base = _base(context)
    step = step_of(unit, 1)
    if base.end - step <= base.start - step:
        raise ValueError("nothing is left of it")
    return Period(base.start - step, base.end - step, base.grain)


def _ago(count: int, unit: str, context: Context) -> Period:
    """ "3 days ago" is that day, "two weeks ago" that week. "a year ago" is this month a year back; "two years
    ago" that whole year, because nobody remembers the month."""
    unit = unit.rstrip("s").replace("night", "day") if unit not in ("fortnight", "fortnights") else "fortnight"
    if unit == "fortnight":
        return moved_by("week", -2 * count, context.today)
    if unit == "hour":
        return Period.day_of(context.today - timedelta(days=count // 24))
    if unit == "decade":
        return year_of(context.today.year - 10 * count)
    if unit == "year" and count == 1:
        return Period.month_of(context.today - relativedelta(years=1))
    return moved_by(unit, -count, context.today)


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
    return of_year(lambda number: Period.day_of(on(number)), how, year.strip(), context)


def _holidays(how: str, context: Context) -> Period:
    """The holidays: from Thanksgiving to New Year's Day."""
    thanksgiving = HOLIDAYS["thanksgiving"]
    return of_year(lambda year: Period(thanksgiving(year), date(year + 1, 1, 2)), how, "", context)


_YEAR_TAIL = rf"(?:,? ?(?:of |in )?(?P<year>{YEAR}|{LAST} year|this year|the year before))?"
_HOW = rf"(?P<how>(?:this past|{LAST}|this|{NEXT}) )?"

_Meaning = Callable[["re.Match[str]", Context], Period]


def _row(pattern: str, meaning: _Meaning) -> tuple[re.Pattern[str], _Meaning]:
    return re.compile(pattern), meaning


#: Everything people say, first match wins. The words come folded, without a leading preposition.
TABLE: tuple[tuple[re.Pattern[str], _Meaning], ...] = (
    _row(r"(?:today|tonight|this (?:morning|afternoon|evening)|now)", lambda m, c: Period.day_of(c.today)),
    _row(r"yesterday(?: \w+)?|last night", lambda m, c: Period.day_of(c.today - DAY)),
    _row(r"(?:the )?day before yesterday", lambda m, c: Period.day_of(c.today - 2 * DAY)),
    _row(r"tomorrow(?: \w+)?", lambda m, c: Period.day_of(c.tomorrow)),
    _row(r"(?:the )?day after tomorrow", lambda m, c: Period.day_of(c.tomorrow + DAY)),
    _row(
        rf"(?:the |these )?(?:{LAST}) (?P<n>{MANY}) (?P<unit>{UNITS})",
        lambda m, c: rolling_back(m["unit"], many_of(m["n"]), c),
    ),
    _row(
        rf"(?:the )?(?:{NEXT}|following) (?P<n>{MANY}) (?P<unit>{UNITS})",
        lambda m, c: Period(c.tomorrow, c.tomorrow + step_of(m["unit"], many_of(m["n"]))),
    ),
    _row(
        rf"(?:the )?(?P<which>first|last) (?P<n>{MANY}) (?P<unit>day|week|month)s? of (?P<whole>.+)",
        lambda m, c: _edge(m["which"], step_of(m["unit"], many_of(m["n"])), _whole(m["whole"], c)),
    ),
    _row(r"(?:the )?(?:last|past) half (?:a )?year", lambda m, c: rolling_back("month", 6, c)),
    _row(r"(?:the )?(?:last|past) (?P<unit>fortnight|decade)", lambda m, c: rolling_back(m["unit"], 1, c)),
    _row(r"(?:the )?(?:last|past) century", lambda m, c: rolling_back("decade", 10, c)),
    _row(
        rf"(?P<n>a|an|{MANY}) (?P<unit>{UNITS}) (?:ago|back|earlier|before that)",
        lambda m, c: _ago(1 if m["n"] in ("a", "an") else many_of(m["n"]), m["unit"], c),
    ),
    _row(
        rf"(?:the )?same (?:{UNIT}|time|period|day)(?: of| in)?(?: (?:{LAST}|the) | a )(?P<unit>{UNIT})(?: ago"
        rf"| earlier| before)?",
        lambda m, c: _same(m["unit"], c),
    ),
    _row(
        rf"(?P<how>this past|the {LAST}|{LAST}|{THIS}|{NEXT}|the|the whole|the entire|all|all of (?:this|last"
        rf"|the)) (?P<kind>calendar |fiscal |financial |tax |business )?(?P<unit>{UNIT})(?:'s)?",
        lambda m, c: _calendar(m["how"], (m["kind"] or "").strip(), m["unit"], c),
    ),
    _row(rf"(?:the )?(?P<unit>{UNIT}) before last", lambda m, c: moved_by(m["unit"], -2, c.today)),
    _row(
        rf"(?:the )?(?P<unit>{UNIT}|one)(?: (?:before|prior)(?: that)?| earlier)|(?:the )?(?:previous|prior)"
        rf" (?P<other>one|period)|before (?P<that>that)",
        lambda m, c: _relative(m["unit"] or m["other"] or m["that"], -1, c),
    ),
    _row(
        rf"(?:the )?(?P<unit>{UNIT}|one) after(?: that)?|(?:the )?(?:following|next) (?P<other>one|period|{UNIT})",
        lambda m, c: _relative(m["unit"] or m["other"], 1, c),
    ),
    _row(
        rf"(?:over )?(?:the )?{_HOW}(?:the )?weekend(?P<last> before last)?",
        lambda m, c: weekend_of(m["last"] or m["how"] or "", c),
    ),
    _row(rf"{_HOW}(?P<day>{WEEKDAY})", lambda m, c: weekday_of(m["day"], m["how"] or "", c)),
    _row(
        rf"(?P<day>{WEEKDAY}) (?P<how>last|this|the) week(?: before)?|(?P<other>last) week (?P<later>{WEEKDAY})",
        lambda m, c: Period.day_of(
            moved_by("week", -1 if (m["how"] or m["other"]) != "this" else 0, c.today).start
            + timedelta(days=WEEKDAYS[m["day"] or m["later"]])
        ),
    ),
    _row(
        rf"{WEEKDAY},? (?:the )?(?P<day>{DAY_NUMBER})",
        lambda m, c: lone_day(day_number(m["day"]), c),
    ),
    _row(
        rf"(?:the )?(?:month of )?{_HOW}(?P<month>{MONTH}){_YEAR_TAIL}",
        lambda m, c: of_year(month_in(MONTHS[m["month"]]), m["how"] or "", m["year"] or "", c),
    ),
    _row(
        rf"{_HOW}(?P<month>{MONTH}) (?:the )?(?P<day>{DAY_NUMBER}){_YEAR_TAIL}",
        lambda m, c: of_year(day_in(MONTHS[m["month"]], day_number(m["day"])), m["how"] or "", m["year"] or "", c),
    ),
    _row(
        rf"(?:the )?(?P<day>{DAY_NUMBER}) (?:day )?(?:of )?(?P<month>{MONTH}){_YEAR_TAIL}",
        lambda m, c: of_year(day_in(MONTHS[m["month"]], day_number(m["day"])), "", m["year"] or "", c),
    ),
    _row(
        rf"(?:the )?(?P<day>{DAY_NUMBER})(?: of (?P<how>this|{LAST}) month)?",
        lambda m, c: _day_in_month(day_number(m["day"]), m["how"] or "", c),
    ),
    _row(
        r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})",
        lambda m, c: Period.day_of(date(int(m["year"]), int(m["month"]), int(m["day"]))),
    ),
    _row(
        r"(?P<a>\d{1,2})/(?P<b>\d{1,2})(?:/(?P<year>\d{4}|\d{2}))?",
        lambda m, c: slashed_day(m["a"], m["b"], m["year"] or "", c),
    ),
    _row(
        r"(?:the )?(?P<which>beginning|start|end|middle|first half|second half|first part|latter half|(?:first"
        r"|second|third|fourth|last) (?:week|quarter|day)) of (?P<whole>.+)",
        lambda m, c: _part(m["which"].replace("latter", "second"), _whole(m["whole"], c)),
    ),
    _row(r"(?P<which>early|late|mid)[ -](?P<whole>.+)", lambda m, c: _part(m["which"], _whole(m["whole"], c))),
    _row(
        r"(?:the )?(?P<unit>week|month|quarter|year)[ -]end",
        lambda m, c: Period.day_of(unit_of(c.today, m["unit"]).last_day),
    ),
    _row(
        rf"(?:(?:fiscal |calendar )?(?P<short>q[1-4]|h[12])|(?:the )?(?P<nth>first|second|third|fourth|last|1st"
        rf"|2nd|3rd|4th) (?:fiscal |calendar )?(?P<kind>quarter|half))(?P<year>,?(?: of"
        rf"| in)?(?: (?:the )?(?:fiscal |calendar )?(?:year )?{YEAR}| {LAST} year| this year| the year"
        rf"| fy ?'?\d\d(?:\d\d)?))?",
        _quarter_or_half,
    ),
    _row(rf"(?P<kind>fiscal|financial|fy|calendar|tax) ?(?:year )?(?P<year>'?\d\d|{YEAR})", _fiscal_year),
    _row(rf"(?:the )?(?:year )?(?P<year>{YEAR})", lambda m, c: year_of(read_year(m["year"], c))),
    _row(
        rf"(?P<how>(?:{LAST} year's|{LAST}|this past|this|{NEXT}) )?(?P<name>{HOLIDAY})(?:,? (?:of "
        rf"|in )?(?P<year>{YEAR}|{LAST} year|this year))?",
        _holiday,
    ),
    _row(rf"(?:the |{_HOW})(?:holidays|holiday season)", lambda m, c: _holidays(m["how"] or "", c)),
    _row(
        rf"(?:the )?{_HOW}(?P<season>{SEASON}){_YEAR_TAIL}",
        lambda m, c: of_year(season_in(m["season"]), m["how"] or "", m["year"] or "", c),
    ),
    _row(PAYDAY.pattern.strip("^$"), lambda m, c: _payday(m["how"] or "", c)),
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
        return lone_day(day, context)
    return Period.day_of(moved_by("month", 0 if how == "this" else -1, context.today).start.replace(day=day))


def point(words: str, context: Context) -> Period | None:
    """The stretch of time meant, or None when the words are none of the table's.

    Raises ValueError for days that do not exist (February 30th), NeedsPayday.
    """
    for pattern, meaning in TABLE:
        found = pattern.fullmatch(words)
        if found:
            return meaning(found, context)
    return None
