from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from support.stub_banks import TOKENS, StubBank, customers_with, linked

from assistant.banking.errors import NotLinked
from assistant.customers.identity import Customer, key_owner
from assistant.customers.service import Customers
from assistant.storage.seal import Unreadable


@pytest.fixture
def customers(tmp_path: Path) -> Customers:
    return customers_with(tmp_path, StubBank("chase"), StubBank("citi"))


@pytest.fixture
def customer(customers: Customers) -> Customer:
    return linked(customers, "chase", "citi")


def test_tokens_come_back_as_they_were(customers: Customers, customer: Customer) -> None:
    tokens = customers.vault.tokens(customer.id, "chase")
    assert tokens.load() == TOKENS
    fresh = replace(TOKENS, access_token="other", expires_at=None, id_token="")
    tokens.save(fresh)
    assert customers.vault.tokens(customer.id, "chase").load() == fresh
    assert customers.vault.tokens(customer.id, "citi").load() == TOKENS


def test_no_token_shows_in_reprs_errors_or_files(customers: Customers, customer: Customer, tmp_path: Path) -> None:
    tokens = customers.vault.tokens(customer.id, "chase")
    assert "canary" not in f"{tokens!r} {customers.vault!r} {customers!r} {customers.vault.links(customer.id)!r}"
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or b"canary" not in path.read_bytes(), path


def test_tokens_moved_to_another_bank_or_customer_do_not_open(customers: Customers, customer: Customer) -> None:
    other = linked(customers, "chase", sender="conversation-2")
    copy = (
        "UPDATE bank_links SET tokens ="
        " (SELECT tokens FROM bank_links WHERE customer_id = :from_ AND bank_id = 'chase')"
        " WHERE customer_id = :to AND bank_id = :bank"
    )
    with customers.storage.database.engine.begin() as connection:
        connection.execute(text(copy), {"from_": customer.id, "to": other.id, "bank": "chase"})
        connection.execute(text(copy), {"from_": customer.id, "to": customer.id, "bank": "citi"})
    with pytest.raises(Unreadable):
        customers.vault.tokens(other.id, "chase").load()
    with pytest.raises(Unreadable):
        customers.vault.tokens(customer.id, "citi").load()


def test_relinking_replaces(customers: Customers, customer: Customer) -> None:
    with customers.storage.database.write() as session:
        customers.vault.put_within(session, customer.id, "chase", replace(TOKENS, access_token="second"))
    assert [link.bank_id for link in customers.vault.links(customer.id)].count("chase") == 1
    assert customers.vault.tokens(customer.id, "chase").load().access_token == "second"


def test_a_refresh_cannot_bring_back_a_removed_link_or_customer(customers: Customers, customer: Customer) -> None:
    tokens = customers.vault.tokens(customer.id, "chase")
    with customers.storage.database.write() as session:
        customers.vault.remove_within(session, customer.id, "chase")
    with pytest.raises(NotLinked):
        tokens.save(TOKENS)
    with pytest.raises(NotLinked):
        tokens.load()
    customers.storage.keys.destroy(key_owner(customer.id))
    citi = customers.vault.tokens(customer.id, "citi")
    with pytest.raises(NotLinked):
        citi.save(TOKENS)
    with pytest.raises(NotLinked):
        citi.load()


class RotatingBank:
    """Accepts each refresh token once and gives the next; a token shown twice ends the grant for good."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("CREATE TABLE IF NOT EXISTS grants (current INTEGER, dead INTEGER)")
            if db.execute("SELECT count(*) FROM grants").fetchone() == (0,):
                db.execute("INSERT INTO grants VALUES (0, 0)")

    def refresh(self, token: str) -> str:
        with closing(sqlite3.connect(self._path, timeout=30, isolation_level=None)) as db:
            db.execute("BEGIN IMMEDIATE")
            current, dead = db.execute("SELECT current, dead FROM grants").fetchone()
            if dead or token != f"r{current}":
                db.execute("UPDATE grants SET dead = 1")
            else:
                db.execute("UPDATE grants SET current = current + 1")
            db.execute("COMMIT")
        return f"r{current + 1}"

    def state(self) -> tuple[int, int]:
        with closing(sqlite3.connect(self._path)) as db:
            current, dead = db.execute("SELECT current, dead FROM grants").fetchone()
            return current, dead


def _refresh(home: str, customer_id: str, times: int) -> None:
    tokens = customers_with(Path(home), StubBank("chase"), StubBank("citi")).vault.tokens(customer_id, "chase")
    bank = RotatingBank(Path(home) / "bank.db")
    for _ in range(times):
        with tokens.lock():
            held = tokens.load()
            tokens.save(replace(held, refresh_token=bank.refresh(held.refresh_token)))


def test_processes_that_refresh_at_once_never_show_a_token_twice(
    customers: Customers, customer: Customer, tmp_path: Path
) -> None:
    bank = RotatingBank(tmp_path / "bank.db")
    tokens = customers.vault.tokens(customer.id, "chase")
    tokens.save(replace(TOKENS, refresh_token="r0"))
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_refresh, args=(str(tmp_path), customer.id, 10)) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert bank.state() == (30, 0)
    assert tokens.load().refresh_token == "r30"


def _die_holding(home: str, customer_id: str, saved: bool, ready: Any) -> None:
    tokens = customers_with(Path(home), StubBank("chase"), StubBank("citi")).vault.tokens(customer_id, "chase")
    with tokens.lock():
        if saved:
            tokens.save(replace(tokens.load(), refresh_token="r1"))
        ready.set()
        signal.pause()


@pytest.mark.parametrize("saved", [False, True])
def test_a_process_killed_while_it_refreshes_blocks_nobody_and_loses_nothing_saved(
    customers: Customers, customer: Customer, tmp_path: Path, saved: bool
) -> None:
    tokens = customers.vault.tokens(customer.id, "chase")
    tokens.save(replace(TOKENS, refresh_token="r0"))
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    worker = context.Process(target=_die_holding, args=(str(tmp_path), customer.id, saved, ready))
    worker.start()
    assert ready.wait(30)
    os.kill(worker.pid or 0, signal.SIGKILL)
    worker.join()
    with tokens.lock():
        assert tokens.load().refresh_token == ("r1" if saved else "r0")
