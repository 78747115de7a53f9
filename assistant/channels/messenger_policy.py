"""What may be sent on Messenger, and when. Meta's policy as data, in this one place.

developers.facebook.com/documentation/business-messaging/messenger-platform/policy, updated 2026-09-28. The tags
ACCOUNT_UPDATE, CONFIRMED_EVENT_UPDATE and POST_PURCHASE_UPDATE are dead since 27 April 2026, recurring notifications
since 10 February 2026: nothing here can produce one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any


class Why(str, Enum):
    """Why something is said."""

    ANSWER = "answer"  #: she wrote, this is the answer
    NOTICE = "notice"  #: we speak first: an alert she has asked for
    PERSON = "person"  #: a human agent wrote it, by hand


@dataclass(frozen=True, slots=True)
class Rule:
    """``within`` counts from her last message; None needs none. ``fields`` go into the call."""

    why: Why
    within: timedelta | None
    fields: Mapping[str, str]
    needs_template: bool = False


STANDARD_WINDOW = timedelta(hours=24)
HUMAN_AGENT_WINDOW = timedelta(days=7)
#: The first that fits is used.
RULES: tuple[Rule, ...] = (
    Rule(Why.ANSWER, STANDARD_WINDOW, {"messaging_type": "RESPONSE"}),
    Rule(Why.NOTICE, STANDARD_WINDOW, {"messaging_type": "UPDATE"}),
    Rule(Why.NOTICE, None, {"messaging_type": "UTILITY"}, needs_template=True),
    Rule(Why.PERSON, STANDARD_WINDOW, {"messaging_type": "RESPONSE"}),
    # Never for what a program wrote: Meta takes the permission away for that.
    Rule(Why.PERSON, HUMAN_AGENT_WINDOW, {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"}),
)
#: Sooner than Meta's clock says: a message that arrives a second late is refused.
_MARGIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Template:
    """A utility template that Meta has approved for the page; ``values`` fill {{1}}, {{2}}, ... of its body."""

    name: str
    values: tuple[str, ...] = ()
    language: str = "en"

    def message(self) -> dict[str, Any]:
        values = [{"type": "text", "text": value} for value in self.values]
        components = [{"type": "body", "parameters": values}] if values else []
        return {"template": {"name": self.name, "language": {"code": self.language}, "components": components}}


def how(why: Why, heard_at: datetime | None, now: datetime, *, template: bool = False) -> Rule | None:
    """The rule under which this may be sent now; None: it may not be, and waits until she writes again.

    ``heard_at`` is when she last wrote, None if never. ``template`` says that an approved one is at hand.
    """
    since = None if heard_at is None else now - heard_at + _MARGIN
    for rule in RULES:
        in_time = rule.within is None or (since is not None and since <= rule.within)
        if rule.why is why and in_time and (template or not rule.needs_template):
            return rule
    return None
