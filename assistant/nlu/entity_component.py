"""The entity reader in Rasa's graph. The one extractor of the pipeline: it gives every entity, with typed values."""

from __future__ import annotations

import json
import os
import re
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.extractors.extractor import EntityExtractorMixin
from rasa.shared.nlu.constants import ENTITIES, TEXT
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from assistant.banking.categories import CATEGORIES_VARIABLE
from assistant.banking.merchants import MERCHANTS_VARIABLE
from assistant.banking.tables import read_table
from assistant.nlu.entities import CLOSED, EntityReader, examples_of, load_open_words
from assistant.nlu.entity import fold
from assistant.nlu.open_words import OPEN, train
from assistant.nlu.vocabulary import Vocabulary

# Rasa warns that no component of its own reads lookup tables and synonyms; this one does.
warnings.filterwarnings("ignore", message="You have defined (?:training data consisting of lookup tables|synonyms)")

#: Values that are small words: they stand for themselves only in the phrases a synonym lists.
_NOT_PHRASES = frozenset({"in", "out", "account", "month", "other", "uncategorized"})
#: Synonyms that say nothing where a customer uses them: "my rent" (rent is listed), "when do I pay".
_OWNED = re.compile(r"^(?:my |the |pay$|paychecks?$)")

_PHRASES, _NAMES, _FIELD = "phrases.json", "known_names.json", "open_words.crfsuite"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.ENTITY_EXTRACTOR, is_trainable=True)
class BankingEntityExtractor(GraphComponent, EntityExtractorMixin):  # type: ignore[misc]
    """Amounts, periods, accounts, counts and closed lists by rule; merchants, payees and nicknames as learned.

    Closed lists are the lookup tables and synonyms of the training data; categories are categories.yml.
    """

    def __init__(self, storage: ModelStorage, resource: Resource, reader: EntityReader | None = None) -> None:
        self._storage = storage
        self._resource = resource
        self._reader = reader

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> BankingEntityExtractor:
        return cls(model_storage, resource)

    def train(self, training_data: TrainingData) -> Resource:
        phrases = _phrases(training_data)
        names = {entity: tuple(_lookup(training_data, entity)) for entity in OPEN}
        merchants = _known_merchants()
        names["merchant"] = (*names["merchant"], *merchants)
        known = frozenset(_plain(name) for name in merchants)
        annotated = [(m.get(TEXT), m.get(ENTITIES) or []) for m in training_data.nlu_examples if m.get(TEXT)]
        reader = EntityReader(Vocabulary(phrases))
        examples = examples_of(reader, annotated)
        with self._storage.write_to(self._resource) as folder:
            (folder / _PHRASES).write_text(json.dumps(phrases), encoding="utf-8")
            (folder / _NAMES).write_text(json.dumps(sorted(known)), encoding="utf-8")
            if any(example.names for example in examples):
                train(examples, folder / _FIELD, names, known, reader.closed)
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> BankingEntityExtractor:
        with model_storage.read_from(resource) as folder:
            phrases = json.loads((folder / _PHRASES).read_text(encoding="utf-8"))
            known = frozenset(json.loads((folder / _NAMES).read_text(encoding="utf-8")))
            reader = EntityReader(Vocabulary(phrases), load_open_words(folder / _FIELD, known))
        return cls(model_storage, resource, reader)

    def process(self, messages: list[Message]) -> list[Message]:
        if self._reader is None:
            return messages
        for message in messages:
            text = message.get(TEXT) or ""
            entities = [
                {
                    "entity": entity.name,
                    "start": entity.start,
                    "end": entity.end,
                    "value": entity.value,
                    "extractor": type(self).__name__,
                    **({"role": entity.role} if entity.role else {}),
                }
                for entity in self._reader.read(text)
            ]
            message.set(ENTITIES, (message.get(ENTITIES) or []) + entities, add_to_output=True)
        return messages


def _phrases(training_data: TrainingData) -> dict[str, dict[str, str]]:
    """The closed lists: entity to phrase to value."""
    phrases: dict[str, dict[str, str]] = {}
    for entity in CLOSED:
        values = set(_lookup(training_data, entity))
        known = {value.replace("_", " "): value for value in values if value not in _NOT_PHRASES}
        known.update({p: v for p, v in training_data.entity_synonyms.items() if v in values})
        phrases[entity] = {fold(phrase): value for phrase, value in known.items()}
    categories = set(_lookup(training_data, "category"))
    phrases["category"] = _category_phrases()
    for phrase, value in training_data.entity_synonyms.items():
        if value in categories:
            phrases["category"].setdefault(fold(phrase), value)
    return phrases


def _category_phrases() -> dict[str, str]:
    """What people call categories and groups of them, from categories.yml (a bank's own, where it has one)."""
    own = Path(__file__).parent.parent / "banking" / "categories.yml"
    table = read_table(Path(os.environ.get(CATEGORIES_VARIABLE) or own))
    phrases: dict[str, str] = {}
    for section in ("categories", "groups"):
        for key, entry in (table.get(section) or {}).items():
            named = () if key in _NOT_PHRASES else (key.replace("_", " "),)
            for phrase in map(fold, (*(entry.get("synonyms") or ()), *named)):
                if not _OWNED.match(phrase):
                    phrases.setdefault(phrase, key)
    return phrases


def _lookup(training_data: TrainingData, entity: str) -> Iterable[str]:
    for table in training_data.lookup_tables:
        elements = table["elements"]
        if table["name"] == entity and isinstance(elements, list):
            yield from elements


def _known_merchants() -> list[str]:
    """Names in the table of merchants (a bank's own, where it has one)."""
    own = Path(__file__).parent.parent / "banking" / "merchants.yml"
    table = read_table(Path(os.environ.get(MERCHANTS_VARIABLE) or own))
    return sorted({str(entry["name"]) for entry in table.get("merchants") or () if entry.get("name")})


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[^\w ]", "", fold(name)).split())
