"""One look at one bank, as a pure function of what the bank shows and what is remembered: what is worth telling."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from assistant.alerts.alert import Found
from assistant.alerts.detectors.ahead import BillDue, LowBalance, LowBalanceAhead, WeeklySummary
from assistant.alerts.detectors.charges import DuplicateCharge, LargeTip, PriceRise, TrialEnding
from assistant.alerts.detectors.fraud import FraudDetector
from assistant.alerts.detectors.money import EveryPurchase, FeeCharged, LargeMove, PayArrived, RefundPosted
from assistant.alerts.detectors.view import Detector, View
from assistant.alerts.kinds import AlertKind
from assistant.alerts.memory import Memory
from assistant.alerts.preferences import Preferences
from assistant.banking.account import Account, Balances
from assistant.banking.period import Period
from assistant.banking.transaction import Transaction
from assistant.skills.flows import is_pay, is_spending
from assistant.skills.series import find_series

#: What every look reads: longer than anything stays pending.
RECENT_DAYS = 35
#: What the first look of a day reads: a year and a month, so that yearly payments are seen to come back.
DAILY_DAYS = 400
#: The daily look is not before this hour on her clock: what it finds is for the morning.
DAILY_HOUR = 7
#: Told about one transaction, the first of these that is found; the others would say less about the same.
_ONE_OF: tuple[AlertKind, ...] = (
    AlertKind.FRAUD,
    AlertKind.DUPLICATE,
    AlertKind.FEE,
    AlertKind.PAYDAY,
    AlertKind.LARGE_DEBIT,
    AlertKind.LARGE_DEPOSIT,
    AlertKind.EVERY_PURCHASE,
)

#: In the order in which their alerts are told. Fraud comes with its scorer, see Lookout.
DETECTORS: tuple[Detector, ...] = (
    DuplicateCharge(),
    LargeTip(),
    FeeCharged(),
    RefundPosted(),
    PayArrived(),
    PriceRise(),
    TrialEnding(),
    LowBalance(),
    LowBalanceAhead(),
    BillDue(),
    LargeMove(),
    WeeklySummary(),
    EveryPurchase(),
)


def wants_daily(memory: Memory, now: datetime, time_zone: str) -> bool:
    """Whether this look is the first of her day (or the first at all)."""
    local = now.astimezone(ZoneInfo(time_zone))
    if memory.daily is None or memory.daily > local.date():
        return True  # or the clock was ahead
    return memory.daily < local.date() and local.hour >= DAILY_HOUR


def period_of(now: datetime, time_zone: str, *, daily: bool) -> Period:
    """What to ask the bank for."""
    today = now.astimezone(ZoneInfo(time_zone)).date()
    return Period(today - timedelta(days=DAILY_DAYS if daily else RECENT_DAYS), today + timedelta(days=2))


class Lookout:
    """The detectors in order. As thread-safe as its fraud detector: not."""

    def __init__(self, fraud: FraudDetector, detectors: Sequence[Detector] = DETECTORS) -> None:
        self.fraud = fraud
        self._detectors = detectors

    def look(
        self,
        memory: Memory,
        accounts: Iterable[Account],
        transactions: Sequence[Transaction],
        balances: Mapping[str, Balances],
        preferences: Preferences,
        now: datetime,
        time_zone: str,
        *,
        daily: bool,
    ) -> tuple[Found, ...]:
        """What is worth telling her now; ``memory`` is brought up to date. ``transactions`` enriched, newest first, of
        ``period_of``. The first look finds nothing: what was there before anybody watched is no news."""
        today = now.astimezone(ZoneInfo(time_zone)).date()
        first = not memory.seen.begun
        news = memory.seen.take(transactions, today)
        since = today - timedelta(days=RECENT_DAYS)
        regular = _regular(transactions, today) if daily else {}
        view = View(
            today=today,
            time_zone=time_zone,
            accounts={account.id: account for account in accounts},
            news=news,
            recent=[one for one in transactions if one.date >= since] if daily else transactions,
            preferences=preferences,
            balances=balances,
            daily=daily,
            history=transactions if daily else (),
            **regular,
        )
        if first:
            self.fraud.study(view, memory)
        else:
            self.fraud.settle(memory, now.timestamp())
        found = [*self.fraud.find(view, memory)]
        for detector in self._detectors:
            found.extend(detector.find(view, memory))
        if daily:
            memory.daily = today
        if first:
            return ()
        return tuple(_without_repeats(each for each in found if preferences.is_on(each.kind)))


def _regular(transactions: Sequence[Transaction], today: date) -> dict[str, Any]:
    """What comes back among them, paid and earned. Pending ones may still change."""
    settled = [one for one in transactions if not one.is_pending]
    payments = [one for one in settled if one.is_outflow and is_spending(one)]
    return {
        "payments": find_series(payments, today),
        "pay": find_series([one for one in settled if is_pay(one)], today),
    }


def _without_repeats(found: Iterable[Found]) -> Iterator[Found]:
    """Of several about one transaction the one that matters most."""
    listed = list(found)
    told = {each.key: _ONE_OF.index(each.kind) for each in reversed(listed) if each.kind in _ONE_OF}
    for each in listed:
        if each.kind in _ONE_OF:
            told[each.key] = min(told[each.key], _ONE_OF.index(each.kind))
    for each in listed:
        if each.kind not in _ONE_OF or told[each.key] == _ONE_OF.index(each.kind):
            yield each
