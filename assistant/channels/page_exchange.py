"""What a browser asks of the hosted pages and what it gets back, free of any web framework; and the proof that a
form was sent from our own page.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from assistant.channels.addresses import PREFIX

#: The name of a form's hidden field with its secret.
PROOF = "proof"
_COOKIE_LIFE = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Ask:
    """``path`` is what follows /link/. ``form`` None for anything but a form that was read whole."""

    method: str
    path: tuple[str, ...]
    query: str = field(default="", repr=False)
    form: Mapping[str, str] | None = field(default=None, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Cookie:
    """``same_site`` Strict comes back from our own pages only, Lax also when the bank sends the browser back."""

    name: str
    value: str = field(repr=False)
    same_site: str
    life: timedelta = _COOKIE_LIFE


@dataclass(frozen=True, slots=True)
class Answer:
    """``location`` set: a redirect. ``leaves`` set: the page's form leads to the bank (see POLICY)."""

    status: int
    body: bytes = field(default=b"", repr=False)
    content_type: str = "text/html; charset=utf-8"
    location: str = field(default="", repr=False)
    file_name: str = ""
    cookies: tuple[Cookie, ...] = ()
    leaves: str = ""
    cacheable: bool = False

    def headers(self) -> dict[str, str]:
        """Every header but the cookies."""
        # A form's redirects count for form-action, and a bank may pass the browser on among hosts of its own.
        targets = f"'self' https: {self.leaves}" if self.leaves else "'self'"
        headers = {
            "Cache-Control": "public, max-age=3600" if self.cacheable else "no-store",
            "Content-Security-Policy": f"default-src 'none'; style-src 'self'; form-action {targets}; "
            "frame-ancestors 'none'; base-uri 'none'",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "X-Robots-Tag": "noindex, nofollow",
        }
        if self.location:
            headers["Location"] = self.location
        if self.file_name:
            headers["Content-Disposition"] = f'attachment; filename="{self.file_name}"'
        return headers


def new_proof(ask: Ask) -> tuple[str, Cookie]:
    """For one showing of a form: the value of its hidden field, and the cookie without which it counts for nothing.

    Each showing has a cookie of its own, so that two open tabs don't spoil each other.
    """
    secret = secrets.token_urlsafe(32)
    return secret, Cookie(_proof_name(secret), _proof_value(ask, secret), "Strict")


def is_proven(ask: Ask) -> bool:
    """Whether this form was filled in on our page, at this address, in this browser."""
    secret = (ask.form or {}).get(PROOF, "")
    kept = ask.cookies.get(_proof_name(secret), "")
    return bool(secret) and secrets.compare_digest(kept.encode(), _proof_value(ask, secret).encode())


def mark_cookie(mark: str) -> Cookie:
    """Kept by the browser that leaves for the bank (customers.link_browser)."""
    return Cookie(f"{_MARK}{mark[:16]}", mark, "Lax")


def back_cookie(mark: str, address: str) -> Cookie:
    """Where the browser that leaves for the bank wants to go afterwards (channels.messenger_linking)."""
    return Cookie(f"{_BACK}{mark[:16]}", base64.urlsafe_b64encode(address.encode()).decode(), "Lax")


def back(ask: Ask) -> str:
    """What the one attempt that is open in this browser kept; "" for none, or for several. A browser's word only."""
    kept = [value for name, value in ask.cookies.items() if name.startswith(_BACK)]
    try:
        return base64.urlsafe_b64decode(kept[0].encode()).decode() if len(kept) == 1 else ""
    except ValueError:
        return ""


def marks(ask: Ask) -> list[str]:
    return [value for name, value in ask.cookies.items() if name.startswith(_MARK)]


_MARK = "tellerline-link-"
_BACK = "tellerline-back-"


def _proof_name(secret: str) -> str:
    return f"tellerline-page-{_hash('name', secret)[:16]}"


def _proof_value(ask: Ask, secret: str) -> str:
    return _hash("value", PREFIX, *ask.path, secret)


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
