"""Open language: merchants, people and account nicknames, learned from the annotated examples.

A conditional random field over the words around a name and what the closed readers found; the names themselves
are exchanged for others in training, so that it learns where a name stands and not which names there are.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pycrfsuite  # type: ignore[import-untyped]  # comes with Rasa, as part of sklearn-crfsuite

from assistant.nlu.entity import Entity, fold

#: What is learned. Everything else is closed language.
OPEN = ("merchant", "payee", "account")
_TOKEN = re.compile(r"[^\W_]+(?:['&.\-][^\W_]+)*|[^\w\s]")
#: Copies of an example with other names, and the seed that chooses them.
_COPIES = 6
_SEED = 20260101


@dataclass(frozen=True, slots=True)
class Example:
    """A folded text and the open names annotated in it."""

    text: str
    names: tuple[Entity, ...]


class OpenWords:
    """The trained field. Reading is safe from one thread at a time, as everything in Rasa's graph is."""

    def __init__(self, path: Path, gazetteer: frozenset[str]) -> None:
        self._tagger = pycrfsuite.Tagger()
        self._tagger.open(str(path))
        self._gazetteer = gazetteer

    def find(self, text: str, closed: Sequence[Entity]) -> list[Entity]:
        """Merchants, payees and account names in a folded text."""
        tokens = list(_TOKEN.finditer(text))
        if not tokens:
            return []
        tags = self._tagger.tag(features(text, tokens, closed, self._gazetteer))
        found: list[Entity] = []
        for token, tag in zip(tokens, tags, strict=True):
            place, _, name = tag.partition("-")
            if place == "I" and found and found[-1].name == name and token.start() - found[-1].end <= 1:
                start = found[-1].start
                found[-1] = Entity(name, start, token.end(), text[start : token.end()])
            elif name:
                found.append(Entity(name, token.start(), token.end(), token.group()))
        return found


def train(
    examples: Sequence[Example],
    path: Path,
    names: Mapping[str, Sequence[str]],
    gazetteer: frozenset[str],
    closed: Callable[[str], Sequence[Entity]],
) -> None:
    """Writes a trained field to ``path``. ``names``: entity to the names that may take another's place;
    ``closed``: what the rules read in a folded text."""
    trainer = pycrfsuite.Trainer(algorithm="lbfgs", verbose=False)
    trainer.set_params({"c1": 0.05, "c2": 0.02, "max_iterations": 80, "feature.possible_transitions": True})
    # Not for secrets: a fixed seed, so that the same data trains the same model.
    chance = random.Random(_SEED)  # noqa: S311
    for example in examples:
        copies = _COPIES if example.names else 1
        for copy in range(copies):
            renamed = example if copy == 0 else _renamed(example, names, chance)
            tokens = list(_TOKEN.finditer(renamed.text))
            if tokens:
                rows = features(renamed.text, tokens, closed(renamed.text), gazetteer)
                trainer.append(rows, _tags(tokens, renamed.names))
    trainer.train(str(path))


def _renamed(example: Example, names: Mapping[str, Sequence[str]], chance: random.Random) -> Example:
    """The example with each open name exchanged for another."""
    text = example.text
    moved: list[Entity] = []
    for entity in sorted(example.names, key=lambda e: -e.start):
        pool = names.get(entity.name)
        if not pool:
            moved.append(entity)
            continue
        new = fold(chance.choice(pool))
        text = text[: entity.start] + new + text[entity.end :]
        moved = [_shifted(m, entity.end, len(new) - entity.length) for m in moved]
        moved.append(Entity(entity.name, entity.start, entity.start + len(new), new))
    return Example(text, tuple(moved))


def _shifted(entity: Entity, after: int, by: int) -> Entity:
    if entity.start < after:
        return entity
    return Entity(entity.name, entity.start + by, entity.end + by, entity.value)


def _tags(tokens: Sequence[re.Match[str]], names: Sequence[Entity]) -> list[str]:
    tags = []
    for token in tokens:
        inside = next((n for n in names if n.start <= token.start() < n.end), None)
        if inside is None:
            tags.append("O")
        else:
            tags.append(f"{'B' if token.start() == inside.start else 'I'}-{inside.name}")
    return tags


def features(
    text: str, tokens: Sequence[re.Match[str]], closed: Sequence[Entity], gazetteer: frozenset[str]
) -> list[list[str]]:
    """What the field sees of each word: itself, its neighbours, closed readings, known merchants."""
    words = [token.group() for token in tokens]
    kinds = []
    for token in tokens:
        over = next((c for c in closed if c.start <= token.start() < c.end), None)
        kinds.append(over.name if over else "")
    known = _known(words, gazetteer)
    rows = []
    for i, word in enumerate(words):
        row = [
            "bias",
            f"w={word}",
            f"suf3={word[-3:]}",
            f"pre3={word[:3]}",
            f"closed={kinds[i]}",
            f"known={known[i]}",
            f"digit={word.isdigit()}",
            f"mark={not word[0].isalnum()}",
        ]
        for step in (-3, -2, -1, 1, 2):
            j = i + step
            if 0 <= j < len(words):
                row.append(f"{step}:w={words[j]}")
                row.append(f"{step}:closed={kinds[j]}")
                row.append(f"{step}:known={known[j]}")
            else:
                row.append(f"{step}:edge")
        if i > 0:
            row.append(f"-1|0={words[i - 1]}|{word}")
        if i > 1:
            row.append(f"-2|-1={words[i - 2]}|{words[i - 1]}")
        if i + 1 < len(words):
            row.append(f"-1|+1={words[i - 1] if i else ''}|{words[i + 1]}")
        rows.append(row)
    return rows


def _known(words: Sequence[str], gazetteer: frozenset[str]) -> list[str]:
    """Which words belong to a merchant's name that the table knows."""
    known = [""] * len(words)
    plain = [re.sub(r"[^\w]", "", word) for word in words]
    for size in (3, 2, 1):
        for i in range(len(words) - size + 1):
            if not known[i] and " ".join(plain[i : i + size]) in gazetteer:
                known[i : i + size] = ["B"] + ["I"] * (size - 1)
    return known
