"""What a channel itself says, without a turn of Rasa's: that a button is too old, that it can't read pictures."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from assistant.banking.clock import today
from assistant.banking.connector import CustomerProfile
from assistant.replies.reply import Choice, Phrase, Reply, Value
from assistant.replies.said import Said, say
from assistant.replies.wording import Wording
from assistant.settings import Settings

_DOMAIN = Path(__file__).resolve().parents[2] / "domain.yml"


class ChannelWords:
    """In the installation's own language: a channel does not know the customer's."""

    def __init__(self, settings: Settings) -> None:
        self._profile = CustomerProfile(settings.time_zone, settings.locale)

    @cached_property
    def wording(self) -> Wording:
        return Wording.load(_DOMAIN)

    def say(self, key: str, *choices: str, **values: Value) -> Said:
        """The response ``utter_<key>`` of domain.yml, with these choices beneath."""
        reply = Reply((Phrase(key, values),), choices=tuple(Choice(choice) for choice in choices))
        return say(reply, self.wording, self._profile, today(self._profile.time_zone))

    def text(self, key: str, **values: Value) -> str:
        return self.say(key, **values).text
