"""Looking for transactions: which days to ask the bank for, what counts, and in what order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from assistant.banking.account import Account, AccountFamily
from assistant.banking.connector import CustomerBank, Dated
from assistant.banking.period import Period
from assistant.banking.purpose import Purpose
from assistant.banking.transaction import Transaction
from assistant.replies.reply import Phrase
from assistant.skills.flows import FEE_CATEGORIES, is_income, is_purchase, is_spending
from assistant.skills.focus import Direction, Focus, Order
from assistant.skills.matching import called, name_of, select
from assistant.skills.scope import describe

#: How far back to look when no period is named, in days: first, and when that is too little. 24 months is
#: what banks keep at hand.
RECENT = 90
FAR = 730
#: Accounts on which money that comes in pays a debt.
DEBTS = (AccountFamily.CREDIT, AccountFamily.LOAN)

Counts = Callable[[Transaction], bool]


def back(today: date, days: int) -> Period:
    """The last ``days`` days, today among them."""
    return Period(today - timedelta(days=days - 1), today + timedelta(days=1))


def pays_debt(transaction: Transaction, accounts: Sequence[Account]) -> bool:
    """Whether it is money that came in on one of ``accounts`` to pay what is owed there, and no refund."""
    account = next((one for one in accounts if one.id == transaction.account_id), None)
    if account is None or account.kind.family not in DEBTS or transaction.amount.amount <= 0:
        return False
    return account.kind.family is AccountFamily.LOAN or transaction.internal or transaction.category == "card_payment"


def _is_fee(transaction: Transaction) -> bool:
    return is_spending(transaction) and transaction.category in FEE_CATEGORIES


#: What each sum of the spending skill is made of, so that the list behind it adds up to it.
_COUNTED: dict[str, Counts] = {"spent": is_spending, "earned": is_income, "fees": _is_fee}
#: "Income" as customers say it is everything earned, whatever category the bank's words gave it.
_EARNED_ASKED = frozenset({"income", "interest"})


@dataclass(frozen=True, slots=True)
class Found:
    """What the filters left, in order; the days searched; and all that the bank gave for those days."""

    rows: tuple[Transaction, ...]
    period: Period
    answer: Dated[tuple[Transaction, ...]]


@dataclass(frozen=True, slots=True)
class Search:
    """One question to one customer's bank. ``accounts`` are those meant; None: all, and so not worth naming."""

    bank: CustomerBank
    focus: Focus
    today: date
    known: tuple[Account, ...]
    accounts: tuple[Account, ...] | None

    def look(self, period: Period) -> Found:
        """Purpose TRANSACTIONS; raises banking.errors."""
        answer = self.bank.transactions(period, Purpose.TRANSACTIONS, self.accounts)
        filters = self.focus.with_(period=period)
        if filters.view == "earned" and filters.category in _EARNED_ASKED:
            filters = filters.with_(category="")
        rows = select(answer.value, filters, self.accounts)
        counts = self._counts()
        if counts is not None:
            rows = tuple(one for one in rows if counts(one))
        return Found(_ordered(rows, self.focus.order), period, answer)

    def find(self, period: Period | None, wanted: int) -> Found:
        """In the period she named; else far enough back for ``wanted`` rows, or to know that there are no more."""
        if period is not None:
            return self.look(period)
        if self.focus.order is Order.OLDEST:
            return self.look(back(self.today, FAR))
        found = self.look(back(self.today, RECENT))
        # A ranking must not change from page to page, so it grows only from nothing.
        enough = wanted if self.focus.order is Order.LATEST else 1
        return found if len(found.rows) >= enough else self.look(back(self.today, FAR))

    def asking(self, **changes: Any) -> Search:
        """The same search with the question changed."""
        return replace(self, focus=self.focus.with_(**changes))

    def what(self, count: int, found: Found, period: Period | None = None) -> Phrase:
        """What was looked for, in words: "pending transactions at Comcast in March 2026".

        The merchant by its own name, where one was meant.
        """
        names = {name_of(one) for one in found.rows}
        focus = self.focus
        if focus.merchant and len(names) < 2:
            focus = focus.with_(merchant=names.pop() if names else called(focus.merchant, ()))
        return describe(focus, count, self.known, self.accounts, period)

    def _counts(self) -> Counts | None:
        """What counts besides the filters she named; None: everything."""
        focus = self.focus
        if focus.view in _COUNTED:
            return _COUNTED[focus.view]
        if focus.view == "largest" and focus.direction is Direction.OUT:
            # Paying off a card, a fee or money sent to somebody is no purchase, unless it is what she asked about.
            return is_spending if focus.merchant or focus.category else is_purchase
        if focus.direction is None or focus.view == "last_payment":
            return None
        # Of her money as a whole, her own moves are neither in nor out; of one account, they are.
        whole = self.accounts is None and not (focus.merchant or focus.category)
        debts = tuple(one for one in self.known if one.kind.family in DEBTS)
        return (lambda one: not one.internal and not pays_debt(one, debts)) if whole else None


def _ordered(rows: tuple[Transaction, ...], order: Order) -> tuple[Transaction, ...]:
    """Sizes are compared within a currency only: the one with most rows first."""
    if order is Order.LATEST:
        return tuple(sorted(rows, key=lambda one: one.date, reverse=True))
    if order is Order.OLDEST:
        return tuple(sorted(rows, key=lambda one: one.date))
    uses: dict[str, int] = {}
    for one in rows:
        uses[one.amount.currency] = uses.get(one.amount.currency, 0) + 1
    sign = -1 if order is Order.LARGEST else 1
    return tuple(
        sorted(
            rows,
            key=lambda one: (-uses[one.amount.currency], one.amount.currency, sign * abs(one.amount.amount)),
        )
    )
