"""The hosted pages in a real browser, from the link in the conversation to the file in her hands, by keyboard alone.

At the widths of a phone and a desktop, in light and in dark: nothing that axe-core objects to, nothing to be
scrolled sideways, and no way that needs a mouse.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from support.browser import SCREENS, Screen, focused, overflow, violations
from support.pages import WORDS, begin, linked, who
from support.pages_server import Browser as Visitor
from support.pages_server import PagesServer

from assistant.customers.one_time import EXPORT, LinkKind, OneTimeLinks
from assistant.customers.service import Customers
from assistant.customers.step_up import Result

pytestmark = pytest.mark.slow

CODE = "804193"


@pytest.fixture(params=SCREENS, ids=lambda screen: screen.name)
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Says on leaving what the browser complained of, a refused style or script among it."""
    screen: Screen = request.param
    with screen.open(chromium, accept_downloads=True) as visitor:
        page = visitor.new_page()
        complaints: list[str] = []
        page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
        assert not [said for said in complaints if "422" not in said and "410" not in said], complaints


def fit(page: Page) -> None:
    """The page as it stands can be used by everybody."""
    assert violations(page) == []
    assert overflow(page) <= 0


def tab_to(page: Page, name: str) -> None:
    """By the keyboard, as far as it takes; what has it can be seen."""
    for _ in range(12):
        if focused(page) == name:
            break
        page.keyboard.press("Tab")
    assert focused(page) == name
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline != "none", f"nothing shows that {name} has the keyboard"


def press(page: Page, name: str) -> None:
    tab_to(page, name)
    page.keyboard.press("Enter")


def link(page: Page, server: PagesServer, customers: Customers) -> None:
    """From the address in the conversation to the bank and back. Its own pages, too, are ours here."""
    page.goto(f"{server.url}/link/{begin(customers, waiting='what is my balance?')}")
    fit(page)
    press(page, words("page_link_continue"))
    page.wait_for_selector("#login")
    fit(page)
    page.keyboard.type("maya")
    tab_to(page, "password")
    page.keyboard.type("sandbox")
    page.keyboard.press("Enter")
    page.wait_for_selector("fieldset")
    fit(page)
    press(page, "Share")
    page.wait_for_url(f"{server.url}/link/callback*")


def arrived(page: Page, key: str) -> None:
    page.get_by_role("heading", name=words(key), exact=True).wait_for()


def words(key: str) -> str:
    return WORDS[key].replace("{bank}", "Sandbox Bank")


def test_from_the_link_to_a_code_of_her_own(page: Page, server: PagesServer, customers: Customers) -> None:
    link(page, server, customers)
    fit(page)
    arrived(page, "page_linked_title")
    press(page, words("page_linked_code_button"))
    page.wait_for_selector("#again")
    fit(page)
    tab_to(page, "code")
    page.keyboard.type(CODE)
    tab_to(page, "again")
    page.keyboard.type("804139")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    fit(page)
    assert page.inner_text("[role=alert]") == words("page_code_differs")
    assert focused(page) == "code"  # where to begin again
    page.keyboard.type(CODE)
    tab_to(page, "again")
    page.keyboard.type(CODE)
    page.keyboard.press("Enter")
    arrived(page, "page_code_done_title")
    fit(page)
    customer = who(customers)
    assert customer is not None and customers.vault.links(customer.id)
    assert customers.step_up.answer(customer, CODE).result is Result.PASSED


def test_her_code_and_her_file(
    page: Page, server: PagesServer, customers: Customers, browser: Visitor, one_time: OneTimeLinks, tmp_path: Path
) -> None:
    customer = linked(customers, browser)
    customers.step_up.set_code(customer.id, CODE)
    page.goto(f"{server.url}/link/enter/{one_time.issue(customer.id, LinkKind.ENTER_CODE, conversation=customer)}")
    fit(page)
    page.keyboard.type("804139")
    page.keyboard.press("Enter")
    page.wait_for_selector("[role=alert]")
    fit(page)
    page.keyboard.type(CODE)
    page.keyboard.press("Enter")
    arrived(page, "page_enter_done_title")
    fit(page)
    assert customers.step_up.has_passed(customer)
    page.goto(f"{server.url}/link/export/{one_time.issue(customer.id, *EXPORT)}")
    fit(page)
    with page.expect_download() as data:
        press(page, words("page_export_data"))
    assert json.loads(data.value.path().read_bytes())["customer"]["id"] == customer.id
    with page.expect_download() as readable:
        press(page, words("page_export_readable"))
    file = tmp_path / "export.html"
    readable.value.save_as(file)
    page.goto(file.as_uri())
    fit(page)
    arrived(page, "page_export_file_title")
