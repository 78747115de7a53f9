"""Messenger, for tests: Meta's Graph API and webhook as the documents say, on a real socket.

It takes what the Send API takes (graph_rules.py) and refuses the rest with Meta's codes; it signs what it delivers,
batches it, delivers again what is not answered with 200 in time, and echoes what was sent. Made from the documents;
what it was asked is all in ``calls``, what people were shown in ``shown``.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import aiohttp
from aiohttp import web
from support.graph_rules import MESSAGING_TYPES, TAGS, Refused, check_message, need

PAGE = "101010101010101"
APP = "202020202020202"
TOKEN = "EAAtest-page-token-that-must-be-in-no-url"
SECRET = "app-secret-of-the-tests"
VERIFY = "verify-token-of-the-tests"
#: Seconds after which Meta gives up waiting for a webhook's answer.
PATIENCE = 20.0
DAY = 24 * 3600.0

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One call of the Graph API. ``started`` and ``ended`` are of the monotonic clock."""

    method: str
    path: str
    query: str = field(repr=False)
    body: Json
    status: int
    started: float
    ended: float


@dataclass(frozen=True)
class Shown:
    """One message that a person can see. ``at`` is of the monotonic clock."""

    psid: str
    message: Json
    mid: str
    at: float
    body: Json

    @property
    def text(self) -> str:
        payload = self.message.get("attachment", {}).get("payload", {})
        return str(self.message.get("text") or payload.get("text") or "")

    @property
    def offers(self) -> dict[str, str]:
        """Payload by title of every quick reply and postback button."""
        payload = self.message.get("attachment", {}).get("payload", {})
        buttons = [*payload.get("buttons", ())]
        for element in payload.get("elements", ()):
            buttons += element.get("buttons", ())
        replies = [*self.message.get("quick_replies", ()), *buttons]
        return {one["title"]: one["payload"] for one in replies if "payload" in one}

    @property
    def links(self) -> list[str]:
        payload = self.message.get("attachment", {}).get("payload", {})
        return [one["url"] for one in payload.get("buttons", ()) if "url" in one]


@dataclass(frozen=True)
class Ack:
    """One try at a delivery. ``status`` 0: no answer in time."""

    status: int
    seconds: float
    events: int


class GraphServer:
    """``webhook`` is where events go (set it once it is known). Use as a context manager.

    ``latency`` seconds pass in every call; calls about people in ``hanging`` are never answered. ``refusals`` are
    answered first, in order, to Send API calls: (code, subcode). ``now`` is Messenger's clock, for its windows.
    """

    def __init__(
        self,
        *,
        webhook: str = "",
        latency: float = 0.0,
        patience: float = PATIENCE,
        pause: float = 0.2,
        echoes: bool = True,
        retries: int = 50,
    ) -> None:
        self.webhook = webhook
        self.latency = latency
        self.patience = patience
        self.pause = pause
        self.echoes = echoes
        self.retries = retries
        self.now: Callable[[], float] = time.time
        self.calls: list[Call] = []
        self.shown: list[Shown] = []
        self.acks: list[Ack] = []
        self.undelivered: list[list[Json]] = []
        self.uploads: dict[str, bytes] = {}
        self.hanging: set[str] = set()
        self.blocked: set[str] = set()
        self.refusals: list[tuple[int, int]] = []
        self.lost_answers = 0  # so many sends take effect but their answer is lost
        self.profile: Json = {}
        self.subscribed: dict[str, list[str]] = {}
        self.templates: list[Json] = []
        self.personas: dict[str, str] = {}
        self.typing: list[tuple[str, str, float]] = []
        self.linked: dict[str, str] = {}
        self.app_users: dict[str, str] = {}  # page-scoped id by app-scoped id
        self.last_written: dict[str, float] = {}
        self._linking: dict[str, str] = {}
        self._numbers = count(1)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._up = threading.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> GraphServer:
        self._thread.start()
        assert self._up.wait(30)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    # What people do. Each returns once Messenger has the event; deliveries go on by themselves.

    def writes(self, psid: str, text: str, **more: Any) -> str:
        """Returns the message's id."""
        event = self.message(psid, {"text": text, **more})
        self.deliver(event)
        return str(event["message"]["mid"])

    def taps(self, shown: Shown, title: str) -> None:
        """A quick reply or a postback button of a message that was shown."""
        payload = shown.offers[title]
        if any(one.get("title") == title for one in shown.message.get("quick_replies", ())):
            self.deliver(self.message(shown.psid, {"text": title, "quick_reply": {"payload": payload}}))
        else:
            self.deliver(self.postback(shown.psid, title, payload))

    def message(self, psid: str, message: Json) -> Json:
        self.last_written[psid] = self.now()
        return {**self._head(psid), "message": {"mid": f"m_{next(self._numbers)}", **message}}

    def postback(self, psid: str, title: str, payload: str | None) -> Json:
        self.last_written[psid] = self.now()
        body = {"mid": f"m_{next(self._numbers)}", "title": title}
        return {**self._head(psid), "postback": body if payload is None else {**body, "payload": payload}}

    def event(self, psid: str, **what: Any) -> Json:
        """Anything else a person does: a referral, an account linked, ..."""
        self.last_written[psid] = self.now()
        return {**self._head(psid), **what}

    def _head(self, psid: str) -> Json:
        return {"sender": {"id": psid}, "recipient": {"id": PAGE}, "timestamp": int(self.now() * 1000)}

    def deliver(self, *events: Json, field: str = "messaging") -> None:
        """In one POST, in this order; again until it is answered with 200 within ``patience``."""
        body = {"object": "page", "entry": [{"id": PAGE, "time": int(self.now() * 1000), field: list(events)}]}
        self.deliver_raw(json.dumps(body).encode(), len(events))

    def deliver_raw(self, raw: bytes, events: int = 1, *, secret: str = SECRET) -> None:
        self._soon(self._deliver(raw, events, secret))

    # Account linking: what the phone's browser and Messenger do between them

    def opens_login(self, psid: str, url: str) -> str:
        """The address that an account_link button leads to, with what Messenger adds to it."""
        token = f"ALT{next(self._numbers)}"
        self._linking[token] = psid
        back = f"{self.url}/messenger_platform/account_linking/?account_linking_token={token}"
        glue = "&" if urlsplit(url).query else "?"
        return f"{url}{glue}{urlencode({'redirect_uri': back, 'account_linking_token': token})}"

    # Waiting

    def wait(self, holds: Callable[[], Any], seconds: float = 30.0) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {seconds} s; shown: {self.shown[-5:]}; acks: {self.acks[-5:]}")
            time.sleep(0.01)

    def to(self, psid: str) -> list[Shown]:
        return [one for one in list(self.shown) if one.psid == psid]

    def answer(self, psid: str, text: str, seconds: float = 30.0) -> list[Shown]:
        """Write, and wait until the answer has come and nothing more for a moment."""
        before = len(self.to(psid))
        self.writes(psid, text)
        return self.settled(psid, before, seconds)

    def settled(self, psid: str, before: int, seconds: float = 30.0, quiet: float = 0.5) -> list[Shown]:
        """What this person was shown beyond the first ``before`` messages, once nothing more comes."""
        self.wait(lambda: len(self.to(psid)) > before, seconds)
        self.wait(lambda: time.monotonic() - self.to(psid)[-1].at > quiet + self.latency, seconds)
        return self.to(psid)[before:]

    # The server

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._start())
        self._up.set()
        self._loop.run_forever()

    async def _start(self) -> None:
        app = web.Application(client_max_size=30_000_000)
        app.router.add_route("*", "/messenger_platform/account_linking/", self._linking_came_back)
        app.router.add_route("*", "/{version}/{path:.+}", self._graph)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, backlog=2048)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self._client = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))

    async def _stop(self) -> None:
        await self._client.close()
        await self._runner.cleanup()
        left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _soon(self, work: Coroutine[Any, Any, Any]) -> None:
        def start() -> None:
            task = self._loop.create_task(work)
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        self._loop.call_soon_threadsafe(start)

    async def _deliver(self, raw: bytes, events: int, secret: str) -> None:
        signature = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "X-Hub-Signature-256": f"sha256={signature}"}
        for attempt in range(self.retries):
            started = time.monotonic()
            status = 0
            try:
                timeout = aiohttp.ClientTimeout(total=self.patience)
                async with self._client.post(self.webhook, data=raw, headers=headers, timeout=timeout) as response:
                    await response.read()
                    status = response.status
            except (aiohttp.ClientError, asyncio.TimeoutError, OSError):
                pass
            self.acks.append(Ack(status, time.monotonic() - started, events))
            if status == 200:
                return
            await asyncio.sleep(min(self.pause * 2**attempt, 2.0))
        self.undelivered.append(json.loads(raw))

    async def _graph(self, request: web.Request) -> web.StreamResponse:
        started = time.monotonic()
        body: Json = {}
        try:
            body = await self._body(request)
            self._known(request, body)
            if self.latency:
                await asyncio.sleep(self.latency)
            answer = await self._answer(request.method, request.match_info["path"], body, request.query)
            status = 200
        except Refused as refused:
            answer = {
                "error": {
                    "message": refused.why,
                    "type": "OAuthException",
                    "code": refused.code,
                    "error_subcode": refused.subcode,
                    "fbtrace_id": "Atrace",
                }
            }
            status = refused.status
        path = request.match_info["path"]
        self.calls.append(Call(request.method, path, request.query_string, body, status, started, time.monotonic()))
        if self.lost_answers and path == "me/messages" and "message" in body and status == 200:
            self.lost_answers -= 1
            assert request.transport is not None
            request.transport.abort()
        return web.json_response(answer, status=status)

    async def _body(self, request: web.Request) -> Json:
        if request.content_type == "multipart/form-data":
            return dict(await request.post())
        raw = await request.read()
        return json.loads(raw) if raw else {}

    def _known(self, request: web.Request, body: Json) -> None:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}" or "access_token" in request.query:
            raise Refused("Invalid OAuth access token.", 190, status=400)
        proof = hmac.new(SECRET.encode(), TOKEN.encode(), hashlib.sha256).hexdigest()
        need(proof in (body.get("appsecret_proof"), request.query.get("appsecret_proof")), "Invalid appsecret_proof")
        need(request.match_info["version"] == "v26.0", "Unsupported version")

    async def _answer(self, method: str, path: str, body: Json, query: Any) -> Json:
        node, _, edge = path.partition("/")
        if edge == "ids_for_pages":
            need(node in self.app_users, "Unsupported get request")
            return {"data": [{"id": self.app_users[node], "page": {"id": PAGE, "name": "Test Bank"}}]}
        if path == "app":
            return {"id": APP}
        if node not in ("me", PAGE):
            raise Refused("Unsupported request", 100, 33)
        if edge == "messages":
            return await self._send(body)
        if edge == "message_attachments":
            return self._upload(body)
        if edge == "messenger_profile":
            return self._messenger_profile(method, body, query)
        if edge == "subscribed_apps":
            if method == "POST":
                self.subscribed[APP] = body["subscribed_fields"].split(",")
                return {"success": True}
            return {"data": [{"id": app, "subscribed_fields": fields} for app, fields in self.subscribed.items()]}
        if edge == "message_templates":
            if method == "POST":
                self.templates.append({**body, "status": "APPROVED"})
                return {"id": str(next(self._numbers)), "status": "APPROVED", "category": "UTILITY"}
            return {"data": self.templates}
        if edge == "personas":
            if method == "POST":
                need(0 < len(body.get("name", "")) <= 50, "persona name: 50 characters")
                self.personas[str(next(self._numbers))] = body["name"]
            rows = [{"id": number, "name": name} for number, name in self.personas.items()]
            return rows[-1] if method == "POST" else {"data": rows}
        if edge == "unlink_accounts":
            self.linked.pop(body["psid"], None)
            return {"result": "unlink account success"}
        if not edge and query.get("account_linking_token"):
            psid = self._linking.get(query["account_linking_token"])
            need(psid is not None, "Invalid account linking token")
            return {"id": PAGE, "recipient": psid}
        if not edge:
            return {"id": PAGE, "name": "Test Bank"}
        raise Refused("Unsupported request", 100, 33)

    async def _send(self, body: Json) -> Json:
        psid = body.get("recipient", {}).get("id")
        need(isinstance(psid, str) and bool(psid), "recipient")
        if psid in self.hanging:
            await asyncio.sleep(3600)
        if psid in self.blocked:
            raise Refused("This person isn't available right now.", 551, 1545041)
        if "sender_action" in body:
            need(body["sender_action"] in ("typing_on", "typing_off", "mark_seen"), "sender_action")
            self.typing.append((psid, body["sender_action"], time.monotonic()))
            return {"recipient_id": psid}
        if self.refusals:
            code, subcode = self.refusals.pop(0)
            raise Refused("as the test wants it", code, subcode)
        self._may_send(psid, body)
        check_message(body.get("message"), self.uploads)
        mid = f"m_out{next(self._numbers)}"
        shown = Shown(psid, body["message"], mid, time.monotonic(), body)
        self.shown.append(shown)
        if self.echoes and self.webhook:
            echo = {"mid": mid, "is_echo": True, "app_id": int(APP), **body["message"]}
            self.deliver({
                "sender": {"id": PAGE}, "recipient": {"id": psid}, "timestamp": int(self.now() * 1000), "message": echo,
            })  # fmt: skip
        return {"recipient_id": psid, "message_id": mid}

    def _may_send(self, psid: str, body: Json) -> None:
        kind = body.get("messaging_type")
        need(kind in MESSAGING_TYPES, f"messaging_type {kind}")
        need((kind == "MESSAGE_TAG") == ("tag" in body), "tag")
        since = self.now() - self.last_written.get(psid, float("-inf"))
        if kind == "MESSAGE_TAG":
            need(body["tag"] in TAGS, "Invalid parameter: tag")
            allowed = since <= 7 * DAY
        elif kind == "UTILITY":
            names = {one["name"] for one in self.templates if one["status"] == "APPROVED"}
            template = body.get("message", {}).get("template", {})
            need(template.get("name") in names and "code" in template.get("language", {}), "no such template")
            allowed = True
        else:
            need("template" not in body.get("message", {}), "a template needs UTILITY")
            allowed = since <= DAY
        if not allowed:
            raise Refused("This message is sent outside of allowed window.", 10, 2018278)
        need("persona_id" not in body or body["persona_id"] in self.personas, "no such persona")

    def _upload(self, body: Json) -> Json:
        wanted = json.loads(body["message"])["attachment"]
        need(wanted["type"] == "image", "type")
        content = body["filedata"].file.read()
        need(content[:8] == b"\x89PNG\r\n\x1a\n" and len(content) <= 8_000_000, "a PNG of at most 8 MB")
        number = str(next(self._numbers))
        self.uploads[number] = content
        return {"attachment_id": number}

    def _messenger_profile(self, method: str, body: Json, query: Any) -> Json:
        fields = {name: value for name, value in body.items() if name not in ("appsecret_proof", "fields")}
        if method == "POST":
            need("persistent_menu" not in fields or "get_started" in {**self.profile, **fields},
                 "You must set a Get Started button if you also wish to use persistent menu")  # fmt: skip
            self.profile |= fields
            return {"result": "success"}
        if method == "DELETE":
            for name in body["fields"]:
                self.profile.pop(name, None)
            return {"result": "success"}
        asked = query["fields"].split(",")
        found = {name: value for name, value in self.profile.items() if name in asked}
        return {"data": [found] if found else []}

    async def _linking_came_back(self, request: web.Request) -> web.Response:
        """The browser has come back from the bank's login: without a code the person gave up."""
        psid = self._linking.pop(request.query.get("account_linking_token", ""), None)
        code = request.query.get("authorization_code")
        if psid is None:
            return web.Response(status=400)
        if code:
            self.linked[psid] = code
            head = {**self._head(psid), "account_linking": {"status": "linked", "authorization_code": code}}
            self.deliver(head)
        return web.Response(text="You can close this window.")


def tokens_in_urls(calls: Iterable[Call]) -> list[Call]:
    return [one for one in calls if TOKEN in one.query or "access_token" in parse_qs(one.query)]
