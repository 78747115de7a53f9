"""Closed language: the phrases that stand for a value, found with spaCy's matcher."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import spacy
from spacy.language import Language
from spacy.matcher import PhraseMatcher

from assistant.nlu.entity import Entity, fold

#: Synonyms of a category that are everyday words: they count only where something is spent on them.
_EVERYDAY = frozenset({
    "apartment", "apps", "bar", "bars", "books", "bus", "cable", "car", "cash", "cell", "charges", "charging",
    "classes", "deposits", "dinner", "drinks", "eating", "fee", "fees", "games", "giving", "home", "house",
    "interest", "kids", "lunch", "online", "out", "pay", "paycheck", "phone", "phones", "power", "purchases",
    "refund", "salon", "school", "shows", "stores", "studies", "stuff", "subscriptions", "tax", "the",
    "things", "toys", "train", "trains", "transfer", "transfers", "trip", "trips", "withdrawals",
    "the house", "house stuff", "take out", "cash out", "money back",
})  # fmt: skip
_SPENT_ON = re.compile(r"(?:\b(?:on|for|about|in|of|and|or|just|only|my|more|less|the|to|with|than|same)|^) $")
_SPENT = re.compile(
    r"^ (?:spending|spend|purchases|transactions|expenses|costs?|bills?|payments?|charges|budget|category|shopping)\b"
)


class Vocabulary:
    """Phrases to look for, each meaning a value of one entity. Built once; reading does not change it."""

    def __init__(self, phrases: Mapping[str, Mapping[str, str]], language: Language | None = None) -> None:
        """``phrases``: entity to phrase (folded) to value; where a phrase is in two, the first entity listed has it."""
        self._language = language or spacy.blank("en")
        self._matcher = PhraseMatcher(self._language.vocab, attr="LOWER")
        self._meaning: dict[str, tuple[str, str]] = {}
        for entity, values in phrases.items():
            for phrase, value in values.items():
                self._meaning.setdefault(fold(phrase), (entity, value))
        self._matcher.add("word", [self._language.make_doc(phrase) for phrase in self._meaning])

    def find(self, text: str) -> list[Entity]:
        """Every phrase found, the longest first where they overlap."""
        folded = fold(text)
        document = self._language.make_doc(folded)
        found = []
        for _, first, last in self._matcher(document):
            span = document[first:last]
            entity, value = self._meaning.get(span.text, ("", ""))
            if entity and not (entity == "category" and self._is_idle(folded, span.start_char, span.end_char)):
                found.append(Entity(entity, span.start_char, span.end_char, value))
        return longest(found)

    @staticmethod
    def _is_idle(folded: str, start: int, end: int) -> bool:
        """An everyday word with nothing to say that money goes on it ("things I bought", "how are things")."""
        if folded[end:].startswith(" rate"):
            return True
        if folded[start:end] not in _EVERYDAY:
            return False
        return not (_SPENT_ON.search(folded[:start]) or _SPENT.match(folded[end:]))


def longest(found: Iterable[Entity]) -> list[Entity]:
    """Without overlaps, longer ones kept, in reading order."""
    chosen: list[Entity] = []
    for one in sorted(found, key=lambda e: (-e.length, e.start)):
        if not any(one.overlaps(other) for other in chosen):
            chosen.append(one)
    return sorted(chosen, key=lambda e: e.start)
