"""Plays the customer at the bank's own pages, so that a demo is linked by the true flow, over HTTP."""

from __future__ import annotations

from collections.abc import Collection
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

import requests

from assistant.sandbox.customers import PASSWORD

_TIMEOUT = (3.05, 20)


class DemoRefused(RuntimeError):
    """The sandbox did not let the demo customer through. The message says at which step, and nothing secret."""


class _Form(HTMLParser):
    """The hidden fields and checkboxes of a page's form."""

    def __init__(self) -> None:
        super().__init__()
        self.action = ""
        self.hidden: dict[str, str] = {}
        self.boxes: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = values.get("action", "")
        elif tag == "input" and values.get("type") == "hidden":
            self.hidden[values["name"]] = values.get("value", "")
        elif tag == "input" and values.get("type") == "checkbox":
            self.boxes.append(values["value"])


def authorize_demo(
    base_url: str,
    login: str,
    client_id: str,
    redirect_uri: str,
    code_challenge: str,
    state: str,
    scope: str,
    accounts: Collection[str] | None = None,
) -> str:
    """Sign in and share; returns the callback URL (code, state, iss) the browser would be sent to.

    ``accounts`` are the bank's account ids to share; None shares all. Raises DemoRefused, requests.RequestException.
    """
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": scope,
        "state": state,
        "code_challenge": code_challenge,
        "code_challenge_method": "S256",
    }
    return walk_pages(f"{base_url}/oauth/authorize?{urlencode(query)}", login, accounts=accounts)


def walk_pages(
    authorize_url: str, login: str, password: str = PASSWORD, accounts: Collection[str] | None = None
) -> str:
    """From an authorization URL through the login and consent pages to the callback URL."""
    with requests.Session() as browser:
        page = browser.get(authorize_url, allow_redirects=False, timeout=_TIMEOUT)
        if page.status_code == 303:
            return page.headers["Location"]
        form = _read(page, 200, "the login page")
        page = browser.post(
            urljoin(authorize_url, form.action),
            data={**form.hidden, "login": login, "password": password},
            timeout=_TIMEOUT,
        )
        form = _read(page, 200, "sign-in")
        picked = [box for box in form.boxes if accounts is None or box in accounts]
        done = browser.post(
            urljoin(authorize_url, form.action),
            data={**form.hidden, "account": picked, "decision": "allow" if picked else "deny"},
            allow_redirects=False,
            timeout=_TIMEOUT,
        )
        if done.status_code != 303:
            raise DemoRefused(f"consent answered {done.status_code}")
        return done.headers["Location"]


def _read(page: requests.Response, status: int, step: str) -> _Form:
    if page.status_code != status:
        raise DemoRefused(f"{step} answered {page.status_code}")
    form = _Form()
    form.feed(page.text)
    return form
