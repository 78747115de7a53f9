"""The FDX resources: customer, accounts, transactions, consents. Knows nothing of HTTP servers.

Written from published facts of the FDX API; versions 4 and 5 wrap each item in one key, version 6 is flat. Cards and
disputes, which FDX has no resources for, are an extension of ours (cards.py, disputes.py).
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, TypeVar
from urllib.parse import urlencode

from assistant.sandbox import shapes
from assistant.sandbox.answers import Answer, FdxError, invalid_input, not_authorized, unauthenticated
from assistant.sandbox.call import Call, Caller
from assistant.sandbox.cards import CardsApi
from assistant.sandbox.disputes import DisputesApi
from assistant.sandbox.ledger import Bank, Item, Ledger
from assistant.sandbox.notices import NoticesApi
from assistant.sandbox.paging import PageKey, PageKeys
from assistant.sandbox.people import AccountSpec
from assistant.sandbox.state import Consent, State
from assistant.sandbox.time import SandboxClock

T = TypeVar("T")

DEFAULT_LIMIT = 100
MAX_LIMIT = 500
#: FDX: without dates, the last week.
DEFAULT_DAYS = 7

_PATH = re.compile(r"^/fdx/v([456])(/.*)$")
_DATE = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:.]+(Z|[+-][0-9:]+)?)?$")
_REASONS = {"BUSINESS_RULE", "USER_ACTION"}
_INITIATORS = {"DATA_ACCESS_PLATFORM", "DATA_PROVIDER", "DATA_RECIPIENT", "INDIVIDUAL", "MERCHANT", "VENDOR"}


class FdxApi:
    def __init__(self, bank: Bank, state: State, clock: SandboxClock, keys: PageKeys) -> None:
        self._beyond = {
            "cards": CardsApi(state.records, clock).handle,
            "disputes": DisputesApi(state.records, clock).handle,
            "notification-subscriptions": NoticesApi(state.records, clock).handle,
            "notifications": NoticesApi(state.records, clock).handle,
        }
        self._bank = bank
        self._state = state
        self._clock = clock
        self._keys = keys

    def handle(self, call: Call) -> Answer:
        """Raises FdxError."""
        match = _PATH.match(call.path)
        if match is None:
            raise FdxError(501, "1106", "FDX version not implemented")
        version, rest = int(match[1]), match[2].rstrip("/")
        interaction_id(call.headers, version)
        parts = rest.strip("/").split("/")
        caller = self._authenticate(call.headers, version, live=parts[0] != "consents")
        if call.method == "GET":
            if parts == ["customers", "current"]:
                return self._customer(caller)
            if parts == ["accounts"]:
                return self._accounts(caller, call)
            if len(parts) == 2 and parts[0] == "accounts":
                return self._account(caller, parts[1])
            if len(parts) == 3 and parts[0] == "accounts" and parts[2] == "transactions":
                return self._transactions(caller, call, parts[1])
        if len(parts) in {2, 3} and parts[0] == "consents":
            return self._consents(caller, call, parts)
        if parts[0] in self._beyond:
            return self._beyond[parts[0]](caller, call, parts)
        if parts[0] in {"accounts", "customers"} and call.method != "GET":
            raise FdxError(405, "1206", "Method not supported")
        raise FdxError(404, "1107", "No data for these parameters")

    def _authenticate(self, headers: Mapping[str, str], version: int, *, live: bool) -> Caller:
        """``live`` wants a consent in force; the consent itself can be read after its end."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        now = self._clock.now()
        found = self._state.find("access", token) if scheme.lower() == "bearer" and token else None
        consent = self._state.consent(found.consent_id) if found else None
        if found is None or consent is None or found.dead or found.expires <= now:
            raise unauthenticated()
        if live and (consent.status != "ACTIVE" or consent.expires <= now):
            raise not_authorized(version)
        return Caller(consent, self._bank.ledger(consent.login, now), version)

    def _customer(self, caller: Caller) -> Answer:
        caller.need("CUSTOMER_PERSONAL")
        first, _, last = caller.ledger.person.name.partition(" ")
        return Answer({"customerId": caller.ledger.person.login, "name": {"first": first, "last": last}})

    def _accounts(self, caller: Caller, call: Call) -> Answer:
        caller.need("ACCOUNT_BASIC")
        result_type = call.query.get("resultType", "lightweight")
        if result_type not in {"lightweight", "details"}:
            raise invalid_input("Invalid resultType")
        if result_type == "details":
            caller.need("ACCOUNT_DETAILED")
        shared = caller.shared()
        if wanted := call.query.get("accountIds"):
            shared = [caller.account(account_id) for account_id in wanted.split(",")]
        details = result_type == "details"
        scope = f"accounts/{result_type}/{wanted or ''}"
        now = self._as_of(call, scope, caller)

        def render(ledger: Ledger, spec: AccountSpec) -> shapes.Json:
            return shapes.account(ledger, spec, caller.version, details=details)

        return self._page(caller, call, scope, "accounts", shared, now, render)

    def _account(self, caller: Caller, account_id: str) -> Answer:
        caller.need("ACCOUNT_DETAILED")
        spec = caller.account(account_id)
        return Answer(shapes.account(caller.ledger, spec, caller.version, details=True))

    def _transactions(self, caller: Caller, call: Call, account_id: str) -> Answer:
        caller.need("TRANSACTIONS")
        spec = caller.account(account_id)
        start, end = _dates(call.query, caller.ledger.today)
        scope = f"{account_id}/{start}/{end}"
        ledger = self._as_of(call, scope, caller)

        def render(ledger: Ledger, item: Item) -> shapes.Json:
            return shapes.transaction(ledger, spec, item, caller.version)

        return self._page(caller, call, scope, "transactions", ledger.items(spec.key, start, end), ledger, render)

    def _as_of(self, call: Call, scope: str, caller: Caller) -> Ledger:
        """The books as the first page of this list saw them."""
        key = _page_key(call.query)
        return self._bank.ledger(caller.consent.login, self._keys.read(key, scope).as_of) if key else caller.ledger

    def _page(
        self,
        caller: Caller,
        call: Call,
        scope: str,
        name: str,
        rows: Sequence[T],
        ledger: Ledger,
        render: Callable[[Ledger, T], shapes.Json],
    ) -> Answer:
        limit = _limit(call.query)
        key = _page_key(call.query)
        offset = self._keys.read(key, scope).offset if key else 0
        page: dict[str, Any] = {"totalElements": len(rows)}
        body: dict[str, Any] = {"page": page, name: [render(ledger, row) for row in rows[offset : offset + limit]]}
        if offset + limit < len(rows):
            following = self._keys.write(PageKey(scope, ledger.now, offset + limit))
            page["nextOffset"] = following
            kept = {k: v for k, v in call.query.items() if k not in {"offset", "pageKey"}}
            parameter = "offset"
            if caller.version >= 6:
                page["nextPageKey"] = following
                parameter = "pageKey"
            body["links"] = {"next": {"href": f"{call.path}?{urlencode({**kept, parameter: following})}"}}
        return Answer(body)

    def _consents(self, caller: Caller, call: Call, parts: list[str]) -> Answer:
        consent = caller.consent
        if parts[1] != consent.id:
            raise FdxError(404, "1107", "No such consent")
        if len(parts) == 2 and call.method == "GET":
            return Answer(_consent_body(consent, caller.ledger, caller.version))
        if len(parts) == 3 and parts[2] == "revocation":
            if call.method == "GET":
                return Answer({"revocations": list(consent.revocations)})
            if call.method == "PUT":
                return self._revoke(consent, call.body)
        raise FdxError(405, "1206", "Method not supported")

    def _revoke(self, consent: Consent, body: Any) -> Answer:
        given = body if isinstance(body, dict) else {}
        reason, initiator = given.get("reason"), given.get("initiator")
        if reason not in _REASONS or initiator not in _INITIATORS:
            raise invalid_input("reason and initiator are required")
        if consent.status == "REVOKED":
            raise FdxError(409, "401", "Consent is already revoked")
        self._state.revoke_consent(consent, str(reason), str(initiator), self._clock.now())
        return Answer(None, 204)


def interaction_id(headers: Mapping[str, str], version: int = 6) -> str:
    """The caller's interaction id. Raises invalid input when it is missing or no UUID; version 4 had its own name."""
    given = headers.get("x-fapi-interaction-id", "")
    if not given and version == 4:
        given = headers.get("fdx-interactionid", "")
    if not is_uuid(given):
        raise invalid_input("x-fapi-interaction-id must be a UUID")
    return given


def is_uuid(text: str) -> bool:
    try:
        return len(text) == 36 and bool(uuid.UUID(text))
    except ValueError:
        return False


def _page_key(query: Mapping[str, str]) -> str:
    return query.get("pageKey") or query.get("offset") or ""


def _limit(query: Mapping[str, str]) -> int:
    text = query.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdecimal() and 1 <= len(text) <= 6 and int(text) >= 1):
        raise invalid_input("Invalid limit")
    return min(int(text), MAX_LIMIT)


def _dates(query: Mapping[str, str], today: date) -> tuple[date, date]:
    """Both ends included. startTime and endTime hold dates despite their names; a time of day is ignored."""
    start, end = (query.get(f"{end}Date") or query.get(f"{end}Time") or "" for end in ("start", "end"))
    if not start and not end:
        return today - timedelta(days=DEFAULT_DAYS), today
    if not start or not end:
        raise FdxError(400, "703", "Give both ends of the range or neither")
    try:
        first, last = (_date(text) for text in (start, end))
    except ValueError as error:
        raise FdxError(400, "702", "Invalid date") from error
    if first > last:
        raise FdxError(400, "703", "Invalid date range")
    return first, last


def _date(text: str) -> date:
    if not _DATE.match(text):
        raise ValueError("not a date")
    return date.fromisoformat(text[:10])


def _consent_body(consent: Consent, ledger: Ledger, version: int) -> dict[str, Any]:
    return {
        "id": consent.id,
        "status": consent.status,
        "parties": [
            {"name": "Tellerline Sandbox Bank", "type": "DATA_PROVIDER"},
            {"name": consent.client_id, "type": "DATA_RECIPIENT"},
        ],
        "createdTime": shapes.stamp(consent.created),
        "updatedTime": shapes.stamp(consent.updated),
        "expirationTime": shapes.stamp(consent.expires),
        **consent.terms,
        "resources": [
            {
                "resourceType": "ACCOUNT",
                "resourceId": ledger.person.account_id(key),
                "dataClusters": list(consent.clusters),
            }
            for key in consent.accounts
        ],
        "links": {"self": {"href": f"/fdx/v{version}/consents/{consent.id}"}},
    }
