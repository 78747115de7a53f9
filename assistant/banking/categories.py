"""What money goes on: the table in categories.yml, which a bank can replace."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from assistant.banking.phrases import PhraseIndex, words
from assistant.banking.tables import TableError, read_table, strings

#: Path of a bank's own table; unset, the one beside this module is used.
CATEGORIES_VARIABLE = "TELLERLINE_CATEGORIES"
_OWN_TABLE = Path(__file__).with_name("categories.yml")

UNCATEGORIZED = "uncategorized"
#: The ids the rest of Tellerline gives a meaning to; a replaced table must keep them.
REQUIRED = frozenset({"transfer", "card_payment", "loan_payment", "mortgage", "income", "interest", "fees", "refund"})


@dataclass(frozen=True, slots=True)
class Category:
    """One line of the table. ``direction`` "in" or "out" limits ``bank_words`` and ``words``; "" does not."""

    id: str
    synonyms: tuple[str, ...] = ()
    mcc: tuple[str, ...] = ()
    bank_words: tuple[str, ...] = ()
    internal_words: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    refines: tuple[str, ...] = ()
    direction: str = ""


@dataclass(frozen=True, slots=True)
class BankWord:
    """What a bank's own wording says: the category, and whether both ends are the customer's."""

    category: str
    internal: bool


class Categories:
    """The table, indexed. Immutable once built; safe to share between threads."""

    def __init__(self, categories: Mapping[str, Category], groups: Mapping[str, tuple[str, ...]]) -> None:
        self._categories = dict(categories)
        self._groups = dict(groups)
        self._mcc = {code: c.id for c in categories.values() for span in c.mcc for code in _codes(c.id, span)}
        self._bank_words = {
            inflow: PhraseIndex(
                (phrase, BankWord(c.id, phrase in c.internal_words))
                for c in categories.values()
                if c.direction in ("", "in" if inflow else "out")
                for phrase in (*c.internal_words, *c.bank_words)
            )
            for inflow in (False, True)
        }
        self._shop_words = {
            inflow: PhraseIndex(
                (phrase, c.id)
                for c in categories.values()
                if c.direction in ("", "in" if inflow else "out")
                for phrase in c.words
            )
            for inflow in (False, True)
        }

    @classmethod
    def load(cls, path: Path | None = None) -> Categories:
        """From ``path``, else TELLERLINE_CATEGORIES, else our own table; read once per file.

        Raises TableError when the table cannot be used.
        """
        return _load(path or Path(os.environ.get(CATEGORIES_VARIABLE) or _OWN_TABLE))

    def __iter__(self) -> Iterator[Category]:
        return iter(self._categories.values())

    def __contains__(self, category: object) -> bool:
        """Whether it is the id of a category or of a group."""
        return category in self._categories or category in self._groups

    @property
    def groups(self) -> Mapping[str, tuple[str, ...]]:
        """Group id to the ids of its members."""
        return dict(self._groups)

    def members(self, category: str) -> frozenset[str]:
        """The categories meant: those of a group, else the one itself; none when there is no such id."""
        if category in self._groups:
            return frozenset(self._groups[category])
        return frozenset({category} if category in self._categories else ())

    def of_mcc(self, mcc: str) -> str:
        """The category of a merchant category code (ISO 18245, four digits); "" when it has none."""
        return self._mcc.get(mcc, "")

    def of_bank_words(self, text: tuple[str, ...], *, inflow: bool) -> BankWord | None:
        """What the bank's own words in a descriptor say ("OVERDRAFT FEE"); None when they say nothing."""
        return self._bank_words[inflow].find(text)

    def of_shop_words(self, text: tuple[str, ...], *, inflow: bool) -> str:
        """What the words of a shop's name suggest ("PIZZA"); "" when nothing."""
        return self._shop_words[inflow].find(text) or ""

    def refines(self, category: str, coarse: str) -> bool:
        """Whether ``category``, found by words, is the finer answer where an MCC said ``coarse``."""
        known = self._categories.get(category)
        return known is not None and coarse in known.refines


@lru_cache(maxsize=8)
def _load(path: Path) -> Categories:
    content = read_table(path)
    categories: dict[str, Category] = {}
    for key, entry in _entries(path, content, "categories"):
        owner = f"{path}: {key}"
        direction = entry.get("direction", "")
        if direction not in ("", "in", "out"):
            raise TableError(f"{owner}: direction is in or out")
        lists = {name: strings(owner, entry, name) for name in _LISTS}
        categories[key] = Category(id=key, direction=direction, **lists)
    missing = sorted((REQUIRED | {UNCATEGORIZED}) - set(categories))
    if missing:
        raise TableError(f"{path}: these categories are needed: {', '.join(missing)}")
    groups = {}
    for key, entry in _entries(path, content, "groups"):
        groups[key] = strings(f"{path}: {key}", entry, "members")
        unknown = sorted(set(groups[key]) - set(categories))
        if unknown or key in categories:
            raise TableError(f"{path}: group {key}: {', '.join(unknown) or 'is also a category'}")
    return Categories(categories, groups)


_LISTS = ("synonyms", "mcc", "bank_words", "internal_words", "words", "refines")


def _entries(path: Path, content: Mapping[str, Any], section: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    table = content.get(section) or {}
    if not isinstance(table, Mapping):
        raise TableError(f"{path}: {section} is a mapping of ids")
    for key, entry in table.items():
        if not isinstance(key, str) or not isinstance(entry, Mapping):
            raise TableError(f"{path}: {section}: {key} holds a mapping")
        for name in ("bank_words", "internal_words", "words"):
            if not all(words(phrase) for phrase in strings(f"{path}: {key}", entry, name)):
                raise TableError(f"{path}: {key}: {name} holds an entry without a word")
        yield key, entry


def _codes(owner: str, span: str) -> Iterator[str]:
    first, _, last = span.partition("-")
    if not (first.isdigit() and (last or first).isdigit() and len(first) == 4):
        raise TableError(f"{owner}: mcc {span} is four digits, or a range of them")
    for code in range(int(first), int(last or first) + 1):
        yield f"{code:04d}"
