"""Meta asks to delete what we hold about somebody, and where that can be followed.

https://developers.facebook.com/docs/development/create-an-app/app-dashboard/data-deletion-callback. Meta names the
person by an id of the app's, where we know people by ids of the page's; the Graph API tells which belong together
(ids_for_pages) if app and page are of one business. If it doesn't, the page says how to have it done in words.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import re
from collections.abc import Awaitable
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from sanic import Blueprint
from sanic.request import Request
from sanic.response import HTTPResponse

from assistant.banking.connector import CustomerProfile
from assistant.channels.base import Refused, read
from assistant.channels.graph import Graph
from assistant.channels.graph_errors import GraphError
from assistant.channels.page_exchange import Answer
from assistant.channels.page_words import Words
from assistant.customers.service import Customers

if TYPE_CHECKING:
    from assistant.channels.messenger import Messenger

logger = logging.getLogger(__name__)

PATH = "/data-deletion"
#: For how long the page of a request can be opened.
LIFE = timedelta(days=90)
_MAX_BODY = 8192
_USE = "messenger-deletion"
_CODE = re.compile(r"[a-z2-7]{40,400}")


def user_of(signed_request: str, secrets: tuple[str, ...]) -> str:
    """The id of the person, by the app's reckoning. Raises Refused unless Meta has signed it (HMAC-SHA256 of the
    second part under the app's secret, both parts base64url)."""
    signature, _, payload = signed_request.partition(".")
    try:
        given = _decode(signature)
        known = [hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest() for secret in secrets]
        if not sum(hmac.compare_digest(given, one) for one in known):
            raise Refused(403, "the signed request is not signed by this app's secret")
        said = json.loads(_decode(payload))
    except (ValueError, RecursionError):
        raise Refused(400, "the signed request can't be read") from None
    user = said.get("user_id") if isinstance(said, dict) else None
    if not isinstance(user, str) or not (user.isascii() and user.isdigit() and len(user) < 40):
        raise Refused(400, "the signed request names nobody")
    return user


def erase_person(customers: Customers, psid: str) -> None:
    """All that hangs from this person's conversation; the customer too, unless she talks to us elsewhere as well."""
    conversation = customers.identities.conversation_id("messenger", psid)
    customer = customers.identities.resolve("messenger", conversation)
    if customer is not None and len(customers.identities.conversations(customer.id)) == 1:
        customers.erasure.erase(customer)
        return
    customers.identities.unbind(conversation)
    customers.erasure.erase_conversation(conversation)


class Deletions:
    """POST takes a request, GET with the code it was given shows what became of it."""

    def __init__(self, channel: Messenger) -> None:
        self._channel = channel

    def add_to(self, routes: Blueprint) -> None:
        async def take(request: Request) -> HTTPResponse:
            return await self._safely(self._take(request))

        async def show(request: Request, code: str) -> HTTPResponse:
            return await self._safely(self._show(code))

        routes.add_route(take, PATH, methods=["POST"], stream=True)
        routes.add_route(show, f"{PATH}/<code:str>", methods=["GET"])

    async def _safely(self, work: Awaitable[HTTPResponse]) -> HTTPResponse:
        try:
            return await work
        except Refused as refused:
            logger.warning("A data deletion request was refused with %d: %s", refused.status, refused.why)
            return HTTPResponse(status=refused.status)
        except Exception as error:
            logger.error("A data deletion request failed: %s", type(error).__name__)
            return HTTPResponse(status=503)

    async def _take(self, request: Request) -> HTTPResponse:
        raw = await read(request, _MAX_BODY)
        form = parse_qs(raw.body.decode("utf-8", "replace"), max_num_fields=8)
        user = user_of(form.get("signed_request", [""])[0], self._channel.config.secrets)
        customers = self._channel.office.customers
        done = True
        try:
            async with Graph(self._channel.config.access) as graph:
                for psid in await graph.page_scoped_ids(user):
                    await asyncio.to_thread(erase_person, customers, psid)
        except GraphError:
            done = False
        token = customers.tokens.issue(_USE, "", {"done": done}, LIFE)
        # Letters and digits only, as Meta wants a confirmation code.
        code = base64.b32encode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))).decode().strip("=").lower()
        url = f"{self._channel.settings.public_url}/webhooks/{self._channel.url_prefix()}{PATH}/{code}"
        answer = json.dumps({"url": url, "confirmation_code": code})
        return HTTPResponse(answer, content_type="application/json")

    async def _show(self, code: str) -> HTTPResponse:
        settings = self._channel.settings
        made = None
        if _CODE.fullmatch(code):
            sealed = base64.b32decode(code.upper() + "=" * (-len(code) % 8))
            token = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
            made = self._channel.office.customers.tokens.open(_USE, "", token)
        key = "page_nothing" if made is None else "page_deletion_done" if made["done"] else "page_deletion_words"
        words = Words(self._channel.office.words.wording, CustomerProfile(settings.time_zone, settings.locale))
        page = Answer(404 if made is None else 200, words.page("message.html", key=key, values={}))
        return HTTPResponse(page.body, page.status, page.headers(), page.content_type)


def _decode(part: str) -> bytes:
    return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
