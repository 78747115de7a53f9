"""What a customer can be told about, and what holds for each kind unless she chose otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import Enum


class AlertKind(str, Enum):
    FRAUD = "fraud"  #: a card transaction that does not look like hers
    DUPLICATE = "duplicate"  #: the same charge twice
    LARGE_TIP = "large_tip"  #: more was taken than the tip she is used to giving explains
    PRICE_RISE = "price_rise"  #: a subscription or bill costs more than before
    TRIAL_ENDING = "trial_ending"  #: a free or nearly free trial is about to cost something
    REFUND = "refund"  #: money came back
    LARGE_DEPOSIT = "large_deposit"
    LARGE_DEBIT = "large_debit"
    FEE = "fee"  #: the bank charged one
    LOW_BALANCE = "low_balance"  #: now
    LOW_BALANCE_AHEAD = "low_balance_ahead"  #: within seven days, bills and pay day counted
    BILL_DUE = "bill_due"
    PAYDAY = "payday"
    WEEKLY_SUMMARY = "weekly_summary"
    EVERY_PURCHASE = "every_purchase"


@dataclass(frozen=True, slots=True)
class KindFacts:
    """``on`` unless she says otherwise. ``urgent``: neither quiet hours nor the day's cap hold it back. ``asks``: it
    wants a yes or a no. ``keeps``: when it was not delivered for this long, it is stale and is not sent any more.
    ``threshold``: the amount from which it speaks, in the account's currency, where it has one; a customer can set
    her own."""

    on: bool = True
    urgent: bool = False
    asks: bool = False
    keeps: timedelta = timedelta(days=2)
    threshold: Decimal | None = None


KINDS: Mapping[AlertKind, KindFacts] = {
    AlertKind.FRAUD: KindFacts(urgent=True, asks=True, keeps=timedelta(days=14)),
    AlertKind.DUPLICATE: KindFacts(keeps=timedelta(days=7)),
    AlertKind.LARGE_TIP: KindFacts(keeps=timedelta(days=7)),
    AlertKind.PRICE_RISE: KindFacts(keeps=timedelta(days=14)),
    AlertKind.TRIAL_ENDING: KindFacts(keeps=timedelta(days=3)),
    AlertKind.REFUND: KindFacts(keeps=timedelta(days=7)),
    AlertKind.LARGE_DEPOSIT: KindFacts(keeps=timedelta(days=3), threshold=Decimal(1000)),
    AlertKind.LARGE_DEBIT: KindFacts(keeps=timedelta(days=3), threshold=Decimal(500)),
    AlertKind.FEE: KindFacts(keeps=timedelta(days=7)),
    AlertKind.LOW_BALANCE: KindFacts(keeps=timedelta(days=1), threshold=Decimal(100)),
    AlertKind.LOW_BALANCE_AHEAD: KindFacts(keeps=timedelta(days=2), threshold=Decimal(0)),
    AlertKind.BILL_DUE: KindFacts(keeps=timedelta(days=2)),
    AlertKind.PAYDAY: KindFacts(keeps=timedelta(days=2)),
    AlertKind.WEEKLY_SUMMARY: KindFacts(keeps=timedelta(days=2)),
    AlertKind.EVERY_PURCHASE: KindFacts(on=False, keeps=timedelta(hours=12), threshold=Decimal(0)),
}
