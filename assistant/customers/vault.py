"""The token vault: one customer's links to her banks, sealed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from assistant.banking import clock
from assistant.banking.errors import BankUnavailable, NotLinked
from assistant.connectors.tokens import TokenSet
from assistant.customers.identity import key_owner
from assistant.storage.db import Database, LockTimeout
from assistant.storage.keys import KeyDestroyed, KeyRing
from assistant.storage.tables import BankLinkRow

_LINKS = (
    select(BankLinkRow.bank_id, BankLinkRow.state, BankLinkRow.linked_at, BankLinkRow.refreshed_at)
    .where(BankLinkRow.customer_id == bindparam("customer"))
    .order_by(BankLinkRow.linked_at)
)


class LinkState(str, Enum):
    ACTIVE = "active"
    EXPIRED = "expired"  #: the bank no longer accepts it; only reconnecting helps
    REVOKING = "revoking"  #: disconnected by the customer; the bank has yet to be told


@dataclass(frozen=True, slots=True)
class Link:
    bank_id: str
    state: LinkState
    linked_at: datetime
    refreshed_at: datetime


class LinkTokens:
    """The TokenStore (see connectors.tokens) of one link."""

    def __init__(self, database: Database, keys: KeyRing, customer_id: str, bank_id: str) -> None:
        self._database = database
        self._keys = keys
        self._customer_id = customer_id
        self._bank_id = bank_id
        self._this = (BankLinkRow.customer_id == customer_id, BankLinkRow.bank_id == bank_id)

    def __repr__(self) -> str:
        return f"LinkTokens(bank_id={self._bank_id!r})"

    def load(self) -> TokenSet:
        with self._database.read() as session:
            sealed = session.scalars(select(BankLinkRow.tokens).where(*self._this)).first()
        if sealed is None:
            raise NotLinked("no link", bank_id=self._bank_id)
        try:
            return from_bytes(self._keys.cipher(key_owner(self._customer_id)).open(sealed, _place(self._bank_id)))
        except KeyDestroyed:
            raise NotLinked("customer was erased", bank_id=self._bank_id) from None

    def save(self, tokens: TokenSet) -> None:
        """Raises NotLinked when the link was removed meanwhile: a refresh must not bring it back."""
        try:
            sealed = self._keys.cipher(key_owner(self._customer_id)).seal(to_bytes(tokens), _place(self._bank_id))
        except KeyDestroyed:
            raise NotLinked("customer was erased", bank_id=self._bank_id) from None
        change = update(BankLinkRow).where(*self._this).values(tokens=sealed, refreshed_at=clock.now())
        with self._database.write() as session:
            saved = session.execute(change.returning(BankLinkRow.id)).first()
        if saved is None:
            raise NotLinked("link was removed", bank_id=self._bank_id)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Raises BankUnavailable when another process holds it for longer than any refresh takes."""
        try:
            with self._database.lock(f"link {self._customer_id} {self._bank_id}"):
                yield
        except LockTimeout as error:
            raise BankUnavailable("refresh elsewhere takes too long", bank_id=self._bank_id, slow=True) from error


class Vault:
    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database = database
        self._keys = keys

    def links(self, customer_id: str) -> tuple[Link, ...]:
        """The customer's links, oldest first, whatever their state."""
        rows = self._database.ask(_LINKS, customer=customer_id)
        return tuple(Link(row.bank_id, LinkState(row.state), row.linked_at, row.refreshed_at) for row in rows)

    def tokens(self, customer_id: str, bank_id: str) -> LinkTokens:
        return LinkTokens(self._database, self._keys, customer_id, bank_id)

    def put_within(self, session: Session, customer_id: str, bank_id: str, tokens: TokenSet) -> None:
        """Link, or replace the link there is: never a second one. Hold the link's lock while you do."""
        self.remove_within(session, customer_id, bank_id)
        now = clock.now()
        session.add(
            BankLinkRow(
                customer_id=customer_id,
                bank_id=bank_id,
                state=LinkState.ACTIVE.value,
                tokens=self._keys.cipher(key_owner(customer_id)).seal(to_bytes(tokens), _place(bank_id)),
                linked_at=now,
                refreshed_at=now,
            )
        )
        session.flush()

    def mark(self, customer_id: str, bank_id: str, state: LinkState) -> None:
        with self._database.write() as session:
            self.mark_within(session, customer_id, bank_id, state)

    def mark_within(self, session: Session, customer_id: str, bank_id: str, state: LinkState) -> None:
        session.execute(
            update(BankLinkRow)
            .where(BankLinkRow.customer_id == customer_id, BankLinkRow.bank_id == bank_id)
            .values(state=state.value)
        )

    def expired(self, customer_id: str, bank_id: str, asked_at: datetime) -> None:
        """Note that the bank refused the link when it was asked then. One made anew since stays as it is."""
        with self._database.write() as session:
            session.execute(
                update(BankLinkRow)
                .where(
                    BankLinkRow.customer_id == customer_id,
                    BankLinkRow.bank_id == bank_id,
                    BankLinkRow.state == LinkState.ACTIVE.value,
                    BankLinkRow.linked_at <= asked_at,
                )
                .values(state=LinkState.EXPIRED.value)
            )

    def remove_within(self, session: Session, customer_id: str, bank_id: str) -> None:
        session.execute(
            delete(BankLinkRow).where(BankLinkRow.customer_id == customer_id, BankLinkRow.bank_id == bank_id)
        )

    def state_within(self, session: Session, customer_id: str, bank_id: str) -> LinkState | None:
        """None when there is no link."""
        query = select(BankLinkRow.state).where(BankLinkRow.customer_id == customer_id, BankLinkRow.bank_id == bank_id)
        state = session.scalars(query).first()
        return None if state is None else LinkState(state)

    def in_state(self, state: LinkState) -> tuple[tuple[str, str], ...]:
        """Customer id and bank id of every link in that state."""
        query = select(BankLinkRow.customer_id, BankLinkRow.bank_id).where(BankLinkRow.state == state.value)
        with self._database.read() as session:
            return tuple((customer_id, bank_id) for customer_id, bank_id in session.execute(query))


def _place(bank_id: str) -> str:
    return f"bank_links.tokens:{bank_id}"


def to_bytes(tokens: TokenSet) -> bytes:
    """What is sealed of tokens."""
    expires_at = tokens.expires_at.isoformat() if tokens.expires_at else None
    return json.dumps(
        {
            "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token,
            "expires_at": expires_at,
            "scope": tokens.scope,
            "id_token": tokens.id_token,
            "consent_id": tokens.consent_id,
        }
    ).encode()


def from_bytes(plain: bytes) -> TokenSet:
    """The other way of ``to_bytes``."""
    values = json.loads(plain)
    if values["expires_at"]:
        values["expires_at"] = datetime.fromisoformat(values["expires_at"])
    return TokenSet(**values)
