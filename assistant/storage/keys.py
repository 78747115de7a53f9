"""Where the wrapped data keys are kept: apart from the data they open.

A copy of the main database must be unreadable once a key is destroyed, even to somebody who has the master
key. So the wrapped keys live in a database of their own (with SQLite, a file beside the other secrets),
which is backed up separately and for a shorter time than the data.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections import OrderedDict
from datetime import datetime

from sqlalchemy import BigInteger, LargeBinary, String, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from assistant.banking import clock
from assistant.storage.db import Database
from assistant.storage.seal import KEY_BYTES, Cipher, KeyWrapper
from assistant.storage.types import Instant

_REMEMBERED = 1000


class KeyDestroyed(Exception):
    """The owner has no data key: erased, or never made. What it sealed cannot be read by anybody."""


class _Base(DeclarativeBase):
    pass


class DataKeyRow(_Base):
    __tablename__ = "data_keys"

    owner: Mapped[str] = mapped_column(String(120), primary_key=True)
    key_id: Mapped[str] = mapped_column(String(32))
    master_id: Mapped[str] = mapped_column(String(32), index=True)
    wrapped: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime] = mapped_column(Instant)


class AnchorRow(_Base):
    """The furthest point a chain in the main database is known to have reached."""

    __tablename__ = "anchors"

    chain: Mapped[str] = mapped_column(String(40), primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger)
    value: Mapped[str] = mapped_column(String(64))


_TABLE = DataKeyRow.__table__
_FIND = select(_TABLE.c.key_id, _TABLE.c.wrapped).where(_TABLE.c.owner == bindparam("owner"))


class KeyRing:
    """The data keys of all owners.

    Unwrapped keys are remembered in this process, by key id; whether a key still exists is asked of the
    store each time, so a key destroyed by another process is gone here too.
    """

    def __init__(self, database: Database, wrapper: KeyWrapper) -> None:
        self._database = database
        self._wrapper = wrapper
        self._known: OrderedDict[str, Cipher] = OrderedDict()
        self._guard = threading.Lock()
        with database.lock("data_keys schema"):
            _Base.metadata.create_all(database.engine)

    def __repr__(self) -> str:
        return f"KeyRing(master={self._wrapper.id!r})"

    def cipher(self, owner: str) -> Cipher:
        """Raises KeyDestroyed when the owner has no key, Unreadable when the master key is another one."""
        rows = self._database.ask(_FIND, owner=owner)
        if not rows:
            raise KeyDestroyed("no data key")
        row = rows[0]
        with self._guard:
            known = self._known.get(row.key_id)
            if known is not None:
                self._known.move_to_end(row.key_id)
                return known
        cipher = Cipher(self._wrapper.unwrap(row.wrapped, owner), owner, row.key_id)
        with self._guard:
            self._known[row.key_id] = cipher
            while len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return cipher

    def cipher_or_new(self, owner: str) -> Cipher:
        """Makes the key when there is none. Two processes that do so at once agree on one."""
        try:
            return self.cipher(owner)
        except KeyDestroyed:
            pass
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        new = insert(DataKeyRow).values(
            owner=owner,
            key_id=secrets.token_hex(16),
            master_id=self._wrapper.id,
            wrapped=self._wrapper.wrap(os.urandom(KEY_BYTES), owner),
            created_at=clock.now(),
        )
        with self._database.write() as session:
            session.execute(new.on_conflict_do_nothing())
        return self.cipher(owner)

    def owners(self, prefix: str = "", before: datetime | None = None) -> tuple[str, ...]:
        """Everybody who has a data key; of those, whose name begins so and whose key was made before then."""
        query = select(_TABLE.c.owner).where(_TABLE.c.owner.startswith(prefix, autoescape=True))
        if before is not None:
            query = query.where(_TABLE.c.created_at < before)
        with self._database.reading() as connection:
            return tuple(connection.scalars(query.order_by(_TABLE.c.owner)))

    def destroy(self, owner: str) -> None:
        """From now on nothing the owner sealed can be opened. Safe to repeat."""
        with self._database.write() as session:
            session.execute(delete(DataKeyRow).where(DataKeyRow.owner == owner))

    def rotate(self, wrapper: KeyWrapper) -> int:
        """Wrap every data key by another master key; the data itself stays as it is. Returns how many.

        All or none: a process killed meanwhile leaves every key wrapped as before. Safe to repeat.
        """
        with self._database.write() as session:
            rows = session.scalars(select(DataKeyRow).where(DataKeyRow.master_id != wrapper.id)).all()
            for row in rows:
                row.wrapped = wrapper.wrap(self._wrapper.unwrap(row.wrapped, row.owner), row.owner)
                row.master_id = wrapper.id
        self._wrapper = wrapper
        return len(rows)

    def anchor(self, chain: str, seq: int, value: str) -> None:
        """Note how far a chain has come, here, where whoever shortens it in the main database can't reach.
        An older point never replaces a newer one."""
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        new = insert(AnchorRow).values(chain=chain, seq=seq, value=value)
        with self._database.write() as session:
            session.execute(
                new.on_conflict_do_update(
                    index_elements=[AnchorRow.chain],
                    set_={"seq": new.excluded.seq, "value": new.excluded.value},
                    where=AnchorRow.seq < new.excluded.seq,
                )
            )

    def anchored(self, chain: str) -> tuple[int, str]:
        """The furthest point noted: its number and value; (0, "") when there is none."""
        with self._database.read() as session:
            row = session.get(AnchorRow, chain)
        return (row.seq, row.value) if row else (0, "")
