"""What a customer has said yes to: per bank, per channel, per purpose; dated, versioned, ending, revocable.

The ledger is the only record. What is in force is read from it each time, so a withdrawal works at once, in
every process, and a consent nobody recorded can't exist.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from assistant.banking import clock
from assistant.banking.purpose import Purpose
from assistant.customers.ledger import Action, Entry, Ledger, Verdict
from assistant.storage.db import Database
from assistant.storage.tables import CustomerRow

#: The wording of the purposes that customers agree to. When its meaning changes, count up: every consent to
#: an older one ends, and is asked for again.
TEXT_VERSION = "1"
#: A consent ends after a year unless it is renewed (12 CFR 1033.421(b)).
DAYS = 365
#: How long before its end renewal is offered.
RENEWAL_NOTICE = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Consent:
    """One purpose that is on. ``expires_at`` aware, UTC."""

    bank_id: str
    channel: str
    purpose: Purpose
    granted_at: datetime
    expires_at: datetime
    version: str


class Consents:
    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger

    def grant(self, customer_id: str, bank_id: str, channel: str, purposes: Iterable[Purpose]) -> None:
        """Switch purposes on, from now for a year. What is on already is renewed."""
        self._recorded(lambda session: self.grant_within(session, customer_id, bank_id, channel, purposes))

    def grant_within(
        self, session: Session, customer_id: str, bank_id: str, channel: str, purposes: Iterable[Purpose]
    ) -> None:
        """As ``grant``, as part of a larger transaction."""
        for purpose in dict.fromkeys(purposes):
            self._ledger.append(
                session,
                Action.GRANTED,
                customer_id=customer_id,
                bank_id=bank_id,
                channel=channel,
                purpose=Purpose(purpose),
                version=TEXT_VERSION,
                expires_at=clock.now() + timedelta(days=DAYS),
            )

    def withdraw(
        self,
        customer_id: str,
        purposes: Iterable[Purpose],
        *,
        bank_id: str | None = None,
        channel: str | None = None,
    ) -> tuple[Consent, ...]:
        """Switch purposes off, everywhere unless a bank or channel is given. Returns what was on."""
        ended: list[Consent] = []

        def record(session: Session) -> None:
            ended.extend(self.withdraw_within(session, customer_id, purposes, bank_id=bank_id, channel=channel))

        self._recorded(record)
        return tuple(ended)

    def withdraw_within(
        self,
        session: Session,
        customer_id: str,
        purposes: Iterable[Purpose],
        *,
        bank_id: str | None = None,
        channel: str | None = None,
    ) -> tuple[Consent, ...]:
        """As ``withdraw``, as part of a larger transaction."""
        wanted = set(purposes)
        ended = tuple(
            consent
            for consent in _in_force(self._ledger.entries(customer_id, session), clock.now())
            if consent.purpose in wanted and bank_id in (None, consent.bank_id) and channel in (None, consent.channel)
        )
        for consent in ended:
            self._ledger.append(
                session,
                Action.WITHDRAWN,
                customer_id=customer_id,
                bank_id=consent.bank_id,
                channel=consent.channel,
                purpose=consent.purpose,
                version=consent.version,
            )
        return ended

    def in_force(self, customer_id: str) -> tuple[Consent, ...]:
        """What is on now, oldest first."""
        return _in_force(self._ledger.entries(customer_id), clock.now())

    def is_live(self, customer_id: str, bank_id: str, channel: str, purpose: Purpose) -> bool:
        """Whether the bank may be asked for this purpose on this channel, now. The gate's question."""
        entry = self._ledger.last(customer_id, bank_id, channel, purpose)
        return entry is not None and _consent(entry, clock.now()) is not None

    def history(self, customer_id: str) -> tuple[Entry, ...]:
        """Every yes and no, oldest first."""
        return self._ledger.entries(customer_id)

    def renewals_due(self, within: timedelta = RENEWAL_NOTICE) -> tuple[tuple[str, Consent], ...]:
        """Consents of all customers that end soon: (customer id, consent)."""
        soon = clock.now() + within
        with self._database.read() as session:
            ids = session.scalars(select(CustomerRow.id).where(CustomerRow.erasing_at.is_(None))).all()
        return tuple(
            (customer_id, consent)
            for customer_id in ids
            for consent in self.in_force(customer_id)
            if consent.expires_at <= soon
        )

    def anchor(self) -> None:
        """After a transaction of one's own with ``..._within``: see customers.ledger."""
        self._ledger.anchor()

    def verify(self) -> Verdict:
        """Whether the ledger is whole (see customers.ledger)."""
        return self._ledger.verify()

    def _recorded(self, change: Callable[[Session], None]) -> None:
        with self._database.write() as session:
            change(session)
        self._ledger.anchor()


def _in_force(entries: Iterable[Entry], now: datetime) -> tuple[Consent, ...]:
    newest = {(entry.bank_id, entry.channel, entry.purpose): entry for entry in entries}
    consents = (_consent(entry, now) for entry in newest.values())
    return tuple(consent for consent in consents if consent is not None)


def _consent(entry: Entry, now: datetime) -> Consent | None:
    """The consent that ``entry`` gives at ``now``, if any."""
    if entry.action is not Action.GRANTED or entry.version != TEXT_VERSION:
        return None
    if entry.expires_at is None or entry.expires_at <= now:
        return None
    return Consent(entry.bank_id, entry.channel, entry.purpose, entry.at, entry.expires_at, entry.version)
