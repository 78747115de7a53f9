"""Which links are watched, and when to look at each again."""

from __future__ import annotations

import logging
import random
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from assistant.alerts.outbox import LONGEST_WAIT
from assistant.banking import clock
from assistant.banking.purpose import Purpose
from assistant.customers.identity import Customer
from assistant.customers.service import Customers
from assistant.customers.vault import LinkState
from assistant.storage.tables import AlertDeliveryRow, AlertRow, AlertWatchRow, CustomerRow

logger = logging.getLogger(__name__)

#: A look that takes longer is given to another worker.
CLAIM = timedelta(minutes=3)
#: Customers are spread over so many partitions; a worker that is told its own looks at no others.
PARTITIONS = 64


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often to look where the bank doesn't push: ``within`` so long after something happened, every ``every``. What
    one finds a minute after it happened nobody calls late; a card that rests for a week can wait an hour."""

    within: timedelta
    every: timedelta


RHYTHMS = (
    Rhythm(timedelta(hours=2), timedelta(minutes=1)),
    Rhythm(timedelta(days=1), timedelta(minutes=5)),
    Rhythm(timedelta(days=7), timedelta(minutes=20)),
)
SELDOM = timedelta(hours=1)
_JITTER = 0.2
#: After a failure, doubled for each one in a row.
_FIRST_PAUSE = timedelta(seconds=30)
_LONGEST_PAUSE = timedelta(hours=1)


def next_look(now: datetime, active_at: datetime) -> datetime:
    """When to look again after a look that went well."""
    rest = now - active_at
    every = next((rhythm.every for rhythm in RHYTHMS if rest <= rhythm.within), SELDOM)
    return now + _spread(every)


def after_failure(now: datetime, failures: int, retry_at: datetime | None = None) -> datetime:
    """When to look again after the ``failures``-th failure in a row; not before the bank said."""
    pause = _spread(min(_FIRST_PAUSE * 2.0 ** min(failures - 1, 12), _LONGEST_PAUSE))
    return max(now + pause, retry_at) if retry_at else now + pause


def _spread(wait: timedelta) -> timedelta:
    return wait * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  # spreads load, guards nothing


@dataclass(slots=True)
class Budget:
    """Looks that a bank allows: ``per_minute``, in no larger bursts than that. One for each bank and process."""

    per_minute: int = 600
    _left: float = field(default=-1.0, init=False)
    _at: float = field(default=0.0, init=False)

    def take(self, monotonic: float) -> bool:
        """Whether one more look is within it, now."""
        if self._left < 0:
            self._left, self._at = float(self.per_minute), monotonic
        self._left = min(self.per_minute, self._left + (monotonic - self._at) * self.per_minute / 60)
        self._at = monotonic
        if self._left < 1:
            return False
        self._left -= 1
        return True


@dataclass(frozen=True, slots=True)
class Watch:
    """One link to look at. ``asked``: pushes so far, to know afterwards whether another came meanwhile."""

    customer_id: str
    bank_id: str
    asked: int
    failures: int


def partition_of(customer_id: str) -> int:
    return zlib.crc32(customer_id.encode()) % PARTITIONS


class Watches:
    def __init__(self, customers: Customers) -> None:
        self._customers = customers
        self._database = customers.storage.database

    def follow(self) -> None:
        """Watch every link with a live consent to alerts; stop watching the others, and forget what was seen there.
        What is still to be sent about a bank without consent is let go."""
        wanted = set(self._wanted())
        with self._database.read() as session:
            rows = session.execute(select(AlertWatchRow.customer_id, AlertWatchRow.bank_id))
            known = {(customer_id, bank_id) for customer_id, bank_id in rows}
        for customer_id, bank_id in known - wanted:
            self.forget(customer_id, bank_id)
        for customer_id, bank_id in wanted - known:
            self._begin(customer_id, bank_id)

    def forget(self, customer_id: str, bank_id: str) -> None:
        """Stop watching, and let go of what was not told yet."""
        unsent = select(AlertRow.id).where(AlertRow.customer_id == customer_id, AlertRow.bank_id == bank_id)
        with self._database.write() as session:
            session.execute(
                delete(AlertWatchRow).where(AlertWatchRow.customer_id == customer_id, AlertWatchRow.bank_id == bank_id)
            )
            session.execute(
                update(AlertDeliveryRow)
                .where(AlertDeliveryRow.alert_id.in_(unsent), AlertDeliveryRow.state.in_(("due", "waiting")))
                .values(state="stale", done_at=clock.now())
            )

    def push(self, customer_id: str, bank_id: str) -> bool:
        """The bank says that there is something new: look now. Once or forty times is the same; False for a link that
        is not watched."""
        change = (
            update(AlertWatchRow)
            .where(AlertWatchRow.customer_id == customer_id, AlertWatchRow.bank_id == bank_id)
            .values(asked=AlertWatchRow.asked + 1, due_at=clock.now())
            .returning(AlertWatchRow.bank_id)
        )
        with self._database.write() as session:
            return session.execute(change).first() is not None

    def due(self, limit: int, mine: Callable[[str], bool] = lambda _: True) -> tuple[Watch, ...]:
        """Links to look at now, pushed ones first, then the most active; claimed for this worker."""
        now = clock.now()
        order = ((AlertWatchRow.asked > AlertWatchRow.answered).desc(), AlertWatchRow.active_at.desc())
        with self._database.write() as session:
            query = select(AlertWatchRow).where(*_open(now)).order_by(*order).limit(limit * 4)
            if not self._database.is_sqlite:
                query = query.with_for_update(skip_locked=True)
            rows = [row for row in session.scalars(query) if mine(row.customer_id)][:limit]
            for row in rows:
                row.claimed_until = now + CLAIM
            return tuple(Watch(row.customer_id, row.bank_id, row.asked, row.failures) for row in rows)

    def claim(self, customer_id: str, bank_id: str) -> Watch | None:
        """One link, whether it is due or not; None when another worker has it."""
        now = clock.now()
        with self._database.write() as session:
            row = session.get(AlertWatchRow, (customer_id, bank_id), with_for_update=True)
            if row is None or (row.claimed_until and now < row.claimed_until <= now + 2 * CLAIM):
                return None
            row.claimed_until = now + CLAIM
            return Watch(customer_id, bank_id, row.asked, row.failures)

    def failed(self, watch: Watch, at: datetime) -> None:
        """Try again at ``at``."""
        self._set(watch, due_at=at, claimed_until=None, failures=watch.failures + 1)

    def put_off(self, watch: Watch, at: datetime) -> None:
        """Not looked at now, without anything having failed."""
        self._set(watch, due_at=at, claimed_until=None)

    def reader(self, customer_id: str, bank_id: str) -> Customer | None:
        """As whom the bank is read: on a channel with a live consent to alerts there. None: not any more."""
        consents, identities = self._customers.consents, self._customers.identities
        for channel, conversation_id in identities.conversations(customer_id):
            if consents.is_live(customer_id, bank_id, channel, Purpose.ALERTS):
                return identities.resolve(channel, conversation_id)
        return None

    def _wanted(self) -> list[tuple[str, str]]:
        with self._database.read() as session:
            ids = session.scalars(select(CustomerRow.id).where(CustomerRow.erasing_at.is_(None))).all()
        found = []
        for customer_id in ids:
            consented = {
                consent.bank_id
                for consent in self._customers.consents.in_force(customer_id)
                if consent.purpose is Purpose.ALERTS
            }
            links = self._customers.vault.links(customer_id) if consented else ()
            found += [
                (customer_id, link.bank_id)
                for link in links
                if link.bank_id in consented and link.state is not LinkState.REVOKING
            ]
        return found

    def _begin(self, customer_id: str, bank_id: str) -> None:
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        now = clock.now()
        row: Mapping[str, object] = {
            "customer_id": customer_id, "bank_id": bank_id, "due_at": now, "active_at": now,
            "failures": 0, "asked": 0, "answered": 0,
        }  # fmt: skip
        with self._database.write() as session:
            session.execute(insert(AlertWatchRow).values(row).on_conflict_do_nothing())

    def _set(self, watch: Watch, **values: object) -> None:
        with self._database.write() as session:
            session.execute(
                update(AlertWatchRow)
                .where(AlertWatchRow.customer_id == watch.customer_id, AlertWatchRow.bank_id == watch.bank_id)
                .values(**values)
            )


def _open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Due and nobody's. A time further ahead than anything waits was written on a clock that ran ahead."""
    due, claimed = AlertWatchRow.due_at, AlertWatchRow.claimed_until
    return (
        or_(due <= now, due > now + LONGEST_WAIT),
        or_(claimed.is_(None), claimed <= now, claimed > now + 2 * CLAIM),
    )
