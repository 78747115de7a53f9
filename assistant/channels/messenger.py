"""Facebook Messenger. docs/messenger.md tells how a page is connected.

In credentials.yml, with the keys that Rasa's own connector has:

    assistant.channels.messenger.Messenger:
      verify: ${MESSENGER_VERIFY}
      secret: ${MESSENGER_SECRET}
      page-access-token: ${MESSENGER_PAGE_ACCESS_TOKEN}
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs

from sanic import Blueprint
from sanic.response import HTTPResponse

from assistant.banking import clock
from assistant.channels import messenger_events as wire
from assistant.channels.base import AnswersLater, Raw, Refused
from assistant.channels.event import Event, Kind
from assistant.channels.graph import Graph
from assistant.channels.graph_errors import GraphError
from assistant.channels.messenger_config import MessengerConfig
from assistant.channels.messenger_deletion import Deletions
from assistant.channels.messenger_linking import LinkedElsewhere, check_link
from assistant.channels.messenger_menu import START, said_by
from assistant.channels.messenger_policy import Why
from assistant.channels.messenger_render import Renderer
from assistant.channels.messenger_send import Sender
from assistant.channels.sent import Sent
from assistant.customers.inbox import Correspondent
from assistant.replies.said import Said
from assistant.settings import Settings

logger = logging.getLogger(__name__)

#: After such a silence a person is told again that no person answers (send-messages, updated 2026-05-05).
LAPSE = timedelta(hours=24)
#: For how long a message that may have arrived waits for its echo. Messenger's come within a few seconds.
ECHO_WITHIN = timedelta(seconds=20)
#: What Messenger sends at most in one call of the webhook is far below.
MAX_BODY = 1024 * 1024
_CHALLENGE = 200


class Messenger(AnswersLater):
    """One page. Its people are known by page-scoped ids, which are kept as keyed hashes and, where an answer must be
    sent to them, sealed."""

    max_body = MAX_BODY

    def __init__(self, config: MessengerConfig, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self.config = config
        self.confirms_within = ECHO_WITHIN if config.echoes else timedelta(0)

    @classmethod
    def name(cls) -> str:
        return "messenger"

    @classmethod
    def from_credentials(cls, credentials: Mapping[str, Any] | None) -> Messenger:
        """Raises SettingsError."""
        return cls(MessengerConfig.read(credentials))

    @cached_property
    def sender(self) -> Sender:
        """Used on the office's loop alone."""
        return Sender(Graph(self.config.access))

    def routes(self, routes: Blueprint) -> None:
        Deletions(self).add_to(routes)

    # Coming in

    async def get(self, raw: Raw) -> HTTPResponse:
        """Meta asks whether this webhook is ours (messenger-platform/webhooks, "Verification Requests")."""
        asked = {name: values[0] for name, values in parse_qs(raw.query).items()}
        token = asked.get("hub.verify_token", "").encode()
        if asked.get("hub.mode") != "subscribe" or not hmac.compare_digest(token, self.config.verify.encode()):
            raise Refused(403, "the verify token does not match")
        challenge = asked.get("hub.challenge", "")
        if not (challenge.isascii() and challenge.isalnum() and len(challenge) <= _CHALLENGE):
            raise Refused(400, "no challenge")
        return HTTPResponse(challenge, content_type="text/plain", headers={"X-Content-Type-Options": "nosniff"})

    async def verify(self, raw: Raw) -> None:
        """X-Hub-Signature-256 on the raw bytes. The old SHA-1 header proves nothing, whoever sends it."""
        given = raw.headers.get("x-hub-signature-256", "").encode(errors="replace")
        secrets = [secret.encode() for secret in self.config.secrets]
        ours = [f"sha256={hmac.new(secret, raw.body, hashlib.sha256).hexdigest()}".encode() for secret in secrets]
        # All are compared: the time tells nothing of which one it was.
        if not sum(hmac.compare_digest(given, one) for one in ours):
            raise Refused(403, "the signature does not match")

    def events(self, raw: Raw) -> list[Event]:
        """What cannot be read is set aside, and still acknowledged: it would only be delivered again."""
        return [event for found in wire.parse(raw.body) if (event := self._event(found)) is not None]

    def _event(self, found: wire.Event) -> Event | None:
        address = {"psid": found.psid}
        if found.kind is wire.Kind.TEXT:
            return Event(found.psid, found.key, Kind.TEXT, found.text, address=address)
        if found.kind is wire.Kind.QUICK_REPLY:
            return Event(found.psid, found.key, Kind.CHOICE, found.payload, found.text, address)
        if found.kind is wire.Kind.POSTBACK:
            return self._pressed(found, address)
        if found.kind is wire.Kind.ATTACHMENTS:
            return Event(found.psid, found.key, Kind.UNREADABLE, address=address)
        if found.kind in (wire.Kind.REFERRAL, wire.Kind.OPTIN):
            return Event(found.psid, found.key, Kind.LAUNCH, address=address)
        if found.kind is wire.Kind.LINKED:
            return Event(found.psid, found.key, Kind.RETURNED, address=address, extra={"code": found.code})
        if found.kind is wire.Kind.UNLINKED:
            return Event(found.psid, found.key, Kind.UNLINKED, address=address)
        if found.kind is wire.Kind.CONTROL and found.control is wire.Control.GIVEN:
            # No address: nothing that she did herself, so it opens no window.
            return Event(found.psid, found.key, Kind.END, extra={"given_back": True})
        if found.kind is wire.Kind.ECHO and found.metadata:
            return Event(found.psid, found.key, Kind.DELIVERED, found.metadata)
        self._set_aside(found)
        return None

    def _pressed(self, found: wire.Event, address: Mapping[str, Any]) -> Event:
        if found.payload == START:
            return Event(found.psid, found.key, Kind.LAUNCH, address=address)
        words = said_by(found.payload, self.office.words)
        if words:
            return Event(found.psid, found.key, Kind.TEXT, words, address=address)
        # A button has no payload once another app has the conversation; what stands on it is still what was meant.
        shown = "" if found.payload else found.text
        return Event(found.psid, found.key, Kind.CHOICE, found.payload, shown, address)

    def _set_aside(self, found: wire.Event) -> None:
        if found.kind is wire.Kind.POLICY:
            logger.error("Meta enforces a policy on the page: %s. See the page's Support Inbox", found.detail or "-")
        elif found.kind is wire.Kind.TEMPLATE_STATUS:
            logger.warning("The message template %s is now %s", found.ref, found.detail)
        elif found.kind in (wire.Kind.BROKEN, wire.Kind.NOT_OURS):
            logger.warning("Set aside: %s", wire.SET_ASIDE[found.kind])

    async def special(self, event: Event, who: Correspondent) -> Sequence[Said] | None:
        words = self.office.words
        if event.extra.get("given_back"):
            return [words.say("messenger_given_back")]
        if "notice" in event.extra:
            return [Said.from_json(event.extra["notice"])]
        if event.kind is Kind.RETURNED and "code" in event.extra:
            try:
                await asyncio.to_thread(check_link, self.office.customers, who.conversation_id, event.extra["code"])
            except LinkedElsewhere:
                await self._unlink(who)
                return [words.say("messenger_linked_elsewhere")]
            # The page itself has said so already, for those who came by its other button too.
            return []
        return None

    async def _unlink(self, who: Correspondent) -> None:
        try:
            await self.sender.graph.unlink(str(who.address["psid"]))
        except GraphError as error:
            logger.warning("Messenger keeps an account link that is not ours: %s", error)

    # Going out

    async def send(self, answer: Mapping[str, Any], who: Correspondent, number: int) -> Sent:
        return await self.sender.send(answer, who, number)

    async def working(self, who: Correspondent) -> None:
        await self.sender.graph.typing(str(who.address["psid"]))

    def render(self, said: Sequence[Said], event: Event, who: Correspondent) -> list[dict[str, Any]]:
        renderer = self._renderer(who.conversation_id)
        notice = "notice" in event.extra
        shown = said if notice else self._disclosed(said, who)
        messages = [message for one in shown for message in renderer.render(one)]
        # Only the last message of all keeps its quick replies on the screen.
        for message in messages[:-1]:
            message.pop("quick_replies", None)
        why = Why.NOTICE if notice else Why.ANSWER
        answers: list[dict[str, Any]] = [{"message": message, "why": why.value} for message in messages]
        if answers and "template" in event.extra:
            answers[0]["template"] = event.extra["template"]
            for one in answers[1:]:
                one["told_by_template"] = True
        return answers

    def _renderer(self, conversation_id: str) -> Renderer:
        office = self.office

        def card_says(account: str) -> str:
            return office.words.text("messenger_card_says", account=account)

        return Renderer(
            lambda choice: office.buttons.token(conversation_id, choice),
            office.words.text("messenger_card_button"),
            card_says,
        )

    def _disclosed(self, said: Sequence[Said], who: Correspondent) -> Sequence[Said]:
        """Who talks here is said at the start, and again after a lapse; the greeting says it by itself."""
        words = self.office.words
        lapsed = who.heard_at is None or clock.wall() - who.heard_at > LAPSE
        if not lapsed or not said or any(one.text.startswith(words.text("greet")) for one in said):
            return said
        first, *rest = said
        return [replace(first, text=f"{words.text('messenger_automated')}\n\n{first.text}"), *rest]

    def person_says(self, conversation_id: str, name: str, text: str) -> None:
        """What a human agent has written, under her name."""
        messages = self._renderer(conversation_id).render(Said(text))
        self.office.push(
            self.name(),
            conversation_id,
            [{"message": message, "why": Why.PERSON.value, "person": name} for message in messages],
        )
