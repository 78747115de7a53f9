"""The web page: a chat on the bank's own site. Messages come by POST, answers go by server-sent events.

In credentials.yml: ``assistant.channels.web.Web:``, with nothing to configure here; docs/web.md has the settings.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse

from assistant.banking.connector import CustomerProfile
from assistant.channels.base import AnswersLater, Raw
from assistant.channels.base import Refused as RawRefused
from assistant.channels.base import read as read_raw
from assistant.channels.event import Event, Kind
from assistant.channels.office import Hear
from assistant.channels.page_words import Words
from assistant.channels.sent import ARRIVED, Sent
from assistant.channels.web_desk import WebDesk
from assistant.channels.web_http import (
    MAX_AUDIO,
    MAX_JSON,
    PREFIX,
    Call,
    Gate,
    Refused,
    Result,
    guarded,
    load_files,
    secret_of,
)
from assistant.channels.web_limits import Limit, Rate
from assistant.channels.web_privacy import PrivacyDesk
from assistant.channels.web_streams import Streams, TooMany
from assistant.channels.web_view import view
from assistant.channels.web_voice import open_voice
from assistant.channels.web_words import WebWords
from assistant.customers.inbox import Correspondent
from assistant.customers.transcript import Erased
from assistant.customers.web_sessions import CHANNEL, Tickets, WebSession
from assistant.replies.said import Said, SaidChoice
from assistant.settings import Settings

logger = logging.getLogger(__name__)

START_SECONDS = 30.0
#: Requests that wait for the database at once.
WORKERS = 16
#: What one session may do, and how many sessions one peer may begin. A proxy in front is one peer.
MESSAGES = Rate(burst=15, per_second=0.5)
STREAMS = Rate(burst=30, per_second=1.0)
BEGINS = Rate(burst=100, per_second=20.0)
CODES = Rate(burst=6, per_second=0.1)
RECORDINGS = Rate(burst=8, per_second=0.25)

Handler = Callable[[Call, WebSession], Awaitable[Result]]


class Web(AnswersLater):
    """The channel. Its office is shared with the other channels of the process."""

    max_body = MAX_JSON
    confirms_within = timedelta(0)

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self._gate = Gate(self.settings)
        self._files = load_files()
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="web")
        self._started = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._looking: asyncio.Task[None] | None = None
        self._messages, self._opens = Limit(MESSAGES), Limit(STREAMS)
        self._begins, self._codes = Limit(BEGINS), Limit(CODES)
        self._recordings = Limit(RECORDINGS)
        self._handlers: dict[tuple[str, str], Handler] = {
            ("POST", "message"): self._message,
            ("POST", "code"): self._code,
            ("POST", "sign-out"): self._sign_out,
            ("POST", "speech"): self._hear,
            ("GET", "privacy/data"): self._privacy_data,
            ("POST", "privacy/switch"): self._privacy_change,
            ("POST", "privacy/disconnect"): self._privacy_change,
            ("POST", "privacy/export"): self._privacy_change,
            ("POST", "privacy/erase"): self._privacy_change,
        }

    @classmethod
    def name(cls) -> str:
        return CHANNEL

    def url_prefix(self) -> str:
        return PREFIX

    # The channel's contract

    async def verify(self, raw: Raw) -> None:
        """There is no platform to prove itself: every request is judged by its session (``_serve_page``)."""
        raise RawRefused(404, "no webhook")

    def events(self, raw: Raw) -> list[Event]:
        return []

    async def special(self, event: Event, who: Correspondent) -> Sequence[Said] | None:
        """Before her turn begins, what she said is shown in every tab."""
        if event.kind not in (Kind.TEXT, Kind.CHOICE):
            return None
        text = event.text
        if event.kind is Kind.CHOICE:
            pressed = self.office.buttons.pressed(who.conversation_id, event.text)
            text = pressed.text if pressed else event.shown
        key = str(event.extra["key"])
        self._desk.transcript.add(who.conversation_id, key, {"kind": "me", "key": key, "text": text}, begins=True)
        self._wake(who.conversation_id)
        return None

    def render(self, said: Sequence[Said], event: Event, who: Correspondent) -> list[dict[str, Any]]:
        """``to`` is what it answers: gone from the transcript, the conversation was erased since."""
        press = partial(self._press, who.conversation_id)
        to = event.extra.get("key", "")
        return [{**view(one, press), **({"to": to} if to else {})} for one in said]

    async def send(self, answer: Mapping[str, Any], who: Correspondent, number: int) -> Sent:
        what = {name: value for name, value in answer.items() if name != "to"}
        to = answer.get("to")
        try:
            if to and not self._desk.transcript.has(who.conversation_id, to):
                raise Erased
            self._desk.transcript.add(who.conversation_id, f"answer {number}", what, begins=not to)
            self._wake(who.conversation_id)
        except Erased:
            # She had everything erased. The last word is for her eyes, and is written down nowhere.
            self._on_loop(self._streams.say, who.conversation_id, what)
        return ARRIVED

    def _press(self, conversation_id: str, choice: SaidChoice) -> str:
        return self.office.buttons.token(conversation_id, choice)

    def _wake(self, conversation_id: str) -> None:
        self._on_loop(self._streams.wake, conversation_id)

    def _on_loop(self, act: Callable[..., None], *arguments: Any) -> None:
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # closing: the transcript has it
                self._loop.call_soon_threadsafe(act, *arguments)

    # Serving

    def blueprint(self, on_new_message: Hear) -> Blueprint:
        channel = self
        routes = Blueprint("tellerline_web")

        async def serve(request: Request, rest: str = "") -> HTTPResponse | None:  # Sanic sets attributes on it
            return await channel._serve_page(request, rest)

        async def begin(_app: Any, loop: asyncio.AbstractEventLoop) -> None:
            await loop.run_in_executor(channel._pool, channel._open, on_new_message)
            channel._streams = Streams(channel._desk.transcript, channel._in_thread, channel._desk.sessions.over)
            channel._looking = loop.create_task(channel._streams.look_around())
            channel._loop = loop
            channel._started.set()

        async def end(_app: Any, loop: asyncio.AbstractEventLoop) -> None:
            if channel._looking:
                channel._looking.cancel()
            await loop.run_in_executor(None, channel.office.close, channel)
            channel._pool.shutdown(wait=False, cancel_futures=True)

        methods = ["GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]
        routes.add_route(serve, "/", methods=methods, stream=True, name="page")
        routes.add_route(serve, "/<rest:path>", methods=methods, stream=True, name="rest")
        routes.listener("after_server_start")(begin)
        routes.listener("before_server_stop")(end)
        return routes

    def _open(self, on_new_message: Hear) -> None:
        settings = self.settings
        profile = CustomerProfile(settings.time_zone, settings.locale)
        self._words = WebWords(self.office.words, profile)
        self._pages = Words(self.office.words.wording, profile)
        self._voice = open_voice()
        tickets = Tickets.load(settings.web_keys)
        self._desk = WebDesk(self.office.customers, self._words, tickets, voice=self._voice is not None)
        self._privacy = PrivacyDesk(self.office.customers, self._words)
        self.office.open(self, on_new_message)

    async def _in_thread(self, act: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._pool, act, *arguments)

    async def _serve_page(self, request: Request, rest: str) -> HTTPResponse | None:
        origin = ""
        try:
            await self._wait_until_started()
            raw = await read_raw(request, MAX_AUDIO if rest == "speech" else MAX_JSON)
            if raw.method == "GET" and (shown := self._shown(rest, raw)) is not None:
                return self._response(shown)
            if raw.method == "OPTIONS":
                return HTTPResponse(status=204, headers=self._gate.preflight(raw.headers.get("origin", "")))
            origin = self._gate.check(raw.method, raw.headers)
            call = self._call(raw, rest, origin, request)
            if call.path == ("stream",) and call.method == "GET":
                return await self._stream(request, call)
            return self._response(await self._answer(call), origin)
        except RawRefused as refused:
            return self._refusal(Refused(refused.status, "body"), origin)
        except Refused as refused:
            return self._refusal(refused, origin)
        except Exception as error:
            where = "".join(traceback.format_tb(error.__traceback__))
            logger.error("The web page was not answered: %s\n%s", type(error).__name__, where)
            return self._refusal(Refused(500, "ours"), origin)

    async def _wait_until_started(self) -> None:
        """Sanic takes requests a moment before the channel is open; a page that is early waits."""
        try:
            await asyncio.wait_for(self._started.wait(), START_SECONDS)
        except asyncio.TimeoutError:
            raise Refused(503, "starting", retry_after=5) from None

    def _call(self, raw: Raw, rest: str, origin: str, request: Request) -> Call:
        cookie = request.cookies.get(self._gate.cookie) or ""
        return Call(
            raw.method,
            tuple(rest.split("/")),
            raw.body,
            secret_of(cookie, raw.headers.get("authorization", "")),
            origin,
            raw.headers.get("last-event-id", ""),
            request.ip,
        )

    def _shown(self, rest: str, raw: Raw) -> Result | None:
        """Files and pages: the same for everybody, so anybody may have them."""
        if rest in self._files:
            return self._files[rest].answer(
                raw.headers.get("accept-encoding", ""), raw.headers.get("if-none-match", "")
            )
        if rest in ("", "privacy"):
            body = self._pages.page("chat.html", view=rest)
            return Result(body, content_type="text/html; charset=utf-8", headers=guarded())
        return None

    async def _answer(self, call: Call) -> Result:
        if call.path == ("session",) and call.method == "POST":
            self._limit(self._begins, call.peer)
            result: Result = await self._in_thread(self._desk.start, call)
            return result
        handler = self._handlers.get((call.method, "/".join(call.path)))
        if call.method == "GET" and call.path[0] == "speech" and len(call.path) == 2:
            handler = self._speak
        if handler is None:
            raise Refused(404, "path")
        session: WebSession = await self._in_thread(self._desk.session, call.secret)
        return await handler(call, session)

    async def _message(self, call: Call, session: WebSession) -> Result:
        self._limit(self._messages, session.key)
        event = await self._in_thread(self._desk.message, session, call)
        await self.office.accept(self, [event])
        return Result()

    async def _code(self, call: Call, session: WebSession) -> Result:
        self._limit(self._codes, session.key)
        result: Result
        result, returned = await self._in_thread(self._desk.code, session, call)
        if returned is not None:
            await self.office.accept(self, [returned])
        return result

    async def _sign_out(self, _call: Call, session: WebSession) -> Result:
        result: Result = await self._in_thread(self._desk.sign_out, session)
        self._streams.end_session(session.key, "left")
        return result

    async def _privacy_data(self, _call: Call, session: WebSession) -> Result:
        return Result.of(await self._in_thread(self._privacy.overview, session))

    async def _privacy_change(self, call: Call, session: WebSession) -> Result:
        self._limit(self._messages, session.key)
        asked = call.json()
        self._desk.sessions.used(session)
        act: Callable[[], dict[str, Any]] = {
            "switch": partial(self._privacy.switch, session, asked),
            "disconnect": partial(self._privacy.disconnect, session, asked),
            "export": partial(self._privacy.export, session),
            "erase": partial(self._privacy.erase, session),
        }[call.path[1]]
        return Result.of(await self._in_thread(act))

    async def _hear(self, call: Call, session: WebSession) -> Result:
        """A recording in, its words out. The page sends them as a message, so she sees what was understood."""
        self._limit(self._recordings, session.key)
        if self._voice is None:
            raise Refused(404, "voice")
        self._desk.sessions.used(session)
        return Result.of({"text": await self._in_thread(self._voice.hear, call.body)})

    async def _speak(self, call: Call, session: WebSession) -> Result:
        """An answer of this conversation, aloud."""
        self._limit(self._recordings, session.key)
        number = call.path[1]
        shown = None
        if self._voice is not None and number.isascii() and number.isdigit() and len(number) < 16:
            shown = await self._in_thread(self._desk.transcript.one, session.conversation_id, int(number))
        if self._voice is None or shown is None or not shown.what.get("speech"):
            raise Refused(404, "speech")
        wav = await self._in_thread(self._voice.speak, str(shown.what["speech"]))
        return Result(wav, content_type="audio/wav")

    async def _stream(self, request: Request, call: Call) -> HTTPResponse | None:
        session: WebSession = await self._in_thread(self._desk.session, call.secret)
        self._limit(self._opens, session.key)
        last = int(call.last_event) if call.last_event.isascii() and call.last_event.isdigit() else 0
        try:
            stream = self._streams.open(session.key, session.conversation_id, last)
        except TooMany:
            raise Refused(503, "streams", retry_after=10) from None
        try:
            headers = {**guarded(), **self._gate.shared(call.origin), "X-Accel-Buffering": "no"}
            response = await request.respond(headers=headers, content_type="text/event-stream; charset=utf-8")
            async for block in self._streams.events(stream):
                await response.send(block)
            await response.eof()
        finally:
            self._streams.close(stream)
        return None

    @staticmethod
    def _limit(limit: Limit, key: str) -> None:
        if not limit.allows(key):
            raise Refused(429, "often", retry_after=limit.wait(key))

    def _refusal(self, refused: Refused, origin: str) -> HTTPResponse:
        if refused.status not in (401, 404):
            logger.info("The web page was refused: %d %s", refused.status, refused.word)
        headers = {"Retry-After": str(refused.retry_after)} if refused.retry_after else {}
        what = {"refused": refused.word, "text": refused.text}
        return self._response(Result.of(what, refused.status, headers=headers), origin)

    def _response(self, result: Result, origin: str = "") -> HTTPResponse:
        headers = dict(result.headers)
        if "Cache-Control" not in headers:
            headers = {**guarded(), **headers, **self._gate.shared(origin)}
        response = HTTPResponse(result.body, result.status, headers, result.content_type)
        if result.secret is not None:
            response.cookies[self._gate.cookie] = result.secret
            cookie = response.cookies[self._gate.cookie]
            cookie["path"], cookie["httponly"], cookie["samesite"] = "/", True, "Strict"
            if self._gate.secure:
                cookie["secure"] = True
            if not result.secret:
                cookie["max-age"] = 0
        return response
