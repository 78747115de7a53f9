"""What a bank gives us to act for one customer, and where it is kept."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class TokenSet:
    """The tokens of one customer's link to one bank.

    ``expires_at`` is when the access token ends (aware, UTC); None when the bank did not say. ``scope`` is
    the space-separated list granted (RFC 6749 3.3). ``id_token`` is kept because some aggregators take it
    as the bearer. ``consent_id`` is the bank's id of the consent, "" when it gave none. No secret shows in
    the repr, so a logged or raised TokenSet gives nothing away.
    """

    access_token: str
    refresh_token: str
    expires_at: datetime | None
    scope: str
    id_token: str = ""
    consent_id: str = ""

    def __repr__(self) -> str:
        return f"TokenSet(***, expires_at={self.expires_at!r}, scope={self.scope!r})"

    __str__ = __repr__


class TokenStore(Protocol):
    """Where one link's tokens live. Implemented by customers/vault.py; sealed at rest there."""

    def load(self) -> TokenSet:
        """The newest tokens, read from the store each time.

        Raises banking.errors.NotLinked when the link is gone.
        """

    def save(self, tokens: TokenSet) -> None:
        """Replace the tokens. They are durable when this returns."""

    def lock(self) -> AbstractContextManager[None]:
        """Held by at most one thread of one process at a time, for this link: only the holder refreshes."""
