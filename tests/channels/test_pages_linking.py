"""Linking on the hosted pages."""

import re
import threading
from urllib.parse import parse_qs, urlsplit

import pytest
from support.pages import CHANNEL, CONVERSATION, LATER, begin, leave, says, who
from support.pages_server import Browser, PagesServer
from support.sandbox import SandboxProcess

from assistant.banking.purpose import Purpose
from assistant.customers.service import Customers
from assistant.sandbox.demo import walk_pages


def test_the_page_says_which_bank_what_for_and_how_long(customers: Customers, browser: Browser) -> None:
    page = browser.get(f"/link/{begin(customers)}")
    assert page.status_code == 200
    assert "<h1>Connect Sandbox Bank</h1>" in page.text
    for key in ("purpose_balances", "purpose_insights", "link_promise", "link_no_money", "link_asked_cmdline"):
        assert says(page, f"page_{key}")
    assert not says(page, "page_purpose_transactions")
    assert "This page works for 10 more minutes." in page.text


def test_where_money_could_be_moved_the_page_does_not_say_it_cannot(customers: Customers, browser: Browser) -> None:
    page = browser.get(f"/link/{begin(customers, CONVERSATION, '', Purpose.PAYMENTS)}")
    assert says(page, "page_purpose_payments") and not says(page, "page_link_no_money")


def test_a_bank_is_linked_and_the_waiting_question_kept(customers: Customers, browser: Browser) -> None:
    token = begin(customers, CONVERSATION, "what's my balance?")
    done = browser.come_back(walk_pages(leave(browser, token), "maya"))
    assert done.status_code == 200
    assert "<h1>Sandbox Bank is connected</h1>" in done.text and says(done, "page_linked_waiting")
    customer = who(customers)
    assert customer is not None
    assert len(customers.bank(customer).accounts(Purpose.BALANCES).value) >= 2
    assert customers.linking.take_waiting(CHANNEL, CONVERSATION) == "what's my balance?"


def test_a_replayed_answer_changes_nothing(customers: Customers, browser: Browser) -> None:
    token = begin(customers)
    callback = walk_pages(leave(browser, token), "maya")
    browser.come_back(callback)
    before = customers.vault.links(who(customers).id)  # type: ignore[union-attr]
    again = browser.come_back(callback)
    assert again.status_code == 410 and says(again, "page_link_used")
    assert customers.vault.links(who(customers).id) == before  # type: ignore[union-attr]
    assert browser.get(f"/link/{token}").status_code == 410


def test_a_wrong_state_links_nothing_and_spends_nothing(customers: Customers, browser: Browser) -> None:
    callback = walk_pages(leave(browser, begin(customers)), "maya")
    state = parse_qs(urlsplit(callback).query)["state"][0]
    wrong = browser.come_back(callback.replace(state, "guessed"))
    assert wrong.status_code == 404 and says(wrong, "page_link_unknown")
    assert who(customers) is None
    assert browser.come_back(callback).status_code == 200


def test_an_answer_from_another_issuer_links_nothing(customers: Customers, browser: Browser) -> None:
    callback = walk_pages(leave(browser, begin(customers)), "maya")
    wrong = browser.come_back(re.sub(r"iss=[^&]+", "iss=https%3A%2F%2Fevil.example", callback))
    assert wrong.status_code == 400 and says(wrong, "page_link_mismatch")
    assert who(customers) is None


def test_another_persons_browser_cannot_finish_what_this_one_began(
    customers: Customers, server: PagesServer, browser: Browser
) -> None:
    """Somebody sends a victim the bank's address of her own attempt: his accounts must not become hers."""
    callback = walk_pages(leave(browser, begin(customers)), "rivera")
    victim = Browser(server).come_back(callback)
    assert victim.status_code == 400 and says(victim, "page_other_browser")
    assert who(customers) is None


def test_an_expired_attempt_is_refused_at_each_step(
    customers: Customers, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = begin(customers)
    page = browser.get(f"/link/{token}")
    callback = walk_pages(browser.press(page).headers["Location"], "maya")
    monkeypatch.setenv("TELLERLINE_CLOCK", LATER)
    for answer in (browser.get(f"/link/{token}"), browser.press(page), browser.come_back(callback)):
        assert answer.status_code == 410 and says(answer, "page_link_expired")
    assert who(customers) is None


def test_a_no_at_the_bank_is_a_no(customers: Customers, browser: Browser) -> None:
    callback = walk_pages(leave(browser, begin(customers)), "maya", accounts=())
    answer = browser.come_back(callback)
    assert answer.status_code == 200 and says(answer, "page_link_declined")
    assert who(customers) is None


def test_of_two_tabs_the_last_to_leave_counts(customers: Customers, browser: Browser) -> None:
    token = begin(customers)
    first, second = browser.get(f"/link/{token}"), browser.get(f"/link/{token}")
    early = walk_pages(browser.press(first).headers["Location"], "maya")
    late = walk_pages(browser.press(second).headers["Location"], "maya")
    refused = browser.come_back(early)
    assert refused.status_code == 404 and says(refused, "page_link_unknown")
    assert browser.come_back(late).status_code == 200
    assert len(customers.vault.links(who(customers).id)) == 1  # type: ignore[union-attr]


def test_when_the_bank_is_down_before_signing_in_the_page_can_be_tried_again(
    customers: Customers, browser: Browser, sandbox: SandboxProcess
) -> None:
    page = browser.get(f"/link/{begin(customers)}")
    sandbox.fault("unavailable", path="^/oauth/par")
    down = browser.press(page)
    assert down.status_code == 503 and says(down, "page_bank_down")
    sandbox.clear()
    assert browser.press(page).status_code == 303


def test_when_the_bank_fails_after_signing_in_nothing_is_linked(
    customers: Customers, browser: Browser, sandbox: SandboxProcess
) -> None:
    callback = walk_pages(leave(browser, begin(customers)), "maya")
    sandbox.fault("unavailable", path="^/oauth/token")
    answer = browser.come_back(callback)
    assert answer.status_code == 503 and says(answer, "page_bank_down_after")
    assert who(customers) is None


def test_a_bank_that_takes_its_time_holds_up_nobody_else(
    customers: Customers, server: PagesServer, browser: Browser, sandbox: SandboxProcess
) -> None:
    page = browser.get(f"/link/{begin(customers)}")
    sandbox.fault("latency", path="^/oauth/par", seconds=3)
    slow: list[int] = []
    pressing = threading.Thread(target=lambda: slow.append(browser.press(page).status_code))
    pressing.start()
    for _ in range(5):
        assert Browser(server).get("/link/nowhere").status_code == 404
    assert slow == []
    pressing.join()
    assert slow == [303]
