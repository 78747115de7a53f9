"""One movement of money on one account."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum

from assistant.banking.money import Money

_CHECK = re.compile(r"\s*CHECK(?:\s+PAID)?(?:\s+(?:NO\.?|NUMBER))?\s*#?\s*\d*\s*$", re.IGNORECASE)


class TransactionStatus(str, Enum):
    PENDING = "pending"
    POSTED = "posted"


@dataclass(frozen=True, slots=True)
class Transaction:
    """A purchase, payment, transfer, fee or deposit.

    ``amount`` is signed from the customer's side on every kind of account: negative is money out (a
    purchase on a card too), positive is money in (pay, a refund, a payment received on a card).
    ``date`` is the day the customer would name for it, in her time zone: when she paid, else when it
    posted. ``id`` is the bank's id where it has a sound one, else a fingerprint made by the connector;
    unique within the account. ``description`` is the bank's descriptor, untouched.
    ``merchant`` and ``category`` are filled by banking.enrich; "" and "uncategorized" until then.
    ``internal`` marks a move between the customer's own accounts (a card payment, a transfer to
    savings): never spending, never income.
    """

    id: str
    account_id: str
    amount: Money
    date: date
    status: TransactionStatus = TransactionStatus.POSTED
    description: str = ""
    merchant: str = ""
    category: str = "uncategorized"
    mcc: str = ""
    payee: str = ""
    memo: str = ""
    transacted_at: datetime | None = None
    posted_at: datetime | None = None
    pending_id: str = ""  #: on a posted item: the id it had while pending, if the bank says
    foreign_amount: Money | None = None
    check_number: str = ""
    internal: bool = False

    @property
    def is_pending(self) -> bool:
        return self.status is TransactionStatus.PENDING

    @property
    def is_check(self) -> bool:
        """A paper check: who it went to, the bank does not say. Some tell so only in the descriptor."""
        return bool(self.check_number or _CHECK.match(self.description))

    @property
    def is_outflow(self) -> bool:
        return self.amount.amount < 0
