"""The browser that left for the bank is the one that must come back.

Somebody could go half of the way herself, and have another person finish it: signed in at his bank, his
accounts would end up in her conversation. So the browser that continues from our page keeps a mark, and the
bank's answer is taken from a browser with the mark of that very attempt only (RFC 9700 4.7.1).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from sqlalchemy import select

from assistant.customers.one_time import digest
from assistant.storage.db import Database
from assistant.storage.tables import LinkAttemptRow


def mark(token: str) -> str:
    """What the browser keeps of the attempt with this page token. It opens nothing by itself."""
    return digest(token)


def left_from_here(database: Database, state: str, marks: Iterable[str]) -> bool:
    """Whether a browser with these marks may bring the answer to ``state``. An attempt nobody knows is not
    judged here: ``Linking.complete`` refuses it."""
    with database.read() as session:
        token_hash = session.scalars(
            select(LinkAttemptRow.token_hash).where(LinkAttemptRow.state_hash == digest(state))
        ).first()
    return token_hash is None or any(secrets.compare_digest(token_hash.encode(), kept.encode()) for kept in marks)
