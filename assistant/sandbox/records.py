"""What the bank writes down for its customers besides consents: card locks, disputes, purchases made while it runs,
and who wants to be notified. In the same SQLite file as consents, so that it outlives a restart."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

SCHEMA = """
CREATE TABLE IF NOT EXISTS card_lock (
    card_id TEXT PRIMARY KEY, login TEXT NOT NULL, status TEXT NOT NULL, reason TEXT NOT NULL, updated TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS dispute (
    id TEXT PRIMARY KEY, login TEXT NOT NULL, key TEXT NOT NULL, asked TEXT NOT NULL, account_id TEXT NOT NULL,
    transaction_id TEXT NOT NULL, fields TEXT NOT NULL, filed TEXT NOT NULL, withdrawn TEXT NOT NULL DEFAULT '',
    UNIQUE (login, key));
CREATE TABLE IF NOT EXISTS purchase (
    number INTEGER PRIMARY KEY AUTOINCREMENT, login TEXT NOT NULL, fields TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS subscription (
    id TEXT PRIMARY KEY, consent_id TEXT NOT NULL, fields TEXT NOT NULL, seen TEXT NOT NULL,
    bought INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS notice (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, subscription_id TEXT NOT NULL, body TEXT NOT NULL,
    sent_on TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0, due REAL NOT NULL DEFAULT 0,
    state TEXT NOT NULL DEFAULT 'waiting');
CREATE INDEX IF NOT EXISTS notice_waiting ON notice (state, due);
CREATE TABLE IF NOT EXISTS signing_key (name TEXT PRIMARY KEY, pem TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True)
class CardLock:
    """How a card was last set. ``updated`` aware, UTC."""

    status: str
    reason: str
    updated: datetime


@dataclass(frozen=True, slots=True)
class Dispute:
    """``asked`` is a digest of the request that filed it; ``fields`` is what it said. Times aware, UTC."""

    id: str
    login: str
    asked: str
    account_id: str
    transaction_id: str
    fields: dict[str, Any]
    filed: datetime
    withdrawn: datetime | None


@dataclass(frozen=True, slots=True)
class Subscription:
    """``seen`` (aware, UTC), ``bought``: everything up to then, and every purchase up to that number, is told of."""

    id: str
    consent_id: str
    fields: dict[str, Any]
    seen: datetime
    bought: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """One notification to push. ``due`` is a monotonic moment before which it is not tried (again)."""

    number: int
    id: str
    subscription_id: str
    body: str
    sent_on: datetime
    tries: int = 0
    state: str = field(default="waiting")


class Records:
    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.executescript(SCHEMA)
        # Moments of the process before this one mean nothing now.
        db.execute("UPDATE notice SET due = 0 WHERE state = 'waiting'")

    # Cards

    def lock(self, card_id: str) -> CardLock | None:
        row = self._db.execute("SELECT status, reason, updated FROM card_lock WHERE card_id = ?", (card_id,)).fetchone()
        return CardLock(row[0], row[1], datetime.fromisoformat(row[2])) if row else None

    def set_lock(self, card_id: str, login: str, lock: CardLock) -> None:
        self._db.execute(
            "INSERT OR REPLACE INTO card_lock VALUES (?,?,?,?,?)",
            (card_id, login, lock.status, lock.reason, lock.updated.isoformat()),
        )

    # Disputes

    def add_dispute(self, dispute: Dispute, key: str) -> bool:
        """False when this customer has used the key: one statement, so two requests cannot both win."""
        cursor = self._db.execute(
            "INSERT OR IGNORE INTO dispute (id, login, key, asked, account_id, transaction_id, fields, filed) "
            "VALUES (?,?,?,?,?,?,?,?)",
            (
                dispute.id, dispute.login, key, dispute.asked, dispute.account_id, dispute.transaction_id,
                json.dumps(dispute.fields), dispute.filed.isoformat(),
            ),
        )  # fmt: skip
        return cursor.rowcount == 1

    def disputes(self, login: str) -> list[Dispute]:
        """Newest first."""
        rows = self._db.execute(f"{_DISPUTE} WHERE login = ? ORDER BY filed DESC, rowid DESC", (login,))
        return [_dispute(row) for row in rows]

    def dispute_by_key(self, login: str, key: str) -> Dispute | None:
        row = self._db.execute(f"{_DISPUTE} WHERE login = ? AND key = ?", (login, key)).fetchone()
        return _dispute(row) if row else None

    def withdraw(self, dispute_id: str, now: datetime) -> None:
        """The first withdrawal counts."""
        self._db.execute(
            "UPDATE dispute SET withdrawn = ? WHERE id = ? AND withdrawn = ''", (now.isoformat(), dispute_id)
        )

    # Purchases made while the bank runs

    def add_purchase(self, login: str, fields: dict[str, Any]) -> int:
        cursor = self._db.execute("INSERT INTO purchase (login, fields) VALUES (?,?)", (login, json.dumps(fields)))
        return int(cursor.lastrowid or 0)

    def purchases(self, login: str) -> list[tuple[int, dict[str, Any]]]:
        """(number, fields), in the order they were made."""
        rows = self._db.execute("SELECT number, fields FROM purchase WHERE login = ? ORDER BY number", (login,))
        return [(row[0], json.loads(row[1])) for row in rows]

    def last_purchase(self) -> int:
        """The number of the newest, whoever's; 0 before the first."""
        return int(self._db.execute("SELECT COALESCE(MAX(number), 0) FROM purchase").fetchone()[0])

    # Notifications

    def subscribe(self, subscription: Subscription) -> None:
        """One of the same id takes the place of the one before."""
        self._db.execute(
            "INSERT OR REPLACE INTO subscription VALUES (?,?,?,?,?)",
            (
                subscription.id, subscription.consent_id, json.dumps(subscription.fields),
                subscription.seen.isoformat(), subscription.bought,
            ),
        )  # fmt: skip

    def subscription(self, subscription_id: str) -> Subscription | None:
        row = self._db.execute("SELECT * FROM subscription WHERE id = ?", (subscription_id,)).fetchone()
        return _subscription(row) if row else None

    def subscriptions(self) -> list[Subscription]:
        return [_subscription(row) for row in self._db.execute("SELECT * FROM subscription")]

    def unsubscribe(self, subscription_id: str) -> None:
        self._db.execute("DELETE FROM subscription WHERE id = ?", (subscription_id,))
        self._db.execute("DELETE FROM notice WHERE subscription_id = ?", (subscription_id,))

    def saw(self, subscription: Subscription, notices: list[Notice]) -> None:
        """Everything up to ``subscription.seen`` and ``bought`` is told of in ``notices``: both or neither."""
        self._db.execute("BEGIN")
        try:
            self._db.execute(
                "UPDATE subscription SET seen = ?, bought = ? WHERE id = ?",
                (subscription.seen.isoformat(), subscription.bought, subscription.id),
            )
            self._db.executemany(
                "INSERT INTO notice (id, subscription_id, body, sent_on) VALUES (?,?,?,?)",
                [(one.id, one.subscription_id, one.body, one.sent_on.isoformat()) for one in notices],
            )
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def due(self, moment: float, at_most: int) -> list[Notice]:
        rows = self._db.execute(
            "SELECT number, id, subscription_id, body, sent_on, tries, state FROM notice "
            "WHERE state = 'waiting' AND due <= ? ORDER BY number LIMIT ?",
            (moment, at_most),
        )
        return [_notice(row) for row in rows]

    def notices(self, subscription_id: str) -> list[Notice]:
        """Oldest first."""
        rows = self._db.execute(
            "SELECT number, id, subscription_id, body, sent_on, tries, state FROM notice "
            "WHERE subscription_id = ? ORDER BY number",
            (subscription_id,),
        )
        return [_notice(row) for row in rows]

    def tried(self, notice: Notice, state: str, due: float) -> None:
        self._db.execute(
            "UPDATE notice SET tries = tries + 1, state = ?, due = ? WHERE number = ?", (state, due, notice.number)
        )

    # Keys

    def signing_key(self, name: str) -> str:
        row = self._db.execute("SELECT pem FROM signing_key WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else ""

    def keep_signing_key(self, name: str, pem: str) -> None:
        self._db.execute("INSERT OR IGNORE INTO signing_key VALUES (?,?)", (name, pem))


_DISPUTE = "SELECT id, login, asked, account_id, transaction_id, fields, filed, withdrawn FROM dispute"


def _dispute(row: Any) -> Dispute:
    return Dispute(
        row[0], row[1], row[2], row[3], row[4], json.loads(row[5]), datetime.fromisoformat(row[6]),
        datetime.fromisoformat(row[7]) if row[7] else None,
    )  # fmt: skip


def _subscription(row: Any) -> Subscription:
    return Subscription(row[0], row[1], json.loads(row[2]), datetime.fromisoformat(row[3]), row[4])


def _notice(row: Any) -> Notice:
    return Notice(row[0], row[1], row[2], row[3], datetime.fromisoformat(row[4]), row[5], row[6])
