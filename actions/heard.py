"""What the customer said in this turn: Rasa's entities as typed values, none of them trusted to be well formed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from assistant.banking.account import AccountKind
from assistant.banking.categories import Categories
from assistant.banking.period import Period
from assistant.nlu.compared import BASELINE
from assistant.nlu.period import Problem, resolve
from assistant.skills.focus import AccountRef, AmountRange, Direction, Focus, Order, Topic

#: The most rows a customer can ask for at once.
MAX_COUNT = 50
#: Longer text in an entity is noise.
_MAX_TEXT = 80
#: People whom no bank calls so, by what money goes to them or comes from them for.
_ROLES = {"landlord": "rent", "landlady": "rent", "employer": "income"}
_KINDS = frozenset({kind.value for kind in AccountKind} | {"card", "loan", "deposit"})


@dataclass(frozen=True, slots=True)
class Heard:
    """The entities of one message. ``period`` is the words; ``focus`` and ``onto`` resolve them.

    ``against`` are the words for a time that is only compared with.
    """

    account: AccountRef = field(default_factory=AccountRef)
    merchant: str = ""
    category: str = ""
    period: str = ""
    against: str = ""
    amount: AmountRange | None = None
    direction: Direction | None = None
    pending_only: bool = False
    order: Order | None = None
    count: int | None = None
    group: str = ""
    balance_type: str = ""
    purpose: str = ""
    bank: str = ""

    @classmethod
    def from_entities(cls, entities: Sequence[Mapping[str, Any]]) -> Heard:
        """The first sound value of each entity counts, of purposes the last. What is malformed was not said."""
        values: dict[str, Any] = {}
        for entity in entities:
            name, value = entity.get("entity"), entity.get("value")
            reader = _READERS.get(str(name))
            if reader is None or value in (None, "", {}, []):
                continue
            try:
                read = reader(value)
            except (ValueError, TypeError, AttributeError, KeyError, InvalidOperation):
                continue
            if read is None:
                continue
            if entity.get("role") == BASELINE:
                values.setdefault("against", read)
            elif name == "purpose":
                values["purpose"] = read  # "stop using my transactions for insights": what for comes last
            else:
                values.setdefault(_FIELDS.get(str(name), str(name)), read)
        role = str(values.get("merchant", "")).casefold().removeprefix("my ")
        if role in _ROLES:
            del values["merchant"]
            values.setdefault("category", _ROLES[role])
        if "bank" in values and "account" not in values:
            values["account"] = AccountRef(bank=values["bank"])  # "at Chase" narrows like an account's name
        return cls(**values)

    @property
    def filters(self) -> bool:
        """Whether anything was named that a question can be narrowed by."""
        return bool(
            self.account
            or self.merchant
            or self.category
            or self.period
            or self.against
            or self.amount
            or self.direction
            or self.pending_only
            or self.order
            or self.count
        )

    def resolve_period(
        self, today: date, base: Period | None, paydays: Sequence[date] = ()
    ) -> tuple[Period | None, Problem | None]:
        """The days meant by the words for time, and what is wrong with them if something is."""
        words = self.period or self.against
        if not words:
            return None, None
        resolved = resolve(words, today, base=base, paydays=paydays)
        return resolved.period, resolved.problem

    def fresh(self, topic: Topic, view: str, period: Period | None) -> Focus:
        """A new question: nothing of the one before stays."""
        return Focus(
            topic=topic,
            view=view,
            account=self.account,
            merchant=self.merchant,
            category=self.category,
            period=period,
            amount=self.amount,
            direction=self.direction,
            pending_only=self.pending_only,
            order=self.order or Order.LATEST,
            count=self.count,
        )

    def onto(self, focus: Focus, period: Period | None) -> Focus:
        """The same question with what was said changed: a merchant takes the place of a category, and the reverse."""
        changes: dict[str, Any] = {"shown": 0, "count": self.count}
        if self.merchant or self.category:
            changes.update(merchant=self.merchant, category="" if self.merchant else self.category)
        if self.account:
            changes["account"] = self.account
        if period:
            changes.update(period=period, against=None)
        if self.amount:
            changes["amount"] = self.amount
        if self.direction:
            changes["direction"] = self.direction
        if self.pending_only:
            changes["pending_only"] = True
        if self.order:
            changes["order"] = self.order
        return focus.with_(**changes)


def _text(value: Any) -> str | None:
    text = " ".join(str(value).split())
    return text if text and len(text) <= _MAX_TEXT else None


def _account(value: Any) -> AccountRef | None:
    if isinstance(value, str):
        return AccountRef(name=_text(value) or "") or None
    kind = str(value.get("kind") or "")
    ref = AccountRef(
        kind=kind if kind in _KINDS else "",
        last4=_text(value.get("last4") or "") or "",
        name=_text(value.get("name") or "") or "",
    )
    return ref or None


def _bound(value: Any) -> Decimal | None:
    if value is None or value == "":
        return None
    bound = Decimal(str(value))
    if not bound.is_finite():
        raise ValueError("an amount is finite")
    return abs(bound)


def _amount(value: Any) -> AmountRange | None:
    low, high = _bound(value.get("low")), _bound(value.get("high"))
    if low is None and high is None:
        return None
    if low is not None and high is not None and low > high:
        low, high = high, low
    return AmountRange(low, high, str(value.get("currency") or ""), bool(value.get("strict", False)))


def _count(value: Any) -> int | None:
    number = int(value)
    return min(number, MAX_COUNT) if number > 0 else None


def _category(value: Any) -> str | None:
    table = Categories.load()
    return value if value in table or value in table.groups else None


_READERS = {
    "account": _account,
    "merchant": _text,
    "payee": _text,
    "category": _category,
    "period": _text,
    "amount": _amount,
    "direction": Direction,
    "status": lambda value: value == "pending" or None,
    "order": Order,
    "count": _count,
    "group": _text,
    "balance_type": _text,
    "purpose": _text,
    "bank": _text,
}
_FIELDS = {"payee": "merchant", "status": "pending_only"}
