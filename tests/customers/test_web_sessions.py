"""Browsers of the web page: who is let into which conversation, for how long, and by which token of the bank."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import text
from support.installation import settings_in

from assistant.banking import clock
from assistant.customers.identity import Identities
from assistant.customers.web_sessions import LIFE, TICKET_LIFE, TicketRefused, Tickets, WebSessions
from assistant.storage.open import Storage, open_storage

KEY = ECKey.generate_key("P-256", {"kid": "bank-1"})
OTHER = ECKey.generate_key("P-256", {"kid": "bank-1"})
IDLE = timedelta(minutes=15)


@pytest.fixture
def storage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    monkeypatch.setenv("TELLERLINE_CLOCK", "2026-03-15T16:00:00Z")
    storage = open_storage(settings_in(tmp_path))
    yield storage
    storage.database.dispose()


@pytest.fixture
def sessions(storage: Storage) -> WebSessions:
    return WebSessions(storage.database, Identities(storage.database, storage.keys), IDLE)


@pytest.fixture
def tickets(tmp_path: Path) -> Tickets:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(KeySet([KEY]).as_dict(private=False)))
    loaded = Tickets.load(path)
    assert loaded
    return loaded


def signed(key: Any = KEY, algorithm: str = "ES256", **changes: Any) -> str:
    now = int(clock.now().timestamp())
    claims = {"aud": "tellerline", "sub": "client-7", "jti": "once", "iat": now, "exp": now + 120, **changes}
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": algorithm, "kid": "bank-1"}, claims, key, algorithms=[algorithm])


def later(monkeypatch: pytest.MonkeyPatch, span: timedelta) -> None:
    monkeypatch.setenv("TELLERLINE_CLOCK", (clock.now() + span).isoformat())


def test_two_guests_never_share_a_conversation(sessions: WebSessions) -> None:
    (first, one), (second, two) = sessions.begin(), sessions.begin()
    assert first != second and one.conversation_id != two.conversation_id and one.guest
    found = sessions.find(first)
    assert found and found.conversation_id == one.conversation_id


def test_whoever_signs_in_again_comes_back_to_her_conversation(sessions: WebSessions, tickets: Tickets) -> None:
    _, morning = sessions.begin(tickets.read(signed(jti="1")))
    _, evening = sessions.begin(tickets.read(signed(jti="2")))
    _, another = sessions.begin(tickets.read(signed(jti="3", sub="client-8")))
    assert morning.conversation_id == evening.conversation_id != another.conversation_id
    assert not morning.guest


def test_a_guess_opens_nothing(sessions: WebSessions) -> None:
    secret, session = sessions.begin()
    known = (session.key, session.person, session.conversation_id)
    for guess in (*known, "", "x", secret[:-1], secret + "x", secret.swapcase()):
        assert sessions.find(guess) is None


def test_the_table_opens_nothing(sessions: WebSessions, storage: Storage, tickets: Tickets) -> None:
    token = signed()
    secret, _ = sessions.begin(tickets.read(token))
    with storage.database.engine.connect() as connection:
        rows = str(connection.execute(text("SELECT * FROM web_sessions")).all())
    assert secret not in rows and "client-7" not in rows and token not in rows and "once" not in rows


def test_a_silent_browser_is_signed_out(sessions: WebSessions, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, session = sessions.begin()
    later(monkeypatch, IDLE)
    assert sessions.find(secret), "to the minute"
    later(monkeypatch, timedelta(seconds=1))
    assert sessions.find(secret) is None and sessions.over(session.key) == sessions.why_over(secret) == "idle"


def test_use_keeps_it_open_but_not_for_ever(sessions: WebSessions, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, _ = sessions.begin()
    for _ in range(int(LIFE / timedelta(minutes=10))):
        later(monkeypatch, timedelta(minutes=10))
        found = sessions.find(secret)
        assert found
        sessions.used(found)
    later(monkeypatch, timedelta(seconds=1))
    assert sessions.find(secret) is None


def test_signing_out_ends_this_browser_alone(sessions: WebSessions, tickets: Tickets) -> None:
    phone, _ = sessions.begin(tickets.read(signed(jti="1")))
    desk, session = sessions.begin(tickets.read(signed(jti="2")))
    sessions.end(session)
    assert sessions.find(desk) is None and sessions.why_over(desk) == "left" and sessions.find(phone)


def test_a_token_works_once_even_after_signing_out(sessions: WebSessions, tickets: Tickets) -> None:
    token = signed()
    _, session = sessions.begin(tickets.read(token))
    sessions.end(session)
    sessions.forget_old()
    with pytest.raises(TicketRefused, match="used"):
        sessions.begin(tickets.read(token))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "somebody-else"},
        {"aud": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"jti": None},
        {"exp": None},
        {"iat": None},
        {"exp": 1},
        {"iat": 4_102_444_800},
        {"exp": 4_102_444_800},
    ],
    ids=str,
)
def test_a_token_that_says_too_little_or_too_much(tickets: Tickets, claims: dict[str, Any]) -> None:
    with pytest.raises(TicketRefused):
        tickets.read(signed(**claims))


def test_a_token_may_not_live_longer_than_it_takes_to_come_in(tickets: Tickets) -> None:
    now = int(clock.now().timestamp())
    longest = int(TICKET_LIFE.total_seconds())
    assert tickets.read(signed(exp=now + longest)).subject == "client-7"
    with pytest.raises(TicketRefused):
        tickets.read(signed(exp=now + longest + 1))


def test_a_token_of_another_key_or_of_none(tickets: Tickets) -> None:
    head, body, _ = signed().split(".")
    unsigned = "eyJhbGciOiJub25lIn0." + body + "."
    # The public key as a shared secret: the mistake of RFC 8725 2.1.
    hs256 = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"bank-1"}').rstrip(b"=").decode()
    mac = hmac.digest(KEY.as_pem(private=False), f"{hs256}.{body}".encode(), "sha256")
    confused = f"{hs256}.{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    for forged in (signed(OTHER), unsigned, confused, f"{head}.{body}.", f"{head}.{body}.AAAA", "", "x", "a.b.c"):
        with pytest.raises(TicketRefused):
            tickets.read(forged)


def test_a_private_key_has_no_business_here(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(KeySet([KEY]).as_dict(private=True)))
    with pytest.raises(ValueError, match="private"):
        Tickets.load(path)
    path.write_text("{}")
    with pytest.raises(ValueError, match="public keys"):
        Tickets.load(path)
    assert Tickets.load(None) is None


def test_no_secret_shows(tickets: Tickets) -> None:
    assert "client-7" not in repr(tickets.read(signed()))
