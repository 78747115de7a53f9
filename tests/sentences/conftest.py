"""The trained model, loaded once for all sentence tests; `make train` makes it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.assistant import model


@pytest.fixture(scope="session")
def parse() -> Iterator[Callable[[str], dict[str, Any]]]:
    """Parses a text as Rasa does; the same text once only."""
    import structlog
    from rasa.core.agent import Agent

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    agent = Agent.load(str(model()))
    loop = asyncio.new_event_loop()
    known: dict[str, dict[str, Any]] = {}

    def parsed(text: str) -> dict[str, Any]:
        if text not in known:
            known[text] = dict(loop.run_until_complete(agent.parse_message(text)))
        return known[text]

    yield parsed
    loop.close()
