"""One assistant for all conversations."""

from collections.abc import Iterator

import pytest
from support.assistant import Assistant


@pytest.fixture(scope="session")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    with Assistant(tmp_path_factory.mktemp("assistant")) as running:
        yield running
