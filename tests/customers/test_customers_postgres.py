"""The same promises on PostgreSQL, where transactions really run side by side."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, text
from support.fake_bank import account, usd
from support.installation import PostgresSchema, settings_in
from support.stub_banks import TOKENS, StubBank, customers_with, linked

from assistant.banking.account import Balances
from assistant.banking.errors import BankUnavailable, NotLinked
from assistant.banking.period import Period
from assistant.banking.purpose import Purpose
from assistant.banking.transaction import Transaction
from assistant.customers.handover import Handover
from assistant.customers.service import Customers
from assistant.customers.step_up import Result
from assistant.settings import Settings
from assistant.storage.tables import RevocationRow

pytestmark = pytest.mark.services

CHECKING = account(bank_id="chase")
MARCH = Period(date(2026, 3, 1), date(2026, 4, 1))


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    schema = PostgresSchema()
    keys = PostgresSchema()
    yield settings_in(tmp_path, database_url=schema.url, keys_url=keys.url)
    keys.drop()
    schema.drop()


@pytest.fixture
def chase() -> StubBank:
    return StubBank(
        "chase",
        accounts=[CHECKING],
        balances=[Balances(CHECKING.id, current=usd("10.00"))],
        history=[Transaction("1", CHECKING.id, usd("-5.00"), date(2026, 3, 2), description="UNMISTAKABLE")],
    )


@pytest.fixture
def customers(settings: Settings, tmp_path: Path, chase: StubBank) -> Iterator[Customers]:
    customers = customers_with(tmp_path, chase, settings=settings)
    yield customers
    customers.storage.database.dispose()
    customers.storage.keys._database.dispose()


def together(count: int, work: Callable[[int], None]) -> None:
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_many_writers_write_one_chain(customers: Customers) -> None:
    customer = linked(customers, "chase", purposes=[])
    together(8, lambda _: customers.consents.grant(customer.id, "chase", "cmdline", [Purpose.BALANCES]))
    verdict = customers.consents.verify()
    assert verdict.sound and verdict.entries == 8
    with customers.storage.database.engine.begin() as connection:
        connection.execute(text("UPDATE consent_ledger SET purpose = 'payments' WHERE seq = 5"))
    assert [breach.seq for breach in customers.consents.verify().breaches] == [5]


def test_refreshing_is_done_by_one_at_a_time(customers: Customers) -> None:
    customer = linked(customers, "chase")
    tokens = customers.vault.tokens(customer.id, "chase")
    tokens.save(replace(TOKENS, refresh_token="0"))

    def refresh(_: int) -> None:
        with tokens.lock():
            held = tokens.load()
            tokens.save(replace(held, refresh_token=str(int(held.refresh_token) + 1)))

    together(8, refresh)
    assert tokens.load().refresh_token == "8"


def test_many_guesses_at_once_are_three(customers: Customers) -> None:
    customer = linked(customers, "chase")
    customers.step_up.set_code(customer.id, "271828")
    results: list[Result] = []
    together(6, lambda n: results.append(customers.step_up.answer(customer, f"10000{n}").result))
    assert sorted(results).count(Result.WRONG) == 2


def test_two_processes_agree_on_a_new_key(customers: Customers) -> None:
    ids: list[str] = []
    together(6, lambda _: ids.append(customers.storage.keys.cipher_or_new("customer:new").key_id))
    assert len(set(ids)) == 1


def test_a_whole_life(customers: Customers, chase: StubBank) -> None:
    customer = linked(customers, "chase")
    bank = customers.bank(customer)
    assert bank.balances([CHECKING]).value[CHECKING.id].current == usd("10.00")
    assert len(bank.transactions(MARCH, Purpose.INSIGHTS).value) == 1
    chase.failure = BankUnavailable(bank_id="chase")
    customers.shared.fresh.forget(customer.id)
    assert bank.transactions(MARCH, Purpose.INSIGHTS).stale
    cipher = customers.conversations.cipher(customer.conversation_id, new=True)
    customers.conversations.append(customer.conversation_id, [[{"event": "user", "text": "UNMISTAKABLE"}]], cipher)
    customers.desk.open(Handover(customer.conversation_id, "cmdline", "person", customer, "UNMISTAKABLE"))
    customers.linking.begin("cmdline", customer.conversation_id, "chase", [Purpose.BALANCES], "UNMISTAKABLE")
    assert customers.export.held(customer).messages == 1
    with customers.storage.database.engine.connect() as connection:
        for table in inspect(connection).get_table_names():
            assert "UNMISTAKABLE" not in str(connection.execute(text(f"SELECT * FROM {table}")).fetchall())
    assert customers.erasure.erase(customer).banks_not_told == ("chase",)
    chase.failure = None
    with customers.storage.database.read() as session:
        [waiting] = session.scalars(select(RevocationRow)).all()
    assert waiting.customer_id is None and customers.revocations.tell(waiting.id)
    with customers.storage.database.engine.connect() as connection:
        left = {
            table
            for table in inspect(connection).get_table_names()
            if connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()
        }
    assert left == {"alembic_version", "consent_ledger"}
    with pytest.raises(NotLinked):
        bank.accounts(Purpose.BALANCES)
    assert customers.consents.verify().sound
