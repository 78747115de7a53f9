"""Carries out a customer's orders at her banks (implements banking.acting.Acting)."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar

from assistant.banking import clock
from assistant.banking.acting import Done, OrderKind
from assistant.banking.card import Card, CardStatus, LockReason
from assistant.banking.connector import Dated
from assistant.banking.dispute import Claim, Dispute
from assistant.banking.errors import BankingError, BankUnavailable, NotSupported, RateLimited
from assistant.banking.purpose import Purpose
from assistant.banking.transaction import Transaction
from assistant.customers.gate import Access, Door, Opened
from assistant.customers.identity import Customer
from assistant.customers.orders import Order, State
from assistant.customers.shared import Shared

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: How long after locking a card in a conversation, unlocking it there is taking that back.
JUST_NOW = timedelta(minutes=15)


class Teller:
    """One customer's, for one question."""

    def __init__(self, customer: Customer, shared: Shared, door: Door) -> None:
        self._customer = customer
        self._shared = shared
        self._orders = shared.orders
        self._door = door

    def cards(self) -> Dated[tuple[Card, ...]]:
        return self._gathered(self._for_cards(), lambda access: access.cards())

    def disputes(self) -> Dated[tuple[Dispute, ...]]:
        answer = self._gathered(self._for_disputes(), lambda access: access.disputes())
        named = tuple(self._named(dispute) for dispute in answer.value)
        newest = sorted(named, key=lambda one: one.filed_at.timestamp() if one.filed_at else 0.0, reverse=True)
        return replace(answer, value=tuple(newest))

    def lock(self, card: Card, reason: LockReason, because: str = "") -> Card:
        order = self._orders.begin(
            self._customer, card.bank_id, OrderKind.LOCK, card=card, reason=reason, because=because
        )
        return self._set(order)

    def unlock(self, card: Card) -> Card:
        return self._set(self._orders.begin(self._customer, card.bank_id, OrderKind.UNLOCK, card=card))

    def draft(self, claim: Claim) -> str:
        order = self._orders.begin(self._customer, claim.bank_id, OrderKind.DISPUTE, state=State.DRAFT, claim=claim)
        return order.id

    def drafted(self, order_id: str) -> Claim:
        claim = self._orders.get(self._customer, order_id).claim
        if claim is None:
            raise LookupError("no draft of a dispute")
        return claim

    def file(self, order_id: str, because: str = "") -> Dispute:
        order = self._orders.get(self._customer, order_id)
        if order.state in (State.DONE, State.UNDONE) and order.dispute is not None:
            return order.dispute
        return self._file(self._orders.go(order, because))

    def withdraw(self, dispute: Dispute) -> Dispute:
        return self._withdraw(self._orders.begin(self._customer, dispute.bank_id, OrderKind.WITHDRAW, dispute=dispute))

    def undoable(self) -> tuple[Done, ...]:
        done = [order.done for order in self._orders.done(self._customer)]
        if not done or done[0].kind is OrderKind.WITHDRAW:
            return ()
        together = [one for one in done if one.because and one.because == done[0].because]
        return tuple(together or done[:1])

    def take_back(self, done: Done) -> None:
        if done.kind is OrderKind.LOCK and done.card is not None:
            self.unlock(done.card)
        elif done.kind is OrderKind.UNLOCK and done.card is not None:
            self.lock(done.card, LockReason.ASKED)
        elif done.kind is OrderKind.DISPUTE and done.dispute is not None:
            self.withdraw(done.dispute)
        self._orders.undone(done.order_id)

    def just_locked(self, card: Card) -> bool:
        since = clock.now() - JUST_NOW
        return any(
            order.kind is OrderKind.LOCK and order.target == card.id and (order.done_at or order.begun_at) > since
            for order in self._orders.done(self._customer)
        )

    def finish(self) -> None:
        """Housekeeping: go on with what a killed process began in this conversation. A card is not unlocked by it:
        she may have thought better of it since."""
        for order in self._orders.begun(self._customer):
            try:
                if order.kind is OrderKind.UNLOCK:
                    self._orders.refused(order)
                else:
                    _GO_ON[order.kind](self, order)
            except BankingError as error:
                logger.info("order %s waits: %s %s", order.id, type(error).__name__, error.code)

    def _set(self, order: Order) -> Card:
        card = order.card
        if card is None:
            raise LookupError("an order about no card")
        status = CardStatus.LOCKED if order.kind is OrderKind.LOCK else CardStatus.ACTIVE
        told = self._told(order, self._for_cards(order.bank_id), lambda one: one.set_card(card, status, order.reason))
        self._orders.carried_out(order)
        return told

    def _file(self, order: Order) -> Dispute:
        claim = order.claim
        if claim is None:
            raise LookupError("an order to dispute nothing")
        opened = self._for_disputes(order.bank_id)
        told = self._told(order, opened, lambda access: access.file_dispute(claim, order.id))
        dispute = replace(told, merchant=claim.merchant)
        self._orders.carried_out(order, dispute)
        return dispute

    def _withdraw(self, order: Order) -> Dispute:
        dispute = order.dispute
        if dispute is None:
            raise LookupError("an order to withdraw nothing")
        opened = self._for_disputes(order.bank_id)
        told = self._told(order, opened, lambda access: access.withdraw_dispute(dispute))
        self._orders.carried_out(order)
        return replace(told, merchant=dispute.merchant)

    def _told(self, order: Order, opened: Opened, tell: Callable[[Access], T]) -> T:
        """What the bank said to it. An order whose answer did not come stays open, to be gone on with."""
        access = opened.accesses[0]
        try:
            return self._asked(access, tell)
        except (BankUnavailable, RateLimited):
            self._orders.unsure(order)
            raise
        except BankingError:
            self._orders.refused(order)
            raise

    def _gathered(self, opened: Opened, ask: Callable[[Access], tuple[T, ...]]) -> Dated[tuple[T, ...]]:
        """Of every bank that answers; raises only when none does."""
        found: list[T] = []
        problems: list[BankingError] = list(opened.refused)
        answered = False
        for access in opened.accesses:
            try:
                found += self._asked(access, ask)
                answered = True
            except BankingError as error:
                problems.append(error)
        if not answered:
            # Better the bank that can and is down than the one that never could.
            raise next((error for error in problems if not isinstance(error, NotSupported)), problems[0])
        return Dated(tuple(found), clock.now(), problems=tuple(problems))

    def _asked(self, access: Access, ask: Callable[[Access], T]) -> T:
        lanes = self._shared.lanes
        with lanes.enter([access.bank_id]) as entered:
            if access.bank_id not in entered:
                raise BankUnavailable("too many wait for it", bank_id=access.bank_id, code="busy", slow=True)
            return lanes.submit(access.bank_id, lambda: ask(access)).result()

    def _for_cards(self, *bank_ids: str) -> Opened:
        return self._door.open(Purpose.BALANCES, bank_ids or None, (Purpose.ALERTS,))

    def _for_disputes(self, *bank_ids: str) -> Opened:
        return self._door.open(Purpose.TRANSACTIONS, bank_ids or None, (Purpose.ALERTS,))

    def _named(self, dispute: Dispute) -> Dispute:
        """With the shop's own name, from the bank's descriptor."""
        if dispute.merchant or dispute.amount is None or dispute.filed_at is None:
            return dispute
        told = Transaction(dispute.id, dispute.account_id, -dispute.amount, dispute.filed_at.date(),
                           description=dispute.description)  # fmt: skip
        [enriched] = self._shared.enricher.enrich((told,), ())
        return replace(dispute, merchant=enriched.merchant or dispute.description)


_GO_ON: dict[OrderKind, Callable[[Teller, Order], object]] = {
    OrderKind.LOCK: Teller._set,
    OrderKind.DISPUTE: Teller._file,
    OrderKind.WITHDRAW: Teller._withdraw,
}
