"""What each sentence of tests/sentences is answered: tests/sentences/replies/*.yml, read, asked and written.

A file holds, per intent, groups: who asks, after which words (where the sentence alone would mean nothing), the reply
as a terminal shows it on the fixed day of tests/support/sandbox.py, and every sentence that gets it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from support.assistant import Assistant
from support.sentences import FOLDER as SENTENCES

FOLDER = SENTENCES / "replies"
#: Who asks, and after what, the sentences that are in no group yet.
ASKED = FOLDER / "asked.yml"
#: What is different each time: the secret of a page's address, the reference of a request for a person.
_SECRETS = ((re.compile(r"(?<=/link/)(?:(\w+)/)?[\w-]{43}\b"), r"\1…"), (re.compile(r"(?<=reference is )\w+"), "…"))


@dataclass(frozen=True, slots=True)
class Asked:
    """Who says a sentence, and what she said before it in the same conversation."""

    customer: str = "maya"
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Expected:
    """One sentence and its reply, line by line."""

    intent: str
    says: str
    asked: Asked
    reply: str


def expected(path: Path) -> Iterator[Expected]:
    """Every sentence of one file."""
    for intent, groups in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).items():
        for group in groups:
            asked = Asked(group["customer"], tuple(group.get("after", ())))
            for sentence in group["to"]:
                yield Expected(intent, sentence, asked, group["reply"].rstrip("\n"))


def files() -> Iterator[Path]:
    return (path for path in sorted(FOLDER.glob("*.yml")) if path != ASKED)


def asked_by_default() -> dict[str, Asked]:
    content = yaml.safe_load(ASKED.read_text(encoding="utf-8"))
    return {intent: Asked(how.get("customer", "maya"), tuple(how.get("after", ()))) for intent, how in content.items()}


def answer(assistant: Assistant, asked: Asked, sentence: str) -> str:
    """The reply to a sentence in a conversation of its own."""
    assistant.reset_consents(asked.customer)
    conversation = assistant.conversation(asked.customer)
    for before in asked.after:
        assistant.said(before, conversation)
    said = "\n".join(line.rstrip() for line in assistant.said(sentence, conversation).splitlines())
    # What is kept of her is told when she asks, so nothing may be left of the sentences before.
    assistant.customers.conversations.erase(conversation)
    for pattern, shown in _SECRETS:
        said = pattern.sub(shown, said)
    return said


def write(path: Path, replies: list[Expected]) -> None:
    """One group per way of asking and reply, in the order in which they first come."""
    groups: dict[str, dict[tuple[Asked, str], list[str]]] = {}
    for one in replies:
        groups.setdefault(one.intent, {}).setdefault((one.asked, one.reply), []).append(one.says)
    lines = ["# What each sentence is answered, word for word. How it is kept: docs/adding-a-skill.md."]
    for intent, found in groups.items():
        lines += ["", f"{intent}:"]
        for (asked, reply), sentences in found.items():
            lines.append(f"- customer: {asked.customer}")
            if asked.after:
                lines += ["  after:", *(f"  - {_scalar(before)}" for before in asked.after)]
            lines += ["  reply: |-", *(f"    {line}".rstrip() for line in reply.splitlines()), "  to:"]
            lines += [f"  - {_scalar(sentence)}" for sentence in sentences]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _scalar(text: str) -> str:
    """Plain where YAML reads the same text back, else quoted."""
    plain: Any
    try:
        plain = yaml.safe_load(f"- {text}")
    except yaml.YAMLError:
        plain = None
    return text if plain == [text] else yaml.safe_dump(text, default_style='"', allow_unicode=True, width=1000).strip()
