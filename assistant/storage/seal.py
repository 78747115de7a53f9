"""Sealing: authenticated encryption of what rests in the database.

Envelope encryption. Each owner (a customer, a conversation) has a random data key; the data key is wrapped
by a master key that never touches the database. AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from typing import Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = b"\x01"


class Unreadable(Exception):
    """Sealed bytes that this key does not open: changed, moved, or sealed by another key."""


class Cipher:
    """Seals values of one owner.

    ``place`` says where the value lives, as "bank_links.tokens:chase". It is bound to the value together
    with the owner, so a sealed value that is copied to another row, column or owner does not open.
    """

    def __init__(self, key: bytes, owner: str, key_id: str) -> None:
        self._aead = AESGCM(key)
        # A key of its own for MACs, so that one key never serves two algorithms.
        self._mac_key = hmac.digest(key, b"tellerline mac", "sha256")
        self.owner = owner
        self.key_id = key_id

    def __repr__(self) -> str:
        return f"Cipher(owner={self.owner!r})"

    def seal(self, plain: bytes, place: str) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        return _VERSION + nonce + self._aead.encrypt(nonce, plain, self._bound(place))

    def open(self, sealed: bytes, place: str) -> bytes:
        """Raises Unreadable."""
        if sealed[:1] != _VERSION:
            raise Unreadable("not sealed by this version")
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return self._aead.decrypt(nonce, body, self._bound(place))
        except (InvalidTag, ValueError) as error:
            raise Unreadable(f"cannot open {place.split(':')[0]}") from error

    def mac(self, message: bytes) -> bytes:
        """HMAC-SHA256 under a key that only this owner's data key gives."""
        return hmac.digest(self._mac_key, message, "sha256")

    def _bound(self, place: str) -> bytes:
        # Lengths first, so that no two pairs of owner and place give the same bytes.
        return b"".join(len(part).to_bytes(4, "big") + part for part in (self.owner.encode(), place.encode()))


class KeyWrapper(Protocol):
    """Wraps data keys. The one below uses a local master key; a KMS plugs in by having these three."""

    @property
    def id(self) -> str:
        """Names the master key without giving it away; kept beside each wrapped key."""

    def wrap(self, key: bytes, owner: str) -> bytes: ...

    def unwrap(self, wrapped: bytes, owner: str) -> bytes:
        """Raises Unreadable."""


class MasterKey:
    """A KeyWrapper over 32 bytes from the environment or a key file."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise ValueError(f"a master key has {KEY_BYTES} bytes")
        self.id = hashlib.sha256(b"tellerline master key id" + key).hexdigest()[:16]
        self._cipher = Cipher(key, "master", self.id)

    def __repr__(self) -> str:
        return f"MasterKey(id={self.id!r})"

    def wrap(self, key: bytes, owner: str) -> bytes:
        return self._cipher.seal(key, f"data_keys.wrapped:{owner}")

    def unwrap(self, wrapped: bytes, owner: str) -> bytes:
        return self._cipher.open(wrapped, f"data_keys.wrapped:{owner}")
