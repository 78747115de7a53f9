"""Killed for real: a process that ends between two steps, as a power cut or the kernel would end it."""

from __future__ import annotations

import multiprocessing
import os
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text
from support.installation import settings_in
from support.sandbox import SandboxProcess
from support.stub_banks import StubBank, customers_with, linked

from assistant.banking.purpose import Purpose
from assistant.customers.housekeeping import housekeep
from assistant.customers.service import Customers, open_customers
from assistant.sandbox.demo import walk_pages

pytestmark = pytest.mark.slow

_KILLED = 9


def _die_at(place: str) -> None:
    """From now on, whoever calls this ends the process there and then: nothing is closed, nothing rolled back."""
    module, _, rest = place.partition(":")
    *owners, name = rest.split(".")
    owner: Any = import_module(module)
    for each in owners:
        owner = getattr(owner, each)
    setattr(owner, name, lambda *_, **__: os._exit(_KILLED))


def _erase(home: str, place: str) -> None:
    customers = customers_with(Path(home), StubBank("chase"))
    customer = customers.identities.resolve("cmdline", "conversation-1")
    assert customer is not None
    _die_at(place)
    customers.erasure.erase(customer)


def _complete(home: str, sandbox_url: str, callback: str, place: str) -> None:
    customers = open_customers(settings_in(Path(home), sandbox_url=sandbox_url))
    _die_at(place)
    customers.linking.complete(callback)


def killed(target: Any, *arguments: str) -> None:
    process = multiprocessing.get_context("spawn").Process(target=target, args=arguments)
    process.start()
    process.join()
    assert process.exitcode == _KILLED


def filled(customers: Customers) -> set[str]:
    with customers.storage.database.engine.connect() as connection:
        return {
            table
            for table in inspect(connection).get_table_names()
            if connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()
        }


@pytest.mark.parametrize(
    "place",
    [
        "assistant.customers.revocations:Revocations.add_within",
        "assistant.customers.gate:Gate.end",
        "assistant.customers.revocations:Revocations._drop",
        "assistant.storage.conversations:Conversations.erase",
        "assistant.storage.keys:KeyRing.destroy",
        "assistant.customers.ledger:Ledger.erase",
        "assistant.customers.erasure:_drop_conversation",
        "assistant.customers.ledger:Ledger.anchor",
        "assistant.storage.db:Database.compact",
    ],
)
def test_an_erasure_is_finished_after_the_restart(tmp_path: Path, place: str) -> None:
    customers = customers_with(tmp_path, StubBank("chase"))
    customer = linked(customers, "chase")
    cipher = customers.conversations.cipher(customer.conversation_id, new=True)
    customers.conversations.append(customer.conversation_id, [[{"event": "user", "text": "hello"}]], cipher)
    killed(_erase, str(tmp_path), place)
    assert customers.identities.resolve("cmdline", "conversation-1") is None
    assert housekeep(customers)
    assert filled(customers) == {"alembic_version", "consent_ledger"}
    verdict = customers.consents.verify()
    assert verdict.sound and verdict.erased == len(Purpose)


@pytest.fixture(scope="module")
def sandbox() -> Any:
    with SandboxProcess(clock=None) as process:
        yield process


@pytest.mark.parametrize(
    "place",
    [
        "assistant.customers.linking:redeem",
        "assistant.customers.identity:Identities.create",
        "assistant.customers.vault:Vault.put_within",
        "assistant.customers.consent:Consents.grant_within",
        "assistant.customers.ledger:Ledger.anchor",
    ],
)
def test_a_link_is_whole_or_not_there(tmp_path: Path, sandbox: SandboxProcess, place: str) -> None:
    customers = open_customers(settings_in(tmp_path, sandbox_url=sandbox.url))

    def went_to_the_bank() -> str:
        invitation = customers.linking.begin("cmdline", "conversation-1", "sandbox", [Purpose.BALANCES])
        return walk_pages(customers.linking.authorize(invitation.token), "maya")

    killed(_complete, str(tmp_path), sandbox.url, went_to_the_bank(), place)
    customer = customers.identities.resolve("cmdline", "conversation-1")
    if place.endswith("anchor"):
        assert customer is not None and customers.bank(customer).accounts(Purpose.BALANCES).value
    else:
        assert customer is None and filled(customers) == {"alembic_version", "link_attempts"}
    assert customers.consents.verify().sound
    again = customers.linking.complete(went_to_the_bank())
    assert customers.bank(again.customer).accounts(Purpose.BALANCES).value
