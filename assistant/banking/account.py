"""Accounts, cards and loans as the customer knows them, and what is in or owed on them."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from assistant.banking.money import Money


class AccountKind(str, Enum):
    """What an account is, in the words customers use. ``family`` groups them."""

    CHECKING = "checking"
    SAVINGS = "savings"
    MONEY_MARKET = "money_market"
    CD = "cd"
    CREDIT_CARD = "credit_card"
    LINE_OF_CREDIT = "line_of_credit"
    MORTGAGE = "mortgage"
    AUTO_LOAN = "auto_loan"
    STUDENT_LOAN = "student_loan"
    LOAN = "loan"
    INVESTMENT = "investment"
    OTHER = "other"

    @property
    def family(self) -> AccountFamily:
        return _FAMILY[self]


class AccountFamily(str, Enum):
    DEPOSIT = "deposit"
    CREDIT = "credit"
    LOAN = "loan"
    INVESTMENT = "investment"
    OTHER = "other"


_FAMILY = {
    AccountKind.CHECKING: AccountFamily.DEPOSIT,
    AccountKind.SAVINGS: AccountFamily.DEPOSIT,
    AccountKind.MONEY_MARKET: AccountFamily.DEPOSIT,
    AccountKind.CD: AccountFamily.DEPOSIT,
    AccountKind.CREDIT_CARD: AccountFamily.CREDIT,
    AccountKind.LINE_OF_CREDIT: AccountFamily.CREDIT,
    AccountKind.MORTGAGE: AccountFamily.LOAN,
    AccountKind.AUTO_LOAN: AccountFamily.LOAN,
    AccountKind.STUDENT_LOAN: AccountFamily.LOAN,
    AccountKind.LOAN: AccountFamily.LOAN,
    AccountKind.INVESTMENT: AccountFamily.INVESTMENT,
    AccountKind.OTHER: AccountFamily.OTHER,
}


class AccountStatus(str, Enum):
    OPEN = "open"
    CLOSED = "closed"
    PENDING = "pending"
    RESTRICTED = "restricted"


@dataclass(frozen=True, slots=True)
class Account:
    """One account at one bank.

    ``id`` is Tellerline's id, unique across the customer's banks: ``<bank id>:<the bank's account id>``.
    ``mask`` is the last digits the bank shows (usually four), or "" when it shows none; the full number
    is never held here.
    """

    id: str
    bank_id: str
    kind: AccountKind
    name: str
    currency: str
    mask: str = ""
    nickname: str = ""
    status: AccountStatus = AccountStatus.OPEN

    @property
    def label(self) -> str:
        """The name to use in conversation: the nickname, else the product's name."""
        return self.nickname or self.name

    @property
    def native_id(self) -> str:
        """The bank's own id of the account."""
        return self.id.split(":", 1)[1]


@dataclass(frozen=True, slots=True)
class Balances:
    """What is in, or owed on, one account. Every field may be missing: None means "the bank did not say".

    Deposit accounts: ``current`` (posted), ``available`` (what can be spent); negative is overdrawn.
    Credit and loans: ``owed`` is positive when the customer owes, negative when the bank owes her;
    ``available`` is the credit left. ``as_of`` is when the bank says the figures were true (aware, UTC).
    Rates are per cent a year (Decimal("24.99")).
    """

    account_id: str
    current: Money | None = None
    available: Money | None = None
    owed: Money | None = None
    credit_limit: Money | None = None
    statement_balance: Money | None = None
    minimum_payment: Money | None = None
    next_payment: Money | None = None
    next_payment_date: date | None = None
    last_payment: Money | None = None
    last_payment_date: date | None = None
    past_due: Money | None = None
    interest_rate: Decimal | None = None
    original_principal: Money | None = None
    maturity_date: date | None = None
    as_of: datetime | None = None
    notes: tuple[str, ...] = field(default=())
