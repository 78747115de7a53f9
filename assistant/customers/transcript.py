"""What the web page shows of a conversation, in order: a reload, a second tab and a dropped connection all show the
same, whichever process they reach. Sealed by the key of the conversation, so it goes when that is erased.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.dialects import postgresql, sqlite

from assistant.banking import clock
from assistant.storage.conversations import key_owner
from assistant.storage.keys import KeyDestroyed
from assistant.storage.open import Storage
from assistant.storage.seal import Cipher
from assistant.storage.tables import WebTranscriptRow

_T = WebTranscriptRow.__table__
#: Conversations asked for in one query: SQLite takes no more than a thousand values or so.
_AT_ONCE = 500


class Erased(Exception):
    """The conversation was erased, or never began: nothing is to be written down of it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One thing that was shown. ``seq`` grows within a conversation, with gaps."""

    seq: int
    at: datetime
    what: Mapping[str, Any] = field(repr=False)


class Transcript:
    def __init__(self, storage: Storage) -> None:
        self._database = storage.database
        self._keys = storage.keys

    def add(self, conversation_id: str, key: str, what: Mapping[str, Any], *, begins: bool = False) -> Shown | None:
        """At the end. None when ``key`` is shown already. Raises Erased, unless the customer ``begins`` anew by saying
        something."""
        owner = key_owner(conversation_id)
        try:
            cipher = self._keys.cipher_or_new(owner) if begins else self._keys.cipher(owner)
        except KeyDestroyed:
            raise Erased from None
        now = clock.now()
        upsert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        new = upsert(WebTranscriptRow).values(
            conversation_id=conversation_id,
            key=key,
            shown_at=now,
            sealed=cipher.seal(json.dumps(what, separators=(",", ":")).encode(), _place(conversation_id)),
        )
        with self._database.write() as session:
            # On PostgreSQL numbers are given before the commit: one conversation's must become visible in order.
            self._database.serialize(session, f"transcript {conversation_id}")
            seq = session.execute(new.on_conflict_do_nothing().returning(_T.c.seq)).scalar_one_or_none()
        return None if seq is None else Shown(seq, now, what)

    def has(self, conversation_id: str, key: str) -> bool:
        with self._database.reading() as connection:
            query = select(_T.c.seq).where(_T.c.conversation_id == conversation_id, _T.c.key == key)
            return connection.execute(query).first() is not None

    def after(self, conversation_id: str, seq: int, limit: int = 200) -> tuple[Shown, ...]:
        """What came after, oldest first."""
        query = select(_T).where(_T.c.conversation_id == conversation_id, _T.c.seq > seq).order_by(_T.c.seq)
        return self._read(query.limit(limit), conversation_id)

    def last(self, conversation_id: str, count: int) -> tuple[Shown, ...]:
        """The end of it, oldest first."""
        query = select(_T).where(_T.c.conversation_id == conversation_id).order_by(_T.c.seq.desc())
        return self._read(query.limit(count), conversation_id)[::-1]

    def one(self, conversation_id: str, seq: int) -> Shown | None:
        """None when it is not of this conversation."""
        found = self._read(select(_T).where(_T.c.seq == seq, _T.c.conversation_id == conversation_id), conversation_id)
        return found[0] if found else None

    def ends(self, conversation_ids: Collection[str]) -> dict[str, int]:
        """The newest number of each conversation that has one."""
        ids = list(conversation_ids)
        found: dict[str, int] = {}
        with self._database.reading() as connection:
            for start in range(0, len(ids), _AT_ONCE):
                query = (
                    select(_T.c.conversation_id, func.max(_T.c.seq))
                    .where(_T.c.conversation_id.in_(ids[start : start + _AT_ONCE]))
                    .group_by(_T.c.conversation_id)
                )
                found.update((conversation_id, seq) for conversation_id, seq in connection.execute(query))
        return found

    def _read(self, query: Any, conversation_id: str) -> tuple[Shown, ...]:
        with self._database.reading() as connection:
            rows: Sequence[Row[Any]] = connection.execute(query).all()
        if not rows:
            return ()
        try:
            cipher: Cipher = self._keys.cipher(key_owner(conversation_id))
        except KeyDestroyed:
            return ()
        place = _place(conversation_id)
        return tuple(Shown(row.seq, row.shown_at, json.loads(cipher.open(row.sealed, place))) for row in rows)


def _place(conversation_id: str) -> str:
    return f"web_transcript.sealed:{conversation_id}"
