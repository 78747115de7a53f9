"""That a request comes from Google: an ID token signed by it, for our address, of the agent's own service account.

https://cloud.google.com/dialogflow/cx/docs/concept/webhook#id-token and
https://developers.google.com/identity/openid-connect/openid-connect#validatinganidtoken
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from assistant.banking import clock
from assistant.channels.base import Refused

KEYS_URL = "https://www.googleapis.com/oauth2/v3/certs"
ISSUERS = ("https://accounts.google.com", "accounts.google.com")
#: For how long keys are kept, and how soon they may be asked for again for a token with an unknown one.
KEYS_LIFE, KEYS_REST = timedelta(hours=1), timedelta(minutes=1)
FETCH_SECONDS = 3.0
_MAX_KEYS = 64 * 1024
#: How far clocks may be apart, in seconds.
_LEEWAY = 60

#: Gets Google's keys as JSON. Raises OSError, aiohttp.ClientError, asyncio.TimeoutError.
Fetch = Callable[[], Awaitable[bytes]]


class IdTokens:
    """For one ``audience``: our address, as the agent knows it. ``account``: the service account that must ask."""

    def __init__(self, audience: str, account: str, fetch: Fetch | None = None) -> None:
        self._audience = audience
        self._account = account
        self._fetch = fetch or fetch_keys
        self._keys: KeySet | None = None
        self._fetched: datetime | None = None
        self._fetching = asyncio.Lock()

    async def check(self, authorization: str) -> None:
        """Raises Refused."""
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refused(401, "no ID token")
        claims = await self._claims(token.strip())
        now = clock.wall().timestamp()
        begins, ends = claims.get("iat"), claims.get("exp")
        if claims.get("iss") not in ISSUERS or claims.get("aud") != self._audience:
            raise Refused(401, "an ID token of another issuer or for another address")
        if not isinstance(ends, int) or not isinstance(begins, int) or not begins - _LEEWAY <= now <= ends + _LEEWAY:
            raise Refused(401, "an ID token of another time")
        if claims.get("email") != self._account or claims.get("email_verified") is not True:
            raise Refused(401, "an ID token of another account")

    async def _claims(self, token: str) -> dict[str, Any]:
        for newly in (False, True):
            keys = await self._known(newly=newly)
            try:
                return dict(jwt.decode(token, keys, algorithms=["RS256"]).claims)
            except (JoseError, ValueError, KeyError):
                continue  # perhaps by a key that is newer than ours
        raise Refused(401, "the ID token does not verify")

    async def _known(self, *, newly: bool) -> KeySet:
        async with self._fetching:
            age = clock.wall() - self._fetched if self._fetched else None
            if self._keys is not None and age is not None and age < (KEYS_REST if newly else KEYS_LIFE):
                return self._keys
            try:
                read = json.loads(await asyncio.wait_for(self._fetch(), FETCH_SECONDS))
                self._keys = KeySet.import_key_set(read)
            except (OSError, aiohttp.ClientError, asyncio.TimeoutError, ValueError, KeyError, JoseError) as error:
                raise Refused(503, f"Google's keys could not be fetched: {type(error).__name__}") from None
            self._fetched = clock.wall()
            return self._keys


async def fetch_keys() -> bytes:
    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(KEYS_URL, allow_redirects=False) as response,
    ):
        if response.status != 200:
            raise aiohttp.ClientError(f"status {response.status}")
        keys = await response.content.read(_MAX_KEYS)
        while more := await response.content.read(_MAX_KEYS):
            keys += more
            if len(keys) > _MAX_KEYS:
                raise aiohttp.ClientError("too long")
        return keys
