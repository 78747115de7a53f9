"""Recordings of the web page: only what it records is taken, one at a time, and no file of it stays."""

from __future__ import annotations

import struct
import threading
from pathlib import Path

import pytest

from assistant.channels.web_http import MAX_AUDIO, Refused
from assistant.channels.web_voice import PageVoice


def wav(samples: int = 1600, *, rate: int = 16_000, channels: int = 1, bits: int = 16) -> bytes:
    size = samples * 2
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, channels, rate, rate * 2, 2, bits)
    return b"RIFF" + struct.pack("<I", 36 + size) + b"WAVE" + form + b"data" + struct.pack("<I", size) + bytes(size)


class Engines:
    """Stands where the programs are; notes what it was given."""

    def __init__(self) -> None:
        self.paths: list[Path] = []
        self.at_once = self.most = 0

    def hear(self, path: Path) -> str:
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        self.paths.append(path)
        assert path.read_bytes().startswith(b"RIFF")
        self.at_once -= 1
        return "what's my balance"

    def speak(self, text: str, path: Path) -> float:
        self.paths.append(path)
        path.write_bytes(wav() + text.encode())
        return 0.1


@pytest.fixture
def engines() -> Engines:
    return Engines()


def test_words_come_out_and_no_file_stays(engines: Engines) -> None:
    voice = PageVoice(engines)
    assert voice.hear(wav()) == "what's my balance"
    assert voice.speak("Hello").endswith(b"Hello")
    assert len(engines.paths) == 2 and not any(path.exists() or path.parent.exists() for path in engines.paths)


@pytest.mark.parametrize(
    "recording",
    [
        b"",
        b"RIFF",
        wav(0),
        wav(rate=8000),
        wav(channels=2),
        wav(bits=8),
        b"ID3" + wav(),
        wav().replace(b"data", b"LIST"),
    ],
    ids=["empty", "short", "silent", "8 kHz", "stereo", "8 bit", "mp3", "no data"],
)
def test_what_the_page_does_not_record_is_refused(engines: Engines, recording: bytes) -> None:
    with pytest.raises(Refused) as refused:
        PageVoice(engines).hear(recording)
    assert refused.value.status == 400 and not engines.paths


def test_the_longest_recording_of_the_page_fits() -> None:
    assert len(wav(30 * 16_000)) <= MAX_AUDIO


def test_a_program_that_fails_says_nothing_of_what_was_said(
    engines: Engines, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(path: Path) -> str:
        raise RuntimeError("my secret is xylophone")

    monkeypatch.setattr(engines, "hear", fail)
    with pytest.raises(Refused) as refused:
        PageVoice(engines).hear(wav())
    assert refused.value.status == 503 and "xylophone" not in caplog.text and "RuntimeError" in caplog.text


def test_one_at_a_time(engines: Engines) -> None:
    voice = PageVoice(engines)
    threads = [threading.Thread(target=voice.hear, args=(wav(),)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(engines.paths) == 8 and engines.most == 1
