"""The intent model and the sentence encoder, without Rasa."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from assistant.nlu import encoder
from assistant.nlu.encoder import EncoderAbsent, EncoderRefused, SentenceEncoder, in_folder, packaged, prepare
from assistant.nlu.kernel import IntentModel, fit
from assistant.nlu.ngrams import NGrams, grams

TEXTS = [
    *(f"what is my balance in account {i}" for i in range(8)),
    *(f"tell me joke number {i}" for i in range(8)),
    *(f"send {i} dollars to bob" for i in range(8)),
]
INTENTS = ["balance"] * 8 + ["joke"] * 8 + ["send"] * 8


def test_ngrams_alone_tell_intents_apart() -> None:
    model = fit(TEXTS, INTENTS, None)
    assert model.predict("my balance please", None)[0][0] == "balance"
    assert model.predict("another joke", None)[0][0] == "joke"


def test_confidence_adds_up_and_falls() -> None:
    ranking = fit(TEXTS, INTENTS, None).predict("send a joke", None)
    confidences = [confidence for _, confidence in ranking]
    assert sum(confidences) == pytest.approx(1)
    assert confidences == sorted(confidences, reverse=True)


def test_vectors_decide_where_words_do_not() -> None:
    vectors = np.array([[1.0, 0.0]] * 8 + [[0.0, 1.0]] * 8 + [[-1.0, -1.0]] * 8, dtype=np.float32)
    model = fit(TEXTS, INTENTS, vectors)
    assert model.predict("zzz", np.array([0.0, 1.0], dtype=np.float32))[0][0] == "joke"
    assert model.predict("zzz", np.array([-1.0, -1.0], dtype=np.float32))[0][0] == "send"


def test_a_saved_model_says_the_same(tmp_path: Path) -> None:
    model = fit(TEXTS, INTENTS, None)
    model.save(tmp_path)
    assert IntentModel.load(tmp_path).predict("my balance", None) == model.predict("my balance", None)


def test_a_model_saved_with_vectors_says_the_same(tmp_path: Path) -> None:
    vectors = np.random.default_rng(7).normal(size=(len(TEXTS), 12)).astype(np.float32)
    model = fit(TEXTS, INTENTS, vectors, blocks=3)
    model.save(tmp_path)
    loaded = IntentModel.load(tmp_path)
    for text, vector in zip(TEXTS, vectors, strict=True):
        assert loaded.predict(text, vector) == model.predict(text, vector)
        assert model.predict(text, vector)[0][0] == INTENTS[TEXTS.index(text)]
    assert loaded.predict("my balance", None)[0][0] == "balance"


def test_what_is_like_nothing_is_said_with_less_confidence() -> None:
    model = fit(TEXTS, INTENTS, None)
    assert model.predict("qqq zzz", None)[0][1] < model.predict("what is my balance in account 3", None)[0][1]


def test_two_intents_are_enough_and_one_is_not() -> None:
    model = fit(TEXTS[:16], INTENTS[:16], None)
    assert model.predict("a joke", None)[0][0] == "joke"
    assert model.predict("balance", None)[0][0] == "balance"
    with pytest.raises(ValueError, match="two intents"):
        fit(TEXTS[:8], INTENTS[:8], None)


def test_case_and_apostrophes_make_the_same_ngrams() -> None:
    assert grams("What’s MY balance") == grams("whats my balance")


def test_an_unknown_text_has_no_columns() -> None:
    columns, values = NGrams.fitted(["abc"]).row("日本")
    assert len(columns) == len(values) == 0


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("encoder")
    prepare(packaged(), folder, layers=2, quantize=True)
    return folder


def test_alike_sentences_have_alike_vectors(prepared: Path) -> None:
    sentences = SentenceEncoder(prepared)
    vectors = [
        vector / np.linalg.norm(vector)
        for vector in map(sentences.encode, ("how much money do i have", "what is my balance", "it rains in paris"))
    ]
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2]
    assert sentences.blocks == 4
    assert vectors[0].shape == (4 * 384,)


def test_quantising_keeps_the_meaning(prepared: Path, tmp_path: Path) -> None:
    prepare(packaged(), tmp_path, layers=1, quantize=False)
    exact, quick = SentenceEncoder(tmp_path), SentenceEncoder(prepared)
    for text in ("what's my balance", "show my last five purchases at target", "stop using my data"):
        one, other = exact.encode(text)[:384], quick.encode(text)[:384]
        assert one @ other / np.linalg.norm(one) / np.linalg.norm(other) > 0.97


def test_empty_and_long_texts_have_vectors(prepared: Path) -> None:
    sentences = SentenceEncoder(prepared)
    assert np.isfinite(sentences.encode("")).all()
    assert np.isfinite(sentences.encode("why " * 5000)).all()


def test_changed_weights_are_refused(prepared: Path, tmp_path: Path) -> None:
    for file in prepared.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "tokenizer.json").write_text(json.dumps({"not": "the same"}))
    with pytest.raises(EncoderRefused, match=r"tokenizer\.json"):
        SentenceEncoder(tmp_path)


def test_unexpected_weights_are_refused(tmp_path: Path) -> None:
    source = packaged()
    (tmp_path / "model.onnx").write_bytes(b"something else")
    (tmp_path / "tokenizer.json").write_bytes(source.tokenizer.read_bytes())
    with pytest.raises(EncoderRefused, match="sha256"):
        prepare(in_folder(tmp_path, model_sha256=source.model_sha256), tmp_path, layers=1, quantize=True)


def test_absent_weights_say_what_was_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(EncoderAbsent, match=r"model\.onnx"):
        in_folder(tmp_path)
    monkeypatch.setattr(encoder, "_WEIGHTS", ("no-such-package", "model.onnx"))
    with pytest.raises(EncoderAbsent, match="no-such-package"):
        packaged()
