from __future__ import annotations

from pathlib import Path

from sqlalchemy import text
from support.fake_bank import account, usd
from support.stub_banks import StubBank, customers_with, linked

from assistant.banking.account import AccountKind, Balances
from assistant.banking.errors import BankUnavailable
from assistant.banking.purpose import Purpose

CHECKING = account(AccountKind.CHECKING, bank_id="chase")


def test_the_banks_ids_of_accounts_are_not_kept_in_clear(tmp_path: Path) -> None:
    """Some banks' ids are account numbers."""
    chase = StubBank("chase", accounts=[CHECKING], balances=[Balances(CHECKING.id, current=usd("10.00"))])
    customers = customers_with(tmp_path, chase)
    customer, other = linked(customers, "chase"), linked(customers, "chase", sender="conversation-2")
    for each in (customer, other):
        bank = customers.bank(each)
        bank.balances(bank.accounts(Purpose.BALANCES).value)
    with customers.storage.database.engine.connect() as connection:
        items = connection.execute(text("SELECT item FROM bank_cache WHERE item LIKE 'balances:%'")).scalars().all()
    assert len(set(items)) == 2  # and the same account reads differently for each customer
    assert not any(CHECKING.native_id in item for item in items)
    customers.shared.fresh.forget(customer.id)
    chase.failure = BankUnavailable("down", bank_id="chase")
    repeated = customers.bank(customer).balances([CHECKING])
    assert repeated.stale and repeated.value[CHECKING.id].current == usd("10.00")
