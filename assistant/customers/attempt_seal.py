"""What an attempt at linking must remember until it is over, sealed under the key of its conversation."""

from __future__ import annotations

import json
from dataclasses import dataclass

from assistant.customers.oauth_link import LinkRefused, Reason, Secrets
from assistant.storage.conversations import key_owner
from assistant.storage.keys import KeyDestroyed, KeyRing
from assistant.storage.tables import LinkAttemptRow


@dataclass(frozen=True, slots=True)
class Kept:
    """``waiting`` is the question to answer after linking. ``trip`` from leaving for the bank on; ``code`` from the
    bank's answer until tokens have come of it. Shows nothing in its repr."""

    waiting: str = ""
    trip: Secrets | None = None
    code: str = ""

    def __repr__(self) -> str:
        return "Kept(***)"


class AttemptSeal:
    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    def seal(self, conversation_id: str, token_hash: str, kept: Kept) -> bytes:
        plain = {"waiting": kept.waiting}
        if kept.trip is not None:
            plain |= {"state": kept.trip.state, "verifier": kept.trip.verifier, "nonce": kept.trip.nonce}
        if kept.code:
            plain["code"] = kept.code
        cipher = self._keys.cipher_or_new(key_owner(conversation_id))
        return cipher.seal(json.dumps(plain).encode(), _place(token_hash))

    def open(self, row: LinkAttemptRow) -> Kept:
        """Raises LinkRefused when the conversation was erased."""
        try:
            cipher = self._keys.cipher(key_owner(row.conversation_id))
        except KeyDestroyed:
            raise LinkRefused(Reason.UNKNOWN, row.bank_id) from None
        plain = json.loads(cipher.open(row.sealed, _place(row.token_hash)))
        trip = Secrets(plain["state"], plain["verifier"], plain["nonce"]) if "state" in plain else None
        return Kept(plain["waiting"], trip, plain.get("code", ""))


def _place(token_hash: str) -> str:
    return f"link_attempts.sealed:{token_hash}"
