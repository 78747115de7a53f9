from __future__ import annotations

import json
import shutil
import threading
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import inspect, text, update
from support.fake_bank import account, usd
from support.installation import settings_in
from support.stub_banks import TOKENS, StubBank, customers_with, linked

from assistant.banking import clock
from assistant.banking.account import Balances
from assistant.banking.acting import OrderKind
from assistant.banking.card import Card, CardKind
from assistant.banking.connector import Dated
from assistant.banking.errors import BankingError, BankUnavailable, LinkExpired, NotLinked, RateLimited
from assistant.banking.period import Period
from assistant.banking.purpose import Purpose
from assistant.banking.transaction import Transaction
from assistant.customers.export import FORMAT
from assistant.customers.handover import Handover
from assistant.customers.housekeeping import housekeep, start
from assistant.customers.identity import Customer, key_owner
from assistant.customers.one_time import LinkKind, OneTimeLinks
from assistant.customers.revocations import FIRST_PAUSE
from assistant.customers.service import Customers
from assistant.customers.step_up import StepUp
from assistant.storage.keys import KeyDestroyed
from assistant.storage.seal import Unreadable
from assistant.storage.tables import (
    AlertDeliveryRow,
    AlertPreferencesRow,
    AlertRow,
    AlertWatchRow,
    FraudCountRow,
    MerchantRiskRow,
    WebSessionRow,
)

CANARY = "UNMISTAKABLE"
CODE = "271828"
#: What answers taught about purchases and merchants; no row has a customer.
OF_NOBODY = {"fraud_counts", "merchant_risks"}
CHECKING = account(bank_id="chase", nickname=f"{CANARY} nickname", mask="4729")
CARD = Card("chase:card", CHECKING.id, "chase", CardKind.DEBIT, f"{CANARY} card", "4729")
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))


@pytest.fixture
def chase() -> StubBank:
    return StubBank(
        "chase",
        accounts=[CHECKING],
        balances=[Balances(CHECKING.id, current=usd("10.00"))],
        history=[Transaction("1", CHECKING.id, usd("-5.00"), date(2026, 3, 2), description=f"{CANARY} SHOP")],
    )


@pytest.fixture
def customers(tmp_path: Path, chase: StubBank) -> Customers:
    return customers_with(tmp_path, chase)


@pytest.fixture
def customer(customers: Customers) -> Customer:
    """A customer of whom everything is held that can be."""
    customer = linked(customers, "chase")
    bank = customers.bank(customer)
    bank.accounts(Purpose.BALANCES)
    bank.balances([CHECKING])
    bank.transactions(MARCH, Purpose.INSIGHTS)
    step_up = StepUp(customers.storage.database, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    step_up.set_code(customer.id, CODE)
    step_up.answer(customer, CODE)
    customers.desk.open(Handover(customer.conversation_id, "cmdline", "dispute", customer, f"{CANARY} dispute"))
    with customers.storage.database.write() as session:
        customers.revocations.add_within(session, customer.id, "chase", TOKENS)
    customers.linking.begin("cmdline", customer.conversation_id, "chase", [Purpose.BALANCES], f"{CANARY} question")
    OneTimeLinks(customers.storage.database).issue(customer.id, LinkKind.NEW_CODE)
    told_about(customers, customer)
    customers.shared.orders.begin(customer, "chase", OrderKind.LOCK, card=CARD)
    events = [{"event": "user", "text": f"{CANARY} words"}]
    cipher = customers.conversations.cipher(customer.conversation_id, new=True)
    customers.conversations.append(customer.conversation_id, [events], cipher)
    inbox = customers.inbox
    inbox.take("", [inbox.letter_to("cmdline", customer.conversation_id, "m1", {"text": f"{CANARY} message"})])
    inbox.heard(customer.conversation_id, {"to": f"{CANARY} address"}, datetime(2026, 3, 14, tzinfo=timezone.utc))
    inbox.say("cmdline", customer.conversation_id, [{"text": f"{CANARY} answer"}])
    customers.transcript.add(customer.conversation_id, "key", {"kind": "me", "text": f"{CANARY} shown"})
    _, browser = customers.web_sessions.begin()
    with customers.storage.database.write() as session:
        hers = update(WebSessionRow).where(WebSessionRow.token_hash == browser.key)
        session.execute(hers.values(conversation_id=customer.conversation_id))
    return customer


def told_about(customers: Customers, customer: Customer) -> None:
    """Everything that alerts keep: of her, and what answers taught about no one."""
    cipher = customers.storage.keys.cipher(key_owner(customer.id))
    now = clock.now()

    def sealed(place: str) -> bytes:
        return cipher.seal(json.dumps({"of": f"{CANARY} alert"}).encode(), place)

    alert = AlertRow(
        id="a1", customer_id=customer.id, bank_id="chase", kind="fee", mark="m", made_at=now, expires_at=now,
        sealed=sealed("alerts.sealed:a1"),
    )  # fmt: skip
    with customers.storage.database.write() as session:
        session.add(alert)
        session.flush()
        session.add_all(
            [
                AlertDeliveryRow(alert_id="a1", customer_id=customer.id, state="due", due_at=now, urgent=False),
                AlertPreferencesRow(
                    customer_id=customer.id, sealed=sealed("alert_preferences.sealed"), changed_at=now
                ),
                AlertWatchRow(
                    customer_id=customer.id, bank_id="chase", due_at=now, active_at=now,
                    sealed=sealed("alert_watches.sealed:chase"),
                ),
                FraudCountRow(reason="amount", cell=1, frauds=1.0, total=2.0),
                MerchantRiskRow(merchant="hash", run=1, first_at=now, last_at=now),
            ]
        )  # fmt: skip


def rows(customers: Customers) -> dict[str, list[Any]]:
    engine = customers.storage.database.engine
    with engine.connect() as connection:
        return {
            table: list(connection.execute(text(f"SELECT * FROM {table}")).fetchall())
            for table in inspect(engine).get_table_names()
        }


def files(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())


def test_erasing_leaves_nothing_that_is_hers(
    customers: Customers, customer: Customer, chase: StubBank, tmp_path: Path
) -> None:
    before = rows(customers)
    assert all(before[table] for table in before), "every table holds something of hers"
    receipt = customers.erasure.erase(customer)
    assert receipt.banks_told == ("chase",) and receipt.banks_not_told == ()
    assert "revoke" in chase.calls
    after = rows(customers)
    assert {table for table, found in after.items() if found} == {
        "alembic_version",
        "consent_ledger",
        *OF_NOBODY,
    }
    for secret in (customer.id, customer.conversation_id, CANARY, "canary", "4729"):
        assert secret not in str(after) and secret.encode() not in files(tmp_path), secret
        assert secret not in repr(receipt)
    assert customers.consents.verify().sound
    assert customers.identities.resolve("cmdline", customer.conversation_id) is None


def test_a_copy_taken_before_cannot_be_read_even_with_the_master_key(
    customers: Customers, customer: Customer, chase: StubBank, tmp_path: Path
) -> None:
    customers.storage.database.compact()
    shutil.copy(tmp_path / "tellerline.db", tmp_path / "stolen.db")
    customers.erasure.erase(customer)
    stolen = settings_in(tmp_path, database_url=f"sqlite:///{tmp_path / 'stolen.db'}")
    thief = customers_with(tmp_path, chase, settings=stolen)
    assert thief.vault.links(customer.id), "the copy holds her rows"
    with pytest.raises(NotLinked):
        thief.vault.tokens(customer.id, "chase").load()
    assert thief.conversations.everything(customer.conversation_id) == []
    assert thief.inbox.correspondent("cmdline", customer.conversation_id).address == {}
    assert thief.inbox.due(customer.conversation_id) is None
    with pytest.raises(KeyDestroyed):
        thief.export.everything(customer)


def test_others_keep_what_is_theirs(customers: Customers, customer: Customer) -> None:
    other = linked(customers, "chase", sender="conversation-2")
    before: Dated[Any] = customers.bank(other).accounts(Purpose.BALANCES)
    customers.erasure.erase(customer)
    assert customers.bank(other).accounts(Purpose.BALANCES).value == before.value
    assert customers.consents.in_force(other.id)


@pytest.mark.parametrize("failure", [BankUnavailable(bank_id="chase"), RateLimited(bank_id="chase")])
def test_a_bank_that_is_down_does_not_keep_her_and_is_told_later(
    customers: Customers, chase: StubBank, monkeypatch: pytest.MonkeyPatch, failure: BankingError
) -> None:
    """What is left to tell it with names nobody, and is under a key of its own that goes when the bank has heard."""
    customer = linked(customers, "chase")
    chase.failure = failure
    receipt = customers.erasure.erase(customer)
    assert receipt.banks_not_told == ("chase",) and receipt.banks_told == ()
    left = rows(customers)
    assert {table for table, found in left.items() if found} == {"alembic_version", "consent_ledger", "revocations"}
    assert customer.id not in str(left) and customer.conversation_id not in str(left)
    [waiting] = left["revocations"]
    assert [owner for owner in customers.storage.keys.owners() if ":" in owner] == [f"revocation:{waiting[0]}"]
    chase.failure = None
    assert housekeep(customers)
    assert chase.calls.count("revoke") == 1, "not asked again before its pause is over"
    monkeypatch.setenv("TELLERLINE_CLOCK", (clock.now() + FIRST_PAUSE).isoformat())
    assert housekeep(customers)
    assert chase.calls.count("revoke") == 2
    assert rows(customers)["revocations"] == []
    assert [owner for owner in customers.storage.keys.owners() if ":" in owner] == []


def test_a_link_that_had_ended_is_no_obstacle(customers: Customers, customer: Customer, chase: StubBank) -> None:
    chase.failure = LinkExpired(bank_id="chase")
    assert customers.erasure.erase(customer).banks_told == ("chase",)


def test_erasing_twice_is_erasing_once(customers: Customers, customer: Customer) -> None:
    customers.erasure.erase(customer)
    entries = customers.consents.verify().entries
    customers.erasure.erase(customer)
    assert customers.consents.verify().entries == entries


class Killed(BaseException):
    pass


@pytest.mark.parametrize(
    "at",
    [
        "assistant.customers.gate.Gate.end",
        "assistant.customers.revocations.Revocations.add_within",
        "assistant.customers.revocations.Revocations._drop",
        "assistant.storage.conversations.Conversations.erase",
        "assistant.storage.keys.KeyRing.destroy",
        "assistant.customers.ledger.Ledger.erase",
        "assistant.customers.erasure._drop_conversation",
        "assistant.customers.ledger.Ledger.anchor",
    ],
)
def test_killed_at_any_step_it_is_finished_after_the_restart(
    customers: Customers, customer: Customer, chase: StubBank, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(at, die)
        with pytest.raises(Killed):
            customers.erasure.erase(customer)
    restarted = customers_with(tmp_path, chase)
    assert restarted.identities.resolve("cmdline", customer.conversation_id) is None, "served no more"
    assert housekeep(restarted)
    assert {table for table, found in rows(restarted).items() if found} == {
        "alembic_version",
        "consent_ledger",
        *OF_NOBODY,
    }
    assert CANARY.encode() not in files(tmp_path)
    assert restarted.consents.verify().sound


def test_a_conversation_without_a_customer_can_be_forgotten_too(customers: Customers) -> None:
    cipher = customers.conversations.cipher("stranger", new=True)
    customers.conversations.append("stranger", [[{"event": "user", "text": CANARY}]], cipher)
    customers.desk.open(Handover("stranger", "cmdline", "person", said=CANARY))
    customers.erasure.erase_conversation("stranger")
    assert rows(customers)["conversation_events"] == [] and rows(customers)["handovers"] == []


# Export


def test_the_export_holds_everything_and_no_secret(customers: Customers, customer: Customer) -> None:
    everything = json.dumps(customers.export.everything(customer))
    assert f'"format": "{FORMAT}"' in everything
    for held in ("nickname", "SHOP", "dispute", "words", "alert", "card", "address", "answer"):
        assert f"{CANARY} {held}" in everything
    for secret in ("canary", "argon2", CODE):
        assert secret not in everything


def test_every_table_is_in_the_export(customers: Customers, customer: Customer) -> None:
    """A new table must be exported (and erased); add it here when it is."""
    parts = {
        "customers": "customer",
        "identities": "channels",
        "bank_links": "bank_links",
        "consent_ledger": "consents",
        "step_up": "step_up_code",
        "step_up_passes": "step_up_code",
        "conversation_events": "conversations",
        "bank_cache": "bank_data",
        "link_attempts": "link_attempts",
        "one_time_links": "one_time_links",
        "revocations": "banks_to_be_told",
        "handovers": "handovers",
        "bank_orders": "orders",
        "alert_preferences": "alerts",
        "alert_watches": "alerts",
        "alerts": "alerts",
        "alert_deliveries": "alerts",
        "correspondents": "deliveries",
        "inbox": "deliveries",
        "answers": "deliveries",
        "web_transcript": "conversations",  # what was said, once more, as it was shown
        "web_sessions": "web_sessions",
    }
    assert set(rows(customers)) - {"alembic_version", *OF_NOBODY} == set(parts)
    everything = customers.export.everything(customer)
    assert all(everything[part] for part in parts.values())
    assert set(everything) == {"format", "made_at", *parts.values()}


def test_the_export_is_hers_alone(customers: Customers, customer: Customer) -> None:
    other = linked(customers, "chase", sender="conversation-2")
    assert CANARY not in json.dumps(customers.export.everything(other))


def test_in_short(customers: Customers, customer: Customer) -> None:
    held = customers.export.held(customer)
    assert held.bank_ids == ("chase",) and set(held.purposes) == set(Purpose) and held.channels == ("cmdline",)
    assert held.messages == 1 and held.bank_data_of == ("chase",) and held.has_code


def test_who_was_erased_has_no_export(customers: Customers, customer: Customer) -> None:
    customers.erasure.erase(customer)
    with pytest.raises(LookupError):
        customers.export.everything(customer)
    with pytest.raises(LookupError):
        customers.export.held(customer)


# Handing over


def test_a_handover_is_kept_sealed_under_a_reference_that_can_be_read_out(
    customers: Customers, customer: Customer, tmp_path: Path
) -> None:
    handover = Handover(customer.conversation_id, "cmdline", "person", customer, f"{CANARY} please")
    references = {customers.desk.open(handover) for _ in range(20)}
    assert len(references) == 20
    assert all(len(reference) == 6 and not set(reference) & set("0O1IL5S8B2Z") for reference in references)
    assert CANARY.encode() not in files(tmp_path) and CANARY not in repr(handover)


def test_a_sealed_word_moved_to_another_handover_does_not_open(customers: Customers, customer: Customer) -> None:
    customers.desk.open(Handover(customer.conversation_id, "cmdline", "person", customer, "other"))
    with customers.storage.database.engine.begin() as connection:
        connection.execute(text("UPDATE handovers SET sealed = (SELECT min(sealed) FROM handovers)"))
    with pytest.raises(Unreadable):
        customers.export.everything(customer)


# Housekeeping


def test_old_things_are_let_go(customers: Customers, customer: Customer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLERLINE_CLOCK", "2030-01-01T00:00:00Z")
    assert housekeep(customers)
    left = rows(customers)
    gone = ("conversation_events", "bank_cache", "link_attempts", "step_up_passes", "web_transcript", "web_sessions")
    for table in gone:
        assert left[table] == [], table
    assert left["customers"] and left["bank_links"]


def test_what_is_young_is_kept(customers: Customers, customer: Customer) -> None:
    before = rows(customers)
    assert housekeep(customers)
    assert rows(customers) == {**before, "revocations": []}  # whose time had come


def test_one_process_keeps_house_at_a_time(customers: Customers) -> None:
    with customers.storage.database.lock("housekeeping"):
        assert housekeep(customers) is False


def test_keeping_house_goes_on_after_a_failure(customers: Customers, caplog: pytest.LogCaptureFixture) -> None:
    tries = threading.Semaphore(0)

    def fail() -> None:
        tries.release()
        raise RuntimeError(CANARY)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(customers.erasure, "finish", fail)
        stop = start(customers, seconds=0.001)
        assert tries.acquire(timeout=20) and tries.acquire(timeout=20)
        stop.set()
    assert "RuntimeError" in caplog.text and CANARY not in caplog.text
