"""Subscriptions, and prices that went up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from assistant.banking.money import Money, total_by_currency
from assistant.replies.reply import Choice, Column, Listed, Literal, Phrase, Reply, Table, Term, Value
from assistant.skills.matching import called
from assistant.skills.recurring_question import Question
from assistant.skills.series import Rise, Series

#: A subscription last charged this recently and not again is worth mentioning as stopped.
_LATELY = timedelta(days=120)
_NAMED = 3


def subscriptions(question: Question) -> Reply:
    """What is paid regularly without being a bill; with a merchant or category named, whatever fits it."""
    found = [each for each in question.active() if question.narrowed or not each.owed]
    if not found:
        return Reply((none_regular(question), *question.notes), choices=(Choice("bills_due"),))
    if question.focus.merchant and len(found) == 1:
        return Reply((regular(found[0]), *_rise_of(found[0]), *question.notes), choices=(Choice("subscriptions"),))
    totals = total_by_currency(each.monthly.rounded() for each in found)
    amounts = Listed(tuple(totals.values()))
    key = "regular_payments" if question.narrowed else "subscriptions_found"
    say = [Phrase(key, {"count": len(found), "amounts": amounts})]
    stopped = [
        each
        for each in question.payments
        if not each.active and not each.owed and each.last >= question.today - _LATELY
    ]
    if stopped and not question.narrowed:
        names = Listed(tuple(Literal(each.name) for each in stopped[:_NAMED]))
        say.append(Phrase("subscriptions_stopped", {"names": names, "count": len(stopped[:_NAMED])}))
    rows = tuple((Literal(each.name), each.amount, Term("cadence", each.cadence.value), each.due) for each in found)
    columns = (Column("merchant"), Column("amount", align_right=True), Column("cadence"), Column("next"))
    table = Table(columns, rows, "row_subscription")
    return Reply((*say, *question.notes), table, choices=(Choice("price_rises"), Choice("bills_due")))


def price_rises(question: Question) -> Reply:
    """Regular payments that cost more than before: old and new price, since when, and what that makes a year."""
    since = question.focus.period.start if question.focus.period else question.today - relativedelta(months=12)
    risen = [(each, each.rise) for each in question.active() if each.rise and each.rise.since >= since]
    if not risen:
        return Reply((_no_rise(question, since), *question.notes), choices=(Choice("subscriptions"),))
    risen.sort(key=lambda pair: -_yearly(*pair).amount)
    yearly = Listed(tuple(total_by_currency(_yearly(*pair) for pair in risen).values()))
    if len(risen) == 1:
        series, rise = risen[0]
        return Reply((_risen(series, rise), *question.notes), choices=(Choice("subscriptions"),))
    say = (
        Phrase("price_rises_found", {"count": len(risen), "amounts": yearly, "day": since}),
        Phrase("price_rises_most", {"merchant": Literal(risen[0][0].name), "amount": _yearly(*risen[0])}),
    )
    columns = (
        Column("merchant"),
        Column("old", align_right=True),
        Column("new", align_right=True),
        Column("since"),
        Column("yearly", align_right=True),
    )
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (Literal(series.name), rise.old, rise.new, rise.since, _yearly(series, rise)) for series, rise in risen
    )
    table = Table(columns, rows, "row_price_rise")
    return Reply((*say, *question.notes), table, choices=(Choice("subscriptions"), Choice("bills_due")))


def _yearly(series: Series, rise: Rise) -> Money:
    return (rise.new - rise.old) * series.cadence.per_year


def _risen(series: Series, rise: Rise) -> Phrase:
    values: dict[str, Value] = {
        "merchant": Literal(series.name),
        "old": rise.old,
        "new": rise.new,
        "day": rise.since,
        "amount": _yearly(series, rise),
    }
    return Phrase("price_risen", values)


def regular(series: Series) -> Phrase:
    """What is paid, how often, and when next."""
    values: dict[str, Value] = {
        "merchant": Literal(series.name),
        "amount": series.amount,
        "cadence": Term("cadence", series.cadence.value),
        "day": series.due,
    }
    return Phrase("regular_payment_about" if series.varies else "regular_payment", values)


def _rise_of(series: Series) -> Iterable[Phrase]:
    return (_risen(series, series.rise),) if series.rise else ()


def _no_rise(question: Question, since: date) -> Phrase:
    """Nothing went up: of all, or of what she named, if she pays it at all."""
    if not question.narrowed:
        return Phrase("price_rises_none", {"day": since})
    active = question.active()
    if not active:
        return none_regular(question)
    if question.focus.merchant:
        return Phrase("price_rises_none_at", {"merchant": Literal(active[0].name), "day": since})
    return Phrase("price_rises_none_on", {"category": Term("category", question.focus.category), "day": since})


def none_regular(question: Question) -> Phrase:
    """Nothing regular fits what she named."""
    if question.focus.merchant:
        return Phrase("regular_payments_none_at", {"merchant": Literal(called(question.focus.merchant, ()))})
    if question.focus.category:
        return Phrase("regular_payments_none_on", {"category": Term("category", question.focus.category)})
    return Phrase("subscriptions_none")
