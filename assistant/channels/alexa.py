"""Alexa: the endpoint of a custom skill (docs/alexa.md).

Who speaks is who linked her bank for this Alexa account: the access token of account linking says so, and without one
nothing is answered but how to link. What Alexa understood becomes words again (spoken_intents), which Rasa hears. The
digits of a code are tried here and never become words.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, TypeVar

import aiohttp
from sanic import Blueprint
from sanic.response import HTTPResponse

from assistant.channels import alexa_reply as reply
from assistant.channels.alexa_link import AccountLinking, LinkSettings, add_routes
from assistant.channels.alexa_proof import Proof, is_recent
from assistant.channels.alexa_request import Asked
from assistant.channels.aloud import parts
from assistant.channels.base import AnswersNow, Raw, Refused
from assistant.channels.event import Event, Kind
from assistant.channels.office import Turned
from assistant.channels.spoken_intents import spoken_intents
from assistant.customers.identity import Customer
from assistant.customers.inbox import Correspondent
from assistant.customers.step_up import Result
from assistant.replies.said import Said
from assistant.settings import Settings

logger = logging.getLogger(__name__)

T = TypeVar("T")

CHANNEL = "alexa"
#: Alexa gives up on us after 8 s, the way there and back included.
DEADLINE = 6.0
_DIRECTIVE_SECONDS = 3.0
LAUNCH, INTENT, ENDED = "LaunchRequest", "IntentRequest", "SessionEndedRequest"
CAN_FULFIL, CONNECTED = "CanFulfillIntentRequest", "Connections.Response"
_ANSWERED = frozenset({LAUNCH, INTENT, CONNECTED})
#: Alexa's own intents that end a session.
_LEAVING = frozenset({"AMAZON.StopIntent", "AMAZON.CancelIntent", "AMAZON.NavigateHomeIntent"})
#: Alexa's own intents, and what somebody may have said.
BUILT_IN: Mapping[str, str] = {
    "AMAZON.HelpIntent": "help",
    "AMAZON.YesIntent": "yes",
    "AMAZON.NoIntent": "no",
    "AMAZON.RepeatIntent": "repeat that",
    "AMAZON.NextIntent": "more",
    "AMAZON.MoreIntent": "more",
}
#: Asks for the answer that was not ready before. Anything but a question of its own does, while we owe one.
GO_ON = "GoOnIntent"
_PATIENT = frozenset({GO_ON, "AMAZON.YesIntent", "AMAZON.NextIntent", "AMAZON.MoreIntent", "AMAZON.FallbackIntent"})
#: Intents of what stands after a few first words: "SearchHowMuchIntent" (see alexa_model).
CARRIERS: Mapping[str, str] = {
    "SearchHowMuchIntent": "how much",
    "SearchHowManyIntent": "how many",
    "SearchWhatIntent": "what",
    "SearchWhenIntent": "when",
    "SearchWhereIntent": "where",
    "SearchWhichIntent": "which",
    "SearchWhoIntent": "who",
    "SearchWhyIntent": "why",
    "SearchShowIntent": "show",
    "SearchTellIntent": "tell me",
    "SearchGiveIntent": "give me",
    "SearchListIntent": "list",
    "SearchFindIntent": "find",
    "SearchDoIntent": "do",
    "SearchDidIntent": "did",
    "SearchHaveIntent": "have",
    "SearchIsIntent": "is",
    "SearchCanIntent": "can",
    "SearchIWantIntent": "i want",
    "SearchMyIntent": "my",
}


class Alexa(AnswersNow):
    """In credentials.yml: ``assistant.channels.alexa.Alexa:`` with ``skill_id``; docs/alexa.md has the rest."""

    max_body = 128 * 1024
    deadline = DEADLINE

    def __init__(self, given: Mapping[str, Any], proof: Proof | None = None, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self._skill = str(given["skill_id"])
        self._cards = given.get("cards", True) is not False
        self._proof = proof or Proof()
        self._linking = LinkSettings.read(given)

    @classmethod
    def name(cls) -> str:
        return CHANNEL

    @classmethod
    def from_credentials(cls, credentials: Mapping[str, Any] | None) -> Alexa:
        given = credentials or {}
        if not given.get("skill_id"):
            raise ValueError("credentials.yml: alexa needs skill_id")
        return cls(given)

    @cached_property
    def accounts(self) -> AccountLinking:
        return AccountLinking(self.office.customers, self.office.words, self.settings, self._linking)

    def routes(self, routes: Blueprint) -> None:
        if self._linking:
            add_routes(routes, lambda: self.accounts)

        async def learn(_app: Any, loop: asyncio.AbstractEventLoop) -> None:
            loop.run_in_executor(None, spoken_intents)  # takes a moment; the first caller need not wait for it

        routes.listener("after_server_start")(learn)

    # Coming in

    async def verify(self, raw: Raw) -> None:
        if raw.method != "POST":
            raise Refused(405, "Alexa posts")
        await self._proof.check(raw)
        asked = Asked.read(raw.body)
        if asked.skill != self._skill:
            raise Refused(400, "a request for another skill")
        if not is_recent(asked.timestamp):
            raise Refused(400, "a request of another time")

    async def answer(self, raw: Raw) -> HTTPResponse:
        until = asyncio.get_running_loop().time() + self.deadline
        await self.verify(raw)
        asked = Asked.read(raw.body)
        if asked.kind == CAN_FULFIL:
            return _json(reply.can_fulfil(await self._is_ours(asked.intent), asked.slots))
        person = await _aside(self._person, asked)
        if asked.kind == ENDED:
            logger.info("An Alexa session ended: %s", asked.reason)
            if person:
                await self.office.accept(self, [Event(person, asked.id, Kind.END)])
            return _json(reply.NOTHING)
        if asked.kind not in _ANSWERED:
            return _json(reply.NOTHING)
        if asked.intent in _LEAVING:
            if person:
                await self.office.accept(self, [Event(person, asked.id, Kind.END)])
            return _json(reply.Telling(parts([self._words("goodbye")])).body())
        if not person:
            key = "voice_link_again" if asked.token else "voice_link"
            return _json(reply.Telling(parts([self._words(key)]), link_account=True).body())
        if asked.is_new:
            await _aside(self._leave, self.office.conversation_id(self, person))
        event = await _aside(self._event, asked, person)
        turned = await self._converse(event, until)
        if event.kind is Kind.DIGITS and turned.said == ():
            # The code was right, and what it was asked for is waiting.
            returned = Event(person, f"{asked.id}:returned", Kind.RETURNED, address=event.address)
            turned = await self._converse(returned, until)
        return _json(self._told(turned, asked))

    async def _converse(self, event: Event, until: float) -> Turned:
        left = max(0.1, until - asyncio.get_running_loop().time())
        return await self.office.converse(self, event, left)

    def event(self, raw: Raw) -> Event:
        asked = Asked.read(raw.body)
        return self._event(asked, self._person(asked))

    def _event(self, asked: Asked, person: str) -> Event:
        """What was said. ``address`` is where a progressive response goes."""
        address = {"api": asked.api, "token": asked.api_token, "request": asked.id} if asked.api else {}
        owed = asked.remembered.get("waiting") is True
        if asked.kind == LAUNCH:
            return Event(person, asked.id, Kind.LAUNCH, address=address)
        if asked.kind == CONNECTED:
            return Event(person, asked.id, Kind.RETURNED, address=address)
        if owed and asked.intent in _PATIENT:
            return Event(person, asked.id, Kind.SILENCE, address=address)
        if asked.intent == reply.CODE[0]:
            extra = {"asked": asked.remembered.get("code") is True}
            return Event(
                person, asked.id, Kind.DIGITS, asked.slots.get(reply.CODE[1], ""), address=address, extra=extra
            )
        words = self._heard(asked)
        if words and asked.remembered.get("code") is True and _is_code(words):
            # Alexa took the code for an answer in words.
            return Event(person, asked.id, Kind.DIGITS, words, address=address, extra={"asked": True})
        return Event(person, asked.id, Kind.TEXT if words else Kind.UNREADABLE, words, address=address)

    def _heard(self, asked: Asked) -> str:
        """ "" for what Alexa could not place."""
        if asked.intent == reply.ANSWER[0]:
            return asked.slots.get(reply.ANSWER[1], "")
        if asked.intent in CARRIERS:
            return f"{CARRIERS[asked.intent]} {asked.slots.get('words', '')}".strip()
        if asked.intent == GO_ON:
            return "more"
        if asked.intent in BUILT_IN:
            return BUILT_IN[asked.intent]
        return spoken_intents().words(asked.intent, asked.slots) or ""

    async def _is_ours(self, intent: str) -> bool:
        intents = await _aside(spoken_intents)
        return intent in intents.examples or intent in CARRIERS

    # Who it is

    def _person(self, asked: Asked) -> str:
        """Whom the access token names; "" for nobody, and for whoever is not linked any more."""
        person = self.accounts.person(asked.token) if asked.token else ""
        return person if person and self._customer(self.office.conversation_id(self, person)) else ""

    def _customer(self, conversation: str) -> Customer | None:
        return self.office.customers.identities.resolve(CHANNEL, conversation)

    def _leave(self, conversation: str) -> None:
        """Whoever speaks to the same device next has not given the code."""
        if customer := self._customer(conversation):
            self.office.customers.step_up.leave(customer)

    async def special(self, event: Event, who: Correspondent) -> list[Said] | None:
        if event.kind is Kind.END:
            await _aside(self._leave, who.conversation_id)
            return []
        if event.kind is Kind.UNREADABLE:
            return [self._words("voice_not_heard")]
        if event.kind is Kind.DIGITS:
            return await _aside(self._try, who.conversation_id, event)
        return None

    def _try(self, conversation: str, event: Event) -> list[Said]:
        """Nothing to say when the code was right: what waits for it goes on."""
        customer = self._customer(conversation)
        if event.extra.get("asked") is not True or customer is None:
            return [self._words("voice_code_unasked")]
        result = self.office.customers.step_up.answer(customer, event.text).result
        if result is Result.PASSED:
            return []
        return [self._words("voice_code_wrong" if result is Result.WRONG else "voice_code_locked")]

    # Going out

    async def working(self, who: Correspondent) -> None:
        if not (api := str(who.address.get("api", ""))):
            return
        body = reply.moment(str(who.address["request"]), self._words("voice_moment").speech)
        headers = {"Authorization": f"Bearer {who.address['token']}"}
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_DIRECTIVE_SECONDS)) as session,
            session.post(f"{api}/v1/directives", json=body, headers=headers, allow_redirects=False) as response,
        ):
            if response.status >= 300:
                logger.warning("Alexa did not take a progressive response: status %d", response.status)

    def respond(self, turned: Turned, event: Event, raw: Raw) -> HTTPResponse:
        return _json(self._told(turned, Asked.read(raw.body)))

    def _told(self, turned: Turned, asked: Asked) -> bytes:
        # What was asked in another session may have been asked by somebody else.
        late = () if asked.is_new else turned.late
        said = [*late, *(turned.said or ())]
        if turned.said is None or (not said and asked.remembered.get("waiting") is True):
            slow = self._words("voice_slow")
            return reply.Telling(parts([*late, slow]), ask=slow.speech, remember={"waiting": True}).body()
        if not said:
            said = [self._words("voice_not_heard")]
        code = self._asks_again(turned.said, asked)
        if (link := said[-1].link) and link.kind == "enter_code":
            # There is no page to open and no keypad here.
            code, said[-1] = True, self._words("voice_code_needed")
        last = said[-1]
        asks = last.expects or code or asked.kind == LAUNCH
        lines = parts(said)
        if not asks and not asked.is_new:
            lines += parts([self._words("voice_anything_else")])
        stays = asks or not asked.is_new
        return reply.Telling(
            lines,
            ask=self._words("voice_reprompt_code" if code else "voice_reprompt").speech if stays else "",
            elicit=reply.CODE if code else reply.ANSWER if last.expects else None,
            card=reply.card_of(said, self._title) if self._cards else None,
            screen=reply.screen_of(said, self._title) if self._cards and asked.has_screen else None,
            remember={"code": True} if code else {},
        ).body()

    def _asks_again(self, said: Sequence[Said], asked: Asked) -> bool:
        """After a wrong code the next words are another try."""
        return asked.remembered.get("code") is True and tuple(said) == (self._words("voice_code_wrong"),)

    def _words(self, key: str) -> Said:
        return self.office.words.say(key)

    @cached_property
    def _title(self) -> str:
        return self._words("voice_card_title").text


def _is_code(words: str) -> bool:
    return words.replace(" ", "").isdecimal()


def _json(body: bytes) -> HTTPResponse:
    return HTTPResponse(body, content_type="application/json;charset=utf-8")


async def _aside(work: Callable[..., T], *given: Any) -> T:
    """In a thread: a database or a slow hash must not hold up others."""
    return await asyncio.get_running_loop().run_in_executor(None, work, *given)
