"""Accounts, counts, closed words, and who wins where readings meet. Rules alone: nothing is trained here."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.nlu.account import find_accounts
from assistant.nlu.entities import EntityReader, clean_name, find_counts
from assistant.nlu.entity import Entity, fold
from assistant.nlu.vocabulary import Vocabulary, longest

READER = EntityReader(
    Vocabulary(
        {
            "bank": {"wells fargo": "wells_fargo"},
            "status": {"pending": "pending"},
            "order": {"biggest": "largest"},
            "category": {"eating out": "restaurants", "gas": "gas", "stuff": "shopping", "mortgage": "mortgage"},
        }
    )
)


def read(text: str) -> dict[str, Any]:
    return {entity.name: entity.value for entity in READER.read(text)}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("my checking account", {"kind": "checking", "last4": "", "name": ""}),
        ("how much do we still owe on the house", {"kind": "mortgage", "last4": "", "name": ""}),
        ("what's left on my car", {"kind": "auto_loan", "last4": "", "name": ""}),
        ("how long until the house is paid off", {"kind": "mortgage", "last4": "", "name": ""}),
        ("what's left on the house card", {"kind": "card", "last4": "", "name": ""}),
        ("savings ending in 4729", {"kind": "savings", "last4": "4729", "name": ""}),
        ("the account ending in for 729", {"kind": "", "last4": "4729", "name": ""}),
        ("card that ends with 4 7 2 9", {"kind": "card", "last4": "4729", "name": ""}),
        ("my visa ending in eighty two ten", {"kind": "card", "last4": "8210", "name": "visa"}),
        ("the vacation fund", {"kind": "", "last4": "", "name": "vacation fund"}),
        ("my joint checking", {"kind": "checking", "last4": "", "name": "joint"}),
        ("Car Loan", {"kind": "auto_loan", "last4": "", "name": ""}),
        ("my euro account", {"kind": "", "last4": "", "name": "euro"}),
    ],
)
def test_accounts(text: str, value: dict[str, str]) -> None:
    assert [entity.value for entity in find_accounts(text)] == [value]


def test_two_accounts_stay_two() -> None:
    found = find_accounts("move it from checking to savings")
    assert [entity.value["kind"] for entity in found] == ["checking", "savings"]


def test_funds_in_general_are_no_account() -> None:
    assert find_accounts("what funds do i have") == []


@pytest.mark.parametrize(
    ("text", "count"),
    [("my last five transactions", 5), ("top 3 merchants", 3), ("last dozen debits", 12), ("ten more", 10)],
)
def test_counts(text: str, count: int) -> None:
    assert [entity.value for entity in find_counts(text)] == [count]


@pytest.mark.parametrize("text", ["the last 10 days", "one more time", "over $50", "the biggest one", "last 2 weeks"])
def test_other_numbers_are_no_count(text: str) -> None:
    assert find_counts(text) == []


def test_a_sentence_of_everything() -> None:
    assert read("show my last 5 pending charges over $20 on the visa since march") == {
        "count": 5,
        "status": "pending",
        "amount": {"low": "20.00", "high": None, "currency": "USD", "strict": True},
        "account": {"kind": "card", "last4": "", "name": "visa"},
        "period": "since march",
    }


def test_everyday_words_count_only_where_money_goes() -> None:
    assert "category" not in read("tell me stuff")
    assert read("how much did i spend on stuff")["category"] == "shopping"


def test_a_mortgage_is_an_account_unless_money_is_spent_on_it() -> None:
    assert read("what do i owe on my mortgage")["account"]["kind"] == "mortgage"
    assert read("how much did i spend on my mortgage") == {"category": "mortgage"}


def test_case_and_apostrophes_do_not_matter() -> None:
    assert read("HOW MUCH ON EATING OUT") == {"category": "restaurants"}
    assert fold("What’s") == "what's"


def test_names_lose_their_small_words() -> None:
    assert clean_name("my landlord", "payee") == "landlord"
    assert clean_name("the blue door cafe", "merchant") == "blue door cafe"


def test_the_longest_reading_stays() -> None:
    short, long = Entity("a", 0, 4, "x"), Entity("b", 0, 9, "y")
    assert longest([short, long]) == [long]


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    entities = READER.read(text)
    for entity in entities:
        assert 0 <= entity.start < entity.end <= len(text)
    for one, following in pairwise(entities):
        assert not one.overlaps(following)


def test_ten_thousand_characters_are_cut() -> None:
    assert all(entity.end <= 1000 for entity in READER.read("over $50 " * 1200))
