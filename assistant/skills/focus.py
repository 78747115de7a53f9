"""What is being talked about: the question as data, and how a follow-up changes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import Enum
from typing import Any

from assistant.banking.period import Grain, Period
from assistant.replies.reply import Reply


class Topic(str, Enum):
    """Which skill the conversation is in."""

    NONE = ""
    BALANCES = "balances"
    TRANSACTIONS = "transactions"
    SPENDING = "spending"
    RECURRING = "recurring"


class Order(str, Enum):
    LATEST = "latest"
    LARGEST = "largest"
    SMALLEST = "smallest"
    OLDEST = "oldest"


class Direction(str, Enum):
    OUT = "out"
    IN = "in"


@dataclass(frozen=True, slots=True)
class AccountRef:
    """The account as the customer names it. All empty: none named.

    ``kind`` is an AccountKind value, or a wider word: "card", "loan", "deposit". ``bank`` is an id of banks.yml, or
    the name of a bank that has no profile.
    """

    kind: str = ""
    last4: str = ""
    name: str = ""
    bank: str = ""

    def __bool__(self) -> bool:
        return bool(self.kind or self.last4 or self.name or self.bank)


@dataclass(frozen=True, slots=True)
class AmountRange:
    """Bounds on the size of a transaction, both inclusive, sign ignored. ``currency`` "" means any.

    ``strict`` leaves the bounds themselves out ("over 50" does not include 50).
    """

    low: Decimal | None = None
    high: Decimal | None = None
    currency: str = ""
    strict: bool = False

    def __contains__(self, amount: object) -> bool:
        if not isinstance(amount, Decimal):
            return False
        size = abs(amount)
        if self.low is not None and (size < self.low or (self.strict and size == self.low)):
            return False
        return not (self.high is not None and (size > self.high or (self.strict and size == self.high)))


@dataclass(frozen=True, slots=True)
class Focus:
    """The question under discussion. Immutable; a follow-up makes a new one.

    ``view`` is the question within the topic (each skill lists its own). ``merchant`` is as the customer said
    it. ``category`` is an id of categories.yml. ``period`` None means none was named; ``against`` is the
    one it is compared with, where she named that too. ``count`` is how
    many she asked for, ``shown`` how many she has seen. It travels in a conversation slot, so it holds
    words of the question only: never a balance, an id of an account, or who is asking.
    """

    topic: Topic = Topic.NONE
    view: str = ""
    account: AccountRef = AccountRef()
    merchant: str = ""
    category: str = ""
    period: Period | None = None
    against: Period | None = None
    amount: AmountRange | None = None
    direction: Direction | None = None
    pending_only: bool = False
    order: Order = Order.LATEST
    count: int | None = None
    shown: int = 0

    def with_(self, **changes: Any) -> Focus:
        return replace(self, **changes)

    def to_slot(self) -> dict[str, Any]:
        """As plain JSON for a conversation slot; what is at its default is left out."""
        slot: dict[str, Any] = {"topic": self.topic.value, "view": self.view}
        if self.account:
            slot["account"] = asdict(self.account)
        if self.merchant:
            slot["merchant"] = self.merchant
        if self.category:
            slot["category"] = self.category
        for name, period in (("period", self.period), ("against", self.against)):
            if period:
                slot[name] = [period.start.isoformat(), period.end.isoformat(), period.grain.value]
        if self.amount:
            slot["amount"] = {
                "low": None if self.amount.low is None else str(self.amount.low),
                "high": None if self.amount.high is None else str(self.amount.high),
                "currency": self.amount.currency,
                "strict": self.amount.strict,
            }
        if self.direction:
            slot["direction"] = self.direction.value
        if self.pending_only:
            slot["pending_only"] = True
        if self.order is not Order.LATEST:
            slot["order"] = self.order.value
        if self.count is not None:
            slot["count"] = self.count
        if self.shown:
            slot["shown"] = self.shown
        return slot

    @classmethod
    def from_slot(cls, slot: object) -> Focus:
        """Back from a slot. A slot can be filled by hand (Rasa's debugging syntax): anything malformed
        reads as "nothing is being talked about", never as an error."""
        if not isinstance(slot, Mapping):
            return cls()
        try:
            account = slot.get("account") or {}
            amount = slot.get("amount")
            count = slot.get("count")
            return cls(
                topic=Topic(slot.get("topic", "")),
                view=str(slot.get("view", "")),
                account=AccountRef(**{each.name: str(account.get(each.name, "")) for each in fields(AccountRef)}),
                merchant=str(slot.get("merchant", "")),
                category=str(slot.get("category", "")),
                period=_period(slot.get("period")),
                against=_period(slot.get("against")),
                amount=AmountRange(
                    None if amount.get("low") is None else Decimal(str(amount["low"])),
                    None if amount.get("high") is None else Decimal(str(amount["high"])),
                    str(amount.get("currency", "")),
                    bool(amount.get("strict", False)),
                )
                if amount
                else None,
                direction=Direction(slot["direction"]) if slot.get("direction") else None,
                pending_only=bool(slot.get("pending_only", False)),
                order=Order(slot.get("order", "latest")),
                count=None if count is None else max(1, int(count)),
                shown=max(0, int(slot.get("shown", 0))),
            )
        except (ValueError, TypeError, AttributeError, KeyError, IndexError, InvalidOperation):
            return cls()


def _period(slot: Any) -> Period | None:
    return Period(date.fromisoformat(slot[0]), date.fromisoformat(slot[1]), Grain(slot[2])) if slot else None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a skill gives back: the reply, and what is being talked about from now on."""

    reply: Reply
    focus: Focus
