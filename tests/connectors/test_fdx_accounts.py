from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.banking.account import Account, AccountKind, AccountStatus, Balances
from assistant.banking.money import Money
from assistant.connectors.fdx_accounts import has_balances, parse_account, parse_balances

NEW_YORK = ZoneInfo("America/New_York")
FETCHED = datetime(2026, 3, 15, 12, tzinfo=timezone.utc)


def account(item: dict[str, Any]) -> Account:
    found = parse_account(item, "bank")
    assert found is not None
    return found


def balances(item: dict[str, Any]) -> Balances:
    return parse_balances(item, account(item), NEW_YORK, FETCHED)


@pytest.mark.parametrize(
    ("category", "kind", "expected"),
    [
        ("DEPOSIT_ACCOUNT", "CHECKING", AccountKind.CHECKING),
        ("DEPOSIT_ACCOUNT", "HIGHINTERESTSAVINGSACCOUNT", AccountKind.SAVINGS),
        ("DEPOSIT_ACCOUNT", "moneymarket", AccountKind.MONEY_MARKET),
        ("LOC_ACCOUNT", "CREDITCARD", AccountKind.CREDIT_CARD),
        ("LOC_ACCOUNT", "CHARGE", AccountKind.CREDIT_CARD),
        ("LOC_ACCOUNT", "SOMETHINGNEW", AccountKind.LINE_OF_CREDIT),
        ("LOAN_ACCOUNT", "STUDENTLOAN", AccountKind.STUDENT_LOAN),
        ("LOAN_ACCOUNT", "", AccountKind.LOAN),
        ("INVESTMENT_ACCOUNT", "401K", AccountKind.INVESTMENT),
        ("DIGITAL_WALLET", "WALLET", AccountKind.OTHER),
        ("BNPL_ACCOUNT", "X", AccountKind.OTHER),
        ("", "", AccountKind.OTHER),
    ],
)
def test_kinds(category: str, kind: str, expected: AccountKind) -> None:
    assert account({"accountCategory": category, "accountType": kind, "accountId": "1"}).kind is expected


def test_wrapped_and_flat_are_the_same() -> None:
    inner = {
        "accountId": "depositAccount0000001", "accountType": "CHECKING", "accountNumberDisplay": "xxxx-5820",
        "productName": "Checking", "nickname": "Main Checking", "status": "OPEN",
        "currency": {"currencyCode": "USD"},
    }  # fmt: skip
    flat = account({"accountCategory": "DEPOSIT_ACCOUNT", **inner})
    assert account({"depositAccount": inner}) == flat
    assert account({"depositAccount": {"accountCategory": "DEPOSIT_ACCOUNT", **inner}}) == flat
    assert flat == Account(
        "bank:depositAccount0000001", "bank", AccountKind.CHECKING, "Checking", "USD", "5820", "Main Checking"
    )


@pytest.mark.parametrize(
    ("status", "expected"),
    [("OPEN", AccountStatus.OPEN), ("CLOSED", AccountStatus.CLOSED), ("PAID", AccountStatus.CLOSED),
     ("PENDINGOPEN", AccountStatus.PENDING), ("PENDINGCLOSE", AccountStatus.OPEN), ("DELINQUENT", AccountStatus.OPEN),
     ("NEGATIVECURRENTBALANCE", AccountStatus.OPEN), ("RESTRICTED", AccountStatus.RESTRICTED),
     (None, AccountStatus.OPEN)],
)  # fmt: skip
def test_statuses(status: Any, expected: AccountStatus) -> None:
    assert account({"accountId": "1", "status": status}).status is expected


def test_an_account_without_an_id_cannot_be_asked_about() -> None:
    assert parse_account({"depositAccount": {"accountId": " "}}, "bank") is None


def test_a_deposit() -> None:
    item = {
        "accountCategory": "DEPOSIT_ACCOUNT", "accountId": "1", "accountType": "CHECKING", "currency": "EUR",
        "currentBalance": Decimal("-12.30"), "availableBalance": 0, "balanceAsOf": "2026-03-15T08:00:00-04:00",
    }  # fmt: skip
    found = balances(item)
    assert (found.current, found.available) == (Money(Decimal("-12.30"), "EUR"), Money(Decimal(0), "EUR"))
    assert found.as_of == datetime(2026, 3, 15, 12, tzinfo=timezone.utc)
    assert found.as_of.tzinfo is timezone.utc


def test_a_card_that_calls_its_credit_available_balance() -> None:
    """As in Truist's examples."""
    item = {"locAccount": {
        "accountId": "1", "accountType": "CREDITCARD", "currentBalance": Decimal("250.00"),
        "availableBalance": Decimal("4750.00"), "creditLine": 5000, "minimumPaymentAmount": 25,
        "nextPaymentDate": "2026-04-01", "purchasesApr": Decimal("24.99"),
    }}  # fmt: skip
    found = balances(item)
    assert (found.owed, found.available) == (Money(Decimal("250.00"), "USD"), Money(Decimal("4750.00"), "USD"))
    assert (found.current, found.credit_limit) == (None, Money(Decimal(5000), "USD"))
    assert (found.next_payment_date, found.interest_rate) == (date(2026, 4, 1), Decimal("24.99"))


def test_a_loan() -> None:
    item = {"accountCategory": "LOAN_ACCOUNT", "accountId": "1", "accountType": "MORTGAGE",
            "principalBalance": Decimal("200000"), "currentBalance": Decimal("1"), "interestRate": Decimal("4.12"),
            "nextPaymentAmount": Decimal("1500.10"), "maturityDate": "2050-12-01T00:00:00Z"}  # fmt: skip
    found = balances(item)
    assert (found.owed, found.available) == (Money(Decimal(200000), "USD"), None)
    assert (found.next_payment, found.maturity_date) == (Money(Decimal("1500.10"), "USD"), date(2050, 12, 1))


@pytest.mark.parametrize("category", ["DEPOSIT_ACCOUNT", "LOC_ACCOUNT", "LOAN_ACCOUNT", "INVESTMENT_ACCOUNT", "OTHER"])
def test_what_is_null_or_absent_is_missing(category: str) -> None:
    names = ("currentBalance", "availableBalance", "principalBalance", "availableCredit", "creditLine", "currentValue")
    for absent in ({}, dict.fromkeys(names)):
        item = {"accountCategory": category, "accountId": "1", **absent}
        assert balances(item) == Balances(account(item).id, as_of=FETCHED)


def test_a_light_listing_is_told_from_one_with_figures() -> None:
    assert not has_balances({"depositAccount": {"accountId": "1"}})
    assert has_balances({"depositAccount": {"accountId": "1", "currentBalance": None}})


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.decimals() | st.just("2026-13-45T99:00:00Z"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
fields = st.dictionaries(
    st.sampled_from([
        "accountCategory", "accountType", "accountNumberDisplay", "productName", "nickname", "status", "currency",
        "currentBalance", "availableBalance", "principalBalance", "balanceAsOf", "nextPaymentDate", "interestRate",
    ]),
    anything,
)  # fmt: skip


@settings(deadline=None)
@given(fields)
def test_no_optional_field_can_break_the_reading(item: dict[str, Any]) -> None:
    balances({**item, "accountId": "1"})
