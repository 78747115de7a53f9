"""Who may call the action server, and what it says when something breaks.

Rasa's own action server answers anyone on every network interface and returns the whole conversation
when an action fails. Here: loopback unless SANIC_HOST says otherwise, a shared secret on every
request, and an error that names nothing but a reference into the log.
"""

from __future__ import annotations

import hmac
import json
import logging
import os
import secrets
import traceback
import zlib
from typing import Any

import pluggy
from sanic import Sanic
from sanic.exceptions import SanicException
from sanic.handlers import ErrorHandler
from sanic.request import Request
from sanic.response import HTTPResponse
from sanic.response import json as json_response

from actions.services import services
from assistant.customers import housekeeping

hookimpl = pluggy.HookimplMarker("rasa_sdk")
logger = logging.getLogger(__name__)

#: The header that endpoints.yml gives Rasa to send.
SECRET_HEADER = "X-Tellerline-Secret"  # noqa: S105 - a header's name
#: Rasa's own channels for development. Without a secret they are all that is served, and only on this machine.
DEVELOPMENT_CHANNELS = frozenset({"cmdline", "rest"})
#: No conversation that has an end is this long.
MAX_BODY = 16 * 1024 * 1024
#: Seconds that Rasa's connection is kept for its next call; longer than Rasa keeps it (assistant/lighter).
KEEP_ALIVE = 75
_LOOPBACK = frozenset({"127.0.0.1", "::1"})


@hookimpl
def attach_sanic_app_extensions(app: Sanic) -> None:
    """Called by rasa-sdk before it reads SANIC_HOST and serves."""
    os.environ.setdefault("SANIC_HOST", "127.0.0.1")
    app.config.REQUEST_MAX_SIZE = MAX_BODY
    app.config.KEEP_ALIVE_TIMEOUT = KEEP_ALIVE
    app.register_middleware(admit, "request")
    app.error_handler = QuietErrors()
    app.after_server_start(tidy)


def tidy(*_: object) -> None:
    """Finish what was interrupted and let go what is too old, now and every hour."""
    housekeeping.start(services().customers)


def admit(request: Request) -> HTTPResponse | None:
    """None lets the request through."""
    if request.path == "/health":
        return None
    settings = services().settings
    shown = request.headers.get(SECRET_HEADER)
    if shown is not None:
        if hmac.compare_digest(shown.encode(), settings.action_secret.encode()):
            return None
        return _refused("the secret does not match")
    if settings.production or request.ip not in _LOOPBACK:
        return _refused(f"{SECRET_HEADER} is missing")
    if request.path == "/webhook" and _channel(request) not in DEVELOPMENT_CHANNELS:
        return _refused(f"without {SECRET_HEADER} only the shell and REST are served")
    return None


def _channel(request: Request) -> str:
    body = request.body
    try:
        if request.headers.get("Content-Encoding") == "deflate":
            body = zlib.decompressobj().decompress(body, MAX_BODY)
        return str(json.loads(body)["tracker"]["latest_input_channel"] or "cmdline")
    except (ValueError, TypeError, KeyError, zlib.error):
        return ""


def _refused(why: str) -> HTTPResponse:
    logger.warning("Refused a request to the action server: %s", why)
    return json_response({"error": why}, status=403)


class QuietErrors(ErrorHandler):
    """The log gets the trace, the caller a reference. Takes the place of rasa-sdk's, which returns the conversation."""

    def add(self, exception: type[BaseException], handler: Any, route_names: list[str] | None = None) -> None:
        """No other handler is taken."""

    def response(self, request: Request, exception: Exception) -> HTTPResponse:
        if isinstance(exception, SanicException) and exception.status_code < 500:
            return json_response({"error": "this request cannot be served"}, status=exception.status_code)
        reference = secrets.token_hex(4)
        # Where it broke, not with what: the message of an exception can hold what the customer said.
        logger.error("Action failed, reference %s: %s", reference, where(exception))
        return json_response({"error": f"the action failed; reference {reference}"}, status=500)


def where(error: BaseException) -> str:
    """The kind of an error and the lines it came through, without its message."""
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    return f"{type(error).__name__} at " + " < ".join(f"{f.filename}:{f.lineno} {f.name}" for f in reversed(frames))
