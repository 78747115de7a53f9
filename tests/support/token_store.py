"""A link's tokens in memory, with the promises of the real store: newest on load, kept on save, one lock holder."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from assistant.banking.errors import NotLinked
from assistant.connectors.oauth import parse_tokens
from assistant.connectors.tokens import TokenSet


def tokens(
    access: str = "access-1", refresh: str = "refresh-1", expires_at: datetime | None = None, **more: str
) -> TokenSet:
    return TokenSet(access, refresh, expires_at, "accounts", **more)


class MemoryTokenStore:
    def __init__(self, held: TokenSet | None = None) -> None:
        self._held = held
        self._lock = threading.Lock()
        self.saved: list[TokenSet] = []

    @classmethod
    def from_answer(cls, answer: dict[str, Any]) -> MemoryTokenStore:
        """Of a token endpoint's answer."""
        return cls(parse_tokens(answer))

    def load(self) -> TokenSet:
        if self._held is None:
            raise NotLinked
        return self._held

    def save(self, tokens: TokenSet) -> None:
        assert self._lock.locked(), "saved without holding the lock"
        self._held = tokens
        self.saved.append(tokens)

    @contextmanager
    def lock(self) -> Iterator[None]:
        with self._lock:
            yield
