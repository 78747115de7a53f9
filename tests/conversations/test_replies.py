"""One question, one answer, word for word: tests/sentences/replies/*.yml, for demo customers on a fixed day."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.assistant import Assistant

pytestmark = [pytest.mark.conversation, pytest.mark.timeout(180)]

REPLIES = Path(__file__).parents[1] / "sentences" / "replies"
#: Questions of each intent.
LEAST = 3


def _questions() -> Iterator[tuple[str, dict[str, str]]]:
    for path in sorted(REPLIES.glob("*.yml")):
        for intent, questions in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            for question in questions:
                yield intent, question


def test_every_question_about_money_has_replies() -> None:
    domain = yaml.safe_load((REPLIES.parents[2] / "domain.yml").read_text(encoding="utf-8"))
    count: dict[str, int] = {}
    for intent, _ in _questions():
        count[intent] = count.get(intent, 0) + 1
    about_money = {i for i in map(_name, domain["intents"]) if i.startswith("ask_")} - {
        "ask_bot",
        "ask_advice",
        "ask_data_held",
        "ask_data_access",
        "ask_data_sold",
    }
    assert set(count) == about_money
    assert {intent: found for intent, found in count.items() if found < LEAST} == {}


def _name(intent: Any) -> str:
    """An intent is a word, or a word with settings."""
    return str(intent if isinstance(intent, str) else next(iter(intent)))


@pytest.mark.parametrize(
    ("intent", "question"),
    [pytest.param(i, q, id=f"{q['customer']}: {q['says']}") for i, q in _questions()],
)
def test_the_reply(intent: str, question: dict[str, str], assistant: Assistant) -> None:
    assert assistant.parse(question["says"])["intent"]["name"] == intent
    said = assistant.talk(question["customer"])(question["says"])
    assert [line.rstrip() for line in said.splitlines()] == question["reply"].splitlines()
