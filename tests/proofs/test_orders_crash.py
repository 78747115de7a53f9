"""Killed at every step of locking a card and of filing a dispute, then asked again: done once, entered once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.crash import installation, kills
from support.sandbox import SandboxProcess

from assistant.banking import clock
from assistant.banking.acting import Acting
from assistant.banking.card import Card, CardStatus, LockReason
from assistant.banking.dispute import Claim, DisputeReason
from assistant.banking.period import Period
from assistant.banking.purpose import Purpose
from assistant.customers import orders
from assistant.customers.housekeeping import housekeep
from assistant.customers.identity import Customer
from assistant.customers.ledger import Action, Ledger
from assistant.customers.service import Customers
from assistant.sandbox.demo import walk_pages

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def bank() -> Iterator[SandboxProcess]:
    with SandboxProcess(clock=None) as process:
        yield process


@pytest.fixture
def customers(tmp_path: Path, bank: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Customers:
    monkeypatch.delenv("TELLERLINE_CLOCK", raising=False)
    monkeypatch.setattr(orders, "INTERRUPTED_AFTER", timedelta(0))
    return installation(str(tmp_path), bank.url)


def hers(customers: Customers, conversation: str) -> Customer:
    found = customers.identities.resolve("cmdline", conversation)
    assert found is not None
    return found


def acting(customers: Customers, conversation: str) -> Acting:
    return customers.bank(hers(customers, conversation)).acting


def card(customers: Customers, conversation: str) -> Card:
    return acting(customers, conversation).cards().value[-1]


def acts(customers: Customers, conversation: str) -> list[Action]:
    ledger = Ledger(customers.storage.database, customers.storage.keys)
    return [act.action for act in ledger.acts(hers(customers, conversation).id)]


def lock(customers: Customers, conversation: str) -> None:
    """As the skill does: what is locked is not locked again."""
    mine = card(customers, conversation)
    if mine.status is CardStatus.ACTIVE:
        acting(customers, conversation).lock(mine, LockReason.ASKED)


def dispute(customers: Customers, named: str) -> None:
    conversation, _, order_id = named.partition(" ")
    acting(customers, conversation).file(order_id)


def newcomer(customers: Customers, number: int) -> str:
    conversation = f"conversation-{number}"
    invitation = customers.linking.begin("cmdline", conversation, "sandbox", tuple(Purpose))
    customers.linking.complete(walk_pages(customers.linking.authorize(invitation.token), "maya"))
    return conversation


def test_a_card_is_locked_once(customers: Customers, bank: SandboxProcess, tmp_path: Path) -> None:
    def prepare(step: int) -> str:
        conversation = newcomer(customers, step)
        mine = card(customers, conversation)
        if mine.status is CardStatus.LOCKED:
            acting(customers, conversation).unlock(mine)
        return conversation

    died = 0
    for _, conversation, was_killed in kills(lock, str(tmp_path), bank.url, prepare):
        died += was_killed
        if was_killed:
            housekeep(customers)
            lock(customers, conversation)
        assert card(customers, conversation).status is CardStatus.LOCKED
        assert acts(customers, conversation).count(Action.CARD_LOCKED) == 1
    assert died > 6
    assert customers.consents.verify().sound


def test_a_charge_is_disputed_once(customers: Customers, bank: SandboxProcess, tmp_path: Path) -> None:
    today = clock.today("America/New_York")

    def prepare(step: int) -> str:
        conversation = newcomer(customers, step)
        desk = acting(customers, conversation)
        live = [one for one in desk.disputes().value if one.status.is_open]
        for one in live:
            desk.withdraw(one)
        history = customers.bank(hers(customers, conversation)).transactions(
            Period(today - timedelta(days=30), today), Purpose.TRANSACTIONS
        )
        mine = card(customers, conversation)
        bought = next(
            one for one in history.value if one.account_id == mine.account_id and one.is_outflow and not one.is_pending
        )
        claim = Claim(mine.bank_id, bought.account_id, bought.id, abs(bought.amount), bought.date, bought.merchant,
                      DisputeReason.NOT_MINE)  # fmt: skip
        return f"{conversation} {desk.draft(claim)}"

    died = 0
    for _, named, was_killed in kills(dispute, str(tmp_path), bank.url, prepare):
        conversation = named.split()[0]
        died += was_killed
        if was_killed:
            housekeep(customers)
            dispute(customers, named)
        filed = [one for one in acting(customers, conversation).disputes().value if one.status.is_open]
        assert len(filed) == 1, "one dispute at the bank"
        assert acts(customers, conversation).count(Action.DISPUTED) == 1
    assert died > 6
    assert customers.consents.verify().sound


def test_an_unlock_that_was_cut_off_is_not_gone_on_with(
    customers: Customers, bank: SandboxProcess, tmp_path: Path
) -> None:
    conversation = newcomer(customers, 1)
    mine = card(customers, conversation)
    acting(customers, conversation).lock(mine, LockReason.LOST)
    customers.shared.orders.begin(hers(customers, conversation), mine.bank_id, orders.OrderKind.UNLOCK, card=mine)
    housekeep(customers)
    assert card(customers, conversation).status is CardStatus.LOCKED
    assert customers.shared.orders.begun(hers(customers, conversation)) == ()
