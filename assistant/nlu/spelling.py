"""Slips of the finger: a word nobody trained on, one slip away from one that was, is read as that one.

For telling intents apart only; names and amounts are read from what was typed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from assistant.nlu.entity import fold

#: Where the featurizer leaves a message's corrected text for the classifier.
SPELLED = "spelled_text"

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
#: Shorter words have too many neighbours one slip away.
_SHORTEST = 4


class Speller:
    """Known words by what is left of them when one letter is missing (as SymSpell does): no search, a look-up."""

    def __init__(self, words: Iterable[str], spared: frozenset[str] = frozenset()) -> None:
        """``words``: those known, the commonest first. ``spared``: words that are right though not known."""
        self._spared = spared
        self._known: dict[str, int] = {}
        for word in words:
            self._known.setdefault(word, len(self._known))
        self._near: dict[str, list[str]] = {}
        for word in self._known:
            if len(word) >= _SHORTEST:
                for shorter in {word, *_one_less(word)}:
                    self._near.setdefault(shorter, []).append(word)

    @classmethod
    def learned(cls, texts: Iterable[str], spared: frozenset[str] = frozenset()) -> Speller:
        """From the words of the training texts."""
        count = Counter(word for text in texts for word in known_words(text))
        ordered = sorted(count.items(), key=lambda item: (-item[1], item[0]))
        return cls((word for word, _ in ordered), spared)

    @property
    def words(self) -> list[str]:
        """The words known, the commonest first."""
        return list(self._known)

    def correct(self, text: str) -> str:
        """The text with every unknown word that is one slip from a known one replaced; in lower case."""
        return _WORD.sub(lambda match: self._read(match.group()), fold(text))

    def _read(self, word: str) -> str:
        plain = word.replace("'", "")
        if len(plain) < _SHORTEST or plain in self._known or plain in self._spared:
            return word
        near = {other for shorter in (plain, *_one_less(plain)) for other in self._near.get(shorter, ())}
        close = [other for other in near if _one_slip(plain, other)]
        return min(close, key=self._known.__getitem__) if close else word


def known_words(text: str) -> list[str]:
    """The words of a text as the speller counts them."""
    return [word.replace("'", "") for word in _WORD.findall(fold(text))]


def _one_less(word: str) -> Iterator[str]:
    for i in range(len(word)):
        yield word[:i] + word[i + 1 :]


def _one_slip(typed: str, meant: str) -> bool:
    """One letter missing, added, wrong, or two neighbours swapped."""
    if typed[0] != meant[0] and typed[:2] != meant[1::-1]:
        return False  # hardly anyone slips on the first letter
    if abs(len(typed) - len(meant)) == 1:
        short, long = sorted((typed, meant), key=len)
        return short in _one_less(long)
    if len(typed) != len(meant):
        return False
    different = [i for i, (a, b) in enumerate(zip(typed, meant, strict=True)) if a != b]
    if len(different) == 1:
        return True
    return (
        len(different) == 2
        and different[1] == different[0] + 1
        and typed[different[0]] == meant[different[1]]
        and typed[different[1]] == meant[different[0]]
    )
