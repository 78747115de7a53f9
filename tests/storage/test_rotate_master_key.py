"""`tellerline keys rotate`, as an operator runs it."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest

from assistant.cli import main
from assistant.settings import load_settings
from assistant.storage.open import open_storage
from assistant.storage.seal import Unreadable


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    key = base64.b64encode(os.urandom(32)).decode()
    monkeypatch.setenv("TELLERLINE_HOME", str(tmp_path))
    monkeypatch.setenv("TELLERLINE_MASTER_KEY", key)
    monkeypatch.delenv("TELLERLINE_DATABASE_URL", raising=False)
    monkeypatch.delenv("TELLERLINE_KEYS_URL", raising=False)
    return key


def test_after_rotating_the_new_key_reads_and_the_old_one_does_not(
    old: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sealed = open_storage(load_settings()).keys.cipher_or_new("customer:a").seal(b"x", "p")
    new = base64.b64encode(os.urandom(32)).decode()
    monkeypatch.setenv("TELLERLINE_NEW_MASTER_KEY", new)
    assert main(["keys", "rotate"]) == 0
    told = capsys.readouterr()
    assert told.out.startswith("1 keys") and new not in told.out + told.err and old not in told.out + told.err
    assert main(["keys", "rotate"]) == 0  # nothing left to do
    monkeypatch.setenv("TELLERLINE_MASTER_KEY", new)
    assert open_storage(load_settings()).keys.cipher("customer:a").open(sealed, "p") == b"x"
    open_storage.__globals__["_opened"].cache_clear()
    monkeypatch.setenv("TELLERLINE_MASTER_KEY", old)
    with pytest.raises(Unreadable):
        open_storage(load_settings()).keys.cipher("customer:a")
    open_storage.__globals__["_opened"].cache_clear()


def test_without_a_new_key_nothing_happens(
    old: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("TELLERLINE_NEW_MASTER_KEY", raising=False)
    assert main(["keys", "rotate"]) == 1
    assert "TELLERLINE_NEW_MASTER_KEY" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["not base64!", base64.b64encode(b"too short").decode()])
def test_a_new_key_that_is_none_is_refused(old: str, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    open_storage(load_settings()).keys.cipher_or_new("customer:a")
    monkeypatch.setenv("TELLERLINE_NEW_MASTER_KEY", text)
    assert main(["keys", "rotate"]) != 0
    open_storage(load_settings()).keys.cipher("customer:a")
