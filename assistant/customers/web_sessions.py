"""Browsers that talk to us: who may read and write which conversation of the web page.

A session is minted here and known by a secret that only the browser holds; the table has its hash. Whose
conversation it is follows from the bank's own log-in, or is nobody's yet. Nothing that a browser says about itself is
believed, and nothing of a session outlives it.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError

from assistant.banking import clock
from assistant.customers.identity import Identities
from assistant.customers.one_time import digest
from assistant.storage.db import Database
from assistant.storage.tables import WebSessionRow

CHANNEL = "web"
#: Whoever signed in this morning signs in again at night, however busy she was.
LIFE = timedelta(hours=12)
#: A bank's token is made for this one moment.
TICKET_LIFE = timedelta(minutes=5)
AUDIENCE = "tellerline"
#: Use is written down no more often than this: every message would be a write otherwise.
_GRAIN = timedelta(seconds=20)
_LEEWAY = 30
_ALGORITHMS = ["ES256", "RS256", "PS256", "EdDSA"]


class TicketRefused(Exception):
    """The bank's token does not let anybody in. ``why`` is a word for the log."""

    def __init__(self, why: str) -> None:
        super().__init__(f"ticket refused: {why}")
        self.why = why


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a bank's own log-in says: who it is, in the bank's own terms, and by which token."""

    subject: str = field(repr=False)
    hash: str


@dataclass(frozen=True, slots=True)
class WebSession:
    """``key`` names it, and opens nothing. ``person`` is the channel's id of who uses it, ``conversation_id`` ours.
    A ``guest`` did not say who she is: nobody can come into her conversation again once the session is over."""

    key: str
    person: str
    guest: bool
    conversation_id: str
    started_at: datetime
    used_at: datetime


class Tickets:
    """Reads tokens signed by the bank: a JWT (RFC 7519) with aud, sub, exp, iat and jti, at most five minutes long."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys

    @classmethod
    def load(cls, path: Path | None) -> Tickets | None:
        """From a file with the bank's public keys as a JWK set (RFC 7517); None without one. Raises ValueError."""
        if path is None:
            return None
        try:
            keys = KeySet.import_key_set(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, KeyError, JoseError) as error:
            raise ValueError(f"{path} is not a set of public keys ({type(error).__name__})") from None
        if any(key.is_private for key in keys.keys):
            raise ValueError(f"{path} holds a private key: it belongs with the bank's log-in, not here")
        return cls(keys)

    def read(self, token: str) -> Ticket:
        """Raises TicketRefused."""
        wanted: dict[str, Any] = {name: {"essential": True} for name in ("exp", "iat", "sub", "jti")}
        wanted["aud"] = {"essential": True, "value": AUDIENCE}
        registry = jwt.JWTClaimsRegistry(now=int(clock.now().timestamp()), leeway=_LEEWAY, **wanted)
        try:
            claims: Mapping[str, Any] = jwt.decode(token, self._keys, algorithms=_ALGORITHMS).claims
            registry.validate(dict(claims))
            lasts = timedelta(seconds=int(claims["exp"]) - int(claims["iat"]))
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise TicketRefused(type(error).__name__) from None
        subject, identifier = claims["sub"], claims["jti"]
        if not (isinstance(subject, str) and subject and isinstance(identifier, str) and identifier):
            raise TicketRefused("no_subject")
        if not timedelta(0) < lasts <= TICKET_LIFE:
            raise TicketRefused("too_long")
        return Ticket(subject, digest(f"{claims.get('iss', '')}\n{identifier}"))


class WebSessions:
    def __init__(self, database: Database, identities: Identities, idle: timedelta) -> None:
        """``idle``: how long a browser may be silent before it is signed out."""
        self._database = database
        self._identities = identities
        self.idle = idle

    def begin(self, ticket: Ticket | None = None) -> tuple[str, WebSession]:
        """A new session and the secret that the browser keeps. Without a ticket the conversation is a new one that
        nobody else can ever come into. Raises TicketRefused for one that was used before."""
        subject = ("signed in", ticket.subject) if ticket else ("guest", secrets.token_urlsafe(32))
        person = self._identities.keyed_hash("web person", *subject)
        secret = secrets.token_urlsafe(32)
        now = clock.now()
        row = WebSessionRow(
            token_hash=digest(secret),
            person=person,
            conversation_id=self._identities.conversation_id(CHANNEL, person),
            ticket_hash=ticket.hash if ticket else None,
            started_at=now,
            used_at=now,
            ended=False,
        )
        session = _session(row)
        try:
            with self._database.write() as writing:
                writing.add(row)
        except IntegrityError:
            raise TicketRefused("used") from None
        return secret, session

    def find(self, secret: str) -> WebSession | None:
        """None for what is unknown, ended, idle for too long, or too old."""
        with self._database.read() as reading:
            row = reading.get(WebSessionRow, digest(secret)) if secret else None
        return _session(row) if row is not None and self._is_open(row) else None

    def over(self, key: str) -> str:
        """Why the session with this key is over: "idle" (also when it was simply too long), "left" (signed out,
        erased, never was); "" when it is not."""
        with self._database.read() as reading:
            row = reading.get(WebSessionRow, key)
        if row is None or row.ended:
            return "left"
        return "" if self._is_open(row) else "idle"

    def why_over(self, secret: str) -> str:
        """As ``over``, by what the browser keeps."""
        return self.over(digest(secret)) if secret else "left"

    def used(self, session: WebSession) -> None:
        """The customer did something just now."""
        now = clock.now()
        if now - session.used_at < _GRAIN:
            return
        with self._database.quick_write() as connection:
            mine = WebSessionRow.token_hash == session.key
            connection.execute(update(WebSessionRow).where(mine).values(used_at=now))

    def end(self, session: WebSession) -> None:
        with self._database.write() as writing:
            writing.execute(update(WebSessionRow).where(WebSessionRow.token_hash == session.key).values(ended=True))

    def end_all(self, conversation_id: str) -> None:
        """In every browser."""
        with self._database.write() as writing:
            writing.execute(
                update(WebSessionRow).where(WebSessionRow.conversation_id == conversation_id).values(ended=True)
            )

    def forget_old(self) -> None:
        """Housekeeping. A ticket stays known for longer than it could be shown again."""
        with self._database.write() as writing:
            writing.execute(delete(WebSessionRow).where(WebSessionRow.started_at < clock.now() - 2 * LIFE))

    def _is_open(self, row: WebSessionRow) -> bool:
        now = clock.now()
        return not row.ended and now - row.used_at <= self.idle and now - row.started_at <= LIFE


def _session(row: WebSessionRow) -> WebSession:
    return WebSession(
        row.token_hash, row.person, row.ticket_hash is None, row.conversation_id, row.started_at, row.used_at
    )
