"""What a bank said before: fresh, in this process, for a minute; sealed, in the database, for when it is down."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from assistant.banking import clock
from assistant.banking.account import Account, Balances
from assistant.banking.period import Period
from assistant.banking.transaction import Transaction
from assistant.customers.codec import from_plain, to_plain
from assistant.customers.identity import key_owner
from assistant.storage.db import Database
from assistant.storage.keys import KeyDestroyed, KeyRing
from assistant.storage.seal import Cipher, Unreadable
from assistant.storage.tables import BankCacheRow

logger = logging.getLogger(__name__)

T = TypeVar("T")
_ENTRIES = 2000
#: A longer history this young is worth more, while the bank is down, than a shorter one a little younger.
_STILL_GOOD = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Heard(Generic[T]):
    """An answer and when it was fetched (aware, UTC). ``period`` is what a history covers."""

    value: T
    fetched_at: datetime
    period: Period | None = None
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Key:
    """Whose answer, from which bank, to what: "accounts", "balances:<account>", "transactions:<account>"."""

    customer_id: str
    bank_id: str
    item: str


_IDENTITY = [BankCacheRow.customer_id, BankCacheRow.bank_id, BankCacheRow.item]


class FreshCache:
    """Answers of the last seconds, in memory, bounded. Whoever reads it has passed the gate."""

    def __init__(self, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._monotonic = monotonic
        self._entries: OrderedDict[Key, tuple[float, Heard[Any]]] = OrderedDict()
        self._guard = threading.Lock()

    def get(self, key: Key, period: Period | None = None) -> Heard[Any] | None:
        """A fresh answer; for a history, one that covers ``period``."""
        with self._guard:
            entry = self._entries.get(key)
            if entry is None:
                return None
            if self._monotonic() - entry[0] >= self._seconds:
                del self._entries[key]
                return None
            self._entries.move_to_end(key)
        return entry[1] if _covers(entry[1].period, period) else None

    def put(self, key: Key, heard: Heard[Any]) -> None:
        with self._guard:
            self._entries[key] = (self._monotonic(), heard)
            self._entries.move_to_end(key)
            while len(self._entries) > _ENTRIES:
                self._entries.popitem(last=False)

    def forget(self, customer_id: str, bank_id: str | None = None) -> None:
        """Of one bank, with what was made of all her banks together (bank id ""); else of every bank."""
        with self._guard:
            for key in [key for key in self._entries if key.customer_id == customer_id]:
                if bank_id in (None, key.bank_id) or not key.bank_id:
                    del self._entries[key]


class LastWords:
    """The last answer of each kind, sealed under the customer's key. Of accounts not even the bank's ids are in
    clear: some banks' are account numbers."""

    def __init__(self, database: Database, keys: KeyRing, hours: float) -> None:
        self._database = database
        self._keys = keys
        self._keep = timedelta(hours=hours)

    def put(self, key: Key, heard: Heard[Any]) -> None:
        """Replaces the answer before, unless that says more and is nearly as young. A customer who was erased
        meanwhile gets none."""
        period = heard.period
        if not self._keep:
            return
        try:
            cipher = self._keys.cipher(key_owner(key.customer_id))
            key = _veiled(key, cipher)
            if self._says_more(key, period):
                return
            row = {
                "customer_id": key.customer_id,
                "bank_id": key.bank_id,
                "item": key.item,
                "starts": period.start if period else None,
                "ends": period.end if period else None,
                "fetched_at": heard.fetched_at,
                "sealed": cipher.seal(_encode(heard.value), _place(key)),
            }
            insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
            new = insert(BankCacheRow).values(row)
            with self._database.quick_write() as connection:  # a copy: nothing is lost if the disk never sees it
                connection.execute(new.on_conflict_do_update(index_elements=_IDENTITY, set_=row))
        except (KeyDestroyed, IntegrityError):
            logger.info("answer of bank %s was not kept: the customer is gone", key.bank_id)

    def get(self, key: Key, kind: type[Any], period: Period | None = None) -> Heard[Any] | None:
        """The last answer, if it is young enough and covers ``period``; a tuple of ``kind``, marked stale."""
        try:
            cipher = self._keys.cipher(key_owner(key.customer_id))
        except KeyDestroyed:
            return None
        key = _veiled(key, cipher)
        with self._database.read() as session:
            row = session.get(BankCacheRow, (key.customer_id, key.bank_id, key.item))
        if row is None or row.fetched_at < clock.now() - self._keep:
            return None
        covered = Period(row.starts, row.ends) if row.starts and row.ends else None
        if not _covers(covered, period):
            return None
        try:
            plain = cipher.open(row.sealed, _place(key))
        except Unreadable:
            return None
        return Heard(tuple(from_plain(kind, item) for item in json.loads(plain)), row.fetched_at, covered, stale=True)

    def forget(self, customer_id: str, bank_id: str, kind: str = "") -> None:
        """``kind``: "balances" or "transactions" only; "" for all."""
        with self._database.write() as session:
            self.forget_within(session, customer_id, bank_id, kind)

    def forget_within(self, session: Session, customer_id: str, bank_id: str, kind: str = "") -> None:
        """As ``forget``, as part of a larger transaction."""
        which = [BankCacheRow.customer_id == customer_id, BankCacheRow.bank_id == bank_id]
        if kind:
            which.append(BankCacheRow.item.startswith(f"{kind}:"))
        session.execute(delete(BankCacheRow).where(*which))

    def holders(self) -> list[tuple[str, str]]:
        """(customer id, bank) of all that is kept."""
        with self._database.read() as session:
            found = session.execute(select(BankCacheRow.customer_id, BankCacheRow.bank_id).distinct())
            return [(customer_id, bank_id) for customer_id, bank_id in found]

    def forget_old(self) -> None:
        """Retention."""
        with self._database.write() as session:
            session.execute(delete(BankCacheRow).where(BankCacheRow.fetched_at < clock.now() - self._keep))

    def _says_more(self, key: Key, period: Period | None) -> bool:
        if period is None:
            return False
        with self._database.read() as session:
            row = session.execute(
                select(BankCacheRow.starts, BankCacheRow.ends, BankCacheRow.fetched_at).where(
                    BankCacheRow.customer_id == key.customer_id,
                    BankCacheRow.bank_id == key.bank_id,
                    BankCacheRow.item == key.item,
                )
            ).first()
        if row is None or row.starts is None or row.ends is None or row.fetched_at < clock.now() - _STILL_GOOD:
            return False
        return period != Period(row.starts, row.ends) and _covers(Period(row.starts, row.ends), period)

    def everything(self, customer_id: str) -> list[tuple[str, str, datetime, Any]]:
        """For export: bank, item, when, and the answer as plain JSON values."""
        with self._database.read() as session:
            rows = session.scalars(select(BankCacheRow).where(BankCacheRow.customer_id == customer_id)).all()
        cipher = self._keys.cipher(key_owner(customer_id)) if rows else None
        return [
            (row.bank_id, row.item, row.fetched_at, json.loads(cipher.open(row.sealed, _place_of(row))))
            for row in rows
            if cipher is not None
        ]


def _covers(covered: Period | None, wanted: Period | None) -> bool:
    if wanted is None:
        return True
    return covered is not None and covered.start <= wanted.start and wanted.end <= covered.end


def _encode(value: tuple[Account, ...] | tuple[Transaction, ...] | tuple[Balances, ...]) -> bytes:
    return json.dumps([to_plain(item) for item in value], separators=(",", ":")).encode()


def _veiled(key: Key, cipher: Cipher) -> Key:
    """As it is kept: the account's id by a keyed hash."""
    kind, _, account = key.item.partition(":")
    return replace(key, item=f"{kind}:{cipher.mac(account.encode()).hex()[:32]}") if account else key


def _place(key: Key) -> str:
    return f"bank_cache.sealed:{key.bank_id}:{key.item}"


def _place_of(row: BankCacheRow) -> str:
    return f"bank_cache.sealed:{row.bank_id}:{row.item}"
