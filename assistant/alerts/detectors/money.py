"""Money that came or went: refunds, large amounts, fees, pay, and every purchase for whoever wants that."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from assistant.alerts.alert import Found
from assistant.alerts.detectors.view import View
from assistant.alerts.kinds import AlertKind
from assistant.alerts.memory import Memory
from assistant.banking.transaction import Transaction
from assistant.replies.reply import Literal, Phrase, Value
from assistant.skills.flows import is_income, is_spending
from assistant.skills.matching import name_of


def _about(one: Transaction, view: View) -> dict[str, Value]:
    """The values every sentence about one transaction has."""
    return {
        "merchant": Literal(name_of(one)),
        "amount": abs(one.amount),
        "day": one.date,
        "account": view.accounts[one.account_id],
    }


@dataclass(frozen=True, slots=True)
class RefundPosted:
    """Money came back from a merchant. ``back``: how long ago the purchase may have been that is named with it."""

    back: timedelta = timedelta(days=60)

    def find(self, view: View, memory: Memory) -> Iterator[Found]:
        for landed in view.landed():
            one = landed.transaction
            if one.internal or one.amount.amount <= 0 or is_income(one) or one.category in ("card_payment", "fees"):
                continue
            bought = self._bought(one, view.recent)
            if bought is None:
                yield Found(
                    AlertKind.REFUND, landed.root, (Phrase("alert_refund", _about(one, view)),), (one,), one.amount
                )
            else:
                values = {**_about(one, view), "bought": bought.date, "price": abs(bought.amount)}
                key = "alert_refund_whole" if bought.amount == -one.amount else "alert_refund_of"
                yield Found(AlertKind.REFUND, landed.root, (Phrase(key, values),), (one, bought), one.amount)

    def _bought(self, one: Transaction, recent: Sequence[Transaction]) -> Transaction | None:
        """What it refunds, if that can be told: the same merchant, the same amount, else the newest that was dearer."""
        before = [
            other
            for other in recent
            if name_of(other) == name_of(one)
            and one.date - self.back <= other.date <= one.date
            and other.amount.currency == one.amount.currency
            and -other.amount.amount >= one.amount.amount
        ]
        return next((other for other in before if other.amount == -one.amount), before[0] if before else None)


@dataclass(frozen=True, slots=True)
class LargeMove:
    """A deposit or debit from the threshold on (kinds.KINDS, or her own). Regular pay and bills are told by others, a
    move between her own accounts is no news."""

    def find(self, view: View, memory: Memory) -> Iterator[Found]:
        for fresh in view.news.fresh:
            one = fresh.transaction
            name = name_of(one)
            if one.internal or name in memory.pay or name in memory.series or one.category == "card_payment":
                continue
            incoming = not one.is_outflow
            if incoming and not is_income(one):
                continue
            kind = AlertKind.LARGE_DEPOSIT if incoming else AlertKind.LARGE_DEBIT
            threshold = view.preferences.threshold(kind)
            if threshold is not None and abs(one.amount.amount) >= threshold:
                say = Phrase(f"alert_{kind.value}", _about(one, view))
                yield Found(kind, fresh.root, (say,), (one,), abs(one.amount))


@dataclass(frozen=True, slots=True)
class FeeCharged:
    """The bank took a fee, or interest on a card."""

    def find(self, view: View, memory: Memory) -> Iterator[Found]:
        for fresh in view.news.fresh:
            one = fresh.transaction
            if one.is_outflow and not one.internal and one.category in ("fees", "interest"):
                say = Phrase(f"alert_{'fee' if one.category == 'fees' else 'interest'}", _about(one, view))
                yield Found(AlertKind.FEE, fresh.root, (say,), (one,), abs(one.amount))


@dataclass(frozen=True, slots=True)
class PayArrived:
    """Regular pay came in. Who pays regularly is learned once a day."""

    def find(self, view: View, memory: Memory) -> Iterator[Found]:
        if view.daily:
            memory.pay = tuple(series.name for series in view.pay if series.active)
        for landed in view.landed():
            one = landed.transaction
            if is_income(one) and name_of(one) in memory.pay:
                yield Found(
                    AlertKind.PAYDAY, landed.root, (Phrase("alert_payday", _about(one, view)),), (one,), one.amount
                )


@dataclass(frozen=True, slots=True)
class EveryPurchase:
    """Each purchase from her threshold on; off unless she wants it."""

    def find(self, view: View, memory: Memory) -> Iterator[Found]:
        threshold = view.preferences.threshold(AlertKind.EVERY_PURCHASE)
        for fresh in view.news.fresh:
            one = fresh.transaction
            if not one.is_outflow or not is_spending(one) or one.category in ("fees", "interest"):
                continue
            if threshold is None or abs(one.amount.amount) >= threshold:
                say = Phrase("alert_purchase", _about(one, view))
                yield Found(AlertKind.EVERY_PURCHASE, fresh.root, (say,), (one,), abs(one.amount))
