"""Ways through the hosted pages that tests take, and the words they look for."""

from __future__ import annotations

from pathlib import Path

import requests
from support.pages_server import Browser

from assistant.banking.purpose import Purpose
from assistant.customers.identity import Customer
from assistant.customers.service import Customers
from assistant.replies.wording import Wording
from assistant.sandbox.demo import walk_pages

CHANNEL, CONVERSATION = "cmdline", "conversation-1"
#: A second after a page begun at the sandbox's hour has expired.
LATER = "2026-03-15T16:10:01Z"
WORDS = Wording.load(Path(__file__).resolve().parents[2] / "domain.yml").written


def begin(customers: Customers, conversation: str = CONVERSATION, waiting: str = "", *purposes: Purpose) -> str:
    wanted = purposes or (Purpose.BALANCES, Purpose.INSIGHTS)
    return customers.linking.begin(CHANNEL, conversation, "sandbox", wanted, waiting).token


def leave(browser: Browser, token: str) -> str:
    """Press "continue"; the bank's address."""
    away = browser.press(browser.get(f"/link/{token}"))
    assert away.status_code == 303
    return away.headers["Location"]


def says(response: requests.Response, key: str, bank: str = "Sandbox Bank") -> bool:
    text = WORDS[key].replace("{bank}", bank)
    return text.replace("'", "&#39;") in response.text


def who(customers: Customers, conversation: str = CONVERSATION) -> Customer | None:
    return customers.identities.resolve(CHANNEL, conversation)


def linked(customers: Customers, browser: Browser) -> Customer:
    browser.come_back(walk_pages(leave(browser, begin(customers)), "maya"))
    customer = who(customers)
    assert customer is not None
    return customer
