"""One turn of a conversation as the skills need it: who asks, what was heard, what was being talked about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from functools import cached_property
from typing import Any

from rasa_sdk import Tracker

from actions.guard import DEVELOPMENT_CHANNELS
from actions.heard import Heard
from actions.services import services
from assistant.banking.clock import today
from assistant.banking.connector import CustomerBank, CustomerProfile
from assistant.banking.purpose import Purpose
from assistant.customers.identity import Customer
from assistant.skills.focus import Focus


class WaitingFor(str, Enum):
    """What a bare "yes" or "try again" would answer."""

    NOTHING = ""
    CONSENT = "consent"  #: an opt-in was offered
    RETRY = "retry"  #: the bank did not answer
    LINK = "link"  #: a page to connect a bank was sent
    UNLINK = "unlink"  #: "disconnect it?" was asked
    CODE = "code"  #: the code is being given on its page, for what ``then`` says
    ERASE = "erase"  #: "erase everything?" was asked


@dataclass(frozen=True, slots=True)
class Waiting:
    """The open offer of the last turn, with the question to go on with. Travels in a slot, so it holds no authority."""

    kind: WaitingFor = WaitingFor.NOTHING
    question: Focus = field(default_factory=Focus)
    purpose: Purpose | None = None
    bank_id: str = ""
    then: str = ""

    def to_slot(self) -> dict[str, Any] | None:
        if self.kind is WaitingFor.NOTHING:
            return None
        return {
            "for": self.kind.value,
            "question": self.question.to_slot(),
            "purpose": self.purpose.value if self.purpose else None,
            "bank": self.bank_id,
            "then": self.then,
        }

    @classmethod
    def from_slot(cls, slot: object) -> Waiting:
        """What is malformed is no offer."""
        if not isinstance(slot, Mapping):
            return cls()
        try:
            purpose = slot.get("purpose")
            return cls(
                WaitingFor(slot.get("for", "")),
                Focus.from_slot(slot.get("question")),
                Purpose(purpose) if purpose else None,
                str(slot.get("bank") or ""),
                str(slot.get("then") or ""),
            )
        except ValueError:
            return cls()


class Turn:
    """Read from Rasa's tracker once; nothing in it is authority. Who asks comes from the channel's own id alone."""

    def __init__(self, tracker: Tracker) -> None:
        message: Mapping[str, Any] = tracker.latest_message or {}
        self._tracker = tracker
        self.channel: str = tracker.get_latest_input_channel() or "cmdline"
        self.conversation: str = tracker.sender_id
        self.text = str(message.get("text") or "")
        self.intent = str((message.get("intent") or {}).get("name") or "")
        self.ranking = _names(message.get("intent_ranking"))
        self.heard = Heard.from_entities(message.get("entities") or ())
        self.focus = Focus.from_slot(tracker.get_slot("focus"))
        self.waiting = Waiting.from_slot(tracker.get_slot("waiting"))
        self.misses = _whole(tracker.get_slot("misses"))

    @cached_property
    def customer(self) -> Customer | None:
        """None when nobody is linked to this conversation."""
        identities = services().customers.identities
        known = identities.resolve(self.channel, self.conversation)
        if known or self.channel not in DEVELOPMENT_CHANNELS or services().settings.production:
            return known
        demo = identities.demo(services().demo_login)
        return identities.bind_demo(self.channel, self.conversation, demo) if demo else None

    @cached_property
    def bank(self) -> CustomerBank | None:
        return services().customers.bank(self.customer) if self.customer else None

    @property
    def profile(self) -> CustomerProfile:
        if self.bank:
            return self.bank.profile
        settings = services().settings
        return CustomerProfile(settings.time_zone, settings.locale)

    @cached_property
    def today(self) -> date:
        """One date for the whole turn, in the customer's zone."""
        return today(self.profile.time_zone)

    def last_said(self) -> str:
        """Our last message before this one; "" at the start."""
        for event in reversed(self._tracker.events):
            if event.get("event") == "bot" and event.get("text"):
                return str(event["text"])
        return ""

    def ranking_before(self) -> tuple[str, ...]:
        """The intents that the customer's message before this one could have been, likeliest first."""
        spoken = [event for event in self._tracker.events if event.get("event") == "user"]
        if len(spoken) < 2:
            return ()
        return _names((spoken[-2].get("parse_data") or {}).get("intent_ranking"))


def _names(ranking: object) -> tuple[str, ...]:
    if not isinstance(ranking, Sequence):
        return ()
    return tuple(str(one.get("name")) for one in ranking if isinstance(one, Mapping))


def _whole(value: object) -> int:
    return int(value) if isinstance(value, int | float) and 0 <= value < 100 else 0
