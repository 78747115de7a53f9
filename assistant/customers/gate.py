"""The one door to a bank.

Nothing else in Tellerline opens a connector for a customer. Behind the door is only what the purpose covers:
with consent to balances nobody reads transactions.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from assistant.banking.account import Account, Balances
from assistant.banking.card import Card, CardStatus, LockReason
from assistant.banking.connector import BankConnector, CustomerProfile
from assistant.banking.dispute import Claim, Dispute
from assistant.banking.errors import BankingError, BankUnavailable, ConsentRequired, LinkExpired, NotLinked
from assistant.banking.period import Period
from assistant.banking.purpose import Purpose
from assistant.banking.transaction import Transaction
from assistant.connectors.profiles import BankProfile, ProfileError
from assistant.connectors.tokens import TokenStore
from assistant.customers.consent import Consents
from assistant.customers.identity import Customer
from assistant.customers.vault import Link, LinkState, Vault

logger = logging.getLogger(__name__)

ConnectorOpener = Callable[[BankProfile, TokenStore, str], BankConnector]

#: What may be read for each purpose besides the list of accounts. PAYMENTS reads nothing more. An order (lock this
#: card, dispute that charge) needs no purpose of its own: it is the customer's word, given for this one thing and kept.
#: But the bank is only told on a channel where she lets us see what the order is about.
COVERED_BY: Mapping[str, frozenset[Purpose]] = {
    "balances": frozenset({Purpose.BALANCES, Purpose.ALERTS}),
    "transactions": frozenset({Purpose.TRANSACTIONS, Purpose.INSIGHTS, Purpose.ALERTS}),
    "cards": frozenset({Purpose.BALANCES, Purpose.ALERTS}),
    "disputes": frozenset({Purpose.TRANSACTIONS, Purpose.ALERTS}),
}


class Access:
    """One bank, opened for one purpose, for one question."""

    def __init__(self, customer: Customer, bank_id: str, purpose: Purpose, connector: BankConnector) -> None:
        self.customer = customer
        self.bank_id = bank_id
        self.purpose = purpose
        self.__connector = connector

    def accounts(self) -> tuple[Account, ...]:
        return self.__connector.accounts(figures=self.purpose in COVERED_BY["balances"])

    def balances(self, account: Account) -> Balances:
        self._covered(account.bank_id, COVERED_BY["balances"])
        return self.__connector.balances(account)

    def transactions(self, account: Account, period: Period) -> tuple[Transaction, ...]:
        self._covered(account.bank_id, COVERED_BY["transactions"])
        return self.__connector.transactions(account, period)

    def cards(self) -> tuple[Card, ...]:
        self._covered(self.bank_id, COVERED_BY["cards"])
        return self.__connector.cards()

    def set_card(self, card: Card, status: CardStatus, reason: LockReason) -> Card:
        self._covered(card.bank_id, COVERED_BY["cards"])
        return self.__connector.set_card(card, status, reason)

    def disputes(self) -> tuple[Dispute, ...]:
        self._covered(self.bank_id, COVERED_BY["disputes"])
        return self.__connector.disputes()

    def file_dispute(self, claim: Claim, key: str) -> Dispute:
        self._covered(claim.bank_id, COVERED_BY["disputes"])
        return self.__connector.file_dispute(claim, key)

    def withdraw_dispute(self, dispute: Dispute) -> Dispute:
        self._covered(dispute.bank_id, COVERED_BY["disputes"])
        return self.__connector.withdraw_dispute(dispute)

    def _covered(self, bank_id: str, purposes: frozenset[Purpose]) -> None:
        if self.purpose not in purposes:
            raise PermissionError(f"consent to {self.purpose.value} does not cover this")
        if bank_id != self.bank_id:
            raise PermissionError("consent for one bank does not cover what is at another")


@dataclass(frozen=True, slots=True)
class Opened:
    """The banks that may be asked, and why the others may not."""

    accesses: tuple[Access, ...]
    refused: tuple[BankingError, ...]


class Door:
    """The gate as one customer meets it in one question. Consent is looked up at every ``open``; the
    connectors stay, so that what a bank tells twice in one question is asked once."""

    def __init__(self, gate: Gate, customer: Customer) -> None:
        self._gate = gate
        self._customer = customer
        self.__connectors: dict[str, BankConnector] = {}

    def open(self, purpose: Purpose, bank_ids: Sequence[str] | None = None, else_for: Sequence[Purpose] = ()) -> Opened:
        """Every linked bank (of ``bank_ids``, else of all) that may be asked for ``purpose`` now, or where it may not,
        for the first of ``else_for`` for which it may.

        Raises NotLinked, ConsentRequired or LinkExpired when there is none; no bank has been called then.
        """
        accesses: list[Access] = []
        refused: list[BankingError] = []
        for link in self._gate.links(self._customer, bank_ids):
            try:
                live = self._gate.pass_(self._customer, link, purpose, *else_for)
                accesses.append(Access(self._customer, link.bank_id, live, self._connector(link.bank_id)))
            except BankingError as error:
                refused.append(error)
        if not accesses:
            raise refused[0]
        return Opened(tuple(accesses), tuple(refused))

    def _connector(self, bank_id: str) -> BankConnector:
        if bank_id not in self.__connectors:
            self.__connectors[bank_id] = self._gate.connect(self._customer.id, bank_id, self._customer.profile)
        return self.__connectors[bank_id]


class Gate:
    def __init__(
        self, consents: Consents, vault: Vault, profiles: Mapping[str, BankProfile], opener: ConnectorOpener
    ) -> None:
        self._consents = consents
        self._vault = vault
        self._profiles = profiles
        self._opener = opener

    def door(self, customer: Customer) -> Door:
        return Door(self, customer)

    def links(self, customer: Customer, bank_ids: Sequence[str] | None) -> list[Link]:
        """The links that are not being ended. Raises NotLinked when there is none."""
        links = [link for link in self._vault.links(customer.id) if link.state is not LinkState.REVOKING]
        if bank_ids is not None:
            links = [link for link in links if link.bank_id in bank_ids]
        if not links:
            raise NotLinked("no linked bank", bank_id=bank_ids[0] if bank_ids and len(bank_ids) == 1 else "")
        return links

    def pass_(self, customer: Customer, link: Link, *purposes: Purpose) -> Purpose:
        """The first of these purposes that the bank may be asked for now.

        Raises ConsentRequired (for the first) or LinkExpired when there is none.
        """
        if not purposes or not all(isinstance(purpose, Purpose) for purpose in purposes):
            raise TypeError("a purpose is one of banking.Purpose")
        for purpose in purposes:
            if self._consents.is_live(customer.id, link.bank_id, customer.channel, purpose):
                if link.state is LinkState.EXPIRED:
                    raise LinkExpired("needs reconnecting", bank_id=link.bank_id)
                return purpose
        raise ConsentRequired(purposes[0], bank_id=link.bank_id)

    def end(self, bank_id: str, tokens: TokenStore) -> None:
        """End at the bank what these tokens stand for. Needs no consent: it ends one. Raises banking.errors, safe to
        repeat."""
        self._open(bank_id, tokens, CustomerProfile()).revoke()

    def connect(self, customer_id: str, bank_id: str, profile: CustomerProfile) -> BankConnector:
        """For Door only: it asks for no consent."""
        return self._open(bank_id, self._vault.tokens(customer_id, bank_id), profile)

    def _open(self, bank_id: str, tokens: TokenStore, profile: CustomerProfile) -> BankConnector:
        try:
            return self._opener(self._profiles[bank_id], tokens, profile.time_zone)
        except (KeyError, ProfileError) as error:
            # The operator's to mend; to the customer the bank is just not there.
            logger.error("bank %s cannot be used: %s", bank_id, type(error).__name__)
            raise BankUnavailable("not configured", bank_id=bank_id, code="profile") from error
