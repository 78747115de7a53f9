"""Conversation events, sealed: appended a turn at a time, read a session at a time. Knows nothing of Rasa."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, insert, select

from assistant.banking import clock
from assistant.storage.db import Database
from assistant.storage.keys import KeyDestroyed, KeyRing
from assistant.storage.seal import Cipher
from assistant.storage.tables import ConversationEventsRow, WebTranscriptRow

Event = dict[str, Any]

_PLACE = "conversation_events.sealed"
_T = ConversationEventsRow.__table__
_OF = _T.c.conversation_id == bindparam("of")
_SESSION_START = select(func.coalesce(func.max(_T.c.id), 0)).where(_OF, _T.c.starts_session.is_(True)).scalar_subquery()
_TAIL = select(func.max(_T.c.id), func.sum(_T.c.events)).where(_OF, _T.c.id >= _SESSION_START)
_SESSION = select(_T.c.sealed).where(_OF, _T.c.id >= _SESSION_START).order_by(_T.c.id)
_ALL = select(_T.c.sealed).where(_OF).order_by(_T.c.id)
_INSERT = insert(ConversationEventsRow)
#: What a conversation consists of: its events, and what the web page showed of them.
_TOLD = (ConversationEventsRow, WebTranscriptRow)


def key_owner(conversation_id: str) -> str:
    """Under which name the ring keeps the key of a conversation."""
    return f"conversation:{conversation_id}"


@dataclass(frozen=True, slots=True)
class Tail:
    """The end of what is stored: the last row (0: none), and how many events its session holds."""

    row_id: int = 0
    events: int = 0


class Conversations:
    def __init__(self, database: Database, keys: KeyRing) -> None:
        self._database = database
        self._keys = keys

    def tail(self, conversation_id: str) -> Tail:
        ((row_id, events),) = self._database.ask(_TAIL, of=conversation_id)
        return Tail(row_id or 0, events or 0)

    def cipher(self, conversation_id: str, *, new: bool = False) -> Cipher:
        """Raises KeyDestroyed when the conversation was erased or (unless ``new``) never began."""
        owner = key_owner(conversation_id)
        return self._keys.cipher_or_new(owner) if new else self._keys.cipher(owner)

    def append(self, conversation_id: str, batches: Sequence[Sequence[Event]], cipher: Cipher) -> Tail:
        """Store events after those already there, in one insert. Each batch after the first starts a session,
        and so does the first when its first event is a session start. Returns the new end."""
        now = clock.now()
        rows = [
            {
                "conversation_id": conversation_id,
                "starts_session": batch[0].get("event") == "session_started",
                "events": len(batch),
                "saved_at": now,
                "sealed": cipher.seal(json.dumps(batch, separators=(",", ":")).encode(), _PLACE),
            }
            for batch in batches
            if batch
        ]
        with self._database.quick_write() as connection:
            if rows:
                connection.execute(_INSERT, rows)
            row_id, events = connection.execute(_TAIL, {"of": conversation_id}).one()
        return Tail(row_id or 0, events or 0)

    def session(self, conversation_id: str) -> list[Event]:
        """The events since the last session start, oldest first. Empty when there are none, or they were erased."""
        return self._load(_SESSION, conversation_id)

    def everything(self, conversation_id: str) -> list[Event]:
        return self._load(_ALL, conversation_id)

    def ids(self) -> list[str]:
        with self._database.reading() as connection:
            return list(connection.scalars(select(_T.c.conversation_id).distinct()))

    def erase(self, conversation_id: str) -> None:
        """Destroys the key first: from then on the rows, and any copy of them, are noise."""
        self._keys.destroy(key_owner(conversation_id))
        with self._database.quick_write() as connection:
            for table in _TOLD:
                connection.execute(delete(table).where(table.conversation_id == conversation_id))

    def erase_before(self, instant: datetime) -> int:
        """Retention: forget conversations whose last turn was before. Returns how many."""
        last = func.max(_T.c.saved_at)
        with self._database.reading() as connection:
            old = list(
                connection.scalars(select(_T.c.conversation_id).group_by(_T.c.conversation_id).having(last < instant))
            )
        for conversation_id in old:
            self.erase(conversation_id)
        return len(old)

    def _load(self, query: Any, conversation_id: str) -> list[Event]:
        with self._database.reading() as connection:
            rows: Sequence[Row[tuple[bytes]]] = connection.execute(query, {"of": conversation_id}).all()
        if not rows:
            return []
        try:
            cipher = self.cipher(conversation_id)
        except KeyDestroyed:
            return []
        events: list[Event] = []
        for (sealed,) in rows:
            events += json.loads(cipher.open(sealed, _PLACE))
        return events
