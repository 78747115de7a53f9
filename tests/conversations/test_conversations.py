"""Whole conversations from the YAML files beside this one: real model, real action server, real sandbox bank."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from support.assistant import Assistant

pytestmark = [pytest.mark.conversation, pytest.mark.timeout(180)]

#: The longest answer that still counts as short.
SHORT = 700


def _dialogues() -> Iterator[Any]:
    for path in sorted(Path(__file__).parent.glob("*.yml")):
        for dialogue in YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8")):
            yield pytest.param(dialogue, id=f"{path.stem}: {dialogue['name']}")


@pytest.mark.parametrize("dialogue", _dialogues())
def test_conversation(dialogue: dict[str, Any], assistant: Assistant) -> None:
    assistant.bank.clear()
    talk = assistant.talk(dialogue["customer"], fresh=dialogue.get("fresh", False))
    kept: dict[str, str] = {}
    try:
        for turn in dialogue["turns"]:
            if "fault" in turn:
                assistant.bank.fault(**turn["fault"])
            elif "mend" in turn:
                assistant.bank.clear()
            elif "restart" in turn:
                assistant.restart_actions()
            else:
                _turn(turn, talk(_said(turn["user"])), kept)
    finally:
        assistant.bank.clear()
        if dialogue.get("relink"):
            assistant.link(dialogue["customer"])


def _said(text: str) -> str:
    if text.startswith("REPEAT:"):
        _, phrase, times = text.split(":")
        return phrase * int(times)
    return text


def _turn(turn: dict[str, Any], answer: str, kept: dict[str, str]) -> None:
    shown = f"{turn['user'][:80]!r} was answered:\n{answer}"
    assert answer.strip(), shown
    for part in turn.get("says", ()):
        assert part in answer, f"{part!r} is missing; {shown}"
    for part in (*turn.get("never", ()), "Traceback", "Exception", "{", "uncategorized"):
        assert part not in answer, f"{part!r} must not be said; {shown}"
    if turn.get("short"):
        assert len(answer) <= SHORT, shown
    if "exact" in turn:
        assert answer == turn["exact"].strip(), shown
    if "same_as" in turn:
        assert answer == kept[turn["same_as"]], shown
    if "differs_from" in turn:
        assert answer != kept[turn["differs_from"]], shown
    if "keep" in turn:
        kept[turn["keep"]] = answer
