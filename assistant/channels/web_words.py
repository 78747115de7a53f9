"""The words of the web page, from domain.yml: the page itself holds none."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from assistant.banking import clock
from assistant.banking.connector import CustomerProfile
from assistant.channels.words import ChannelWords
from assistant.replies.reply import Phrase, Value

_PREFIX = "web_"
#: What a new visitor is offered to begin with; and one whose bank is connected.
_FIRST = ("choice_link", "choice_help", "choice_data_sold")
_BEGIN = ("choice_meant_ask_balance", "choice_where_money_goes", "choice_bills_due", "choice_latest")


class WebWords:
    def __init__(self, words: ChannelWords, profile: CustomerProfile) -> None:
        self._wording = words.wording
        self._profile = profile

    def text(self, key: str, **values: Value) -> str:
        form = self._wording.format(self._profile, clock.today(self._profile.time_zone))
        return self._wording.phrase(Phrase(key, values), form)

    def has(self, key: str) -> bool:
        return key in self._wording.written

    def all(self) -> dict[str, str]:
        """Those that the script needs, by their key without ``web_``."""
        return self._all

    @cached_property
    def _all(self) -> dict[str, str]:
        keys = (key for key in self._wording.written if key.startswith(_PREFIX))
        return {key.removeprefix(_PREFIX): self._wording.written[key] for key in keys}

    def welcome(self, profile: CustomerProfile, *, linked: bool) -> dict[str, Any]:
        offers = _BEGIN if linked else _FIRST
        return {
            "title": self.text("web_welcome"),
            "text": self.text("web_welcome_linked" if linked else "web_welcome_new"),
            "choices": [{"title": self.text(offer)} for offer in offers],
        }

    def door(self, ways: Sequence[str]) -> dict[str, Any]:
        return {
            "title": self.text("web_door"),
            "text": self.text("web_door_demo" if len(ways) > 1 else "web_door_bank"),
            "ways": [
                {"id": way, "title": self.text(f"web_way_{way}"), "text": self.text(f"web_way_{way}_text")}
                for way in ways
            ],
        }
