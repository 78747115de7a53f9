"""Everything about customers of one installation, put together once per process."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

from assistant.banking.connector import BankConnector, CustomerBank, CustomerProfile
from assistant.banking.enrich import Enricher
from assistant.banking.purpose import Purpose
from assistant.connectors.profiles import BankProfile
from assistant.connectors.registry import bank_http, load_profiles, open_connector
from assistant.connectors.tokens import TokenStore
from assistant.customers.bank import LinkedBanks
from assistant.customers.cache import FreshCache, LastWords
from assistant.customers.consent import Consent, Consents
from assistant.customers.erasure import Erasure
from assistant.customers.export import Export
from assistant.customers.gate import COVERED_BY, ConnectorOpener, Gate
from assistant.customers.handover import HandoverDesk, TableDesk
from assistant.customers.identity import Customer, Identities
from assistant.customers.inbox import Inbox
from assistant.customers.lanes import Lanes
from assistant.customers.ledger import Ledger
from assistant.customers.linking import Linking
from assistant.customers.oauth_link import HttpOf
from assistant.customers.orders import Orders
from assistant.customers.revocations import Revocations
from assistant.customers.sealed_token import SealedTokens
from assistant.customers.shared import Shared
from assistant.customers.step_up import StepUp
from assistant.customers.transcript import Transcript
from assistant.customers.vault import Vault
from assistant.customers.web_sessions import WebSessions
from assistant.settings import Settings
from assistant.storage.conversations import Conversations
from assistant.storage.open import Storage, open_storage


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
    revocations: Revocations
    linking: Linking
    step_up: StepUp
    export: Export
    erasure: Erasure
    desk: HandoverDesk
    inbox: Inbox
    tokens: SealedTokens
    shared: Shared
    transcript: Transcript
    web_sessions: WebSessions

    def bank(self, customer: Customer) -> CustomerBank:
        """Her banks, for one question."""
        return LinkedBanks(customer, self.shared)

    def finish_orders(self) -> None:
        """Housekeeping: go on with orders to banks that a killed process left begun."""
        for customer_id, channel, conversation_id in self.shared.orders.interrupted():
            customer = self.identities.resolve(channel, conversation_id)
            if customer is not None and customer.id == customer_id:
                LinkedBanks(customer, self.shared).acting.finish()

    def withdraw(
        self,
        customer: Customer,
        purposes: Iterable[Purpose],
        *,
        bank_id: str | None = None,
        channel: str | None = None,
    ) -> tuple[Consent, ...]:
        """As Consents.withdraw, and lets go of what banks said that no consent covers any more."""
        ended = self.consents.withdraw(customer.id, purposes, bank_id=bank_id, channel=channel)
        for bank in {consent.bank_id for consent in ended}:
            self._forget_uncovered(customer.id, bank)
            self.shared.fresh.forget(customer.id, bank)
        return ended

    def forget_uncovered(self) -> None:
        """Housekeeping: let go of what a bank said under a consent that has ended: by its date, or by a process that
        was killed before it could, or while the bank was answering."""
        for customer_id, bank_id in self.shared.last_words.holders():
            self._forget_uncovered(customer_id, bank_id)

    def _forget_uncovered(self, customer_id: str, bank_id: str) -> None:
        on = {each.purpose for each in self.consents.in_force(customer_id) if each.bank_id == bank_id}
        if not on:
            self.shared.last_words.forget(customer_id, bank_id)
        for kind, needed in COVERED_BY.items():
            if on.isdisjoint(needed):
                self.shared.last_words.forget(customer_id, bank_id, kind)


@lru_cache(maxsize=4)
def open_customers(settings: Settings) -> Customers:
    """The one of this process. Raises what settings, profiles and the database raise."""
    env = {
        **os.environ,
        "TELLERLINE_SANDBOX_URL": settings.sandbox_url,
        "TELLERLINE_PUBLIC_URL": settings.public_url,
    }
    return build_customers(settings, load_profiles(settings.banks_file, env), _open)


def build_customers(
    settings: Settings,
    profiles: Mapping[str, BankProfile],
    opener: ConnectorOpener,
    http_of: HttpOf = bank_http,
    desk: HandoverDesk | None = None,
) -> Customers:
    """As ``open_customers``, with the banks and the way to reach them given; ``desk`` is a bank's own."""
    storage = open_storage(settings)
    database, keys = storage.database, storage.keys
    ledger = Ledger(database, keys)
    consents = Consents(database, ledger)
    identities = Identities(database, keys)
    vault = Vault(database, keys)
    gate = Gate(consents, vault, profiles, opener)
    revocations = Revocations(storage, gate)
    conversations = Conversations(database, keys)
    fresh = FreshCache(settings.cache_seconds)
    last_words = LastWords(database, keys, settings.cache_hours)
    orders = Orders(database, keys, ledger)
    inbox = Inbox(storage, identities, conversations)
    newcomer = CustomerProfile(settings.time_zone, settings.locale)
    return Customers(
        settings=settings,
        storage=storage,
        profiles=profiles,
        identities=identities,
        consents=consents,
        vault=vault,
        conversations=conversations,
        revocations=revocations,
        linking=Linking(
            storage, profiles, identities, consents, vault, revocations, (fresh, last_words), http_of, newcomer
        ),
        step_up=StepUp(database),
        export=Export(storage, identities, consents, vault, revocations, conversations, last_words, orders, inbox),
        erasure=Erasure(storage, identities, vault, revocations, ledger, conversations, fresh),
        desk=desk or TableDesk(storage),
        inbox=inbox,
        tokens=SealedTokens(keys),
        shared=Shared(
            gate=gate,
            vault=vault,
            profiles=profiles,
            enricher=_enricher(),
            fresh=fresh,
            last_words=last_words,
            lanes=Lanes(),
            orders=orders,
        ),
        transcript=Transcript(storage),
        web_sessions=WebSessions(database, identities, timedelta(minutes=settings.web_idle_minutes)),
    )


@lru_cache(maxsize=1)
def _enricher() -> Enricher:
    """Knows no customer, so one will do for all."""
    return Enricher.load()


def _open(profile: BankProfile, tokens: TokenStore, time_zone: str) -> BankConnector:
    return open_connector(profile, tokens, time_zone=time_zone)
