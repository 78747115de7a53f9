"""One thing worth telling a customer, from what a detector found to what she answered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from assistant.alerts.kinds import KINDS, AlertKind
from assistant.banking.money import Money
from assistant.banking.transaction import Transaction
from assistant.replies.reply import Choice, Phrase, Reply


class Answer(str, Enum):
    YES = "yes"  #: it was me
    NO = "no"  #: it was not


@dataclass(frozen=True, slots=True)
class Found:
    """What a detector found. ``key`` names it among those of its kind and customer: found again, it is the same.
    ``say`` is the sentence and then, where it needs one, why. ``transactions``: what it is about, the one named first.
    ``amount`` (no sign) is what a threshold is held against."""

    kind: AlertKind
    key: str
    say: tuple[Phrase, ...]
    transactions: tuple[Transaction, ...] = ()
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class Alert:
    """``id`` is opaque and may stand in a slot or a URL; everything else is sealed at rest. Instants are aware, UTC.

    ``say`` and ``transactions`` as in Found. ``answer`` None: none yet.
    """

    id: str
    customer_id: str
    bank_id: str
    kind: AlertKind
    say: tuple[Phrase, ...]
    transactions: tuple[Transaction, ...]
    made_at: datetime
    expires_at: datetime
    answer: Answer | None = None
    answered_at: datetime | None = None

    @property
    def reply(self) -> Reply:
        """As any channel renders it."""
        if not KINDS[self.kind].asks:
            return Reply(self.say)
        choices = (Choice("alert_yes"), Choice("alert_no"))
        return Reply((*self.say, Phrase("alert_was_it_you")), choices=choices, expects_answer=True)
