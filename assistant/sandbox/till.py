"""Purchases made while the bank runs: what a test, or somebody trying out alerts, puts on a customer's card."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from assistant.sandbox.book import Entry, bank_day, posted_at, posting
from assistant.sandbox.cards import is_locked
from assistant.sandbox.customers import find
from assistant.sandbox.people import Category, Person
from assistant.sandbox.records import Records
from assistant.sandbox.time import SandboxClock

#: Numbers of these entries start here, above planted ones.
FIRST_NUMBER = 20_000_000
_MOST_CENTS = 100_000_000


class Till:
    def __init__(self, records: Records, clock: SandboxClock) -> None:
        self._records = records
        self._clock = clock

    def charge(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """{"login", "account" (its key), "cents", "descriptor", "mcc"?, "lag"? days to posting, 1} on the card, now.

        ``cents`` is positive for a purchase, negative for a refund. Declined where the card is locked (refunds are
        not). Raises ValueError for a customer, account or value that is none.
        """
        person = find(str(given.get("login", "")))
        key, cents, lag = given.get("account"), given.get("cents"), given.get("lag", 1)
        if person is None or person.bulk or key not in {spec.key for spec in person.accounts}:
            raise ValueError("login and account name an account")
        if not isinstance(cents, int) or not 0 < abs(cents) <= _MOST_CENTS:
            raise ValueError("cents is a whole number, and not 0")
        if not isinstance(lag, int) or not 0 <= lag <= 30:
            raise ValueError("lag is days, 0 to 30")
        descriptor = str(given.get("descriptor", "")).strip()
        if not descriptor:
            raise ValueError("descriptor says who is paid")
        if cents > 0 and is_locked(self._records, person, str(key)):
            return {"approved": False, "reason": "CARD_LOCKED"}
        fields = {
            "account": key,
            "cents": -cents,
            "descriptor": descriptor,
            "mcc": str(given.get("mcc", "")),
            "lag": lag,
            "happened": self._clock.now().replace(microsecond=0).isoformat(),
        }
        return {"approved": True, "number": self._records.add_purchase(person.login, fields)}

    def entries(self, person: Person) -> list[Entry]:
        return [_entry(person, number, fields) for number, fields in self._records.purchases(person.login)]


def _entry(person: Person, number: int, fields: Mapping[str, Any]) -> Entry:
    happened = datetime.fromisoformat(fields["happened"])
    day = bank_day(happened)
    on_credit = person.account(fields["account"]).category is Category.LOC
    return Entry(
        number=FIRST_NUMBER + number,
        account=fields["account"],
        cents=fields["cents"],
        held=fields["cents"],
        happened=happened,
        posts=posted_at(posting(day, fields["lag"])) if fields["lag"] else happened,
        day=day,
        descriptor=fields["descriptor"],
        held_descriptor=fields["descriptor"],
        mcc=fields["mcc"],
        kind="ADJUSTMENT" if fields["cents"] > 0 else "PURCHASE" if on_credit else "POSDEBIT",
    )
