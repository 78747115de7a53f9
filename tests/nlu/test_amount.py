"""Amounts as people write and say them."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.nlu.amount import Amount, find_amounts
from assistant.nlu.numbers import read_digits, read_number, read_ordinal


def usd(low: str | None, high: str | None, *, currency: str = "USD", strict: bool = False) -> Amount:
    return Amount(None if low is None else Decimal(low), None if high is None else Decimal(high), currency, strict)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("over fifty bucks", usd("50", None, strict=True)),
        ("about $1.2k", usd("1080", "1320")),
        ("about $50", usd("45", "55")),
        ("$50", usd("50", "50")),
        ("two hundred five dollars and thirty cents", usd("205.30", "205.30")),
        ("€20", usd("20", "20", currency="EUR")),
        ("20 euros", usd("20", "20", currency="EUR")),
        ("$42.50", usd("42.50", "42.50")),
        ("forty two dollars fifty", usd("42.50", "42.50")),
        ("a charge for 729", usd("729", "729", currency="")),
        ("more than 1,000 dollars", usd("1000", None, strict=True)),
        ("between 20 and 40 dollars", usd("20", "40")),
        ("from 20 to 40 bucks", usd("20", "40")),
        ("between 1 and 2k", usd("1000", "2000", currency="")),
        ("at least 100", usd("100", None, currency="")),
        ("$50 or more", usd("50", None)),
        ("under $5", usd(None, "5", strict=True)),
        ("no more than ten dollars", usd(None, "10")),
        ("fifty cents", usd("0.50", "0.50")),
        ("a buck fifty", usd("1.50", "1.50")),
        ("a couple hundred dollars", usd("200", "200")),
        ("twelve hundred dollars", usd("1200", "1200")),
        ("$1,234.56", usd("1234.56", "1234.56")),
        ("OVER FIFTY BUCKS", usd("50", None, strict=True)),
    ],
)
def test_amounts(said: str, meant: Amount) -> None:
    found = find_amounts(said)
    assert len(found) == 1
    value, expected = found[0].amount.to_value(), meant.to_value()
    assert value == expected


@pytest.mark.parametrize(
    "text",
    [
        "over 90 days",
        "last 10 transactions",
        "over the weekend",
        "more than 3 times",
        "in 2025",
        "between the 3rd and the 10th",
    ],
)
def test_other_numbers_are_not_money(text: str) -> None:
    assert find_amounts(text) == []


@given(st.decimals(min_value="0.01", max_value="9999999.99", places=2))
def test_a_written_amount_is_exact(amount: Decimal) -> None:
    found = find_amounts(f"was there a charge of ${amount:,.2f} yesterday")
    assert [(f.amount.low, f.amount.high) for f in found] == [(amount, amount)]


@given(st.text(max_size=200))
def test_any_text_can_be_searched(text: str) -> None:
    for found in find_amounts(text):
        assert 0 <= found.start < found.end <= len(text)
        low, high = found.amount.low, found.amount.high
        assert low is None or high is None or low <= high


@pytest.mark.parametrize(
    ("said", "value"),
    [("1,200.50", "1200.50"), ("1.2k", "1200"), ("two hundred five", "205"), ("a thousand two hundred", "1200"),
     ("two million", "2000000"), ("one point five", "1.5"), ("a dozen", "12"), ("seventy-two", "72")],
)  # fmt: skip
def test_numbers(said: str, value: str) -> None:
    assert read_number(said) == Decimal(value)


def test_what_is_no_number_is_none() -> None:
    assert read_number("banana") is None
    assert read_number("9" * 40) is None
    assert read_ordinal("banana") is None


@pytest.mark.parametrize(("said", "day"), [("3rd", 3), ("twenty first", 21), ("thirtieth", 30), ("31st", 31)])
def test_ordinals(said: str, day: int) -> None:
    assert read_ordinal(said) == day


@pytest.mark.parametrize("said", ["4729", "4 7 2 9", "four seven two nine", "forty seven twenty nine", "for 729"])
def test_last_four_however_heard(said: str) -> None:
    assert read_digits(said) == "4729"
