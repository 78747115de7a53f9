"""Debian's Chromium, driven by Playwright, and axe-core as the judge: pages as customers see and use them."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

#: It speaks to the page under test and to nobody else.
QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)
_EXECUTABLE = "/usr/bin/chromium"
#: WCAG 2.0 to 2.2 at levels A and AA, and what axe-core calls best practice.
_RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@dataclass(frozen=True, slots=True)
class Screen:
    """``width`` and ``height`` in CSS pixels."""

    name: str
    width: int
    height: int
    dark: bool

    def open(self, chromium: Browser, **settings: Any) -> BrowserContext:
        """A visitor of her own: cookies are shared with nobody."""
        return chromium.new_context(
            viewport={"width": self.width, "height": self.height},
            color_scheme="dark" if self.dark else "light",
            **settings,
        )


SCREENS = tuple(
    Screen(f"{name}-{'dark' if dark else 'light'}", width, height, dark)
    for name, width, height in (("phone", 360, 740), ("desktop", 1280, 800))
    for dark in (False, True)
)


@contextmanager
def open_chromium() -> Iterator[Browser]:
    """Skips aloud where there is none; in CI it fails instead. While it is open, the thread has a running event
    loop: no ``asyncio.run`` beside it."""
    if not shutil.which(_EXECUTABLE):
        _absent()
    root = ("--no-sandbox",) if os.geteuid() == 0 else ()  # Chromium refuses to sandbox what root runs
    # Sanic, imported by tests before, makes uvloop the default: on it no time limit of pytest's ends a test.
    before = asyncio.get_event_loop_policy()
    asyncio.set_event_loop_policy(asyncio.DefaultEventLoopPolicy())
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=_EXECUTABLE, args=[*QUIET, *root])
            yield browser
            browser.close()
    finally:
        asyncio.set_event_loop_policy(before)


def violations(page: Page) -> list[str]:
    """What axe-core finds against the page as it stands: each rule with the elements that break it."""
    found = Axe().run(page, options=_RULES).response["violations"]
    return [f"{rule['id']}: {node['html']}" for rule in found for node in rule["nodes"]]


def overflow(page: Page) -> int:
    """CSS pixels by which the page is wider than the screen: more than 0 and it must be scrolled sideways."""
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def focused(page: Page) -> str:
    """What has the keyboard: the text of a button or link, the name of a field."""
    said = page.evaluate("document.activeElement.innerText || document.activeElement.name || ''")
    return re.sub(r"\s+", " ", str(said)).strip()


def _absent() -> None:
    if os.environ.get("CI"):
        pytest.fail(f"pages are not proved in a real browser: no {_EXECUTABLE}")
    pytest.skip(f"NOT PROVED in a real browser: no {_EXECUTABLE} (apt-get install chromium)")
