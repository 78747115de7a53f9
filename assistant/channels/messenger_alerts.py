"""Alerts on Messenger (alerts.sender.AlertSender): inside the window as a message, outside as a utility template."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from assistant.alerts.sender import AlertMessage, Closed
from assistant.banking import clock
from assistant.banking.clock import today
from assistant.channels.event import Event, Kind
from assistant.channels.messenger_linking import CHANNEL
from assistant.channels.messenger_policy import Template, Why, how
from assistant.channels.words import ChannelWords
from assistant.customers.service import Customers
from assistant.replies.said import say


class MessengerAlerts:
    """``template`` is the name of an approved utility template of the page whose body has one place, {{1}}, for the
    alert's sentences; "" for none: then nothing is sent outside the window."""

    def __init__(self, customers: Customers, template: str = "") -> None:
        self._customers = customers
        self._words = ChannelWords(customers.settings)
        self._template = template

    @property
    def channel(self) -> str:
        return CHANNEL

    def send(self, message: AlertMessage) -> None:
        """Puts it on her queue, once for each key, to be said in turn with her answers. Raises Closed."""
        inbox = self._customers.inbox
        who = inbox.correspondent(CHANNEL, message.conversation_id)
        if not who.address or who.closed in ("blocked", "unknown"):
            raise Closed
        if how(Why.NOTICE, who.heard_at, clock.wall(), template=bool(self._template)) is None:
            raise Closed
        said = say(message.reply, self._words.wording, message.profile, today(message.profile.time_zone))
        extra: dict[str, Any] = {"notice": said.to_json()}
        if self._template:
            extra["template"] = asdict(Template(self._template, (said.text,), message.profile.locale.partition("_")[0]))
        # No address: she did nothing that would open the window.
        body = Event("", "", Kind.END, extra=extra).body()
        inbox.take("", [inbox.letter_to(CHANNEL, message.conversation_id, f"alert:{message.key}", body)])
