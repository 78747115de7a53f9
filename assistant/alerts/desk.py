"""Where conversations meet alerts: what waits to be told, which one is asked about, and the answer."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import select, update

from assistant.alerts.alert import Alert, Answer
from assistant.alerts.kinds import KINDS, AlertKind
from assistant.alerts.words import opened_words
from assistant.banking import clock
from assistant.customers.identity import key_owner
from assistant.storage.open import Storage
from assistant.storage.tables import AlertDeliveryRow, AlertRow

_ASKING = tuple(kind.value for kind, facts in KINDS.items() if facts.asks)


class AlertDesk:
    """``taught`` is called with an alert after its answer changed, for whoever learns from it."""

    def __init__(self, storage: Storage, taught: Callable[[Alert], None] | None = None) -> None:
        self._database = storage.database
        self._keys = storage.keys
        self._taught = taught

    def get(self, customer_id: str, alert_id: str) -> Alert:
        """Raises LookupError unless it is hers."""
        with self._database.read() as session:
            row = session.get(AlertRow, alert_id)
        if row is None or row.customer_id != customer_id:
            raise LookupError("no such alert")
        return self._alert(row)

    def waiting(self, customer_id: str) -> tuple[Alert, ...]:
        """What no channel could take and is still worth telling, the oldest first. Say it, then call ``told``."""
        query = (
            select(AlertRow)
            .join(AlertDeliveryRow, AlertDeliveryRow.alert_id == AlertRow.id)
            .where(
                AlertRow.customer_id == customer_id,
                AlertDeliveryRow.state == "waiting",
                AlertRow.expires_at > clock.now(),
            )
            .order_by(AlertRow.made_at, AlertRow.id)
        )
        with self._database.read() as session:
            rows = session.scalars(query).all()
        return tuple(self._alert(row) for row in rows)

    def told(self, customer_id: str, alert_id: str, channel: str) -> bool:
        """She was told in a conversation. False when somebody else told her first: then don't."""
        change = (
            update(AlertDeliveryRow)
            .where(
                AlertDeliveryRow.alert_id == alert_id,
                AlertDeliveryRow.customer_id == customer_id,
                AlertDeliveryRow.state == "waiting",
            )
            .values(state="sent", channel=channel, done_at=clock.now())
            .returning(AlertDeliveryRow.alert_id)
        )
        with self._database.write() as session:
            return session.execute(change).first() is not None

    def question(self, customer_id: str) -> Alert | None:
        """The alert that a bare "no, that wasn't me" is about: the newest told that asks and has no answer."""
        query = (
            select(AlertRow)
            .join(AlertDeliveryRow, AlertDeliveryRow.alert_id == AlertRow.id)
            .where(
                AlertRow.customer_id == customer_id,
                AlertRow.kind.in_(_ASKING),
                AlertRow.answer.is_(None),
                AlertDeliveryRow.state == "sent",
                AlertRow.expires_at > clock.now(),
            )
            .order_by(AlertDeliveryRow.done_at.desc(), AlertRow.id)
            .limit(1)
        )
        with self._database.read() as session:
            row = session.scalars(query).first()
        return self._alert(row) if row else None

    def answer(self, customer_id: str, alert_id: str, answer: Answer) -> Alert:
        """Keep her answer and teach the score. Given again it changes nothing; given otherwise, the last one counts.
        Locking the card and disputing are the caller's. Raises LookupError unless the alert is hers."""
        return self._answered(customer_id, alert_id, answer)

    def take_back(self, customer_id: str, alert_id: str) -> Alert:
        """As if she had not answered. Raises LookupError unless the alert is hers."""
        return self._answered(customer_id, alert_id, None)

    def _answered(self, customer_id: str, alert_id: str, answer: Answer | None) -> Alert:
        value = answer.value if answer else None
        this = (AlertRow.id == alert_id, AlertRow.customer_id == customer_id)
        with self._database.write() as session:
            session.execute(
                update(AlertRow)
                .where(*this, AlertRow.answer.is_distinct_from(value))
                .values(answer=value, answered_at=clock.now() if answer else None)
            )
        alert = self.get(customer_id, alert_id)
        if self._taught is not None:
            self._taught(alert)
        return alert

    def _alert(self, row: AlertRow) -> Alert:
        plain = self._keys.cipher(key_owner(row.customer_id)).open(row.sealed, place(row.id))
        say, transactions = opened_words(plain)
        return Alert(
            id=row.id,
            customer_id=row.customer_id,
            bank_id=row.bank_id,
            kind=AlertKind(row.kind),
            say=say,
            transactions=transactions,
            made_at=row.made_at,
            expires_at=row.expires_at,
            answer=Answer(row.answer) if row.answer else None,
            answered_at=row.answered_at,
        )


def place(alert_id: str) -> str:
    """Where its words are sealed."""
    return f"alerts.sealed:{alert_id}"
