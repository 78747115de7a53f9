"""FDX event notifications as a bank pushes them: proved first, read after.

What is pushed carries a detached JWS (RFC 7515, appendix F) over the raw body in ``x-jws-signature``: ES256 alone, by a
key of the bank's (profile ``notice_keys_url``), signed not long ago. A notification says where something is new, never
what: the bank is then asked, with the customer's consent.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from assistant.banking import clock
from assistant.connectors.fdx_values import text

SIGNATURE_HEADER = "x-jws-signature"
#: How old a signature may be, and how far the bank's clock may be ahead of ours.
MAX_AGE = timedelta(minutes=5)
MAX_BYTES = 100_000
_REGISTRY = jws.JWSRegistry(algorithms=["ES256"], strict_check_header=False)  # iat is no header of RFC 7515's own


class BadNotice(ValueError):
    """Not by the bank, too old, or nothing we can read. Says why in a word, never what was in it."""


@dataclass(frozen=True, slots=True)
class Notice:
    """``id`` is the bank's, the same however often it is pushed. ``subscription_id`` is ours.

    ``account_id`` is the bank's own id of the account with news, "" where the whole consent ended (``revoked``).
    """

    id: str
    subscription_id: str
    account_id: str = ""
    revoked: bool = False


def read_notice(raw: bytes, signature: str, keys: Mapping[str, Any]) -> Notice:
    """``raw`` is the body as it came, ``keys`` the bank's JWK set. Raises BadNotice."""
    if len(raw) > MAX_BYTES:
        raise BadNotice("too large")
    header, _, rest = signature.partition("..")
    if not header or not rest:
        raise BadNotice("not a detached signature")
    try:
        proved = jws.deserialize_compact(signature.encode(), KeySet.import_key_set(dict(keys)), payload=raw,  # type: ignore[arg-type]
                                         registry=_REGISTRY)  # fmt: skip
        age = clock.now().timestamp() - float(proved.headers()["iat"])
    except (JoseError, ValueError, KeyError, TypeError) as error:
        raise BadNotice(f"signature: {type(error).__name__}") from None
    if abs(age) > MAX_AGE.total_seconds():
        raise BadNotice("too old, or from the future")
    try:
        body = json.loads(raw)
        payload = body["notificationPayload"]
        fields = {text(one, "name"): text(one, "value") for one in payload.get("customFields", ())}
        kind, id_type, about = text(body, "type"), text(payload, "idType"), text(payload, "id")
        notice_id = text(body, "notificationId")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadNotice(f"body: {type(error).__name__}") from None
    revoked = kind == "CONSENT_REVOKED"
    if not notice_id or not (revoked or (id_type == "ACCOUNT" and about)):
        raise BadNotice("nothing we subscribe to")
    subscription = fields.get("subscriptionId", "").removesuffix("-consent")
    return Notice(notice_id, subscription, "" if revoked else about, revoked)
