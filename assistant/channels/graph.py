"""Meta's Graph API as Messenger needs it: a small asynchronous client. Knows HTTP, not conversations.

The page's token travels in a header and never in a URL, every call carries ``appsecret_proof``, and every call ends
within a deadline. https://developers.facebook.com/docs/graph-api/guides/secure-requests
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from assistant.channels.graph_errors import GraphError, Treatment, no_answer, refusal

logger = logging.getLogger(__name__)

HOST = "graph.facebook.com"
#: Current since 29 July 2026. An expired version is served by the oldest one alive, so the number is a setting.
VERSION = "26.0"
#: Tries of one call, the first included, where Graph said that trying again may help.
ATTEMPTS = 3
#: Seconds before the second try, doubled for the third; cut by a random half so that many do not return in step.
FIRST_PAUSE = 0.4
#: Bytes of the largest answer that is read.
MAX_ANSWER = 1_000_000
#: Open calls at once. Graph allows a page 300 a second; hanging ones must not use up the room of the others.
CONNECTIONS = 500

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class GraphAccess:
    """How to reach one page. ``base_url`` is another only in tests. Times are in seconds.

    ``timeout`` bounds one try, ``upload_timeout`` one upload of a file.
    """

    page_token: str = field(repr=False)
    app_secret: str = field(repr=False)
    version: str = VERSION
    base_url: str = f"https://{HOST}"
    connect_timeout: float = 3.0
    timeout: float = 10.0
    upload_timeout: float = 20.0

    @property
    def proof(self) -> str:
        """``appsecret_proof``: hex HMAC-SHA256 of the token under the app's secret."""
        return hmac.new(self.app_secret.encode(), self.page_token.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Sent:
    """What Graph made of a message. ``message_id`` comes back with its echo, delivery and read events."""

    message_id: str


class Graph:
    """One page's client, for one event loop. Open it with ``async with``, or call ``close``.

    Every method raises GraphError. It retries only what Graph itself said had no effect; a call without an answer
    is ``uncertain`` and left to the caller, who knows whether saying a thing twice is worse than not at all.
    """

    def __init__(self, access: GraphAccess, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.access = access
        self._sleep = sleep
        self._root = f"{access.base_url.rstrip('/')}/v{access.version}"
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Graph:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    # Saying something

    async def send(self, psid: str, message: Json, **how: Any) -> Sent:
        """Send one message. ``how`` is what the policy says: messaging_type, tag, persona_id (messenger_policy)."""
        answer = await self._post("me/messages", {"recipient": {"id": psid}, "message": message, **how}, "send")
        return Sent(str(answer.get("message_id") or ""))

    async def typing(self, psid: str, *, on: bool = True) -> None:
        """Show that an answer is under way; it goes out by itself with the answer, or after 20 seconds."""
        body = {"recipient": {"id": psid}, "sender_action": "typing_on" if on else "typing_off"}
        await self._call("POST", "me/messages", "typing", body, attempts=1)

    async def upload(self, content: bytes, *, kind: str = "image", media_type: str = "image/png") -> str:
        """Upload a file for one message; returns its attachment id. Nothing of it is at a public address."""
        message = {"attachment": {"type": kind, "payload": {"is_reusable": False}}}

        def form() -> aiohttp.FormData:  # a form can be sent once
            data = aiohttp.FormData()
            data.add_field("message", json.dumps(message), content_type="application/json")
            data.add_field("appsecret_proof", self.access.proof)
            data.add_field("filedata", content, filename="chart.png", content_type=media_type)
            return data

        answer = await self._call("POST", "me/message_attachments", "upload", form=form)
        return str(answer.get("attachment_id") or "")

    # Setting up the page

    async def profile(self, fields: Sequence[str]) -> Json:
        """What the page's Messenger profile holds of these fields; a field that is not set is not there."""
        answer = await self._get("me/messenger_profile", {"fields": ",".join(fields)}, "read the profile")
        found = answer.get("data")
        return dict(found[0]) if isinstance(found, list) and found and isinstance(found[0], Mapping) else {}

    async def set_profile(self, fields: Json) -> None:
        await self._post("me/messenger_profile", fields, "set the profile")

    async def delete_profile(self, fields: Sequence[str]) -> None:
        await self._call("DELETE", "me/messenger_profile", "empty the profile", {"fields": list(fields)})

    async def page(self) -> Json:
        """``id`` and ``name`` of the page whose token this is."""
        return await self._get("me", {"fields": "id,name"}, "read the page")

    async def app_id(self) -> str:
        """Of the app that the page's token was made for."""
        return str((await self._get("app", {"fields": "id"}, "read the app")).get("id") or "")

    async def page_scoped_ids(self, app_scoped_id: str) -> list[str]:
        """How this page knows somebody whom the app knows by this id (ID Matching API)."""
        rows = _rows(await self._get(f"{app_scoped_id}/ids_for_pages", {}, "match an id"))
        return [str(row["id"]) for row in rows if "id" in row]

    async def subscribed_fields(self) -> dict[str, frozenset[str]]:
        """By app id, the webhook fields that the page sends to it."""
        answer = await self._get("me/subscribed_apps", {}, "read the subscriptions")
        return {str(app.get("id")): frozenset(map(str, app.get("subscribed_fields") or ())) for app in _rows(answer)}

    async def subscribe(self, fields: Sequence[str]) -> None:
        """Have the page's events of these kinds sent to the app's webhook, and no others."""
        await self._post("me/subscribed_apps", {"subscribed_fields": ",".join(fields)}, "subscribe")

    async def templates(self) -> list[Json]:
        """The page's message templates: name, language, status (needs page_utility_messaging)."""
        return _rows(await self._get("me/message_templates", {"limit": "200"}, "read the templates"))

    async def create_template(self, template: Json) -> str:
        """Returns the status: usually APPROVED within seconds."""
        return str((await self._post("me/message_templates", template, "create a template")).get("status") or "")

    async def personas(self) -> dict[str, str]:
        """Name by persona id."""
        rows = _rows(await self._get("me/personas", {}, "read the personas"))
        return {str(row.get("id")): str(row.get("name")) for row in rows}

    async def create_persona(self, name: str, picture_url: str) -> str:
        """Returns its id. Graph fetches the picture once, from a public address (at most 8 MB)."""
        body = {"name": name, "profile_picture_url": picture_url}
        return str((await self._post("me/personas", body, "create a persona")).get("id") or "")

    async def unlink(self, psid: str) -> None:
        """End the account link on Messenger's side."""
        await self._post("me/unlink_accounts", {"psid": psid}, "unlink")

    # The call itself

    async def _get(self, path: str, query: Mapping[str, str], what: str) -> Json:
        return await self._call("GET", path, what, query=query)

    async def _post(self, path: str, body: Json, what: str) -> Json:
        return await self._call("POST", path, what, body)

    async def _call(
        self,
        method: str,
        path: str,
        what: str,
        body: Json | None = None,
        *,
        query: Mapping[str, str] | None = None,
        form: Callable[[], aiohttp.FormData] | None = None,
        attempts: int = ATTEMPTS,
    ) -> Json:
        for attempt in range(attempts):
            try:
                return await self._once(method, path, body, query, form)
            except GraphError as error:
                # A read can always be repeated; what may have been said already can not.
                again = error.treatment is Treatment.RETRY and (method == "GET" or not error.uncertain)
                if not again or attempt + 1 == attempts:
                    logger.log(_LEVELS.get(error.treatment, logging.WARNING), "Graph, %s: %s", what, error)
                    raise
                await self._sleep(FIRST_PAUSE * 2**attempt * random.uniform(0.5, 1.0))  # noqa: S311  # no secret
        raise AssertionError("at least one attempt")

    async def _once(
        self,
        method: str,
        path: str,
        body: Json | None,
        query: Mapping[str, str] | None,
        form: Callable[[], aiohttp.FormData] | None,
    ) -> Json:
        session = self._open()
        proof = {"appsecret_proof": self.access.proof}
        total = self.access.upload_timeout if form else self.access.timeout
        try:
            async with session.request(
                method,
                f"{self._root}/{path}",
                params={**query, **proof} if query is not None else None,
                json={**body, **proof} if body is not None else None,
                data=form() if form else None,
                timeout=aiohttp.ClientTimeout(total=total, sock_connect=self.access.connect_timeout),
                allow_redirects=False,
            ) as response:
                answer = _json(await _body(response))
                if response.status != 200 or not isinstance(answer, dict) or "error" in answer:
                    raise refusal(response.status, answer)
                return answer
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise no_answer(error, sent=False) from None
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            # Not the error itself: aiohttp's messages quote the URL.
            raise no_answer(error, sent=True) from None

    def _open(self) -> aiohttp.ClientSession:
        """Made at first use: a session belongs to the loop it was made in."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                headers={"Authorization": f"Bearer {self.access.page_token}"},
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
            )
        return self._session


#: A page that must be mended is an error; a person who does not want to hear from us is none.
_LEVELS = {
    Treatment.MEND: logging.ERROR,
    Treatment.GIVE_UP: logging.ERROR,
    Treatment.STOP: logging.INFO,
    Treatment.KEEP: logging.INFO,
}


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = b""
    async for chunk in response.content.iter_chunked(65_536):
        body += chunk
        if len(body) > MAX_ANSWER:
            raise aiohttp.ClientPayloadError("longer than any answer of Graph")
    return body


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _rows(answer: Json) -> list[Json]:
    rows = answer.get("data")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
