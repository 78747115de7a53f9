"""What became of an answer that a channel tried to send."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Outcome(Enum):
    ARRIVED = "arrived"  #: the channel took it
    LATER = "later"  #: it was not taken, for certain; try again in ``seconds``
    CLOSED = "closed"  #: nothing can be sent to her now; it is kept until she speaks
    REFUSED = "refused"  #: this answer can never be sent; the log says why


@dataclass(frozen=True, slots=True)
class Sent:
    """``why`` is for the log and holds nothing of the customer's. An exception instead of a Sent means that nobody
    knows whether it arrived."""

    outcome: Outcome
    seconds: float = 0.0
    why: str = ""


ARRIVED = Sent(Outcome.ARRIVED)


def later(seconds: float, why: str = "") -> Sent:
    return Sent(Outcome.LATER, seconds, why)


def closed(why: str) -> Sent:
    return Sent(Outcome.CLOSED, why=why)


def refused(why: str) -> Sent:
    return Sent(Outcome.REFUSED, why=why)
