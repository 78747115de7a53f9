"""What a customer can have her banks do, as a skill sees it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from assistant.banking.card import Card, LockReason
from assistant.banking.connector import Dated
from assistant.banking.dispute import Claim, Dispute


class OrderKind(str, Enum):
    LOCK = "lock"
    UNLOCK = "unlock"
    DISPUTE = "dispute"
    WITHDRAW = "withdraw"


@dataclass(frozen=True, slots=True)
class Done:
    """An order that was carried out. ``card`` for LOCK and UNLOCK, ``dispute`` for DISPUTE and WITHDRAW.

    ``because``: the alert that it answered, "" for none. ``at`` aware, UTC.
    """

    order_id: str
    kind: OrderKind
    at: datetime
    card: Card | None = None
    dispute: Dispute | None = None
    because: str = ""


class Acting(Protocol):
    """One customer's orders to her banks. An order is hers alone: a sentence of hers, or a yes, in this conversation.

    Each is kept before the bank is told, so that one interrupted is finished and none is carried out twice. All passes
    the consent gate: cards with BALANCES or ALERTS, disputes with TRANSACTIONS or ALERTS. Raises banking.errors;
    NotSupported where no linked bank can.
    """

    def cards(self) -> Dated[tuple[Card, ...]]:
        """As the banks say now; nothing remembered. Banks that have no cards for us are among ``problems``."""

    def lock(self, card: Card, reason: LockReason, because: str = "") -> Card: ...

    def unlock(self, card: Card) -> Card: ...

    def disputes(self) -> Dated[tuple[Dispute, ...]]:
        """Newest first."""

    def draft(self, claim: Claim) -> str:
        """Keep what a yes would send. Returns the order's id, which opens nothing by itself."""

    def drafted(self, order_id: str) -> Claim:
        """Raises LookupError unless it is hers."""

    def file(self, order_id: str, because: str = "") -> Dispute:
        """Send the draft; sent already, what came of it. Raises LookupError unless it is hers."""

    def withdraw(self, dispute: Dispute) -> Dispute: ...

    def undoable(self) -> tuple[Done, ...]:
        """The last thing done in this conversation that can be taken back, newest first: one order, or those that
        answered one alert."""

    def take_back(self, done: Done) -> None:
        """The opposite order. Repeated it changes nothing."""

    def just_locked(self, card: Card) -> bool:
        """Whether this conversation locked it only minutes ago, so that unlocking it is taking that back."""
