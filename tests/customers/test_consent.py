from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from support.installation import settings_in
from support.stub_banks import StubBank, customers_with, linked

from assistant.banking.purpose import Purpose
from assistant.customers.ledger import Action, Breach
from assistant.customers.service import Customers
from assistant.storage.open import open_storage


@pytest.fixture
def customers(tmp_path: Path) -> Customers:
    return customers_with(tmp_path, StubBank("chase"), StubBank("citi"))


def change(customers: Customers, statement: str) -> None:
    """What somebody with write access to the database, but without the keys, could do."""
    with customers.storage.database.engine.begin() as connection:
        connection.execute(text(statement))


def on(customers: Customers, customer_id: str) -> set[tuple[str, str, str]]:
    return {(c.bank_id, c.channel, c.purpose.value) for c in customers.consents.in_force(customer_id)}


def test_nothing_is_on_until_it_is_granted(customers: Customers) -> None:
    customer = linked(customers, "chase", purposes=[])
    for purpose in Purpose:
        assert not customers.consents.is_live(customer.id, "chase", "cmdline", purpose)


def test_a_grant_holds_for_its_bank_channel_and_purpose_only(customers: Customers) -> None:
    customer = linked(customers, "chase", "citi", purposes=[])
    other = linked(customers, "chase", purposes=[], sender="conversation-2")
    customers.consents.grant(customer.id, "chase", "cmdline", [Purpose.BALANCES])
    live = customers.consents.is_live
    assert live(customer.id, "chase", "cmdline", Purpose.BALANCES)
    assert not live(customer.id, "citi", "cmdline", Purpose.BALANCES)
    assert not live(customer.id, "chase", "messenger", Purpose.BALANCES)
    assert not live(customer.id, "chase", "cmdline", Purpose.INSIGHTS)
    assert not live(other.id, "chase", "cmdline", Purpose.BALANCES)


def test_withdrawing_one_purpose_leaves_the_others(customers: Customers) -> None:
    customer = linked(customers, "chase", "citi", purposes=[Purpose.BALANCES, Purpose.INSIGHTS])
    ended = customers.consents.withdraw(customer.id, [Purpose.INSIGHTS])
    assert {(c.bank_id, c.purpose) for c in ended} == {("chase", Purpose.INSIGHTS), ("citi", Purpose.INSIGHTS)}
    assert on(customers, customer.id) == {("chase", "cmdline", "balances"), ("citi", "cmdline", "balances")}
    assert customers.consents.withdraw(customer.id, [Purpose.INSIGHTS]) == ()


def test_withdrawing_at_one_bank_or_channel(customers: Customers) -> None:
    customer = linked(customers, "chase", "citi", purposes=[Purpose.BALANCES])
    customers.consents.grant(customer.id, "chase", "alexa", [Purpose.BALANCES])
    customers.consents.withdraw(customer.id, Purpose, bank_id="chase", channel="cmdline")
    assert on(customers, customer.id) == {("chase", "alexa", "balances"), ("citi", "cmdline", "balances")}


def test_a_consent_ends_by_itself_and_says_so_before(customers: Customers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLERLINE_CLOCK", "2026-01-01T00:00:00Z")
    customer = linked(customers, "chase", purposes=[Purpose.BALANCES])
    assert customers.consents.renewals_due() == ()
    monkeypatch.setenv("TELLERLINE_CLOCK", "2026-12-15T00:00:00Z")
    assert [(id, c.purpose) for id, c in customers.consents.renewals_due()] == [(customer.id, Purpose.BALANCES)]
    monkeypatch.setenv("TELLERLINE_CLOCK", "2026-12-31T23:59:59Z")
    assert customers.consents.is_live(customer.id, "chase", "cmdline", Purpose.BALANCES)
    monkeypatch.setenv("TELLERLINE_CLOCK", "2027-01-01T00:00:00Z")
    assert not customers.consents.is_live(customer.id, "chase", "cmdline", Purpose.BALANCES)
    customers.consents.grant(customer.id, "chase", "cmdline", [Purpose.BALANCES])
    assert customers.consents.is_live(customer.id, "chase", "cmdline", Purpose.BALANCES)


def test_a_consent_to_another_text_does_not_hold(customers: Customers, monkeypatch: pytest.MonkeyPatch) -> None:
    customer = linked(customers, "chase", purposes=[Purpose.BALANCES])
    monkeypatch.setattr("assistant.customers.consent.TEXT_VERSION", "2")
    assert not customers.consents.is_live(customer.id, "chase", "cmdline", Purpose.BALANCES)
    assert customers.consents.in_force(customer.id) == ()


def test_history_tells_every_yes_and_no_in_order(customers: Customers) -> None:
    customer = linked(customers, "chase", purposes=[Purpose.INSIGHTS])
    customers.consents.withdraw(customer.id, [Purpose.INSIGHTS])
    customers.consents.grant(customer.id, "chase", "cmdline", [Purpose.INSIGHTS])
    told = [(entry.action, entry.version) for entry in customers.consents.history(customer.id)]
    assert told == [(Action.GRANTED, "1"), (Action.WITHDRAWN, "1"), (Action.GRANTED, "1")]


@pytest.fixture
def full(customers: Customers) -> Customers:
    customer = linked(customers, "chase", "citi", purposes=[Purpose.BALANCES, Purpose.TRANSACTIONS, Purpose.INSIGHTS])
    customers.consents.withdraw(customer.id, [Purpose.INSIGHTS])
    verdict = customers.consents.verify()
    assert verdict.sound and verdict.entries == 8 and len(verdict.head) == 64
    return customers


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE consent_ledger SET action = 'granted' WHERE seq = 7",
        "UPDATE consent_ledger SET purpose = 'payments' WHERE seq = 3",
        "UPDATE consent_ledger SET customer_id = 'another' WHERE seq = 3",
        "UPDATE consent_ledger SET at = at + 1 WHERE seq = 3",
        "UPDATE consent_ledger SET expires_at = expires_at + 1 WHERE seq = 3",
        "UPDATE consent_ledger SET version = '0' WHERE seq = 3",
        "UPDATE consent_ledger SET channel = 'alexa' WHERE seq = 3",
        "UPDATE consent_ledger SET salt = '' WHERE seq = 3",
        "UPDATE consent_ledger SET chain_hash = content_hash WHERE seq = 3",
        "UPDATE consent_ledger SET prev_hash = '' WHERE seq = 3",
        "DELETE FROM consent_ledger WHERE seq = 3",
        "UPDATE consent_ledger SET salt=NULL, at=NULL, action=NULL, customer_id=NULL, bank_id=NULL, channel=NULL,"
        " purpose=NULL, version=NULL, expires_at=NULL WHERE seq = 3",
    ],
)
def test_any_change_is_found_and_its_entry_named(full: Customers, statement: str) -> None:
    change(full, statement)
    verdict = full.consents.verify()
    seq = 7 if "seq = 7" in statement else 3
    assert not verdict.sound
    assert verdict.breaches[0].seq == seq


def test_cutting_off_the_end_is_found(full: Customers) -> None:
    change(full, "DELETE FROM consent_ledger WHERE seq >= 7")
    assert full.consents.verify().breaches == (Breach(7, "missing: the ledger was longer"),)


def test_emptying_the_whole_ledger_is_found(full: Customers) -> None:
    change(full, "DELETE FROM consent_ledger")
    assert not full.consents.verify().sound


def test_two_entries_that_changed_places_are_found(full: Customers) -> None:
    change(full, "UPDATE consent_ledger SET seq = 99 WHERE seq = 3")
    change(full, "UPDATE consent_ledger SET seq = 3 WHERE seq = 4")
    change(full, "UPDATE consent_ledger SET seq = 4 WHERE seq = 99")
    assert {breach.seq for breach in full.consents.verify().breaches} >= {3, 4}


def test_a_forged_grant_opens_nothing(customers: Customers) -> None:
    customer = linked(customers, "chase", purposes=[Purpose.BALANCES])
    change(
        customers,
        "INSERT INTO consent_ledger SELECT 2, chain_hash, content_hash, chain_hash, salt, at, action, customer_id,"
        " bank_id, channel, 'insights', version, expires_at, covers FROM consent_ledger WHERE seq = 1",
    )
    assert not customers.consents.is_live(customer.id, "chase", "cmdline", Purpose.INSIGHTS)
    assert not customers.consents.verify().sound


def _grant(home: str, customer_id: str, times: int) -> None:
    customers = customers_with(Path(home), StubBank("chase"))
    for _ in range(times):
        customers.consents.grant(customer_id, "chase", "cmdline", [Purpose.BALANCES])


def test_two_processes_write_one_chain(customers: Customers, tmp_path: Path) -> None:
    customer = linked(customers, "chase", purposes=[])
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_grant, args=(str(tmp_path), customer.id, 10)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    verdict = customers.consents.verify()
    assert verdict.sound and verdict.entries == 20


def test_erasing_leaves_hashes_that_verify_and_nobody_named(customers: Customers) -> None:
    customer = linked(customers, "chase", purposes=[Purpose.BALANCES])
    other = linked(customers, "citi", purposes=[Purpose.BALANCES], sender="conversation-2")
    ledger: Any = customers.consents._ledger
    with customers.storage.database.write() as session:
        ledger.erase(session, customer.id)
    ledger.anchor()
    verdict = customers.consents.verify()
    assert verdict.sound and (verdict.entries, verdict.erased) == (3, 1)
    assert customers.consents.history(customer.id) == ()
    assert on(customers, other.id) == {("citi", "cmdline", "balances")}
    with customers.storage.database.engine.connect() as connection:
        assert customer.id not in str(connection.execute(text("SELECT * FROM consent_ledger")).fetchall())


def test_the_keys_may_not_live_in_the_database_they_protect(tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    with pytest.raises(ValueError, match="TELLERLINE_KEYS_URL"):
        open_storage(settings_in(tmp_path, keys_url=settings.database_url))
