"""What a handler gives back, and the FDX errors it may raise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Answer:
    """A JSON body (None for no content) and how to send it."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class FdxError(Exception):
    """An FDX error: ``{"code", "message"}`` and its HTTP status."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = dict(headers or {})

    def answer(self) -> Answer:
        return Answer({"code": self.code, "message": self.message}, self.status, self.headers)


def invalid_input(message: str) -> FdxError:
    return FdxError(400, "401", message)


def not_authorized(version: int) -> FdxError:
    """602: the consent does not cover it. HTTP 401 up to FDX 5, 403 from 6."""
    return FdxError(403 if version >= 6 else 401, "602", "Customer not authorized")


def unauthenticated() -> FdxError:
    return FdxError(401, "603", "Authentication failed", {"WWW-Authenticate": 'Bearer error="invalid_token"'})


def no_account() -> FdxError:
    return FdxError(404, "701", "Account not found")


class OAuthError(Exception):
    """RFC 6749 section 5.2."""

    def __init__(self, error: str, description: str = "", status: int = 400) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
        self.status = status

    def answer(self) -> Answer:
        body = {"error": self.error}
        if self.description:
            body["error_description"] = self.description
        return Answer(body, self.status, {"Cache-Control": "no-store"})
