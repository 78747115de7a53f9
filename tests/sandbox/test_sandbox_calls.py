"""The bank tells which calls reached it, for proofs of what was not asked; and nothing else about them."""

from __future__ import annotations

import pytest
import requests
from support.sandbox import SandboxProcess

from assistant.sandbox.calls import KEPT, CallLog, kind_of


@pytest.mark.parametrize(
    ("path", "query", "kind"),
    [
        ("/fdx/v6/accounts", {}, "accounts"),
        ("/fdx/v6/accounts", {"resultType": "lightweight"}, "accounts"),
        ("/fdx/v5/accounts", {"resultType": "details"}, "balances"),
        ("/fdx/v6/accounts/a1", {}, "balances"),
        ("/fdx/v6/accounts/a1/transactions", {"startTime": "2026-01-01"}, "transactions"),
        ("/fdx/v6/customers/current", {}, "customer"),
        ("/fdx/v6/consents/c1/revocation", {}, "consents"),
        ("/oauth/token", {}, "token"),
        ("/fdx/v6/statements", {}, "other"),
    ],
)
def test_a_call_is_known_by_what_it_reads(path: str, query: dict[str, str], kind: str) -> None:
    assert kind_of(path, query) == kind


def test_calls_are_told_once_without_what_they_carried(sandbox: SandboxProcess) -> None:
    tokens = sandbox.authorize("maya")
    sandbox.calls()
    sandbox.fault("unavailable", path="customers", times=1)
    sandbox.get("/fdx/v6/customers/current", tokens["access_token"])
    sandbox.get("/fdx/v6/accounts", tokens["access_token"], resultType="details", limit=5)
    sandbox.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert sandbox.calls() == [
        {"method": "GET", "path": "/fdx/v6/customers/current", "kind": "customer"},  # refused, and still asked
        {"method": "GET", "path": "/fdx/v6/accounts", "kind": "balances"},
        {"method": "POST", "path": "/oauth/token", "kind": "token"},
    ]
    assert sandbox.calls() == []


def test_only_the_admin_key_reads_them(sandbox: SandboxProcess) -> None:
    assert requests.get(f"{sandbox.url}/_sandbox/calls", timeout=10).status_code == 404


def test_the_log_has_an_end() -> None:
    log = CallLog()
    for number in range(KEPT + 5):
        log.add("GET", f"/fdx/v6/accounts/{number}", {})
    assert len(log.all()) == KEPT and log.all()[0]["path"] == "/fdx/v6/accounts/5"
