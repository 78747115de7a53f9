"""What came in on a channel, freed of the channel's own shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Kind(str, Enum):
    """What a person did. A channel makes every event of its own into one of these, or sets it aside on purpose."""

    TEXT = "text"  #: said something in words; ``text``
    CHOICE = "choice"  #: pressed a button of ours; ``text`` is the token it carried, ``shown`` what stood on it
    LAUNCH = "launch"  #: opened the conversation without words
    RETURNED = "returned"  #: finished a page of ours that the conversation waits for
    UNREADABLE = "unreadable"  #: sent what we don't read: a picture, a voice note, a place
    DIGITS = "digits"  #: pressed keys of a telephone; ``text``. Never reaches Rasa as such
    SILENCE = "silence"  #: was expected to speak and did not
    END = "end"  #: hung up, closed the skill
    UNLINKED = "unlinked"  #: took back, at the channel, that we know who she is
    DELIVERED = "delivered"  #: not a person: the channel confirms the answer whose number is in ``text``


@dataclass(frozen=True, slots=True)
class Event:
    """``person`` is the channel's own id of who speaks, ``id`` its id of this event, the same when it is delivered
    again: neither is kept nor logged. ``address`` is what an answer must be sent to. ``extra`` is the channel's own,
    for its renderer; JSON."""

    person: str = field(repr=False)
    id: str = field(repr=False)
    kind: Kind
    text: str = field(default="", repr=False)
    shown: str = field(default="", repr=False)
    address: Mapping[str, Any] = field(default_factory=dict, repr=False)
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def body(self) -> dict[str, Any]:
        """As the inbox keeps it. The ids are not in it: they are kept as hashes only."""
        return {
            "kind": self.kind.value,
            "text": self.text,
            "shown": self.shown,
            "address": dict(self.address),
            "extra": dict(self.extra),
        }

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Event:
        return cls("", "", Kind(body["kind"]), body["text"], body["shown"], body["address"], body["extra"])
