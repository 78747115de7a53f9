"""Everything held about one customer, for her to take away.

Nothing is left out but what would be of use only to a thief: of tokens and of the step-up code it says that
they are held, and since when.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from assistant.banking import clock
from assistant.banking.purpose import Purpose
from assistant.customers.cache import LastWords
from assistant.customers.codec import to_plain
from assistant.customers.consent import Consents
from assistant.customers.export_alerts import exported_alerts
from assistant.customers.identity import Customer, Identities
from assistant.customers.inbox import Inbox
from assistant.customers.orders import Order, Orders
from assistant.customers.revocations import Revocations
from assistant.customers.vault import Vault
from assistant.storage.conversations import Conversations, key_owner
from assistant.storage.keys import KeyDestroyed
from assistant.storage.open import Storage
from assistant.storage.tables import (
    CustomerRow,
    HandoverRow,
    IdentityRow,
    LinkAttemptRow,
    OneTimeLinkRow,
    StepUpRow,
    WebSessionRow,
)

#: Counted up when the shape of an export changes.
FORMAT = "tellerline-export-1"


@dataclass(frozen=True, slots=True)
class Held:
    """What is held, in short: for an answer in words. ``bank_data_of``: banks of which a copy of
    what they said is kept for a while (see customers.cache)."""

    since: datetime
    bank_ids: tuple[str, ...]
    purposes: tuple[Purpose, ...]
    channels: tuple[str, ...]
    messages: int
    bank_data_of: tuple[str, ...]
    has_code: bool


class Export:
    def __init__(
        self,
        storage: Storage,
        identities: Identities,
        consents: Consents,
        vault: Vault,
        revocations: Revocations,
        conversations: Conversations,
        last_words: LastWords,
        orders: Orders,
        inbox: Inbox,
    ) -> None:
        self._storage = storage
        self._identities = identities
        self._consents = consents
        self._vault = vault
        self._revocations = revocations
        self._conversations = conversations
        self._last_words = last_words
        self._orders = orders
        self._inbox = inbox

    def held(self, customer: Customer) -> Held:
        """Raises LookupError for a customer who was erased."""
        row, code = self._rows(customer)
        bound = self._identities.conversations(customer.id)
        in_force = self._consents.in_force(customer.id)
        events = [event for _, id in bound for event in self._conversations.everything(id)]
        return Held(
            since=row.created_at,
            bank_ids=tuple(link.bank_id for link in self._vault.links(customer.id)),
            purposes=tuple(sorted({consent.purpose for consent in in_force})),
            channels=tuple(dict.fromkeys(channel for channel, _ in bound)),
            messages=sum(event.get("event") == "user" for event in events),
            bank_data_of=tuple(dict.fromkeys(bank for bank, *_ in self._last_words.everything(customer.id))),
            has_code=code is not None,
        )

    def everything(self, customer: Customer) -> dict[str, Any]:
        """As JSON-ready values. Raises LookupError for a customer who was erased."""
        row, code = self._rows(customer)
        with self._storage.database.read() as session:
            bound = session.scalars(select(IdentityRow).where(IdentityRow.customer_id == customer.id)).all()
            ids = [identity.conversation_id for identity in bound]
            attempts = session.scalars(select(LinkAttemptRow).where(LinkAttemptRow.conversation_id.in_(ids))).all()
            links = session.scalars(select(OneTimeLinkRow).where(OneTimeLinkRow.customer_id == customer.id)).all()
            handovers = session.scalars(select(HandoverRow).where(HandoverRow.conversation_id.in_(ids))).all()
            browsers = session.scalars(select(WebSessionRow).where(WebSessionRow.conversation_id.in_(ids))).all()
        return {
            "format": FORMAT,
            "made_at": clock.now().isoformat(),
            "customer": {
                "id": row.id,
                "since": row.created_at.isoformat(),
                "time_zone": row.time_zone,
                "locale": row.locale,
            },
            "channels": [
                {"channel": one.channel, "conversation": one.conversation_id, "since": one.created_at.isoformat()}
                for one in bound
            ],
            "bank_links": [
                {
                    "bank": link.bank_id,
                    "state": link.state.value,
                    "linked_at": link.linked_at.isoformat(),
                    "tokens": {"held": True, "sealed": True, "renewed_at": link.refreshed_at.isoformat()},
                }
                for link in self._vault.links(customer.id)
            ],
            "banks_to_be_told": [
                {"bank": each.bank_id, "since": each.since.isoformat(), "tokens": {"held": True, "sealed": True}}
                for each in self._revocations.of(customer.id)
            ],
            "consents": [
                {
                    "at": entry.at.isoformat(),
                    "action": entry.action.value,
                    "bank": entry.bank_id,
                    "channel": entry.channel,
                    "purpose": entry.purpose.value,
                    "text_version": entry.version,
                    "expires_at": entry.expires_at.isoformat() if entry.expires_at else None,
                }
                for entry in self._consents.history(customer.id)
            ],
            "step_up_code": {"held": True, "hashed": True, "set_at": code.isoformat()} if code else None,
            "conversations": [{"conversation": id, "events": self._conversations.everything(id)} for id in ids],
            "deliveries": [held for one in bound if (held := self._inbox.held_about(one.channel, one.conversation_id))],
            "bank_data": [
                {"bank": bank, "item": item, "fetched_at": fetched_at.isoformat(), "answer": answer}
                for bank, item, fetched_at, answer in self._last_words.everything(customer.id)
            ],
            "alerts": exported_alerts(self._storage, customer.id),
            "orders": [_order(order) for order in self._orders.everything(customer)],
            "link_attempts": [
                {"bank": each.bank_id, "channel": each.channel, "at": each.created_at.isoformat()} for each in attempts
            ],
            "one_time_links": [{"for": each.kind, "until": each.expires_at.isoformat()} for each in links],
            "handovers": [
                {
                    "reference": each.reference,
                    "reason": each.reason,
                    "at": each.created_at.isoformat(),
                    "said": self._said(each),
                }
                for each in handovers
            ],
            "web_sessions": [
                {"since": each.started_at.isoformat(), "used_at": each.used_at.isoformat()} for each in browsers
            ],
        }

    def _rows(self, customer: Customer) -> tuple[CustomerRow, datetime | None]:
        with self._storage.database.read() as session:
            row = session.get(CustomerRow, customer.id)
            code = session.get(StepUpRow, customer.id)
        if row is None or row.erasing_at is not None:
            raise LookupError("no such customer")
        return row, code.set_at if code else None

    def _said(self, row: HandoverRow) -> str:
        try:
            cipher = self._storage.keys.cipher(key_owner(row.conversation_id))
        except KeyDestroyed:
            return ""
        return cipher.open(row.sealed, f"handovers.sealed:{row.reference}").decode()


def _order(order: Order) -> dict[str, Any]:
    return {
        "id": order.id,
        "bank": order.bank_id,
        "channel": order.customer.channel,
        "kind": order.kind.value,
        "state": order.state.value,
        "at": order.begun_at.isoformat(),
        "done_at": order.done_at.isoformat() if order.done_at else None,
        "answers_alert": order.because or None,
        "card": to_plain(order.card) if order.card else None,
        "claim": to_plain(order.claim) if order.claim else None,
        "dispute": to_plain(order.dispute) if order.dispute else None,
    }
