"""Merchants: the table in merchants.yml, which a bank can replace, and the names descriptors stand for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from assistant.banking.descriptors import readable_name, strip_prefixes
from assistant.banking.phrases import PhraseIndex, words
from assistant.banking.tables import TableError, read_table, strings

#: Path of a bank's own table; unset, the one beside this module is used.
MERCHANTS_VARIABLE = "TELLERLINE_MERCHANTS"
_OWN_TABLE = Path(__file__).with_name("merchants.yml")


@dataclass(frozen=True, slots=True)
class Merchant:
    """Who was paid. ``category`` is "" where the table does not say (or the merchant is not in it)."""

    name: str
    category: str = ""
    known: bool = False


class Merchants:
    """The table, indexed. Immutable once built; safe to share between threads."""

    def __init__(
        self,
        patterns: Iterable[tuple[str, Merchant]],
        cities: frozenset[tuple[str, ...]],
        acronyms: frozenset[str],
    ) -> None:
        listed = tuple(patterns)
        self._patterns = PhraseIndex(listed)
        self.categories = frozenset(merchant.category for _, merchant in listed if merchant.category)
        self._cities = cities
        self._acronyms = acronyms

    @classmethod
    def load(cls, path: Path | None = None) -> Merchants:
        """From ``path``, else TELLERLINE_MERCHANTS, else our own table; read once per file.

        Raises TableError when the table cannot be used.
        """
        return _load(path or Path(os.environ.get(MERCHANTS_VARIABLE) or _OWN_TABLE))

    def identify(self, description: str, payee: str = "") -> Merchant:
        """Who a descriptor stands for: by the table, else its readable part; the bank's own payee helps.

        The name is "" only when neither text holds a letter.
        """
        texts = [text for text in (payee, description) if text]
        for text in texts:
            found = self._patterns.at(words(strip_prefixes(text)))
            if found:
                return found[0]
        for text in texts:
            name = readable_name(strip_prefixes(text, columns=True), self._cities, self._acronyms)
            if name:
                return Merchant(name)
        return Merchant("")

    def called(self, said: str) -> str:
        """The table's name for a merchant as somebody says it; "" when the table does not know all of the words."""
        parts = words(said)
        found = self._patterns.at(parts)
        return found[0].name if found and found[1] == len(parts) else ""


@lru_cache(maxsize=8)
def _load(path: Path) -> Merchants:
    content = read_table(path)
    entries = content.get("merchants") or ()
    if isinstance(entries, (str, Mapping)):
        raise TableError(f"{path}: merchants is a list")
    patterns = []
    for position, entry in enumerate(entries, 1):
        name = entry.get("name") if isinstance(entry, Mapping) else None
        owner = f"{path}: merchant {position} ({name})"
        if not isinstance(name, str) or not name:
            raise TableError(f"{owner}: a name is needed")
        merchant = Merchant(name, str(entry.get("category", "")), known=True)
        for pattern in strings(owner, entry, "patterns"):
            if not words(pattern):
                raise TableError(f"{owner}: a pattern without a word")
            patterns.append((pattern, merchant))
    cities = frozenset(words(city) for city in strings(str(path), content, "cities"))
    return Merchants(patterns, cities, frozenset(strings(str(path), content, "acronyms")))
