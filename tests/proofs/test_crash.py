"""Killed at every step of linking, linking anew, a consent's change, an export, disconnecting and erasing: after the
restart it is done or not begun, here and at the bank.

tests/customers/test_killed.py kills between the steps that have names; here at every statement, commit and call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, text
from support.crash import installation, kills
from support.sandbox import ROOT, SandboxProcess
from support.traces import files_under

from assistant.banking import clock
from assistant.banking.connector import CustomerProfile
from assistant.banking.period import Period
from assistant.banking.purpose import Purpose
from assistant.channels.page_desk import PageDesk
from assistant.channels.page_exchange import PROOF, Answer, Ask, new_proof
from assistant.channels.page_words import Words
from assistant.customers.housekeeping import housekeep
from assistant.customers.identity import Customer
from assistant.customers.one_time import EXPORT, LinkKind, OneTimeLinks, OneTimeReason, OneTimeRefused
from assistant.customers.service import Customers
from assistant.replies.wording import Wording
from assistant.sandbox.demo import walk_pages
from assistant.storage.tables import Base, CustomerRow

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

CHANNEL = "cmdline"
PURPOSES = (Purpose.BALANCES, Purpose.TRANSACTIONS)


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with SandboxProcess(clock=None, state=tmp_path_factory.mktemp("bank") / "state.sqlite") as process:
        yield process


@pytest.fixture
def home(tmp_path: Path) -> str:
    return str(tmp_path)


@pytest.fixture
def customers(home: str, bank: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Customers:
    monkeypatch.delenv("TELLERLINE_CLOCK", raising=False)
    return installation(home, bank.url)


def went_to_the_bank(customers: Customers, conversation: str) -> str:
    invitation = customers.linking.begin(CHANNEL, conversation, "sandbox", PURPOSES, "what's my balance?")
    return walk_pages(customers.linking.authorize(invitation.token), "maya")


def linked(customers: Customers, conversation: str) -> Customer:
    return customers.linking.complete(went_to_the_bank(customers, conversation)).customer


def is_whole(customers: Customers, customer: Customer) -> bool:
    """One link that the bank answers, with just the consents that were given."""
    on = {consent.purpose for consent in customers.consents.in_force(customer.id)}
    answered = customers.bank(customer).accounts(Purpose.BALANCES)
    return on == set(PURPOSES) and bool(answered.value) and not answered.stale and len(links(customers, customer)) == 1


def links(customers: Customers, customer: Customer) -> tuple[str, ...]:
    return tuple(link.bank_id for link in customers.vault.links(customer.id))


def is_accepted(bank: SandboxProcess, refresh_token: str) -> bool:
    return bank.token(grant_type="refresh_token", refresh_token=refresh_token).status_code == 200


def mentions(customers: Customers, *words: str) -> set[str]:
    """Tables of either database with a row in which one of the words stands."""
    found = set()
    for engine in (customers.storage.database.engine, customers.storage.keys._database.engine):
        with engine.connect() as connection:
            for table in inspect(engine).get_table_names():
                rows = str(connection.execute(text(f"SELECT * FROM {table}")).fetchall())
                if any(word in rows for word in words):
                    found.add(table)
    return found


def complete(customers: Customers, callback: str) -> None:
    customers.linking.complete(callback)


def unlink(customers: Customers, conversation: str) -> None:
    customer = customers.identities.resolve(CHANNEL, conversation)
    assert customer is not None
    customers.linking.unlink(customer, "sandbox")


def erase(customers: Customers, conversation: str) -> None:
    customer = customers.identities.resolve(CHANNEL, conversation)
    assert customer is not None
    customers.erasure.erase(customer)


def switch_off(customers: Customers, conversation: str) -> None:
    customer = customers.identities.resolve(CHANNEL, conversation)
    assert customer is not None
    customers.withdraw(customer, [Purpose.TRANSACTIONS])


def switch_on(customers: Customers, conversation: str) -> None:
    customer = customers.identities.resolve(CHANNEL, conversation)
    assert customer is not None
    customers.consents.grant(customer.id, "sandbox", CHANNEL, [Purpose.INSIGHTS, Purpose.ALERTS])


def take_away(customers: Customers, token: str) -> None:
    assert downloaded(customers, token).status == 200


def downloaded(customers: Customers, token: str) -> Answer:
    """As a browser sends the form of the page."""
    ask = Ask("POST", ("export", token), form={"file": LinkKind.EXPORT_DATA.value})
    proof, cookie = new_proof(ask)
    sent = replace(ask, form={**(ask.form or {}), PROOF: proof}, cookies={cookie.name: cookie.value})
    words = Words(Wording.load(ROOT / "domain.yml"), CustomerProfile())
    return PageDesk(customers, words).answer(sent)


def test_linking(customers: Customers, home: str, bank: SandboxProcess) -> None:
    outcomes = set()
    before, held = bank.granted(), set()
    for step, _, _ in kills(complete, home, bank.url, lambda step: went_to_the_bank(customers, f"conversation-{step}")):
        customer = customers.identities.resolve(CHANNEL, f"conversation-{step}")
        if customer is not None:
            assert is_whole(customers, customer), step
            assert customers.linking.take_waiting(CHANNEL, f"conversation-{step}") == "what's my balance?"
            held.add(customers.vault.tokens(customer.id, "sandbox").load().consent_id)
        assert housekeep(customers)
        assert customers.identities.resolve(CHANNEL, f"conversation-{step}") == customer
        assert bank.granted() - before == held, f"something nobody holds lives on at the bank: step {step}"
        outcomes.add(customer is not None)
        with customers.storage.database.read() as session:
            made = len(session.scalars(select(CustomerRow.id)).all())
        assert made == sum(
            customers.identities.resolve(CHANNEL, f"conversation-{each}") is not None for each in range(1, step + 1)
        )
        assert customers.consents.verify().sound
    assert outcomes == {False, True}
    assert is_whole(customers, linked(customers, "conversation-1"))  # killed at once, begun again


def test_linking_anew(customers: Customers, home: str, bank: SandboxProcess) -> None:
    customer = linked(customers, "conversation-1")
    before = customers.vault.tokens(customer.id, "sandbox").load()
    changes = set()
    replaced = []
    for step, _, _ in kills(complete, home, bank.url, lambda _: went_to_the_bank(customers, "conversation-1")):
        assert customers.identities.resolve(CHANNEL, "conversation-1") == customer
        assert is_whole(customers, customer), step
        after = customers.vault.tokens(customer.id, "sandbox").load()
        changes.add(after != before)
        if after != before:
            replaced.append(before.refresh_token)
        before = after
        assert housekeep(customers)
        assert not any(is_accepted(bank, token) for token in replaced[-1:]), f"the old consent lives on: step {step}"
        assert is_whole(customers, customer) and customers.revocations.of(customer.id) == ()
        assert customers.consents.verify().sound
    assert changes == {False, True}


def test_switching_a_purpose_off(customers: Customers, home: str, bank: SandboxProcess) -> None:
    customer = linked(customers, "conversation-1")
    outcomes = set()

    def prepare(_: int) -> str:
        customers.consents.grant(customer.id, "sandbox", CHANNEL, PURPOSES)
        customers.shared.fresh.forget(customer.id)
        everything = Period(date(2024, 1, 1), clock.today("UTC"))
        assert customers.bank(customer).transactions(everything, Purpose.TRANSACTIONS).value
        return "conversation-1"

    for step, _, _ in kills(switch_off, home, bank.url, prepare):
        assert housekeep(customers)
        on = {consent.purpose for consent in customers.consents.in_force(customer.id)}
        remembered = {item.partition(":")[0] for _, item, _, _ in customers.shared.last_words.everything(customer.id)}
        assert on in (set(PURPOSES), {Purpose.BALANCES}), step
        assert ("transactions" in remembered) == (Purpose.TRANSACTIONS in on), step
        assert customers.bank(customer).accounts(Purpose.BALANCES).value
        outcomes.add(len(on))
        assert customers.consents.verify().sound
    assert outcomes == {1, 2}


def test_switching_a_purpose_on(customers: Customers, home: str, bank: SandboxProcess) -> None:
    customer = linked(customers, "conversation-1")
    outcomes = set()

    def prepare(_: int) -> str:
        customers.consents.withdraw(customer.id, [Purpose.INSIGHTS, Purpose.ALERTS])
        return "conversation-1"

    for step, _, _ in kills(switch_on, home, bank.url, prepare):
        assert housekeep(customers)
        on = {consent.purpose for consent in customers.consents.in_force(customer.id)} - set(PURPOSES)
        assert on in (set(), {Purpose.INSIGHTS, Purpose.ALERTS}), step
        outcomes.add(len(on))
        assert customers.consents.verify().sound
    assert outcomes == {0, 2}


def test_exporting(customers: Customers, home: str, bank: SandboxProcess) -> None:
    """What was not delivered is nowhere, and the link was used once at most: another one gives the file."""
    customer = linked(customers, "conversation-1")
    one_time = OneTimeLinks(customers.storage.database)
    spent = set()
    for step, token, _ in kills(take_away, home, bank.url, lambda _: one_time.issue(customer.id, *EXPORT)):
        try:
            one_time.look(token, LinkKind.EXPORT_DATA)
            spent.add(False)
        except OneTimeRefused as refused:
            assert refused.reason is OneTimeReason.USED
            spent.add(True)
        assert housekeep(customers)
        assert is_whole(customers, customer), step
        assert not [path for path in files_under([Path(home)]) if b"tellerline-export" in path.read_bytes()], step
        assert downloaded(customers, one_time.issue(customer.id, *EXPORT)).status == 200
    assert spent == {False, True}


def test_disconnecting(customers: Customers, home: str, bank: SandboxProcess) -> None:
    outcomes = set()

    def prepare(step: int) -> str:
        customer = linked(customers, f"conversation-{step}")
        tokens[step] = customers.vault.tokens(customer.id, "sandbox").load().refresh_token
        return f"conversation-{step}"

    tokens: dict[int, str] = {}
    for step, conversation, _ in kills(unlink, home, bank.url, prepare):
        assert housekeep(customers)
        customer = customers.identities.resolve(CHANNEL, conversation)
        assert customer is not None
        gone = links(customers, customer) == ()
        if gone:
            assert customers.consents.in_force(customer.id) == ()
            assert not is_accepted(bank, tokens[step]), step
        else:
            assert is_whole(customers, customer), step
        outcomes.add(gone)
        assert customers.consents.verify().sound
    assert outcomes == {False, True}


def test_erasing(customers: Customers, home: str, bank: SandboxProcess) -> None:
    outcomes = set()
    whose: dict[int, tuple[Customer, str]] = {}

    def prepare(step: int) -> str:
        conversation = f"conversation-{step:03}"
        customer = linked(customers, conversation)
        whose[step] = customer, customers.vault.tokens(customer.id, "sandbox").load().refresh_token
        assert customers.bank(customer).accounts(Purpose.BALANCES).value
        cipher = customers.conversations.cipher(conversation, new=True)
        customers.conversations.append(conversation, [[{"event": "user", "text": "hello"}]], cipher)
        return conversation

    for step, conversation, _ in kills(erase, home, bank.url, prepare):
        customer, refresh_token = whose[step]
        begun = customers.identities.resolve(CHANNEL, conversation) is None
        assert housekeep(customers)
        if begun:
            assert mentions(customers, customer.id, conversation) == set(), step
            assert not is_accepted(bank, refresh_token), step
        else:
            assert customers.identities.resolve(CHANNEL, conversation) == customer
            assert is_whole(customers, customer) and len(customers.conversations.everything(conversation)) == 1
        outcomes.add(begun)
        assert customers.consents.verify().sound
    assert outcomes == {False, True}
    assert set(inspect(customers.storage.database.engine).get_table_names()) >= set(Base.metadata.tables)
