from __future__ import annotations

import threading
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import text
from support.stub_banks import StubBank, customers_with, linked

from assistant.customers.identity import Customer
from assistant.customers.service import Customers
from assistant.customers.step_up import IDLE, IDLE_ELSEWHERE, Answered, Challenge, Result, StepUp, WeakCode

CODE = "271828"
START = datetime.fromisoformat("2026-03-15T12:00:00+00:00")


@pytest.fixture
def customers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Customers:
    monkeypatch.setenv("TELLERLINE_CLOCK", START.isoformat())
    return customers_with(tmp_path, StubBank("chase"))


@pytest.fixture
def step_up(customers: Customers) -> StepUp:
    """With the cheapest argon2 there is; what is tested here is not its strength."""
    return StepUp(customers.storage.database, PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


@pytest.fixture
def customer(customers: Customers, step_up: StepUp) -> Customer:
    customer = linked(customers, "chase")
    step_up.set_code(customer.id, CODE)
    return customer


def test_a_challenge_waits_and_is_resumed(step_up: StepUp, customer: Customer) -> None:
    challenge = step_up.begin(customer, "erase", {"bank": "chase"})
    assert challenge is not None
    resumed = Challenge.from_slot(challenge.to_slot())
    assert resumed == challenge == Challenge("erase", {"bank": "chase"})
    assert step_up.answer(customer, CODE) == Answered(Result.PASSED)
    assert step_up.begin(customer, "erase") is None


@pytest.mark.parametrize("slot", [None, "erase", {}, {"action": 1}, {"action": "erase", "details": "all"}])
def test_a_made_up_challenge_is_none(slot: object) -> None:
    assert Challenge.from_slot(slot) is None


def test_a_made_up_challenge_opens_nothing(step_up: StepUp, customer: Customer) -> None:
    assert Challenge.from_slot({"action": "erase", "details": {"passed": "true"}}) is not None
    assert not step_up.has_passed(customer)


def test_the_code_may_be_spoken_with_pauses(step_up: StepUp, customer: Customer) -> None:
    assert step_up.answer(customer, "27 18-28").result is Result.PASSED


def test_three_wrong_tries_lock_it_even_for_the_right_code(step_up: StepUp, customer: Customer) -> None:
    assert step_up.answer(customer, "000001") == Answered(Result.WRONG, 2)
    assert step_up.answer(customer, "") == Answered(Result.WRONG, 1)
    assert step_up.answer(customer, "🙂" * 1000) == Answered(Result.LOCKED, 0)
    assert step_up.answer(customer, CODE) == Answered(Result.LOCKED)
    assert step_up.state(customer.id) is Result.LOCKED
    step_up.set_code(customer.id, "314159")
    assert step_up.answer(customer, CODE).result is Result.WRONG
    assert step_up.answer(customer, "314159").result is Result.PASSED


def test_locking_ends_what_was_passed_elsewhere(step_up: StepUp, customer: Customer) -> None:
    step_up.answer(customer, CODE)
    elsewhere = Customer(customer.id, "conversation-2", "messenger")
    for _ in range(3):
        step_up.answer(elsewhere, "000001")
    assert not step_up.has_passed(customer)


def test_a_right_code_forgives_the_wrong_ones(step_up: StepUp, customer: Customer) -> None:
    for _ in range(4):
        assert step_up.answer(customer, "000001") == Answered(Result.WRONG, 2)
        assert step_up.answer(customer, CODE).result is Result.PASSED


def test_many_guesses_at_once_are_three(step_up: StepUp, customer: Customer) -> None:
    results: list[Result] = []
    threads = [
        threading.Thread(target=lambda n=n: results.append(step_up.answer(customer, f"10000{n}").result))
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results.count(Result.WRONG) == 2 and results.count(Result.LOCKED) == 6


@pytest.mark.parametrize("channel", ["alexa", "cmdline", "messenger"])
def test_it_is_asked_again_after_silence(
    step_up: StepUp, customer: Customer, channel: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = Customer(customer.id, "conversation-1", channel)
    step_up.answer(here, CODE)
    idle = IDLE.get(channel, IDLE_ELSEWHERE)
    almost = START + idle - timedelta(seconds=1)
    monkeypatch.setenv("TELLERLINE_CLOCK", almost.isoformat())
    assert step_up.has_passed(here)
    monkeypatch.setenv("TELLERLINE_CLOCK", (almost + idle).isoformat())
    assert not step_up.has_passed(here)


def test_it_counts_for_one_conversation_of_one_customer(
    customers: Customers, step_up: StepUp, customer: Customer
) -> None:
    step_up.answer(customer, CODE)
    assert not step_up.has_passed(Customer(customer.id, "conversation-2", "cmdline"))
    other = linked(customers, "chase", sender="conversation-3")
    assert not step_up.has_passed(Customer(other.id, customer.conversation_id, "cmdline"))


def test_leaving_ends_it(step_up: StepUp, customer: Customer) -> None:
    step_up.answer(customer, CODE)
    step_up.leave(customer)
    assert not step_up.has_passed(customer)


def test_without_a_code_there_is_nothing_to_pass(customers: Customers, step_up: StepUp) -> None:
    nobody = linked(customers, "chase", sender="conversation-2")
    assert step_up.state(nobody.id) is Result.NOT_SET
    assert step_up.answer(nobody, CODE) == Answered(Result.NOT_SET)
    assert step_up.begin(nobody, "erase") is not None


@pytest.mark.parametrize("code", ["", "12345", "1" * 13, "abcdef", "٣١٤١٥٩", "111111", "123456", "987654", "890123"])
def test_a_weak_code_is_refused_without_repeating_it(step_up: StepUp, customer: Customer, code: str) -> None:
    with pytest.raises(WeakCode) as raised:
        step_up.set_code(customer.id, code)
    assert not code or code not in str(raised.value)


def test_the_code_is_kept_as_argon2id_only(
    customers: Customers, customer: Customer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    customers.step_up.set_code(customer.id, CODE)
    customers.step_up.answer(customer, CODE)
    with customers.storage.database.engine.connect() as connection:
        assert str(connection.execute(text("SELECT code_hash FROM step_up")).scalar()).startswith("$argon2id$")
    assert CODE not in caplog.text
    assert all(CODE.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
