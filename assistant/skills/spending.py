"""Spending: how much, on what, compared with what, how fast; fees and income.

Views: "" or "total", "by_category", "by_merchant", "by_account", "by_month", "comparison", "average" (also
"average_week", "average_day", "average_time"), "pace", "fees", "income", "net". Amounts of different currencies are
never added. Pending items count and are said. With no period named it is this month so far.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from dateutil.relativedelta import relativedelta

from assistant.banking.categories import Categories
from assistant.banking.connector import CustomerBank
from assistant.banking.period import Grain, Period
from assistant.banking.purpose import Purpose
from assistant.banking.transaction import Transaction
from assistant.replies.reply import Phrase, Reply
from assistant.skills.caveats import caveats
from assistant.skills.choose import choose, unknown_account
from assistant.skills.flows import FEE_CATEGORIES, is_income, is_spending, main_currency
from assistant.skills.focus import Focus, Outcome, Topic
from assistant.skills.matching import select
from assistant.skills.spending_compare import USUAL_PERIODS, average, comparison, pace
from assistant.skills.spending_other import card_payments, fees, income, net
from assistant.skills.spending_question import Question
from assistant.skills.spending_totals import breakdown, by_month, total

_MONTHS_SHOWN = 6
#: How far back most banks answer; a comparison never asks for more.
_HISTORY = relativedelta(months=24)


@dataclass(frozen=True, slots=True)
class View:
    """One way to answer: what counts, which period when none is named, how far back to look before it."""

    reply: Callable[[Question], Reply]
    counts: Callable[[Transaction], bool] = is_spending
    months: int = 0  #: with no period named: this many months before this one too
    earlier: int = 0  #: periods before the one asked about that the answer needs
    keeps_period: bool = True  #: whether the period shown is what is talked about from now on


def _is_fee(transaction: Transaction) -> bool:
    return is_spending(transaction) and transaction.category in FEE_CATEGORIES


def _is_card_payment(transaction: Transaction) -> bool:
    return transaction.category == "card_payment" and transaction.is_outflow


_VIEWS = {
    "total": View(total),
    "by_category": View(breakdown),
    "by_merchant": View(breakdown),
    "by_account": View(breakdown),
    "by_month": View(by_month, months=_MONTHS_SHOWN - 1, keeps_period=False),
    "comparison": View(comparison, earlier=USUAL_PERIODS),
    "average": View(average, months=USUAL_PERIODS, keeps_period=False),
    "average_week": View(average, months=USUAL_PERIODS, keeps_period=False),
    "average_day": View(average, months=USUAL_PERIODS, keeps_period=False),
    "average_time": View(average, months=USUAL_PERIODS, keeps_period=False),
    "pace": View(pace, earlier=USUAL_PERIODS),
    # A month holds few fees or none: a year says more.
    "fees": View(fees, _is_fee, months=11),
    "income": View(income, is_income),
    "net": View(net, lambda one: is_income(one) or is_spending(one)),
}
_CARD_PAYMENTS = View(card_payments, _is_card_payment)
#: It comes once a month or once a quarter: a year says more.
_INTEREST_EARNED = View(income, is_income, months=11)
_INCOME_ASKED = frozenset({"income", "interest"})


def answer(bank: CustomerBank, focus: Focus, today: date) -> Outcome:
    """Answer a question about spending, for the purpose of insights. Raises banking.errors."""
    name, view = _view(focus)
    accounts = bank.accounts(Purpose.INSIGHTS)
    chosen = choose(bank, accounts.value, focus.account) if focus.account else None
    focus = focus.with_(topic=Topic.SPENDING, view=name)
    if chosen is not None and not chosen.found:
        return Outcome(unknown_account(focus.account, chosen.nearest), focus)
    asked = focus.period or _default_period(view, today)
    if view.reply is pace and asked.start >= today:
        asked = _default_period(view, today)  # where "the end of the month" leads, this month tells
    period = asked.clipped(today)
    if period is None:
        return Outcome(Reply((Phrase("period_in_future"),)), focus)
    against = focus.against.same_part(period) if focus.against else None
    fetched = bank.transactions(_span(period, view.earlier, today, against), Purpose.INSIGHTS)
    counted = tuple(one for one in fetched.value if view.counts(one))
    filters = focus.with_(period=None, direction=None)
    if view.reply is card_payments or (name == "income" and focus.category == "income"):
        filters = filters.with_(category="")
    meant = chosen.accounts if chosen else ()
    spending = tuple(sorted(select(counted, filters, meant or None), key=lambda one: one.date))
    question = Question(
        bank=bank,
        focus=focus,
        period=period,
        against=against,
        accounts=accounts.value,
        chosen=meant,
        known=fetched.value,
        spending=spending,
        days=tuple(one.date for one in spending),
        currency=main_currency(spending or fetched.value, accounts.value[0].currency if accounts.value else "USD"),
        notes=caveats(bank, today, accounts, fetched),
        today=today,
    )
    if view.keeps_period and focus.period is None:
        focus = focus.with_(period=asked)
    return Outcome(view.reply(question), focus)


def _view(focus: Focus) -> tuple[str, View]:
    """The view asked for, unless the rest of the question makes it pointless: one merchant by merchant is a total."""
    name = focus.view if focus.view in _VIEWS else "total"
    members = Categories.load().members(focus.category)
    if focus.category == "card_payment":
        return "total", _CARD_PAYMENTS
    if (
        (name == "by_category" and (len(members) == 1 or focus.merchant))
        or (name == "by_merchant" and focus.merchant)
        or (name == "by_account" and focus.account)
        or (name == "fees" and focus.category and not members <= FEE_CATEGORIES)
        or (name == "income" and focus.category and focus.category not in _INCOME_ASKED)
    ):
        name = "total"
    if name == "total" and focus.category == "income":
        name = "income"
    if name == "income" and focus.category == "interest":
        return name, _INTEREST_EARNED
    return name, _VIEWS[name]


def _default_period(view: View, today: date) -> Period:
    month = Period.month_of(today)
    if not view.months:
        return month
    return Period(month.start - relativedelta(months=view.months), month.end, Grain.RANGE)


def _span(period: Period, earlier: int, today: date, against: Period | None = None) -> Period:
    """From the earliest period to compare with, but not further back than banks keep, through the end of the last."""
    first = period
    for _ in range(earlier):
        before = first.previous()
        if before.start < today - _HISTORY:
            break
        first = before
    if against is None:
        return Period(first.start, period.end)
    return Period(max(min(first.start, against.start), today - _HISTORY), max(period.end, against.end))
