from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import parse_qs

import pytest
from support.bank_server import Asked, BankServer, Said
from support.token_store import MemoryTokenStore, tokens

from assistant.banking.errors import BankingError, BankUnavailable, LinkExpired
from assistant.connectors.fdx import FdxConnector
from assistant.connectors.http import BankHttp
from assistant.connectors.oauth import Credentials, client_proof, parse_tokens
from assistant.connectors.profiles import Bearer, ClientAuth, OAuthProfile, ProfileError
from assistant.connectors.tokens import TokenSet

NOW = datetime(2026, 3, 15, 12, tzinfo=timezone.utc)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLERLINE_CLOCK", NOW.isoformat())


class RotatingBank:
    """Takes each refresh token once, and each access token until the next refresh."""

    def __init__(self, refusal: Said | None = None) -> None:
        self.generation = 1
        self.refusal = refusal
        self.refreshes = 0
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Said:
        if asked.path == "/token":
            with self._lock:
                self.refreshes += 1
                if self.refusal:
                    return self.refusal
                given = parse_qs(asked.body)
                if given["refresh_token"] != [f"refresh-{self.generation}"]:
                    return Said({"error": "invalid_grant"}, 400)
                self.generation += 1
                return Said(
                    {
                        "access_token": f"access-{self.generation}",
                        "refresh_token": f"refresh-{self.generation}",
                        "id_token": f"id-{self.generation}",
                        "expires_in": 900,
                    }
                )
        if asked.headers["authorization"] not in (f"Bearer access-{self.generation}", f"Bearer id-{self.generation}"):
            return Said({"code": "603", "message": "Authentication failed"}, 401)
        return Said({"accounts": [{"accountCategory": "DEPOSIT_ACCOUNT", "accountId": "1", "accountType": "CHECKING"}]})


def connector(bank: BankServer, store: MemoryTokenStore, **profile: Any) -> FdxConnector:
    changed = bank.profile(**profile)
    http = BankHttp(changed)
    return FdxConnector(changed, http, Credentials(changed, store, http), time_zone="America/New_York")


def test_a_token_about_to_end_is_renewed_before_the_call(serve: Any) -> None:
    rotating = RotatingBank()
    bank = serve(rotating)
    store = MemoryTokenStore(tokens(expires_at=NOW + timedelta(seconds=5)))
    connector(bank, store).accounts()
    assert [asked.path for asked in bank.asked] == ["/token", "/fdx/accounts"]
    assert store.load().access_token == "access-2"
    assert store.load().expires_at == NOW + timedelta(seconds=900)


def test_new_tokens_are_saved_before_they_are_used(serve: Any) -> None:
    """If saving fails, the new access token must not have been sent: a restart would not know it."""
    rotating = RotatingBank()
    bank = serve(rotating)

    class FullDisk(MemoryTokenStore):
        def save(self, tokens: TokenSet) -> None:
            raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        connector(bank, FullDisk(tokens(expires_at=NOW))).accounts()
    assert [asked.path for asked in bank.asked] == ["/token"]


def test_a_refused_token_is_renewed_once_and_the_call_repeated_once(serve: Any) -> None:
    rotating = RotatingBank()
    rotating.generation = 2
    bank = serve(rotating)
    store = MemoryTokenStore(tokens("access-stale", "refresh-2"))
    assert len(connector(bank, store).accounts()) == 1
    assert rotating.refreshes == 1


def test_a_bank_that_refuses_every_token_is_not_asked_for_ever(serve: Any) -> None:
    refreshed = {"access_token": "a", "refresh_token": "r"}
    bank = serve(lambda asked: Said(refreshed) if asked.path == "/token" else Said({"code": 603}, 401))
    with pytest.raises(LinkExpired):
        connector(bank, MemoryTokenStore(tokens())).accounts()
    assert [asked.path for asked in bank.asked] == ["/fdx/accounts", "/token", "/fdx/accounts"]


def test_reconsent_is_never_answered_with_a_refresh(serve: Any) -> None:
    for status in (401, 403):
        bank = serve(lambda asked, status=status: Said({"code": "602"}, status))
        with pytest.raises(LinkExpired) as caught:
            connector(bank, MemoryTokenStore(tokens())).accounts()
        assert caught.value.code == "602"
        assert len(bank.asked) == 1


def test_who_waited_for_the_lock_takes_what_the_holder_fetched(serve: Any) -> None:
    rotating = RotatingBank()
    rotating.generation = 2
    bank = serve(rotating)

    class OtherProcess(MemoryTokenStore):
        """While we wait for the lock another process refreshes."""

        def lock(self) -> Any:
            self._held = tokens("access-2", "refresh-2")
            return super().lock()

    store = OtherProcess(tokens("access-1", "refresh-1"))
    assert len(connector(bank, store).accounts()) == 1
    assert rotating.refreshes == 0
    assert store.saved == []


@pytest.mark.parametrize("expired", [True, False])
def test_many_at_once_refresh_once(serve: Any, expired: bool) -> None:
    rotating = RotatingBank()
    rotating.generation = 1 if expired else 7
    bank = serve(rotating)
    held = tokens(expires_at=NOW) if expired else tokens("access-stale", "refresh-7", NOW + timedelta(hours=1))
    store = MemoryTokenStore(held)
    found: list[int] = []
    threads = [threading.Thread(target=lambda: found.append(len(connector(bank, store).accounts()))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert found == [1] * 10
    assert rotating.refreshes == 1


@pytest.mark.parametrize(
    ("refusal", "error"),
    [
        (Said({"error": "invalid_grant"}, 400), LinkExpired),
        (Said({"error": "invalid_grant"}, 401), LinkExpired),
        (Said({"error": "invalid_client"}, 401), BankUnavailable),
        (Said({"error": "made up"}, 400), BankUnavailable),
        (Said(raw=b"<html>sorry</html>", status=500), BankUnavailable),
        (Said(status=503), BankUnavailable),
        (Said({"token_type": "Bearer"}), BankUnavailable),
        (Said(raw=b"not json"), BankUnavailable),
        (Said([1]), BankUnavailable),
    ],
)
def test_a_refresh_is_tried_once_and_its_refusal_understood(
    serve: Any, refusal: Said, error: type[BankingError]
) -> None:
    rotating = RotatingBank(refusal)
    bank = serve(rotating)
    store = MemoryTokenStore(tokens(expires_at=NOW))
    with pytest.raises(error) as caught:
        connector(bank, store).accounts()
    assert type(caught.value) is error
    assert rotating.refreshes == 1
    assert store.saved == []


def test_while_the_old_token_lasts_a_failing_token_endpoint_is_no_outage(serve: Any) -> None:
    rotating = RotatingBank(Said(status=503))
    bank = serve(rotating)
    store = MemoryTokenStore(tokens(expires_at=NOW + timedelta(seconds=10)))
    assert len(connector(bank, store).accounts()) == 1


def test_without_a_refresh_token_the_link_has_expired(serve: Any) -> None:
    bank = serve(RotatingBank())
    with pytest.raises(LinkExpired):
        connector(bank, MemoryTokenStore(tokens(refresh="", expires_at=NOW))).accounts()
    assert bank.asked == []


def test_an_aggregator_may_want_the_id_token_as_bearer(serve: Any) -> None:
    rotating = RotatingBank()
    bank = serve(rotating)
    oauth = OAuthProfile(token_url=f"{bank.url}/token", client_id="us", bearer=Bearer.ID_TOKEN)
    store = MemoryTokenStore(tokens(id_token="id-0"))
    assert len(connector(bank, store, oauth=oauth).accounts()) == 1
    assert bank.asked[-1].headers["authorization"] == "Bearer id-2"


def test_what_a_refresh_leaves_out_stays() -> None:
    before = tokens(refresh="keep", id_token="id", consent_id="c1")
    after = parse_tokens({"access_token": "new", "refresh_token": None, "expires_in": "60"}, before)
    assert after == TokenSet("new", "keep", NOW + timedelta(seconds=60), "accounts", "id", "c1")
    assert parse_tokens({"access_token": "a", "expires_in": "soon"}).expires_at is None
    for body in (None, [], {}, {"access_token": ""}, {"access_token": 5}):
        with pytest.raises(ValueError, match="no access token"):
            parse_tokens(body)


def test_how_the_client_shows_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SECRET", "s:ecret")
    oauth = OAuthProfile(client_id="us", client_secret_env="TEST_SECRET", client_auth=ClientAuth.BASIC)
    assert client_proof(oauth) == ({"Authorization": "Basic dXM6cyUzQWVjcmV0"}, {})
    oauth = OAuthProfile(client_id="us", client_secret_env="TEST_SECRET", client_auth=ClientAuth.POST)
    assert client_proof(oauth) == ({}, {"client_id": "us", "client_secret": "s:ecret"})
    monkeypatch.delenv("TEST_SECRET")
    with pytest.raises(ProfileError, match="TEST_SECRET"):
        client_proof(oauth)


def test_no_secret_is_logged_or_raised(serve: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, logger="assistant")
    bank = serve(RotatingBank(Said({"error": "secret-1", "error_description": "secret-2"}, 400)))
    store = MemoryTokenStore(tokens("secret-3", "secret-4", NOW, id_token="secret-5"))
    with pytest.raises(BankUnavailable) as caught:
        connector(bank, store).accounts()
    assert "secret" not in caplog.text + str(caught.value) + caught.value.code + repr(store.load()) + str(store.load())


class TestRevoke:
    def test_the_consent_goes_first_then_the_refresh_token(self, serve: Any) -> None:
        bank = serve(lambda asked: Said(status=204))
        store = MemoryTokenStore(tokens(consent_id="c/1"))
        connector(bank, store, consent_revocation_path="/consents/{consent_id}/revocation").revoke()
        assert [(asked.method, asked.path) for asked in bank.asked] == [
            ("PUT", "/fdx/consents/c%2F1/revocation"),
            ("POST", "/revoke"),
            ("POST", "/revoke"),
        ]
        assert "token=refresh-1" in bank.asked[1].body
        assert '"reason": "USER_ACTION"' in bank.asked[0].body

    @pytest.mark.parametrize("status", [200, 204, 400, 401, 404, 409])
    def test_what_is_dead_already_is_revoked(self, serve: Any, status: int) -> None:
        bank = serve(lambda asked: Said({}, 409 if asked.method == "PUT" else status))
        store = MemoryTokenStore(tokens(consent_id="c1"))
        connector(bank, store, consent_revocation_path="/consents/{consent_id}/revocation").revoke()

    def test_a_bank_that_is_down_is_an_error_to_be_repeated(self, serve: Any) -> None:
        bank = serve(lambda asked: Said(status=503))
        with pytest.raises(BankUnavailable):
            connector(bank, MemoryTokenStore(tokens())).revoke()

    def test_a_link_that_is_gone_has_nothing_to_revoke(self, serve: Any) -> None:
        bank = serve(lambda asked: Said())
        connector(bank, MemoryTokenStore(None)).revoke()
        assert bank.asked == []
