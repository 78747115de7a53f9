"""The sandbox bank in a process of its own, for tests: started on a free port, on a fixed day."""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import socket
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from assistant.sandbox.demo import authorize_demo

ROOT = Path(__file__).parents[2]
CLOCK = "2026-03-15T16:00:00Z"
CLIENT_ID = "tellerline-dev"
REDIRECT_URI = "http://127.0.0.1/callback"
#: Seconds for one answer, and for a start. Nothing is measured by them: a machine with more to do than cores is slow,
#: and a process that ends is seen at once.
PATIENCE, START_PATIENCE = 60.0, 180.0
SCOPE = "fdx:accountbasic:read fdx:accountdetailed:read fdx:transactions:read"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def pkce() -> tuple[str, str]:
    """A code verifier and its S256 challenge."""
    verifier = secrets.token_urlsafe(48)
    hashed = hashlib.sha256(verifier.encode()).digest()
    return verifier, base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


class SandboxProcess:
    """Use as a context manager, or start() and stop(). ``clock`` None lets the time run."""

    program: tuple[str, ...] = ("-m", "assistant.sandbox")

    def __init__(self, *, clock: str | None = CLOCK, seed: int = 7, state: Path | None = None, port: int = 0) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.admin_key = secrets.token_urlsafe(16)
        self._clock = clock
        self._seed = seed
        self._state = state
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> SandboxProcess:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        command = [sys.executable, *self.program, "--port", str(self.port), "--seed", str(self._seed)]
        command += [f"--admin-key={self.admin_key}"]
        if self._state is not None:
            command += ["--state", str(self._state)]
        environment = {name: value for name, value in os.environ.items() if name != "TELLERLINE_CLOCK"}
        if self._clock is not None:
            environment["TELLERLINE_CLOCK"] = self._clock
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + START_PATIENCE
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(f"the sandbox ended with {self._process.returncode}")
            try:
                requests.get(self.url, timeout=PATIENCE)
                return
            except requests.RequestException:
                time.sleep(0.05)
        self.stop()
        raise RuntimeError("the sandbox did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def admin(self, method: str, what: str, body: dict[str, Any] | None = None) -> requests.Response:
        key = {"X-Sandbox-Key": self.admin_key}
        answer = requests.request(method, f"{self.url}/_sandbox/{what}", json=body, headers=key, timeout=PATIENCE)
        answer.raise_for_status()
        return answer

    def fault(self, kind: str, **more: Any) -> None:
        """A kind from assistant.sandbox.faults.KINDS; keywords: path (regex), times, seconds (latency), retry_after."""
        self.admin("POST", "faults", {"kind": kind, **more})

    def clear(self) -> None:
        """No faults, and the clock where it was."""
        self.admin("DELETE", "faults")
        self.admin("DELETE", "clock")

    def calls(self) -> list[dict[str, str]]:
        """What reached the bank since the last time this was read: method, path, kind (see assistant.sandbox.calls)."""
        found: list[dict[str, str]] = self.admin("GET", "calls").json()["calls"]
        self.admin("DELETE", "calls")
        return found

    def forward(self, **more: float) -> None:
        """Move the sandbox's clock on: days=, seconds=."""
        self.admin("POST", "clock", dict(more))

    def account_ids(self, login: str) -> dict[str, str]:
        """The bank's account ids, by the key the sandbox's tables use ("checking", "card")."""
        customers = self.admin("GET", "customers").json()["customers"]
        accounts = next(customer for customer in customers if customer["login"] == login)["accounts"]
        return {account["key"]: account["accountId"] for account in accounts}

    def granted(self) -> set[str]:
        """The consents under which somebody still holds a token that works. Only with ``state``."""
        assert self._state is not None
        with closing(sqlite3.connect(self._state, timeout=PATIENCE)) as books:
            rows = books.execute(
                "SELECT DISTINCT consent_id FROM secret JOIN consent ON consent.id = consent_id"
                " WHERE kind IN ('access', 'refresh') AND NOT dead AND NOT used AND status = 'ACTIVE'"
            )
            return {str(consent_id) for (consent_id,) in rows}

    def authorize(
        self, login: str, accounts: Collection[str] | None = None, scope: str = SCOPE, redirect_uri: str = REDIRECT_URI
    ) -> dict[str, Any]:
        """The token answer, got by signing in and consenting at the real pages. ``accounts`` are account ids."""
        verifier, challenge = pkce()
        state = secrets.token_urlsafe(8)
        back = authorize_demo(self.url, login, CLIENT_ID, redirect_uri, challenge, state, scope, accounts)
        answer = parse_qs(urlsplit(back).query)
        assert answer["state"] == [state]
        assert answer["iss"] == [self.url]
        return self.token(
            grant_type="authorization_code", code=answer["code"][0], code_verifier=verifier, redirect_uri=redirect_uri
        ).json()

    def token(self, **form: str) -> requests.Response:
        return requests.post(f"{self.url}/oauth/token", data={"client_id": CLIENT_ID, **form}, timeout=PATIENCE)

    def get(self, path: str, access_token: str, **query: Any) -> requests.Response:
        """An FDX call: path as in "/fdx/v6/accounts"."""
        headers = {"Authorization": f"Bearer {access_token}", "x-fapi-interaction-id": str(uuid.uuid4())}
        return requests.get(f"{self.url}{path}", params=query, headers=headers, timeout=PATIENCE)
