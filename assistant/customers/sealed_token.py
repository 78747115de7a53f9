"""Small values that travel outside and come back: sealed, bound to what they are for, and short-lived.

Nobody can read, forge or move one. Unlike a one-time link (customers.one_time) it may be used again until it ends.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import timedelta
from functools import cached_property
from typing import Any

from assistant.banking import clock
from assistant.storage.keys import KeyRing
from assistant.storage.seal import Cipher, Unreadable

_OWNER = "sealed tokens"


class SealedTokens:
    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    @cached_property
    def _cipher(self) -> Cipher:
        """Kept: this key is never destroyed."""
        return self._keys.cipher_or_new(_OWNER)

    def issue(self, use: str, bound_to: str, value: Mapping[str, Any], life: timedelta) -> str:
        """URL-safe text. ``use`` says what kind of token it is, ``bound_to`` for which conversation or customer."""
        kept = {"v": dict(value), "e": int((clock.now() + life).timestamp())}
        sealed = self._cipher.seal(json.dumps(kept, separators=(",", ":")).encode(), _place(use, bound_to))
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def open(self, use: str, bound_to: str, token: str) -> dict[str, Any] | None:
        """The value; None for what was not issued for just this, or has ended."""
        try:
            sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            kept = json.loads(self._cipher.open(sealed, _place(use, bound_to)))
        except (ValueError, Unreadable):
            return None
        return dict(kept["v"]) if clock.now().timestamp() <= kept["e"] else None


def _place(use: str, bound_to: str) -> str:
    return f"token.{use}:{bound_to}"
