"""The hosted pages on a real server, with the sandbox bank's real sign-in behind them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.installation import settings_in
from support.pages import CHANNEL, CONVERSATION
from support.pages_server import Browser, PagesServer
from support.sandbox import CLOCK, SandboxProcess, free_port

from assistant.customers.one_time import OneTimeLinks
from assistant.customers.service import Customers, open_customers
from assistant.settings import Settings


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess() as process:
        yield process


@pytest.fixture(scope="module")
def settings(running: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("pages")
    return settings_in(home, sandbox_url=running.url, cache_seconds=0, rasa_port=free_port())


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[PagesServer]:
    """One for a module's tests."""
    with PagesServer(settings) as serving:
        yield serving


@pytest.fixture
def sandbox(running: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxProcess]:
    monkeypatch.setenv("TELLERLINE_CLOCK", CLOCK)
    yield running
    running.clear()


@pytest.fixture
def customers(settings: Settings, sandbox: SandboxProcess) -> Iterator[Customers]:
    """Nobody is known at the start of a test."""
    everything = open_customers(settings)
    yield everything
    customer = everything.identities.resolve(CHANNEL, CONVERSATION)
    if customer is not None:
        everything.erasure.erase(customer)
    everything.erasure.erase_conversation(CONVERSATION)


@pytest.fixture
def browser(server: PagesServer) -> Browser:
    return Browser(server)


@pytest.fixture
def one_time(customers: Customers) -> OneTimeLinks:
    return OneTimeLinks(customers.storage.database)
