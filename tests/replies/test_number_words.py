"""Numbers in words: CLDR's published examples, and whatever is said is understood again as the same number."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.nlu.numbers import read_digits, read_number, read_ordinal
from assistant.replies.number_words import cardinal, decimal, digits, ordinal, spell_out, year


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (21, "twenty-one"),
        (100, "one hundred"),
        (1203, "one thousand two hundred three"),
        (1_000_000, "one million"),
        (-7, "minus seven"),
    ],
)
def test_cardinals(number: int, words: str) -> None:
    assert cardinal(number) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1, "first"),
        (3, "third"),
        (8, "eighth"),
        (12, "twelfth"),
        (20, "twentieth"),
        (31, "thirty-first"),
        (100, "one hundredth"),
        (102, "one hundred second"),
    ],
)
def test_ordinals(number: int, words: str) -> None:
    assert ordinal(number) == words


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (1900, "nineteen hundred"),
        (1905, "nineteen oh five"),
        (2000, "two thousand"),
        (2005, "two thousand five"),
        (2026, "twenty twenty-six"),
    ],
)
def test_years(number: int, words: str) -> None:
    assert year(number) == words


@given(st.integers(0, 999_999_999))
def test_a_number_said_is_the_number_heard(number: int) -> None:
    assert read_number(cardinal(number)) == number


@given(st.integers(1, 31))
def test_a_day_said_is_the_day_heard(day: int) -> None:
    assert read_ordinal(ordinal(day)) == day


@given(st.from_regex(r"[0-9]{4}", fullmatch=True))
def test_the_end_of_an_account_said_is_the_one_heard(mask: str) -> None:
    assert read_digits(digits(mask)) == mask


@given(st.decimals(0, 9999, places=2))
def test_a_share_said_is_the_share_heard(share: Decimal) -> None:
    assert read_number(decimal(share)) == share


@given(st.text())
def test_no_figure_is_left(text: str) -> None:
    assert not any(character in "0123456789" for character in spell_out(text))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Studio 54", "Studio fifty-four"),
        ("the 18th", "the eighteenth"),
        ("7-Eleven", "seven-Eleven"),
        ("1,250 points", "one thousand two hundred fifty points"),
        ("2.5 miles", "two point five miles"),
        ("Store 00412", "Store zero zero four one two"),
        ("4Ever", "four Ever"),
        ("1234567890123456", "one two three four five six seven eight nine zero one two three four five six"),
    ],
)
def test_numbers_within_a_text(written: str, said: str) -> None:
    assert spell_out(written) == said
