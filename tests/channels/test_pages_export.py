"""An export taken away from its page."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from support.pages import CONVERSATION, WORDS, linked, says
from support.pages_server import Browser

from assistant.customers.one_time import EXPORT, OneTimeLinks
from assistant.customers.service import Customers

ROOT = Path(__file__).resolve().parents[2]


def test_an_export_is_downloaded_once_in_each_form(
    customers: Customers, browser: Browser, one_time: OneTimeLinks
) -> None:
    customer = linked(customers, browser)
    path = f"/link/export/{one_time.issue(customer.id, *EXPORT)}"
    page = browser.get(path)
    readable, data = browser.press(page, 0), browser.press(page, 1)
    assert readable.headers["Content-Disposition"] == 'attachment; filename="tellerline-2026-03-15.html"'
    assert data.headers["Content-Disposition"] == 'attachment; filename="tellerline-2026-03-15.json"'
    held = json.loads(data.content)
    assert held == customers.export.everything(customer)
    for words in (customer.id, "What you allowed, and took back", "insights", "sandbox"):
        assert words in readable.text
    for button in (0, 1):
        again = browser.press(page, button)
        assert again.status_code == 410 and says(again, "page_once_used")
    assert browser.get(path).status_code == 410


def test_what_was_said_is_in_the_file_to_read_as_text(
    customers: Customers, browser: Browser, one_time: OneTimeLinks
) -> None:
    customer = linked(customers, browser)
    events = [
        {"event": "user", "text": "<script>alert(1)</script>", "timestamp": 1773590400.0},
        {"event": "slot", "name": "merchant", "value": "Comcast", "timestamp": 1773590400.0},
        {"event": "bot", "text": "That's \u201cnone\u201d.", "timestamp": 1773590401.0},
    ]
    kept = customers.conversations
    kept.append(CONVERSATION, [events], kept.cipher(CONVERSATION, new=True))
    page = browser.get(f"/link/export/{one_time.issue(customer.id, *EXPORT)}")
    text = browser.press(page, 0).text
    assert "<b>You</b> 2026-03-15 12:00<br>&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "<b>Assistant</b> 2026-03-15 12:00<br>That&#39;s \u201cnone\u201d." in text
    assert "<script" not in text


def test_every_field_we_hold_has_a_word() -> None:
    """Every field there can be, by the schema that exports are checked against."""

    def fields(schema: Mapping[str, Any]) -> Iterator[str]:
        for name, inner in schema.get("properties", {}).items():
            yield name
            yield from fields(inner)
        if "items" in schema:
            yield from fields(schema["items"])

    schema = json.loads((ROOT / "docs/export.schema.json").read_text())
    assert len(set(fields(schema))) > 40
    without = {name for name in fields(schema) if f"page_field_{name}" not in WORDS}
    assert without == {"format", "made_at", "events"}  # said in another way


def test_an_export_that_failed_can_be_tried_again(
    customers: Customers, browser: Browser, one_time: OneTimeLinks, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = linked(customers, browser)
    page = browser.get(f"/link/export/{one_time.issue(customer.id, *EXPORT)}")
    with monkeypatch.context() as broken:
        broken.setattr(type(customers.export), "everything", lambda *_: 1 / 0)
        assert browser.press(page, 1).status_code == 500
    assert browser.press(page, 1).status_code == 200


def test_nothing_is_given_out_about_somebody_who_was_erased(
    customers: Customers, browser: Browser, one_time: OneTimeLinks
) -> None:
    customer = linked(customers, browser)
    path = f"/link/export/{one_time.issue(customer.id, *EXPORT)}"
    page = browser.get(path)
    customers.erasure.erase(customer)
    assert browser.press(page).status_code == 404 and browser.get(path).status_code == 404
