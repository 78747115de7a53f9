"""Payments that come back: their rhythm, what they cost, and when the next one is due, found from history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from statistics import median

from dateutil.relativedelta import relativedelta

from assistant.banking.money import Money
from assistant.banking.transaction import Transaction
from assistant.skills.matching import name_of


class Cadence(str, Enum):
    """How often. The facts of each are in ``_RHYTHMS``."""

    WEEKLY = "weekly"
    BIWEEKLY = "biweekly"
    SEMIMONTHLY = "semimonthly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    YEARLY = "yearly"

    @property
    def per_year(self) -> int:
        return _RHYTHMS[self].per_year


@dataclass(frozen=True, slots=True)
class _Rhythm:
    """``days`` between two, give or take ``jitter`` (weekends, holidays, short months); how many make a habit;
    how many days late it may be before it counts as stopped."""

    days: Decimal
    jitter: int
    enough: int
    grace: int
    per_year: int


_RHYTHMS = {
    Cadence.WEEKLY: _Rhythm(Decimal(7), 1, 5, 5, 52),
    Cadence.BIWEEKLY: _Rhythm(Decimal(14), 3, 4, 8, 26),
    Cadence.SEMIMONTHLY: _Rhythm(Decimal("15.2"), 4, 5, 8, 24),
    Cadence.MONTHLY: _Rhythm(Decimal("30.4"), 7, 3, 12, 12),
    Cadence.QUARTERLY: _Rhythm(Decimal("91.3"), 12, 3, 25, 4),
    Cadence.YEARLY: _Rhythm(Decimal("365.2"), 16, 2, 35, 1),
}
#: The share of gaps that must keep the rhythm; the others may be a missed turn.
_REGULAR = 0.7
#: Two amounts within this share of each other are the same price (rounding, an exchange rate).
_SAME_PRICE = Decimal("0.01")
#: Amounts further apart than this, sorted, are different things bought at one merchant.
_ONE_THING = Decimal("0.3")
#: Amounts of one series may differ by this factor from their median where they vary (a heating bill in winter).
_WIDEST = Decimal(4)
#: A charge repeated this soon is the same one again.
_TWICE = timedelta(days=3)
#: A price that changes more often than this is no price: the series varies.
_STEADY = 0.25
#: What is bought often and in like amounts without being owed.
_HABITS = frozenset({"groceries", "restaurants", "coffee", "gas", "transport", "cash", "shopping", "fees", "interest"})
#: What is owed even where every amount differs.
OWED = frozenset(
    {"utilities", "internet_phone", "rent", "mortgage", "insurance", "loan_payment", "childcare", "education", "taxes"}
)


@dataclass(frozen=True, slots=True)
class Rise:
    """A price that went up, seen first on ``since``."""

    old: Money
    new: Money
    since: date


@dataclass(frozen=True, slots=True)
class Series:
    """One payment, or one pay, that comes back. Amounts are sizes, without sign.

    ``amount`` is what the next one should be: the last price, or where it ``varies`` the median of the last
    three. ``due`` is when; it may be up to a few days ago when the last turn is late. ``active`` is False once
    it is later than its rhythm explains.
    """

    name: str
    category: str
    cadence: Cadence
    amount: Money
    varies: bool
    last: date
    due: date
    active: bool
    by_check: bool
    rise: Rise | None = None

    @property
    def monthly(self) -> Money:
        """What it comes to in a month, on average."""
        return self.amount * self.cadence.per_year / 12

    @property
    def owed(self) -> bool:
        """A bill (rent, power, insurance), a gift or a check rather than a subscription."""
        return self.category in OWED or self.category in ("transfer", "charity") or self.by_check

    def turns(self, start: date, end: date, *, late: bool = True) -> Iterator[date]:
        """The days from ``start`` up to ``end`` on which it is due. One that is late already is due at ``start``."""
        turn = 0
        while True:
            day = _step(self.due, self.cadence, turn)
            if day >= end:
                return
            if day >= start:
                yield day
            elif late and turn == 0:
                yield start
            turn += 1


def find_series(transactions: Iterable[Transaction], today: date) -> tuple[Series, ...]:
    """Every series among them, largest monthly cost first.

    Give payments or pay, not both. A merchant with other purchases besides (Amazon and its Prime) is split by
    amount. The same amount twice within days counts once: a duplicate charge is no second subscription.
    """
    groups: dict[tuple[str, str], list[Transaction]] = defaultdict(list)
    for transaction in transactions:
        if transaction.amount.amount > 0 or transaction.category not in _HABITS:
            groups[name_of(transaction), transaction.amount.currency].append(transaction)
    found: list[Series] = []
    for items in groups.values():
        if len(items) < 2:
            continue
        ordered = _without_duplicates(sorted(items, key=lambda one: one.date))
        whole = _series(ordered, today)
        if whole is not None:
            found.append(whole)
            continue
        for part in _by_price(ordered):
            series = _series(part, today)
            if series is not None:
                found.append(series)
    return tuple(sorted(found, key=lambda each: (-each.monthly.amount, each.name)))


def _series(items: Sequence[Transaction], today: date) -> Series | None:
    if len(items) < 2:
        return None
    cadence = _cadence([one.date for one in items])
    if cadence is None:
        return None
    last = items[-1]
    sizes = [abs(one.amount.amount) for one in items]
    varies = _varies(sizes)
    if not _owed_or_steady(last, cadence, sizes, varies):
        return None
    amount = Decimal(median(sizes[-3:])) if varies else sizes[-1]
    due = _next(items, cadence)
    return Series(
        name=name_of(last),
        category=last.category,
        cadence=cadence,
        amount=Money(amount, last.amount.currency),
        varies=varies,
        last=last.date,
        due=due,
        active=today <= due + timedelta(days=_RHYTHMS[cadence].grace),
        by_check=last.is_check,
        rise=None if varies else _rise(items),
    )


def _owed_or_steady(last: Transaction, cadence: Cadence, sizes: Sequence[Decimal], varies: bool) -> bool:
    """Tells what is owed from what is only a habit: a price that holds, or a kind of bill that varies."""
    if last.amount.amount > 0:
        middle = Decimal(median(sizes))
        return all(size <= middle * _WIDEST and middle <= size * _WIDEST for size in sizes[-6:])
    if not varies:
        return True
    middle = Decimal(median(sizes))
    near = all(size <= middle * _WIDEST and middle <= size * _WIDEST for size in sizes)
    return near and last.category in OWED and cadence in (Cadence.MONTHLY, Cadence.QUARTERLY)


def _cadence(days: Sequence[date]) -> Cadence | None:
    gaps = [(after - before).days for before, after in pairwise(days)]
    middle = Decimal(median(gaps))
    fitting = [
        cadence
        for cadence, rhythm in _RHYTHMS.items()
        if len(days) >= rhythm.enough and abs(middle - rhythm.days) <= rhythm.jitter and _keeps(gaps, rhythm)
    ]
    if not fitting:
        return None
    # Every other Friday and twice a month look alike gap by gap; over a season they drift a day a turn apart.
    mean = Decimal(sum(gaps)) / len(gaps)
    return min(fitting, key=lambda cadence: abs(mean - _RHYTHMS[cadence].days))


def _keeps(gaps: Sequence[int], rhythm: _Rhythm) -> bool:
    turns = [abs(gap - rhythm.days) <= rhythm.jitter for gap in gaps]
    missed = [abs(gap - 2 * rhythm.days) <= rhythm.jitter for gap in gaps]
    return sum(turns) >= _REGULAR * len(gaps) and all(turn or miss for turn, miss in zip(turns, missed, strict=True))


def _next(items: Sequence[Transaction], cadence: Cadence) -> date:
    """When the next one is due: so many days on, or the usual day of the month."""
    last = items[-1].date
    if cadence in (Cadence.WEEKLY, Cadence.BIWEEKLY):
        return _step(last, cadence, 1)
    if cadence is Cadence.SEMIMONTHLY:
        return items[-2].date + relativedelta(months=1)
    # Counted from the usual day, so that one payment moved by a weekend does not move all that follow.
    usual = round(median(_offset(one.date, last) for one in items[-6:]))
    return _step(last, cadence, 1) + timedelta(days=usual)


def _step(day: date, cadence: Cadence, turns: int) -> date:
    """``turns`` turns later."""
    rhythm = _RHYTHMS[cadence]
    if cadence in (Cadence.WEEKLY, Cadence.BIWEEKLY):
        return day + timedelta(days=int(rhythm.days) * turns)
    if cadence is Cadence.SEMIMONTHLY:
        return day + relativedelta(months=turns // 2) + timedelta(days=15 * (turns % 2))
    return day + relativedelta(months=12 // rhythm.per_year * turns)


def _offset(day: date, last: date) -> int:
    """How many days earlier (negative) or later in its month ``day`` is than ``last``, the short way round."""
    return (day.day - last.day + 15) % 30 - 15


def _varies(sizes: Sequence[Decimal]) -> bool:
    changes = sum(not _same(before, after) for before, after in pairwise(sizes))
    return changes > max(1, _STEADY * (len(sizes) - 1))


def _same(one: Decimal, other: Decimal) -> bool:
    return abs(one - other) <= _SAME_PRICE * max(one, other)


def _rise(items: Sequence[Transaction]) -> Rise | None:
    """The last change of price, when it was upward."""
    new = abs(items[-1].amount)
    since = items[-1].date
    for item in reversed(items):
        price = abs(item.amount)
        if not _same(price.amount, new.amount):
            return Rise(price, new, since) if price < new else None
        since = item.date
    return None


def _by_price(items: Sequence[Transaction]) -> list[list[Transaction]]:
    """Split where the sorted amounts leap; each part again in time order."""
    parts: list[list[Transaction]] = []
    for item in sorted(items, key=lambda one: abs(one.amount.amount)):
        size = abs(item.amount.amount)
        if parts and size - abs(parts[-1][-1].amount.amount) <= _ONE_THING * size:
            parts[-1].append(item)
        else:
            parts.append([item])
    return [sorted(part, key=lambda one: one.date) for part in parts] if len(parts) > 1 else []


def _without_duplicates(items: Sequence[Transaction]) -> list[Transaction]:
    kept: list[Transaction] = []
    for item in items:
        if kept and item.date - kept[-1].date <= _TWICE and kept[-1].amount == item.amount:
            continue
        kept.append(item)
    return kept
