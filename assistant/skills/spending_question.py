"""What was asked about spending, with the transactions to answer it from."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import date

from assistant.banking.account import Account
from assistant.banking.connector import CustomerBank
from assistant.banking.money import Money
from assistant.banking.period import Period
from assistant.banking.transaction import Transaction
from assistant.replies.reply import Listed, Literal, Phrase, Term, Value
from assistant.skills.flows import spent
from assistant.skills.focus import Focus
from assistant.skills.matching import called, merchants


@dataclass(frozen=True, slots=True)
class Question:
    """``period`` is the time asked about, without the days to come; ``against`` the one to compare it with, where
    she named one. ``spending`` is what the filters of the focus leave, over the whole span fetched, oldest first, and
    ``days`` their dates; ``known`` is everything fetched, unfiltered. ``chosen`` are the accounts named, empty when
    none was. ``currency`` is the customer's main one in this question. ``notes`` say what the answer lacks (stale, a
    bank missing).
    """

    bank: CustomerBank
    focus: Focus
    period: Period
    against: Period | None
    accounts: tuple[Account, ...]
    chosen: tuple[Account, ...]
    known: tuple[Transaction, ...]
    spending: tuple[Transaction, ...]
    days: tuple[date, ...]
    currency: str
    notes: tuple[Phrase, ...]
    today: date

    @property
    def running(self) -> bool:
        """Whether the period reaches today: then "you've spent", not "you spent"."""
        return self.period.last_day == self.today

    def within(self, period: Period) -> tuple[Transaction, ...]:
        """The spending of a part of the span, oldest first."""
        return self.spending[bisect_left(self.days, period.start) : bisect_left(self.days, period.end)]

    def total(self, period: Period) -> Money:
        """Spent in a part of the span, in the main currency."""
        return spent(self.within(period)).get(self.currency, Money.zero(self.currency))

    def say(self, key: str, **values: Value) -> Phrase:
        """A phrase about the question: ``<key>_of`` with ``what`` when something narrows it.

        ``<key>_so_far`` while the period is still running.
        """
        if self.running:
            key += "_so_far"
        what = self.what()
        if what is None:
            return Phrase(key, {"period": self.period, **values})
        return Phrase(f"{key}_of", {"period": self.period, "what": what, **values})

    def what(self) -> Phrase | None:
        """What narrows the question: "on groceries", "at Target with Visa (…1234)"; None when nothing does."""
        parts = self._qualifiers()
        if not parts:
            return None
        joined = parts[0]
        for part in parts[1:]:
            joined = Phrase("narrowed_joined", {"first": joined, "second": part})
        return joined

    def merchant_name(self) -> str:
        """The merchant as her own bank data writes it, when what she said fits just one; else as it is known."""
        return called(self.focus.merchant, merchants(self.known))

    def _qualifiers(self) -> list[Phrase]:
        focus = self.focus
        came_in = focus.view == "income"
        account = {"income": "narrowed_into", "fees": "narrowed_on"}.get(focus.view, "narrowed_account")
        if focus.category == "interest":
            account = "narrowed_on"
        parts = []
        if focus.category and focus.view not in ("income", "fees"):
            parts.append(Phrase("narrowed_category", {"category": Term("category", focus.category)}))
        if focus.merchant:
            parts.append(
                Phrase(
                    "narrowed_payer" if came_in else "narrowed_merchant", {"merchant": Literal(self.merchant_name())}
                )
            )
        if self.chosen:
            parts.append(Phrase(account, {"accounts": Listed(self.chosen)}))
        if focus.amount:
            currency = focus.amount.currency or self.currency
            low, high = focus.amount.low, focus.amount.high
            if low is not None and high is not None:
                values: dict[str, Value] = {"low": Money(low, currency), "high": Money(high, currency)}
                parts.append(Phrase("narrowed_between" if low != high else "narrowed_exactly", values))
            elif low is not None:
                parts.append(
                    Phrase(
                        "narrowed_over" if focus.amount.strict else "narrowed_at_least", {"low": Money(low, currency)}
                    )
                )
            elif high is not None:
                parts.append(
                    Phrase(
                        "narrowed_under" if focus.amount.strict else "narrowed_at_most", {"high": Money(high, currency)}
                    )
                )
        if focus.pending_only:
            parts.append(Phrase("narrowed_pending"))
        return parts
