"""One database: its engine, its transactions, and locks that hold across processes."""

from __future__ import annotations

import hashlib
import time
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from sqlalchemy import Connection, Engine, Select, create_engine, event, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

#: How long a writer waits for another one before it gives up, in seconds.
BUSY_SECONDS = 10
_LOCK_POLL_SECONDS = 0.02
#: Connections kept by one process: as many as an action server has threads for turns.
_CONNECTIONS = 32
_READING = "tellerline_reading"
_QUICK = "tellerline_quick"


class LockTimeout(TimeoutError):
    """Somebody else held the lock for too long."""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A query as SQLite takes it: its text, the names of its parameters in order with the values of those that are
    always the same, the kind of its rows, and for each column what makes of it what Python sees (None: nothing)."""

    sql: str
    names: Sequence[str]
    constants: dict[str, Any]
    row: Callable[..., Any]
    readers: Sequence[Callable[[Any], Any] | None]


class Database:
    """SQLite or PostgreSQL behind one interface.

    ``write()`` takes SQLite's write lock at once: a transaction that reads first and writes later would
    otherwise fail, without waiting, when another writer got in between. ``read()`` never waits for writers.
    """

    def __init__(self, url: str, *, traceless: bool = False) -> None:
        """``traceless`` keeps no write-ahead file on SQLite, which could still hold what was deleted; meant for
        small tables, seldom written, of which nothing may linger."""
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite and self.url.database in (None, "", ":memory:"):
            raise ValueError("a database in memory cannot be shared between processes; give a file")
        # Parameters hold customers' data, sealed or not: they stay out of errors and logs.
        self.engine = create_engine(
            self.url, hide_parameters=True, pool_pre_ping=not self.is_sqlite, pool_size=_CONNECTIONS, max_overflow=0
        )
        # Whoever holds a lock needs a connection besides: from one pool, holders could wait for each other.
        self._lock_engine = create_engine(self.url, hide_parameters=True, poolclass=NullPool)
        if self.is_sqlite:
            path = Path(str(self.url.database))
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)  # its write-ahead file will have the same mode
            _set_up_sqlite(self.engine, traceless)
        self._reading = self.engine.execution_options(**{_READING: True})
        self._quick = self.engine.execution_options(**{_QUICK: True})
        self._prepared: dict[int, tuple[Select[Any], _Prepared]] = {}

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A transaction that commits on leaving, or rolls back on an exception."""
        with Session(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A transaction that only reads."""
        with Session(self._reading, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """As ``read``, without the object mapper: for the paths that run on every turn."""
        with self._reading.connect() as connection:
            yield connection

    def ask(self, query: Select[Any], **given: str | int | bytes) -> Sequence[Any]:
        """The rows of one query that stands by itself, for what is asked several times in every turn. Values come by
        name, as ``bindparam``; keep the query, it is prepared once.

        On SQLite this goes past SQLAlchemy's connections, which take ten times as long as the query does.
        """
        if self.is_sqlite:
            try:
                return self._asked(self._prepare(query), given)
            except self.engine.dialect.loaded_dbapi.Error:
                pass  # the long way tells it as everywhere else, without the values
        with self.reading() as connection:
            return connection.execute(query, given).all()

    def _asked(self, prepared: _Prepared, given: dict[str, Any]) -> Sequence[Any]:
        values = prepared.constants | given
        connection = self.engine.raw_connection()
        try:
            cursor = connection.cursor()
            found = cursor.execute(prepared.sql, [values[name] for name in prepared.names]).fetchall()
            cursor.close()
        finally:
            connection.close()
        return [
            prepared.row(
                *[value if read is None else read(value) for value, read in zip(row, prepared.readers, strict=True)]
            )
            for row in found
        ]

    def _prepare(self, query: Select[Any]) -> _Prepared:
        known = self._prepared.get(id(query))
        if known is None:
            dialect = self.engine.dialect
            compiled = query.compile(dialect=dialect)
            columns = query.selected_columns
            prepared = _Prepared(
                sql=str(compiled),
                names=tuple(compiled.positiontup or ()),
                constants={name: value for name, value in compiled.params.items() if value is not None},
                row=namedtuple("Row", columns.keys(), rename=True),
                readers=[column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns],
            )
            # With the query itself, so that no other gets its id.
            known = self._prepared[id(query)] = (query, prepared)
        return known[1]

    @contextmanager
    def quick_write(self) -> Iterator[Connection]:
        """As ``write``, without the object mapper, and on SQLite without waiting for the disk: a power cut may
        cost the last of these, never an older one. A killed process costs none."""
        with self._quick.begin() as connection:
            yield connection

    @contextmanager
    def lock(self, name: str, seconds: float = 30) -> Iterator[None]:
        """Held by one thread of one process at a time; let go when its process dies. Not reentrant.

        Raises LockTimeout. On SQLite a file lock beside the database, so that holding it blocks nobody
        else's writes; on PostgreSQL a session advisory lock.
        """
        digest = hashlib.sha256(name.encode()).digest()
        holder = self._file_lock(digest, seconds) if self.is_sqlite else self._advisory_lock(digest, seconds)
        with holder:
            yield

    def serialize(self, session: Session, name: str) -> None:
        """Let transactions that name the same thing follow one another until they commit. SQLite's writers
        do anyway."""
        if not self.is_sqlite:
            key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
            session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})

    def compact(self) -> None:
        """On SQLite, empty the write-ahead file, which may still hold what was deleted. Does nothing while
        others are writing: theirs will be emptied with the next one's."""
        if self.is_sqlite:
            connection = self.engine.raw_connection()  # a checkpoint can't run inside a transaction
            try:
                connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
            finally:
                connection.close()

    def dispose(self) -> None:
        self.engine.dispose()

    @contextmanager
    def _file_lock(self, digest: bytes, seconds: float) -> Iterator[None]:
        folder = Path(f"{self.url.database}.locks")
        folder.mkdir(mode=0o700, exist_ok=True)
        with (folder / digest.hex()[:32]).open("wb") as file:
            _flock(file, seconds)
            yield  # closing the file lets the lock go

    @contextmanager
    def _advisory_lock(self, digest: bytes, seconds: float) -> Iterator[None]:
        key = int.from_bytes(digest[:8], "big", signed=True)
        with self._lock_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            try:
                # 0 would wait for ever
                connection.execute(text(f"SET lock_timeout = {max(1, int(seconds * 1000))}"))
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": key})
            except OperationalError as error:
                raise LockTimeout("another process holds the lock") from error
            yield  # closing the connection lets the lock go


def _flock(file: IO[bytes], seconds: float) -> None:
    import fcntl

    deadline = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise LockTimeout("another process holds the lock") from None
            time.sleep(_LOCK_POLL_SECONDS)


def _set_up_sqlite(engine: Engine, traceless: bool) -> None:
    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we begin transactions ourselves, below
        cursor = connection.cursor()
        for pragma in (
            f"busy_timeout = {BUSY_SECONDS * 1000}",
            "journal_mode = DELETE" if traceless else "journal_mode = WAL",
            "foreign_keys = ON",
            "secure_delete = ON",  # what is erased is overwritten, not only unlinked
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        options = connection.get_execution_options()
        if options.get(_READING, False):
            connection.exec_driver_sql("BEGIN")
            return
        connection.exec_driver_sql(f"PRAGMA synchronous = {'NORMAL' if options.get(_QUICK, False) else 'FULL'}")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
