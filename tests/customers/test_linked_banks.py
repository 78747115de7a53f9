from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta
from itertools import combinations
from pathlib import Path

import pytest
from support.fake_bank import account, usd
from support.installation import settings_in
from support.stub_banks import StubBank, customers_with, linked

from assistant.banking import clock
from assistant.banking.account import Account, AccountKind, Balances
from assistant.banking.connector import CustomerBank
from assistant.banking.errors import (
    AccountNotFound,
    BankingError,
    BankUnavailable,
    ConsentRequired,
    LinkExpired,
    NotLinked,
    NotSupported,
    RateLimited,
)
from assistant.banking.period import Grain, Period
from assistant.banking.purpose import Purpose
from assistant.banking.transaction import Transaction
from assistant.customers.cache import Key
from assistant.customers.identity import Customer
from assistant.customers.lanes import CALLS, QUESTIONS
from assistant.customers.service import Customers
from assistant.customers.vault import LinkState

MARCH = Period(date(2026, 3, 1), date(2026, 4, 1), Grain.MONTH)
YEAR = Period(date(2025, 4, 1), date(2026, 4, 1))
CHECKING = account(AccountKind.CHECKING, bank_id="chase")
CARD = account(AccountKind.CREDIT_CARD, bank_id="chase")
SAVINGS = account(AccountKind.SAVINGS, bank_id="citi")


def spent(
    of: Account, id: str, day: str, amount: str = "-5.00", description: str = "SQ *BLUE DOOR CAFE"
) -> Transaction:
    return Transaction(id, of.id, usd(amount), date.fromisoformat(day), description=description)


@pytest.fixture
def chase() -> StubBank:
    return StubBank(
        "chase",
        accounts=[CHECKING, CARD],
        balances=[Balances(CHECKING.id, current=usd("10.00")), Balances(CARD.id, owed=usd("7.00"))],
        history=[
            spent(CHECKING, "1", "2026-03-02"),
            spent(CARD, "2", "2026-03-09"),
            spent(CHECKING, "3", "2026-02-09"),
        ],
    )


@pytest.fixture
def citi() -> StubBank:
    return StubBank(
        "citi",
        accounts=[SAVINGS],
        balances=[Balances(SAVINGS.id, current=usd("99.00"))],
        history=[spent(SAVINGS, "4", "2026-03-05")],
    )


@pytest.fixture
def customers(tmp_path: Path, chase: StubBank, citi: StubBank) -> Customers:
    return customers_with(tmp_path, chase, citi)


@pytest.fixture
def customer(customers: Customers) -> Customer:
    return linked(customers, "chase", "citi")


@pytest.fixture
def bank(customers: Customers, customer: Customer) -> CustomerBank:
    return customers.bank(customer)


# The gate

READS: dict[str, tuple[Purpose, Callable[[CustomerBank], object]]] = {
    "balances": (Purpose.BALANCES, lambda bank: bank.balances([CHECKING])),
    **{
        f"accounts for {purpose.value}": (purpose, lambda bank, purpose=purpose: bank.accounts(purpose))
        for purpose in Purpose
    },
    **{
        f"transactions for {purpose.value}": (purpose, lambda bank, purpose=purpose: bank.transactions(MARCH, purpose))
        for purpose in (Purpose.TRANSACTIONS, Purpose.INSIGHTS, Purpose.ALERTS)
    },
}
SUBSETS = [set(subset) for size in range(len(Purpose) + 1) for subset in combinations(Purpose, size)]


def test_for_every_set_of_purposes_only_what_is_covered_reaches_the_bank(customers: Customers, chase: StubBank) -> None:
    for number, subset in enumerate(SUBSETS):
        customer = linked(customers, "chase", purposes=sorted(subset), sender=f"conversation-{number}")
        for name, (purpose, read) in READS.items():
            chase.calls.clear()
            customers.shared.fresh.forget(customer.id)
            if purpose in subset:
                read(customers.bank(customer))
                assert chase.calls, (name, subset)
            else:
                with pytest.raises(ConsentRequired) as raised:
                    read(customers.bank(customer))
                assert raised.value.purpose is purpose and raised.value.bank_id == "chase"
                assert chase.calls == [], (name, subset)


@pytest.mark.parametrize("purpose", [Purpose.BALANCES, Purpose.PAYMENTS])
def test_a_purpose_that_does_not_cover_transactions_reads_none(
    bank: CustomerBank, chase: StubBank, purpose: Purpose
) -> None:
    with pytest.raises(PermissionError):
        bank.transactions(MARCH, purpose)
    assert "transactions" not in chase.calls


def test_a_made_up_purpose_is_refused(bank: CustomerBank, chase: StubBank) -> None:
    with pytest.raises(TypeError):
        bank.accounts("balances")  # type: ignore[arg-type]
    with pytest.raises(TypeError):
        bank.accounts("advertising")  # type: ignore[arg-type]
    assert chase.calls == []


def test_withdrawing_works_at_once_even_for_what_is_in_memory(
    customers: Customers, customer: Customer, bank: CustomerBank
) -> None:
    assert bank.transactions(MARCH, Purpose.INSIGHTS).value
    customers.consents.withdraw(customer.id, [Purpose.INSIGHTS])
    with pytest.raises(ConsentRequired):
        bank.transactions(MARCH, Purpose.INSIGHTS)
    assert bank.transactions(MARCH, Purpose.TRANSACTIONS).value


def test_consent_on_one_channel_is_none_on_another(customers: Customers, customer: Customer) -> None:
    elsewhere = Customer(customer.id, "other", "messenger")
    with pytest.raises(ConsentRequired):
        customers.bank(elsewhere).accounts(Purpose.BALANCES)


def test_without_a_link_nothing_is_asked(customers: Customers, chase: StubBank) -> None:
    nobody = linked(customers, purposes=[], sender="conversation-9")
    with pytest.raises(NotLinked):
        customers.bank(nobody).accounts(Purpose.BALANCES)
    assert chase.calls == []


def test_an_account_of_another_bank_is_not_read_through_this_one(customers: Customers, customer: Customer) -> None:
    access = customers.shared.gate.door(customer).open(Purpose.BALANCES, ["chase"]).accesses[0]
    with pytest.raises(PermissionError):
        access.balances(SAVINGS)


def test_a_link_that_is_being_ended_is_no_link(customers: Customers, customer: Customer, bank: CustomerBank) -> None:
    customers.vault.mark(customer.id, "chase", LinkState.REVOKING)
    assert {a.bank_id for a in bank.accounts(Purpose.BALANCES).value} == {"citi"}


def test_only_the_gate_opens_connectors() -> None:
    """Nobody else may even name the way to a connector."""
    allowed = {"customers/service.py", "connectors/registry.py"}
    root = Path(__file__).parents[2]
    users = {
        str(path.relative_to(root / "assistant"))
        for path in (root / "assistant").rglob("*.py")
        if "open_connector" in path.read_text()
    }
    assert users <= allowed
    assert all("open_connector" not in path.read_text() for path in (root / "actions").rglob("*.py"))


# Several banks as one


def test_several_banks_answer_as_one(bank: CustomerBank) -> None:
    accounts = bank.accounts(Purpose.BALANCES)
    assert accounts.value == (CHECKING, CARD, SAVINGS)
    assert not accounts.stale and accounts.problems == ()
    assert bank.balances(accounts.value).value[SAVINGS.id].current == usd("99.00")
    dates = [t.date.day for t in bank.transactions(MARCH, Purpose.INSIGHTS).value]
    assert dates == [9, 5, 2]
    assert bank.bank_name("chase") == "Chase"


def test_transactions_are_enriched(bank: CustomerBank) -> None:
    assert {t.merchant for t in bank.transactions(MARCH, Purpose.TRANSACTIONS).value} == {"Blue Door Cafe"}


def test_a_bank_without_consent_is_a_problem_beside_one_with(customers: Customers, customer: Customer) -> None:
    customers.consents.withdraw(customer.id, [Purpose.INSIGHTS], bank_id="citi")
    answer = customers.bank(customer).transactions(MARCH, Purpose.INSIGHTS)
    assert {t.id for t in answer.value} == {"1", "2"}
    assert [(type(p), p.bank_id) for p in answer.problems] == [(ConsentRequired, "citi")]


def test_one_bank_down_is_one_problem(bank: CustomerBank, chase: StubBank) -> None:
    chase.failure = BankUnavailable(bank_id="chase")
    answer = bank.transactions(MARCH, Purpose.INSIGHTS)
    assert {t.id for t in answer.value} == {"4"}
    assert [p.bank_id for p in answer.problems] == ["chase"]


def test_all_banks_down_raises(bank: CustomerBank, chase: StubBank, citi: StubBank) -> None:
    chase.failure = BankUnavailable(bank_id="chase", slow=True)
    citi.failure = RateLimited(bank_id="citi")
    with pytest.raises(BankUnavailable) as raised:
        bank.accounts(Purpose.BALANCES)
    assert raised.value.slow


def test_a_balance_that_is_not_to_be_had_is_missing(bank: CustomerBank, chase: StubBank) -> None:
    chase.failing_accounts[CARD.id] = AccountNotFound(bank_id="chase")
    answer = bank.balances([CHECKING, CARD])
    assert set(answer.value) == {CHECKING.id}
    assert [type(p) for p in answer.problems] == [AccountNotFound]


def test_an_account_that_has_no_history_spoils_nothing_unless_it_is_meant(bank: CustomerBank, chase: StubBank) -> None:
    chase.failing_accounts[CARD.id] = NotSupported("transactions", bank_id="chase")
    answer = bank.transactions(MARCH, Purpose.TRANSACTIONS)
    assert {t.id for t in answer.value} == {"1", "4"} and answer.problems == ()
    with pytest.raises(NotSupported):
        bank.transactions(MARCH, Purpose.TRANSACTIONS, [CARD])


def test_one_account_only_and_its_own_problems_only(bank: CustomerBank, citi: StubBank) -> None:
    citi.failure = BankUnavailable(bank_id="citi")
    answer = bank.transactions(MARCH, Purpose.TRANSACTIONS, [CARD])
    assert [t.id for t in answer.value] == ["2"] and answer.problems == ()


def test_the_account_that_is_meant_failing_is_an_error_not_an_empty_list(bank: CustomerBank, chase: StubBank) -> None:
    chase.failing_accounts[CARD.id] = BankUnavailable(bank_id="chase")
    with pytest.raises(BankUnavailable):
        bank.transactions(MARCH, Purpose.TRANSACTIONS, [CARD])


def test_an_account_that_is_gone_is_said_to_be(bank: CustomerBank) -> None:
    with pytest.raises(AccountNotFound):
        bank.transactions(MARCH, Purpose.TRANSACTIONS, [account(id="closed", bank_id="chase")])


def test_a_transfer_is_known_by_its_other_end_also_when_one_account_is_asked(
    bank: CustomerBank, chase: StubBank, citi: StubBank
) -> None:
    chase.history = [spent(CHECKING, "out", "2026-03-03", "-250.00", "ONLINE TRANSFER TO XXXX")]
    citi.history = [spent(SAVINGS, "in", "2026-03-04", "250.00", "ONLINE TRANSFER FROM XXXX")]
    assert [t.internal for t in bank.transactions(MARCH, Purpose.INSIGHTS, [CHECKING]).value] == [True]


def test_banks_are_asked_side_by_side(bank: CustomerBank, chase: StubBank, citi: StubBank) -> None:
    meeting = threading.Barrier(2, timeout=20)

    def meet(what: str) -> None:
        if what == "accounts":
            meeting.wait()

    chase.on_call = citi.on_call = meet
    assert len(bank.accounts(Purpose.BALANCES).value) == 3


def test_no_accounts_no_answer_and_no_error(bank: CustomerBank) -> None:
    assert bank.balances([]).value == {}
    assert bank.transactions(MARCH, Purpose.INSIGHTS, []).value == ()


def test_a_bank_that_hangs_holds_up_nobody_elses_customer(
    customers: Customers, chase: StubBank, citi: StubBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assistant.customers.lanes.PATIENCE", 0.01)
    patient = [linked(customers, "chase", sender=f"patient-{n}") for n in range(QUESTIONS)]
    one_more = linked(customers, "chase", sender="one more")
    other = linked(customers, "citi", sender="other")
    waiting, let_go = threading.Semaphore(0), threading.Event()

    def hang(_: str) -> None:
        waiting.release()
        let_go.wait(20)

    chase.on_call = hang
    threads = [
        threading.Thread(target=customers.bank(customer).accounts, args=(Purpose.BALANCES,)) for customer in patient
    ]
    for thread in threads:
        thread.start()
    for _ in range(CALLS):
        assert waiting.acquire(timeout=20)
    try:
        room = customers.shared.lanes._lane("chase")[1]
        while room.acquire(blocking=False):  # the last of them have not come in yet
            room.release()
            threading.Event().wait(0.001)
        with pytest.raises(BankUnavailable) as raised:
            customers.bank(one_more).accounts(Purpose.BALANCES)
        assert raised.value.code == "busy" and raised.value.slow
        assert customers.bank(other).accounts(Purpose.BALANCES).value == (SAVINGS,)
    finally:
        let_go.set()
        for thread in threads:
            thread.join()
    assert customers.bank(one_more).accounts(Purpose.BALANCES).value


# Memory


def test_the_same_question_within_a_minute_is_asked_once(
    customers: Customers, customer: Customer, chase: StubBank
) -> None:
    for _ in range(3):
        customers.bank(customer).transactions(MARCH, Purpose.INSIGHTS)
    assert chase.calls.count("transactions") == 2  # two accounts
    assert chase.calls.count("accounts") == 1


def test_a_part_of_what_is_known_is_not_asked_again_but_more_is(bank: CustomerBank, chase: StubBank) -> None:
    assert {t.id for t in bank.transactions(YEAR, Purpose.INSIGHTS, [CHECKING]).value} == {"1", "3"}
    asked = chase.calls.count("transactions")
    assert [t.id for t in bank.transactions(MARCH, Purpose.INSIGHTS, [CHECKING]).value] == ["1"]
    assert chase.calls.count("transactions") == asked
    bank.transactions(Period(YEAR.start - timedelta(days=1), YEAR.end), Purpose.INSIGHTS)
    assert chase.calls.count("transactions") == 2 * asked


def test_with_no_memory_every_question_is_asked(tmp_path: Path, chase: StubBank) -> None:
    customers = customers_with(tmp_path, chase, settings=settings_in(tmp_path, cache_seconds=0))
    customer = linked(customers, "chase")
    for _ in range(2):
        customers.bank(customer).accounts(Purpose.BALANCES)
    assert chase.calls == ["accounts", "accounts"]


def test_customers_do_not_see_each_others_memory(customers: Customers, customer: Customer, chase: StubBank) -> None:
    customers.bank(customer).accounts(Purpose.BALANCES)
    other = linked(customers, "chase", sender="conversation-2")
    chase.accounts = [CHECKING]
    assert customers.bank(other).accounts(Purpose.BALANCES).value == (CHECKING,)


def old_answers(folder: Path, chase: StubBank, citi: StubBank, failure: BankingError) -> CustomerBank:
    """Another process than the one that asked: nothing in memory, and Chase fails now."""
    again = customers_with(folder, chase, citi)
    customer = again.identities.resolve("cmdline", "conversation-1")
    assert customer is not None
    chase.failure = failure
    return again.bank(customer)


@pytest.mark.parametrize("failure", [BankUnavailable(bank_id="chase"), RateLimited(bank_id="chase")])
def test_while_a_bank_is_down_its_last_words_are_repeated_and_marked(
    tmp_path: Path, bank: CustomerBank, chase: StubBank, citi: StubBank, failure: BankingError
) -> None:
    first = bank.transactions(YEAR, Purpose.INSIGHTS)
    balances = bank.balances([CHECKING, CARD])
    later = old_answers(tmp_path, chase, citi, failure)
    again = later.transactions(MARCH, Purpose.INSIGHTS)
    assert again.stale and again.problems == ()
    assert again.value == tuple(t for t in first.value if t.date in MARCH)
    assert again.as_of <= first.as_of + timedelta(seconds=1)
    assert later.balances([CHECKING, CARD]).value == balances.value
    assert later.balances([CHECKING, CARD]).stale


def test_last_words_about_too_short_a_time_are_not_given_for_a_longer_one(
    tmp_path: Path, bank: CustomerBank, chase: StubBank, citi: StubBank
) -> None:
    bank.transactions(MARCH, Purpose.INSIGHTS)
    later = old_answers(tmp_path, chase, citi, BankUnavailable(bank_id="chase"))
    assert {t.account_id for t in later.transactions(YEAR, Purpose.INSIGHTS).value} == {SAVINGS.id}


def test_a_short_question_does_not_push_out_a_long_answer_until_that_is_old(
    tmp_path: Path, bank: CustomerBank, chase: StubBank, citi: StubBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = bank.transactions(YEAR, Purpose.INSIGHTS)
    again = customers_with(tmp_path, chase, citi, settings=settings_in(tmp_path, cache_seconds=0))
    customer = again.identities.resolve("cmdline", "conversation-1")
    assert customer is not None
    again.bank(customer).transactions(MARCH, Purpose.INSIGHTS)
    later = old_answers(tmp_path, chase, citi, BankUnavailable(bank_id="chase"))
    assert later.transactions(YEAR, Purpose.INSIGHTS).value == first.value
    chase.failure = None
    monkeypatch.setenv("TELLERLINE_CLOCK", (clock.now() + timedelta(hours=2)).isoformat())
    again.bank(customer).transactions(MARCH, Purpose.INSIGHTS)
    assert (
        again.shared.last_words.get(Key(customer.id, "chase", f"transactions:{CARD.native_id}"), Transaction, YEAR)
        is None
    )


def test_withdrawing_lets_go_of_what_no_consent_covers(customers: Customers, customer: Customer) -> None:
    bank = customers.bank(customer)
    bank.balances([CHECKING])
    bank.transactions(MARCH, Purpose.INSIGHTS)

    def kept() -> set[str]:
        return {item.split(":")[0] for _, item, *_ in customers.shared.last_words.everything(customer.id)}

    customers.withdraw(customer, [Purpose.INSIGHTS, Purpose.ALERTS])
    assert kept() == {"accounts", "balances", "transactions"}  # TRANSACTIONS is still on
    customers.withdraw(customer, [Purpose.TRANSACTIONS])
    assert kept() == {"accounts", "balances"}
    customers.withdraw(customer, Purpose)
    assert kept() == set()


def test_last_words_grow_too_old(
    tmp_path: Path, bank: CustomerBank, chase: StubBank, citi: StubBank, monkeypatch: pytest.MonkeyPatch
) -> None:
    bank.accounts(Purpose.BALANCES)
    monkeypatch.setenv("TELLERLINE_CLOCK", (clock.now() + timedelta(hours=25)).isoformat())
    later = old_answers(tmp_path, chase, citi, BankUnavailable(bank_id="chase"))
    assert {a.bank_id for a in later.accounts(Purpose.BALANCES).value} == {"citi"}


def test_after_the_bank_ended_the_link_nothing_old_is_given_and_it_is_not_asked_again(
    tmp_path: Path, customers: Customers, customer: Customer, bank: CustomerBank, chase: StubBank, citi: StubBank
) -> None:
    bank.accounts(Purpose.BALANCES)
    later = old_answers(tmp_path, chase, citi, LinkExpired(bank_id="chase"))
    answer = later.accounts(Purpose.BALANCES)
    assert {a.bank_id for a in answer.value} == {"citi"}
    assert [type(p) for p in answer.problems] == [LinkExpired]
    chase.calls.clear()
    chase.failure = None
    later.accounts(Purpose.BALANCES)
    assert chase.calls == []
    assert {link.bank_id: link.state for link in customers.vault.links(customer.id)}["chase"] is LinkState.EXPIRED


def test_an_expiry_noticed_late_does_not_end_a_link_made_since(customers: Customers, customer: Customer) -> None:
    customers.vault.expired(customer.id, "chase", clock.now() - timedelta(minutes=1))
    assert all(link.state is LinkState.ACTIVE for link in customers.vault.links(customer.id))


def test_bank_data_rests_sealed(tmp_path: Path, bank: CustomerBank, chase: StubBank) -> None:
    chase.history = [spent(CHECKING, "1", "2026-03-02", description="UNMISTAKABLE SHOP")]
    bank.transactions(MARCH, Purpose.INSIGHTS)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"UNMISTAKABLE" not in path.read_bytes() and b"canary" not in path.read_bytes(), path
