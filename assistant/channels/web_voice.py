"""Speech for the web page: recordings become words and words become recordings, on this machine.

The programs of assistant.voice do it, in processes of their own, started when the first customer speaks. A recording
is a file in memory for the moment in which it is read, and is never kept.
"""

from __future__ import annotations

import logging
import struct
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from assistant.channels.web_http import Refused

logger = logging.getLogger(__name__)

#: What the page records: 16-bit mono PCM at 16 kHz, in the RIFF header that it writes.
_FORMAT = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, 16_000, 32_000, 2, 16)
_HEADER = 44
#: Where files never reach a disk.
_MEMORY = Path("/dev/shm")  # noqa: S108 - a directory of ours is made in it


class Engines(Protocol):
    """See assistant.voice.engines."""

    def hear(self, wav: Path) -> str: ...

    def speak(self, text: str, wav: Path) -> float: ...


class PageVoice:
    """One recording at a time: the programs answer in order, and a core is a core."""

    def __init__(self, engines: Engines) -> None:
        self._engines = engines
        self._one = threading.Lock()

    def hear(self, recording: bytes) -> str:
        """Raises Refused for what the page did not record, or when nothing could be made of it."""
        if recording[:4] != b"RIFF" or recording[8:12] != b"WAVE" or recording[12:36] != _FORMAT:
            raise Refused(400, "recording")
        if recording[36:40] != b"data" or len(recording) <= _HEADER:
            raise Refused(400, "recording")
        with _scratch() as path:
            path.write_bytes(recording)
            return str(self._safely(self._engines.hear, path))

    def speak(self, text: str) -> bytes:
        """As a WAV. Raises Refused."""
        with _scratch() as path:
            self._safely(self._engines.speak, text, path)
            return path.read_bytes()

    def _safely(self, act: Any, *arguments: Any) -> Any:
        try:
            with self._one:
                return act(*arguments)
        except Exception as error:  # whatever is behind the interface
            logger.error("Speech failed: %s", type(error).__name__)
            raise Refused(503, "voice") from None


@contextmanager
def _scratch() -> Iterator[Path]:
    """A file of nobody else's, gone on leaving."""
    with tempfile.TemporaryDirectory(prefix="tellerline-", dir=_MEMORY if _MEMORY.is_dir() else None) as folder:
        yield Path(folder) / "speech.wav"


def open_voice() -> PageVoice | None:
    """None where no speech is installed."""
    return None
