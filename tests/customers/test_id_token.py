"""What is believed of a bank's token answer when it carries an id_token (OpenID Connect Core 3.1.3.7)."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from assistant.banking.errors import BankUnavailable
from assistant.connectors.http import Answer, Deadline
from assistant.connectors.profiles import BankProfile, ClientAuth, OAuthProfile
from assistant.customers.oauth_link import LinkRefused, Reason, Secrets, check_identity, redeem

ISSUER, CLIENT = "https://bank.example", "tellerline"
PROFILE = BankProfile(
    id="bank",
    name="Bank",
    hosts=("bank.example",),
    oauth=OAuthProfile(
        token_url="https://bank.example/token",
        jwks_url="https://bank.example/jwks",
        issuer=ISSUER,
        scope="openid accounts",
        client_id=CLIENT,
        redirect_uri="https://us.example/callback",
    ),
)
KEY = RSAKey.generate_key(2048, {"kid": "k1"})
OTHER = RSAKey.generate_key(2048, {"kid": "k1"})
TRIP = Secrets("the-state", "the-verifier", "the-nonce")


class StubHttp:
    def __init__(self, id_token: str | None, status: int = 200, body: bytes | None = None) -> None:
        tokens = {"access_token": "a", "refresh_token": "r", "expires_in": 900, "id_token": id_token}
        self.answer = Answer(status, {}, json.dumps(tokens).encode() if body is None else body)
        self.sent: list[Mapping[str, str]] = []

    def deadline(self, seconds: float) -> Deadline:
        return Deadline(seconds)

    def send(self, method: str, url: str, **more: Any) -> Answer:
        self.sent.append({**more["form"], "url": url, "authorization": more["headers"].get("Authorization", "")})
        return self.answer

    def get(self, url: str, **more: Any) -> Answer:
        assert url == PROFILE.oauth.jwks_url
        return Answer(200, {}, json.dumps(KeySet([KEY]).as_dict(private=False)).encode())


def claims(**changes: Any) -> dict[str, Any]:
    now = int(time.time())
    found = {"iss": ISSUER, "aud": CLIENT, "sub": "someone", "iat": now, "exp": now + 300, "nonce": TRIP.nonce}
    return {name: value for name, value in {**found, **changes}.items() if value is not None}


def signed(key: Any = KEY, algorithm: str = "RS256", **changes: Any) -> str:
    return jwt.encode({"alg": algorithm, "kid": "k1"}, claims(**changes), key, algorithms=[algorithm])


def try_with(id_token: str | None, profile: BankProfile = PROFILE) -> StubHttp:
    http = StubHttp(id_token)
    tokens = redeem(profile, "the-code", TRIP, lambda _: http)  # type: ignore[arg-type,return-value]
    check_identity(profile, tokens, TRIP, lambda _: http)  # type: ignore[arg-type,return-value]
    return http


def test_a_sound_id_token_is_believed_and_the_request_is_exact() -> None:
    sent = try_with(signed()).sent[0]
    assert sent["grant_type"] == "authorization_code" and sent["code"] == "the-code"
    assert sent["code_verifier"] == TRIP.verifier and sent["redirect_uri"] == PROFILE.oauth.redirect_uri
    assert sent["client_id"] == CLIENT and sent["url"] == PROFILE.oauth.token_url


@pytest.mark.parametrize("aud", [[CLIENT], [CLIENT, "other"]])
def test_an_audience_list_with_us_as_authorized_party_is_believed(aud: list[str]) -> None:
    try_with(signed(aud=aud, azp=CLIENT))


def forged() -> str:
    """Signed with the bank's public key as if it were a shared secret (RFC 8725 2.1)."""
    body = signed().split(".")[1]
    head = base64.urlsafe_b64encode(b'{"alg":"HS256","kid":"k1"}').rstrip(b"=").decode()
    mac = hmac.digest(KEY.as_pem(private=False), f"{head}.{body}".encode(), "sha256")
    return f"{head}.{body}." + base64.urlsafe_b64encode(mac).rstrip(b"=").decode()


FORGED = forged()
NONE_ALGORITHM = "eyJhbGciOiJub25lIn0." + signed().split(".")[1] + "."


@pytest.mark.parametrize(
    "id_token",
    [
        None,
        "",
        "not a token",
        NONE_ALGORITHM,
        signed(OTHER),
        signed(iss="https://evil.example"),
        signed(iss=None),
        signed(aud="somebody else"),
        signed(aud=None),
        signed(aud=[CLIENT, "other"]),
        signed(aud=[CLIENT, "other"], azp="other"),
        signed(azp="other"),
        signed(exp=int(time.time()) - 3600),
        signed(exp=None),
        signed(iat=int(time.time()) + 3600),
        signed(sub=None),
        signed(nonce="another"),
        signed(nonce=None),
        FORGED,
        signed(ECKey.generate_key("P-256", {"kid": "k1"}), "ES256"),
        signed()[:-4] + "AAAA",
    ],
)
def test_any_other_links_nothing(id_token: str | None) -> None:
    with pytest.raises(LinkRefused) as raised:
        try_with(id_token)
    assert raised.value.reason is Reason.MISMATCH
    assert not id_token or id_token not in str(raised.value)


def test_without_openid_and_without_keys_the_id_token_is_only_carried() -> None:
    profile = replace(PROFILE, oauth=replace(PROFILE.oauth, scope="accounts", jwks_url=""))
    try_with("opaque to us", profile)


def test_openid_without_keys_to_check_with_is_refused() -> None:
    with pytest.raises(LinkRefused):
        try_with(signed(), replace(PROFILE, oauth=replace(PROFILE.oauth, jwks_url="")))


def test_a_confidential_client_shows_its_secret_in_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BANK_SECRET", "s3cret")
    oauth = replace(PROFILE.oauth, client_auth=ClientAuth.BASIC, client_secret_env="BANK_SECRET")
    sent = try_with(signed(), replace(PROFILE, oauth=oauth)).sent[0]
    assert sent["authorization"].startswith("Basic ") and "client_secret" not in sent


@pytest.mark.parametrize(("status", "error"), [(400, LinkRefused), (401, LinkRefused), (429, BankUnavailable),
                                               (500, BankUnavailable)])  # fmt: skip
def test_a_refusal_and_an_outage_are_told_apart(status: int, error: type[Exception]) -> None:
    http = StubHttp(None, status)
    with pytest.raises(error):
        redeem(PROFILE, "the-code", TRIP, lambda _: http)  # type: ignore[arg-type,return-value]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"<html>", b'{"access_token": 5}'])
def test_nonsense_for_tokens_is_refused(body: bytes) -> None:
    http = StubHttp(None, body=body)
    with pytest.raises(LinkRefused) as raised:
        redeem(PROFILE, "the-code", TRIP, lambda _: http)  # type: ignore[arg-type,return-value]
    assert raised.value.reason is Reason.BANK
