from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import bindparam, insert, select, text
from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError, StatementError
from support.installation import PostgresSchema

from assistant.storage.db import Database, LockTimeout
from assistant.storage.schema import HEAD, alembic_config, upgrade
from assistant.storage.tables import Base, CustomerRow, IdentityRow

NOW = datetime(2026, 3, 15, 12, 0, 0, 123456, tzinfo=timezone.utc)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    if request.param == "sqlite":
        database = Database(f"sqlite:///{tmp_path / 'x.db'}")
        yield database
        database.dispose()
        return
    schema = PostgresSchema()
    database = Database(schema.url)
    yield database
    database.dispose()
    schema.drop()


def test_migrations_give_what_the_models_say(database: Database) -> None:
    upgrade(database)
    upgrade(database)  # nothing left to do
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    assert ScriptDirectory.from_config(alembic_config()).get_current_head() == HEAD


def test_starting_together_migrates_once(database: Database) -> None:
    errors: list[BaseException] = []

    def start() -> None:
        try:
            upgrade(database)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def customer(id: str, at: datetime = NOW) -> CustomerRow:
    return CustomerRow(id=id, created_at=at, time_zone="America/New_York", locale="en_US")


def test_an_instant_comes_back_to_the_microsecond_in_utc(database: Database) -> None:
    upgrade(database)
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-5)))
    with database.write() as session:
        session.add(customer("a", elsewhere))
    with database.read() as session:
        found = session.get_one(CustomerRow, "a").created_at
    assert found == NOW
    assert found.utcoffset() == timedelta(0)


def test_a_naive_instant_is_refused(database: Database) -> None:
    upgrade(database)
    with pytest.raises(StatementError, match="time zone"), database.write() as session:
        session.add(customer("a", NOW.replace(tzinfo=None)))


def test_a_failed_transaction_leaves_nothing(database: Database) -> None:
    upgrade(database)
    with pytest.raises(RuntimeError), database.write() as session:
        session.add(customer("a"))
        session.flush()
        raise RuntimeError
    with database.read() as session:
        assert session.scalars(select(CustomerRow)).all() == []


def test_rows_of_a_customer_need_the_customer_and_errors_hide_the_values(database: Database) -> None:
    upgrade(database)
    with pytest.raises(IntegrityError) as raised, database.write() as session:
        session.execute(
            insert(IdentityRow).values(
                conversation_id="secret-looking", channel="messenger", customer_id="nobody", created_at=NOW
            )
        )
    assert "secret-looking" not in str(raised.value)


def test_a_database_in_memory_is_refused() -> None:
    with pytest.raises(ValueError, match="shared"):
        Database("sqlite://")


def test_a_reader_is_not_blocked_by_a_writer_and_two_writers_take_turns(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    upgrade(database)

    def add(id: str) -> None:
        with database.write() as session:
            if session.get(CustomerRow, "first") is None:
                pytest.fail("the second writer did not wait")
            session.add(customer(id))

    with database.write() as session:
        session.add(customer("first"))
        session.flush()
        second = threading.Thread(target=add, args=("second",))
        second.start()
        with database.read() as reading:
            assert reading.scalars(select(CustomerRow)).all() == []
    second.join()
    with database.read() as reading:
        assert len(reading.scalars(select(CustomerRow)).all()) == 2


def test_the_lock_is_held_by_one_thread_at_a_time(database: Database) -> None:
    inside = 0
    most = 0

    def work() -> None:
        nonlocal inside, most
        for _ in range(5):
            with database.lock("link"):
                inside += 1
                most = max(most, inside)
                inside -= 1

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 1


def test_a_second_holder_gives_up_and_another_name_is_free(database: Database) -> None:
    with database.lock("link"):
        with pytest.raises(LockTimeout), database.lock("link", seconds=0.05):
            pytest.fail("two holders")
        with database.lock("other", seconds=0.05):
            pass
    with database.lock("link", seconds=0.05):
        pass


def test_many_that_hold_locks_can_all_still_read(database: Database) -> None:
    upgrade(database)
    holding = threading.Barrier(40, timeout=30)
    failures: list[BaseException] = []

    def work(number: int) -> None:
        try:
            with database.lock(f"link {number}"):
                holding.wait()
                with database.read() as session:
                    session.scalars(select(CustomerRow)).all()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def _hold(url: str, ready: object) -> None:
    with Database(url).lock("link"):
        ready.set()  # type: ignore[attr-defined]
        signal.pause()


def test_the_lock_of_a_killed_process_is_free(database: Database) -> None:
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    url = database.url.render_as_string(hide_password=False)
    process = context.Process(target=_hold, args=(url, ready))
    process.start()
    assert ready.wait(30)
    with pytest.raises(LockTimeout), database.lock("link", seconds=0.05):
        pytest.fail("two holders")
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    with database.lock("link", seconds=10):
        pass


def test_what_is_deleted_is_overwritten(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}", traceless=True)
    with database.write() as session:
        session.execute(text("CREATE TABLE t (v TEXT)"))
        session.execute(text("INSERT INTO t VALUES ('unmistakable')"))
    assert b"unmistakable" in (tmp_path / "x.db").read_bytes()
    with database.write() as session:
        session.execute(text("DELETE FROM t"))
    assert all(b"unmistakable" not in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())


def test_only_the_owner_can_read_the_files(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'x.db'}")
    upgrade(database)
    with database.write() as session:
        session.add(customer("a"))
        modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.iterdir()}
    assert modes == {"x.db": 0o600, "x.db-wal": 0o600, "x.db-shm": 0o600, "x.db.locks": 0o700}


_BY_ZONE = (
    select(CustomerRow.id, CustomerRow.created_at, CustomerRow.erasing_at)
    .where(CustomerRow.time_zone == bindparam("zone"), CustomerRow.locale != "xx")
    .order_by(CustomerRow.id)
    .limit(2)
)


def test_asking_gives_what_a_transaction_reads(database: Database) -> None:
    upgrade(database)
    with database.write() as session:
        for number in range(3):
            session.add(CustomerRow(id=f"c{number}", created_at=NOW, time_zone="UTC", locale="en_US"))
    for zone in ("UTC", "UTC", "Mars", "UTC' OR '1'='1"):
        with database.reading() as connection:
            read = connection.execute(_BY_ZONE, {"zone": zone}).all()
        assert [tuple(row) for row in database.ask(_BY_ZONE, zone=zone)] == [tuple(row) for row in read]
    first = database.ask(_BY_ZONE, zone="UTC")[0]
    assert (first.id, first.created_at, first.erasing_at) == ("c0", NOW, None)


def test_asking_sees_what_was_committed_and_nothing_else(database: Database) -> None:
    upgrade(database)
    with database.write() as session:
        session.add(CustomerRow(id="c", created_at=NOW, time_zone="UTC", locale="en_US"))
        session.flush()
        assert database.ask(_BY_ZONE, zone="UTC") == []
    assert len(database.ask(_BY_ZONE, zone="UTC")) == 1


def test_what_cannot_be_asked_is_told_as_everywhere_else(database: Database) -> None:
    with pytest.raises((OperationalError, ProgrammingError)) as refusal:  # there are no tables
        database.ask(_BY_ZONE, zone="nobody's business")
    assert "nobody's business" not in str(refusal.value)
