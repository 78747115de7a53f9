"""A charge the customer does not accept, and what her bank makes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from assistant.banking.money import Money


class DisputeReason(str, Enum):
    NOT_MINE = "not_mine"
    DUPLICATE = "duplicate"
    WRONG_AMOUNT = "wrong_amount"
    NOT_RECEIVED = "not_received"
    CANCELED = "canceled"
    OTHER = "other"


class DisputeStatus(str, Enum):
    RECEIVED = "received"
    IN_REVIEW = "in_review"
    CREDITED = "credited"  #: decided, for her
    DENIED = "denied"  #: decided, against her
    WITHDRAWN = "withdrawn"
    UNKNOWN = "unknown"  #: a state that the bank has and we have no name for

    @property
    def is_open(self) -> bool:
        return self in (DisputeStatus.RECEIVED, DisputeStatus.IN_REVIEW, DisputeStatus.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Claim:
    """What is sent to the bank: everything known.

    ``amount`` is positive. ``statement`` is in her own words, ``card_id`` the card's (Card.id) where it is known which.
    """

    bank_id: str
    account_id: str
    transaction_id: str
    amount: Money
    date: date
    merchant: str
    reason: DisputeReason
    statement: str = ""
    card_id: str = ""


@dataclass(frozen=True, slots=True)
class Dispute:
    """One dispute at one bank.

    ``id`` is the bank's, ``reference`` what the customer and the bank's people call it. ``amount`` is positive.
    ``description`` is the bank's descriptor; ``merchant`` is "" until somebody knows better. ``filed_at`` aware, UTC;
    ``resolve_by`` the day by which the bank says it will have decided.
    """

    id: str
    bank_id: str
    reference: str
    account_id: str
    transaction_id: str
    status: DisputeStatus
    amount: Money | None = None
    description: str = ""
    merchant: str = ""
    filed_at: datetime | None = None
    resolve_by: date | None = None
