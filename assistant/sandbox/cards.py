"""Payment cards: list, state, lock and unlock.

FDX (6.4) knows accounts, no cards. This is an extension of ours in FDX's manner: flat objects, its errors, its consent.

    GET /cards, GET /cards/{cardId}
    PUT /cards/{cardId}/status   {"cardStatus": "LOCKED" | "ACTIVE", "statusReason": ...}

PUT says how the card shall be, so repeating it changes nothing. A locked card's new purchases are declined; what was
authorised before still posts. Needs the data cluster CARD_CONTROLS (scope tellerline:cards:write).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from assistant.sandbox.answers import Answer, FdxError, invalid_input
from assistant.sandbox.call import Call, Caller
from assistant.sandbox.people import AccountSpec, Category, Person
from assistant.sandbox.records import CardLock, Records
from assistant.sandbox.shapes import Json, stamp
from assistant.sandbox.time import SandboxClock

CLUSTER = "CARD_CONTROLS"
ACTIVE, LOCKED = "ACTIVE", "LOCKED"
REASONS = frozenset({"CUSTOMER_REQUEST", "LOST", "STOLEN", "SUSPECTED_FRAUD"})


@dataclass(frozen=True, slots=True)
class CardSpec:
    """A card on an account. ``mask`` is the last four digits of the card's own number."""

    id: str
    account: AccountSpec
    kind: str
    product: str
    mask: str


def cards_of(person: Person) -> tuple[CardSpec, ...]:
    """A credit card's own, and a debit card for each checking account."""
    return tuple(_card(person, spec) for spec in person.accounts if spec.kind in {"CREDITCARD", "CHECKING"})


def _card(person: Person, spec: AccountSpec) -> CardSpec:
    digest = hashlib.blake2s(f"{person.login}/{spec.key}/card".encode(), digest_size=12)
    if spec.category is Category.LOC:
        return CardSpec(digest.hexdigest(), spec, "CREDIT", spec.product, spec.mask)
    mask = f"{int.from_bytes(digest.digest()[:4], 'big') % 10_000:04d}"
    return CardSpec(digest.hexdigest(), spec, "DEBIT", f"{spec.nickname or spec.product} Debit Card", mask)


def is_locked(records: Records, person: Person, account: str) -> bool:
    """Whether the card of that account (by key) declines purchases now."""
    found = next((card for card in cards_of(person) if card.account.key == account), None)
    lock = records.lock(found.id) if found else None
    return lock is not None and lock.status == LOCKED


class CardsApi:
    def __init__(self, records: Records, clock: SandboxClock) -> None:
        self._records = records
        self._clock = clock

    def handle(self, caller: Caller, call: Call, parts: list[str]) -> Answer:
        """Raises FdxError."""
        caller.need(CLUSTER)
        mine = {card.id: card for card in cards_of(caller.ledger.person) if card.account in caller.shared()}
        if len(parts) == 1 and call.method == "GET":
            return Answer({"cards": [self._shape(caller, card) for card in mine.values()]})
        if len(parts) > 1 and parts[1] not in mine:
            raise FdxError(404, "1107", "No such card")
        if len(parts) == 2 and call.method == "GET":
            return Answer(self._shape(caller, mine[parts[1]]))
        if len(parts) == 3 and parts[2] == "status" and call.method == "PUT":
            return self._set(caller, mine[parts[1]], call)
        raise FdxError(405, "1206", "Method not supported")

    def _set(self, caller: Caller, card: CardSpec, call: Call) -> Answer:
        status, reason = call.fields.get("cardStatus"), call.fields.get("statusReason", "CUSTOMER_REQUEST")
        if status not in {ACTIVE, LOCKED} or reason not in REASONS:
            raise invalid_input("cardStatus is ACTIVE or LOCKED, statusReason one of " + ", ".join(sorted(REASONS)))
        now = self._records.lock(card.id)
        if (now.status if now else ACTIVE) != status:
            lock = CardLock(str(status), str(reason), self._clock.now())
            self._records.set_lock(card.id, caller.ledger.person.login, lock)
        return Answer(self._shape(caller, card))

    def _shape(self, caller: Caller, card: CardSpec) -> Json:
        fields: Json = {
            "cardId": card.id,
            "accountId": caller.ledger.person.account_id(card.account.key),
            "cardType": card.kind,
            "productName": card.product,
            "cardNumberDisplay": card.mask,
            "cardStatus": ACTIVE,
        }
        if lock := self._records.lock(card.id):
            fields |= {
                "cardStatus": lock.status,
                "statusReason": lock.reason,
                "statusUpdatedTime": stamp(lock.updated),
            }
        return fields
