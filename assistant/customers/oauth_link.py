"""The OAuth 2 side of linking: what is sent to a bank, and what is believed of its answers.

Authorization code with PKCE S256 (RFC 7636), pushed requests with authorization_details where the bank's
profile says so (RFC 9126, RFC 9396), ``iss`` in the callback (RFC 9207), id_token (OpenID Connect Core 3.1.3.7).
Everything goes through the bank's own client in connectors.http: allow-listed, with a deadline, never logged.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from assistant.banking import clock
from assistant.banking.errors import BankUnavailable
from assistant.connectors.http import Answer, BankHttp, Deadline
from assistant.connectors.oauth import client_proof, parse_tokens
from assistant.connectors.profiles import BankProfile
from assistant.connectors.tokens import TokenSet

#: Seconds for one exchange with the bank while the customer's browser waits.
PATIENCE = 10.0
#: Clocks differ by this many seconds at most.
_LEEWAY = 60
#: Asymmetric only: with a symmetric one, whoever knows our client secret could sign (RFC 8725 3.1).
_ALGORITHMS = ["RS256", "PS256", "ES256", "EdDSA"]

HttpOf = Callable[[BankProfile], BankHttp]


class Reason(str, Enum):
    """Why linking ended without a link."""

    UNKNOWN = "unknown"  #: no such attempt
    EXPIRED = "expired"
    USED = "used"
    DECLINED = "declined"  #: the customer said no at her bank
    MISMATCH = "mismatch"  #: the answer is not the answer to our question
    BANK = "bank"  #: the bank refused


class LinkRefused(Exception):
    """No link was made. ``reason`` chooses the wording (``error_link_<reason>``); ``code`` is for the log."""

    def __init__(self, reason: Reason, bank_id: str = "", code: str = "") -> None:
        super().__init__(f"link refused: {reason.value} {code}".rstrip())
        self.reason = reason
        self.bank_id = bank_id
        self.code = code

    @property
    def wording(self) -> str:
        return f"error_link_{self.reason.value}"


@dataclass(frozen=True, slots=True)
class Secrets:
    """What must come back, or be shown again, for one trip to the bank. Shows nothing in its repr."""

    state: str
    verifier: str
    nonce: str

    @classmethod
    def new(cls) -> Secrets:
        return cls(secrets.token_urlsafe(32), secrets.token_urlsafe(48), secrets.token_urlsafe(24))

    def __repr__(self) -> str:
        return "Secrets(***)"


def authorization_url(profile: BankProfile, trip: Secrets, http_of: HttpOf) -> str:
    """Where to send the customer's browser. Raises BankUnavailable, LinkRefused(BANK)."""
    oauth = profile.oauth
    request = {
        "response_type": "code",
        "redirect_uri": oauth.redirect_uri,
        "state": trip.state,
        "code_challenge": create_s256_code_challenge(trip.verifier),
        "code_challenge_method": "S256",
    }
    if oauth.scope:
        request["scope"] = oauth.scope
    if "openid" in oauth.scope.split():
        request["nonce"] = trip.nonce
    if oauth.use_par:
        if oauth.authorization_details:
            request["authorization_details"] = json.dumps([dict(each) for each in oauth.authorization_details])
        request = {"request_uri": _push(profile, request, http_of)}
    return str(add_params_to_uri(oauth.authorize_url, list({"client_id": oauth.client_id, **request}.items())))


def check_callback(profile: BankProfile, callback: Mapping[str, str]) -> str:
    """The code in the bank's answer. Raises LinkRefused."""
    issuer = profile.oauth.issuer
    if issuer and callback.get("iss") != issuer:
        # Another bank's answer brought to this one's place (RFC 9207 2.4).
        raise LinkRefused(Reason.MISMATCH, profile.id, "iss")
    error = callback.get("error", "")
    if error:
        reason = Reason.DECLINED if error == "access_denied" else Reason.BANK
        raise LinkRefused(reason, profile.id, "access_denied" if reason is Reason.DECLINED else "authorization_error")
    if not callback.get("code"):
        raise LinkRefused(Reason.MISMATCH, profile.id, "no_code")
    return callback["code"]


def redeem(profile: BankProfile, code: str, trip: Secrets, http_of: HttpOf) -> TokenSet:
    """Tokens for a code (RFC 6749 4.1.3). Sent once. Raises BankUnavailable, LinkRefused(BANK)."""
    http = http_of(profile)
    headers, proof = client_proof(profile.oauth)
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": profile.oauth.redirect_uri,
        "code_verifier": trip.verifier,
    }
    answer = http.send(
        "POST",
        profile.oauth.token_url,
        headers={"Accept": "application/json", **headers},
        form={**form, **proof},
        deadline=http.deadline(PATIENCE),
        operation="link",
    )
    _refuse_unless(answer, profile, "token", 200)
    try:
        return parse_tokens(answer.json())
    except (ValueError, RecursionError):
        raise LinkRefused(Reason.BANK, profile.id, "token_answer") from None


def check_identity(profile: BankProfile, tokens: TokenSet, trip: Secrets, http_of: HttpOf) -> None:
    """The id_token, where the bank's profile asks for one. Raises BankUnavailable, LinkRefused."""
    if "openid" in profile.oauth.scope.split() or (tokens.id_token and profile.oauth.jwks_url):
        _check_id_token(profile, tokens.id_token, trip.nonce, http_of(profile))


def _push(profile: BankProfile, request: Mapping[str, str], http_of: HttpOf) -> str:
    http = http_of(profile)
    headers, proof = client_proof(profile.oauth)
    answer = http.send(
        "POST",
        profile.oauth.par_url,
        headers={"Accept": "application/json", **headers},
        form={"client_id": profile.oauth.client_id, **request, **proof},
        deadline=http.deadline(PATIENCE),
        operation="par",
    )
    _refuse_unless(answer, profile, "par", 200, 201)
    try:
        uri = answer.json()["request_uri"]
    except (ValueError, RecursionError, KeyError, TypeError):
        raise LinkRefused(Reason.BANK, profile.id, "par_answer") from None
    if not isinstance(uri, str) or not uri:
        raise LinkRefused(Reason.BANK, profile.id, "par_answer")
    return uri


def _check_id_token(profile: BankProfile, id_token: str, nonce: str, http: BankHttp) -> None:
    """OpenID Connect Core 3.1.3.7. Raises LinkRefused(MISMATCH)."""
    oauth = profile.oauth
    wanted: dict[str, Any] = {name: {"essential": True} for name in ("exp", "iat", "sub")}
    wanted["iss"] = {"essential": True, "value": oauth.issuer}
    wanted["aud"] = {"essential": True, "value": oauth.client_id}
    if "openid" in oauth.scope.split():
        wanted["nonce"] = {"essential": True, "value": nonce}
    registry = jwt.JWTClaimsRegistry(now=int(clock.now().timestamp()), leeway=_LEEWAY, **wanted)
    try:
        token = jwt.decode(id_token, _keys(profile, http, http.deadline(PATIENCE)), algorithms=_ALGORITHMS)
        registry.validate(token.claims)
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise LinkRefused(Reason.MISMATCH, profile.id, f"id_token_{type(error).__name__}") from None
    audience = token.claims["aud"]
    several = isinstance(audience, list) and len(audience) > 1
    if token.claims.get("azp", None if several else oauth.client_id) != oauth.client_id:
        raise LinkRefused(Reason.MISMATCH, profile.id, "id_token_azp")


def _keys(profile: BankProfile, http: BankHttp, deadline: Deadline) -> KeySet:
    if not profile.oauth.jwks_url:
        raise LinkRefused(Reason.MISMATCH, profile.id, "no_jwks_url")
    answer = http.get(
        profile.oauth.jwks_url,
        params={},
        headers=lambda: {"Accept": "application/json"},
        deadline=deadline,
        operation="jwks",
    )
    _refuse_unless(answer, profile, "jwks", 200)
    return KeySet.import_key_set(answer.json())


def _refuse_unless(answer: Answer, profile: BankProfile, step: str, *statuses: int) -> None:
    if answer.status in statuses:
        return
    code = f"{step}_http_{answer.status}"
    if answer.status >= 500 or answer.status == 429:
        raise BankUnavailable(code, bank_id=profile.id, code=code)
    raise LinkRefused(Reason.BANK, profile.id, code)
