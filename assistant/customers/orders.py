"""What customers told their banks to do: kept before the bank is told, so that nothing is done twice or half.

An order begins in the database, with the id that is also the key under which the bank takes it once. Then the bank is
told. Then the order is marked done, in one transaction with its entry in the ledger. A process killed in between leaves
an order that is begun; said again, or by housekeeping, it goes on under the same key.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from sqlalchemy import Select, delete, select, update

from assistant.banking import clock
from assistant.banking.acting import Done, OrderKind
from assistant.banking.card import Card, LockReason
from assistant.banking.dispute import Claim, Dispute
from assistant.customers.codec import from_plain, to_plain
from assistant.customers.identity import Customer, key_owner
from assistant.customers.ledger import Action, Ledger
from assistant.storage.db import Database
from assistant.storage.keys import KeyRing
from assistant.storage.tables import BankOrderRow

#: How long an order that was not heard of again counts as the same when it is given again.
SAME_ORDER = timedelta(days=1)
#: A draft that nobody said yes to is dropped after this.
DRAFTS_KEPT = timedelta(days=1)
#: The record of what was done on the customer's word is kept as long as a bank keeps its own (12 CFR 1005.13(b)).
ORDERS_KEPT = timedelta(days=730)
#: An order this old and still begun belongs to a process that is gone.
INTERRUPTED_AFTER = timedelta(minutes=2)
#: How far back something can be taken back in words.
UNDO_WITHIN = timedelta(days=1)


class State(str, Enum):
    DRAFT = "draft"  #: nobody has said yes to it
    BEGUN = "begun"  #: the bank is being told
    UNSURE = "unsure"  #: it may have been: no answer came
    DONE = "done"
    REFUSED = "refused"  #: the bank said no, or it was given up
    UNDONE = "undone"  #: done, and taken back


@dataclass(frozen=True, slots=True)
class Order:
    """One order. ``card`` and ``reason`` for LOCK and UNLOCK, ``claim`` for DISPUTE, ``dispute`` for WITHDRAW and for a
    DISPUTE that is done. Instants are aware, UTC."""

    id: str
    customer: Customer
    bank_id: str
    kind: OrderKind
    state: State
    begun_at: datetime
    done_at: datetime | None = None
    because: str = ""
    card: Card | None = None
    reason: LockReason = LockReason.ASKED
    claim: Claim | None = None
    dispute: Dispute | None = None

    @property
    def target(self) -> str:
        """What it is done to."""
        if self.card is not None:
            return self.card.id
        if self.claim is not None:
            return self.claim.transaction_id
        return self.dispute.id if self.dispute else ""

    @property
    def done(self) -> Done:
        return Done(self.id, self.kind, self.done_at or self.begun_at, self.card, self.dispute, self.because)


_ACTIONS: Mapping[OrderKind, Action] = {
    OrderKind.LOCK: Action.CARD_LOCKED,
    OrderKind.UNLOCK: Action.CARD_UNLOCKED,
    OrderKind.DISPUTE: Action.DISPUTED,
    OrderKind.WITHDRAW: Action.WITHDREW_DISPUTE,
}


class Orders:
    def __init__(self, database: Database, keys: KeyRing, ledger: Ledger) -> None:
        self._database = database
        self._keys = keys
        self._ledger = ledger

    def begin(
        self,
        customer: Customer,
        bank_id: str,
        kind: OrderKind,
        *,
        state: State = State.BEGUN,
        because: str = "",
        card: Card | None = None,
        reason: LockReason = LockReason.ASKED,
        claim: Claim | None = None,
        dispute: Dispute | None = None,
    ) -> Order:
        """Durable when it returns. The same order given before and never heard of is that one, gone on with."""
        order = Order(
            id=secrets.token_hex(8),
            customer=customer,
            bank_id=bank_id,
            kind=kind,
            state=state,
            begun_at=clock.now(),
            because=because,
            card=card,
            reason=reason,
            claim=claim,
            dispute=dispute,
        )
        before = next((one for one in self._open(customer) if (one.kind, one.target) == (kind, order.target)), None)
        if before is not None and state is State.BEGUN:
            return before
        with self._database.write() as session:
            session.add(
                BankOrderRow(
                    id=order.id,
                    customer_id=customer.id,
                    bank_id=bank_id,
                    channel=customer.channel,
                    conversation_id=customer.conversation_id,
                    kind=kind.value,
                    state=state.value,
                    because=because,
                    sealed=self._sealed(order),
                    begun_at=order.begun_at,
                )
            )
        return order

    def get(self, customer: Customer, order_id: str) -> Order:
        """Raises LookupError unless it is hers."""
        found = self._read(select(BankOrderRow).where(BankOrderRow.id == order_id), customer)
        if not found:
            raise LookupError("no such order")
        return found[0]

    def go(self, order: Order, because: str = "") -> Order:
        """A draft is begun: she said yes. Two at once begin it once."""
        self._set(order, State.BEGUN, because=because or order.because, begun_at=clock.now())
        return replace(order, state=State.BEGUN, because=because or order.because)

    def carried_out(self, order: Order, dispute: Dispute | None = None) -> Order:
        """The bank has done it. Kept with its entry in the ledger; said twice, it is entered once."""
        done = replace(order, state=State.DONE, done_at=clock.now(), dispute=dispute or order.dispute)
        with self._database.write() as session:
            changed = session.execute(
                update(BankOrderRow)
                .where(BankOrderRow.id == order.id, BankOrderRow.state.in_((State.BEGUN.value, State.UNSURE.value)))
                .values(state=State.DONE.value, done_at=done.done_at, sealed=self._sealed(done))
                .returning(BankOrderRow.id)
            ).first()
            if changed is not None:
                self._ledger.append(
                    session,
                    _ACTIONS[order.kind],
                    customer_id=order.customer.id,
                    bank_id=order.bank_id,
                    channel=order.customer.channel,
                    version=order.id,
                )
        self._ledger.anchor()
        return done

    def unsure(self, order: Order) -> None:
        self._set(order, State.UNSURE)

    def refused(self, order: Order) -> None:
        self._set(order, State.REFUSED, done_at=clock.now())

    def undone(self, order_id: str) -> None:
        with self._database.write() as session:
            session.execute(
                update(BankOrderRow)
                .where(BankOrderRow.id == order_id, BankOrderRow.state == State.DONE.value)
                .values(state=State.UNDONE.value)
            )

    def done(self, customer: Customer) -> tuple[Order, ...]:
        """What was carried out in this conversation lately, newest first."""
        query = (
            select(BankOrderRow)
            .where(
                BankOrderRow.conversation_id == customer.conversation_id,
                BankOrderRow.state == State.DONE.value,
                BankOrderRow.done_at > clock.now() - UNDO_WITHIN,
            )
            .order_by(BankOrderRow.done_at.desc(), BankOrderRow.id)
        )
        return self._read(query, customer)

    def everything(self, customer: Customer) -> tuple[Order, ...]:
        """Oldest first."""
        return self._read(select(BankOrderRow).order_by(BankOrderRow.begun_at, BankOrderRow.id), customer)

    def interrupted(self) -> tuple[tuple[str, str, str], ...]:
        """(customer id, channel, conversation id) and so whose orders a process that is gone left begun."""
        before = clock.now() - INTERRUPTED_AFTER
        query = (
            select(BankOrderRow.customer_id, BankOrderRow.channel, BankOrderRow.conversation_id)
            .where(BankOrderRow.state == State.BEGUN.value, BankOrderRow.begun_at < before)
            .distinct()
        )
        with self._database.read() as session:
            return tuple((one, channel, conversation) for one, channel, conversation in session.execute(query))

    def begun(self, customer: Customer) -> tuple[Order, ...]:
        """Those of this conversation, oldest first."""
        query = (
            select(BankOrderRow)
            .where(
                BankOrderRow.conversation_id == customer.conversation_id,
                BankOrderRow.state == State.BEGUN.value,
            )
            .order_by(BankOrderRow.begun_at)
        )
        return self._read(query, customer)

    def forget_old(self) -> None:
        """Housekeeping: drafts nobody said yes to, orders that could not be gone on with, records that have had their
        time."""
        now = clock.now()
        with self._database.write() as session:
            session.execute(
                update(BankOrderRow)
                .where(BankOrderRow.state == State.BEGUN.value, BankOrderRow.begun_at < now - SAME_ORDER)
                .values(state=State.REFUSED.value, done_at=now)
            )
            session.execute(
                delete(BankOrderRow).where(
                    BankOrderRow.state == State.DRAFT.value, BankOrderRow.begun_at < now - DRAFTS_KEPT
                )
            )
            session.execute(delete(BankOrderRow).where(BankOrderRow.begun_at < now - ORDERS_KEPT))

    def _open(self, customer: Customer) -> tuple[Order, ...]:
        states = (State.BEGUN.value, State.UNSURE.value)
        query = (
            select(BankOrderRow)
            .where(BankOrderRow.state.in_(states), BankOrderRow.begun_at > clock.now() - SAME_ORDER)
            .order_by(BankOrderRow.begun_at.desc())
        )
        return self._read(query, customer)

    def _read(self, query: Select[tuple[BankOrderRow]], customer: Customer) -> tuple[Order, ...]:
        with self._database.read() as session:
            rows = session.scalars(query.where(BankOrderRow.customer_id == customer.id)).all()
        return tuple(self._order(row, customer) for row in rows)

    def _set(self, order: Order, state: State, **more: Any) -> None:
        with self._database.write() as session:
            session.execute(
                update(BankOrderRow)
                .where(BankOrderRow.id == order.id, BankOrderRow.state != State.DONE.value)
                .values(state=state.value, **more)
            )

    def _sealed(self, order: Order) -> bytes:
        held: dict[str, Any] = {"reason": order.reason.value}
        for name in ("card", "claim", "dispute"):
            if (value := getattr(order, name)) is not None:
                held[name] = to_plain(value)
        plain = json.dumps(held, separators=(",", ":")).encode()
        return self._keys.cipher(key_owner(order.customer.id)).seal(plain, _place(order.id))

    def _order(self, row: BankOrderRow, customer: Customer) -> Order:
        held = json.loads(self._keys.cipher(key_owner(row.customer_id)).open(row.sealed, _place(row.id)))
        return Order(
            id=row.id,
            customer=Customer(row.customer_id, row.conversation_id, row.channel, customer.profile),
            bank_id=row.bank_id,
            kind=OrderKind(row.kind),
            state=State(row.state),
            begun_at=row.begun_at,
            done_at=row.done_at,
            because=row.because,
            card=from_plain(Card, held["card"]) if "card" in held else None,
            reason=LockReason(held["reason"]),
            claim=from_plain(Claim, held["claim"]) if "claim" in held else None,
            dispute=from_plain(Dispute, held["dispute"]) if "dispute" in held else None,
        )


def _place(order_id: str) -> str:
    return f"bank_orders.sealed:{order_id}"
