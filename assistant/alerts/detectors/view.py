"""What a detector may look at, and what it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from assistant.alerts.alert import Found
from assistant.alerts.memory import Memory
from assistant.alerts.preferences import Preferences
from assistant.alerts.seen import Fresh, News
from assistant.banking.account import Account, Balances
from assistant.banking.transaction import Transaction
from assistant.skills.series import Series


@dataclass(frozen=True, slots=True)
class View:
    """One look at one bank. ``today`` on her clock. ``recent``: the last weeks, newest first, news included. ``daily``:
    the first look of a day, which sees more: the last 13 months (``history``), what comes back in them (``payments``,
    ``pay``, largest first), else empty. ``balances`` by account id, of the accounts that were asked for."""

    today: date
    time_zone: str
    accounts: Mapping[str, Account]
    news: News
    recent: Sequence[Transaction]
    preferences: Preferences
    balances: Mapping[str, Balances]
    daily: bool = False
    history: Sequence[Transaction] = ()
    payments: Sequence[Series] = ()
    pay: Sequence[Series] = ()

    def landed(self) -> Iterator[Fresh]:
        """What has just become money moved: posted now, whether it was seen pending before or not."""
        for fresh in self.news.fresh:
            if not fresh.transaction.is_pending:
                yield fresh
        for posted in self.news.posted:
            yield Fresh(posted.root, posted.transaction)


class Detector(Protocol):
    def find(self, view: View, memory: Memory) -> Iterator[Found]:
        """What is worth telling in this look. May keep things in ``memory`` (its own fields alone)."""
