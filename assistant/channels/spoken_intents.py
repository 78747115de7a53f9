"""The intents of the assistant as platforms with an understanding of their own are taught them, and the way back:
what such a platform made of somebody's words, as words again.

Alexa and Dialogflow tell an intent and its slots, not what was said. What Rasa gets is one of our own examples of that
intent with the words of the slots in it, so that accounts, amounts and periods are understood the same on every
channel, and a platform's guess is only a guess.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rasa.shared.nlu.constants import (
    ENTITIES,
    ENTITY_ATTRIBUTE_END,
    ENTITY_ATTRIBUTE_START,
    ENTITY_ATTRIBUTE_TYPE,
    INTENT,
    TEXT,
)
from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.training_data import TrainingData

DATA = Path(__file__).resolve().parents[2] / "data"
#: What needs no intent of its own: what a platform could not place is out of scope.
_LEFT_OUT = frozenset({"out_of_scope"})


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in an example. ``entity`` is what stands there; a second of its kind has another ``name``."""

    name: str
    entity: str
    example: str


@dataclass(frozen=True, slots=True)
class Example:
    parts: tuple[str | Slot, ...]

    @property
    def slots(self) -> tuple[Slot, ...]:
        return tuple(part for part in self.parts if isinstance(part, Slot))

    def filled(self, values: Mapping[str, str]) -> str:
        return "".join(values[part.name] if isinstance(part, Slot) else part for part in self.parts)


@dataclass(frozen=True, slots=True)
class SpokenIntents:
    """By intent its examples; by entity the words that may fill it."""

    examples: Mapping[str, tuple[Example, ...]]
    values: Mapping[str, tuple[str, ...]]

    def words(self, intent: str, values: Mapping[str, str]) -> str | None:
        """What somebody may have said that a platform took for this intent with these slots; None for an intent
        that is not ours. Slots that none of its examples has together stand at the end."""
        examples = self.examples.get(intent)
        if not examples:
            return None
        heard = {name: value for name, value in values.items() if value}
        best = max(
            (one for one in examples if {slot.name for slot in one.slots} <= set(heard)),
            key=lambda one: len(one.slots),
            default=None,
        )
        if best is None:
            return " ".join(heard.values())
        used = {slot.name for slot in best.slots}
        left = [value for name, value in heard.items() if name not in used]
        return " ".join([best.filled(heard), *left])


@lru_cache(maxsize=2)
def spoken_intents(data: Path = DATA) -> SpokenIntents:
    """From the training data, by Rasa's own reader. Takes a second or two."""
    read: TrainingData = load_data(str(data / "nlu")).merge(load_data(str(data / "lookups")))
    examples: dict[str, list[Example]] = {}
    words: dict[str, Counter[str]] = {}
    for message in read.intent_examples:
        intent = message.get(INTENT)
        if intent in _LEFT_OUT:
            continue
        example = Example(tuple(_parts(message.get(TEXT), message.get(ENTITIES) or [])))
        examples.setdefault(intent, []).append(example)
        for slot in example.slots:
            words.setdefault(slot.entity, Counter())[slot.example.lower()] += 1
    for table in read.lookup_tables:
        if isinstance(table["elements"], list):
            words.setdefault(table["name"], Counter()).update(one.lower() for one in table["elements"])
    for said, meant in read.entity_synonyms.items():
        for known in words.values():
            if meant.lower() in known:
                known[said.lower()] += 1
    return SpokenIntents(
        {intent: tuple(dict.fromkeys(found)) for intent, found in examples.items()},
        {entity: tuple(sorted(known)) for entity, known in words.items()},
    )


def _parts(text: str, entities: list[dict[str, object]]) -> Iterator[str | Slot]:
    """The text with a Slot for each entity, in order."""
    at, seen = 0, Counter[str]()
    for entity in sorted(entities, key=lambda one: int(str(one[ENTITY_ATTRIBUTE_START]))):
        start, end = int(str(entity[ENTITY_ATTRIBUTE_START])), int(str(entity[ENTITY_ATTRIBUTE_END]))
        kind = str(entity[ENTITY_ATTRIBUTE_TYPE])
        seen[kind] += 1
        if start > at:
            yield text[at:start]
        yield Slot(kind if seen[kind] == 1 else f"{kind}_{_ORDINALS[seen[kind]]}", kind, text[start:end])
        at = end
    if at < len(text):
        yield text[at:]


#: Names of slots hold letters and underscores only.
_ORDINALS = ("", "", "two", "three", "four", "five", "six")
