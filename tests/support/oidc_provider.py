"""An independent, certified OpenID Connect server as a bank's: panva/node-oidc-provider, run by Node, outside the
checkout. It judges our side of linking; nobody here wrote it."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from support.bank_server import Asked, BankServer, Said
from support.sandbox import PATIENCE, free_port

from assistant.connectors.profiles import BankProfile, ClientAuth, OAuthProfile

PACKAGE = "oidc-provider@9.13.3"
CLIENT_ID = "tellerline"
REDIRECT_URI = "http://127.0.0.1:5005/link/callback"
SECRET_VARIABLE = "TELLERLINE_TEST_PROVIDER_SECRET"
_SERVER = Path(__file__).with_name("oidc_provider.mjs")
_SECRET = secrets.token_urlsafe(32)
_ACCOUNTS = {"accounts": [{"accountId": "a1", "accountType": "CHECKING", "accountNumberDisplay": "0417",
                           "accountCategory": "DEPOSIT_ACCOUNT", "productName": "Checking",
                           "currency": {"currencyCode": "USD"}}]}  # fmt: skip


def installed() -> Path:
    """The folder that has it, made on first use. Skips aloud where that can't be done; in CI it fails instead."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tellerline-tests"
    folder = cache / PACKAGE.replace("@", "-")
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        _absent("Node and npm are not installed")
    if not (folder / "node_modules" / "oidc-provider").exists():
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "package.json").write_text('{"private": true}')
        command = [str(npm), "install", PACKAGE, "--no-audit", "--no-fund", "--ignore-scripts"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=110)
        if done.returncode != 0:
            _absent(f"npm could not install {PACKAGE}: {done.stderr.strip()[-300:]}")
    return folder


def _absent(why: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"linking is not proved against an independent server: {why}")
    pytest.skip(f"NOT PROVED against an independent server: {why}")


class OidcProvider:
    """The server, and a little FDX bank behind it that believes only tokens it calls active."""

    def __init__(self, bank_id: str = "independent") -> None:
        self.bank_id = bank_id
        self.port = free_port()
        self.issuer = f"http://127.0.0.1:{self.port}"
        self._data = BankServer(self._answer)
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> OidcProvider:
        folder = installed()
        self._process = subprocess.Popen(
            [str(shutil.which("node")), str(_SERVER), str(self.port), REDIRECT_URI],
            cwd=folder,
            env={**os.environ, "PROVIDER_CLIENT_SECRET": _SECRET},
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        if self._process.stdout.readline().strip() != "listening":
            raise RuntimeError("oidc-provider did not start")
        self._data.__enter__()
        os.environ[SECRET_VARIABLE] = _SECRET
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._data.__exit__(None, None, None)
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)

    @property
    def profile(self) -> BankProfile:
        oauth = OAuthProfile(
            authorize_url=f"{self.issuer}/auth",
            token_url=f"{self.issuer}/token",
            revoke_url=f"{self.issuer}/token/revocation",
            par_url=f"{self.issuer}/request",
            jwks_url=f"{self.issuer}/jwks",
            issuer=self.issuer,
            scope="openid",
            client_id=CLIENT_ID,
            client_secret_env=SECRET_VARIABLE,
            client_auth=ClientAuth.BASIC,
            redirect_uri=REDIRECT_URI,
            use_par=True,
        )
        hosts = (f"127.0.0.1:{self.port}", self._data.host)
        return BankProfile(
            id=self.bank_id, name="Independent Bank", base_url=f"{self._data.url}/fdx/v6", hosts=hosts, oauth=oauth
        )

    def post(self, path: str, **form: str) -> requests.Response:
        """As our client would: with its id and secret."""
        return requests.post(f"{self.issuer}{path}", data=form, auth=(CLIENT_ID, _SECRET), timeout=PATIENCE)

    def is_active(self, token: str) -> bool:
        return bool(self.post("/token/introspection", token=token).json()["active"])

    def _answer(self, asked: Asked) -> Said:
        token = asked.headers.get("authorization", "").removeprefix("Bearer ")
        if not self.is_active(token):
            return Said({"code": "603", "message": "Authentication failed"}, 401)
        return Said(_ACCOUNTS)


def sign_in(authorize_url: str, login: str = "customer") -> str:
    """Plays the customer in a browser at the server's own pages, up to the address she is sent back to."""
    with requests.Session() as browser:
        page = browser.get(authorize_url, allow_redirects=False, timeout=PATIENCE)
        for _ in range(20):
            if page.is_redirect:
                target = urljoin(page.url, page.headers["Location"])
                if target.startswith(REDIRECT_URI):
                    return target
                page = browser.get(target, allow_redirects=False, timeout=PATIENCE)
                continue
            page = browser.post(*_form(page, login), allow_redirects=False, timeout=PATIENCE)
    raise AssertionError(f"no way back from {page.status_code}")


def _form(page: requests.Response, login: str) -> tuple[str, dict[str, Any]]:
    action = re.search(r'<form[^>]* action="([^"]+)"', page.text)
    prompt = re.search(r'name="prompt" value="(\w+)"', page.text)
    assert action and prompt, f"a page without a form: {page.status_code}"
    fields = {"prompt": prompt[1]}
    if prompt[1] == "login":
        fields |= {"login": login, "password": "any"}
    return urljoin(page.url, action[1]), fields
