"""Slips of the finger."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.nlu.spelling import Speller

SPELLER = Speller.learned(["what's my balance", "my balance", "show transactions", "subscriptions", "groceries"])


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("balnace", "balance"),
        ("balace", "balance"),
        ("ballance", "balance"),
        ("My BALAMCE", "my balance"),
        ("transactons", "transactions"),
        ("grocreies", "groceries"),
        ("whats my balance", "whats my balance"),
        ("zorbex", "zorbex"),
        ("valance", "valance"),
        ("bal", "bal"),
        ("$42.50 at 7 eleven", "$42.50 at 7 eleven"),
    ],
)
def test_one_slip_is_read_right(typed: str, read: str) -> None:
    assert SPELLER.correct(typed) == read


@given(st.text(max_size=100))
def test_any_text_keeps_its_spaces(text: str) -> None:
    assert len(SPELLER.correct(text).split(" ")) >= 1


def test_a_speller_can_be_kept_as_its_words() -> None:
    assert Speller(SPELLER.words).correct("balnace") == "balance"


def test_a_right_word_that_was_not_trained_on_is_spared() -> None:
    assert Speller(["balance"], frozenset({"valance", "balances"})).correct("balances") == "balances"
    assert Speller(["balance"]).correct("balances") == "balance"
