"""Links that work once and not for long, to pages of ours.

Whoever has the URL is let in, so it is sent to one customer, in a conversation that is hers. Kept by hash:
the table opens nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.orm import Session

from assistant.banking import clock
from assistant.banking.connector import CustomerProfile
from assistant.customers.identity import Customer
from assistant.storage.db import Database
from assistant.storage.tables import CustomerRow, OneTimeLinkRow

LIFE = timedelta(minutes=10)
#: What a customer who came by such a link is said to speak on.
CHANNEL = "pages"


class LinkKind(str, Enum):
    """What a link is for."""

    FIRST_CODE = "first_code"  #: set the step-up code of a customer who has none
    ENTER_CODE = "enter_code"  #: give it, for the conversation the link was sent to
    NEW_CODE = "new_code"  #: replace it: only after the old one was given, or a person has checked who asks
    ALEXA = "alexa"  #: not a link but a code: Alexa changes it for tokens (channels.alexa_link)
    EXPORT_DATA = "export_data"  #: download everything held, as JSON
    EXPORT_READABLE = "export_readable"  #: the same for people to read


#: Both files of an export travel by one link, each once.
EXPORT = (LinkKind.EXPORT_READABLE, LinkKind.EXPORT_DATA)


class OneTimeReason(str, Enum):
    UNKNOWN = "unknown"  #: no such link, or not for this
    EXPIRED = "expired"
    USED = "used"


class OneTimeRefused(Exception):
    """The link doesn't work (any more)."""

    def __init__(self, reason: OneTimeReason) -> None:
        super().__init__(f"one-time link refused: {reason.value}")
        self.reason = reason


@dataclass(frozen=True, slots=True)
class OpenLink:
    """A link that still works: whose it is, and what it may still be used for. The customer's conversation
    is the one it was sent to, "" where that does not matter."""

    customer: Customer
    kinds: tuple[LinkKind, ...]
    left: timedelta


class OneTimeLinks:
    def __init__(self, database: Database) -> None:
        self._database = database

    def issue(
        self, customer_id: str, *kinds: LinkKind, conversation: Customer | None = None, life: timedelta = LIFE
    ) -> str:
        """A secret for one URL (channels.addresses). Unused links of these kinds that she has stop working.

        With ``conversation`` whoever comes by it is taken to speak there.
        """
        token = secrets.token_urlsafe(32)
        now = clock.now()
        with self._database.write() as session:
            session.execute(delete(OneTimeLinkRow).where(OneTimeLinkRow.expires_at < now - timedelta(days=1)))
            session.execute(
                delete(OneTimeLinkRow).where(
                    OneTimeLinkRow.customer_id == customer_id,
                    OneTimeLinkRow.kind.in_([kind.value for kind in kinds]),
                    OneTimeLinkRow.used_at.is_(None),
                )
            )
            session.add_all(
                OneTimeLinkRow(
                    token_hash=digest(token),
                    kind=kind.value,
                    customer_id=customer_id,
                    channel=conversation.channel if conversation else "",
                    conversation_id=conversation.conversation_id if conversation else "",
                    expires_at=now + life,
                )
                for kind in kinds
            )
        return token

    def look(self, token: str, *kinds: LinkKind) -> OpenLink:
        """Whose link this is, without using it. Raises OneTimeRefused when it works for none of ``kinds``."""
        with self._database.read() as session:
            return _open(session, token, kinds)

    def claim(self, token: str, kind: LinkKind) -> Customer:
        """Use it; of two that try, one can. Raises OneTimeRefused."""
        with self._database.write() as session:
            customer = _open(session, token, (kind,)).customer
            claimed = session.execute(
                update(OneTimeLinkRow)
                .where(_is(token, kind), OneTimeLinkRow.used_at.is_(None))
                .values(used_at=clock.now())
                .returning(OneTimeLinkRow.kind)
            ).first()
        if claimed is None:
            raise OneTimeRefused(OneTimeReason.USED)
        return customer

    def give_back(self, token: str, kind: LinkKind) -> None:
        """What it was claimed for didn't happen: let it be tried again."""
        with self._database.write() as session:
            session.execute(update(OneTimeLinkRow).where(_is(token, kind)).values(used_at=None))


def digest(secret: str) -> str:
    """As the tables keep what travels in a URL."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _is(token: str, kind: LinkKind) -> ColumnElement[bool]:
    return and_(OneTimeLinkRow.token_hash == digest(token), OneTimeLinkRow.kind == kind.value)


def _open(session: Session, token: str, kinds: tuple[LinkKind, ...]) -> OpenLink:
    found = session.execute(
        select(OneTimeLinkRow, CustomerRow)
        .join(CustomerRow, CustomerRow.id == OneTimeLinkRow.customer_id)
        .where(
            OneTimeLinkRow.token_hash == digest(token),
            OneTimeLinkRow.kind.in_([kind.value for kind in kinds]),
            CustomerRow.erasing_at.is_(None),
        )
    ).all()
    if not found:
        raise OneTimeRefused(OneTimeReason.UNKNOWN)
    unused = [link for link, _ in found if link.used_at is None]
    if not unused:
        raise OneTimeRefused(OneTimeReason.USED)
    left = unused[0].expires_at - clock.now()
    if left <= timedelta(0):
        raise OneTimeRefused(OneTimeReason.EXPIRED)
    link, row = found[0]
    profile = CustomerProfile(row.time_zone, row.locale)
    customer = Customer(row.id, link.conversation_id, link.channel or CHANNEL, profile)
    still = {link.kind for link in unused}
    return OpenLink(customer, tuple(kind for kind in kinds if kind.value in still), left)
