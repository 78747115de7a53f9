"""What the web channel lets in, and what it tells browsers: origins, headers, cookies.

A page elsewhere can make a browser send requests here, cookies included. So every request must carry a header that a
page of another origin can only add after asking first (Fetch standard, CORS preflight), and only our own origin and
those of the settings are told yes. SameSite=Strict and a JSON body stand behind that.
"""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from assistant.settings import Settings

PREFIX = "/chat"
#: The header that makes a browser ask first. Its value says nothing.
ASKED = "X-Tellerline"
#: Bytes of the largest request in JSON, and of the longest recording (30 s of 16-bit samples at 16 kHz, and a header).
MAX_JSON = 16 * 1024
MAX_AUDIO = 30 * 16_000 * 2 + 4096
_FILES = Path(__file__).resolve().parent.parent / "web" / "chat"
_TYPES = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
_ALLOWED_HEADERS = f"Authorization, Content-Type, Last-Event-ID, {ASKED}"
#: What a page of ours may do: run and style itself from here, and speak to us. Nothing from anywhere else.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; media-src blob:; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)


class Refused(Exception):
    """``status`` and one ``word`` for the page; ``text`` is what to tell the customer, "" when the page knows."""

    def __init__(self, status: int, word: str, text: str = "", *, retry_after: int = 0) -> None:
        super().__init__(word)
        self.status = status
        self.word = word
        self.text = text
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in. ``origin`` "" when it comes from our own page."""

    method: str
    path: tuple[str, ...]
    body: bytes = field(default=b"", repr=False)
    secret: str = field(default="", repr=False)
    origin: str = ""
    last_event: str = ""
    peer: str = ""

    def json(self) -> dict[str, Any]:
        """Raises Refused."""
        try:
            value = json.loads(self.body or b"{}")
        except (ValueError, RecursionError):
            raise Refused(400, "body") from None
        if not isinstance(value, dict):
            raise Refused(400, "body")
        return value


@dataclass(frozen=True, slots=True)
class Result:
    """``secret`` None leaves the cookie alone, "" removes it."""

    body: bytes = field(default=b"{}", repr=False)
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    secret: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, value: Mapping[str, Any], status: int = 200, **more: Any) -> Result:
        return cls(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(), status, **more)


class Gate:
    """Judges requests before anything else looks at them."""

    def __init__(self, settings: Settings) -> None:
        own = urlsplit(settings.public_url)
        self.secure = own.scheme == "https"
        self.own = frozenset({f"{own.scheme}://{own.netloc}", *_same_machine(settings)})
        self.others = frozenset(settings.web_origins)
        # The prefix makes browsers refuse it from a subdomain or without TLS (RFC 6265bis 4.1.3.2).
        self.cookie = "__Host-tellerline" if self.secure else "tellerline"

    def check(self, method: str, headers: Mapping[str, str]) -> str:
        """The other origin it comes from, "" for our own. Raises Refused."""
        origin = headers.get("origin", "")
        if origin and origin not in self.own and origin not in self.others:
            raise Refused(403, "origin")
        if headers.get(ASKED.lower()) is None:
            raise Refused(403, "header")
        if not origin and (method != "GET" or headers.get("sec-fetch-site", "same-origin") != "same-origin"):
            raise Refused(403, "origin")
        return origin if origin in self.others else ""

    def preflight(self, origin: str) -> dict[str, str]:
        """Raises Refused."""
        if origin not in self.others:
            raise Refused(403, "origin")
        return {
            **self.shared(origin),
            "Access-Control-Allow-Methods": "GET, POST",
            "Access-Control-Allow-Headers": _ALLOWED_HEADERS,
            "Access-Control-Max-Age": "600",
        }

    def shared(self, origin: str) -> dict[str, str]:
        """What lets a page of another origin read the answer."""
        if not origin:
            return {}
        return {
            "Access-Control-Allow-Origin": origin,
            "Access-Control-Allow-Credentials": "true",
            "Vary": "Origin",
            "Cross-Origin-Resource-Policy": "cross-origin",
        }


def secret_of(cookie: str, authorization: str) -> str:
    """Where a page holds its session in memory it shows it itself; elsewhere the browser shows the cookie."""
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else cookie


def guarded(**more: str) -> dict[str, str]:
    """The headers of every answer but files."""
    return {
        "Cache-Control": "no-store",
        "Content-Security-Policy": POLICY,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(self), payment=()",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        **more,
    }


@dataclass(frozen=True, slots=True)
class File:
    """``small`` is the same, compressed."""

    body: bytes = field(repr=False)
    small: bytes = field(repr=False)
    content_type: str
    tag: str

    def answer(self, accepts: str, has: str) -> Result:
        headers = {
            "Access-Control-Allow-Origin": "*",
            "Cache-Control": "public, max-age=300",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "ETag": self.tag,
            "Vary": "Accept-Encoding",
            "X-Content-Type-Options": "nosniff",
        }
        if has == self.tag:
            return Result(b"", 304, self.content_type, headers)
        if "gzip" in accepts:
            return Result(self.small, 200, self.content_type, {**headers, "Content-Encoding": "gzip"})
        return Result(self.body, 200, self.content_type, headers)


def load_files() -> dict[str, File]:
    """The scripts and styles of the page, by name. They hold nothing of anybody."""
    files = {}
    for path in sorted(_FILES.iterdir()):
        if path.suffix in _TYPES:
            body = path.read_bytes()
            tag = f'"{hashlib.sha256(body).hexdigest()[:20]}"'
            files[path.name] = File(body, gzip.compress(body, 9, mtime=0), _TYPES[path.suffix], tag)
    return files


def _same_machine(settings: Settings) -> frozenset[str]:
    """In development the page may be opened by either name of this machine."""
    if settings.production or settings.public_address:
        return frozenset()
    return frozenset({f"http://localhost:{settings.rasa_port}", f"http://127.0.0.1:{settings.rasa_port}"})
