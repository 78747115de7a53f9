"""When: from "last month", "since March", "between the 3rd and the 10th" to a Period.

``find`` says where a text speaks of time; ``resolve`` says which days are meant. People ask a bank about the
past, so what could be past or future is past: "in March" is the last March that has begun, "on Friday" the
last Friday. Weeks begin on Monday, so that a weekend lies in one week. Pure: today is given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum

from dateutil.relativedelta import relativedelta

from assistant.banking.period import Grain, Period
from assistant.nlu.entity import fold
from assistant.nlu.period_calendar import Context, NeedsPayday
from assistant.nlu.period_find import Span, find
from assistant.nlu.period_point import point
from assistant.nlu.period_words import DAY_NUMBER, LAST, MONTH, UNIT, UNITS, YEAR

__all__ = ["HISTORY_MONTHS", "LONGEST_YEARS", "Problem", "Resolved", "Span", "find", "resolve"]

#: A period longer than this is refused (and clipped): no bank keeps more at hand.
LONGEST_YEARS = 10
#: How far back "ever" and "before March" go: what banks usually give.
HISTORY_MONTHS = 24


class Problem(str, Enum):
    """Why a time could not be taken as said."""

    FUTURE = "future"  #: wholly after today; the period is still given, for questions that look ahead
    REVERSED = "reversed"  #: ends before it begins; the period is given the right way round
    TOO_LONG = "too_long"  #: longer than LONGEST_YEARS; the period given is its last ten years
    UNKNOWN = "unknown"  #: not understood, or no such day; no period
    NEEDS_PAYDAY = "needs_payday"  #: speaks of payday, and none is known; no period


@dataclass(frozen=True, slots=True)
class Resolved:
    """The days meant, and what is wrong with them if anything is."""

    period: Period | None
    problem: Problem | None = None


def resolve(text: str, today: date, *, base: Period | None = None, paydays: Sequence[date] = ()) -> Resolved:
    """Which days ``text`` means for a customer whose date is ``today``.

    ``base`` is the period under discussion, for "the month before"; without one this month is taken.
    ``paydays`` are known days of pay, past and expected, for "since payday". A unit that is going on is given
    whole ("this month" ends with the month); "so far this month" ends today.
    """
    words = _LEAD_IN.sub("", _clean(text))
    context = Context(today, base, tuple(sorted(paydays)))
    try:
        period = _range(words, context)
    except NeedsPayday:
        return Resolved(None, Problem.NEEDS_PAYDAY)
    except _Reversed as reversed_:
        return _checked(reversed_.period, today, Problem.REVERSED)
    except (ValueError, OverflowError):
        return Resolved(None, Problem.TOO_LONG if re.search(rf"\b{UNITS}\b", words) else Problem.UNKNOWN)
    if period is None:
        return Resolved(None, Problem.UNKNOWN)
    return _checked(period, today, None)


def _checked(period: Period, today: date, problem: Problem | None) -> Resolved:
    if period.start < period.end - relativedelta(years=LONGEST_YEARS):
        clipped = Period(period.end - relativedelta(years=LONGEST_YEARS), period.end)
        return Resolved(clipped, Problem.TOO_LONG)
    if problem is None and period.start > today:
        problem = Problem.FUTURE
    return Resolved(period, problem)


class _Reversed(Exception):
    def __init__(self, period: Period) -> None:
        self.period = period


_LEAD_IN = re.compile(r"^(?:(?:and|so(?! far)|then|what about|how about|only|just) )+(?=.)")
_PREPOSITION = re.compile(r"^(?:(?:in|on|for|during|over|within|throughout|of|at|from|through|across) )+(?=.)")


def _clean(text: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"(?<!\d)[.,?!;:]|[.,?!;:](?!\d)", " ", fold(text))).strip()


_SO_FAR = re.compile(
    rf"^(?P<c>{UNIT}) to date$|^(?:so far )(?P<a>.+)$|^(?P<b>.+) (?:so far|to date|until now|till now|up to now"
    rf"|to now|until today|to today)$"
)
_TO_DATE = {"mtd": "this month", "ytd": "this year", "qtd": "this quarter", "wtd": "this week", "so far": "this month"}
_EVER = re.compile(
    r"^(?:ever|all time|of all time|all my history|since the beginning|since forever|in my life|to date)$"
)


def _range(words: str, context: Context) -> Period | None:
    if _EVER.match(words):
        return Period(context.today - relativedelta(months=HISTORY_MONTHS), context.tomorrow)
    so_far = _SO_FAR.match(words)
    if so_far or words in _TO_DATE:
        inner = _TO_DATE.get(words) or _whole_of(so_far)
        whole = point(_bare(inner), context)
        return whole.clipped(context.today) if whole else None
    for reader in (_since, _until, _between):
        period = reader(words, context)
        if period is not None:
            return period
    return point(_bare(words), context)


def _whole_of(so_far: re.Match[str] | None) -> str:
    """What "so far" is said of."""
    if so_far is None:
        return ""
    return so_far["a"] or so_far["b"] or f"this {so_far['c']}"


def _bare(words: str) -> str:
    return _PREPOSITION.sub("", words)


_SINCE = re.compile(
    r"^(?:(?:ever )?since|starting(?: from| in| on)?|beginning(?: in| on)?|from) (?P<a>.+?)(?: (?:on|onward"
    r"|onwards|until now|till now|to now|to today|until today|up to now|till today|to present))?$"
)
_AFTER = re.compile(r"^after (?P<a>.+)$")


def _since(words: str, context: Context) -> Period | None:
    """From a beginning up to today. A bare "from March" means in March; "from March on" is since."""
    found = _SINCE.match(words)
    if found:
        if words.startswith("from ") and words.endswith(found["a"]):
            return None
        begin = point(_bare(found["a"]), context)
        if begin is None:
            return None
        if begin.start > context.today:
            return begin
        return Period(begin.start, context.tomorrow)
    found = _AFTER.match(words)
    begin = point(_bare(found["a"]), context) if found else None
    if begin is None:
        return None
    return (
        Period(begin.end, context.tomorrow)
        if begin.end <= context.today
        else Period(begin.end, begin.end + timedelta(days=1))
    )


_UNTIL = re.compile(
    r"^(?:until|till|til|up to|up until|before|by|between now and|from now (?:to|until|till)) (?P<a>.+)$"
)


def _until(words: str, context: Context) -> Period | None:
    """Up to a day: from today for one to come ("before payday"), else from as far back as banks go."""
    found = _UNTIL.match(words)
    target = context.ahead(found["a"]) if found else None
    if found and target is None:
        target = point(_bare(found["a"]), context)
    if found is None or target is None:
        return None
    end = target.start if words.startswith("before") or target.grain is not Grain.DAY else target.end
    if end > context.tomorrow:
        return Period(context.today, end)
    return Period(end - relativedelta(months=HISTORY_MONTHS), end)


_BETWEEN = re.compile(r"^(?:in )?between (?P<a>.+?) and (?P<b>.+)$")
_FROM_TO = re.compile(
    r"^(?:from )?(?P<a>.+?) ?(?: to | until | till | til | through | thru | up to | - |-)(?:the end of )?(?P<b>.+)$"
)


def _between(words: str, context: Context) -> Period | None:
    """Both ends belong to it: "from March to May" ends with May's last day."""
    for form in (_BETWEEN, _FROM_TO):
        for found in _splits(form, words):
            first, second = _share(found[0].strip(), found[1].strip())
            ends = point(_bare(second), context)
            begins = point(_bare(first), context)
            if ends is None or begins is None:
                continue
            return _join(first, begins, second, ends, context)
    return None


def _splits(form: re.Pattern[str], words: str) -> list[tuple[str, str]]:
    """Every way to cut at the connecting word ("between march 3 and 10 and ..." has two)."""
    found = form.match(words)
    return [(found["a"], found["b"])] if found else []


_YEARLESS = re.compile(rf"^(?P<rest>.*?) ?(?:of |in )?(?P<year>{YEAR}|{LAST} year|this year)$")
_DAY_OF_MONTH = re.compile(rf"^(?:the )?{DAY_NUMBER}$")
_HAS_MONTH = re.compile(rf"\b(?P<month>{MONTH})\b")


def _share(first: str, second: str) -> tuple[str, str]:
    """Lends what was said once to the other end: a year ("june 1 to june 15, 2025"), a month ("march 3rd to 10th")."""
    year_b, year_a = _YEARLESS.match(second), _YEARLESS.match(first)
    if year_b and year_b["rest"] and not year_a and not re.search(r"\b(?:ago|last|this)\b", first):
        first = f"{first} {year_b['year']}"
    month_a, month_b = _HAS_MONTH.search(first), _HAS_MONTH.search(second)
    if month_b and not month_a and _DAY_OF_MONTH.match(_YEARLESS.sub(r"\g<rest>", first).strip()):
        tail = _YEARLESS.match(first)
        first = f"{month_b['month']} {tail['rest'] if tail else first}" + (f" {tail['year']}" if tail else "")
    elif month_a and not month_b and _DAY_OF_MONTH.match(second):
        second = f"{month_a['month']} {second}" + (f" {year_a['year']}" if year_a and year_a["rest"] else "")
    return first.replace(" the ", " "), second.replace(" the ", " ")


def _join(first: str, begins: Period, second: str, ends: Period, context: Context) -> Period:
    if begins.start < ends.end and begins.start <= ends.start:
        return Period(begins.start, ends.end)
    moved = point(_bare(first), context.before(ends.end))
    if moved is not None and moved.start <= ends.start:
        apart = ends.end - moved.start
        if not _same_month_days(first, second) and apart <= timedelta(days=366):
            return Period(moved.start, ends.end)
    raise _Reversed(Period(ends.start, max(begins.end, ends.end)))


def _same_month_days(first: str, second: str) -> bool:
    """Two days of one named month, the later first: a slip, not a range over eleven months."""
    a, b = _HAS_MONTH.search(first), _HAS_MONTH.search(second)
    return bool(a and b and a["month"] == b["month"])
