"""What tests of more than one room share."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser
from support.browser import open_chromium


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A real browser. For a module at a time: it occupies the thread's event loop."""
    with open_chromium() as browser:
        yield browser
