"""Payment cards as the customer knows them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class CardKind(str, Enum):
    CREDIT = "credit"
    DEBIT = "debit"


class CardStatus(str, Enum):
    ACTIVE = "active"
    LOCKED = "locked"  #: new purchases are declined, until it is unlocked
    CLOSED = "closed"  #: for good


class LockReason(str, Enum):
    """Why a card is locked; it goes to the bank."""

    ASKED = "asked"
    LOST = "lost"
    STOLEN = "stolen"
    FRAUD = "fraud"  #: a purchase that was not hers


@dataclass(frozen=True, slots=True)
class Card:
    """One card on one account.

    ``id`` is Tellerline's: ``<bank id>:<the bank's card id>``. ``mask`` is the last digits of the card's own number, or
    "" when the bank shows none; the full number is never held here.
    """

    id: str
    account_id: str
    bank_id: str
    kind: CardKind
    name: str
    mask: str = ""
    status: CardStatus = CardStatus.ACTIVE

    @property
    def native_id(self) -> str:
        """The bank's own id of the card."""
        return self.id.split(":", 1)[1]
