"""Forgetting a customer, or a conversation, for good.

First she is marked, and from that moment served to nobody. Then her banks are told, her conversations and her
data key destroyed, which makes every sealed value of hers noise, in copies of the database too; last the rows
go. A process killed on the way is finished by the next ``finish``: erased, or not begun, never half.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from assistant.banking import clock
from assistant.banking.errors import BankingError, BankUnavailable
from assistant.customers.cache import FreshCache
from assistant.customers.gate import Gate
from assistant.customers.identity import Customer, Identities, key_owner
from assistant.customers.ledger import Ledger
from assistant.customers.vault import Vault
from assistant.storage.conversations import Conversations
from assistant.storage.open import Storage
from assistant.storage.tables import CustomerRow, HandoverRow, LinkAttemptRow, StepUpPassRow

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Receipt:
    """Names nobody. ``banks_not_told``: their side of the consent lives until it ends or is ended there; we have
    nothing left to use it with."""

    erased_at: datetime
    banks_told: tuple[str, ...]
    banks_not_told: tuple[str, ...]


class Erasure:
    def __init__(
        self,
        storage: Storage,
        identities: Identities,
        vault: Vault,
        gate: Gate,
        ledger: Ledger,
        conversations: Conversations,
        fresh: FreshCache,
    ) -> None:
        self._database = storage.database
        self._keys = storage.keys
        self._identities = identities
        self._vault = vault
        self._gate = gate
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
        told: list[str] = []
        not_told: list[str] = []
        for link in self._vault.links(customer_id):
            (told if self._tell(customer_id, link.bank_id) else not_told).append(link.bank_id)
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
        return Receipt(clock.now(), tuple(told), tuple(not_told))

    def _tell(self, customer_id: str, bank_id: str) -> bool:
        try:
            self._gate.revoke(customer_id, bank_id)
        except BankUnavailable as error:
            # Erasing does not wait for a bank. Without tokens nobody can use what is left there.
            logger.warning("bank %s could not be told of an erasure: %s", bank_id, error.code)
            return False
        except BankingError as error:
            logger.info("bank %s at erasure: %s", bank_id, type(error).__name__)
        return True


def _drop_conversation(session: Session, conversation_id: str) -> None:
    for table in (LinkAttemptRow, HandoverRow, StepUpPassRow):
        session.execute(delete(table).where(table.conversation_id == conversation_id))
