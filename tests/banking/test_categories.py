"""The table of categories."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from assistant.banking.categories import Categories
from assistant.banking.phrases import PhraseIndex, words
from assistant.banking.tables import TableError

CATEGORIES = Categories.load()
IDS = [
    "groceries", "restaurants", "coffee", "gas", "transport", "travel", "lodging", "airfare", "shopping",
    "clothing", "electronics", "home", "utilities", "internet_phone", "rent", "mortgage", "insurance", "health",
    "pharmacy", "fitness", "entertainment", "streaming", "subscriptions", "education", "childcare", "pets",
    "personal_care", "gifts", "charity", "taxes", "fees", "interest", "cash", "transfer", "card_payment",
    "loan_payment", "income", "refund", "other", "uncategorized",
]  # fmt: skip


def test_the_ids_are_those_the_training_data_uses() -> None:
    assert sorted(category.id for category in CATEGORIES) == sorted(IDS)
    assert set(CATEGORIES.groups) == {"food", "bills", "transportation", "travel_all", "health_all", "fun"}


def test_a_group_stands_for_its_members_and_a_category_for_itself() -> None:
    assert CATEGORIES.members("food") == {"groceries", "restaurants", "coffee"}
    assert CATEGORIES.members("gas") == {"gas"}
    assert CATEGORIES.members("spaceships") == frozenset()
    assert "food" in CATEGORIES
    assert "spaceships" not in CATEGORIES


def test_no_synonym_means_two_things() -> None:
    said = [synonym for category in CATEGORIES for synonym in category.synonyms]
    assert sorted(said) == sorted(set(said))


def test_no_mcc_belongs_to_two_categories() -> None:
    spans = sorted((span.split("-")[0], span.split("-")[-1]) for category in CATEGORIES for span in category.mcc)
    for (_, end), (start, _) in pairwise(spans):
        assert end < start, (end, start)


@pytest.mark.parametrize(
    ("mcc", "category"),
    [
        ("5411", "groceries"),
        ("5812", "restaurants"),
        ("5541", "gas"),
        ("3058", "airfare"),
        ("3690", "lodging"),
        ("0000", ""),
    ],
)
def test_merchant_category_codes(mcc: str, category: str) -> None:
    assert CATEGORIES.of_mcc(mcc) == category


@pytest.mark.parametrize(
    ("descriptor", "inflow", "category", "internal"),
    [
        ("CHASE CREDIT CRD AUTOPAY", False, "card_payment", True),
        ("ONLINE TRANSFER TO SAV ...8821", False, "transfer", True),
        ("ZELLE TO JOHN SMITH", False, "transfer", False),
        ("WIRE TRANSFER FEE", False, "fees", False),
        ("ACME PAYROLL PPD ID: 1", True, "income", False),
        ("INTEREST CHARGE ON PURCHASES", False, "interest", False),
        ("IRS TREAS 310 TAX REF", True, "income", False),
    ],
)
def test_the_words_of_the_bank(descriptor: str, inflow: bool, category: str, internal: bool) -> None:
    found = CATEGORIES.of_bank_words(words(descriptor), inflow=inflow)
    assert found is not None
    assert (found.category, found.internal) == (category, internal)


def test_pay_words_do_not_count_for_money_going_out() -> None:
    assert CATEGORIES.of_bank_words(words("ACME PAYROLL"), inflow=False) is None


def test_the_longest_phrase_wins_then_the_earliest() -> None:
    index = PhraseIndex([("A", 1), ("A B", 2), ("C", 3), ("DE*", 4)])
    assert index.find(words("C A B")) == 2
    assert index.find(words("C A")) == 3
    assert index.find(words("DEF")) == 4
    assert PhraseIndex([("A*", 1), ("A B*", 2), ("A", 3)]).at(words("A BC")) == (2, 2)
    assert PhraseIndex([("A*", 1), ("A", 3)]).at(words("A X")) == (3, 1)
    assert index.at(words("A"), 1) is None
    assert index.at(words("X A")) is None
    assert index.find(()) is None


@pytest.mark.parametrize(
    "content",
    [
        "categories: {}",
        "categories: []",
        "categories: {a: {mcc: [abc]}}",
        "categories: {a: {synonyms: word}}",
        "categories: {a: {direction: up}}",
        "categories: {a: {words: ['*']}}",
        "categories: {a: text}",
    ],
)
def test_a_broken_table_is_refused(tmp_path: Path, content: str) -> None:
    broken = tmp_path / "categories.yml"
    broken.write_text(content)
    with pytest.raises(TableError):
        Categories.load(broken)


def test_a_group_of_unknown_members_is_refused(tmp_path: Path) -> None:
    own = tmp_path / "categories.yml"
    lines = "".join(f"  {each}: {{}}\n" for each in IDS)
    own.write_text(f"categories:\n{lines}groups:\n  g: {{members: [spaceships]}}\n")
    with pytest.raises(TableError, match="spaceships"):
        Categories.load(own)
