"""Consents and tokens, in a SQLite file so that a restarted sandbox still knows its customers' links.

Tokens, codes and request URIs are kept as SHA-256 digests only: each is 256 random bits, so a plain digest is enough.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from assistant.sandbox.records import Records

_SCHEMA = """
CREATE TABLE IF NOT EXISTS consent (
    id TEXT PRIMARY KEY, login TEXT NOT NULL, client_id TEXT NOT NULL, scope TEXT NOT NULL,
    accounts TEXT NOT NULL, clusters TEXT NOT NULL, status TEXT NOT NULL, created TEXT NOT NULL,
    updated TEXT NOT NULL, expires TEXT NOT NULL, terms TEXT NOT NULL, revocations TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS secret (
    digest TEXT PRIMARY KEY, kind TEXT NOT NULL, consent_id TEXT NOT NULL, expires TEXT NOT NULL,
    dead INTEGER NOT NULL DEFAULT 0, used INTEGER NOT NULL DEFAULT 0, data TEXT NOT NULL DEFAULT '{}');
CREATE INDEX IF NOT EXISTS secret_by_consent ON secret (consent_id);
"""


@dataclass(frozen=True, slots=True)
class Consent:
    """What the customer agreed to share. ``accounts`` are account keys; times are aware, UTC."""

    id: str
    login: str
    client_id: str
    scope: str
    accounts: tuple[str, ...]
    clusters: tuple[str, ...]
    status: str
    created: datetime
    updated: datetime
    expires: datetime
    terms: dict[str, Any]
    revocations: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class Secret:
    """A code, token or request URI as stored."""

    kind: str
    consent_id: str
    expires: datetime
    dead: bool
    used: bool
    data: dict[str, Any]


def digest(value: str) -> str:
    return hashlib.sha256(value.encode()).hexdigest()


class State:
    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        self._db = sqlite3.connect(str(path) if path else ":memory:", isolation_level=None)
        self._db.executescript(_SCHEMA)
        self.records = Records(self._db)

    def close(self) -> None:
        self._db.close()

    def add_consent(self, consent: Consent) -> None:
        self._db.execute(
            "INSERT INTO consent VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                consent.id, consent.login, consent.client_id, consent.scope, json.dumps(consent.accounts),
                json.dumps(consent.clusters), consent.status, consent.created.isoformat(), consent.updated.isoformat(),
                consent.expires.isoformat(), json.dumps(consent.terms), json.dumps(consent.revocations),
            ),
        )  # fmt: skip

    def consent(self, consent_id: str) -> Consent | None:
        row = self._db.execute("SELECT * FROM consent WHERE id = ?", (consent_id,)).fetchone()
        if row is None:
            return None
        return Consent(
            row[0], row[1], row[2], row[3], tuple(json.loads(row[4])), tuple(json.loads(row[5])), row[6],
            datetime.fromisoformat(row[7]), datetime.fromisoformat(row[8]), datetime.fromisoformat(row[9]),
            json.loads(row[10]), tuple(json.loads(row[11])),
        )  # fmt: skip

    def revoke_consent(self, consent: Consent, reason: str, initiator: str, now: datetime) -> None:
        """Mark it revoked. Its tokens are kept, so that they answer 602 (ask again) and not 603 (refresh)."""
        entry = {"status": "REVOKED", "reason": reason, "initiator": initiator, "updatedTime": _zulu(now)}
        self._db.execute(
            "UPDATE consent SET status = 'REVOKED', updated = ?, revocations = ? WHERE id = ?",
            (now.isoformat(), json.dumps([*consent.revocations, entry]), consent.id),
        )

    def issue(
        self, kind: str, consent_id: str, expires: datetime, data: dict[str, Any] | None = None, *, prefix: str = ""
    ) -> str:
        """A new random value of that kind; only its digest is kept."""
        value = prefix + secrets.token_urlsafe(32)
        self._db.execute(
            "INSERT INTO secret (digest, kind, consent_id, expires, data) VALUES (?,?,?,?,?)",
            (digest(value), kind, consent_id, expires.isoformat(), json.dumps(data or {})),
        )
        return value

    def find(self, kind: str, value: str) -> Secret | None:
        row = self._db.execute(
            "SELECT kind, consent_id, expires, dead, used, data FROM secret WHERE digest = ? AND kind = ?",
            (digest(value), kind),
        ).fetchone()
        if row is None:
            return None
        return Secret(row[0], row[1], datetime.fromisoformat(row[2]), bool(row[3]), bool(row[4]), json.loads(row[5]))

    def forget(self, before: datetime) -> None:
        """Drop codes, tokens and requests that ended before that (aware, UTC)."""
        self._db.execute("DELETE FROM secret WHERE expires < ?", (before.astimezone(timezone.utc).isoformat(),))

    def use(self, value: str) -> bool:
        """Mark as used; False when it already was. One statement, so two requests cannot both win."""
        cursor = self._db.execute("UPDATE secret SET used = 1 WHERE digest = ? AND used = 0", (digest(value),))
        return cursor.rowcount == 1

    def kill(self, value: str) -> None:
        self._db.execute("UPDATE secret SET dead = 1 WHERE digest = ?", (digest(value),))

    def kill_family(self, consent_id: str) -> None:
        """Every token that came from one authorization."""
        self._db.execute("UPDATE secret SET dead = 1 WHERE consent_id = ?", (consent_id,))


def _zulu(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")
