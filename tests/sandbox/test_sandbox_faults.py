"""Each fault does what it says, only where and as often as it was asked to."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
import requests
from support.sandbox import CLIENT_ID, SandboxProcess

from assistant.sandbox.faults import KINDS, FaultBook

WIDE = {"startTime": "2026-01-01", "endTime": "2026-03-15"}
EVERY_KIND = {
    "latency", "rate_limited", "unavailable", "error", "expired_token", "reconsent", "loop_cursor", "misplaced_page",
    "foreign_link", "missing_ids", "blank_ids", "reused_ids", "null_balances", "malformed_json", "cut", "partial",
    "integer_codes", "composite_codes",
}  # fmt: skip


@pytest.fixture(scope="module")
def token(running: SandboxProcess) -> str:
    return str(running.authorize("maya")["access_token"])


@pytest.fixture(scope="module")
def path(running: SandboxProcess) -> str:
    return f"/fdx/v6/accounts/{running.account_ids('maya')['card']}/transactions"


def fetch(sandbox: SandboxProcess, path: str, token: str, **query: Any) -> Any:
    return sandbox.get(path, token, **{**WIDE, **query}).json()


def test_every_fault_is_known_here() -> None:
    assert KINDS == EVERY_KIND


@pytest.mark.parametrize(
    ("kind", "version", "status", "code"),
    [
        ("rate_limited", 6, 429, "1207"),
        ("unavailable", 6, 503, "503"),
        ("error", 6, 500, "500"),
        ("expired_token", 6, 401, "603"),
        ("reconsent", 6, 403, "602"),
        ("reconsent", 5, 401, "602"),
    ],
)
def test_refusals(sandbox: SandboxProcess, token: str, kind: str, version: int, status: int, code: str) -> None:
    sandbox.fault(kind, times=1)
    answer = sandbox.get(f"/fdx/v{version}/accounts", token)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.json()["message"]
    assert uuid.UUID(answer.headers["x-fapi-interaction-id"])
    assert "Retry-After" not in answer.headers
    assert sandbox.get(f"/fdx/v{version}/accounts", token).status_code == 200


@pytest.mark.parametrize("kind", ["rate_limited", "unavailable"])
def test_retry_after(sandbox: SandboxProcess, token: str, kind: str) -> None:
    sandbox.fault(kind, retry_after=30)
    assert sandbox.get("/fdx/v6/accounts", token).headers["Retry-After"] == "30"


def test_a_fault_without_times_stays_until_cleared(sandbox: SandboxProcess, token: str) -> None:
    sandbox.fault("error")
    assert {sandbox.get("/fdx/v6/accounts", token).status_code for _ in range(3)} == {500}
    sandbox.clear()
    assert sandbox.get("/fdx/v6/accounts", token).status_code == 200


def test_a_fault_keeps_to_its_path(sandbox: SandboxProcess, token: str, path: str) -> None:
    sandbox.fault("error", path="/transactions$")
    assert sandbox.get("/fdx/v6/accounts", token).status_code == 200
    assert sandbox.get(path, token).status_code == 500


def test_the_token_endpoint_can_fail_too(sandbox: SandboxProcess) -> None:
    sandbox.fault("unavailable", path="^/oauth/token", times=1)
    form = {"client_id": CLIENT_ID, "grant_type": "refresh_token", "refresh_token": "x"}
    assert requests.post(f"{sandbox.url}/oauth/token", data=form, timeout=10).status_code == 503
    assert requests.post(f"{sandbox.url}/oauth/token", data=form, timeout=10).json()["error"] == "invalid_grant"


def test_latency_outlasts_an_impatient_client(sandbox: SandboxProcess, token: str) -> None:
    sandbox.fault("latency", seconds=2, times=1)
    headers = {"Authorization": f"Bearer {token}", "x-fapi-interaction-id": str(uuid.uuid4())}
    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{sandbox.url}/fdx/v6/accounts", headers=headers, timeout=0.3)
    assert sandbox.get("/fdx/v6/accounts", token).status_code == 200


def test_the_cursor_loops(sandbox: SandboxProcess, token: str, path: str) -> None:
    sandbox.fault("loop_cursor")
    first = fetch(sandbox, path, token, limit=10)
    again = fetch(sandbox, path, token, limit=10, pageKey=first["page"]["nextPageKey"])
    assert again == first
    assert first["page"]["nextOffset"] in first["links"]["next"]["href"]


def test_paging_in_the_wrong_place(sandbox: SandboxProcess, token: str, path: str) -> None:
    sandbox.fault("misplaced_page")
    body = fetch(sandbox, path, token, limit=10)
    assert "page" not in body
    assert "links" not in body
    following = body["paginatedArray"]["page"]["nextPageKey"]
    assert fetch(sandbox, path, token, limit=10, pageKey=following)["transactions"] != body["transactions"]


def test_a_link_to_another_host(sandbox: SandboxProcess, token: str, path: str) -> None:
    sandbox.fault("foreign_link")
    body = fetch(sandbox, path, token, limit=10)
    assert body["links"]["next"]["href"].startswith("https://elsewhere.example/")
    assert not any(name.startswith("next") for name in body["page"])


@pytest.mark.parametrize("version", [5, 6])
@pytest.mark.parametrize(
    ("kind", "ids"), [("missing_ids", {None}), ("blank_ids", {" "}), ("reused_ids", {"6657205677"})]
)
def test_transaction_ids(
    sandbox: SandboxProcess, token: str, path: str, version: int, kind: str, ids: set[str | None]
) -> None:
    sandbox.fault(kind, times=1)
    sandbox.get("/fdx/v6/accounts", token)  # has none, and does not use the fault up
    rows = fetch(sandbox, path.replace("v6", f"v{version}"), token)["transactions"]
    flat = [row if version == 6 else next(iter(row.values())) for row in rows]
    assert len(flat) > 5
    assert {row.get("transactionId") for row in flat} == ids
    assert all("amount" in row for row in flat)


@pytest.mark.parametrize("version", [4, 6])
def test_null_balances(sandbox: SandboxProcess, token: str, path: str, version: int) -> None:
    sandbox.fault("null_balances")
    account = sandbox.get(path.removesuffix("/transactions").replace("v6", f"v{version}"), token).json()
    fields = account if version == 6 else account["locAccount"]
    for name in ("currentBalance", "availableCredit", "creditLine", "minimumPaymentAmount", "lastStmtBalance"):
        assert fields[name] is None
    assert fields["accountId"]
    assert all(row["amount"] is not None for row in fetch(sandbox, path, token)["transactions"])


def test_malformed_json(sandbox: SandboxProcess, token: str) -> None:
    sandbox.fault("malformed_json", times=1)
    answer = sandbox.get("/fdx/v6/accounts", token)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)


def test_a_connection_cut_mid_body(sandbox: SandboxProcess, token: str) -> None:
    sandbox.fault("cut", times=1)
    with pytest.raises((requests.exceptions.ChunkedEncodingError, requests.ConnectionError)):
        sandbox.get("/fdx/v6/accounts", token)
    assert sandbox.get("/fdx/v6/accounts", token).status_code == 200


def test_a_partial_answer(sandbox: SandboxProcess, token: str) -> None:
    whole = sandbox.get("/fdx/v6/accounts", token).json()
    sandbox.fault("partial")
    answer = sandbox.get("/fdx/v6/accounts", token)
    assert (answer.status_code, answer.json()) == (206, whole)


@pytest.mark.parametrize(("kind", "code"), [("integer_codes", 701), ("composite_codes", "701-404")])
def test_odd_error_codes(sandbox: SandboxProcess, token: str, kind: str, code: object) -> None:
    sandbox.fault(kind)
    assert sandbox.get("/fdx/v6/accounts/none", token).json()["code"] == code
    assert sandbox.get("/fdx/v6/accounts", token).status_code == 200


def test_faults_combine(sandbox: SandboxProcess, token: str) -> None:
    sandbox.fault("composite_codes")
    sandbox.fault("reconsent")
    assert sandbox.get("/fdx/v6/accounts", token).json()["code"] == "602-403"


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"kind": "fire"},
        {"kind": ["error"]},
        {"kind": "error", "times": 0},
        {"kind": "error", "times": "2"},
        {"kind": "error", "path": "("},
        {"kind": "latency", "seconds": "long"},
        {"kind": "rate_limited", "retry_after": "soon"},
    ],
)
def test_a_wrong_fault_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"."):
        FaultBook().add(wrong)


def test_the_admin_api_is_closed_without_its_key(sandbox: SandboxProcess) -> None:
    for headers in ({}, {"X-Sandbox-Key": "guess"}, {"X-Sandbox-Key": ""}):
        for what in ("faults", "clock", "customers"):
            answer = requests.get(f"{sandbox.url}/_sandbox/{what}", headers=headers, timeout=10)
            assert answer.status_code == 404
    listed = sandbox.admin("GET", "faults").json()
    assert listed == {"faults": []}


@pytest.mark.parametrize(
    "body", [{"now": "2026-03-15"}, {"now": "noon"}, {"days": "two"}, {"days": 1e30}, {"days": 99999}]
)
def test_a_wrong_time_is_refused(sandbox: SandboxProcess, body: dict[str, Any]) -> None:
    with pytest.raises(requests.HTTPError, match="400"):
        sandbox.admin("POST", "clock", body)
