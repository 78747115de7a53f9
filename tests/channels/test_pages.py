"""What holds for every hosted page: forms, headers, logs, words and addresses."""

import logging
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from support.installation import settings_in
from support.pages import WORDS, begin, leave, says, who
from support.pages_server import Browser, PagesServer, forms
from support.sandbox import free_port

from assistant.banking.purpose import Purpose
from assistant.channels.addresses import Page, page_url
from assistant.channels.page_exchange import Answer, Cookie
from assistant.channels.pages import PageServer
from assistant.customers.linking import Linking
from assistant.customers.service import Customers
from assistant.sandbox.demo import walk_pages
from assistant.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


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
