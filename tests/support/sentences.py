"""Reads tests/sentences/*.yml: an intent, its sentences, and after a bar what each names.

An account is written by its kind, or {kind, last4, name}; an amount as ">50 USD" (more than), ">=50", "<50",
"<=50", "~50" (about), "=50" or "20-40".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent.parent / "sentences"


@dataclass(frozen=True)
class Sentence:
    text: str
    intent: str
    entities: dict[str, Any] = field(default_factory=dict)


def sentences(*paths: Path) -> Iterator[Sentence]:
    """Of these files; without any, of all."""
    for path in paths or sorted(FOLDER.glob("*.yml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        for intent, block in content.items():
            if not intent.startswith(("ask_", "reply")) and not isinstance(block, str):
                continue
            for line in block.splitlines():
                text, _, named = line.partition(" |")
                if text.strip():
                    yield Sentence(text.strip(), intent, _entities(named.strip()))


def _entities(named: str) -> dict[str, Any]:
    given = yaml.safe_load("{" + named + "}") if named else {}
    return {name: _value(name, value) for name, value in given.items()}


def _value(name: str, value: Any) -> Any:
    if name == "account":
        if isinstance(value, str):
            value = {"kind": value}
        return {"kind": "", "last4": "", "name": "", **value}
    if name == "amount":
        return amount(str(value))
    return value


def amount(said: str) -> dict[str, Any]:
    number, _, currency = said.partition(" ")
    strict = number[0] in "<>" and not number.startswith((">=", "<="))
    figure = number.lstrip("<>=~")
    low: Decimal | None
    high: Decimal | None
    if "-" in figure:
        low, high = (Decimal(part) for part in figure.split("-"))
    else:
        low = high = Decimal(figure)
        if number[0] == ">":
            high = None
        elif number[0] == "<":
            low = None
        elif number[0] == "~":
            low, high = low * Decimal("0.9"), high * Decimal("1.1")
    return {
        "low": None if low is None else str(low.quantize(Decimal("0.01"))),
        "high": None if high is None else str(high.quantize(Decimal("0.01"))),
        "currency": currency,
        "strict": strict,
    }


def matches(expected: Sentence, found: list[dict[str, Any]]) -> list[str]:
    """What is missing or different, in words; empty when every expected entity was found."""
    problems = []
    for name, value in expected.entities.items():
        values = [entity["value"] for entity in found if entity["entity"] == name]
        if value not in values:
            problems.append(f"{name}: {value!r} expected, {values!r} found")
    return problems
