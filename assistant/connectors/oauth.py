"""Keeping one customer's access alive: whose token to send, when to renew it, how to give it back.

Refreshing is single-flight: banks rotate refresh tokens, and presenting a used one ends the whole grant
(RFC 9700 4.14.2). So only the holder of the store's lock refreshes, and whoever waited for the lock looks
first whether the work is done. New tokens are saved before they are used.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote

from assistant.banking import clock
from assistant.banking.errors import BankUnavailable, LinkExpired
from assistant.connectors.http import Answer, BankHttp, Deadline
from assistant.connectors.profiles import BankProfile, Bearer, ClientAuth, OAuthProfile
from assistant.connectors.tokens import TokenSet, TokenStore

logger = logging.getLogger(__name__)

#: A token this close to its end may not survive the call: renew it before.
EXPIRY_MARGIN = timedelta(seconds=30)


class Credentials:
    """One customer's bearer at one bank. Holds no token between calls: the store is the one truth."""

    def __init__(self, profile: BankProfile, store: TokenStore, http: BankHttp) -> None:
        self._profile = profile
        self._store = store
        self._http = http

    def bearer(self, deadline: Deadline) -> str:
        """The token for a data call, renewed when it is about to end.

        Raises LinkExpired when the bank will not renew, BankUnavailable when it can't be asked.
        """
        tokens = self._store.load()
        if not _ends_before(tokens, clock.now() + EXPIRY_MARGIN):
            return self._of(tokens)
        try:
            return self.renew(self._of(tokens), deadline)
        except BankUnavailable:
            if _ends_before(tokens, clock.now()):
                raise
            return self._of(tokens)  # still good for a moment: better than no answer

    def renew(self, rejected: str, deadline: Deadline) -> str:
        """A bearer other than ``rejected``: the one another thread or process has just fetched, else a new one."""
        with self._store.lock():
            tokens = self._store.load()
            if self._of(tokens) != rejected:
                return self._of(tokens)
            fresh = self._refresh(tokens, deadline)
            self._store.save(fresh)
            return self._of(fresh)

    def revoke(self, deadline: Deadline) -> None:
        """Give the tokens back (RFC 7009): the refresh token first, for most banks end the grant with it."""
        oauth = self._profile.oauth
        if not oauth.revoke_url:
            return
        tokens = self._store.load()
        for token, hint in ((tokens.refresh_token, "refresh_token"), (tokens.access_token, "access_token")):
            if not token:
                continue
            answer = self._post(oauth.revoke_url, {"token": token, "token_type_hint": hint}, deadline, "revoke")
            # A token that is dead already is answered 200 (RFC 7009 2.2), by some 400 or 401: all the same to us.
            if answer.status >= 500 or answer.status == 429:
                raise self._unavailable(answer, "revoke")

    def consent_id(self) -> str:
        return self._store.load().consent_id

    def _of(self, tokens: TokenSet) -> str:
        by_id_token = self._profile.oauth.bearer is Bearer.ID_TOKEN
        return tokens.id_token if by_id_token else tokens.access_token

    def _refresh(self, tokens: TokenSet, deadline: Deadline) -> TokenSet:
        if not tokens.refresh_token:
            raise LinkExpired("no refresh token", bank_id=self._profile.id, code="no_refresh_token")
        form = {"grant_type": "refresh_token", "refresh_token": tokens.refresh_token}
        # Sent once: after a 5xx nobody knows whether the old refresh token is spent, and presenting it twice
        # could end the grant for good. The next question tries again.
        answer = self._post(self._profile.oauth.token_url, form, deadline, "refresh")
        if answer.status != 200:
            raise self._refused(answer)
        try:
            return parse_tokens(answer.json(), previous=tokens)
        except (ValueError, RecursionError):
            raise self._unavailable(answer, "refresh") from None

    def _refused(self, answer: Answer) -> Exception:
        code = _oauth_error(answer)
        if code == "invalid_grant":
            return LinkExpired("refresh token refused", bank_id=self._profile.id, code=code)
        if code:
            # invalid_client and its kind are the operator's to mend, never the customer's.
            logger.error("bank=%s operation=refresh refused: %s", self._profile.id, code)
        return self._unavailable(answer, "refresh", code)

    def _unavailable(self, answer: Answer, operation: str, code: str = "") -> BankUnavailable:
        return BankUnavailable(
            f"{operation}: http {answer.status}", bank_id=self._profile.id, code=code or f"http_{answer.status}"
        )

    def _post(self, url: str, form: Mapping[str, str], deadline: Deadline, operation: str) -> Answer:
        headers, proof = client_proof(self._profile.oauth)
        return self._http.send(
            "POST", url, headers={"Accept": "application/json", **headers}, form={**form, **proof}, deadline=deadline,
            operation=operation,
        )  # fmt: skip


def client_proof(oauth: OAuthProfile) -> tuple[dict[str, str], dict[str, str]]:
    """How this client shows who it is at the token endpoint: headers, and form fields (RFC 6749 2.3.1)."""
    if oauth.client_auth is ClientAuth.BASIC:
        pair = f"{quote(oauth.client_id, safe='')}:{quote(oauth.client_secret(), safe='')}"
        return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}, {}
    if oauth.client_auth is ClientAuth.POST:
        return {}, {"client_id": oauth.client_id, "client_secret": oauth.client_secret()}
    return {}, {"client_id": oauth.client_id}


def parse_tokens(body: Any, previous: TokenSet | None = None) -> TokenSet:
    """A token endpoint's answer (RFC 6749 5.1). What a refresh leaves out stays as it was before.

    Raises ValueError, without the value, when there is no access token.
    """
    if not isinstance(body, Mapping) or not isinstance(body.get("access_token"), str) or not body["access_token"]:
        raise ValueError("no access token in the answer")

    def text(key: str, before: str) -> str:
        value = body.get(key)
        return value if isinstance(value, str) and value else before

    return TokenSet(
        access_token=body["access_token"],
        refresh_token=text("refresh_token", previous.refresh_token if previous else ""),
        expires_at=_expiry(body.get("expires_in")),
        scope=text("scope", previous.scope if previous else ""),
        id_token=text("id_token", previous.id_token if previous else ""),
        consent_id=text("consent_id", text("fdxConsentId", previous.consent_id if previous else "")),
    )


def _expiry(seconds: Any) -> datetime | None:
    try:
        return clock.now() + timedelta(seconds=max(0, int(seconds)))
    except (TypeError, ValueError, OverflowError):
        return None


def _ends_before(tokens: TokenSet, moment: datetime) -> bool:
    return tokens.expires_at is not None and tokens.expires_at <= moment


def _oauth_error(answer: Answer) -> str:
    """The ``error`` of RFC 6749 5.2: a fixed vocabulary, so it may be logged; anything else is not."""
    try:
        body = answer.json()
    except (ValueError, RecursionError):
        return ""
    code = body.get("error") if isinstance(body, Mapping) else None
    return code if isinstance(code, str) and code in _OAUTH_ERRORS else ""


_OAUTH_ERRORS = frozenset(
    {
        "invalid_request",
        "invalid_client",
        "invalid_grant",
        "unauthorized_client",
        "unsupported_grant_type",
        "invalid_scope",
    }
)
