"""Linking from a terminal: our pages and the sandbox's sign-in, walked as text."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.bank_server import Asked, BankServer, Said

from assistant.text_browser import NotReadable, PageReader, visit

SIGN_IN = """<!doctype html><html><head><title>Not shown</title><style>p {}</style></head><body>
<h1>Sign in</h1><p>Tell us   who you are.</p>
<form method="post" action="/in"><input type="hidden" name="csrf" value="k1">
<label for="who">User name</label><input id="who" name="login">
<label for="pass">Password</label><input id="pass" name="password" type="password">
<button type="submit">Sign in</button></form></body></html>"""
SHARE = """<h1>Share?</h1><form method="post" action="/share">
<label><input type="checkbox" name="account" value="a1" checked><span>Checking</span></label>
<label><input type="checkbox" name="account" value="a2" checked><span>Savings</span></label>
<button type="submit" name="decision" value="allow">Share</button>
<button type="submit" name="decision" value="deny">Don't share</button></form>"""


def test_a_page_is_read_as_its_words_and_forms() -> None:
    page = PageReader()
    page.feed(SIGN_IN)
    page.close()
    assert page.lines == ["Sign in", "Tell us who you are."]
    form = page.forms[0]
    assert [(one.name, one.kind, one.label) for one in form.fields if one.kind != "hidden"] == [
        ("login", "text", "User name"),
        ("password", "password", "Password"),
    ]
    assert [button.label for button in form.buttons] == ["Sign in"]


@pytest.fixture
def bank() -> Iterator[BankServer]:
    def answer(asked: Asked) -> Said:
        pages = {"/": SIGN_IN, "/in": SHARE, "/share": "<h1>Connected</h1>", "/loop": SIGN_IN.replace("/in", "/loop")}
        return Said(raw=pages[asked.path].encode(), headers={"Content-Type": "text/html", "Set-Cookie": "c=1"})

    with BankServer(answer) as server:
        yield server


def test_fields_are_asked_for_and_secrets_are_not_echoed(bank: BankServer) -> None:
    shown: list[str] = []
    answers = iter(["maya", "", "n", "1"])
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return next(answers)

    visit(f"{bank.url}/", shown.append, ask, lambda _question: "s3cret")
    assert shown[-1] == "Connected"
    assert "s3cret" not in " ".join(shown)
    assert asked == ["User name: ", "Checking [Y/n] ", "Savings [Y/n] ", "Which one (1-2)? "]
    signed_in, shared = bank.asked[1:]
    assert signed_in.body == "csrf=k1&login=maya&password=s3cret"
    assert shared.body == "account=a1&decision=allow"
    assert shared.headers["cookie"] == "c=1"


def test_pages_that_lead_in_a_circle_end(bank: BankServer) -> None:
    with pytest.raises(NotReadable):
        visit(f"{bank.url}/loop", lambda _line: None, lambda _question: "x", lambda _question: "x")
