"""Account linking for Alexa: an authorization server with nothing but what Alexa uses of OAuth 2.

The Alexa app opens ``/webhooks/alexa/authorize``, which leads to our page for linking a bank; she signs in there, at
her bank. ``/webhooks/alexa/linked`` then gives her browser back to Alexa with a code that works once, and Alexa's
servers change it for tokens at ``/webhooks/alexa/token`` (RFC 6749 section 4.1, with PKCE, RFC 7636, S256 only).

Tokens are sealed and say which link was made; they open nothing once that link's customer is gone.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import logging
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from html import escape
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode

from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse

from assistant.banking.errors import NotLinked
from assistant.banking.purpose import Purpose
from assistant.channels.addresses import ONWARD, page_url
from assistant.channels.base import Refused, read
from assistant.channels.page_exchange import Answer
from assistant.channels.words import ChannelWords
from assistant.customers.one_time import LinkKind, OneTimeLinks, OneTimeRefused, digest
from assistant.customers.service import Customers
from assistant.settings import Settings

logger = logging.getLogger(__name__)

CHANNEL = "alexa"
#: Below the public address.
PREFIX = ONWARD[CHANNEL].rpartition("/")[0]
ACCESS_LIFE, REFRESH_LIFE = timedelta(hours=1), timedelta(days=400)
#: From opening Alexa's page to coming back to it; from then until Alexa has asked for tokens.
_TRIP_LIFE, _CODE_LIFE = timedelta(minutes=20), timedelta(minutes=5)
_COOKIE = "tellerline-alexa"
_TRIP, _CODE, _ACCESS, _REFRESH = "alexa trip", "alexa code", "alexa access", "alexa refresh"
#: RFC 7636, sections 4.1 and 4.2.
_VERIFIER, _CHALLENGE = re.compile(r"[A-Za-z0-9._~-]{43,128}"), re.compile(r"[A-Za-z0-9_-]{43}")
_MAX_FORM, _MAX_FIELDS, _MAX_STATE = 16 * 1024, 20, 4096
_PURPOSES = (Purpose.BALANCES, Purpose.TRANSACTIONS, Purpose.INSIGHTS)


@dataclass(frozen=True, slots=True)
class LinkSettings:
    """What Alexa's console and credentials.yml agree on. ``bank`` is the id of the bank that is linked."""

    client_id: str
    client_secret: str = field(repr=False)
    redirects: tuple[str, ...] = ()
    bank: str = ""

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> LinkSettings | None:
        """None where nothing of it is set. Raises ValueError for a part of it."""
        names = ("client_id", "client_secret", "redirect_urls", "bank")
        if not any(given.get(name) for name in names):
            return None
        if missing := [name for name in names if not given.get(name)]:
            raise ValueError(f"credentials.yml: linking accounts from Alexa needs {', '.join(missing)} too")
        urls = given["redirect_urls"]
        redirects = tuple(map(str, urls if isinstance(urls, list) else [urls]))
        if any(not url.startswith("https://") for url in redirects):
            raise ValueError("credentials.yml: redirect_urls of alexa are https addresses")
        return cls(str(given["client_id"]), str(given["client_secret"]), redirects, str(given["bank"]))


class Declined(Exception):
    """A token that is not given: the ``error`` of RFC 6749, section 5.2."""

    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error = error
        self.status = status


class AccountLinking:
    """Synchronous: it waits for the database."""

    def __init__(
        self, customers: Customers, words: ChannelWords, settings: Settings, linking: LinkSettings | None
    ) -> None:
        self._customers = customers
        self._tokens = customers.tokens
        self._words = words
        self._settings = settings
        self._linking = linking
        self._one_time = OneTimeLinks(customers.storage.database)

    def person(self, access_token: str) -> str:
        """Whom an access token names; "" for one that is not ours or has ended."""
        return self._named(_ACCESS, access_token)

    # The browser

    def authorize(self, asked: Mapping[str, str]) -> HTTPResponse:
        """Off to the page for linking. Raises Refused; nobody is sent anywhere that was not agreed on before."""
        linking = self._agreed()
        redirect = asked.get("redirect_uri", "")
        if asked.get("client_id") != linking.client_id or redirect not in linking.redirects:
            raise Refused(400, "not the client or the address that was agreed on")
        challenge = asked.get("code_challenge", "")
        if asked.get("response_type") != "code" or not 0 < len(asked.get("state", "")) <= _MAX_STATE:
            raise Refused(400, "not an authorization request")
        if asked.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(challenge):
            raise Refused(400, "no PKCE: switch it on in the skill's account linking")
        person = f"link:{secrets.token_hex(16)}"
        conversation = self._customers.identities.conversation_id(CHANNEL, person)
        try:
            invitation = self._customers.linking.begin(CHANNEL, conversation, linking.bank, _PURPOSES)
        except NotLinked:
            raise Refused(500, "credentials.yml names a bank for alexa that is not known") from None
        trip = {"p": person, "r": redirect, "s": asked["state"], "c": challenge}
        response = _page(303, headers={"Location": page_url(self._settings, invitation.token)})
        self._set_cookie(response, self._tokens.issue(_TRIP, "", trip, _TRIP_LIFE), _TRIP_LIFE)
        return response

    def linked(self, cookie: str) -> HTTPResponse:
        """Back to Alexa, from the browser that came from there. Raises Refused when no bank was linked in it."""
        trip = self._tokens.open(_TRIP, "", cookie) if cookie else None
        if trip is None:
            raise Refused(400, "no trip in this browser")
        customer = self._customers.identities.resolve(CHANNEL, self._conversation(trip["p"]))
        if customer is None:
            raise Refused(400, "no bank was linked")
        once = self._one_time.issue(customer.id, LinkKind.ALEXA, conversation=customer, life=_CODE_LIFE)
        kept = {"p": trip["p"], "r": trip["r"], "c": trip["c"]}
        code = f"{once}.{self._tokens.issue(_CODE, digest(once), kept, _CODE_LIFE)}"
        joint = "&" if "?" in trip["r"] else "?"
        target = f"{trip['r']}{joint}{urlencode({'state': trip['s'], 'code': code})}"
        # A page and no redirect: the browser may come here by a form, whose policy ends at our own address.
        words = escape(self._words.text("voice_linked_go_on"))
        response = _page(
            200,
            f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={escape(target)}">'
            f'<title>{words}</title><p><a href="{escape(target)}">{words}</a></p>',
        )
        self._set_cookie(response, "", timedelta(0))
        return response

    # Alexa's servers

    def token(self, authorization: str, form: Mapping[str, str]) -> dict[str, Any]:
        """Raises Declined."""
        self._admit(authorization, form)
        grant = form.get("grant_type")
        if grant == "authorization_code":
            person = self._redeemed(form)
        elif grant == "refresh_token":
            person = self._named(_REFRESH, form.get("refresh_token", ""))
        else:
            raise Declined("unsupported_grant_type")
        if not person or self._customers.identities.resolve(CHANNEL, self._conversation(person)) is None:
            raise Declined("invalid_grant")
        return {
            "access_token": self._tokens.issue(_ACCESS, "", {"p": person}, ACCESS_LIFE),
            "refresh_token": self._tokens.issue(_REFRESH, "", {"p": person}, REFRESH_LIFE),
            "token_type": "bearer",
            "expires_in": int(ACCESS_LIFE.total_seconds()),
        }

    def _redeemed(self, form: Mapping[str, str]) -> str:
        """Whom a code names. Of two that bring it, one gets in."""
        once, _, sealed = form.get("code", "").partition(".")
        kept = self._tokens.open(_CODE, digest(once), sealed) if sealed else None
        verifier = form.get("code_verifier", "")
        if kept is None or kept["r"] != form.get("redirect_uri") or not _VERIFIER.fullmatch(verifier):
            raise Declined("invalid_grant")
        shown = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        if not hmac.compare_digest(shown, kept["c"]):
            raise Declined("invalid_grant")
        try:
            self._one_time.claim(once, LinkKind.ALEXA)
        except OneTimeRefused:
            raise Declined("invalid_grant") from None
        return str(kept["p"])

    def _admit(self, authorization: str, form: Mapping[str, str]) -> None:
        """The client's own secret, as Alexa is set to send it: by HTTP Basic or in the form (section 2.3.1)."""
        linking = self._agreed()
        name, secret = form.get("client_id", ""), form.get("client_secret", "")
        if authorization.lower().startswith("basic "):
            try:
                pair = base64.b64decode(authorization[6:].strip(), validate=True).decode()
            except (binascii.Error, ValueError):
                raise Declined("invalid_client", 401) from None
            name, secret = (unquote_plus(part) for part in pair.partition(":")[::2])
        known = hmac.compare_digest(name.encode(), linking.client_id.encode())
        if not (hmac.compare_digest(secret.encode(), linking.client_secret.encode()) and known):
            raise Declined("invalid_client", 401)

    def _named(self, use: str, token: str) -> str:
        kept = self._tokens.open(use, "", token)
        return str(kept["p"]) if kept else ""

    def _conversation(self, person: str) -> str:
        return self._customers.identities.conversation_id(CHANNEL, person)

    def _agreed(self) -> LinkSettings:
        if self._linking is None:
            raise Refused(404, "account linking is not set up")
        return self._linking

    def _set_cookie(self, response: HTTPResponse, value: str, life: timedelta) -> None:
        response.cookies[_COOKIE] = value
        kept = response.cookies[_COOKIE]
        kept["path"], kept["httponly"], kept["samesite"] = PREFIX, True, "Lax"
        kept["max-age"] = int(life.total_seconds())
        if self._settings.public_url.startswith("https:"):
            kept["secure"] = True


def add_routes(routes: Blueprint, accounts: Callable[[], AccountLinking]) -> None:
    """The three addresses, on a channel's blueprint."""

    async def authorize(request: Request) -> HTTPResponse:
        return await _browser(lambda: accounts().authorize(_fields(request.query_string)))

    async def linked(request: Request) -> HTTPResponse:
        return await _browser(lambda: accounts().linked(request.cookies.get(_COOKIE, "")))

    async def token(request: Request) -> HTTPResponse:
        return await _server(request, accounts)

    routes.add_route(authorize, "/authorize", methods=["GET"])
    routes.add_route(linked, "/linked", methods=["GET"])
    routes.add_route(token, "/token", methods=["POST"], stream=True)


async def _browser(work: Callable[[], HTTPResponse]) -> HTTPResponse:
    try:
        return await asyncio.get_running_loop().run_in_executor(None, work)
    except Refused as refused:
        logger.warning("A browser on its way to or from Alexa was refused: %s", refused.why)
        return _page(refused.status, "<!doctype html><title>Alexa</title><p>Please start again in the Alexa app.</p>")


async def _server(request: Request, accounts: Callable[[], AccountLinking]) -> HTTPResponse:
    headers = {"Cache-Control": "no-store", "Pragma": "no-cache"}
    status, told = 200, {}
    try:
        raw = await read(request, _MAX_FORM)
        form = _fields(raw.body.decode("ascii"))
        shown = raw.headers.get("authorization", "")
        told = await asyncio.get_running_loop().run_in_executor(None, lambda: accounts().token(shown, form))
    except Declined as declined:
        status, told = declined.status, {"error": declined.error}
        logger.warning("Alexa was given no token: %s", declined.error)
        if status == 401:
            headers["WWW-Authenticate"] = "Basic"
    except (Refused, ValueError):
        status, told = 400, {"error": "invalid_request"}
    return HTTPResponse(json.dumps(told), status, headers, "application/json")


def _fields(text: str) -> dict[str, str]:
    """Each once: RFC 6749 section 3.1 lets no parameter come twice. Raises Refused."""
    try:
        found = parse_qs(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise Refused(400, "not a form") from None
    if any(len(values) > 1 for values in found.values()):
        raise Refused(400, "a parameter came twice")
    return {name: values[0] for name, values in found.items()}


def _page(status: int, body: str = "", headers: Mapping[str, str] | None = None) -> HTTPResponse:
    """With what guards every page of ours."""
    return HTTPResponse(body, status, {**Answer(status).headers(), **(headers or {})}, "text/html; charset=utf-8")
