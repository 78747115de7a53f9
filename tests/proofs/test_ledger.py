"""The ledger of consents, as an auditor meets it: whatever is changed in it, `tellerline audit verify` names it.

tests/customers/test_consent.py holds the rules one by one; here every column of every entry is changed, on the
command line of a real installation.
"""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from support.stub_banks import StubBank, customers_with, linked

from assistant import cli
from assistant.banking.purpose import Purpose
from assistant.settings import load_settings

COLUMNS = (
    "seq", "prev_hash", "content_hash", "chain_hash", "salt", "at", "action", "customer_id", "bank_id", "channel",
    "purpose", "version", "expires_at", "covers",
)  # fmt: skip


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with six entries: grants, a withdrawal, and one customer erased."""
    home = tmp_path_factory.mktemp("ledger")
    customers = customers_with(home, StubBank("chase"), settings=load_settings({"TELLERLINE_HOME": str(home)}))
    linked(customers, "chase", purposes=[Purpose.BALANCES, Purpose.INSIGHTS])
    gone = linked(customers, "chase", purposes=[Purpose.BALANCES], sender="conversation-2")
    stays = linked(customers, "chase", purposes=[Purpose.BALANCES], sender="conversation-3")
    customers.consents.withdraw(stays.id, [Purpose.BALANCES])
    customers.erasure.erase(gone)
    customers.storage.database.compact()
    return home


@pytest.fixture
def home(original: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = tmp_path / "home"
    shutil.copytree(original, copy)
    for name in ("MASTER_KEY", "DATABASE_URL", "KEYS_URL", "ENV", "CLOCK"):
        monkeypatch.delenv(f"TELLERLINE_{name}", raising=False)
    monkeypatch.setenv("TELLERLINE_HOME", str(copy))
    monkeypatch.chdir(Path(__file__).parents[2])
    return copy


@pytest.fixture
def verify(capsys: pytest.CaptureFixture[str]) -> Callable[[], tuple[int, str]]:
    def run() -> tuple[int, str]:
        status = cli.main(["audit", "verify"])
        return status, capsys.readouterr().err

    return run


def change(home: Path, *statements: str) -> None:
    with sqlite3.connect(home / "tellerline.db") as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


def rows(home: Path) -> list[sqlite3.Row]:
    connection = sqlite3.connect(home / "tellerline.db")
    connection.row_factory = sqlite3.Row
    found = connection.execute("SELECT * FROM consent_ledger ORDER BY seq").fetchall()
    connection.close()
    return found


def forged(value: object, column: str) -> str:
    """Another value that the column could hold."""
    if column == "seq":
        return "70"
    if column in ("at", "expires_at"):
        return "1773590400000000" if value is None else f"{value} + 1"
    if column == "action":
        return "'granted'" if value != "granted" else "'withdrawn'"
    if column == "purpose":
        return "'payments'"
    if column == "covers":
        return "'[1]'"
    return f"'{str(value or '')[:-1]}x'"


def test_untouched_it_is_sound(home: Path, verify: Callable[[], tuple[int, str]]) -> None:
    assert verify() == (0, "")
    assert len(rows(home)) == 6 and {row["action"] for row in rows(home)} == {"granted", "withdrawn", "erased", None}
    assert set(rows(home)[0].keys()) == set(COLUMNS)


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("seq", range(1, 7))
def test_a_changed_column_is_named(home: Path, verify: Callable[[], tuple[int, str]], seq: int, column: str) -> None:
    row = rows(home)[seq - 1]
    change(home, f"UPDATE consent_ledger SET {column} = {forged(row[column], column)} WHERE seq = {seq}")
    status, named = verify()
    assert status == 1
    assert f"Entry {seq} " in named, named


def test_a_time_that_is_none_is_named_too(home: Path, verify: Callable[[], tuple[int, str]]) -> None:
    """SQLite takes anything in any column; checking must not stumble over it."""
    change(home, "UPDATE consent_ledger SET at = 'yesterday', expires_at = x'00ff' WHERE seq = 1")
    status, named = verify()
    assert status == 1 and "Entry 1 its content was changed" in named


@pytest.mark.parametrize("column", ["prev_hash", "content_hash", "chain_hash", "salt", "action", "customer_id"])
@pytest.mark.parametrize("seq", [1, 5])
def test_an_emptied_column_is_named(home: Path, verify: Callable[[], tuple[int, str]], seq: int, column: str) -> None:
    empty = "''" if column.endswith("hash") else "NULL"
    before = rows(home)[seq - 1][column]
    change(home, f"UPDATE consent_ledger SET {column} = {empty} WHERE seq = {seq}")
    if before == "":
        assert verify()[0] == 0  # the first entry follows nothing
        return
    status, named = verify()
    assert status == 1 and f"Entry {seq} " in named


@pytest.mark.parametrize("seq", range(1, 7))
def test_a_deleted_entry_is_named(home: Path, verify: Callable[[], tuple[int, str]], seq: int) -> None:
    change(home, f"DELETE FROM consent_ledger WHERE seq = {seq}")
    status, named = verify()
    assert status == 1 and f"Entry {seq} missing" in named


def test_an_inserted_entry_is_named(home: Path, verify: Callable[[], tuple[int, str]]) -> None:
    columns = ", ".join(COLUMNS[1:])
    change(home, f"INSERT INTO consent_ledger (seq, {columns}) SELECT 7, {columns} FROM consent_ledger WHERE seq = 1")
    status, named = verify()
    assert status == 1 and "Entry 7 " in named


@pytest.mark.parametrize(("one", "two"), [(1, 2), (2, 5), (4, 6)])
def test_entries_that_changed_places_are_named(
    home: Path, verify: Callable[[], tuple[int, str]], one: int, two: int
) -> None:
    change(
        home,
        f"UPDATE consent_ledger SET seq = 99 WHERE seq = {one}",
        f"UPDATE consent_ledger SET seq = {one} WHERE seq = {two}",
        f"UPDATE consent_ledger SET seq = {two} WHERE seq = 99",
    )
    status, named = verify()
    assert status == 1 and f"Entry {one} " in named and f"Entry {two} " in named


def test_an_older_copy_of_the_database_is_found_out(home: Path, verify: Callable[[], tuple[int, str]]) -> None:
    """The end cut off: the chain that is left is whole, but the keys remember that it was longer."""
    change(home, "DELETE FROM consent_ledger WHERE seq > 4")
    status, named = verify()
    assert status == 1 and "Entry 5 missing: the ledger was longer" in named
