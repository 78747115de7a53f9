"""Hearing and speaking as two small interfaces. What is behind them runs in processes of its own.

Another recogniser or synthesiser is a program that answers the same lines (see ``hear`` and ``speak``): give its
command to ``Program``.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, TypeVar

#: Seconds a program may take to load its model, and to answer afterwards.
LOAD_SECONDS = 60.0
ANSWER_SECONDS = 60.0
_HERE = Path(__file__).resolve().parent
_ENVIRONMENT = _HERE.parents[1] / ".voice"

_Self = TypeVar("_Self", bound="Program")


class SpeechFailed(Exception):
    """The program did not start, did not answer in time, or could not do it. Holds nothing of what was said."""


class Recogniser(Protocol):
    def hear(self, wav: Path) -> str:
        """What was said in this recording; "" when nobody spoke. Raises SpeechFailed."""


class Synthesiser(Protocol):
    def speak(self, text: str, wav: Path, *, slow: bool = False) -> float:
        """Write the words as speech (mono, 16 bits). Returns seconds. Raises SpeechFailed."""


class Program:
    """A child process that answers each line of JSON with one. Starts when entered, ends when left."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self._command = [str(part) for part in command]
        self._process: subprocess.Popen[str] | None = None
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed in __exit__

    def __enter__(self: _Self) -> _Self:
        try:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._complaints, text=True
            )
        except OSError as problem:
            raise SpeechFailed(f"{self._command[0]} does not start: {type(problem).__name__}") from None
        if not self._read(LOAD_SECONDS).get("ready"):
            raise SpeechFailed(f"{self._command[-1]} is not ready")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(OSError):
                assert process.stdin is not None
                process.stdin.close()
            process.terminate()
            process.wait(10)
        self._complaints.close()

    def ask(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """Raises SpeechFailed."""
        if self._process is None or self._process.stdin is None:
            raise SpeechFailed("the program is not running")
        try:
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
        except OSError:
            raise SpeechFailed("the program has stopped") from None
        answer = self._read(ANSWER_SECONDS)
        if "error" in answer:
            raise SpeechFailed(f"the program failed: {answer['error']}")
        return answer

    def _read(self, seconds: float) -> dict[str, Any]:
        process = self._process
        assert process is not None and process.stdout is not None
        # Killed, it closes its output, which ends the read.
        watchdog = threading.Timer(seconds, process.kill)
        watchdog.start()
        try:
            answer = json.loads(process.stdout.readline() or "null")
        except ValueError:
            answer = None
        finally:
            watchdog.cancel()
        if not isinstance(answer, dict):
            raise SpeechFailed(f"{Path(self._command[-1]).name} stopped or did not answer within {seconds:.0f} s")
        return answer


class Whisper(Program):
    """faster-whisper tiny.en (``hear``)."""

    def __init__(self, environment: Path = _ENVIRONMENT) -> None:
        super().__init__([environment / "bin" / "python", _HERE / "hear.py"])

    def hear(self, wav: Path) -> str:
        return str(self.ask({"wav": str(wav)})["text"])


class Piper(Program):
    """Piper (``speak``)."""

    def __init__(self, environment: Path = _ENVIRONMENT) -> None:
        super().__init__([environment / "bin" / "python", _HERE / "speak.py"])

    def speak(self, text: str, wav: Path, *, slow: bool = False, length: float = 0.0) -> float:
        """``length`` stretches the sounds: 1.0 is the voice's own pace, 0 the usual."""
        return float(self.ask({"text": text, "wav": str(wav), "slow": slow, "length": length})["seconds"])


def is_installed(environment: Path = _ENVIRONMENT) -> bool:
    """Whether ``make voice-ready`` was run."""
    return (environment / "bin" / "piper").exists()
