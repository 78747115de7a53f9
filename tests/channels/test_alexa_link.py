"""Linking accounts from the Alexa app: whatever is forged, taken twice or brought to another address gets no token."""

from __future__ import annotations

import base64
import json
import re
import secrets
from collections.abc import Iterator
from datetime import datetime, timezone
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from authlib.integrations.requests_client import OAuth2Session
from sanic.response import HTTPResponse
from sqlalchemy import select
from support.installation import settings_in

from assistant.banking.connector import CustomerProfile
from assistant.channels.alexa_link import AccountLinking, Declined, LinkSettings
from assistant.channels.base import Refused
from assistant.channels.words import ChannelWords
from assistant.customers.service import Customers, open_customers
from assistant.storage.tables import LinkAttemptRow

REDIRECT = "https://pitangui.amazon.com/api/skill/link/M1"
CLIENT = {"client_id": "alexa", "client_secret": "secret-of-alexa"}


class App:
    """The Alexa app and Amazon's servers: authlib's client makes its requests."""

    def __init__(self, folder: Path) -> None:
        settings = settings_in(folder)
        self.customers: Customers = open_customers(settings)
        linking = LinkSettings.read({**CLIENT, "redirect_urls": [REDIRECT], "bank": "sandbox"})
        self.accounts = AccountLinking(self.customers, ChannelWords(settings), settings, linking)
        self.verifier = secrets.token_urlsafe(48)

    def asked(self, **changes: str) -> dict[str, str]:
        session = OAuth2Session("alexa", redirect_uri=REDIRECT, code_challenge_method="S256")
        url, _ = session.create_authorization_url("https://us/authorize", code_verifier=self.verifier, state="state-1")
        return {**dict(parse_qsl(urlsplit(url).query)), **changes}

    def cookie(self, response: HTTPResponse) -> str:
        return str(response.cookies["tellerline-alexa"].value)

    def bank_links(self) -> str:
        """What our page and the bank do next (test_pages_linking shows it whole). Returns the conversation."""
        with self.customers.storage.database.write() as session:
            row = session.scalars(select(LinkAttemptRow)).one()
            customer = self.customers.identities.create(session, CustomerProfile("America/New_York"))
            self.customers.identities.bind(session, "alexa", row.conversation_id, customer)
            assert row.channel == "alexa" and row.bank_id == "sandbox"
            return row.conversation_id

    def code(self) -> str:
        """All the way to the code, checked as the app checks it."""
        cookie = self.cookie(self.accounts.authorize(self.asked()))
        self.bank_links()
        page = self.accounts.linked(cookie).body.decode()
        [address] = re.findall(r'<a href="([^"]+)"', page)
        back = urlsplit(unescape(address))
        assert f"{back.scheme}://{back.netloc}{back.path}" == REDIRECT
        answered = parse_qs(back.query)
        assert answered["state"] == ["state-1"]
        return answered["code"][0]

    def form(self, code: str, **changes: str) -> dict[str, str]:
        whole = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, **CLIENT}
        return {**whole, "code_verifier": self.verifier, **changes}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    yield App(tmp_path)


def test_the_token_names_who_linked(app: App) -> None:
    code = app.code()
    conversation = app.customers.identities.conversations
    basic = base64.b64encode(b"alexa:secret-of-alexa").decode()
    form = {name: value for name, value in app.form(code).items() if not name.startswith("client_")}
    given = app.accounts.token(f"Basic {basic}", form)
    assert given["token_type"] == "bearer" and given["expires_in"] == 3600
    person = app.accounts.person(given["access_token"])
    known = app.customers.identities.resolve("alexa", app.customers.identities.conversation_id("alexa", person))
    assert known is not None and conversation(known.id) == (("alexa", known.conversation_id),)
    again = app.accounts.token("", {"grant_type": "refresh_token", "refresh_token": given["refresh_token"], **CLIENT})
    assert app.accounts.person(again["access_token"]) == person
    assert app.accounts.person(given["refresh_token"]) == "", "a refresh token opens nothing else"
    app.customers.identities.unbind(known.conversation_id)
    with pytest.raises(Declined, match="invalid_grant"):
        app.accounts.token("", {"grant_type": "refresh_token", "refresh_token": given["refresh_token"], **CLIENT})


def test_a_code_works_once(app: App) -> None:
    code = app.code()
    assert app.accounts.token("", app.form(code))["access_token"]
    with pytest.raises(Declined, match="invalid_grant"):
        app.accounts.token("", app.form(code))


def test_a_code_ends_after_five_minutes(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLERLINE_CLOCK", datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc).isoformat())
    code = app.code()
    monkeypatch.setenv("TELLERLINE_CLOCK", datetime(2026, 3, 1, 12, 5, 1, tzinfo=timezone.utc).isoformat())
    with pytest.raises(Declined, match="invalid_grant"):
        app.accounts.token("", app.form(code))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_verifier": "x" * 48}, "invalid_grant"),
        ({"code_verifier": ""}, "invalid_grant"),
        ({"redirect_uri": "https://layla.amazon.com/api/skill/link/M1"}, "invalid_grant"),
        ({"code": "x"}, "invalid_grant"),
        ({"code": "x.y"}, "invalid_grant"),
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"client_id": "other"}, "invalid_client"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
    ],
)
def test_what_does_not_fit_gets_no_token_and_spoils_nothing(app: App, changes: dict[str, str], error: str) -> None:
    code = app.code()
    with pytest.raises(Declined, match=error):
        app.accounts.token("", {**app.form(code), **changes})
    assert app.accounts.token("", app.form(code))["access_token"]


@pytest.mark.parametrize("header", ["Basic x", "Basic ", "Basic " + base64.b64encode(b"alexa:wrong").decode()])
def test_a_wrong_secret_in_the_header_counts_whatever_the_form_says(app: App, header: str) -> None:
    with pytest.raises(Declined, match="invalid_client"):
        app.accounts.token(header, app.form(app.code()))


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "other"},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": REDIRECT + "/"},
        {"response_type": "token"},
        {"state": ""},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"code_challenge": "short"},
    ],
)
def test_a_request_that_was_not_agreed_on_leads_nowhere(app: App, changes: dict[str, str]) -> None:
    with pytest.raises(Refused):
        app.accounts.authorize(app.asked(**changes))


def test_a_browser_that_linked_nothing_gets_no_code(app: App) -> None:
    cookie = app.cookie(app.accounts.authorize(app.asked()))
    for shown in (cookie, "", "x"):
        with pytest.raises(Refused):
            app.accounts.linked(shown)


def test_what_amazon_is_sent_back_holds_nothing_in_the_clear(app: App) -> None:
    code = app.code()
    once, sealed = code.split(".")
    assert b"pitangui" not in base64.urlsafe_b64decode(sealed + "==") and len(once) == 43
    assert len(urlencode({"code": code})) < 1024
    with pytest.raises(ValueError):
        json.loads(base64.urlsafe_b64decode(sealed + "=="))


@pytest.mark.parametrize("given", [{"client_id": "x"}, {**CLIENT, "bank": "b", "redirect_urls": ["http://x"]}])
def test_half_a_setting_is_an_error(given: dict[str, object]) -> None:
    with pytest.raises(ValueError):
        LinkSettings.read(given)
