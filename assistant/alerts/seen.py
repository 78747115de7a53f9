"""Which transactions are new: each is seen once, however often, in whatever order and under whatever id it comes.

A pending item posts under another id, which the bank names or does not (field.md 6.3); an id is used again for another
purchase; a page is delivered twice, or an old one after a new one. Absence means nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from assistant.banking.transaction import Transaction

#: How long a transaction is remembered. Looks read less far back than this.
KEEP = timedelta(days=75)
#: What is older than this and was never seen (an account shared anew, a bank that sorted its history) is no news.
NEWS = timedelta(days=30)
#: A pending purchase posts within this; hotels and car rental are slow.
_POSTS_WITHIN = timedelta(days=10)
#: How much more than authorised may post: a tip, fuel after a hold of a dollar is told by its size instead.
_MOST_MORE = Decimal("1.6")
_HOLD = Decimal("1.50")
#: The same id this many days from where it was is another transaction.
_SAME_DAYS = 12


@dataclass(slots=True)
class Trace:
    """What is remembered of one transaction. ``root`` names it for good, whatever ids it has had. ``amount`` is signed;
    ``pending`` and ``amount`` are as seen last."""

    root: str
    pending: bool
    day: date
    amount: Decimal
    merchant: str
    account: str


@dataclass(frozen=True, slots=True)
class Fresh:
    """Never seen before. ``posted`` now, or still pending."""

    root: str
    transaction: Transaction


@dataclass(frozen=True, slots=True)
class Posted:
    """Seen pending before, posted now. ``held``: what it showed while pending (signed)."""

    root: str
    transaction: Transaction
    held: Decimal


@dataclass(frozen=True, slots=True)
class News:
    fresh: tuple[Fresh, ...] = ()
    posted: tuple[Posted, ...] = ()


@dataclass(slots=True)
class Seen:
    """What was seen of one link. ``begun`` is False until the first look, which is history and news to nobody."""

    traces: dict[str, Trace] = field(default_factory=dict)
    begun: bool = False

    def take(self, transactions: Iterable[Transaction], today: date) -> News:
        """What is new among them; oldest first. On the first look nothing is."""
        listed = sorted(transactions, key=_when)
        shown = {_key(one) for one in listed}
        fresh: list[Fresh] = []
        posted: list[Posted] = []
        for one in listed:
            if one.date < today - KEEP:
                continue
            key = _key(one)
            trace = self.traces.get(key)
            if trace is not None and _another(trace, one):
                key = _key(one, again=True)
                trace = self.traces.get(key)
            before = None if trace is not None else self._pending_of(one, shown)
            if trace is None and before is not None:
                trace = self.traces[key] = before
            if trace is None:
                self.traces[key] = _trace(key, one)
                if one.date >= today - NEWS:
                    fresh.append(Fresh(key, one))
            elif trace.pending and not one.is_pending:
                posted.append(Posted(trace.root, one, trace.amount))
                trace.pending, trace.amount = False, one.amount.amount
        self._forget(today)
        if not self.begun:
            self.begun = True
            return News()
        return News(tuple(fresh), tuple(posted))

    def root_of(self, transaction: Transaction) -> str:
        """What names a transaction that was taken, for good."""
        for again in (True, False):
            trace = self.traces.get(_key(transaction, again=again))
            if trace is not None and not _another(trace, transaction):
                return trace.root
        return _key(transaction)

    def _pending_of(self, one: Transaction, shown: set[str]) -> Trace | None:
        """What it was while pending, by the id the bank names, else by what it looks like."""
        if one.is_pending:
            return None
        if one.pending_id:
            named = self.traces.get(_hash(one.account_id, one.pending_id))
            if named is not None and named.pending:
                return named
        alike = [
            trace
            for key, trace in self.traces.items()
            if trace.pending and key not in shown and _may_post_as(trace, one)
        ]
        return min(alike, key=lambda trace: _distance(trace, one), default=None)

    def _forget(self, today: date) -> None:
        old = [key for key, trace in self.traces.items() if trace.day < today - KEEP]
        for key in old:
            del self.traces[key]

    def plain(self) -> dict[str, Any]:
        """As JSON-ready values. Traces that share a root share one entry."""
        entries: dict[int, list[Any]] = {}
        for key, trace in self.traces.items():
            entry = entries.setdefault(
                id(trace),
                [trace.root, int(trace.pending), trace.day.isoformat(), str(trace.amount), trace.merchant,
                 trace.account, []],
            )  # fmt: skip
            if key != trace.root:
                entry[-1].append(key)
        return {"begun": self.begun, "traces": list(entries.values())}

    @classmethod
    def of_plain(cls, plain: dict[str, Any]) -> Seen:
        """The same again."""
        traces: dict[str, Trace] = {}
        for root, pending, day, amount, merchant, account, others in plain["traces"]:
            trace = Trace(root, bool(pending), date.fromisoformat(day), Decimal(amount), merchant, account)
            for key in (root, *others):
                traces[key] = trace
        return cls(traces, plain["begun"])


def _trace(key: str, one: Transaction) -> Trace:
    return Trace(key, one.is_pending, one.date, one.amount.amount, _merchant(one), _hash(one.account_id, "")[:6])


def _when(one: Transaction) -> tuple[date, float]:
    return one.date, one.transacted_at.timestamp() if one.transacted_at else 0.0


def _key(one: Transaction, *, again: bool = False) -> str:
    """By account and id; ``again`` for an id that was used for another transaction before."""
    if again:
        return _hash(one.account_id, f"{one.id}/{one.date.isoformat()}/{one.amount.amount}")
    return _hash(one.account_id, one.id)


def _hash(account_id: str, text: str) -> str:
    return hashlib.blake2b(f"{account_id}/{text}".encode(), digest_size=9).hexdigest()


def _merchant(one: Transaction) -> str:
    return (one.merchant or one.description)[:24].upper()


def _another(trace: Trace, one: Transaction) -> bool:
    """The id was used again: another day, and not the same money."""
    return abs((one.date - trace.day).days) > _SAME_DAYS and one.amount.amount != trace.amount


def _may_post_as(trace: Trace, one: Transaction) -> bool:
    if trace.account != _hash(one.account_id, "")[:6] or trace.merchant != _merchant(one):
        return False
    if not -1 <= (one.date - trace.day).days <= _POSTS_WITHIN.days:
        return False
    held, posts = abs(trace.amount), abs(one.amount.amount)
    return (trace.amount < 0) == (one.amount.amount < 0) and (held <= _HOLD or held <= posts <= held * _MOST_MORE)


def _distance(trace: Trace, one: Transaction) -> tuple[Decimal, int]:
    return abs(trace.amount - one.amount.amount), abs((one.date - trace.day).days)
