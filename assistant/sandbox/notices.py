"""Notifications: the bank says that there is something new, so that nobody has to keep asking.

Subscriptions and notifications have the shape of FDX Event Notifications (6.3): POST /notification-subscriptions, GET
and DELETE of one, GET /notifications. A notification names the account, nothing of what happened on it: the subscriber
asks for that with the customer's consent. FDX leaves to the parties how a push proves where it comes from; here it
carries a detached JWS (RFC 7515, appendix F; ES256) over the raw body in ``x-jws-signature``, whose header has ``iat``.
The keys are at /.well-known/jwks.json. What is not taken with a 2xx is tried again, later and later, for a day.
"""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from assistant.sandbox.answers import Answer, FdxError, invalid_input
from assistant.sandbox.call import Call, Caller
from assistant.sandbox.ledger import Bank, Ledger
from assistant.sandbox.records import Notice, Records, Subscription
from assistant.sandbox.shapes import Json, stamp
from assistant.sandbox.state import Consent, State
from assistant.sandbox.till import FIRST_NUMBER
from assistant.sandbox.time import SandboxClock

#: (type, category) that can be subscribed to. FDX names no type for new transactions: they are CUSTOM, NEW_DATA.
NEW_DATA = ("CUSTOM", "NEW_DATA")
CONSENT_REVOKED = ("CONSENT_REVOKED", "CONSENT")
_KINDS = frozenset({NEW_DATA, CONSENT_REVOKED})
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
#: Seconds a subscriber has to answer; before the second try, doubled for each one after, at most; and tries in all.
_TIMEOUT = 5.0
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 600.0
_TRIES = 160
_AT_ONCE = 50
_MINUTE = timedelta(minutes=1)
_LONGEST_PENDING = timedelta(days=45)


class NoticesApi:
    """What a client may ask for; each subscription belongs to the consent it was made with."""

    def __init__(self, records: Records, clock: SandboxClock) -> None:
        self._records = records
        self._clock = clock

    def handle(self, caller: Caller, call: Call, parts: list[str]) -> Answer:
        """Raises FdxError."""
        caller.need("ACCOUNT_BASIC")
        if parts == ["notifications"] and call.method == "GET":
            mine = [one.id for one in self._records.subscriptions() if one.consent_id == caller.consent.id]
            found = [notice for subscription in mine for notice in self._records.notices(subscription)]
            return Answer({"notifications": [json.loads(notice.body) for notice in found]})
        if parts == ["notification-subscriptions"] and call.method == "POST":
            return self._subscribe(caller, call)
        if parts[0] == "notification-subscriptions" and len(parts) == 2 and call.method in {"GET", "DELETE"}:
            subscription = self._records.subscription(parts[1])
            if subscription is None or subscription.consent_id != caller.consent.id:
                raise FdxError(404, "1107", "Invalid subscription id")
            if call.method == "GET":
                return Answer(subscription.fields)
            self._records.unsubscribe(subscription.id)
            return Answer(None, 204)
        raise FdxError(405, "1206", "Method not supported")

    def _subscribe(self, caller: Caller, call: Call) -> Answer:
        given = call.fields
        missing = [name for name in ("type", "category", "callbackUrl", "subscriber", "subscriptionId")
                   if not given.get(name)]  # fmt: skip
        if missing:
            raise invalid_input("Following required parameters are missing - {" + ", ".join(missing) + "}")
        if (given["type"], given["category"]) not in _KINDS:
            raise invalid_input("Following request fields have invalid values - {type, category}")
        parts, name = urlsplit(str(given["callbackUrl"])), str(given["subscriptionId"])
        # A sandbox pushes to this machine alone, so that nobody can have it call anywhere else.
        if parts.scheme not in {"http", "https"} or parts.hostname not in _LOOPBACK or len(name) > 64:
            raise invalid_input("Following request fields have invalid values - {callbackUrl, subscriptionId}")
        other = self._records.subscription(name)
        if other is not None and other.consent_id != caller.consent.id:
            raise invalid_input("Unique Subscription ID is required")
        names = ("type", "category", "callbackUrl", "subscriber", "effectiveDate", "subscriptionId")
        fields = {key: given[key] for key in names if given.get(key)}
        seen, bought = (other.seen, other.bought) if other else (self._clock.now(), self._records.last_purchase())
        self._records.subscribe(Subscription(name, caller.consent.id, fields, seen, bought))
        return Answer(fields, 201)


class Signer:
    """Signs what is pushed, with a key of the bank's own that outlives a restart."""

    def __init__(self, records: Records) -> None:
        pem = records.signing_key("notices")
        if not pem:
            fresh = ec.generate_private_key(ec.SECP256R1())
            pem = fresh.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ).decode()
            records.keep_signing_key("notices", pem)
        key = serialization.load_pem_private_key(pem.encode(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key
        numbers = key.public_key().public_numbers()
        self._jwk = {"kty": "EC", "crv": "P-256", "x": _b64(numbers.x.to_bytes(32, "big")),
                     "y": _b64(numbers.y.to_bytes(32, "big"))}  # fmt: skip
        digest = hashes.Hash(hashes.SHA256())
        digest.update(json.dumps(self._jwk, sort_keys=True, separators=(",", ":")).encode())
        self.kid = _b64(digest.finalize())  # the key's thumbprint (RFC 7638)

    def keys(self) -> Answer:
        return Answer({"keys": [{**self._jwk, "kid": self.kid, "alg": "ES256", "use": "sig"}]})

    def sign(self, body: bytes, at: datetime) -> str:
        """``at`` (aware) is when it is sent: a copy sent again later is signed anew."""
        header = _b64(json.dumps({"alg": "ES256", "kid": self.kid, "iat": int(at.timestamp())}).encode())
        der = self._key.sign(f"{header}.{_b64(body)}".encode(), ec.ECDSA(hashes.SHA256()))
        r, s = decode_dss_signature(der)
        return f"{header}..{_b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """One try at pushing one notification."""

    notice: Notice
    url: str


class Notifier:
    """Finds what is new for each subscription, writes it down, and pushes until it is taken."""

    def __init__(
        self,
        bank: Bank,
        state: State,
        clock: SandboxClock,
        signer: Signer,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._bank = bank
        self._state = state
        self._records = state.records
        self._clock = clock
        self._signer = signer
        self._monotonic = monotonic
        self._session = requests.Session()
        self._session.trust_env = False

    def look(self) -> None:
        """Write down what happened since the last look."""
        now, bought = self._clock.now(), self._records.last_purchase()
        for subscription in self._records.subscriptions():
            consent = self._state.consent(subscription.consent_id)
            if consent is None or now < subscription.seen:
                continue  # the clock was set back: what it passes again has been told of
            if subscription.fields["type"] == CONSENT_REVOKED[0]:
                about = self._revoked(consent, subscription)
            # The books are kept to the minute.
            elif bought == subscription.bought and now.replace(second=0, microsecond=0) <= subscription.seen:
                continue
            else:
                about = self._news(consent, subscription, now)
            notices = [self._notice(subscription, payload, now) for payload in about]
            if notices or now - subscription.seen >= _MINUTE or bought != subscription.bought:
                self._records.saw(replace(subscription, seen=now, bought=bought), notices)

    def _news(self, consent: Consent, subscription: Subscription, now: datetime) -> list[Json]:
        if consent.status != "ACTIVE" or consent.expires <= now or "TRANSACTIONS" not in consent.clusters:
            return []
        ledger = self._bank.ledger(consent.login, now)
        return [
            {"id": ledger.person.account_id(key), "idType": "ACCOUNT", "event": {"updatedTime": stamp(now)}}
            for key in consent.accounts
            if has_news(ledger, key, subscription)
        ]

    def _revoked(self, consent: Consent, subscription: Subscription) -> list[Json]:
        if consent.status != "REVOKED" or self._records.notices(subscription.id):
            return []
        event = {name: consent.revocations[-1][name] for name in ("status", "reason", "initiator", "updatedTime")}
        return [{"id": consent.id, "idType": "CONSENT", "event": event}]

    def _notice(self, subscription: Subscription, payload: Json, now: datetime) -> Notice:
        name = str(uuid.uuid4())
        body: dict[str, Any] = {
            "notificationId": name,
            "type": subscription.fields["type"],
            "sentOn": stamp(now),
            "category": subscription.fields["category"],
            "severity": "INFO",
            "priority": "MEDIUM",
            "publisher": {"name": "Tellerline Sandbox Bank", "type": "DATA_PROVIDER"},
            "subscriber": subscription.fields["subscriber"],
            "notificationPayload": {
                **payload,
                "customFields": [{"name": "subscriptionId", "value": subscription.id}],
            },
        }
        return Notice(0, name, subscription.id, json.dumps(body, separators=(",", ":")), now)

    def due(self) -> list[Delivery]:
        """What is to be tried now, in order."""
        found = []
        for notice in self._records.due(self._monotonic(), _AT_ONCE):
            subscription = self._records.subscription(notice.subscription_id)
            if subscription is not None:
                found.append(Delivery(notice, str(subscription.fields["callbackUrl"])))
        return found

    def deliver(self, delivery: Delivery) -> bool:
        """Whether it was taken. Waits for the subscriber; touches nothing else, so any thread may call it."""
        body = delivery.notice.body.encode()
        headers = {
            "Content-Type": "application/json",
            "x-fapi-interaction-id": str(uuid.uuid4()),
            "x-jws-signature": self._signer.sign(body, self._clock.now()),
        }
        try:
            answer = self._session.post(
                delivery.url, data=body, headers=headers, timeout=_TIMEOUT, allow_redirects=False
            )
        except requests.RequestException:
            return False
        return 200 <= answer.status_code < 300

    def tried(self, delivery: Delivery, taken: bool) -> None:
        tries = delivery.notice.tries
        pause = min(_FIRST_PAUSE * 2.0 ** min(tries, 30), _LONGEST_PAUSE)
        state = "taken" if taken else "given_up" if tries + 1 >= _TRIES else "waiting"
        self._records.tried(delivery.notice, state, self._monotonic() + pause)


def has_news(ledger: Ledger, key: str, subscription: Subscription) -> bool:
    """Whether anything appeared or was posted on the account that the subscriber was not told of."""
    entries = [item.entry for item in ledger.items(key, ledger.today - _LONGEST_PENDING)]
    return any(
        entry.number > FIRST_NUMBER + subscription.bought
        or any(subscription.seen < moment <= ledger.now for moment in (entry.happened, entry.posts))
        for entry in entries
    )


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
