"""The hosted pages on Rasa's own web server: linking a bank, setting the step-up code, taking an export away.

A thin shell around ``PageDesk``: reads a request, lets the desk answer in a thread, sends what it says. A page's
address is a secret, so nothing about requests for them is logged.
"""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from rasa.core.channels.channel import InputChannel, UserMessage
from sanic import Blueprint
from sanic.exceptions import SanicException
from sanic.log import access_logger, error_logger
from sanic.log import logger as sanic_logger
from sanic.request import Request
from sanic.response import HTTPResponse

from assistant.banking.connector import CustomerProfile
from assistant.channels.addresses import PREFIX
from assistant.channels.page_desk import PageDesk
from assistant.channels.page_exchange import Answer, Ask, Cookie
from assistant.channels.page_words import Words
from assistant.customers.service import open_customers
from assistant.replies.wording import Wording
from assistant.settings import Settings, load_settings

logger = logging.getLogger(__name__)

#: Bytes of the largest form a page has.
MAX_BODY = 4096
#: Pages served at once by one process. One waits while its bank answers.
WORKERS = 8
_MAX_FIELDS = 8
_ADDRESS = re.compile(rf"{PREFIX}/[^\s'\">]*")
_DOMAIN = Path(__file__).resolve().parents[2] / "domain.yml"


class BodyRefused(Exception):
    """More than any form of ours, or not a form."""


class HostedPages(InputChannel):  # type: ignore[misc]  # Rasa is read untyped
    """In credentials.yml: ``assistant.channels.pages.HostedPages:``, with nothing to configure."""

    def __init__(self, settings: Settings | None = None) -> None:
        self._settings = settings or load_settings()

    @classmethod
    def name(cls) -> str:
        return "pages"

    def url_prefix(self) -> str:
        return PREFIX

    def blueprint(self, on_new_message: Callable[[UserMessage], Awaitable[Any]]) -> Blueprint:
        """Nobody speaks here: ``on_new_message`` is never called."""
        pages = Blueprint("pages")
        server = PageServer(self._settings)
        access_logger.addFilter(_unless_page)
        error_logger.addFilter(_without_address)
        sanic_logger.addFilter(_without_address)

        async def serve(request: Request, rest: str) -> HTTPResponse:  # a function: Sanic sets attributes on it
            return await server.serve(request, rest)

        # One route for every method and path below, so that none is answered by Sanic's own pages, which quote it.
        methods = ["GET", "POST", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"]
        pages.add_route(serve, "/<rest:path>", methods=methods, stream=True)
        pages.listener("before_server_start")(server.open)
        pages.listener("after_server_stop")(server.close)
        return pages


class PageServer:
    """Between Sanic and the desk."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._secure = settings.public_url.startswith("https:")
        self._pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="pages")

    async def open(self, _app: Any, loop: asyncio.AbstractEventLoop) -> None:
        """In each worker process, before the first request."""
        await loop.run_in_executor(self._pool, _desk, self._settings)

    async def close(self, _app: Any, _loop: asyncio.AbstractEventLoop) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def serve(self, request: Request, rest: str) -> HTTPResponse:
        desk = _desk(self._settings)
        stream: Any = request.stream
        try:
            body = await _body(stream)
            ask = Ask(
                request.method,
                tuple(rest.split("/")),
                request.query_string,
                _form(request, body),
                {name: request.cookies.get(name) or "" for name in request.cookies},
            )
            if ask.method not in ("GET", "POST"):
                answer = desk.trouble(405, "page_nothing")
            else:
                answer = await asyncio.get_running_loop().run_in_executor(self._pool, desk.answer, ask)
        except BodyRefused:
            answer = desk.trouble(413, "page_stale")
            stream.keep_alive = False  # what is left of the body is not read
        except (UnicodeError, SanicException):  # nothing that a browser of ours sends
            answer = desk.trouble(400, "page_nothing")
            stream.keep_alive = False
        except Exception as error:
            # Its message, and Sanic's own report of it, could quote the address or the form.
            where = "".join(traceback.format_tb(error.__traceback__))
            logger.error("A hosted page failed: %s\n%s", type(error).__name__, where)
            answer = desk.trouble(500, "page_ours")
        return self.send(answer)

    def send(self, answer: Answer) -> HTTPResponse:
        response = HTTPResponse(answer.body, answer.status, answer.headers(), answer.content_type)
        for cookie in answer.cookies:
            self._set(response, cookie)
        return response

    def _set(self, response: HTTPResponse, cookie: Cookie) -> None:
        response.cookies[cookie.name] = cookie.value
        kept = response.cookies[cookie.name]
        kept["path"], kept["httponly"], kept["samesite"] = PREFIX, True, cookie.same_site
        kept["max-age"] = int(cookie.life.total_seconds())
        if self._secure:
            kept["secure"] = True


@lru_cache(maxsize=4)
def _desk(settings: Settings) -> PageDesk:
    words = Words(Wording.load(_DOMAIN), CustomerProfile(settings.time_zone, settings.locale))
    return PageDesk(open_customers(settings), words)


async def _body(stream: Any) -> bytes:
    """Raises BodyRefused as soon as it is too long, without reading on."""
    body = b""
    async for chunk in stream:
        body += chunk
        if len(body) > MAX_BODY:
            raise BodyRefused
    return body


def _form(request: Request, body: bytes) -> dict[str, str] | None:
    """The first value of each field; None for what isn't a form."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return None
    try:
        fields = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=_MAX_FIELDS)
    except ValueError:
        raise BodyRefused from None
    return {name: values[0] for name, values in fields.items()}


def _unless_page(record: logging.LogRecord) -> bool:
    """Keeps requests for pages out of Sanic's access log."""
    return not _ADDRESS.search(str(getattr(record, "request", "")))


def _without_address(record: logging.LogRecord) -> bool:
    """Sanic's own complaints about a request quote its address."""
    message = record.getMessage()
    if _ADDRESS.search(message):
        record.msg, record.args = _ADDRESS.sub(f"{PREFIX}/[withheld]", message), None
    return True
