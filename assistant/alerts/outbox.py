"""The outbox: an alert and its place in the queue of what is to be sent are kept in one commit, or neither is."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from assistant.alerts.alert import Found
from assistant.alerts.desk import place
from assistant.alerts.kinds import KINDS, AlertKind
from assistant.alerts.words import sealed_words
from assistant.banking import clock
from assistant.storage.db import Database
from assistant.storage.seal import Cipher
from assistant.storage.tables import AlertDeliveryRow, AlertRow

#: A delivery that is being tried belongs to its worker for so long; channels answer within 30 seconds.
CLAIM = timedelta(seconds=90)
#: No wait is longer than this. What seems to be due later was written before the clock was set back.
LONGEST_WAIT = timedelta(days=2)
#: Told and done: how long alerts are kept.
KEPT = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Due:
    """One delivery that this worker has claimed. ``key`` is the same at every try."""

    alert_id: str
    kind: AlertKind
    bank_id: str
    expires_at: datetime
    urgent: bool
    attempts: int
    key: str
    tried: tuple[str, ...]


class Outbox:
    def __init__(self, database: Database) -> None:
        self._database = database

    def put_within(
        self, session: Session, cipher: Cipher, customer_id: str, bank_id: str, found: Iterable[Found]
    ) -> int:
        """As part of the transaction that keeps what was seen. What was put before under the same key is not put
        again. Returns how many are new."""
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        now, new = clock.now(), 0
        for each in found:
            alert_id = secrets.token_hex(12)
            row = {
                "id": alert_id,
                "customer_id": customer_id,
                "bank_id": bank_id,
                "kind": each.kind.value,
                "mark": cipher.mac(f"alert/{bank_id}/{each.kind.value}/{each.key}".encode()).hex(),
                "made_at": now,
                "expires_at": now + KINDS[each.kind].keeps,
                "sealed": cipher.seal(sealed_words(each.say, each.transactions), place(alert_id)),
            }
            put = insert(AlertRow).values(row).on_conflict_do_nothing(index_elements=["customer_id", "mark"])
            if session.execute(put.returning(AlertRow.id)).first() is None:
                continue
            session.add(
                AlertDeliveryRow(
                    alert_id=alert_id, customer_id=customer_id, state="due", due_at=now, urgent=KINDS[each.kind].urgent
                )
            )
            session.flush()
            new += 1
        return new

    def customers_due(self, limit: int = 100) -> tuple[str, ...]:
        """Whose deliveries can be tried now, urgent ones first."""
        query = (
            select(AlertDeliveryRow.customer_id)
            .where(*_open(clock.now()))
            .order_by(AlertDeliveryRow.urgent.desc(), AlertDeliveryRow.due_at)
            .limit(limit * 4)
        )
        with self._database.read() as session:
            return tuple(dict.fromkeys(session.scalars(query)))[:limit]

    def claim(self, customer_id: str) -> tuple[Due, ...]:
        """Everything of hers that is due, for this worker alone until the claim ends; the oldest first."""
        now = clock.now()
        with self._database.write() as session:
            self._database.serialize(session, f"alert deliveries {customer_id}")
            rows = session.execute(
                select(AlertDeliveryRow, AlertRow)
                .join(AlertRow, AlertRow.id == AlertDeliveryRow.alert_id)
                .where(AlertDeliveryRow.customer_id == customer_id, *_open(now))
                .order_by(AlertRow.made_at, AlertRow.id)
            ).all()
            for delivery, _ in rows:
                delivery.claimed_until = now + CLAIM
                delivery.attempts += 1
                delivery.key = delivery.key or delivery.alert_id
            return tuple(
                Due(
                    alert.id,
                    AlertKind(alert.kind),
                    alert.bank_id,
                    alert.expires_at,
                    delivery.urgent,
                    delivery.attempts,
                    delivery.key,
                    tuple(filter(None, delivery.tried.split(","))),
                )
                for delivery, alert in rows
            )

    def together(self, due: Sequence[Due]) -> str:
        """The key under which these are sent as one, kept before they are sent: tried again, they stay together."""
        key = due[0].key
        self._set([each.alert_id for each in due], key=key)
        return key

    def sent(self, due: Sequence[Due], channel: str) -> None:
        self._set(
            [each.alert_id for each in due], state="sent", channel=channel, done_at=clock.now(), claimed_until=None
        )

    def later(self, due: Sequence[Due], at: datetime, *, counts: bool = True) -> None:
        """Try again at ``at``. Without ``counts`` it was not tried: quiet hours are nobody's failure."""
        for each in due:
            attempts = each.attempts if counts else each.attempts - 1
            self._set([each.alert_id], due_at=at, attempts=attempts, claimed_until=None)

    def closed(self, due: Sequence[Due], channel: str) -> None:
        """This channel can't take them; another may. They stay claimed meanwhile."""
        for each in due:
            self._set([each.alert_id], tried=",".join((*each.tried, channel))[:200])

    def wait(self, due: Sequence[Due]) -> None:
        """No channel can take them: they are told in her next conversation."""
        self._set([each.alert_id for each in due], state="waiting", claimed_until=None)

    def let_go(self, due: Sequence[Due]) -> None:
        """Stale, or not wanted any more."""
        self._set([each.alert_id for each in due], state="stale", done_at=clock.now(), claimed_until=None)

    def sent_since(self, customer_id: str, since: datetime) -> int:
        """How many messages that were not urgent she has had since."""
        query = select(AlertDeliveryRow.key).where(
            AlertDeliveryRow.customer_id == customer_id,
            AlertDeliveryRow.state == "sent",
            AlertDeliveryRow.urgent.is_(False),
            AlertDeliveryRow.done_at >= since,
        )
        with self._database.read() as session:
            return len(set(session.scalars(query)))

    def forget_old(self) -> None:
        """Retention."""
        with self._database.write() as session:
            session.execute(delete(AlertRow).where(AlertRow.made_at < clock.now() - KEPT))

    def _set(self, alert_ids: Sequence[str], **values: object) -> None:
        change = update(AlertDeliveryRow).where(
            AlertDeliveryRow.alert_id.in_(alert_ids), AlertDeliveryRow.state == "due"
        )
        with self._database.write() as session:
            session.execute(change.values(**values))


def _open(now: datetime) -> tuple[ColumnElement[bool], ...]:
    """Due and nobody's. A time further ahead than anything waits was written on a clock that ran ahead."""
    due, claimed = AlertDeliveryRow.due_at, AlertDeliveryRow.claimed_until
    return (
        AlertDeliveryRow.state == "due",
        or_(due <= now, due > now + LONGEST_WAIT),
        or_(claimed.is_(None), claimed <= now, claimed > now + 2 * CLAIM),
    )
