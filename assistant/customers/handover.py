"""Handing a conversation to a person: the interface a bank plugs its own desk into, and a plain one."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy.exc import IntegrityError

from assistant.banking import clock
from assistant.customers.identity import Customer
from assistant.storage.conversations import key_owner
from assistant.storage.open import Storage
from assistant.storage.tables import HandoverRow

#: No letter or digit that is mistaken for another one when read out.
_ALPHABET = "ACDEFGHJKMNPQRTUVWXY34679"
_LENGTH = 6
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Handover:
    """A wish to speak to a person. ``reason``: "person", "dispute". ``said`` is what the customer said last."""

    conversation_id: str
    channel: str
    reason: str
    customer: Customer | None = None
    said: str = ""

    def __repr__(self) -> str:
        return f"Handover(reason={self.reason!r}, channel={self.channel!r})"


class HandoverDesk(Protocol):
    def open(self, handover: Handover) -> str:
        """Take it on. Returns a short reference the customer can name to a person. Durable when it returns."""


class TableDesk:
    """Keeps handovers in the table ``handovers``, for a desk that looks there. What was said is sealed."""

    def __init__(self, storage: Storage) -> None:
        self._database = storage.database
        self._keys = storage.keys

    def open(self, handover: Handover) -> str:
        cipher = self._keys.cipher_or_new(key_owner(handover.conversation_id))
        for attempt in range(_TRIES):
            reference = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
            row = HandoverRow(
                reference=reference,
                conversation_id=handover.conversation_id,
                channel=handover.channel,
                customer_id=handover.customer.id if handover.customer else None,
                reason=handover.reason,
                sealed=cipher.seal(handover.said.encode(), f"handovers.sealed:{reference}"),
                created_at=clock.now(),
            )
            try:
                with self._database.write() as session:
                    session.add(row)
                return reference
            except IntegrityError:
                if attempt == _TRIES - 1:
                    raise
        raise AssertionError("the last try returns or raises")
