"""The test API under /_sandbox/: faults, the clock, who there is, which calls came, purchases made now, and what the
books hold that the bank does not tell. Off without an admin key."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import Any

from assistant.sandbox.answers import Answer
from assistant.sandbox.calls import CallLog
from assistant.sandbox.customers import CUSTOMERS
from assistant.sandbox.faults import FaultBook
from assistant.sandbox.history import EPOCH
from assistant.sandbox.ledger import Bank
from assistant.sandbox.shapes import stamp
from assistant.sandbox.till import Till
from assistant.sandbox.time import SandboxClock

_LAST_YEAR = 2100


class Admin:
    def __init__(
        self, key: str, faults: FaultBook, clock: SandboxClock, calls: CallLog, bank: Bank, till: Till
    ) -> None:
        self._key = key
        self._faults = faults
        self._clock = clock
        self._calls = calls
        self._bank = bank
        self._till = till

    def handle(self, method: str, path: str, key: str, body: Any) -> Answer:
        """404 to anyone without the key, as if there were nothing here."""
        if not self._key or not hmac.compare_digest(key.encode(), self._key.encode()):
            return Answer({"message": "Not found"}, 404)
        given = body if isinstance(body, dict) else {}
        try:
            if path == "/_sandbox/faults":
                return self._fault(method, given)
            if path == "/_sandbox/clock":
                return self._time(method, given)
            if path == "/_sandbox/calls":
                return self._log(method)
            if path == "/_sandbox/purchases" and method == "POST":
                return self._purchase(given)
            if path.startswith("/_sandbox/truths/") and method == "GET":
                return self._truths(path.rsplit("/", 1)[1])
            if path == "/_sandbox/customers" and method == "GET":
                return Answer({"customers": [_customer(login) for login in CUSTOMERS]})
        except ValueError as error:
            return Answer({"message": str(error)}, 400)
        return Answer({"message": "Not found"}, 404)

    def _fault(self, method: str, given: dict[str, Any]) -> Answer:
        if method == "POST":
            return Answer(self._faults.add(given).describe(), 201)
        if method == "DELETE":
            self._faults.clear()
            return Answer(None, 204)
        return Answer({"faults": [fault.describe() for fault in self._faults.all()]})

    def _log(self, method: str) -> Answer:
        """GET: every call since the last DELETE, oldest first."""
        if method == "DELETE":
            self._calls.clear()
            return Answer(None, 204)
        return Answer({"calls": self._calls.all()})

    def _purchase(self, given: dict[str, Any]) -> Answer:
        """POST as sandbox.till.Till.charge takes it: 201 when approved, 402 when the card declines."""
        answer = self._till.charge(given)
        self._bank.changed()
        return Answer(answer, 201 if answer["approved"] else 402)

    def _truths(self, login: str) -> Answer:
        """Planted frauds, double charges, price rises and refunds of a customer ("maya-planted"), oldest first."""
        try:
            ledger = self._bank.ledger(login, self._clock.now())
        except KeyError as error:
            raise ValueError("no such customer") from error
        return Answer(
            {
                "truths": [
                    {
                        "kind": item.entry.truth,
                        "accountId": ledger.person.account_id(item.entry.account),
                        "transactionId": item.id,
                        "day": item.entry.day.isoformat(),
                    }
                    for item in ledger.truths()
                ]
            }
        )

    def _time(self, method: str, given: dict[str, Any]) -> Answer:
        """POST {"now": instant with zone} holds it there; {"days": n, "seconds": n} moves it on from where it is."""
        if method == "DELETE":
            self._clock.reset()
        elif method == "POST":
            self._move(given)
        return Answer({"now": stamp(self._clock.now())})

    def _move(self, given: dict[str, Any]) -> None:
        held, shift = self._clock.held, self._clock.shift
        if "now" in given:
            held, shift = datetime.fromisoformat(str(given["now"]).replace("Z", "+00:00")), timedelta(0)
            if held.tzinfo is None:
                raise ValueError("now needs a time zone")
        try:
            shift += timedelta(days=given.get("days", 0), seconds=given.get("seconds", 0))
            moved = (held or self._clock.now() - self._clock.shift) + shift
        except (TypeError, OverflowError) as error:
            raise ValueError("days and seconds are numbers within reason") from error
        if not EPOCH.year <= moved.year < _LAST_YEAR:
            raise ValueError(f"the bank's books run from {EPOCH.year} to {_LAST_YEAR}")
        self._clock.held, self._clock.shift = held, shift


def _customer(login: str) -> dict[str, Any]:
    person = CUSTOMERS[login]
    return {
        "login": login,
        "name": person.name,
        "accounts": [
            {"key": spec.key, "accountId": person.account_id(spec.key), "accountNumberDisplay": spec.mask}
            for spec in person.accounts
        ],
    }
