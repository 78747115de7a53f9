"""The words: read from domain.yml, filled with values. No sentence for a customer stands in Python."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from assistant.banking.connector import CustomerProfile
from assistant.replies.formats import Format
from assistant.replies.reply import Choice, Phrase, Reply
from assistant.replies.spoken import SpokenFormat

#: The ``channel`` of the variation that is spoken (Rasa's own key for a channel-specific response).
VOICE = "voice"
_PREFIX = "utter_"
#: A count of one as it is written and as it is spoken.
_ONE = ("1", "one")
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


class MissingWording(KeyError):
    """domain.yml has no such response, or a response names a value that the skill does not give."""


@dataclass(frozen=True, slots=True)
class Wording:
    """Every response of a domain file: ``written`` and, where it differs, ``voice``, by key without ``utter_``."""

    written: Mapping[str, str]
    voice: Mapping[str, str]

    @classmethod
    def load(cls, path: str | Path = "domain.yml") -> Wording:
        """Read the ``responses`` of a Rasa domain file (YAML 1.2). The first written variation counts."""
        domain = YAML(typ="safe", pure=True).load(Path(path).read_text(encoding="utf-8"))
        return cls.from_responses(domain.get("responses") or {})

    @classmethod
    def from_responses(cls, responses: Mapping[str, Any]) -> Wording:
        written: dict[str, str] = {}
        voice: dict[str, str] = {}
        for name, variations in responses.items():
            key = str(name).removeprefix(_PREFIX)
            for variation in variations:
                target = voice if variation.get("channel") == VOICE else written
                target.setdefault(key, str(variation["text"]).strip())
        return cls(written, voice)

    def format(self, profile: CustomerProfile, today: date, *, spoken: bool = False) -> Format:
        """How to write values for this customer today."""

        def lookup(key: str, values: dict[str, str]) -> str:
            return self._fill(key, values, spoken)

        return (SpokenFormat if spoken else Format)(profile.locale, today, lookup)

    def phrase(self, phrase: Phrase, form: Format) -> str:
        """One phrase as a sentence."""
        return form.phrase(phrase)

    def choice(self, choice: Choice, form: Format) -> str:
        """What to offer; saying it is the same as choosing it."""
        return self.phrase(Phrase(f"choice_{choice.title}", choice.values), form)

    def text(self, reply: Reply, profile: CustomerProfile, today: date) -> str:
        """What the reply says, written, without its table, chart and choices."""
        form = self.format(profile, today)
        return " ".join(self.phrase(phrase, form) for phrase in reply.say)

    def speech(self, reply: Reply, profile: CustomerProfile, today: date) -> str:
        """What the reply says, for the ear."""
        form = self.format(profile, today, spoken=True)
        return " ".join(self.phrase(phrase, form) for phrase in reply.say)

    def _fill(self, key: str, values: Mapping[str, str], spoken: bool) -> str:
        if values.get("count") in _ONE and f"{key}_one" in self.written:
            key = f"{key}_one"
        template = self.voice.get(key) if spoken else None
        if template is None:
            template = self.written.get(key)
        if template is None:
            raise MissingWording(f"domain.yml has no response {_PREFIX}{key}")
        missing = [name for name in placeholders(template) if name not in values]
        if missing:
            raise MissingWording(f"{_PREFIX}{key} needs values that were not given: {', '.join(missing)}")
        # One pass, plain names only: what a value holds is never read as a placeholder or an attribute.
        return _PLACEHOLDER.sub(lambda match: values[match[1]], template)


def placeholders(template: str) -> list[str]:
    """The names in braces of a wording, in order."""
    return _PLACEHOLDER.findall(template)
