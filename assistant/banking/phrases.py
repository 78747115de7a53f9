"""Finding known phrases in a bank descriptor, quickly: the words are the keys, not regular expressions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")

_APOSTROPHE = re.compile(r"['’`]")
_WORD = re.compile(r"[^\W_]+")


def words(text: str) -> tuple[str, ...]:
    """Upper-case words, without punctuation: "Trader Joe's #552" is TRADER, JOES, 552."""
    return tuple(_WORD.findall(_APOSTROPHE.sub("", text.upper())))


class PhraseIndex(Generic[T]):
    """Which known phrase a text starts with, or contains; the longest one wins, then the earliest.

    A phrase is a run of whole words; a "*" after its last word lets that word go on ("AMAZON*" also
    finds AMAZONCOM). Cost grows with the length of the text, hardly with the number of phrases.
    """

    def __init__(self, phrases: Iterable[tuple[str, T]]) -> None:
        self._whole: dict[tuple[str, ...], T] = {}
        self._open: dict[tuple[str, ...], list[tuple[str, T]]] = {}
        #: How many words the longest phrase has that starts with this word.
        self._reach: dict[str, int] = {}
        for phrase, value in phrases:
            parts = words(phrase)
            if not parts:
                raise ValueError("a phrase holds at least one word")
            if phrase.rstrip().endswith("*"):
                self._open.setdefault(parts[:-1], []).append((parts[-1], value))
            else:
                self._whole.setdefault(parts, value)
            if len(parts) > 1 or not phrase.rstrip().endswith("*"):
                self._reach[parts[0]] = max(self._reach.get(parts[0], 0), len(parts))
        self._beginnings = tuple(beginning for beginning, _ in self._open.get((), ()))

    def at(self, text: Sequence[str], position: int = 0) -> tuple[T, int] | None:
        """The phrase that starts at ``position`` of the words, and how many words it takes."""
        if position >= len(text):
            return None
        first = text[position]
        for size in range(min(self._reach.get(first, 0), len(text) - position), 0, -1):
            run = tuple(text[position : position + size])
            if run in self._whole:
                return self._whole[run], size
            for beginning, value in self._open.get(run[:-1], ()):
                if run[-1].startswith(beginning):
                    return value, size
        if first.startswith(self._beginnings):
            return next(value for beginning, value in self._open[()] if first.startswith(beginning)), 1
        return None

    def find(self, text: Sequence[str]) -> T | None:
        """The longest phrase anywhere in the words; of equals, the first."""
        best: tuple[T, int] | None = None
        for position in range(len(text)):
            found = self.at(text, position)
            if found and (best is None or found[1] > best[1]):
                best = found
        return best[0] if best else None
