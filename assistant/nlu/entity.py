"""What the entity reader gives: a named value at a place in the text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Entity:
    """``text[start:end]`` means ``value`` of the kind ``name`` ("amount", "period", "merchant").

    ``role`` says what part it has where that is not plain (``compared.BASELINE``).
    """

    name: str
    start: int
    end: int
    value: Any
    role: str = ""

    def overlaps(self, other: Entity) -> bool:
        return self.start < other.end and other.start < self.end

    @property
    def length(self) -> int:
        return self.end - self.start


def fold(text: str) -> str:
    """Lower case and plain apostrophes and dashes, every character in its place, so that positions still count."""
    return "".join(_fold(character) for character in text)


def _fold(character: str) -> str:
    if character in "’`‘´":
        return "'"
    if character in "–—":
        return "-"
    if character.isspace():
        return " "
    lower = character.lower()
    return lower if len(lower) == 1 else character
