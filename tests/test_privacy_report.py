"""Each sentence of `tellerline privacy report`: kept in an installation as it should be, violated by what breaks it."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.fake_bank import account
from support.installation import settings_in
from support.stub_banks import StubBank, customers_with, linked

from assistant import cli
from assistant.banking import clock
from assistant.banking.account import AccountKind
from assistant.banking.purpose import Purpose
from assistant.customers.service import Customers
from assistant.privacy_report import PURPOSES, Report, looks_sealed, report
from assistant.storage.keys import KeyRing
from assistant.storage.seal import Cipher, MasterKey

ENDPOINTS = "tracker_store: {type: assistant.storage.tracker_store.TellerlineTrackerStore}\n"
CHECKING = account(AccountKind.CHECKING, bank_id="chase")


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RASA_TELEMETRY_ENABLED", "false")
    monkeypatch.delenv("TELLERLINE_CLOCK", raising=False)


@pytest.fixture
def customers(tmp_path: Path) -> Iterator[Customers]:
    """Somebody has linked a bank, asked, and been answered; somebody else was erased."""
    (tmp_path / "endpoints.yml").write_text(ENDPOINTS)
    (tmp_path / "endpoints.yml").chmod(0o600)
    opened = customers_with(tmp_path, StubBank("chase", accounts=[CHECKING]))
    customer = linked(opened, "chase", purposes=[Purpose.BALANCES, Purpose.INSIGHTS])
    opened.bank(customer).accounts(Purpose.BALANCES)
    cipher = opened.conversations.cipher(customer.conversation_id, new=True)
    opened.conversations.append(customer.conversation_id, [[{"event": "user", "text": "what's my balance?"}]], cipher)
    opened.linking.begin("cmdline", "conversation-1", "chase", [Purpose.BALANCES], "what's my balance?")
    opened.erasure.erase(linked(opened, "chase", sender="conversation-2"))
    yield opened


def run(customers: Customers) -> Report:
    return report(customers, customers.settings, customers.settings.home)


def sql(customers: Customers, statement: str, *values: object) -> None:
    with sqlite3.connect(customers.settings.home / "tellerline.db") as connection:
        connection.execute(statement, values)
    connection.close()


def violated(customers: Customers) -> dict[str, str]:
    return {promise.says: promise.found for promise in run(customers).promises if not promise.kept}


def only(customers: Customers, says: str) -> str:
    broken = violated(customers)
    assert len(broken) == 1 and says in next(iter(broken)), broken
    return next(iter(broken.values()))


def test_every_sentence_is_kept_in_a_healthy_installation(customers: Customers) -> None:
    found = run(customers)
    assert violated(customers) == {} and found.kept
    text = "\n".join(found.lines())
    assert "ledger verified: 8 entries, 5 of them erased" in text
    assert "1 for balances, 1 for insights, 0 for payments" in text
    assert "4 sealed values looked at" in text
    assert "1 customers' keys, all opened by this master key; 0 outlived" in text
    assert "any other name is refused" in text
    assert text.endswith("Every sentence is kept.")


def test_the_report_names_nobody(customers: Customers) -> None:
    customer = customers.identities.resolve("cmdline", "conversation-1")
    assert customer is not None
    text = "\n".join(run(customers).lines())
    assert customer.id not in text and "conversation-1" not in text and CHECKING.native_id not in text


def test_a_ledger_that_was_changed(customers: Customers) -> None:
    sql(customers, "UPDATE consent_ledger SET channel = 'alexa' WHERE seq = 2")
    assert "entries 2 are wrong" in only(customers, "opt-in")


def test_a_purpose_that_is_not_on_the_list(customers: Customers) -> None:
    sql(customers, "UPDATE link_attempts SET purposes = 'balances,advertising'")
    assert "not on the closed list: advertising" in only(customers, "advertising is not on it")


def test_the_list_is_that_of_the_code_and_of_the_document() -> None:
    assert {purpose.value for purpose in Purpose} == PURPOSES
    document = (Path(__file__).parents[1] / "docs" / "privacy.md").read_text()
    assert all(f"`{purpose}`" in document for purpose in PURPOSES)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("bank_links", "tokens"),
        ("bank_cache", "sealed"),
        ("conversation_events", "sealed"),
        ("link_attempts", "sealed"),
    ],
)
def test_a_value_that_is_not_sealed(customers: Customers, table: str, column: str) -> None:
    sql(customers, f"UPDATE {table} SET {column} = ?", b'{"access_token": "plain", "refresh_token": "plain"}')
    assert f"readable: {table}.{column}" in only(customers, "rest sealed")


def test_a_table_of_another_store(customers: Customers) -> None:
    sql(customers, "CREATE TABLE events (id INTEGER, data TEXT)")
    assert "events.data" in only(customers, "rest sealed")


def test_a_column_that_nobody_described(customers: Customers) -> None:
    sql(customers, "ALTER TABLE customers ADD COLUMN name TEXT")
    assert "customers.name" in only(customers, "rest sealed")


@pytest.mark.parametrize(
    "endpoints", ["tracker_store: {type: sql}\n", "{}\n", ENDPOINTS + "event_broker: {type: kafka}\n"]
)
def test_conversations_that_go_elsewhere(customers: Customers, endpoints: str) -> None:
    (customers.settings.home / "endpoints.yml").write_text(endpoints)
    only(customers, "one place only")


def test_a_key_that_outlived_its_customer(customers: Customers) -> None:
    customers.storage.keys.cipher_or_new("customer:gone")
    assert "1 outlived their customer" in only(customers, "Erasing")


def test_a_key_under_another_master_key(customers: Customers) -> None:
    other = KeyRing(customers.storage.keys._database, MasterKey(secrets.token_bytes(32)))
    customer = customers.identities.resolve("cmdline", "conversation-1")
    assert customer is not None
    customers.storage.keys.destroy(f"customer:{customer.id}")
    other.cipher_or_new(f"customer:{customer.id}")
    assert "1 of 1 customers' keys are under another master key" in only(customers, "Erasing")


def test_an_erasure_that_is_stuck(customers: Customers) -> None:
    hours_ago = int((clock.now() - timedelta(hours=3)).timestamp() * 1_000_000)
    sql(customers, "UPDATE customers SET erasing_at = ?", hours_ago)
    assert "1 erasures are stuck" in only(customers, "Erasing")


@pytest.mark.parametrize(
    ("table", "column", "days"),
    [("conversation_events", "saved_at", 91), ("bank_cache", "fetched_at", 2), ("link_attempts", "expires_at", 1)],
)
def test_what_should_have_expired(customers: Customers, table: str, column: str, days: int) -> None:
    long_ago = int((clock.now() - timedelta(days=days)).timestamp() * 1_000_000)
    sql(customers, f"UPDATE {table} SET {column} = ?", long_ago)
    only(customers, "expire")


def test_telemetry_that_is_on(customers: Customers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RASA_TELEMETRY_ENABLED", "true")
    assert "Rasa's telemetry is ON" in only(customers, "Nobody is told")


def test_a_bank_that_is_the_telemetry_host(customers: Customers, tmp_path: Path) -> None:
    banks = tmp_path / "banks.yml"
    banks.write_text(
        "banks: {sneaky: {base_url: 'https://api.segment.io/x', hosts: [api.segment.io], oauth: {client_id: a,"
        " authorize_url: 'https://api.segment.io/a', token_url: 'https://api.segment.io/t'}}}\n"
    )
    settings = settings_in(tmp_path, banks_file=banks)
    broken = [promise for promise in report(customers, settings, tmp_path).promises if not promise.kept]
    assert [promise.says for promise in broken] == ["Nobody is told how the assistant is used."]
    assert "reachable: api.segment.io" in broken[0].found


def test_a_log_with_contents(customers: Customers) -> None:
    logs = customers.settings.home / "logs"
    logs.mkdir()
    (logs / "action-server.log").write_text(
        "2026-11-22 18:00:00 INFO started\nINFO she pays $1,204.55 to 4111111111111111\n"
    )
    (logs / "train.log").write_text("4111111111111111\n")
    assert "1 of 2 lines" in (found := only(customers, "Logs")) and "action-server.log:2" in found


def test_a_file_that_others_can_read(customers: Customers) -> None:
    (customers.settings.home / "secrets" / "keys.db").chmod(0o644)
    assert "readable by others: keys.db" in only(customers, "own account")


def test_sealed_values_of_any_length_look_sealed_and_texts_do_not() -> None:
    cipher = Cipher(bytes(range(32)), "owner", "key")
    for length in [*range(200), 5_000, 500_000]:
        assert looks_sealed(cipher.seal(b"a" * length, "place"))
    for text in (b"", b"short", b"\x01" + b'{"access_token": "' + b"a" * 100, b"\x01" + os.urandom(20) + b"I " * 30):
        assert not looks_sealed(text)


def test_the_command_says_so_by_its_status(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("MASTER_KEY", "DATABASE_URL", "KEYS_URL", "ENV", "BANKS"):
        monkeypatch.delenv(f"TELLERLINE_{name}", raising=False)
    monkeypatch.setenv("TELLERLINE_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(Path(__file__).parents[1])
    assert cli.main(["privacy", "report"]) == 0
    assert "Every sentence is kept." in capsys.readouterr().out
    (tmp_path / "home" / "secrets" / "master_key").parent.joinpath("notes").touch(mode=0o644)
    assert cli.main(["privacy", "report"]) == 1
    assert "1 of 10 sentences are VIOLATED." in capsys.readouterr().out
