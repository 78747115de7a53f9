"""The gate, judged by the bank: whatever is asked and whatever is agreed to, only what is covered arrives there.

tests/customers/test_linked_banks.py proves the same for every single reading; here are whole skills, and the bank
itself says what it was asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

import pytest
from support.installation import settings_in
from support.sandbox import CLOCK, SandboxProcess
from support.watched import WatchedAssistant

from assistant.banking import clock
from assistant.banking.errors import ConsentRequired
from assistant.banking.purpose import Purpose
from assistant.customers.demo import ensure_demo
from assistant.customers.identity import Customer
from assistant.customers.service import Customers, open_customers
from assistant.skills import balances, recurring, spending, transactions
from assistant.skills.focus import Focus, Outcome, Topic

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SKILLS = {
    Topic.BALANCES: balances,
    Topic.TRANSACTIONS: transactions,
    Topic.SPENDING: spending,
    Topic.RECURRING: recurring,
}
#: What a skill may use, and the views it has: a view that is added without being named here fails the last test.
VIEWS = {
    Topic.BALANCES: (
        "balance", "available", "current", "accounts", "card_payment", "credit_limit", "loan",
    ),
    Topic.TRANSACTIONS: ("list", "last_payment", "largest"),
    Topic.SPENDING: (
        "total", "by_category", "by_merchant", "by_account", "by_month", "comparison", "average", "average_week",
        "average_day", "average_time", "pace", "fees", "income", "net",
    ),
    Topic.RECURRING: ("subscriptions", "bills", "price_rises", "payday", "afford"),
}  # fmt: skip
PURPOSE = {
    Topic.BALANCES: Purpose.BALANCES,
    Topic.TRANSACTIONS: Purpose.TRANSACTIONS,
    Topic.SPENDING: Purpose.INSIGHTS,
    Topic.RECURRING: Purpose.INSIGHTS,
}
#: Views that look at more where that is agreed to as well, and do without where it is not: what is due before payday,
#: and the rent to come, are held against what is in the account.
ALSO = {(Topic.RECURRING, "bills"): Purpose.BALANCES, (Topic.RECURRING, "afford"): Purpose.BALANCES}
#: The kinds of calls (assistant.sandbox.calls) that each purpose lets through.
COVERS = {
    Purpose.BALANCES: {"accounts", "balances"},
    Purpose.TRANSACTIONS: {"accounts", "transactions"},
    Purpose.INSIGHTS: {"accounts", "transactions"},
}
SUBSETS = [frozenset(some) for size in range(len(COVERS) + 1) for some in combinations(COVERS, size)]


@pytest.fixture(scope="module")
def bank() -> Iterator[SandboxProcess]:
    with SandboxProcess() as process:
        yield process


@pytest.fixture(scope="module")
def customers(bank: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Customers:
    home: Path = tmp_path_factory.mktemp("gate")
    return open_customers(settings_in(home, sandbox_url=bank.url, cache_seconds=0))


@pytest.fixture(scope="module")
def maya(customers: Customers, bank: SandboxProcess) -> Iterator[Customer]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TELLERLINE_CLOCK", CLOCK)
        customer_id = ensure_demo(customers, "maya")
        yield customers.identities.bind_demo("cmdline", "the gate", customer_id)


def agree(customers: Customers, customer: Customer, purposes: frozenset[Purpose]) -> None:
    customers.withdraw(customer, Purpose)
    customers.consents.grant(customer.id, "sandbox", customer.channel, sorted(purposes))


def ask(customers: Customers, customer: Customer, topic: Topic, view: str) -> Outcome:
    merchant = "Con Edison" if view == "last_payment" else ""
    focus = Focus(topic, view, merchant=merchant)
    today = clock.today(customer.profile.time_zone)
    return SKILLS[topic].answer(customers.bank(customer), focus, today)


@pytest.mark.parametrize("agreed", SUBSETS, ids=lambda some: "+".join(sorted(some)) or "nothing")
def test_only_what_was_agreed_to_reaches_the_bank(
    agreed: frozenset[Purpose], customers: Customers, maya: Customer, bank: SandboxProcess
) -> None:
    agree(customers, maya, agreed)
    for topic, views in VIEWS.items():
        for view in views:
            bank.calls()
            if PURPOSE[topic] in agreed:
                assert ask(customers, maya, topic, view).reply.say
                kinds = {call["kind"] for call in bank.calls()}
                # Nothing beyond its own purpose, though another one is on.
                uses = {PURPOSE[topic], ALSO.get((topic, view), PURPOSE[topic])} & agreed
                assert kinds and kinds <= set().union(*(COVERS[purpose] for purpose in uses)), (topic, view, kinds)
            else:
                with pytest.raises(ConsentRequired) as raised:
                    ask(customers, maya, topic, view)
                assert raised.value.purpose is PURPOSE[topic]
                assert bank.calls() == [], (topic, view)


def test_a_consent_that_has_ended_lets_nothing_through(
    customers: Customers, maya: Customer, bank: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree(customers, maya, frozenset(COVERS))
    monkeypatch.setenv("TELLERLINE_CLOCK", "2027-03-16T16:00:00Z")
    bank.calls()
    for topic, views in VIEWS.items():
        with pytest.raises(ConsentRequired):
            ask(customers, maya, topic, views[0])
    assert bank.calls() == []


@pytest.mark.conversation
@pytest.mark.timeout(600)
def test_in_a_conversation_nothing_is_asked_once_everything_is_switched_off(conversed: WatchedAssistant) -> None:
    """In whole turns, through Rasa and the actions, in processes that have answered all of it before."""
    assert conversed.asked_without_consent == []


def test_every_view_there_is_was_asked() -> None:
    assert set(VIEWS) == set(Topic) - {Topic.NONE}
    assert set(spending._VIEWS) <= set(VIEWS[Topic.SPENDING])
    assert set(recurring._VIEWS) <= set(VIEWS[Topic.RECURRING])
    assert set(balances._OWED_VIEWS) <= set(VIEWS[Topic.BALANCES])
