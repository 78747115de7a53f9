"""Opaque page keys. A key names the view it continues (account, days, the instant of the first page), so that items
arriving between two pages neither repeat nor hide others; it is signed, so that it cannot be made up."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import datetime

from assistant.sandbox.answers import invalid_input


@dataclass(frozen=True, slots=True)
class PageKey:
    """``scope`` is what is being paged; ``as_of`` is aware, UTC."""

    scope: str
    as_of: datetime
    offset: int


class PageKeys:
    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def _sign(self, payload: bytes) -> bytes:
        return hmac.new(self._secret, payload, hashlib.sha256).digest()[:12]

    def write(self, key: PageKey) -> str:
        payload = json.dumps([key.scope, key.as_of.isoformat(), key.offset], separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._sign(payload) + payload).rstrip(b"=").decode()

    def read(self, text: str, scope: str) -> PageKey:
        """Raises the FDX error 401 (invalid input) for a key that is not ours or belongs to another list."""
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except (binascii.Error, ValueError) as error:
            raise invalid_input("Invalid page key") from error
        if not hmac.compare_digest(raw[:12], self._sign(raw[12:])):
            raise invalid_input("Invalid page key")
        found, as_of, offset = json.loads(raw[12:])
        if found != scope:
            raise invalid_input("Invalid page key")
        return PageKey(found, datetime.fromisoformat(as_of), offset)
