"""Consents that have ended here and have yet to be ended at the bank.

A consent ends here at once: when a bank is disconnected, when a new link takes the old one's place, when a customer
is erased. What the bank knows it by then waits here, sealed under a key of its own that names nobody, until the
bank has been told; then that key is destroyed. A bank that is down is told later, after growing pauses.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from assistant.banking import clock
from assistant.banking.errors import BankingError, BankUnavailable, NotLinked, RateLimited
from assistant.connectors.tokens import TokenSet
from assistant.customers.consent import DAYS
from assistant.customers.gate import Gate
from assistant.customers.vault import from_bytes, to_bytes
from assistant.storage.db import LockTimeout
from assistant.storage.keys import KeyDestroyed
from assistant.storage.open import Storage
from assistant.storage.tables import RevocationRow

logger = logging.getLogger(__name__)

#: After a try that failed, doubled each time up to the longest.
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=5), timedelta(hours=6)
#: What a bank was never told of in all this time has ended there by itself: no consent is for longer.
LIFE = timedelta(days=DAYS)
_OWNER = "revocation:"
#: A key without a row this old was made by a process killed before it wrote the row.
_ORPHAN = timedelta(hours=1)


class Revocations:
    def __init__(self, storage: Storage, gate: Gate) -> None:
        self._database = storage.database
        self._keys = storage.keys
        self._gate = gate

    def add_within(self, session: Session, customer_id: str | None, bank_id: str, tokens: TokenSet) -> str:
        """In the transaction that ends the link here, so that neither is without the other. Returns its id.

        ``customer_id`` None: of a link that was never made.
        """
        id = secrets.token_hex(16)
        now = clock.now()
        sealed = self._keys.cipher_or_new(_OWNER + id).seal(to_bytes(tokens), _place(id))
        session.add(
            RevocationRow(
                id=id, customer_id=customer_id, bank_id=bank_id, tokens=sealed, since=now, next_at=now, tries=0
            )
        )
        session.flush()
        return id

    def tell(self, id: str) -> bool:
        """Tell the bank now. False when it can't be told yet; ``finish`` goes on trying. Safe to repeat."""
        with self._database.read() as session:
            row = session.get(RevocationRow, id)
        if row is None:
            return True
        try:
            self._gate.end(row.bank_id, _Waiting(self, id, row.bank_id))
        except (BankUnavailable, RateLimited) as error:
            logger.warning("bank %s could not be told of a consent's end yet: %s", row.bank_id, error.code)
            self._postpone(id, row.tries)
            return False
        except BankingError as error:
            # The bank knows nothing of it any more, which is what we wanted.
            logger.info("bank %s at the end of a consent: %s", row.bank_id, type(error).__name__)
        self._drop(id)
        return True

    def of(self, customer_id: str) -> tuple[RevocationRow, ...]:
        """Those of one customer that still wait, oldest first."""
        mine = select(RevocationRow).where(RevocationRow.customer_id == customer_id).order_by(RevocationRow.since)
        with self._database.read() as session:
            return tuple(session.scalars(mine))

    def finish(self) -> None:
        """Housekeeping: tell the banks whose time has come again; let go of what has outlived itself."""
        now = clock.now()
        with self._database.read() as session:
            rows = session.execute(select(RevocationRow.id, RevocationRow.bank_id, RevocationRow.since)).all()
            due = set(session.scalars(select(RevocationRow.id).where(RevocationRow.next_at <= now)))
        for id, bank_id, since in rows:
            if since + LIFE <= now:
                logger.error("bank %s was never told of a consent's end; it has run out there", bank_id)
                self._drop(id)
            elif id in due:
                self.tell(id)
        kept = {_OWNER + id for id, _, _ in rows}
        for owner in self._keys.owners(_OWNER, before=now - _ORPHAN):
            if owner not in kept:
                self._keys.destroy(owner)

    def load(self, id: str, bank_id: str) -> TokenSet:
        """Raises NotLinked when the bank has been told meanwhile."""
        with self._database.read() as session:
            sealed = session.scalars(select(RevocationRow.tokens).where(RevocationRow.id == id)).first()
        if sealed is None:
            raise NotLinked("told already", bank_id=bank_id)
        try:
            return from_bytes(self._keys.cipher(_OWNER + id).open(sealed, _place(id)))
        except KeyDestroyed:
            raise NotLinked("told already", bank_id=bank_id) from None

    def save(self, id: str, bank_id: str, tokens: TokenSet) -> None:
        """Tokens the bank rotated while it was being told. Raises NotLinked as ``load``."""
        try:
            sealed = self._keys.cipher(_OWNER + id).seal(to_bytes(tokens), _place(id))
        except KeyDestroyed:
            raise NotLinked("told already", bank_id=bank_id) from None
        with self._database.write() as session:
            session.execute(update(RevocationRow).where(RevocationRow.id == id).values(tokens=sealed))

    @contextmanager
    def lock(self, id: str, bank_id: str) -> Iterator[None]:
        try:
            with self._database.lock(_OWNER + id):
                yield
        except LockTimeout as error:
            raise BankUnavailable("told elsewhere, and slowly", bank_id=bank_id, slow=True) from error

    def _postpone(self, id: str, tries: int) -> None:
        pause = min(FIRST_PAUSE * 2 ** min(tries, 16), LONGEST_PAUSE)
        with self._database.write() as session:
            session.execute(
                update(RevocationRow).where(RevocationRow.id == id).values(tries=tries + 1, next_at=clock.now() + pause)
            )

    def _drop(self, id: str) -> None:
        self._keys.destroy(_OWNER + id)
        with self._database.write() as session:
            session.execute(delete(RevocationRow).where(RevocationRow.id == id))


class _Waiting:
    """The TokenStore (see connectors.tokens) of one consent that waits to be ended."""

    def __init__(self, queue: Revocations, id: str, bank_id: str) -> None:
        self._queue = queue
        self._which = id, bank_id

    def load(self) -> TokenSet:
        return self._queue.load(*self._which)

    def save(self, tokens: TokenSet) -> None:
        self._queue.save(*self._which, tokens)

    @contextmanager
    def lock(self) -> Iterator[None]:
        with self._queue.lock(*self._which):
            yield


def _place(id: str) -> str:
    return f"revocations.tokens:{id}"
