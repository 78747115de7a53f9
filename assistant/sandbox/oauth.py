"""OAuth 2 as the bank runs it: authorization code with PKCE S256 (RFC 7636), pushed requests (RFC 9126) with
authorization_details (RFC 9396), issuer in the answer (RFC 9207), exact redirects with loopback ports free
(RFC 8252 section 7.3), rotating refresh tokens, revocation (RFC 7009), metadata (RFC 8414).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from assistant.sandbox.answers import Answer, OAuthError
from assistant.sandbox.customers import PASSWORD, find
from assistant.sandbox.people import Person
from assistant.sandbox.shapes import stamp
from assistant.sandbox.state import Consent, State
from assistant.sandbox.time import SandboxClock

CODE_LIFE = timedelta(seconds=60)
REQUEST_LIFE = timedelta(seconds=60)
LOGIN_LIFE = timedelta(minutes=10)
ACCESS_LIFE = timedelta(minutes=15)
REFRESH_LIFE = timedelta(days=365)
MAX_LOGIN_TRIES = 5
MAX_CONSENT_DAYS = 365

#: OAuth scope to FDX data cluster.
CLUSTERS: Mapping[str, str] = {
    "fdx:accountbasic:read": "ACCOUNT_BASIC",
    "fdx:accountdetailed:read": "ACCOUNT_DETAILED",
    "fdx:transactions:read": "TRANSACTIONS",
    "fdx:customerpersonal:read": "CUSTOMER_PERSONAL",
    "tellerline:cards:write": "CARD_CONTROLS",
    "tellerline:disputes:write": "DISPUTES",
}
_SCOPES = {cluster: scope for scope, cluster in CLUSTERS.items()}
_DETAILS_TYPE = "fdx_v1.0"
_CHALLENGE = re.compile(r"^[A-Za-z0-9_-]{43}$")
_VERIFIER = re.compile(r"^[A-Za-z0-9._~-]{43,128}$")
_REQUEST_URN = "urn:ietf:params:oauth:request_uri:"


@dataclass(frozen=True, slots=True)
class Client:
    """A registered public client. ``loopback_paths`` may be used on 127.0.0.1 with any port."""

    id: str
    name: str
    redirects: tuple[str, ...]
    loopback_paths: tuple[str, ...]

    def allows(self, redirect_uri: str) -> bool:
        if redirect_uri in self.redirects:
            return True
        try:
            parts = urlsplit(redirect_uri)
            port = parts.port
        except ValueError:
            return False
        host = "127.0.0.1" if port is None else f"127.0.0.1:{port}"
        return parts.path in self.loopback_paths and redirect_uri == f"http://{host}{parts.path}"


CLIENTS: Mapping[str, Client] = {
    "tellerline-dev": Client(
        "tellerline-dev",
        "Tellerline (development)",
        ("http://127.0.0.1:5005/link/callback",),
        ("/callback", "/link/callback"),
    )
}


class BadClient(Exception):
    """The client or its redirect is not known, so the browser must not be sent there (RFC 6749 section 3.1.2.4)."""


class SendBack(Exception):
    """Send the browser back to the client with an error."""

    def __init__(self, url: str) -> None:
        super().__init__("authorization refused")
        self.url = url


@dataclass(slots=True)
class Interaction:
    """One customer on her way through login and consent. Lost at a restart; she begins again."""

    request: dict[str, Any]
    expires: Any
    csrf: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    login: str = ""
    tries: int = 0

    @property
    def client(self) -> Client:
        return CLIENTS[self.request["client_id"]]

    @property
    def clusters(self) -> tuple[str, ...]:
        return tuple(CLUSTERS[scope] for scope in self.request["scope"].split())

    @property
    def person(self) -> Person:
        person = find(self.login)
        if person is None:
            raise KeyError(self.login)
        return person


class OAuth:
    def __init__(self, state: State, clock: SandboxClock, issuer: str) -> None:
        self._state = state
        self._clock = clock
        self.issuer = issuer
        self._interactions: dict[str, Interaction] = {}
        # A day more than they live, so that a replay shortly after the end is still recognised.
        state.forget(clock.now() - timedelta(days=1))

    def metadata(self) -> Answer:
        base = self.issuer
        return Answer(
            {
                "issuer": base,
                "authorization_endpoint": f"{base}/oauth/authorize",
                "token_endpoint": f"{base}/oauth/token",
                "revocation_endpoint": f"{base}/oauth/revoke",
                "pushed_authorization_request_endpoint": f"{base}/oauth/par",
                "response_types_supported": ["code"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
                "revocation_endpoint_auth_methods_supported": ["none"],
                "scopes_supported": list(CLUSTERS),
                "authorization_details_types_supported": [_DETAILS_TYPE],
                "authorization_response_iss_parameter_supported": True,
            }
        )

    def push(self, form: Mapping[str, str]) -> Answer:
        """RFC 9126. Raises OAuthError."""
        client = _client(form)
        if not client.allows(form.get("redirect_uri", "")):
            raise OAuthError("invalid_request", "redirect_uri is not registered")
        if "request_uri" in form:
            raise OAuthError("invalid_request", "request_uri is not allowed here")
        request = _request(form)
        value = self._state.issue("request", "", self._clock.now() + REQUEST_LIFE, request, prefix=_REQUEST_URN)
        body = {"request_uri": value, "expires_in": int(REQUEST_LIFE.total_seconds())}
        return Answer(body, 201, {"Cache-Control": "no-store"})

    def begin(self, query: Mapping[str, str]) -> str:
        """The key of a new interaction. Raises BadClient or SendBack."""
        client = CLIENTS.get(query.get("client_id", ""))
        if client is None:
            raise BadClient("Unknown client")
        if uri := query.get("request_uri"):
            found = self._state.find("request", uri)
            live = found is not None and found.expires > self._clock.now()
            if found is None or not live or found.data.get("client_id") != client.id or not self._state.use(uri):
                raise BadClient("The request has expired")
            request = found.data
        else:
            redirect = query.get("redirect_uri", "")
            if not client.allows(redirect):
                raise BadClient("The address to return to is not registered")
            try:
                request = _request(query)
            except OAuthError as error:
                raise SendBack(self._back(redirect, query.get("state", ""), error=error.error)) from error
        now = self._clock.now()
        self._interactions = {key: value for key, value in self._interactions.items() if value.expires > now}
        key = secrets.token_urlsafe(24)
        self._interactions[key] = Interaction(request, now + LOGIN_LIFE)
        return key

    def interaction(self, key: str) -> Interaction:
        """Raises BadClient when there is none (any more)."""
        found = self._interactions.get(key)
        if found is None or found.expires <= self._clock.now():
            raise BadClient("This sign-in has expired")
        return found

    def sign_in(self, key: str, csrf: str, login: str, password: str) -> bool:
        """False for a wrong password; raises BadClient after too many, or for a forged form."""
        found = self._checked(key, csrf)
        found.tries += 1
        if found.tries > MAX_LOGIN_TRIES:
            del self._interactions[key]
            raise BadClient("Too many tries")
        right = hmac.compare_digest(password.encode(), PASSWORD.encode())
        if not right or find(login) is None:
            return False
        found.login = login
        found.csrf = secrets.token_urlsafe(24)
        return True

    def decide(self, key: str, csrf: str, accounts: list[str]) -> str:
        """Where to send the browser. ``accounts`` are the account ids she picked; none means she declined."""
        found = self._checked(key, csrf)
        if not found.login:
            raise BadClient("Sign in first")
        del self._interactions[key]
        request, person = found.request, found.person
        picked = tuple(spec.key for spec in person.accounts if person.account_id(spec.key) in accounts)
        if not picked:
            return self._back(request["redirect_uri"], request["state"], error="access_denied")
        now = self._clock.now()
        terms = request["terms"]
        consent = Consent(
            id=secrets.token_hex(12),
            login=found.login,
            client_id=request["client_id"],
            scope=request["scope"],
            accounts=picked,
            clusters=tuple(CLUSTERS[scope] for scope in request["scope"].split()),
            status="ACTIVE",
            created=now,
            updated=now,
            expires=now + timedelta(days=terms["durationPeriod"]),
            terms=terms,
            revocations=(),
        )
        self._state.add_consent(consent)
        data = {name: request[name] for name in ("client_id", "redirect_uri", "code_challenge")}
        code = self._state.issue("code", consent.id, now + CODE_LIFE, data)
        return self._back(request["redirect_uri"], request["state"], code=code)

    def _checked(self, key: str, csrf: str) -> Interaction:
        found = self.interaction(key)
        if not hmac.compare_digest(csrf.encode(), found.csrf.encode()):
            raise BadClient("This form is out of date")
        return found

    def _back(self, redirect_uri: str, state: str, **more: str) -> str:
        values = {**more, "iss": self.issuer}
        if state:
            values["state"] = state
        return f"{redirect_uri}?{urlencode(values)}"

    def token(self, form: Mapping[str, str]) -> Answer:
        """Raises OAuthError."""
        client = _client(form)
        grant = form.get("grant_type")
        if grant == "authorization_code":
            return self._exchange(client, form)
        if grant == "refresh_token":
            return self._refresh(client, form)
        raise OAuthError("unsupported_grant_type")

    def _exchange(self, client: Client, form: Mapping[str, str]) -> Answer:
        code = form.get("code", "")
        found = self._state.find("code", code)
        if found is None or found.data["client_id"] != client.id:
            raise OAuthError("invalid_grant", "unknown code")
        if not self._state.use(code):
            self._state.kill_family(found.consent_id)  # a stolen code: end what it gave (RFC 6749 section 4.1.2)
            raise OAuthError("invalid_grant", "code already used")
        verifier = form.get("code_verifier", "")
        hashed = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if (
            found.expires <= self._clock.now()
            or form.get("redirect_uri", "") != found.data["redirect_uri"]
            or not _VERIFIER.match(verifier)
            or not hmac.compare_digest(hashed, found.data["code_challenge"])
        ):
            raise OAuthError("invalid_grant", "code, redirect_uri and code_verifier do not belong together")
        return self._tokens(found.consent_id)

    def _refresh(self, client: Client, form: Mapping[str, str]) -> Answer:
        value = form.get("refresh_token", "")
        found = self._state.find("refresh", value)
        consent = self._state.consent(found.consent_id) if found else None
        if found is None or consent is None or consent.client_id != client.id:
            raise OAuthError("invalid_grant", "unknown refresh token")
        if not self._state.use(value):
            self._state.kill_family(found.consent_id)  # used twice: someone else has it
            raise OAuthError("invalid_grant", "refresh token already used")
        now = self._clock.now()
        if found.dead or found.expires <= now or consent.status != "ACTIVE" or consent.expires <= now:
            raise OAuthError("invalid_grant", "refresh token or consent has ended")
        return self._tokens(consent.id)

    def _tokens(self, consent_id: str) -> Answer:
        consent = self._state.consent(consent_id)
        if consent is None:
            raise OAuthError("invalid_grant", "no consent")
        now = self._clock.now()
        body = {
            "access_token": self._state.issue("access", consent.id, now + ACCESS_LIFE),
            "token_type": "Bearer",
            "expires_in": int(ACCESS_LIFE.total_seconds()),
            "refresh_token": self._state.issue("refresh", consent.id, now + REFRESH_LIFE),
            "refresh_token_expires_in": int(REFRESH_LIFE.total_seconds()),
            "scope": consent.scope,
            "fdxConsentId": consent.id,  # FDX's name; some banks say consent_id
            "consent_id": consent.id,
            "consented_on": stamp(consent.created),
        }
        return Answer(body, 200, {"Cache-Control": "no-store", "Pragma": "no-cache"})

    def revoke(self, form: Mapping[str, str]) -> Answer:
        """RFC 7009: 200 whether or not the token was known. A refresh token takes its whole family with it."""
        client = _client(form)
        value = form.get("token", "")
        for kind in ("access", "refresh"):
            found = self._state.find(kind, value)
            consent = self._state.consent(found.consent_id) if found else None
            if found is None or consent is None or consent.client_id != client.id:
                continue
            if kind == "refresh":
                self._state.kill_family(found.consent_id)
            else:
                self._state.kill(value)
        return Answer({}, 200, {"Cache-Control": "no-store"})


def _client(form: Mapping[str, str]) -> Client:
    client = CLIENTS.get(form.get("client_id", ""))
    if client is None:
        raise OAuthError("invalid_client", status=401)
    return client


def _request(form: Mapping[str, str]) -> dict[str, Any]:
    """A checked authorization request. Raises OAuthError."""
    if form.get("response_type") != "code":
        raise OAuthError("unsupported_response_type")
    if form.get("code_challenge_method") != "S256" or not _CHALLENGE.match(form.get("code_challenge", "")):
        raise OAuthError("invalid_request", "PKCE with S256 is required")
    terms, clusters = _terms(form.get("authorization_details", ""))
    scopes = form.get("scope", "").split() or [_SCOPES[cluster] for cluster in clusters]
    if not scopes or any(scope not in CLUSTERS for scope in scopes):
        raise OAuthError("invalid_scope", f"scopes are {' '.join(CLUSTERS)}")
    if clusters:
        scopes = [scope for scope in scopes if CLUSTERS[scope] in clusters]
        if not scopes:
            raise OAuthError("invalid_scope", "scope and authorization_details do not meet")
    return {
        "client_id": form["client_id"],
        "redirect_uri": form["redirect_uri"],
        "state": form.get("state", ""),
        "scope": " ".join(dict.fromkeys(scopes)),
        "code_challenge": form["code_challenge"],
        "terms": terms,
    }


def _terms(text: str) -> tuple[dict[str, Any], list[str]]:
    """The consent's terms and data clusters out of authorization_details (RFC 9396)."""
    terms: dict[str, Any] = {"durationType": "TIME_BOUND", "durationPeriod": MAX_CONSENT_DAYS, "lookbackPeriod": 730}
    if not text:
        return terms, []
    refused = OAuthError("invalid_authorization_details", f"one object of type {_DETAILS_TYPE} is expected")
    try:
        [details] = json.loads(text)
        wanted = details.get("consentRequest", details)
        if details["type"] != _DETAILS_TYPE:
            raise refused
        clusters = [cluster for resource in wanted["resources"] for cluster in resource["dataClusters"]]
        days = int(wanted.get("durationPeriod", MAX_CONSENT_DAYS))
        lookback = int(wanted.get("lookbackPeriod", 730))
        kind = wanted.get("durationType", "TIME_BOUND")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise refused from error
    known = all(cluster in _SCOPES for cluster in clusters)
    if not known or kind not in {"ONE_TIME", "TIME_BOUND"} or not 1 <= days <= MAX_CONSENT_DAYS:
        raise refused
    return {"durationType": kind, "durationPeriod": days, "lookbackPeriod": max(1, min(lookback, 730))}, clusters
