"""Training the model, when anything it learns from has changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from assistant.progress import Step

#: Everything the model is made from, as globs in the project root.
SOURCES = (
    "config.yml",
    "domain.yml",
    "requirements.lock",
    "data/**/*",
    "assistant/nlu/**/*.py",
    "assistant/banking/*.yml",
)
_TAIL_LINES = 15


class TrainingFailed(Exception):
    """The message holds the end of Rasa's output."""


def fingerprint(root: Path) -> str:
    """A short digest of the sources: their names and contents, not their dates."""
    digest = hashlib.sha256()
    for path in sorted(set(_sources(root))):
        digest.update(f"{path.relative_to(root)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def model_path(root: Path) -> Path:
    """Where the model of the present sources is, once trained."""
    return root / "models" / f"tellerline-{fingerprint(root)}.tar.gz"


def ensure_model(root: Path, logs: Path, *, force: bool = False) -> Path:
    """The model of the present sources, trained if there is none. Raises TrainingFailed."""
    model = model_path(root)
    if model.exists() and not force:
        # Rasa's own commands take the newest model: let that be this one, after going back to older sources too.
        os.utime(model)
        return model
    models = model.parent
    models.mkdir(exist_ok=True)
    logs.mkdir(parents=True, exist_ok=True)
    # Trained aside and moved: an interrupted training never leaves half a model under a good name.
    with tempfile.TemporaryDirectory(prefix=".training-", dir=models) as folder:
        with Step("Training the model") as step:
            _train(root, Path(folder), logs / "train.log", step, force=force)
        trained = next(Path(folder).glob("*.tar.gz"), None)
        if trained is None:
            raise TrainingFailed(f"Rasa made no model. {_end_of(logs / 'train.log')}")
        shutil.move(trained, model)
    for older in models.glob("tellerline-*.tar.gz"):
        if older != model:
            older.unlink()
    return model


def _train(root: Path, out: Path, log: Path, step: Step, *, force: bool) -> None:
    command = [sys.executable, "-m", "rasa", "train", "--out", str(out), "--fixed-model-name", "model"]
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, "--force"] if force else command,
            cwd=root,
            env={**os.environ, "RASA_TELEMETRY_ENABLED": "false"},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        )
    try:
        while process.poll() is None:
            step.tick()
            time.sleep(0.1)
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()
    if process.returncode != 0:
        raise TrainingFailed(f"Rasa could not train (exit status {process.returncode}). {_end_of(log)}")


def _sources(root: Path) -> Iterator[Path]:
    for pattern in SOURCES:
        yield from (path for path in root.glob(pattern) if path.is_file() and "__pycache__" not in path.parts)


def _end_of(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
    return "\n".join([f"The end of {log}:", *(f"  {line}" for line in lines)])
