"""The sentence encoder in Rasa's graph: a featurizer. Quantises the weights once, at training, and keeps them."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.constants import FEATURE_TYPE_SENTENCE, TEXT
from rasa.shared.nlu.training_data.features import Features
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from assistant.nlu.encoder import EncoderAbsent, SentenceEncoder, Source, in_folder, packaged, prepare
from assistant.nlu.spelling import SPELLED, Speller

logger = logging.getLogger(__name__)

_WORDS = "words.json"


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.MESSAGE_FEATURIZER, is_trainable=True)
class SentenceFeaturizer(GraphComponent):  # type: ignore[misc]
    """Adds the sentence's vector to each message.

    ``model_folder``: another model (model.onnx and tokenizer.json); ``model_sha256`` and ``tokenizer_sha256``
    are then checked when given. Where no weights are to be had it says so and adds nothing: the classifier
    runs on n-grams.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"model_folder": "", "model_sha256": "", "tokenizer_sha256": "", "layers": 3, "quantize": True}

    def __init__(
        self,
        config: dict[str, Any],
        name: str,
        storage: ModelStorage,
        resource: Resource,
        encoder: SentenceEncoder | None = None,
        speller: Speller | None = None,
    ) -> None:
        self._config = config
        self._name = name
        self._storage = storage
        self._resource = resource
        self._encoder = encoder
        self._speller = speller

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> SentenceFeaturizer:
        return cls(config, execution_context.node_name, model_storage, resource)

    def _source(self) -> Source:
        folder = self._config["model_folder"]
        if not folder:
            return packaged()
        return in_folder(Path(folder), self._config["model_sha256"], self._config["tokenizer_sha256"])

    def train(self, training_data: TrainingData) -> Resource:
        with self._storage.write_to(self._resource) as folder:
            try:
                source = self._source()
            except EncoderAbsent as absent:
                logger.warning("No sentence encoder: %s. Intents are told apart by n-grams alone.", absent)
                return self._resource
            prepare(source, folder, layers=self._config["layers"], quantize=self._config["quantize"])
            self._encoder = SentenceEncoder(folder)
            texts = [m.get(TEXT) for m in training_data.intent_examples if m.get(TEXT)]
            self._speller = Speller.learned(texts, self._encoder.words)
            (folder / _WORDS).write_text(json.dumps(self._speller.words), encoding="utf-8")
        return self._resource

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> SentenceFeaturizer:
        with model_storage.read_from(resource) as folder:
            encoder = SentenceEncoder(folder) if (folder / "manifest.json").exists() else None
            speller = (
                Speller(json.loads((folder / _WORDS).read_text(encoding="utf-8")), encoder.words) if encoder else None
            )
        if encoder is None:
            logger.warning(
                "This model was trained without the sentence encoder: n-grams alone tell intents apart, and more "
                "sentences will be misunderstood. Install the weights and train again (docs/deploying.md)."
            )
        return cls(config, execution_context.node_name, model_storage, resource, encoder, speller)

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        self.process(training_data.training_examples)
        return training_data

    def process(self, messages: list[Message]) -> list[Message]:
        if self._encoder is None:
            return messages
        for message in messages:
            text = message.get(TEXT)
            if text:
                spelled = self._speller.correct(text) if self._speller else text
                message.set(SPELLED, spelled)
                vector = self._encoder.encode(spelled)
                message.add_features(Features(vector[None, :], FEATURE_TYPE_SENTENCE, TEXT, self._name))
        return messages
