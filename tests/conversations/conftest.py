"""One assistant for the conversations of a module; what it sets in the environment goes with it."""

from collections.abc import Iterator

import pytest
from support.assistant import Assistant


@pytest.fixture(scope="module")
def assistant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    with Assistant(tmp_path_factory.mktemp("assistant")) as running:
        yield running
