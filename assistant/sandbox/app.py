"""The HTTP server: routes, pages, and the faults laid over the FDX answers."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from sanic import HTTPResponse, Request, Sanic
from sanic.response import redirect, text

from assistant.sandbox.admin import Admin
from assistant.sandbox.answers import Answer, FdxError, OAuthError, invalid_input
from assistant.sandbox.call import Call
from assistant.sandbox.calls import CallLog
from assistant.sandbox.faults import WIRE, FaultBook, refusal, spoil
from assistant.sandbox.fdx import FdxApi, is_uuid
from assistant.sandbox.ledger import Bank
from assistant.sandbox.notices import Notifier, Signer
from assistant.sandbox.oauth import BadClient, OAuth, SendBack
from assistant.sandbox.paging import PageKeys
from assistant.sandbox.state import State
from assistant.sandbox.till import Till
from assistant.sandbox.time import SandboxClock

_PAGES = Path(__file__).parent / "pages"
_COOKIE = "sandbox_sign_in"
_SHARING = {
    "ACCOUNT_BASIC": "account names and types",
    "ACCOUNT_DETAILED": "balances, limits and payment dates",
    "TRANSACTIONS": "transactions of the last 24 months",
    "CUSTOMER_PERSONAL": "your name",
    "CARD_CONTROLS": "your cards, and locking or unlocking one when you say so",
    "DISPUTES": "your disputes, and filing or withdrawing one when you say so",
}
_LOOPING = "AGAIN"
#: Seconds between two looks for what is to be notified.
_NOTIFY_EVERY = 0.25


@dataclass(frozen=True, slots=True)
class Config:
    """``issuer`` is the address customers and clients use, without a slash at the end."""

    issuer: str
    seed: int = 7
    state: Path | None = None
    admin_key: str = ""
    fdx: int = 6


def create_app(config: Config) -> Sanic:
    app = Sanic(f"sandbox_{uuid.uuid4().hex}", configure_logging=False)
    app.config.FALLBACK_ERROR_FORMAT = "json"
    app.config.MOTD = False
    app.config.RESPONSE_TIMEOUT = 180  # longer than the longest latency fault
    app.config.REQUEST_MAX_SIZE = 1_000_000
    server = _Server(config)
    app.add_route(server.home, "/", methods=["GET"])
    app.add_route(server.stylesheet, "/assets/bank.css", methods=["GET"])
    app.add_route(server.metadata, "/.well-known/oauth-authorization-server", methods=["GET"])
    app.add_route(server.keys, "/.well-known/jwks.json", methods=["GET"])
    app.add_route(server.authorize, "/oauth/authorize", methods=["GET"])
    app.add_route(server.sign_in, "/oauth/login", methods=["POST"])
    app.add_route(server.consent_page, "/oauth/consent", methods=["GET"])
    app.add_route(server.decide, "/oauth/consent", methods=["POST"], name="decide")
    for name in ("par", "token", "revoke"):
        app.add_route(server.oauth_call, f"/oauth/{name}", methods=["POST"], name=f"oauth_{name}")
    app.add_route(server.fdx, "/fdx/<rest:path>", methods=["GET", "PUT", "POST", "DELETE"])
    app.add_route(server.admin, "/_sandbox/<rest:path>", methods=["GET", "POST", "DELETE"])
    app.register_listener(server.begin, "after_server_start")
    app.register_listener(server.end, "before_server_stop")
    return app


class _Server:
    def __init__(self, config: Config) -> None:
        self._config = config
        self._clock = SandboxClock()
        self._bank = Bank(config.seed)
        self._faults = FaultBook()
        self._calls = CallLog()
        state = State(config.state)
        self._oauth = OAuth(state, self._clock, config.issuer)
        self._fdx = FdxApi(self._bank, state, self._clock, PageKeys(f"pages/{config.seed}".encode()))
        till = Till(state.records, self._clock)
        self._bank.besides.append(lambda person, _: till.entries(person))
        self._signer = Signer(state.records)
        self._notifier = Notifier(self._bank, state, self._clock, self._signer)
        self._admin = Admin(config.admin_key, self._faults, self._clock, self._calls, self._bank, till)
        self._templates = Environment(loader=FileSystemLoader(_PAGES), autoescape=True, undefined=StrictUndefined)
        self._css = (_PAGES / "bank.css").read_text(encoding="utf-8")

    # Data

    async def fdx(self, request: Request, rest: str) -> HTTPResponse | None:
        query = {name: request.args.get(name) for name in request.args}
        self._calls.add(request.method, request.path, query)
        version = int(found[1]) if (found := re.match(r"v([456])/", rest)) else 6
        faults = self._faults.matching(request.path)
        answer: Answer | None = None
        for fault in faults:
            if fault.kind == "latency":
                self._faults.spend(fault)
                await asyncio.sleep(fault.seconds)
            elif answer is None and (error := refusal(fault, version)) is not None:
                self._faults.spend(fault)
                answer = error.answer()
        if any(fault.kind == "loop_cursor" for fault in faults) and _LOOPING in query.values():
            query = {name: value for name, value in query.items() if value != _LOOPING}
        try:
            if answer is None:
                call = Call(request.method, request.path, query, _headers(request), _json(request))
                answer = self._fdx.handle(call)
        except FdxError as error:
            answer = error.answer()
        for fault in faults:
            if (spoiled := spoil(fault, answer, request.path)) is not None:
                self._faults.spend(fault)
                answer = spoiled
        sent = _headers(request)
        given = sent.get("x-fapi-interaction-id") or sent.get("fdx-interactionid") or ""
        # A refused call still gets an id, so that it can be found in the bank's log.
        echoed = given if is_uuid(given) else str(uuid.uuid4())
        headers = {**answer.headers, "x-fapi-interaction-id": echoed, "Cache-Control": "no-store"}
        if version == 4:
            headers["FDX-InteractionId"] = echoed
        wire = next((fault for fault in faults if fault.kind in WIRE), None)
        if wire is not None and answer.body is not None:
            self._faults.spend(wire)
            return await self._broken(request, wire.kind, answer, headers)
        return _send(answer, headers)

    async def _broken(
        self, request: Request, kind: str, answer: Answer, headers: Mapping[str, str]
    ) -> HTTPResponse | None:
        """JSON that stops half way: sent whole ("malformed_json"), or with the connection cut under it ("cut")."""
        whole = json.dumps(answer.body)
        half = whole[: max(1, len(whole) // 2)]
        if kind == "malformed_json":
            return text(half, answer.status, dict(headers), "application/json")
        # Chunked, and closed before the chunk that says "the end".
        response = await request.respond(status=answer.status, headers=dict(headers), content_type="application/json")
        await response.send(half)
        cast(asyncio.Transport, request.transport).close()
        return None

    async def admin(self, request: Request, rest: str) -> HTTPResponse:
        key = request.headers.get("x-sandbox-key", "")
        try:
            body = _json(request)
        except FdxError:
            return _send(Answer({"message": "A JSON object is expected"}, 400), {})
        return _send(self._admin.handle(request.method, request.path, key, body), {})

    async def begin(self, *_: object) -> None:
        self._notifying = asyncio.create_task(self.notify())

    async def end(self, *_: object) -> None:
        self._notifying.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._notifying

    async def notify(self) -> None:
        """For as long as the bank runs."""
        while True:
            await asyncio.sleep(_NOTIFY_EVERY)
            self._notifier.look()
            # Its database is this thread's, so only the waiting for subscribers happens in another.
            for delivery in self._notifier.due():
                taken = await asyncio.to_thread(self._notifier.deliver, delivery)
                self._notifier.tried(delivery, taken)

    # OAuth

    async def keys(self, request: Request) -> HTTPResponse:
        return _send(self._signer.keys(), {})

    async def metadata(self, request: Request) -> HTTPResponse:
        return _send(self._oauth.metadata(), {})

    async def oauth_call(self, request: Request) -> HTTPResponse:
        self._calls.add(request.method, request.path, {})
        for fault in self._faults.matching(request.path):
            if fault.kind == "latency":
                self._faults.spend(fault)
                await asyncio.sleep(fault.seconds)
            elif (error := refusal(fault)) is not None:
                self._faults.spend(fault)
                return _send(error.answer(), {})
        form = _form(request)
        handlers = {"par": self._oauth.push, "token": self._oauth.token, "revoke": self._oauth.revoke}
        try:
            return _send(handlers[request.path.rsplit("/", 1)[1]](form), {})
        except OAuthError as refused:
            return _send(refused.answer(), {})

    # Pages

    async def home(self, request: Request) -> HTTPResponse:
        return text(
            "Tellerline sandbox bank. For development; no real money.\n"
            f"FDX: {self._config.issuer}/fdx/v{self._config.fdx}\n"
            f"OAuth: {self._config.issuer}/.well-known/oauth-authorization-server\n"
        )

    async def stylesheet(self, request: Request) -> HTTPResponse:
        return text(self._css, content_type="text/css; charset=utf-8")

    async def authorize(self, request: Request) -> HTTPResponse:
        query = {name: request.args.get(name) for name in request.args}
        try:
            key = self._oauth.begin(query)
        except SendBack as back:
            return _redirect(back.url)
        except BadClient as error:
            return self._problem(error)
        response = self._login_page(key)
        response.cookies[_COOKIE] = key
        cookie = response.cookies[_COOKIE]
        cookie["path"], cookie["httponly"], cookie["samesite"] = "/oauth", True, "Lax"
        if self._config.issuer.startswith("https:"):
            cookie["secure"] = True
        return response

    def _login_page(self, key: str, *, wrong: bool = False) -> HTTPResponse:
        found = self._oauth.interaction(key)
        values = {"client": found.client.name, "csrf": found.csrf, "wrong": wrong}
        return self._page("login.html", values, status=401 if wrong else 200)

    async def sign_in(self, request: Request) -> HTTPResponse:
        form, key = _form(request), request.cookies.get(_COOKIE, "")
        try:
            right = self._oauth.sign_in(
                key, form.get("csrf", ""), form.get("login", "").strip().lower(), form.get("password", "")
            )
            return _redirect("/oauth/consent") if right else self._login_page(key, wrong=True)
        except BadClient as error:
            return self._problem(error)

    async def consent_page(self, request: Request) -> HTTPResponse:
        try:
            found = self._oauth.interaction(request.cookies.get(_COOKIE, ""))
            if not found.login:
                raise BadClient("You haven't signed in")
        except BadClient as error:
            return self._problem(error)
        person = found.person
        values = {
            "client": found.client.name,
            "name": person.name.split()[0],
            "days": found.request["terms"]["durationPeriod"],
            "sharing": [_SHARING[cluster] for cluster in found.clusters],
            "csrf": found.csrf,
            "accounts": [
                {
                    "id": person.account_id(spec.key),
                    "label": spec.nickname or spec.product,
                    "detail": f"{spec.product} ending {spec.mask}" if spec.nickname else f"ending {spec.mask}",
                }
                for spec in person.accounts
            ],
        }
        back = urlsplit(found.request["redirect_uri"])
        return self._page("consent.html", values, form_target=f"{back.scheme}://{back.netloc}")

    async def decide(self, request: Request) -> HTTPResponse:
        form = _form(request)
        accounts = _fields(request).get("account", []) if form.get("decision") == "allow" else []
        try:
            return _redirect(self._oauth.decide(request.cookies.get(_COOKIE, ""), form.get("csrf", ""), accounts))
        except BadClient as error:
            return self._problem(error)

    def _problem(self, error: BadClient) -> HTTPResponse:
        return self._page("problem.html", {"reason": str(error)}, status=400)

    def _page(self, name: str, values: Mapping[str, Any], *, status: int = 200, form_target: str = "") -> HTTPResponse:
        # A form's redirect counts for form-action too, so the address she returns to is named.
        policy = f"default-src 'none'; style-src 'self'; form-action 'self' {form_target}; frame-ancestors 'none'"
        headers = {
            "Content-Security-Policy": policy.replace(" ;", ";") + "; base-uri 'none'",
            "Cache-Control": "no-store",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        return text(self._templates.get_template(name).render(values), status, headers, "text/html; charset=utf-8")


def _headers(request: Request) -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}


def _fields(request: Request) -> dict[str, list[str]]:
    """A urlencoded body's fields; none for a body of any other kind."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return {}
    return parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)


def _form(request: Request) -> dict[str, str]:
    return {name: values[0] for name, values in _fields(request).items()}


def _json(request: Request) -> Any:
    if not request.body:
        return None
    try:
        return json.loads(request.body)
    except ValueError as error:
        raise invalid_input("Malformed JSON") from error


def _redirect(url: str) -> HTTPResponse:
    return redirect(url, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}, status=303)


def _send(answer: Answer, headers: Mapping[str, str]) -> HTTPResponse:
    every = {**answer.headers, **headers}
    if answer.body is None:
        return HTTPResponse(status=answer.status, headers=every)
    body = json.dumps(answer.body, separators=(",", ":"), ensure_ascii=False)
    return HTTPResponse(body, answer.status, every, "application/json")
