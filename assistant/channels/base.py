"""The contract of every channel: verify the raw bytes, make events of them, acknowledge or answer.

What is the same everywhere (repeats dropped, order kept, nothing lost with a process, text that is never a command)
is the office's business; a channel says how its platform proves itself, what its events mean, and how an answer
looks there. docs/adding-a-channel.md walks through one.
"""

from __future__ import annotations

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cached_property
from typing import Any

from rasa.core.channels.channel import InputChannel
from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse

from assistant.channels.event import Event
from assistant.channels.office import Hear, Office, Turned, open_office
from assistant.channels.sent import Sent
from assistant.customers.inbox import Correspondent
from assistant.replies.said import Said
from assistant.settings import Settings, load_settings

logger = logging.getLogger(__name__)

#: Bytes of the largest request a channel takes, unless it says otherwise.
MAX_BODY = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Raw:
    """A request as it came. ``headers`` by lower-case name; ``query`` without the question mark; ``path`` as asked."""

    method: str
    path: str
    query: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


class Refused(Exception):
    """A request that is not served. ``why`` is for the log; the caller learns the status alone."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


class Channel(InputChannel, ABC):  # type: ignore[misc]  # Rasa is read untyped
    """What both kinds share. A subclass is an AnswersLater or an AnswersNow."""

    #: The largest body, in bytes.
    max_body: int = MAX_BODY
    #: Whether answers are fetched by the channel (in a response) rather than sent.
    fetches: bool = False
    #: Whether answers stay readable for a while after they were sent (inbox.KEPT), to be shown once more.
    keeps: bool = False
    #: For how long an answer that may have arrived waits to be confirmed (Kind.DELIVERED) before it is sent again.
    confirms_within: timedelta = timedelta(0)

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or load_settings()

    @classmethod
    @abstractmethod
    def name(cls) -> str:
        """In the URL, in consents and in the ledger."""

    @cached_property
    def office(self) -> Office:
        return open_office(self.settings)

    # What a channel says of itself

    @abstractmethod
    async def verify(self, raw: Raw) -> None:
        """Raises Refused unless the platform itself sent this. Sees raw bytes; nothing has been parsed."""

    async def special(self, event: Event, who: Correspondent) -> Sequence[Said] | None:
        """An answer to an event that is not Rasa's business; None for what is."""
        return None

    def metadata(self, event: Event) -> Mapping[str, Any]:
        """What actions should know of this event besides its words. Nothing that grants anything."""
        return {}

    async def working(self, who: Correspondent) -> None:
        """Show that an answer is on its way. Called once, when a turn takes more than a second."""

    def render(self, said: Sequence[Said], event: Event, who: Correspondent) -> list[dict[str, Any]]:
        """The platform's own messages, within its limits, each to be sent by ``send``. Not asked of a channel that
        fetches its answers."""
        raise NotImplementedError(f"{self.name()} fetches its answers")

    async def send(self, answer: Mapping[str, Any], who: Correspondent, number: int) -> Sent:
        """Send one. ``number`` names it to the platform where that can confirm it. Raises when it is uncertain
        whether it arrived. Not asked of a channel that fetches its answers."""
        raise NotImplementedError(f"{self.name()} fetches its answers")

    # Rasa's side

    def blueprint(self, on_new_message: Hear) -> Blueprint:
        channel = self
        routes = Blueprint(f"tellerline_{self.name()}")

        async def webhook(request: Request) -> HTTPResponse:  # a function: Sanic sets attributes on it
            return await channel._serve(request)

        async def health(_: Request) -> HTTPResponse:
            return HTTPResponse('{"status":"ok"}', content_type="application/json")

        async def begin(_app: Any, _loop: Any) -> None:
            await asyncio.get_running_loop().run_in_executor(None, channel.office.open, channel, on_new_message)

        async def end(_app: Any, _loop: Any) -> None:
            await asyncio.get_running_loop().run_in_executor(None, channel.office.close, channel)

        routes.add_route(webhook, "/webhook", methods=["GET", "POST"], stream=True)
        routes.add_route(health, "/", methods=["GET"])
        # After the start, because Rasa loads its model before it.
        routes.listener("after_server_start")(begin)
        routes.listener("before_server_stop")(end)
        self.routes(routes)
        return routes

    def routes(self, routes: Blueprint) -> None:
        """More addresses below the channel's own."""

    async def _serve(self, request: Request) -> HTTPResponse:
        try:
            return await self.answer(await read(request, self.max_body))
        except Refused as refused:
            logger.warning("%s: a request was refused with %d: %s", self.name(), refused.status, refused.why)
            return HTTPResponse(status=refused.status)
        except Exception as error:
            # Its message could quote the customer. The platform is told to try again.
            logger.error("%s could not take a request: %s", self.name(), type(error).__name__)
            return HTTPResponse(status=503, headers={"Retry-After": "5"})

    @abstractmethod
    async def answer(self, raw: Raw) -> HTTPResponse:
        """Serve a request. Raises Refused."""


class AnswersLater(Channel):
    """Acknowledges at once and sends answers by itself: messengers."""

    async def answer(self, raw: Raw) -> HTTPResponse:
        if raw.method == "GET":
            return await self.get(raw)
        await self.verify(raw)
        events = self.events(raw)
        await self.office.accept(self, events)
        return self.acknowledgement()

    async def get(self, raw: Raw) -> HTTPResponse:
        """A GET of the webhook: the platform's way of asking whether it is ours."""
        raise Refused(405, "nothing to get")

    @abstractmethod
    def events(self, raw: Raw) -> list[Event]:
        """Everything in the body that is for us, in order. What is malformed is left out, the rest kept; raises
        Refused only when nothing can be read."""

    @abstractmethod
    def render(self, said: Sequence[Said], event: Event, who: Correspondent) -> list[dict[str, Any]]: ...

    @abstractmethod
    async def send(self, answer: Mapping[str, Any], who: Correspondent, number: int) -> Sent: ...

    def acknowledgement(self) -> HTTPResponse:
        return HTTPResponse(status=200)


class AnswersNow(Channel):
    """Answers in the response, within a deadline: voice platforms."""

    fetches = True
    #: Seconds until the response must be on its way.
    deadline: float = 5.0

    async def answer(self, raw: Raw) -> HTTPResponse:
        await self.verify(raw)
        event = self.event(raw)
        turned = await self.office.converse(self, event, self.deadline)
        return self.respond(turned, event, raw)

    @abstractmethod
    def event(self, raw: Raw) -> Event:
        """The one event in the body. Raises Refused for what cannot be read."""

    @abstractmethod
    def respond(self, turned: Turned, event: Event, raw: Raw) -> HTTPResponse:
        """The platform's response."""


async def read(request: Request, limit: int) -> Raw:
    """Raises Refused (413) as soon as the body is longer than ``limit`` bytes, without reading on."""
    stream: Any = request.stream
    body = b""
    async for chunk in stream:
        body += chunk
        if len(body) > limit:
            stream.keep_alive = False  # what is left of the body is not read
            raise Refused(413, "the body is too long")
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Raw(request.method, request.path, request.query_string, headers, body)
