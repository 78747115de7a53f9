"""Forgetting a customer, or a conversation, for good.

First she is marked, and from that moment served to nobody. Then her banks are told, her conversations and her
data key destroyed, which makes every sealed value of hers noise, in copies of the database too; last the rows
go. A process killed on the way is finished by the next ``finish``: erased, or not begun, never half. What a bank
that is down must still be told waits without her name (customers.revocations).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from assistant.banking import clock
from assistant.banking.errors import BankUnavailable, NotLinked
from assistant.customers.cache import FreshCache
from assistant.customers.identity import Customer, Identities, key_owner
from assistant.customers.ledger import Ledger
from assistant.customers.revocations import Revocations
from assistant.customers.vault import Vault
from assistant.storage.conversations import Conversations
from assistant.storage.open import Storage
from assistant.storage.tables import (
    AnswerRow,
    CorrespondentRow,
    CustomerRow,
    HandoverRow,
    InboxRow,
    LinkAttemptRow,
    StepUpPassRow,
    WebSessionRow,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Names nobody. ``banks_not_told`` yet: they are told later; until then the tokens that end their side of the
    consent wait, sealed under a key of their own, and nothing says whose they were."""

    erased_at: datetime
    banks_told: tuple[str, ...]
    banks_not_told: tuple[str, ...]


class Erasure:
    def __init__(
        self,
        storage: Storage,
        identities: Identities,
        vault: Vault,
        revocations: Revocations,
        ledger: Ledger,
        conversations: Conversations,
        fresh: FreshCache,
    ) -> None:
        self._database = storage.database
        self._keys = storage.keys
        self._identities = identities
        self._vault = vault
        self._revocations = revocations
        self._ledger = ledger
        self._conversations = conversations
        self._fresh = fresh

    def erase(self, customer: Customer) -> Receipt:
        """Safe to repeat. The conversation that asked for it is erased with the others."""
        with self._database.write() as session:
            session.execute(
                update(CustomerRow)
                .where(CustomerRow.id == customer.id, CustomerRow.erasing_at.is_(None))
                .values(erasing_at=clock.now())
            )
        return self._go_on(customer.id)

    def erase_conversation(self, conversation_id: str) -> None:
        """For somebody who never linked a bank: what was said, and what hangs from it."""
        self._conversations.erase(conversation_id)
        with self._database.write() as session:
            _drop_conversation(session, conversation_id)
        self._database.compact()

    def finish(self) -> None:
        """Housekeeping: complete what a killed process began."""
        with self._database.read() as session:
            begun = session.scalars(select(CustomerRow.id).where(CustomerRow.erasing_at.is_not(None))).all()
        for customer_id in begun:
            self._go_on(customer_id)

    def _go_on(self, customer_id: str) -> Receipt:
        for link in self._vault.links(customer_id):
            self._end_link(customer_id, link.bank_id)
        told: dict[str, bool] = {}
        for waiting in self._revocations.of(customer_id):
            told[waiting.bank_id] = self._revocations.tell(waiting.id) and told.get(waiting.bank_id, True)
        conversation_ids = [id for _, id in self._identities.conversations(customer_id)]
        for conversation_id in conversation_ids:
            self._conversations.erase(conversation_id)
        self._keys.destroy(key_owner(customer_id))
        with self._database.write() as session:
            if session.get(CustomerRow, customer_id) is not None:
                self._ledger.erase(session, customer_id)
            for conversation_id in conversation_ids:
                _drop_conversation(session, conversation_id)
            # Identities, links, code and cached bank data go with the customer (ON DELETE CASCADE).
            session.execute(delete(CustomerRow).where(CustomerRow.id == customer_id))
        self._ledger.anchor()
        self._fresh.forget(customer_id)
        self._database.compact()
        return Receipt(
            clock.now(),
            tuple(bank_id for bank_id, was_told in told.items() if was_told),
            tuple(bank_id for bank_id, was_told in told.items() if not was_told),
        )

    def _end_link(self, customer_id: str, bank_id: str) -> None:
        store = self._vault.tokens(customer_id, bank_id)
        try:
            with store.lock():  # tokens that a refresh is fetching just now are the ones to end
                self._move(customer_id, bank_id)
        except BankUnavailable:
            logger.warning("a refresh at bank %s hangs; erasing does not wait for it", bank_id)
            self._move(customer_id, bank_id)

    def _move(self, customer_id: str, bank_id: str) -> None:
        try:
            tokens = self._vault.tokens(customer_id, bank_id).load()
        except NotLinked:
            return  # her key is destroyed already: killed after that
        with self._database.write() as session:
            self._revocations.add_within(session, customer_id, bank_id, tokens)
            self._vault.remove_within(session, customer_id, bank_id)


#: Besides what was said, which goes with its key (storage.conversations).
_HANGS_ON_A_CONVERSATION = (
    LinkAttemptRow,
    HandoverRow,
    StepUpPassRow,
    InboxRow,
    AnswerRow,
    CorrespondentRow,
    WebSessionRow,
)


def _drop_conversation(session: Session, conversation_id: str) -> None:
    for table in _HANGS_ON_A_CONVERSATION:
        session.execute(delete(table).where(table.conversation_id == conversation_id))
