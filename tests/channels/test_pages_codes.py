"""The step-up code on the hosted pages: chosen, given, locked."""

import dataclasses
import re

import pytest
from support.pages import LATER, WORDS, begin, leave, linked, says, who
from support.pages_server import Browser

from assistant.customers.one_time import EXPORT, LinkKind, OneTimeLinks
from assistant.customers.service import Customers
from assistant.customers.step_up import Result
from assistant.sandbox.demo import walk_pages


def test_after_linking_a_code_can_be_chosen_at_once(customers: Customers, browser: Browser) -> None:
    done = browser.come_back(walk_pages(leave(browser, begin(customers)), "maya"))
    path = re.search(r'href="(/link/code/[\w-]{43})"', done.text)
    assert path
    saved = browser.press(browser.get(path[1]), code="804 193", again="804 193")
    assert saved.status_code == 200 and says(saved, "page_code_done")
    customer = who(customers)
    assert customer is not None
    assert customers.step_up.answer(customer, "804193").result is Result.PASSED
    assert browser.get(path[1]).status_code == 410


def test_relinking_offers_no_new_code(customers: Customers, browser: Browser) -> None:
    """Whoever holds the phone could link a bank of her own: that must not open what the code protects."""
    customer = linked(customers, browser)
    customers.step_up.set_code(customer.id, "804193")
    again = browser.come_back(walk_pages(leave(browser, begin(customers)), "alex"))
    assert again.status_code == 200 and "/link/code/" not in again.text


def test_the_code_is_given_on_its_page_for_the_conversation_it_was_asked_in(
    customers: Customers, browser: Browser, one_time: OneTimeLinks
) -> None:
    customer = linked(customers, browser)
    customers.step_up.set_code(customer.id, "804193")
    path = f"/link/enter/{one_time.issue(customer.id, LinkKind.ENTER_CODE, conversation=customer)}"
    wrong = browser.press(browser.get(path), code="804194")
    assert wrong.status_code == 422 and says(wrong, "page_enter_wrong") and "804194" not in wrong.text
    assert not customers.step_up.has_passed(customer)
    assert says(browser.press(wrong, code="804 193"), "page_enter_done")
    assert customers.step_up.has_passed(customer)
    elsewhere = dataclasses.replace(customer, conversation_id="another")
    assert not customers.step_up.has_passed(elsewhere)
    assert browser.get(path).status_code == 410


def test_three_wrong_codes_lock_it_even_for_the_right_one(
    customers: Customers, browser: Browser, one_time: OneTimeLinks
) -> None:
    customer = linked(customers, browser)
    customers.step_up.set_code(customer.id, "804193")
    page = browser.get(f"/link/enter/{one_time.issue(customer.id, LinkKind.ENTER_CODE, conversation=customer)}")
    for _ in range(2):
        page = browser.press(page, code="111213")
    assert says(browser.press(page, code="111213"), "page_enter_locked")
    assert says(browser.press(page, code="804193"), "page_enter_locked")
    assert not customers.step_up.has_passed(customer)


def test_a_link_to_set_a_code_does_not_take_one(customers: Customers, browser: Browser, one_time: OneTimeLinks) -> None:
    customer = linked(customers, browser)
    customers.step_up.set_code(customer.id, "804193")
    assert browser.get(f"/link/enter/{one_time.issue(customer.id, LinkKind.NEW_CODE)}").status_code == 404
    token = one_time.issue(customer.id, LinkKind.ENTER_CODE, conversation=customer)
    assert browser.get(f"/link/code/{token}").status_code == 404


@pytest.mark.parametrize(
    ("code", "again", "problem"),
    [
        ("80419x", "80419x", "page_code_only_digits"),
        ("", "", "page_code_only_digits"),
        ("80419", "80419", "page_code_length"),
        ("8041938041938", "8041938041938", "page_code_length"),
        ("123456", "123456", "page_code_guessable"),
        ("777777", "777777", "page_code_guessable"),
        ("804193", "804139", "page_code_differs"),
    ],
)
def test_a_bad_code_is_refused_with_its_reason_and_may_be_tried_again(
    customers: Customers, browser: Browser, one_time: OneTimeLinks, code: str, again: str, problem: str
) -> None:
    customer = linked(customers, browser)
    path = f"/link/code/{one_time.issue(customer.id, LinkKind.FIRST_CODE)}"
    refused = browser.press(browser.get(path), code=code, again=again)
    assert refused.status_code == 422
    assert WORDS[problem].format(low=6, high=12).replace("'", "&#39;") in refused.text
    assert 'role="alert"' in refused.text and not (code and code in refused.text)
    assert customers.step_up.state(customer.id) is Result.NOT_SET
    assert browser.press(refused, code="804193", again="804193").status_code == 200


def test_a_code_that_is_set_is_replaced_only_by_a_link_for_that(
    customers: Customers, browser: Browser, one_time: OneTimeLinks
) -> None:
    customer = linked(customers, browser)
    path = f"/link/code/{one_time.issue(customer.id, LinkKind.FIRST_CODE)}"
    page = browser.get(path)
    customers.step_up.set_code(customer.id, "804193")
    for answer in (browser.get(path), browser.press(page, code="915204", again="915204")):
        assert answer.status_code == 410 and says(answer, "page_code_is_set")
    assert customers.step_up.answer(customer, "804193").result is Result.PASSED
    path = f"/link/code/{one_time.issue(customer.id, LinkKind.NEW_CODE)}"
    assert browser.press(browser.get(path), code="915204", again="915204").status_code == 200
    assert customers.step_up.answer(customer, "915204").result is Result.PASSED


def test_links_that_work_once_run_out(
    customers: Customers, browser: Browser, one_time: OneTimeLinks, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = linked(customers, browser)
    older = one_time.issue(customer.id, LinkKind.FIRST_CODE)
    code, export = one_time.issue(customer.id, LinkKind.FIRST_CODE), one_time.issue(customer.id, *EXPORT)
    assert browser.get(f"/link/code/{older}").status_code == 404  # a newer one took its place
    assert browser.get(f"/link/code/{export}").status_code == 404  # each is good for its own page alone
    assert browser.get(f"/link/{code}").status_code == 404
    monkeypatch.setenv("TELLERLINE_CLOCK", LATER)
    for path in (f"/link/code/{code}", f"/link/export/{export}"):
        answer = browser.get(path)
        assert answer.status_code == 410 and says(answer, "page_once_expired")
