"""The hosted pages as HTML: templates that hold keys, filled with the words of domain.yml."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from assistant.banking import clock
from assistant.banking.connector import CustomerProfile
from assistant.replies.reply import Phrase, Value
from assistant.replies.wording import Wording

TEMPLATES = Path(__file__).resolve().parent.parent / "web" / "pages"
#: Fields of an export that hold an instant (ISO 8601).
_INSTANTS = frozenset(
    {"at", "expires_at", "fetched_at", "linked_at", "made_at", "renewed_at", "set_at", "since", "until", "used_at"}
)


class Words:
    """``profile`` is how to write for somebody of whom nothing is known."""

    def __init__(self, wording: Wording, profile: CustomerProfile) -> None:
        self._wording = wording
        self._profile = profile
        self._templates = Environment(
            loader=FileSystemLoader(TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.stylesheet = (TEMPLATES / "pages.css").read_bytes()

    def has(self, key: str) -> bool:
        return key in self._wording.written

    def page(self, template: str, profile: CustomerProfile | None = None, **values: Any) -> bytes:
        """Raises MissingWording, jinja2.UndefinedError."""
        profile = profile or self._profile
        language = profile.locale.replace("_", "-")
        return self._templates.get_template(template).render(say=self._say(profile), lang=language, **values).encode()

    def export_file(self, held: Mapping[str, Any], profile: CustomerProfile) -> bytes:
        """An export (customers.export) as a document to read, complete but for what conversations hold besides
        what was said, which it points to."""
        zone = ZoneInfo(profile.time_zone)
        sections = {name: value for name, value in held.items() if name not in ("format", "made_at", "conversations")}
        talks = [[_line(event, zone) for event in talk["events"] if _is_said(event)] for talk in held["conversations"]]
        return self.page(
            "export_file.html",
            profile,
            made_at=_readable("made_at", held["made_at"], zone),
            zone=profile.time_zone,
            sections=sections,
            talks=talks,
            label=lambda name: self._label(name, profile),
            readable=lambda name, value: _readable(name, value, zone),
        )

    def _say(self, profile: CustomerProfile) -> Callable[..., str]:
        form = self._wording.format(profile, clock.today(profile.time_zone))

        def say(key: str, /, **values: Value) -> str:
            return self._wording.phrase(Phrase(key, values), form)

        return say

    def _label(self, name: str, profile: CustomerProfile) -> str:
        """What a field is called; one that comes from a bank keeps its own name."""
        key = f"page_field_{name}"
        return self._say(profile)(key) if self.has(key) else str(name)


def _is_said(event: Mapping[str, Any]) -> bool:
    return event.get("event") in ("user", "bot") and bool(event.get("text"))


def _line(event: Mapping[str, Any], zone: ZoneInfo) -> tuple[str, str, str]:
    at = datetime.fromtimestamp(float(event.get("timestamp") or 0), timezone.utc).astimezone(zone)
    return f"{at:%Y-%m-%d %H:%M}", str(event["event"]), str(event["text"])


def _readable(name: str, value: object, zone: ZoneInfo) -> str:
    if name in _INSTANTS and isinstance(value, str):
        try:
            return f"{datetime.fromisoformat(value).astimezone(zone):%Y-%m-%d %H:%M}"
        except ValueError:
            return value
    return str(value)
