"""The two contracts between skills and banks.

``BankConnector`` is what one module in ``connectors/`` implements for one kind of bank API.
``CustomerBank`` is what a skill sees: all of one customer's banks, behind the consent gate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

from assistant.banking.account import Account, Balances
from assistant.banking.card import Card, CardStatus, LockReason
from assistant.banking.dispute import Claim, Dispute
from assistant.banking.errors import BankingError, NotSupported
from assistant.banking.period import Period
from assistant.banking.purpose import Purpose
from assistant.banking.transaction import Transaction

if TYPE_CHECKING:
    from assistant.banking.acting import Acting

T = TypeVar("T")


class Capability(str, Enum):
    """What a connector may offer beyond accounts, balances and transactions."""

    CARDS = "cards"
    TRANSFERS = "transfers"
    PAYEES = "payees"
    DISPUTES = "disputes"
    NOTIFICATIONS = "notifications"
    CONSENT_MANAGEMENT = "consent_management"


@dataclass(frozen=True, slots=True)
class Dated(Generic[T]):
    """An answer and how old it is.

    ``as_of`` is when its oldest part was fetched (aware, UTC). ``stale`` is set when the bank could not be
    asked just now and this is what it said before. ``problems`` are banks that did not answer, when others did.
    """

    value: T
    as_of: datetime
    stale: bool = False
    problems: tuple[BankingError, ...] = ()


class BankConnector(ABC):
    """One customer's link to one bank's API.

    Synchronous; called from a bounded thread pool. Every call ends within its deadline. Raises only
    banking.errors. Ids of accounts come back prefixed with the bank's id (see Account.id).
    """

    bank_id: str
    capabilities: frozenset[Capability] = frozenset()

    @abstractmethod
    def accounts(self, *, figures: bool = True) -> tuple[Account, ...]:
        """The accounts the customer chose to share, in the bank's order.

        Without ``figures`` the bank is asked for names and types alone, where it can tell them apart from
        balances: the purpose at hand does not cover those.
        """

    @abstractmethod
    def balances(self, account: Account) -> Balances:
        """What is in or owed on one account."""

    @abstractmethod
    def transactions(self, account: Account, period: Period) -> tuple[Transaction, ...]:
        """Every transaction of the account in the period, newest first; pending ones included.

        Complete or an error: a history that would be cut short raises HistoryTooLong.
        """

    @abstractmethod
    def revoke(self) -> None:
        """End the consent and the tokens at the bank. Safe to repeat."""

    # What a connector may offer besides; it says so in ``capabilities``. Else: NotSupported.

    def cards(self) -> tuple[Card, ...]:
        """CARDS. The cards of the shared accounts, in the bank's order."""
        raise self._unsupported(Capability.CARDS)

    def set_card(self, card: Card, status: CardStatus, reason: LockReason) -> Card:
        """CARDS. Make it ACTIVE or LOCKED; it says how the card shall be, so it may be repeated."""
        raise self._unsupported(Capability.CARDS)

    def disputes(self) -> tuple[Dispute, ...]:
        """DISPUTES. Newest first, ended ones too."""
        raise self._unsupported(Capability.DISPUTES)

    def file_dispute(self, claim: Claim, key: str) -> Dispute:
        """DISPUTES. The same ``key`` (8 to 64 characters) again gives the same dispute; so does a transaction that is
        disputed already."""
        raise self._unsupported(Capability.DISPUTES)

    def withdraw_dispute(self, dispute: Dispute) -> Dispute:
        """DISPUTES. May be repeated. One that is decided stays as it is."""
        raise self._unsupported(Capability.DISPUTES)

    def subscribe(self, callback_url: str, subscription_id: str) -> None:
        """NOTIFICATIONS. Have the bank push to ``callback_url`` when there is something new on a shared account, until
        unsubscribed or revoked. ``subscription_id``: ours, up to 64 characters; again, it takes the place of the
        one before."""
        raise self._unsupported(Capability.NOTIFICATIONS)

    def unsubscribe(self, subscription_id: str) -> None:
        """NOTIFICATIONS. Safe to repeat."""
        raise self._unsupported(Capability.NOTIFICATIONS)

    def _unsupported(self, capability: Capability) -> NotSupported:
        return NotSupported(capability.value, bank_id=self.bank_id, code="capability")


@dataclass(frozen=True, slots=True)
class CustomerProfile:
    """What skills may know of the person: how to read a clock and a language for her. Never an identity."""

    time_zone: str = "America/New_York"
    locale: str = "en_US"


class CustomerBank(Protocol):
    """All of one customer's banks as one. Every method passes the consent gate for ``purpose`` first.

    Transactions come back enriched (merchant, category, internal), newest first. Raises banking.errors:
    ConsentRequired and NotLinked before any call to a bank; others only when no bank could answer.
    """

    @property
    def profile(self) -> CustomerProfile: ...

    @property
    def acting(self) -> Acting:
        """What she can have her banks do."""

    def bank_name(self, bank_id: str) -> str:
        """The name to use in conversation ("Chase")."""

    def accounts(self, purpose: Purpose) -> Dated[tuple[Account, ...]]: ...

    def balances(self, accounts: Sequence[Account]) -> Dated[Mapping[str, Balances]]:
        """Purpose BALANCES. Keyed by Account.id; an account whose balance is not to be had is missing."""

    def transactions(
        self, period: Period, purpose: Purpose, accounts: Sequence[Account] | None = None
    ) -> Dated[tuple[Transaction, ...]]:
        """Of the given accounts, else of all."""
