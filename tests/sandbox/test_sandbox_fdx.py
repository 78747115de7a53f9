"""The sandbox's FDX answers, over HTTP: shapes of three versions, paging, dates, consent, errors."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.sandbox import SandboxProcess

WIDE = {"startTime": "2024-01-01", "endTime": "2026-12-31"}


@pytest.fixture(scope="module")
def token(running: SandboxProcess) -> str:
    return str(running.authorize("maya")["access_token"])


@pytest.fixture(scope="module")
def rivera(running: SandboxProcess) -> str:
    return str(running.authorize("rivera")["access_token"])


@pytest.fixture(scope="module")
def ids(running: SandboxProcess) -> dict[str, str]:
    return running.account_ids("maya")


def pages(sandbox: SandboxProcess, path: str, token: str, **query: Any) -> list[dict[str, Any]]:
    """Every page, by following links.next."""
    found = [sandbox.get(path, token, **query).json()]
    while link := found[-1].get("links", {}).get("next"):
        parts = urlsplit(link["href"])
        found.append(sandbox.get(parts.path, token, **dict(parse_qsl(parts.query))).json())
    return found


def only(wrapper: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    [(name, fields)] = wrapper.items()
    return name, fields


def test_version_6_is_flat(sandbox: SandboxProcess, rivera: str) -> None:
    accounts = sandbox.get("/fdx/v6/accounts", rivera).json()["accounts"]
    assert [account["accountCategory"] for account in accounts] == (
        ["DEPOSIT_ACCOUNT"] * 3 + ["LOC_ACCOUNT"] * 2 + ["LOAN_ACCOUNT"] * 2
    )
    for account in accounts:
        assert {"accountId", "productName", "status", "currency", "accountType"} <= account.keys()
        assert not any("alance" in name for name in account)


@pytest.mark.parametrize(("version", "category"), [(4, False), (5, True)])
def test_versions_4_and_5_wrap_each_item_in_one_key(
    sandbox: SandboxProcess, rivera: str, version: int, category: bool
) -> None:
    answer = sandbox.get(f"/fdx/v{version}/accounts", rivera, resultType="details").json()
    wrapped = [only(account) for account in answer["accounts"]]
    assert [name for name, _ in wrapped] == ["depositAccount"] * 3 + ["locAccount"] * 2 + ["loanAccount"] * 2
    assert all(("accountCategory" in fields) is category for _, fields in wrapped)
    _, card = wrapped[3]
    items = sandbox.get(f"/fdx/v{version}/accounts/{card['accountId']}/transactions", rivera, **WIDE).json()
    assert {only(item)[0] for item in items["transactions"]} == {"locTransaction"}
    assert "nextPageKey" not in items["page"]
    assert items["page"]["nextOffset"]


def test_every_version_tells_the_same(sandbox: SandboxProcess, token: str, ids: dict[str, str]) -> None:
    def stripped(version: int) -> list[dict[str, Any]]:
        path = f"/fdx/v{version}/accounts/{ids['card']}/transactions"
        rows = sandbox.get(path, token, **WIDE).json()["transactions"]
        rows = [row if version == 6 else only(row)[1] for row in rows]
        return [{name: value for name, value in row.items() if name != "accountCategory"} for row in rows]

    assert stripped(4) == stripped(5) == stripped(6)


def test_details_hold_what_each_kind_needs(sandbox: SandboxProcess, rivera: str) -> None:
    accounts = sandbox.get("/fdx/v6/accounts", rivera, resultType="details").json()["accounts"]
    needed = {
        "DEPOSIT_ACCOUNT": {"currentBalance", "availableBalance", "openingDayBalance", "balanceAsOf"},
        "LOC_ACCOUNT": {
            "currentBalance", "creditLine", "availableCredit", "minimumPaymentAmount", "nextPaymentDate",
            "lastPaymentAmount", "lastStmtBalance", "purchasesApr",
        },
        "LOAN_ACCOUNT": {
            "principalBalance", "interestRate", "interestRateType", "nextPaymentAmount", "nextPaymentDate",
            "originalPrincipal", "maturityDate",
        },
    }  # fmt: skip
    for account in accounts:
        assert needed[account["accountCategory"]] <= account.keys()
        assert account == sandbox.get(f"/fdx/v6/accounts/{account['accountId']}", rivera).json()


def test_amounts_are_unsigned_and_pending_items_have_no_posting_time(
    sandbox: SandboxProcess, token: str, ids: dict[str, str]
) -> None:
    rows = sandbox.get(f"/fdx/v6/accounts/{ids['card']}/transactions", token, limit=500, **WIDE).json()["transactions"]
    assert all(row["amount"] > 0 for row in rows)
    assert {row["debitCreditMemo"] for row in rows} == {"DEBIT", "CREDIT"}
    pending = [row for row in rows if row["status"] == "PENDING"]
    assert pending
    assert all("postedTimestamp" not in row and "referenceTransactionId" not in row for row in pending)
    assert all("postedTimestamp" in row for row in rows if row["status"] == "POSTED")


@given(limit=st.integers(1, 600))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_cover_everything_once(sandbox: SandboxProcess, token: str, ids: dict[str, str], limit: int) -> None:
    path = f"/fdx/v6/accounts/{ids['checking']}/transactions"
    whole = pages(sandbox, path, token, limit=500, **WIDE)
    cut = pages(sandbox, path, token, limit=limit, **WIDE)
    expected = [row["transactionId"] for page in whole for row in page["transactions"]]
    got = [row["transactionId"] for page in cut for row in page["transactions"]]
    assert got == expected
    assert len(set(got)) == len(got) == cut[0]["page"]["totalElements"]
    assert all(len(page["transactions"]) == min(limit, 500) for page in cut[:-1])
    assert "nextOffset" not in cut[-1]["page"]
    assert "links" not in cut[-1]


def test_a_page_key_keeps_its_view_while_new_items_arrive(sandbox: SandboxProcess, ids: dict[str, str]) -> None:
    path = f"/fdx/v6/accounts/{ids['card']}/transactions"
    token = str(sandbox.authorize("maya")["access_token"])
    whole = sandbox.get(path, token, limit=40, **WIDE).json()
    first = sandbox.get(path, token, limit=20, **WIDE).json()
    sandbox.forward(days=3)
    token = str(sandbox.authorize("maya")["access_token"])
    assert sandbox.get(path, token, limit=20, **WIDE).json()["transactions"] != first["transactions"]
    second = sandbox.get(path, token, limit=20, pageKey=first["page"]["nextPageKey"], **WIDE).json()
    assert first["transactions"] + second["transactions"] == whole["transactions"]


def test_a_page_key_fits_only_its_own_list(sandbox: SandboxProcess, token: str, ids: dict[str, str]) -> None:
    key = sandbox.get(f"/fdx/v6/accounts/{ids['card']}/transactions", token, **WIDE).json()["page"]["nextPageKey"]
    for account, query in (("checking", WIDE), ("card", {"startTime": "2024-01-02", "endTime": "2026-12-31"})):
        answer = sandbox.get(f"/fdx/v6/accounts/{ids[account]}/transactions", token, pageKey=key, **query)
        assert (answer.status_code, answer.json()["code"]) == (400, "401")
    for forged in ("AAAA", key[:-4] + "AAAA", "%", "ö"):
        answer = sandbox.get(f"/fdx/v6/accounts/{ids['card']}/transactions", token, pageKey=forged, **WIDE)
        assert (answer.status_code, answer.json()["code"]) == (400, "401")


def test_without_dates_the_last_seven_days(sandbox: SandboxProcess, token: str, ids: dict[str, str]) -> None:
    path = f"/fdx/v6/accounts/{ids['card']}/transactions"
    week = sandbox.get(path, token, startDate="2026-03-08", endDate="2026-03-15").json()
    assert sandbox.get(path, token).json() == week
    assert week["transactions"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"startTime": "2026-03-01"}, "703"),
        ({"endTime": "2026-03-01"}, "703"),
        ({"startTime": "2026-03-02", "endTime": "2026-03-01"}, "703"),
        ({"startDate": "tomorrow", "endDate": "2026-03-01"}, "702"),
        ({"startDate": "2026-02-30", "endDate": "2026-03-01"}, "702"),
        ({"limit": "0"}, "401"),
        ({"limit": "many"}, "401"),
        ({"limit": "-1"}, "401"),
    ],
)
def test_bad_parameters(
    sandbox: SandboxProcess, token: str, ids: dict[str, str], query: dict[str, str], code: str
) -> None:
    answer = sandbox.get(f"/fdx/v6/accounts/{ids['card']}/transactions", token, **query)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer.json()["message"]


def test_the_interaction_id_is_required_and_echoed(sandbox: SandboxProcess, token: str) -> None:
    url = f"{sandbox.url}/fdx/v6/accounts"
    bearer = {"Authorization": f"Bearer {token}"}
    sent = str(uuid.uuid4())
    answer = requests.get(url, headers={**bearer, "x-fapi-interaction-id": sent}, timeout=10)
    assert (answer.status_code, answer.headers["x-fapi-interaction-id"]) == (200, sent)
    refused = requests.get(f"{url}/none", headers={**bearer, "x-fapi-interaction-id": sent}, timeout=10)
    assert (refused.status_code, refused.headers["x-fapi-interaction-id"]) == (404, sent)
    for headers in ({}, {"x-fapi-interaction-id": "7"}, {"FDX-InteractionId": sent}):
        answer = requests.get(url, headers={**bearer, **headers}, timeout=10)
        assert (answer.status_code, answer.json()["code"]) == (400, "401")
        assert uuid.UUID(answer.headers["x-fapi-interaction-id"])
    old = requests.get(f"{sandbox.url}/fdx/v4/accounts", headers={**bearer, "FDX-InteractionId": sent}, timeout=10)
    assert (old.status_code, old.headers["FDX-InteractionId"]) == (200, sent)


def test_only_the_shared_accounts_exist(sandbox: SandboxProcess, ids: dict[str, str]) -> None:
    token = str(sandbox.authorize("maya", accounts=[ids["card"]])["access_token"])
    assert [a["accountId"] for a in sandbox.get("/fdx/v6/accounts", token).json()["accounts"]] == [ids["card"]]
    for path in (ids["checking"], f"{ids['checking']}/transactions", sandbox.account_ids("alex")["euro"], "nothing"):
        answer = sandbox.get(f"/fdx/v6/accounts/{path}", token)
        assert (answer.status_code, answer.json()["code"]) == (404, "701")
    answer = sandbox.get("/fdx/v6/accounts", token, accountIds=f"{ids['card']},{ids['checking']}")
    assert answer.json()["code"] == "701"


@pytest.mark.parametrize(("version", "status"), [(4, 401), (5, 401), (6, 403)])
def test_what_the_scope_leaves_out_answers_602(
    sandbox: SandboxProcess, ids: dict[str, str], version: int, status: int
) -> None:
    token = str(sandbox.authorize("maya", scope="fdx:accountbasic:read")["access_token"])
    base = f"/fdx/v{version}"
    assert sandbox.get(f"{base}/accounts", token).status_code == 200
    for path in (f"accounts/{ids['card']}", f"accounts/{ids['card']}/transactions", "accounts?resultType=details"):
        answer = sandbox.get(f"{base}/{path}", token)
        assert (answer.status_code, answer.json()["code"]) == (status, "602")


def test_who_the_customer_is_needs_its_own_scope(sandbox: SandboxProcess, token: str) -> None:
    assert sandbox.get("/fdx/v6/customers/current", token).json()["code"] == "602"
    named = str(sandbox.authorize("maya", scope="fdx:customerpersonal:read")["access_token"])
    assert sandbox.get("/fdx/v6/customers/current", named).json()["name"] == {"first": "Maya", "last": "Okafor"}


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer nonsense", "Basic bWF5YTpzYW5kYm94"])
def test_no_good_token_answers_603(sandbox: SandboxProcess, value: str) -> None:
    headers = {"Authorization": value, "x-fapi-interaction-id": str(uuid.uuid4())}
    answer = requests.get(f"{sandbox.url}/fdx/v6/accounts", headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (401, "603")


def test_unknown_paths_and_methods(sandbox: SandboxProcess, token: str) -> None:
    assert sandbox.get("/fdx/v7/accounts", token).json()["code"] == "1106"
    assert sandbox.get("/fdx/v6/statements", token).status_code == 404
    headers = {"Authorization": f"Bearer {token}", "x-fapi-interaction-id": str(uuid.uuid4())}
    answer = requests.post(f"{sandbox.url}/fdx/v6/accounts", headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (405, "1206")


def test_a_consent_is_shown_revoked_and_stays_revoked(sandbox: SandboxProcess, ids: dict[str, str]) -> None:
    tokens = sandbox.authorize("maya", accounts=[ids["card"]])
    path = f"/fdx/v6/consents/{tokens['fdxConsentId']}"
    access = str(tokens["access_token"])
    consent = sandbox.get(path, access).json()
    assert (consent["status"], consent["durationType"]) == ("ACTIVE", "TIME_BOUND")
    assert consent["expirationTime"].startswith("2027-03-15")
    assert [resource["resourceId"] for resource in consent["resources"]] == [ids["card"]]
    other = str(sandbox.authorize("alex")["access_token"])
    assert sandbox.get(path, other).status_code == 404

    def put(body: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {access}", "x-fapi-interaction-id": str(uuid.uuid4())}
        return requests.put(f"{sandbox.url}{path}/revocation", json=body, headers=headers, timeout=10)

    assert put({"reason": "BOREDOM", "initiator": "INDIVIDUAL"}).status_code == 400
    assert put([]).status_code == 400
    assert put({"reason": "USER_ACTION", "initiator": "INDIVIDUAL"}).status_code == 204
    assert put({"reason": "USER_ACTION", "initiator": "INDIVIDUAL"}).status_code == 409
    assert sandbox.get(path, access).json()["status"] == "REVOKED"
    [revocation] = sandbox.get(f"{path}/revocation", access).json()["revocations"]
    assert (revocation["reason"], revocation["initiator"]) == ("USER_ACTION", "INDIVIDUAL")
    assert sandbox.get("/fdx/v6/accounts", access).json()["code"] == "602"
    refused = sandbox.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_grant")


def test_a_pending_item_posts_when_the_day_moves_on(sandbox: SandboxProcess, ids: dict[str, str]) -> None:
    path = f"/fdx/v6/accounts/{ids['card']}/transactions"
    query = {"startDate": "2026-03-10", "endDate": "2026-03-15", "limit": 500}
    before = sandbox.get(path, str(sandbox.authorize("maya")["access_token"]), **query).json()["transactions"]
    sandbox.forward(days=5)
    after = sandbox.get(path, str(sandbox.authorize("maya")["access_token"]), **query).json()["transactions"]
    pending = {row["transactionId"] for row in before if row["status"] == "PENDING"}
    assert pending
    assert not pending & {row["transactionId"] for row in after}
    assert {row["status"] for row in after} == {"POSTED"}
    assert 0 < len(pending & {row.get("referenceTransactionId") for row in after}) < len(pending)


def test_a_bulk_customer_pages_through(sandbox: SandboxProcess) -> None:
    token = str(sandbox.authorize("bulk-1000")["access_token"])
    [account] = sandbox.get("/fdx/v6/accounts", token).json()["accounts"]
    found = pages(sandbox, f"/fdx/v6/accounts/{account['accountId']}/transactions", token, limit=400, **WIDE)
    assert [len(page["transactions"]) for page in found] == [400, 400, 200]


@pytest.mark.parametrize("login", ["alex", "jordan", "maya", "rivera"])
def test_what_is_available_is_what_pending_debits_leave(sandbox: SandboxProcess, login: str) -> None:
    token = str(sandbox.authorize(login)["access_token"])
    pending = 0
    for account in sandbox.get("/fdx/v6/accounts", token, resultType="details").json()["accounts"]:
        path = f"/fdx/v6/accounts/{account['accountId']}/transactions"
        rows = sandbox.get(path, token).json()["transactions"]
        held = sum(Decimal(str(row["amount"])) for row in rows if row["status"] == "PENDING")
        assert all(row["debitCreditMemo"] == "DEBIT" for row in rows if row["status"] == "PENDING")
        pending += held > 0
        figures = {name: Decimal(str(value)) for name, value in account.items() if isinstance(value, float)}
        if account["accountCategory"] == "DEPOSIT_ACCOUNT":
            assert figures["availableBalance"] == figures["currentBalance"] - held
        elif account["accountCategory"] == "LOC_ACCOUNT":
            assert figures["availableCredit"] == figures["creditLine"] - figures["currentBalance"] - held
    assert pending


def test_a_euro_account_counts_in_euros(sandbox: SandboxProcess) -> None:
    token = str(sandbox.authorize("alex")["access_token"])
    accounts = sandbox.get("/fdx/v6/accounts", token).json()["accounts"]
    assert [a["nickname"] for a in accounts if a["currency"]["currencyCode"] == "EUR"] == ["Euro Account"]
