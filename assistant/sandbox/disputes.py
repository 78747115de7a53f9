"""Disputes: file one, see how it stands, withdraw it.

FDX (6.4) has no such resource. This is an extension of ours in FDX's manner:

    POST /disputes               {"accountId", "transactionId", "reason", "statement"?, "cardId"?}
    GET /disputes, GET /disputes/{disputeId}
    PUT /disputes/{disputeId}/withdrawal

POST needs an Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): the same key and request again give the same
dispute, the same key with another request is refused (422), and a second live dispute of one transaction is a conflict
(409). Needs the data cluster DISPUTES (scope tellerline:disputes:write).
"""

from __future__ import annotations

import hashlib
import json
import secrets
from datetime import date, timedelta

from assistant.sandbox.answers import Answer, FdxError, invalid_input
from assistant.sandbox.book import bank_day
from assistant.sandbox.call import Call, Caller
from assistant.sandbox.people import AccountSpec, Category
from assistant.sandbox.records import Dispute, Records
from assistant.sandbox.shapes import Json, money, stamp
from assistant.sandbox.time import SandboxClock

CLUSTER = "DISPUTES"
REASONS = frozenset({"NOT_AUTHORIZED", "DUPLICATE", "WRONG_AMOUNT", "NOT_RECEIVED", "CANCELED", "OTHER"})
#: Days of the bank's work: until somebody looks, and until a credit is given.
_LOOKED_AT = 1
_DECIDED = 10
#: A billing error on a credit card: two billing cycles and at most 90 days (12 CFR 1026.13(c)(2)); an error on a debit
#: card: 10 business days, or 45 days with the money credited in between (12 CFR 1005.11(c)).
_CREDIT_DAYS = 90
_DEBIT_DAYS = 45
#: No letter or digit that is mistaken for another one when read out.
_ALPHABET = "ACDEFGHJKMNPQRTUVWXY34679"


class DisputesApi:
    def __init__(self, records: Records, clock: SandboxClock) -> None:
        self._records = records
        self._clock = clock

    def handle(self, caller: Caller, call: Call, parts: list[str]) -> Answer:
        """Raises FdxError."""
        caller.need(CLUSTER)
        if len(parts) == 1 and call.method == "POST":
            return self._file(caller, call)
        shared = {caller.ledger.person.account_id(spec.key): spec for spec in caller.shared()}
        mine = {one.id: one for one in self._records.disputes(caller.consent.login) if one.account_id in shared}
        if len(parts) == 1 and call.method == "GET":
            return Answer({"disputes": [self._shape(one, shared[one.account_id]) for one in mine.values()]})
        if len(parts) > 1 and parts[1] not in mine:
            raise FdxError(404, "1107", "No such dispute")
        if len(parts) == 2 and call.method == "GET":
            return self._answer(caller, mine[parts[1]])
        if len(parts) == 3 and parts[2] == "withdrawal" and call.method == "PUT":
            return self._withdraw(caller, mine[parts[1]])
        raise FdxError(405, "1206", "Method not supported")

    def _file(self, caller: Caller, call: Call) -> Answer:
        key = call.headers.get("idempotency-key", "")
        if not 8 <= len(key) <= 64:
            raise invalid_input("Idempotency-Key of 8 to 64 characters is required")
        asked = hashlib.sha256(json.dumps(call.fields, sort_keys=True).encode()).hexdigest()
        login = caller.consent.login
        before = self._records.dispute_by_key(login, key)
        if before is None:
            dispute = self._new(caller, call, asked)
            before = dispute if self._records.add_dispute(dispute, key) else self._records.dispute_by_key(login, key)
        if before is None or before.asked != asked:
            raise FdxError(422, "401", "This Idempotency-Key was used for another request")
        return self._answer(caller, before, 201)

    def _new(self, caller: Caller, call: Call, asked: str) -> Dispute:
        given = call.fields
        spec = caller.account(str(given.get("accountId", "")))
        wanted = given.get("transactionId")
        item = next((one for one in caller.ledger.items(spec.key) if wanted in {one.id, one.pending_id}), None)
        if item is None:
            raise FdxError(404, "1107", "No such transaction")
        if given.get("reason") not in REASONS:
            raise invalid_input("reason is one of " + ", ".join(sorted(REASONS)))
        if item.cents >= 0:
            raise invalid_input("Only what was paid can be disputed")
        names = {item.id, item.pending_id} - {""}
        for other in self._records.disputes(caller.consent.login):
            if other.transaction_id in names and other.withdrawn is None:
                raise FdxError(409, "409", "This transaction is disputed already")
        said = {name: given[name] for name in ("reason", "statement", "cardId") if given.get(name)}
        fields = {**said, "amount": money(-item.cents), "description": item.descriptor}
        reference = "".join(secrets.choice(_ALPHABET) for _ in range(6))
        return Dispute(f"D{reference}", caller.consent.login, asked, str(given["accountId"]), item.id, fields,
                       self._clock.now(), None)  # fmt: skip

    def _withdraw(self, caller: Caller, dispute: Dispute) -> Answer:
        if self._status(dispute) == "RESOLVED":
            raise FdxError(409, "409", "This dispute is decided")
        self._records.withdraw(dispute.id, self._clock.now())
        found = next(one for one in self._records.disputes(dispute.login) if one.id == dispute.id)
        return self._answer(caller, found)

    def _status(self, dispute: Dispute) -> str:
        if dispute.withdrawn is not None:
            return "WITHDRAWN"
        days = _business_days(bank_day(dispute.filed), bank_day(self._clock.now()))
        return "RESOLVED" if days >= _DECIDED else "IN_REVIEW" if days >= _LOOKED_AT else "RECEIVED"

    def _answer(self, caller: Caller, dispute: Dispute, status: int = 200) -> Answer:
        return Answer(self._shape(dispute, caller.account(dispute.account_id)), status)

    def _shape(self, dispute: Dispute, spec: AccountSpec) -> Json:
        status = self._status(dispute)
        days = _CREDIT_DAYS if spec.category is Category.LOC else _DEBIT_DAYS
        fields: Json = {
            "disputeId": dispute.id,
            "referenceNumber": dispute.id,
            "accountId": dispute.account_id,
            "transactionId": dispute.transaction_id,
            **dispute.fields,
            "currency": {"currencyCode": spec.currency},
            "disputeStatus": status,
            "filedTime": stamp(dispute.filed),
            "resolveByDate": (bank_day(dispute.filed) + timedelta(days=days)).isoformat(),
        }
        if status == "RESOLVED":
            fields["outcome"] = "CREDITED"
        return fields


def _business_days(first: date, last: date) -> int:
    """Weekdays after ``first``, up to and including ``last``."""
    return sum((first + timedelta(days=n)).weekday() < 5 for n in range(1, (last - first).days + 1))
