"""One sandbox bank for the tests here that need one over HTTP; each test leaves it without faults."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.sandbox import SandboxProcess


@pytest.fixture(scope="session")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess() as process:
        yield process


@pytest.fixture
def sandbox(running: SandboxProcess) -> Iterator[SandboxProcess]:
    yield running
    running.clear()
