"""The README's conversation is a real one: said again to the assistant, answered to the letter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from support.assistant import Assistant

ROOT = Path(__file__).resolve().parents[2]
PROMPT = "Your input ->"

pytestmark = [pytest.mark.conversation, pytest.mark.timeout(180)]


def turns() -> list[tuple[str, str]]:
    """What is typed and what is answered."""
    block = re.search(r"<!-- conversation.*?```text\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert block is not None
    spoken = [turn.partition("\n") for turn in block[1].split(PROMPT)[1:]]
    return [(question.strip(), answer.strip()) for question, _, answer in spoken]


def test_the_conversation_in_the_readme(assistant: Assistant) -> None:
    assistant.bank.clear()
    talk = assistant.talk("maya")
    said = [(question, talk(question).strip()) for question, _ in turns()]
    assert said == turns()
    assert len(said) > 3
