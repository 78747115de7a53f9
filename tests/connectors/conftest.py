from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from support.bank_server import Asked, BankServer, Said


@pytest.fixture
def serve() -> Iterator[Callable[..., BankServer]]:
    servers: list[BankServer] = []

    def start(answer: Callable[[Asked], Said]) -> BankServer:
        servers.append(BankServer(answer).__enter__())
        return servers[-1]

    yield start
    for server in servers:
        server.__exit__(None, None, None)
