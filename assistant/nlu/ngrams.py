"""Word and character n-grams, weighted by how telling they are (tf-idf), as sparse rows."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from assistant.nlu.entity import fold

_WORD = re.compile(r"[^\W_]+|[$€£%?]")
#: Lengths of character n-grams, within words; and the weight of them against words (by cross-validation).
_SHORTEST, _LONGEST = 2, 5
CHARACTER_WEIGHT = 1.4
#: Longer text adds noise and time.
_MOST_CHARACTERS = 400


def grams(text: str) -> tuple[Counter[str], Counter[str]]:
    """The n-grams of words (one and two) and of characters (within words), of a text in any case."""
    words = _WORD.findall(fold(text[:_MOST_CHARACTERS]).replace("'", ""))
    by_word = Counter(words)
    by_word.update(f"{a} {b}" for a, b in pairwise(words))
    by_character: Counter[str] = Counter()
    for word in words:
        padded = f" {word} "
        for size in range(_SHORTEST, _LONGEST + 1):
            if len(padded) <= size:
                by_character[padded] += 1
                break
            by_character.update(padded[i : i + size] for i in range(len(padded) - size + 1))
    return by_word, by_character


@dataclass(frozen=True)
class NGrams:
    """Which n-grams are known, at which column, and how telling each is. Words first, then characters."""

    words: dict[str, int]
    characters: dict[str, int]
    weights: NDArray[np.float32]

    @classmethod
    def fitted(cls, texts: Sequence[str]) -> NGrams:
        """Learned from the training texts."""
        seen: tuple[Counter[str], Counter[str]] = (Counter(), Counter())
        for text in texts:
            for counter, found in zip(seen, grams(text), strict=True):
                counter.update(found.keys())
        words = {gram: i for i, gram in enumerate(sorted(seen[0]))}
        characters = {gram: len(words) + i for i, gram in enumerate(sorted(seen[1]))}
        weights = np.zeros(len(words) + len(characters), dtype=np.float32)
        for table, counter in ((words, seen[0]), (characters, seen[1])):
            for gram, column in table.items():
                weights[column] = math.log((1 + len(texts)) / (1 + counter[gram])) + 1
        return cls(words, characters, weights)

    def __len__(self) -> int:
        return len(self.weights)

    @property
    def length(self) -> float:
        """What a text's row has in common with itself."""
        return 1 + CHARACTER_WEIGHT**2

    def row(self, text: str) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
        """Columns and values of one text; words and characters each of length one, then weighted."""
        columns: list[int] = []
        values: list[NDArray[np.float32]] = []
        by_kind = zip(grams(text), (self.words, self.characters), (1.0, CHARACTER_WEIGHT), strict=True)
        for found, table, share in by_kind:
            known = [(table[gram], count) for gram, count in found.items() if gram in table]
            if not known:
                continue
            places = [column for column, _ in known]
            weighted = (1 + np.log([count for _, count in known])) * self.weights[places]
            columns.extend(places)
            values.append((weighted * (share / np.linalg.norm(weighted))).astype(np.float32))
        joined = np.concatenate(values) if values else np.zeros(0, dtype=np.float32)
        return np.asarray(columns, dtype=np.intp), joined
