"""Spending against the time before and against the usual; the average month; the pace of this one.

"Usual" is the median of up to six comparable periods before: one trip or one new sofa does not move it.
Periods before the first transaction known do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from statistics import median

from assistant.banking.money import Money
from assistant.banking.period import Period
from assistant.replies.reply import Bar, Chart, Choice, Percent, Phrase, Reply, Term, Value
from assistant.skills.flows import spent_by
from assistant.skills.spending_question import Question
from assistant.skills.spending_totals import category_of, nothing

#: How many periods before make the usual, and how few are too few to speak of it.
USUAL_PERIODS = 6
ENOUGH = 2
#: A difference smaller than this share is "about the same".
_SAME = Decimal("0.02")
_WEEK = 7
#: Days that an average is told for, by view; a month otherwise.
_UNITS = {"average_week": _WEEK, "average_day": 1}


def comparison(question: Question) -> Reply:
    """Against the period before (the same part of it while this one runs) and against the usual."""
    earlier = _earlier(question, question.period)
    baseline = question.against or next(iter(earlier), None)
    if baseline is None or not _known(question, baseline):
        return _too_little(question)
    now, before = question.total(question.period), question.total(baseline)
    if not now and not before:
        return nothing(question, also=baseline)
    say = [question.say("spent", amount=now), _against(question, now, before, baseline)]
    bars = [Bar(question.period, now), Bar(baseline, before)]
    usual = _usual(question, earlier)
    if usual:  # where most periods hold nothing, nothing is no measure
        key = _compared("usual", now, usual)
        difference = abs(now - usual)
        say.append(Phrase(key, {"amount": usual, "difference": difference, "count": len(earlier)}))
        bars.append(Bar(Term("word", "usual"), usual))
    mover = _mover(question, baseline)
    if mover is not None and not question.focus.category and not question.focus.merchant:
        say.append(mover)
    chart = Chart(question.say("chart_comparison"), tuple(bars))
    return Reply((*say, *question.notes), chart=chart, choices=(Choice("where_money_goes"), Choice("show_those")))


def average(question: Question) -> Reply:
    """A month's spending on average over the full months of the period; a day's when it holds no full month."""
    first = _first_day(question)
    whole = [
        m for m in question.period.months() if m.end - m.start >= timedelta(28) and _full(m) and m.end <= question.today
    ]
    months = [month for month in whole if first is not None and month.start >= first.replace(day=1)]
    if not question.within(question.period) or first is None:
        return nothing(question)
    if question.focus.view == "average_time":
        return _each_time(question)
    if not months:
        days = question.period.days
        each = question.total(question.period) / days
        phrase = question.say("average_day", amount=each, days=days)
        return Reply((phrase, *question.notes), choices=(Choice("where_money_goes"),))
    each_days = _UNITS.get(question.focus.view)
    if each_days:
        return _each(question, months, each_days)
    amounts = [question.total(month) for month in months]
    mean = Money(sum((amount.amount for amount in amounts), Decimal(0)) / len(months), question.currency)
    what = question.what()
    values: dict[str, Value] = {"amount": mean, "count": len(months), "period": Period(months[0].start, months[-1].end)}
    phrase = Phrase("average_month_of", {**values, "what": what}) if what else Phrase("average_month", values)
    bars = tuple(Bar(month, amount) for month, amount in zip(months, amounts, strict=True))
    say = [phrase]
    if len(months) > 1:
        low, high = min(amounts), max(amounts)
        say.append(Phrase("average_between" if low != high else "average_same", {"low": low, "high": high}))
    chart = Chart(Phrase("chart_months_average"), bars)
    return Reply((*say, *question.notes), chart=chart, choices=(Choice("pace"), Choice("where_money_goes")))


def _each(question: Question, months: Sequence[Period], unit: int) -> Reply:
    """What full months come to in each of their weeks or days."""
    days = sum(month.days for month in months)
    whole = sum((question.total(month).amount for month in months), Decimal(0))
    what = question.what()
    key = "average_week" if unit == _WEEK else "average_each_day"
    values: dict[str, Value] = {
        "amount": Money(whole * unit / days, question.currency),
        "count": len(months),
        "period": Period(months[0].start, months[-1].end),
    }
    phrase = Phrase(f"{key}_of", {**values, "what": what}) if what else Phrase(key, values)
    return Reply((phrase, *question.notes), choices=(Choice("average_month"), Choice("where_money_goes")))


def _each_time(question: Question) -> Reply:
    """What one purchase comes to, in the main currency."""
    bought = [
        -one.amount.amount
        for one in question.within(question.period)
        if one.is_outflow and one.amount.currency == question.currency
    ]
    if not bought:
        return nothing(question)
    mean = Money(sum(bought, Decimal(0)) / len(bought), question.currency)
    phrase = question.say("average_time", amount=mean, count=len(bought))
    return Reply((phrase, *question.notes), choices=(Choice("show_those"), Choice("where_money_goes")))


def pace(question: Question) -> Reply:
    """This month so far against the same day in usual months, and where the month ends if the rest is as usual."""
    if not question.running or question.period.start.day != 1 or question.period.days > 31:
        return comparison(question)
    earlier = _earlier(question, question.period)
    usual = _usual(question, earlier)
    if usual is None:
        return _too_little(question)
    now = question.total(question.period)
    rests = [question.total(Period.month_of(part.start)) - question.total(part) for part in earlier]
    expected = now + Money(median(rest.amount for rest in rests), question.currency)
    key = _compared("pace", now, usual)
    say = [
        question.say("spent", amount=now),
        Phrase(key, {"amount": usual, "difference": abs(now - usual), "count": len(earlier)}),
    ]
    if question.period.end.month == question.period.start.month:
        say.append(Phrase("pace_expected", {"amount": _roughly(expected), "period": Period.month_of(question.today)}))
    chart = Chart(question.say("chart_pace"), (Bar(question.period, now), Bar(Term("word", "usual_by_now"), usual)))
    return Reply((*say, *question.notes), chart=chart, choices=(Choice("where_money_goes"), Choice("bills_due")))


def _earlier(question: Question, period: Period) -> list[Period]:
    """The comparable periods before, newest first, that lie within the history known."""
    found: list[Period] = []
    while len(found) < USUAL_PERIODS:
        period = period.previous()
        if not _known(question, period):
            break
        found.append(period)
    return found


def _known(question: Question, period: Period) -> bool:
    """Whether the history reaches back to it. Its very first days are rarely the first day: a month begun within
    a week of it counts."""
    first = _first_day(question)
    return first is not None and period.start >= first - timedelta(days=7)


def _first_day(question: Question) -> date | None:
    return min((one.date for one in question.known), default=None)


def _full(month: Period) -> bool:
    return month.start.day == 1 and month.end.day == 1


def _usual(question: Question, earlier: list[Period]) -> Money | None:
    if len(earlier) < ENOUGH:
        return None
    # Rounded here, so that the difference told is that of the figures told.
    return Money(median(question.total(period).amount for period in earlier), question.currency).rounded()


def _compared(key: str, now: Money, then: Money) -> str:
    """``<key>_more``, ``_less`` or ``_same``."""
    difference = (now - then).amount
    if abs(difference) <= _SAME * abs(then.amount):
        return f"{key}_same"
    return f"{key}_more" if difference > 0 else f"{key}_less"


def _against(question: Question, now: Money, before: Money, period: Period) -> Phrase:
    key = _compared("before", now, before)
    difference = abs(now - before)
    if before.amount <= 0:
        return Phrase("before_nothing", {"period": period})
    share = Percent((difference.amount * 100 / before.amount).quantize(Decimal(1)))
    return Phrase(key, {"period": period, "amount": before, "difference": difference, "share": share})


def _mover(question: Question, before: Period) -> Phrase | None:
    """The category that changed most between the two periods."""
    currency = question.currency
    now = spent_by(question.within(question.period), category_of).get(currency, {})
    then = spent_by(question.within(before), category_of).get(currency, {})
    zero = Money.zero(currency)
    changes = {each: now.get(each, zero) - then.get(each, zero) for each in {*now, *then}}
    if not changes:
        return None
    category = max(sorted(changes), key=lambda each: abs(changes[each].amount))
    change = changes[category]
    if not change:
        return None
    key = "mover_up" if change.amount > 0 else "mover_down"
    return Phrase(key, {"category": Term("category", category), "difference": abs(change)})


def _roughly(money: Money) -> Money:
    """To whole units: a forecast in cents would claim too much."""
    return Money(money.amount.quantize(Decimal(1)), money.currency)


def _too_little(question: Question) -> Reply:
    now = question.total(question.period)
    first = _first_day(question)
    why = Phrase("too_little_history")
    if question.against and first:
        why = Phrase("before_unknown", {"period": question.against, "day": first})
    return Reply((question.say("spent", amount=now), why, *question.notes), choices=(Choice("where_money_goes"),))
