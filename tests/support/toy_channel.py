"""The least a channel can be: what docs/adding-a-channel.md builds, and what the contract tests try first."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from assistant.channels.base import AnswersLater, Raw, Refused
from assistant.channels.event import Event, Kind
from assistant.channels.sent import ARRIVED, Sent, later
from assistant.customers.inbox import Correspondent
from assistant.replies.said import Said


class Toy(AnswersLater):
    """Signs its requests with HMAC-SHA256 and takes answers as JSON."""

    def __init__(self, secret: str, platform: str) -> None:
        super().__init__()
        self._secret = secret.encode()
        self._platform = platform

    @classmethod
    def name(cls) -> str:
        return "toy"

    @classmethod
    def from_credentials(cls, credentials: Mapping[str, Any] | None) -> Toy:
        given = credentials or {}
        return cls(given["secret"], given["platform"])

    async def verify(self, raw: Raw) -> None:
        ours = hmac.new(self._secret, raw.body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(ours.encode(), raw.headers.get("x-signature", "").encode(errors="replace")):
            raise Refused(403, "the signature does not match")

    def events(self, raw: Raw) -> list[Event]:
        try:
            entries = json.loads(raw.body)
        except (ValueError, RecursionError):
            raise Refused(400, "not JSON") from None
        found = []
        for entry in entries if isinstance(entries, list) else []:
            match entry:
                case {"from": str(person), "id": str(id), "text": str(text)}:
                    found.append(Event(person, id, Kind.TEXT, text, address={"to": person}))
                case {"from": str(person), "id": str(id), "pressed": str(token)}:
                    found.append(Event(person, id, Kind.CHOICE, token, address={"to": person}))
                case {"to": str(person), "delivered": int(number)}:
                    found.append(Event(person, "", Kind.DELIVERED, str(number)))
        return found

    def render(self, said: Sequence[Said], event: Event, who: Correspondent) -> list[dict[str, Any]]:
        return [
            {
                "text": one.text,
                "buttons": [self.office.buttons.token(who.conversation_id, choice) for choice in one.choices],
            }
            for one in said
        ]

    async def send(self, answer: Mapping[str, Any], who: Correspondent, number: int) -> Sent:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=10)) as session:
            body = {"to": who.address["to"], "number": number, **answer}
            async with session.post(self._platform, json=body) as response:
                return ARRIVED if response.status == 200 else later(0.2)
