"""What a channel implements so that alerts can be sent on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from assistant.alerts.kinds import AlertKind
from assistant.banking.connector import CustomerProfile
from assistant.replies.reply import Reply


@dataclass(frozen=True, slots=True)
class AlertMessage:
    """One delivery. ``key`` stays the same when it has to be tried again: a channel that can tell a repeat by it
    shows the customer one message. ``alert_ids``: one, or several that were grouped. ``urgent``: fraud."""

    key: str
    alert_ids: tuple[str, ...]
    kinds: tuple[AlertKind, ...]
    conversation_id: str
    profile: CustomerProfile
    reply: Reply
    urgent: bool = False


class NotNow(Exception):
    """The channel can't take it at the moment (rate, outage). ``retry_at`` (aware, UTC) when it said until when."""

    def __init__(self, message: str = "", *, retry_at: datetime | None = None) -> None:
        super().__init__(message or type(self).__name__)
        self.retry_at = retry_at


class Closed(Exception):
    """This conversation can't be written to first: its window is closed, she blocked us, it is a phone. Another
    channel may do; else the alert waits for her next conversation."""


class AlertSender(Protocol):
    """One channel. Called by the alerts worker, on a thread of its own, never inside a database transaction."""

    @property
    def channel(self) -> str:
        """The name it has in the ledger of consents ("facebook", "web")."""

    def send(self, message: AlertMessage) -> None:
        """Returns once the channel has accepted it. Raises NotNow or Closed; anything else counts as NotNow.

        It ends within its own deadline (30 seconds at most). Choose the form the channel's rules ask for: on
        Messenger, inside the window a message, outside a utility template.
        """
