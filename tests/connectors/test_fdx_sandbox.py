"""The FDX connector against the sandbox bank over HTTP, in all three shapes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from connectors.contract import Bench, ConnectorContract
from support.sandbox import CLOCK, SandboxProcess
from support.token_store import MemoryTokenStore

from assistant.banking.connector import BankConnector, Capability
from assistant.banking.period import Period
from assistant.connectors.fdx import FdxConnector
from assistant.connectors.http import BankHttp
from assistant.connectors.oauth import Credentials
from assistant.connectors.profiles import BankProfile, Paging
from assistant.connectors.registry import load_profiles, open_connector
from assistant.connectors.tokens import TokenSet

TODAY = date.fromisoformat(CLOCK[:10])


class SandboxBench(Bench):
    today = TODAY

    def __init__(self, sandbox: SandboxProcess, profile: BankProfile, login: str) -> None:
        self.sandbox = sandbox
        self.profile = profile
        self.store = MemoryTokenStore.from_answer(sandbox.authorize(login))
        self.clients: list[BankHttp] = []

    def connector(self, **profile: Any) -> BankConnector:
        changed = replace(self.profile, **profile)
        http = BankHttp(changed)
        return FdxConnector(changed, http, Credentials(changed, self.store, http), time_zone="America/New_York")

    def fault(self, kind: str, **more: Any) -> None:
        self.sandbox.fault(kind, **more)

    def expire_tokens(self) -> None:
        self.store._held = replace(self.store.load(), access_token="a token the bank has forgotten")

    def kill_grant(self) -> None:
        self.sandbox.token(grant_type="refresh_token", refresh_token=self.store.load().refresh_token)

    def tokens(self) -> TokenSet:
        return self.store.load()

    def refreshes(self) -> int:
        return len(self.store.saved)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess() as process:
        yield process


@pytest.fixture(autouse=True)
def _same_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLERLINE_CLOCK", CLOCK)


def profile_for(sandbox: SandboxProcess, version: int) -> BankProfile:
    profile = load_profiles(env={"TELLERLINE_SANDBOX_URL": sandbox.url})["sandbox"]
    return replace(profile, base_url=f"{sandbox.url}/fdx/v{version}", fdx_version=str(version))


class Fdx(ConnectorContract):
    version = 6

    @pytest.fixture
    def bank(self, sandbox: SandboxProcess) -> Iterator[SandboxBench]:
        yield SandboxBench(sandbox, profile_for(sandbox, self.version), "maya")
        sandbox.clear()


class TestFdx6(Fdx):
    version = 6

    def test_link_paging_gives_the_same(self, bank: SandboxBench) -> None:
        period = Period(date(2025, 10, 1), TODAY)
        card = self.card(bank.connector())
        by_cursor = bank.connector(page_size=20).transactions(card, period)
        assert bank.connector(page_size=20, paging=Paging.LINK).transactions(card, period) == by_cursor

    def test_balances_of_all_accounts_are_one_call(self, bank: SandboxBench) -> None:
        connector = bank.connector()
        accounts = connector.accounts()
        bank.fault("unavailable")
        assert all(connector.balances(account).account_id == account.id for account in accounts)

    def test_consent_management_is_declared(self, bank: SandboxBench) -> None:
        assert Capability.CONSENT_MANAGEMENT in bank.connector().capabilities


class TestFdx5(Fdx):
    version = 5


class TestFdx4(Fdx):
    version = 4

    def test_the_older_interaction_header_will_do(self, bank: SandboxBench) -> None:
        assert bank.connector(interaction_header="FDX-InteractionId").accounts()


def test_the_three_shapes_say_the_same(sandbox: SandboxProcess) -> None:
    """One parser: FDX 4, 5 and 6 of the same customer give equal accounts, balances and transactions."""
    period = Period(date(2026, 1, 1), TODAY)
    seen = []
    for version in (4, 5, 6):
        bench = SandboxBench(sandbox, profile_for(sandbox, version), "rivera")
        connector = bench.connector()
        accounts = connector.accounts()
        items = [connector.transactions(account, period) for account in accounts]
        seen.append((accounts, [connector.balances(account) for account in accounts], items))
    assert seen[0] == seen[1] == seen[2]


def test_a_purchase_is_there_once_before_and_after_it_posts(
    sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pending purchase posts under another id, often with a longer descriptor, sometimes without a reference."""
    period = Period(date(2026, 3, 1), date(2026, 3, 15))
    connector = SandboxBench(sandbox, profile_for(sandbox, 6), "maya").connector()
    card = ConnectorContract.card(connector)
    before = connector.transactions(card, period)
    pending = {item.id: item for item in before if item.is_pending}
    assert pending
    sandbox.forward(days=6)
    monkeypatch.setenv("TELLERLINE_CLOCK", CLOCK.replace("03-15", "03-21"))
    after = SandboxBench(sandbox, profile_for(sandbox, 6), "maya").connector().transactions(card, period)
    sandbox.clear()
    assert not any(item.is_pending for item in after)
    assert sorted((item.date, item.amount.amount) for item in after) == sorted(
        (item.date, item.amount.amount) for item in before
    )
    linked = {item.pending_id for item in after if item.pending_id in pending}
    assert linked
    assert all(pending[item.pending_id].amount == item.amount for item in after if item.pending_id in linked)


def test_the_profile_that_ships_reaches_the_sandbox(sandbox: SandboxProcess) -> None:
    profile = load_profiles(env={"TELLERLINE_SANDBOX_URL": sandbox.url})["sandbox_v5"]
    store = MemoryTokenStore.from_answer(sandbox.authorize("alex"))
    accounts = open_connector(profile, store, time_zone="America/New_York").accounts()
    assert {account.currency for account in accounts} == {"USD", "EUR"}


def test_a_list_without_figures_asks_the_bank_for_none(sandbox: SandboxProcess) -> None:
    bank = SandboxBench(sandbox, profile_for(sandbox, 6), "maya").connector()
    sandbox.calls()
    listed = bank.accounts(figures=False)
    assert [call["kind"] for call in sandbox.calls()] == ["accounts"]
    assert listed == bank.accounts()
    assert [call["kind"] for call in sandbox.calls()] == ["balances"]
