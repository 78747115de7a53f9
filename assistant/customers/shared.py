"""What all customers of one process share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from assistant.banking.account import Account
from assistant.banking.transaction import Transaction
from assistant.connectors.profiles import BankProfile
from assistant.customers.cache import FreshCache, LastWords
from assistant.customers.gate import Gate
from assistant.customers.lanes import Lanes
from assistant.customers.orders import Orders
from assistant.customers.vault import Vault


class Enriching(Protocol):
    """What is used of banking.enrich.Enricher."""

    def enrich(self, transactions: Sequence[Transaction], accounts: Sequence[Account]) -> tuple[Transaction, ...]: ...


@dataclass(frozen=True, slots=True)
class Shared:
    gate: Gate
    vault: Vault
    profiles: Mapping[str, BankProfile]
    enricher: Enriching
    fresh: FreshCache
    last_words: LastWords
    lanes: Lanes
    orders: Orders
