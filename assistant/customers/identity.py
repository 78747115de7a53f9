"""From a conversation to a customer.

A customer is an opaque id of ours. A conversation is known by a keyed hash of the channel and the channel's
user id, so neither a phone number nor a page-scoped id is ever kept or logged, and nobody can speak for
another by claiming an id.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from assistant.banking import clock
from assistant.banking.connector import CustomerProfile
from assistant.storage.db import Database
from assistant.storage.keys import KeyRing
from assistant.storage.seal import Cipher
from assistant.storage.tables import CustomerRow, IdentityRow

_IDENTITIES = "identities"
_WHOSE = (
    select(CustomerRow.id, CustomerRow.time_zone, CustomerRow.locale)
    .join(IdentityRow, IdentityRow.customer_id == CustomerRow.id)
    .where(
        IdentityRow.conversation_id == bindparam("conversation"),
        IdentityRow.channel == bindparam("channel"),
        CustomerRow.erasing_at.is_(None),
    )
)


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who asks, on one channel, in one conversation."""

    id: str
    conversation_id: str
    channel: str
    profile: CustomerProfile = field(default_factory=CustomerProfile)


def key_owner(customer_id: str) -> str:
    """Under which name the ring keeps the key of a customer."""
    return f"customer:{customer_id}"


class Identities:
    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database = database
        self._keys = keys

    @cached_property
    def _cipher(self) -> Cipher:
        """Kept, because this one key is never destroyed and is needed for every event of every channel."""
        return self._keys.cipher_or_new(_IDENTITIES)

    def conversation_id(self, channel: str, user_id: str) -> str:
        """Our id of the conversation with ``user_id`` of ``channel``; the same each time."""
        return self.keyed_hash(channel, user_id)

    def keyed_hash(self, *parts: str) -> str:
        """Tells the same parts again, and tells nobody without the key what they were. 40 hexadecimal digits."""
        # surrogatepass: JSON of a stranger may hold halves of characters
        encoded = [part.encode(errors="surrogatepass") for part in parts]
        message = b"".join(len(part).to_bytes(4, "big") + part for part in encoded)
        return self._cipher.mac(message).hex()[:40]

    def resolve(self, channel: str, sender: str) -> Customer | None:
        """Whose conversation ``sender`` is; None when nobody's yet.

        Only on the channel it was bound on: an id that turns up elsewhere is nobody.
        """
        rows = self._database.ask(_WHOSE, conversation=sender, channel=channel)
        return _customer(rows[0], sender, channel) if rows else None

    def find(self, session: Session, channel: str, sender: str) -> Customer | None:
        """As ``resolve``, within a transaction."""
        row = session.execute(_WHOSE, {"conversation": sender, "channel": channel}).one_or_none()
        return None if row is None else _customer(row, sender, channel)

    def create(self, session: Session, profile: CustomerProfile, *, demo_login: str = "") -> str:
        """A new customer, within a transaction. Returns her id."""
        customer_id = secrets.token_hex(16)
        self._keys.cipher_or_new(key_owner(customer_id))
        session.add(
            CustomerRow(
                id=customer_id,
                created_at=clock.now(),
                time_zone=profile.time_zone,
                locale=profile.locale,
                demo_login=demo_login,
            )
        )
        session.flush()
        return customer_id

    def bind(self, session: Session, channel: str, conversation_id: str, customer_id: str) -> Customer:
        """From now on this conversation is this customer's, and nobody else's."""
        session.execute(delete(IdentityRow).where(IdentityRow.conversation_id == conversation_id))
        session.add(
            IdentityRow(
                conversation_id=conversation_id, channel=channel, customer_id=customer_id, created_at=clock.now()
            )
        )
        session.flush()
        row = session.get_one(CustomerRow, customer_id)
        return Customer(customer_id, conversation_id, channel, CustomerProfile(row.time_zone, row.locale))

    def unbind(self, conversation_id: str) -> None:
        """From now on this conversation is nobody's."""
        with self._database.write() as session:
            session.execute(delete(IdentityRow).where(IdentityRow.conversation_id == conversation_id))

    def bind_demo(self, channel: str, conversation_id: str, customer_id: str) -> Customer:
        """Let a development conversation speak for a demo customer of the sandbox, and for no other kind.

        Raises LookupError when there is no such demo customer.
        """
        with self._database.write() as session:
            row = session.get(CustomerRow, customer_id)
            if row is None or not row.demo_login or row.erasing_at is not None:
                raise LookupError("not a demo customer")
            return self.bind(session, channel, conversation_id, customer_id)

    def demo(self, demo_login: str) -> str | None:
        """The id of the demo customer with this sandbox login, if she was made."""
        with self._database.read() as session:
            return session.scalars(
                select(CustomerRow.id).where(
                    CustomerRow.demo_login == demo_login, CustomerRow.demo_login != "", CustomerRow.erasing_at.is_(None)
                )
            ).first()

    def conversations(self, customer_id: str) -> tuple[tuple[str, str], ...]:
        """Channel and conversation id of each of the customer's conversations."""
        with self._database.read() as session:
            rows = session.execute(
                select(IdentityRow.channel, IdentityRow.conversation_id).where(IdentityRow.customer_id == customer_id)
            )
            return tuple((channel, conversation_id) for channel, conversation_id in rows)


def _customer(row: Any, sender: str, channel: str) -> Customer:
    return Customer(row.id, sender, channel, CustomerProfile(row.time_zone, row.locale))
