"""Merchant, category and internal moves, from what banks send."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.banking.account import Account, AccountKind
from assistant.banking.enrich import Enricher
from assistant.banking.money import Money
from assistant.banking.tables import TableError
from assistant.banking.transaction import Transaction

ENRICHER = Enricher.load()
CHECKING = Account("b:chk", "b", AccountKind.CHECKING, "Checking", "USD")
SAVINGS = Account("b:sav", "b", AccountKind.SAVINGS, "Savings", "USD")
CARD = Account("b:card", "b", AccountKind.CREDIT_CARD, "Card", "USD")
MORTGAGE = Account("b:mtg", "b", AccountKind.MORTGAGE, "Home loan", "USD")
BROKERAGE = Account("b:inv", "b", AccountKind.INVESTMENT, "Brokerage", "USD")
ACCOUNTS = (CHECKING, SAVINGS, CARD, MORTGAGE, BROKERAGE)
DAY = date(2026, 3, 10)


def made(
    account: Account, amount: str, description: str = "", *, mcc: str = "", day: date = DAY, id: str = ""
) -> Transaction:
    return Transaction(
        id or f"{description}{amount}{day}",
        account.id,
        Money(Decimal(amount), "USD"),
        day,
        description=description,
        mcc=mcc,
    )


def only(transaction: Transaction) -> Transaction:
    return ENRICHER.enrich([transaction], ACCOUNTS)[0]


@pytest.mark.parametrize(
    ("description", "mcc", "amount", "category"),
    [
        ("NETFLIX.COM", "4899", "-15.49", "streaming"),
        ("SQ *BLUE DOOR CAFE 0341 SEATTLE WA", "5814", "-6.50", "coffee"),
        ("SQ *BLUE DOOR CAFE 0341 SEATTLE WA", "", "-6.50", "coffee"),
        ("GOLDEN WOK", "5812", "-30", "restaurants"),
        ("LUIGIS PIZZA 004", "", "-22", "restaurants"),
        ("NONAME 55512", "5912", "-9", "pharmacy"),
        ("NONAME 55512", "", "-9", "uncategorized"),
        ("OVERDRAFT FEE", "", "-35", "fees"),
        ("ATM WITHDRAWAL 5TH AVE", "6011", "-100", "cash"),
        ("NON-NETWORK ATM FEE", "", "-3", "fees"),
        ("HARBOR APARTMENTS RENT", "", "-1850", "rent"),
        ("ACME CORP PAYROLL PPD ID: 1", "", "2100", "income"),
        ("ZELLE TO JOHN SMITH", "", "-40", "transfer"),
        ("ZELLE PAYMENT TO LARCH STREET PROPERTIES", "", "-1780", "rent"),
        ("AMZN Mktp US*2K4", "5942", "35", "shopping"),
        ("SEATTLE CITY LIGHT BILL PAYMENT", "", "-80", "utilities"),
    ],
)
def test_what_money_went_on(description: str, mcc: str, amount: str, category: str) -> None:
    found = only(made(CHECKING, amount, description, mcc=mcc))
    assert found.category == category
    assert not found.internal


def test_money_in_without_a_word_is_income_on_an_account_and_a_refund_on_a_card() -> None:
    assert only(made(CHECKING, "50", "MISC 77")).category == "income"
    assert only(made(CARD, "50", "MISC 77")).category == "refund"


@pytest.mark.parametrize(
    ("account", "amount", "description", "category"),
    [
        (CHECKING, "-300", "CHASE CREDIT CRD AUTOPAY", "card_payment"),
        (CARD, "300", "PAYMENT THANK YOU-MOBILE", "card_payment"),
        (CARD, "300", "MOBILE PYMT RECVD", "card_payment"),
        (CHECKING, "-700", "FX EUR/USD TRANSFER OUT", "transfer"),
        (CHECKING, "-200", "ONLINE TRANSFER TO SAV ...8821", "transfer"),
        (SAVINGS, "200", "TRANSFER FROM CHK ...1234", "transfer"),
    ],
)
def test_words_that_mark_a_move_of_her_own_money(
    account: Account, amount: str, description: str, category: str
) -> None:
    found = only(made(account, amount, description))
    assert (found.category, found.internal) == (category, True)


def test_two_silent_ends_make_a_transfer() -> None:
    out, into = ENRICHER.enrich(
        [made(CHECKING, "-250", "WITHDRAWAL 11"), made(SAVINGS, "250", "CREDIT 11", day=DAY + timedelta(days=3))],
        ACCOUNTS,
    )
    assert (out.category, out.internal) == (into.category, into.internal) == ("transfer", True)


def test_a_silent_end_follows_the_one_that_speaks() -> None:
    out, into = ENRICHER.enrich([made(CHECKING, "-80", "WEB 8812"), made(CARD, "80", "PAYMENT THANK YOU")], ACCOUNTS)
    assert (out.category, out.internal) == ("card_payment", True)
    assert into.internal


@pytest.mark.parametrize(
    "pair",
    [
        (made(CHECKING, "-50", "TARGET 0012"), made(CARD, "50", "TARGET 0012")),
        (made(CHECKING, "-50", "CHECK 11"), made(CHECKING, "50", "MISC")),
        (made(CHECKING, "-50", "CHECK 11"), made(SAVINGS, "50", "MISC", day=DAY + timedelta(days=6))),
        (made(CHECKING, "-50", "CHECK 11"), made(SAVINGS, "50.01", "MISC")),
        (made(CHECKING, "-2000", "HARBOR APARTMENTS RENT"), made(SAVINGS, "2000", "ACME PAYROLL")),
    ],
    ids=["purchase and refund", "one account", "too far apart", "different amounts", "both say what they are"],
)
def test_what_is_not_a_move(pair: tuple[Transaction, Transaction]) -> None:
    assert not any(found.internal for found in ENRICHER.enrich(pair, ACCOUNTS))


def test_each_end_is_used_once() -> None:
    found = ENRICHER.enrich(
        [
            made(CHECKING, "-100", "CHECK 1", id="a"),
            made(CHECKING, "-100", "CHECK 2", day=DAY + timedelta(days=1), id="b"),
            made(SAVINGS, "100", "MISC", id="c"),
        ],
        ACCOUNTS,
    )
    assert [each.internal for each in found] == [True, False, True]


def test_a_mortgage_payment_is_spending_where_it_is_paid_from_only() -> None:
    out, into, interest = ENRICHER.enrich(
        [
            made(CHECKING, "-1900", "WEB 4411"),
            made(MORTGAGE, "1900", "PMT RECEIVED"),
            made(MORTGAGE, "-700", "INTEREST"),
        ],
        ACCOUNTS,
    )
    assert (out.category, out.internal) == ("mortgage", False)
    assert into.internal
    assert interest.internal


def test_saving_into_a_brokerage_account_is_internal() -> None:
    out, into = ENRICHER.enrich([made(CHECKING, "-500", "VANG 88"), made(BROKERAGE, "500", "CONTRIB")], ACCOUNTS)
    assert out.internal
    assert into.internal


transactions = st.lists(
    st.builds(
        made,
        st.sampled_from(ACCOUNTS),
        st.sampled_from(["-10", "10", "-25.50", "25.50", "0"]),
        st.sampled_from(
            ["CHECK 1", "MISC", "NETFLIX.COM", "PAYMENT THANK YOU", "ONLINE TRANSFER TO SAV", "", "ACME PAYROLL"]
        ),
        mcc=st.sampled_from(["", "5411"]),
        day=st.dates(DAY, DAY + timedelta(days=12)),
    ),
    max_size=30,
)


@given(transactions)
def test_order_amounts_and_ids_stay_and_twice_is_once(given_: list[Transaction]) -> None:
    once = ENRICHER.enrich(given_, ACCOUNTS)
    assert [(t.id, t.account_id, t.amount, t.date) for t in once] == [
        (t.id, t.account_id, t.amount, t.date) for t in given_
    ]
    assert ENRICHER.enrich(once, ACCOUNTS) == once


def test_a_merchant_of_an_unknown_category_is_refused(tmp_path: Path) -> None:
    own = tmp_path / "merchants.yml"
    own.write_text("merchants:\n  - {name: A, category: spaceships, patterns: [A]}\n")
    with pytest.raises(TableError, match="spaceships"):
        Enricher.load(merchants=own)


def test_a_payment_to_a_card_named_like_a_category_is_a_payment() -> None:
    """ "TRAVEL REWARDS VISA PAYMENT" is no travel: it would count as spending what was spent before."""
    checking = Account("b:1", "b", AccountKind.CHECKING, "Household", "USD")
    card = Account("b:2", "b", AccountKind.CREDIT_CARD, "Travel Rewards Visa", "USD")

    def one(id: str, account: Account, amount: int, description: str) -> Transaction:
        return Transaction(id, account.id, Money(Decimal(amount), "USD"), date(2026, 2, 3), description=description)

    paid = one("1", checking, -500, "TRAVEL REWARDS VISA PAYMENT")
    received = one("2", card, 500, "AUTOPAY PAYMENT - THANK YOU")
    out, into = Enricher.load().enrich([paid, received], [checking, card])
    assert (out.category, out.internal) == ("card_payment", True)
    assert (into.category, into.internal) == ("card_payment", True)
    (alone,) = Enricher.load().enrich([paid], [checking, card])
    assert not alone.internal


def test_an_exchange_between_own_accounts_is_a_move_when_the_bank_tells_the_amount_before_it() -> None:
    euro = Account("b:9", "b", AccountKind.CHECKING, "Euro", "EUR")
    out = Transaction("1", euro.id, Money(Decimal(-3500), "EUR"), DAY, description="OUT 4711")
    into = Transaction(
        "2",
        CHECKING.id,
        Money(Decimal("3780.00"), "USD"),
        DAY + timedelta(days=1),
        description="IN 4711",
        foreign_amount=Money(Decimal(3500), "EUR"),
    )
    moved = ENRICHER.enrich([out, into], [*ACCOUNTS, euro])
    assert [each.internal for each in moved] == [True, True]
    alone = ENRICHER.enrich([into], [*ACCOUNTS, euro])
    assert [each.internal for each in alone] == [False]
