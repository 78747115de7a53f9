"""The hosted pages, on a real server, with the sandbox bank's real sign-in behind them."""

import dataclasses
import json
import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from support.installation import settings_in
from support.pages_server import Browser, PagesServer, forms
from support.sandbox import CLOCK, SandboxProcess, free_port

from assistant.banking.purpose import Purpose
from assistant.channels.addresses import Page, page_url
from assistant.channels.page_exchange import Answer, Cookie
from assistant.channels.pages import PageServer
from assistant.customers.handover import Handover
from assistant.customers.identity import Customer
from assistant.customers.linking import Linking
from assistant.customers.one_time import EXPORT, LinkKind, OneTimeLinks
from assistant.customers.service import Customers, open_customers
from assistant.customers.step_up import Result
from assistant.replies.wording import Wording
from assistant.sandbox.demo import walk_pages
from assistant.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
CHANNEL, CONVERSATION = "cmdline", "conversation-1"
LATER = "2026-03-15T16:10:01Z"
WORDS = Wording.load(ROOT / "domain.yml").written


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess() as process:
        yield process


@pytest.fixture(scope="module")
def settings(running: SandboxProcess, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    home = tmp_path_factory.mktemp("pages")
    return settings_in(home, sandbox_url=running.url, cache_seconds=0, rasa_port=free_port())


@pytest.fixture(scope="module")
def server(settings: Settings) -> Iterator[PagesServer]:
    """One for all: Sanic can't be started twice in one process."""
    with PagesServer(settings) as serving:
        yield serving


@pytest.fixture
def sandbox(running: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxProcess]:
    monkeypatch.setenv("TELLERLINE_CLOCK", CLOCK)
    yield running
    running.clear()


@pytest.fixture
def customers(settings: Settings, sandbox: SandboxProcess) -> Iterator[Customers]:
    """Nobody is known at the start of a test."""
    everything = open_customers(settings)
    yield everything
    customer = everything.identities.resolve(CHANNEL, CONVERSATION)
    if customer is not None:
        everything.erasure.erase(customer)
    everything.erasure.erase_conversation(CONVERSATION)


@pytest.fixture
def browser(server: PagesServer) -> Browser:
    return Browser(server)


@pytest.fixture
def one_time(customers: Customers) -> OneTimeLinks:
    return OneTimeLinks(customers.storage.database)


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


# Linking


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


# Forms


def test_a_form_from_elsewhere_is_refused(customers: Customers, server: PagesServer, browser: Browser) -> None:
    token = begin(customers)
    page = browser.get(f"/link/{token}")
    [form] = forms(page.text)
    without_cookie = requests.post(page.url, data=form, allow_redirects=False, timeout=30)
    without_proof = browser.session.post(page.url, allow_redirects=False, timeout=30)
    guessed = browser.session.post(page.url, data={"proof": "guessed"}, allow_redirects=False, timeout=30)
    as_json = browser.session.post(page.url, json=form, allow_redirects=False, timeout=30)
    other_page = browser.session.post(
        f"{server.url}/link/{begin(customers, 'other')}", data=form, allow_redirects=False, timeout=30
    )
    for answer in (without_cookie, without_proof, guessed, as_json, other_page):
        assert answer.status_code == 403 and says(answer, "page_stale")
    assert browser.press(page).status_code == 303


def test_cookies_stay_with_our_pages(customers: Customers, browser: Browser) -> None:
    page = browser.get(f"/link/{begin(customers)}")
    away = browser.press(page)
    for answer, same_site in ((page, "Strict"), (away, "Lax")):
        cookie = answer.headers["Set-Cookie"]
        assert "HttpOnly" in cookie and "Path=/link" in cookie and f"SameSite={same_site}" in cookie
        assert "Secure" not in cookie  # this one is served over http


def test_over_https_cookies_are_secure(tmp_path: Path) -> None:
    server = PageServer(settings_in(tmp_path, public_address="https://assistant.example.com"))
    sent = server.send(Answer(200, cookies=(Cookie("name", "value", "Strict"),)))
    assert "Secure" in sent.cookies["name"].encode("ascii").decode()


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_larger_than_any_form_is_refused(customers: Customers, browser: Browser, chunked: bool) -> None:
    page = browser.get(f"/link/{begin(customers)}")
    body = b"proof=" + b"x" * 20_000
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    data = iter([body[:3000], body[3000:]]) if chunked else body
    answer = browser.session.post(page.url, data=data, headers=headers, timeout=30)
    assert answer.status_code == 413


def test_every_answer_is_closed_to_the_outside(customers: Customers, browser: Browser, server: PagesServer) -> None:
    token = begin(customers)
    page = browser.get(f"/link/{token}")
    answers = [page, browser.press(page), browser.get("/link/callback?state=x"), browser.get("/link/nowhere")]
    for answer in answers:
        headers = answer.headers
        assert headers["Referrer-Policy"] == "no-referrer" and headers["X-Frame-Options"] == "DENY"
        assert headers["Cache-Control"] == "no-store" and headers["X-Content-Type-Options"] == "nosniff"
        policy = dict(part.strip().split(" ", 1) for part in headers["Content-Security-Policy"].split(";"))
        assert policy["default-src"] == "'none'" and policy["style-src"] == "'self'"
        assert policy["frame-ancestors"] == "'none'" and policy["base-uri"] == "'none'"
    # Nothing on the page needs more than that.
    for text in (answer.text for answer in answers):
        assert not re.search(r"<script|style=|<style|<img|https?://", text)
    style = browser.get("/link/pages.css")
    assert style.status_code == 200 and style.headers["Content-Type"].startswith("text/css")


@pytest.mark.parametrize(
    "path",
    [
        "/link/",
        "/link/x",
        f"/link/{'a' * 43}/more",
        f"/link/code/{'a' * 43}",
        f"/link/export/{'a' * 43}",
        f"/link/{'a' * 43}",
        "/link/%FF%FE",
        "/link/pages.css/x",
    ],
)
def test_what_is_not_there_tells_nothing(browser: Browser, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 404 and says(answer, "page_nothing")
    assert "aaaa" not in answer.text


@pytest.mark.parametrize("method", ["HEAD", "PUT", "DELETE"])
def test_other_methods_do_nothing(customers: Customers, browser: Browser, method: str) -> None:
    callback = walk_pages(leave(browser, begin(customers)), "maya")
    parts = urlsplit(callback)
    url = urlsplit(browser.get("/link/x").url)._replace(path=parts.path, query=parts.query).geturl()
    assert browser.session.request(method, url, timeout=30).status_code == 405
    assert who(customers) is None
    assert browser.come_back(callback).status_code == 200


def test_nothing_secret_is_logged(
    customers: Customers, browser: Browser, server: PagesServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = begin(customers)
    callback = walk_pages(leave(browser, token), "maya")
    answered = parse_qs(urlsplit(callback).query)
    done = browser.come_back(callback)
    code_path = re.search(r"/link/code/([\w-]{43})", done.text)
    assert code_path
    page = browser.get(code_path[0])
    browser.press(page, code="804193", again="804193")

    def broken(_self: Linking, token: str) -> None:
        raise RuntimeError(f"no page for {token}")

    monkeypatch.setattr(Linking, "page", broken)
    assert browser.get(f"/link/{token}").status_code == 500
    browser.get("/elsewhere")
    log = "\n".join(server.lines)
    assert "/elsewhere" in log and "A hosted page failed: RuntimeError" in log  # it does see what is logged
    proofs = [form["proof"] for form in forms(page.text)]
    for secret in (token, code_path[1], "804193", *answered["code"], *answered["state"], *proofs):
        assert secret not in log


def test_what_sanic_itself_says_of_a_page_leaves_out_its_address(
    customers: Customers, browser: Browser, server: PagesServer
) -> None:
    token = begin(customers)
    logging.getLogger("sanic.error").error("%s body not consumed", f"<Request: PUT /link/{token}>")
    logging.getLogger("sanic.root").warning(f"'http://127.0.0.1/link/callback?code={token}' failed")
    assert "<Request: PUT /link/[withheld]> body not consumed" in "\n".join(server.lines)
    assert token not in "\n".join(server.lines)


# The step-up code


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


# Export


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


def test_every_field_we_hold_has_a_word(customers: Customers, browser: Browser, one_time: OneTimeLinks) -> None:
    customer = linked(customers, browser)
    customers.step_up.set_code(customer.id, "804193")
    customers.desk.open(Handover(CONVERSATION, CHANNEL, "person", customer, "I need somebody"))
    one_time.issue(customer.id, *EXPORT)
    held = customers.export.everything(customer)
    assert all(held[name] for name in held if name not in ("conversations", "bank_data"))

    def fields(value: object) -> Iterator[str]:
        if isinstance(value, dict):
            for name, inner in value.items():
                yield name
                if name not in ("answer", "events"):
                    yield from fields(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from fields(inner)

    without = {name for name in fields(held) if f"page_field_{name}" not in WORDS}
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


# Words and addresses


def test_every_word_the_pages_need_is_there() -> None:
    templates = list((ROOT / "assistant/web/pages").glob("*.html"))
    assert len(templates) >= 6
    for template in templates:
        for key in re.findall(r'say\("(page_\w+[a-z])"', template.read_text(encoding="utf-8")):
            assert key in WORDS, key
    code = (ROOT / "assistant/channels/page_desk.py").read_text() + (ROOT / "assistant/channels/pages.py").read_text()
    for key in re.findall(r'"(page_\w+)"', code):
        assert key in WORDS, key
    for purpose in Purpose:
        assert f"page_purpose_{purpose.value}" in WORDS
    titled = {key.removesuffix("_title") for key in WORDS if re.match(r"page_(link|once|bank)_\w+_title", key)}
    assert {
        f"page_link_{reason}" for reason in ("unknown", "expired", "used", "declined", "mismatch", "bank")
    } <= titled


def test_the_address_of_a_page(tmp_path: Path) -> None:
    here = settings_in(tmp_path, rasa_port=5006)
    there = settings_in(tmp_path, public_address="https://assistant.example.com")
    assert page_url(here, "t") == "http://127.0.0.1:5006/link/t"
    assert page_url(there, "t", Page.CODE) == "https://assistant.example.com/link/code/t"
    assert page_url(there, "t", Page.EXPORT) == "https://assistant.example.com/link/export/t"


def test_the_pages_can_be_served_alone(settings: Settings, tmp_path: Path) -> None:
    """For Rasa's shell, which serves no channel but the terminal."""
    port = free_port()
    environment = {**os.environ, "TELLERLINE_HOME": str(tmp_path), "TELLERLINE_SANDBOX_URL": settings.sandbox_url}
    command = [sys.executable, "-m", "assistant.channels", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        answer = None
        for _ in range(300):
            try:
                answer = requests.get(f"http://127.0.0.1:{port}/link/nowhere", timeout=10)
                break
            except requests.ConnectionError:
                time.sleep(0.1)
        assert answer is not None and answer.status_code == 404 and says(answer, "page_nothing")
        assert requests.get(f"http://127.0.0.1:{port}/link/pages.css", timeout=10).status_code == 200
    finally:
        process.terminate()
        process.wait(20)
