"""Everything about customers of one installation, put together once per process."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache

from assistant.banking.connector import BankConnector, CustomerBank
from assistant.banking.enrich import Enricher
from assistant.connectors.profiles import BankProfile
from assistant.connectors.registry import load_profiles, open_connector
from assistant.connectors.tokens import TokenStore
from assistant.customers.bank import LinkedBanks, Shared
from assistant.customers.cache import FreshCache, LastWords
from assistant.customers.consent import Consents
from assistant.customers.gate import ConnectorOpener, Gate
from assistant.customers.identity import Customer, Identities
from assistant.customers.ledger import Ledger
from assistant.customers.vault import Vault
from assistant.settings import Settings
from assistant.storage.conversations import Conversations
from assistant.storage.open import Storage, open_storage

#: Bank calls at once in one process, all customers together.
BANK_CALLS = 16


@dataclass(frozen=True, slots=True)
class Customers:
    """The rooms behind one counter; each is documented where it lives."""

    settings: Settings
    storage: Storage
    profiles: Mapping[str, BankProfile]
    identities: Identities
    consents: Consents
    vault: Vault
    conversations: Conversations
    shared: Shared

    def bank(self, customer: Customer) -> CustomerBank:
        """Her banks, for one question."""
        return LinkedBanks(customer, self.shared)


@lru_cache(maxsize=4)
def open_customers(settings: Settings) -> Customers:
    """The one of this process. Raises what settings, profiles and the database raise."""
    return build_customers(settings, load_profiles(settings.banks_file), _open)


def build_customers(settings: Settings, profiles: Mapping[str, BankProfile], opener: ConnectorOpener) -> Customers:
    """As ``open_customers``, with the banks and the way to reach them given."""
    storage = open_storage(settings)
    database, keys = storage.database, storage.keys
    ledger = Ledger(database, keys)
    consents = Consents(database, ledger)
    vault = Vault(database, keys)
    shared = Shared(
        gate=Gate(consents, vault, profiles, opener),
        vault=vault,
        profiles=profiles,
        enricher=Enricher.load(),
        fresh=FreshCache(settings.cache_seconds),
        last_words=LastWords(database, keys, settings.cache_hours),
        pool=ThreadPoolExecutor(BANK_CALLS, thread_name_prefix="bank"),
    )
    return Customers(
        settings=settings,
        storage=storage,
        profiles=profiles,
        identities=Identities(database, keys),
        consents=consents,
        vault=vault,
        conversations=Conversations(database, keys),
        shared=shared,
    )


def _open(profile: BankProfile, tokens: TokenStore, time_zone: str) -> BankConnector:
    return open_connector(profile, tokens, time_zone=time_zone)
