"""The consent ledger: append-only, each entry bound to the one before. Beside every yes and no it holds what a bank
was told to do on the customer's word.

``content_hash`` is SHA-256 over the entry as canonical JSON (sorted keys, no spaces, UTF-8) with a random
salt; ``chain_hash`` is a MAC over the entry's number, the chain hash before it, and the content hash, under a
key that the database does not hold. So an entry can't be changed, inserted, dropped or reordered by somebody
who can write to the database; and the last entry is noted beside the keys, so that the end can't be cut off.

Erasing a customer empties her entries (their hashes stay) and appends one entry that lists the numbers of the
emptied ones and names nobody. Without the salt the hashes tell nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.orm import Session

from assistant.banking import clock
from assistant.banking.purpose import Purpose
from assistant.storage.db import Database
from assistant.storage.keys import KeyRing
from assistant.storage.tables import LedgerRow

_CHAIN = "consent_ledger"
#: The gate's question, asked for every question to a bank.
_T = LedgerRow.__table__
_LAST = (
    select(*_T.c)
    .where(
        _T.c.customer_id == bindparam("customer"),
        _T.c.bank_id == bindparam("bank"),
        _T.c.channel == bindparam("channel"),
        _T.c.purpose == bindparam("purpose"),
    )
    .order_by(_T.c.seq.desc())
    .limit(1)
)


class Action(str, Enum):
    GRANTED = "granted"
    WITHDRAWN = "withdrawn"
    ERASED = "erased"
    # What a bank was told to do on the customer's word: no purpose, and ``version`` is the order's id.
    CARD_LOCKED = "card_locked"
    CARD_UNLOCKED = "card_unlocked"
    DISPUTED = "disputed"
    WITHDREW_DISPUTE = "undisputed"


@dataclass(frozen=True, slots=True)
class Act:
    """One order that a bank carried out. ``order_id`` as in customers.orders; ``at`` aware, UTC."""

    seq: int
    at: datetime
    action: Action
    bank_id: str
    channel: str
    order_id: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry that was not erased. ``expires_at`` only on GRANTED."""

    seq: int
    at: datetime
    action: Action
    customer_id: str
    bank_id: str
    channel: str
    purpose: Purpose
    version: str
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Breach:
    """``seq`` is the entry that is wrong (or the first that is missing); ``what`` says how."""

    seq: int
    what: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What verifying found. ``head`` is the last chain hash: noted elsewhere, it proves a later copy complete."""

    entries: int
    erased: int
    head: str
    breaches: tuple[Breach, ...]

    @property
    def sound(self) -> bool:
        return not self.breaches


class Ledger:
    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database = database
        self._keys = keys

    def append(
        self,
        session: Session,
        action: Action,
        *,
        customer_id: str | None = None,
        bank_id: str | None = None,
        channel: str | None = None,
        purpose: Purpose | None = None,
        version: str | None = None,
        expires_at: datetime | None = None,
        covers: Sequence[int] | None = None,
    ) -> None:
        """Within a transaction; call ``anchor`` after it."""
        self._database.serialize(session, _CHAIN)
        last = session.scalars(select(LedgerRow).order_by(LedgerRow.seq.desc()).limit(1)).first()
        row = LedgerRow(
            seq=last.seq + 1 if last else 1,
            prev_hash=last.chain_hash if last else "",
            salt=secrets.token_hex(16),
            at=clock.now(),
            action=action.value,
            customer_id=customer_id,
            bank_id=bank_id,
            channel=channel,
            purpose=purpose.value if purpose else None,
            version=version,
            expires_at=expires_at,
            covers=None if covers is None else json.dumps(list(covers)),
        )
        row.content_hash = _content_hash(row)
        row.chain_hash = self._chain_hash(row)
        session.add(row)
        session.flush()

    def anchor(self) -> None:
        """Note how far the ledger has come. After a crash before this, the next note covers it."""
        with self._database.read() as session:
            last = session.scalars(select(LedgerRow).order_by(LedgerRow.seq.desc()).limit(1)).first()
        if last is not None:
            self._keys.anchor(_CHAIN, last.seq, last.chain_hash)

    def entries(self, customer_id: str, session: Session | None = None) -> tuple[Entry, ...]:
        """Everything a customer ever said yes or no to, oldest first."""
        query = _of(customer_id).where(LedgerRow.purpose.is_not(None))
        if session is not None:
            return tuple(_entry(row) for row in session.scalars(query))
        with self._database.read() as reading:
            return tuple(_entry(row) for row in reading.scalars(query))

    def acts(self, customer_id: str) -> tuple[Act, ...]:
        """Every order of the customer that a bank carried out, oldest first."""
        with self._database.read() as session:
            rows = session.scalars(_of(customer_id).where(LedgerRow.purpose.is_(None))).all()
        return tuple(
            Act(row.seq, row.at or clock.now(), Action(row.action), row.bank_id or "", row.channel or "",
                row.version or "")
            for row in rows
        )  # fmt: skip

    def last(self, customer_id: str, bank_id: str, channel: str, purpose: Purpose) -> Entry | None:
        """The newest word on one purpose; None when there is none or it was tampered with."""
        rows = self._database.ask(_LAST, customer=customer_id, bank=bank_id, channel=channel, purpose=purpose.value)
        return _entry(rows[0]) if rows and not self._flaws(rows[0]) else None

    def erase(self, session: Session, customer_id: str) -> None:
        """Empty a customer's entries, within a transaction, and say so without naming her."""
        self._database.serialize(session, _CHAIN)
        seqs = session.scalars(
            select(LedgerRow.seq).where(LedgerRow.customer_id == customer_id).order_by(LedgerRow.seq)
        ).all()
        self.append(session, Action.ERASED, covers=seqs)
        emptied = dict.fromkeys(_CONTENT, None)
        session.execute(update(LedgerRow).where(LedgerRow.customer_id == customer_id).values(emptied))

    def verify(self) -> Verdict:
        """Walk the whole chain. Never raises for what it finds; it names it."""
        breaches: list[Breach] = []
        emptied: set[int] = set()
        covered: dict[int, int] = {}
        expected, before, count, head = 1, "", 0, ""
        anchor_seq, anchor_hash = self._keys.anchored(_CHAIN)
        with self._database.read() as session:
            for row in session.scalars(select(LedgerRow).order_by(LedgerRow.seq).execution_options(yield_per=500)):
                if row.seq != expected:
                    breaches.append(Breach(expected, "missing"))
                elif row.prev_hash != before:
                    breaches.append(Breach(row.seq, "does not follow the entry before it"))
                breaches += [Breach(row.seq, flaw) for flaw in self._flaws(row)]
                if row.action is None:
                    emptied.add(row.seq)
                elif row.action == Action.ERASED.value:
                    covered.update(dict.fromkeys(_covers(row), row.seq))
                if row.seq == anchor_seq and row.chain_hash != anchor_hash:
                    breaches.append(Breach(row.seq, "is not the entry that was noted beside the keys"))
                expected, before, head = row.seq + 1, row.chain_hash, row.chain_hash
                count += 1
        breaches += [Breach(seq, "emptied without an erasure") for seq in sorted(emptied) if covered.get(seq, 0) <= seq]
        breaches += [Breach(seq, "erased but still readable") for seq in sorted(set(covered) - emptied)]
        if expected <= anchor_seq:
            breaches.append(Breach(expected, "missing: the ledger was longer"))
        return Verdict(count, len(emptied), head, tuple(sorted(breaches, key=lambda breach: breach.seq)))

    def _flaws(self, row: LedgerRow) -> list[str]:
        flaws = []
        if row.action is not None and row.content_hash != _content_hash(row):
            flaws.append("its content was changed")
        if row.action is None and any(getattr(row, name) is not None for name in _CONTENT):
            flaws.append("was erased and written into")
        if not hmac.compare_digest(row.chain_hash, self._chain_hash(row)):
            flaws.append("its hash was not made here")
        return flaws

    def _chain_hash(self, row: LedgerRow) -> str:
        message = f"{row.seq}\n{row.prev_hash}\n{row.content_hash}"
        return self._keys.cipher_or_new(_CHAIN).mac(message.encode()).hex()


#: The columns that erasing empties, and that the content hash covers.
_CONTENT = (
    "salt", "at", "action", "customer_id", "bank_id", "channel", "purpose", "version", "expires_at", "covers",
)  # fmt: skip


def _of(customer_id: str) -> Select[tuple[LedgerRow]]:
    return select(LedgerRow).where(LedgerRow.customer_id == customer_id).order_by(LedgerRow.seq)


def _content_hash(row: LedgerRow) -> str:
    content = {name: getattr(row, name) for name in _CONTENT}
    for name in ("at", "expires_at"):
        content[name] = content[name].isoformat() if content[name] else None
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _covers(row: LedgerRow) -> list[int]:
    try:
        return [int(seq) for seq in json.loads(row.covers or "[]")]
    except (ValueError, TypeError):
        return []  # the content hash has told already


def _entry(row: LedgerRow) -> Entry:
    return Entry(
        seq=row.seq,
        at=row.at or clock.now(),
        action=Action(row.action),
        customer_id=row.customer_id or "",
        bank_id=row.bank_id or "",
        channel=row.channel or "",
        purpose=Purpose(row.purpose),
        version=row.version or "",
        expires_at=row.expires_at,
    )
