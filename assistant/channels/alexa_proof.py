"""That a request comes from Alexa: its signature, its certificate, its time and its skill.

https://developer.amazon.com/docs/custom-skills/host-a-custom-skill-as-a-web-service.html#verifying-that-the-request-was-sent-by-alexa
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import posixpath
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import aiohttp
import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.verification import PolicyBuilder, Store, VerificationError

from assistant.banking import clock
from assistant.channels.base import Raw, Refused

#: Where Amazon keeps the certificates that requests are signed by.
HOST, FOLDER, PORT = "s3.amazonaws.com", "/echo.api/", 443
#: Who the certificate must be for.
SIGNER = "echo-api.amazon.com"
#: How old, and how far ahead of our clock, a request may be.
TOLERANCE = timedelta(seconds=150)
#: Seconds to fetch a certificate in, and the bytes of the longest chain; Amazon's have about seven thousand.
FETCH_SECONDS, MAX_CHAIN = 3.0, 64 * 1024
#: Certificates kept. Amazon uses one at a time.
_KEPT = 8
#: For how long an address that gave no good certificate is not asked again.
_SHUNNED = timedelta(seconds=60)
_SIZES = (2048, 8192)

T = TypeVar("T")

#: Gets the PEM of a chain, the leaf first. Raises OSError, aiohttp.ClientError,
#: asyncio.TimeoutError; Refused when there is none.
Fetch = Callable[[str], Awaitable[bytes]]


@dataclass(frozen=True, slots=True)
class Signer:
    """A certificate that was found good, and until when it is."""

    key: RSAPublicKey = field(repr=False)
    since: datetime
    until: datetime

    def is_valid(self, now: datetime) -> bool:
        return self.since <= now <= self.until


class Proof:
    """For one skill. ``roots`` are the authorities that a chain must end at."""

    def __init__(self, fetch: Fetch | None = None, roots: Sequence[x509.Certificate] | None = None) -> None:
        self._fetch = fetch or fetch_chain
        self._roots = roots
        self._store: Store | None = None
        self._signers: OrderedDict[str, Signer] = OrderedDict()
        self._shunned: OrderedDict[str, datetime] = OrderedDict()
        self._fetching = asyncio.Lock()

    async def check(self, raw: Raw) -> None:
        """Raises Refused unless this body was signed by Alexa. Nothing of the body is looked at."""
        url = chain_url(raw.headers.get("signaturecertchainurl", ""))
        try:
            signature = base64.b64decode(raw.headers.get("signature-256", ""), validate=True)
        except (binascii.Error, ValueError):
            raise Refused(400, "the signature is no base64") from None
        if not signature:
            raise Refused(400, "no signature")
        signer = await self._signer(url)
        try:
            signer.key.verify(signature, raw.body, PKCS1v15(), SHA256())
        except InvalidSignature:
            raise Refused(400, "the signature does not match") from None

    async def _signer(self, url: str) -> Signer:
        if found := self._known(url):
            return found
        # One at a time: a burst of requests under a new certificate fetches it once.
        async with self._fetching:
            if found := self._known(url):
                return found
            if self._shunned.get(url, clock.wall()) > clock.wall():
                raise Refused(400, "the certificate was no good a moment ago")
            try:
                chain = await asyncio.wait_for(self._fetch(url), FETCH_SECONDS)
                signer = await asyncio.get_running_loop().run_in_executor(None, self._examined, chain)
            except (OSError, aiohttp.ClientError, asyncio.TimeoutError) as error:
                raise Refused(503, f"the certificate could not be fetched: {type(error).__name__}") from None
            except Refused:
                _keep(self._shunned, url, clock.wall() + _SHUNNED)
                raise
            _keep(self._signers, url, signer)
            return signer

    def _known(self, url: str) -> Signer | None:
        found = self._signers.get(url)
        if found is not None and not found.is_valid(clock.wall()):
            del self._signers[url]
            return None
        return found

    def _examined(self, pem: bytes) -> Signer:
        """The signer of a chain that ends at a root, is in date and is for Alexa. Raises Refused."""
        if self._store is None:
            self._store = Store(
                list(self._roots or ()) or x509.load_pem_x509_certificates(Path(certifi.where()).read_bytes())
            )
        now = clock.wall()
        try:
            leaf, *between = x509.load_pem_x509_certificates(pem)
            verifier = PolicyBuilder().store(self._store).time(now.replace(tzinfo=None))
            chain = verifier.build_server_verifier(x509.DNSName(SIGNER)).verify(leaf, between)
            key = leaf.public_key()
        except (ValueError, VerificationError, UnsupportedAlgorithm):
            raise Refused(400, "the certificate is not Alexa's") from None
        if not isinstance(key, RSAPublicKey) or not _SIZES[0] <= key.key_size <= _SIZES[1]:
            raise Refused(400, "the certificate holds no RSA key of a usual size")
        since = max(one.not_valid_before_utc for one in chain)
        return Signer(key, since, min(one.not_valid_after_utc for one in chain))


def chain_url(given: str) -> str:
    """The address of a chain, normalised. Raises Refused for one that is not Amazon's."""
    try:
        parts = urlsplit(given)
        port = parts.port
    except ValueError:
        raise Refused(400, "the address of the certificate is malformed") from None
    # An escape would be undone on the way and lead out of the folder.
    plain = given.isascii() and given.isprintable() and not set("%\\? #") & set(given)
    path = posixpath.normpath(parts.path)
    if (
        not plain
        or parts.scheme != "https"
        or (parts.hostname or "") != HOST
        or parts.username is not None
        or parts.password is not None
        or port not in (None, PORT)
        or not path.startswith(FOLDER)
    ):
        raise Refused(400, "the certificate is not kept where Amazon keeps it")
    return f"https://{HOST}{path}"


def is_recent(timestamp: object) -> bool:
    """Whether a request's ``timestamp`` (ISO 8601 with zone) is of now."""
    try:
        instant = datetime.fromisoformat(str(timestamp).replace("Z", "+00:00"))
    except ValueError:
        return False
    if instant.tzinfo is None:
        return False
    return abs(clock.wall() - instant.astimezone(timezone.utc)) <= TOLERANCE


async def fetch_chain(url: str) -> bytes:
    """From Amazon. Redirects lead nowhere: only what is at the address itself counts."""
    timeout = aiohttp.ClientTimeout(total=FETCH_SECONDS)
    async with (
        aiohttp.ClientSession(timeout=timeout) as session,
        session.get(url, allow_redirects=False) as response,
    ):
        if response.status != 200:
            raise Refused(400, f"there is no certificate: status {response.status}")
        chain = await response.content.read(MAX_CHAIN + 1)
        while len(chain) <= MAX_CHAIN and (more := await response.content.read(MAX_CHAIN + 1)):
            chain += more
        if len(chain) > MAX_CHAIN:
            raise Refused(400, "the chain of certificates is too long")
        return chain


def _keep(kept: OrderedDict[str, T], url: str, value: T) -> None:
    kept[url] = value
    while len(kept) > _KEPT:
        kept.popitem(last=False)
