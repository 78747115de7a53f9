"""A model trained on data/ as config.yml says, once for all sentence tests."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ["RASA_TELEMETRY_ENABLED"] = "false"

ROOT = Path(__file__).resolve().parent.parent.parent


@pytest.fixture(scope="session")
def parse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], dict[str, Any]]]:
    """Parses a text as Rasa does."""
    import structlog
    from rasa.core.agent import Agent
    from rasa.model_training import train_nlu

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
    model = train_nlu(str(ROOT / "config.yml"), str(ROOT / "data"), str(tmp_path_factory.mktemp("model")))
    assert model is not None
    agent = Agent.load(model)
    loop = asyncio.new_event_loop()
    yield lambda text: dict(loop.run_until_complete(agent.parse_message(text)))
    loop.close()
