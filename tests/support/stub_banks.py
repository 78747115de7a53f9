"""Banks that answer from memory, behind the true gate, vault, ledger and caches."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from support.installation import settings_in

from assistant.banking.account import Account, Balances
from assistant.banking.connector import BankConnector, CustomerProfile
from assistant.banking.errors import BankingError
from assistant.banking.period import Period
from assistant.banking.purpose import Purpose
from assistant.banking.transaction import Transaction
from assistant.connectors.profiles import BankProfile
from assistant.connectors.tokens import TokenSet, TokenStore
from assistant.customers.identity import Customer
from assistant.customers.service import Customers, build_customers
from assistant.settings import Settings

TOKENS = TokenSet(
    access_token="access-canary",
    refresh_token="refresh-canary",
    expires_at=datetime(2030, 1, 1, tzinfo=timezone.utc),
    scope="accounts",
    id_token="id-canary",
    consent_id="consent-canary",
)


@dataclass
class StubBank:
    """What one bank holds, which calls reached it, and how it fails next."""

    id: str
    accounts: Sequence[Account] = ()
    balances: Sequence[Balances] = ()
    history: Sequence[Transaction] = ()
    calls: list[str] = field(default_factory=list)
    failure: BankingError | None = None
    failing_accounts: dict[str, BankingError] = field(default_factory=dict)
    on_call: Callable[[str], None] | None = None
    guard: threading.Lock = field(default_factory=threading.Lock)

    def called(self, what: str, account: Account | None = None) -> None:
        with self.guard:
            self.calls.append(what)
        if self.on_call:
            self.on_call(what)
        if self.failure:
            raise self.failure
        if account is not None and account.id in self.failing_accounts:
            raise self.failing_accounts[account.id]


class StubConnector(BankConnector):
    def __init__(self, bank: StubBank, tokens: TokenStore) -> None:
        self.bank_id = bank.id
        self._bank = bank
        self._tokens = tokens

    def accounts(self, *, figures: bool = True) -> tuple[Account, ...]:
        self._bank.called("accounts")
        return tuple(self._bank.accounts)

    def balances(self, account: Account) -> Balances:
        self._bank.called("balances", account)
        return next(each for each in self._bank.balances if each.account_id == account.id)

    def transactions(self, account: Account, period: Period) -> tuple[Transaction, ...]:
        self._bank.called("transactions", account)
        return tuple(t for t in self._bank.history if t.account_id == account.id and t.date in period)

    def revoke(self) -> None:
        self._bank.called("revoke")
        self._tokens.load()


def customers_with(folder: Path, *banks: StubBank, settings: Settings | None = None) -> Customers:
    """A whole installation whose banks are these."""
    by_id = {bank.id: bank for bank in banks}

    def opener(profile: BankProfile, tokens: TokenStore, time_zone: str) -> BankConnector:
        return StubConnector(by_id[profile.id], tokens)

    profiles = {bank.id: BankProfile(id=bank.id, name=bank.id.title()) for bank in banks}
    return build_customers(settings or settings_in(folder), profiles, opener)


def linked(
    customers: Customers,
    *bank_ids: str,
    purposes: Sequence[Purpose] = tuple(Purpose),
    channel: str = "cmdline",
    sender: str = "conversation-1",
) -> Customer:
    """A customer with these banks linked and these purposes switched on, without the OAuth dance."""
    with customers.storage.database.write() as session:
        customer_id = customers.identities.create(session, CustomerProfile())
        customer = customers.identities.bind(session, channel, sender, customer_id)
        for bank_id in bank_ids:
            customers.vault.put_within(session, customer_id, bank_id, TOKENS)
            customers.consents.grant_within(session, customer_id, bank_id, channel, purposes)
    return customer
