"""Cards, disputes, purchases made now, and planted frauds, over HTTP."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from support.sandbox import SCOPE, SandboxProcess

ACTING = f"{SCOPE} tellerline:cards:write tellerline:disputes:write"


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    """A bank of this module's own: what is locked, bought and disputed stays."""
    with SandboxProcess() as process:
        yield process


class Client:
    """One customer's token, and what it can be used for."""

    def __init__(self, bank: SandboxProcess, login: str = "maya", scope: str = ACTING, **how: Any) -> None:
        self.bank = bank
        self.token = str(bank.authorize(login, scope=scope, **how)["access_token"])

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        given = {"Authorization": f"Bearer {self.token}", "x-fapi-interaction-id": str(uuid.uuid4()), **headers}
        return requests.request(method, f"{self.bank.url}/fdx/v6{path}", json=body, headers=given, timeout=10)

    def card(self, kind: str = "CREDIT") -> dict[str, Any]:
        cards = self.call("GET", "/cards").json()["cards"]
        return next(card for card in cards if card["cardType"] == kind)

    def set(self, card: dict[str, Any], status: str, **more: str) -> requests.Response:
        return self.call("PUT", f"/cards/{card['cardId']}/status", {"cardStatus": status, **more})

    def purchase(self) -> dict[str, Any]:
        """The claim of her latest posted card purchase."""
        account = self.card()["accountId"]
        query = "?startTime=2026-02-01&endTime=2026-03-15"
        rows = self.call("GET", f"/accounts/{account}/transactions{query}").json()["transactions"]
        row = next(row for row in rows if row["status"] == "POSTED" and row["debitCreditMemo"] == "DEBIT")
        return {"accountId": account, "transactionId": row["transactionId"], "reason": "NOT_AUTHORIZED"}

    def file(self, claim: dict[str, Any], key: str) -> requests.Response:
        return self.call("POST", "/disputes", claim, **{"Idempotency-Key": key})


@pytest.fixture
def maya(sandbox: SandboxProcess) -> Client:
    return Client(sandbox)


def key() -> str:
    return uuid.uuid4().hex


def test_each_checking_and_credit_account_has_a_card(maya: Client) -> None:
    cards = maya.call("GET", "/cards").json()["cards"]
    assert [(card["cardType"], card["productName"]) for card in cards] == [
        ("DEBIT", "Everyday Checking Debit Card"),
        ("CREDIT", "Cash Rewards Visa"),
    ]
    assert cards[1]["cardNumberDisplay"] == "3391"
    assert all(card["cardStatus"] == "ACTIVE" for card in cards)


def test_locking_twice_is_locking_once(maya: Client) -> None:
    card = maya.card()
    first = maya.set(card, "LOCKED", statusReason="LOST").json()
    maya.bank.forward(seconds=60)
    assert maya.set(card, "LOCKED").json() == first
    assert first["statusReason"] == "LOST"
    assert maya.set(card, "ACTIVE").json()["cardStatus"] == "ACTIVE"


def test_a_locked_card_declines_purchases_and_takes_refunds(maya: Client) -> None:
    charge = {"login": "maya", "account": "card", "cents": 4_200, "descriptor": "TEST SHOP"}
    card = maya.card()
    maya.set(card, "LOCKED")
    with pytest.raises(requests.HTTPError, match="402"):
        maya.bank.admin("POST", "purchases", charge)
    assert maya.bank.admin("POST", "purchases", {**charge, "cents": -4_200}).json()["approved"]
    maya.set(card, "ACTIVE")
    assert maya.bank.admin("POST", "purchases", charge).json()["approved"]


def test_a_purchase_made_now_is_pending_at_once_and_owed(maya: Client) -> None:
    account = maya.card()["accountId"]
    before = maya.call("GET", f"/accounts/{account}").json()["availableCredit"]
    maya.bank.admin("POST", "purchases", {"login": "maya", "account": "card", "cents": 1_234, "descriptor": "SEEN NOW"})
    rows = maya.call("GET", f"/accounts/{account}/transactions").json()["transactions"]
    [mine] = [row for row in rows if row["description"] == "SEEN NOW"]
    assert (mine["status"], mine["amount"]) == ("PENDING", 12.34)
    assert round(before - maya.call("GET", f"/accounts/{account}").json()["availableCredit"], 2) == 12.34


@pytest.mark.parametrize(
    "wrong",
    [{"login": "nobody"}, {"account": "none"}, {"cents": 0}, {"cents": 1.5}, {"descriptor": " "}, {"lag": -1}],
)
def test_a_purchase_that_makes_no_sense_is_refused(sandbox: SandboxProcess, wrong: dict[str, Any]) -> None:
    charge = {"login": "maya", "account": "card", "cents": 100, "descriptor": "SHOP", **wrong}
    with pytest.raises(requests.HTTPError, match="400"):
        sandbox.admin("POST", "purchases", charge)


@pytest.mark.parametrize("body", [{}, {"cardStatus": "FROZEN"}, {"cardStatus": "LOCKED", "statusReason": "BORED"}])
def test_a_status_that_is_none_changes_nothing(maya: Client, body: dict[str, str]) -> None:
    card = maya.card("DEBIT")
    assert maya.call("PUT", f"/cards/{card['cardId']}/status", body).status_code == 400
    assert maya.card("DEBIT")["cardStatus"] == "ACTIVE"


def test_nobody_elses_card_or_dispute_can_be_touched(maya: Client, sandbox: SandboxProcess) -> None:
    other = Client(sandbox, "rivera")
    dispute = maya.file(maya.purchase(), key()).json()
    assert other.set(maya.card(), "LOCKED").status_code == 404
    assert other.call("GET", f"/disputes/{dispute['disputeId']}").status_code == 404
    assert other.call("PUT", f"/disputes/{dispute['disputeId']}/withdrawal").status_code == 404
    assert other.call("GET", "/disputes").json() == {"disputes": []}
    maya.call("PUT", f"/disputes/{dispute['disputeId']}/withdrawal")


def test_reading_does_not_allow_acting(sandbox: SandboxProcess) -> None:
    reader = Client(sandbox, scope=SCOPE)
    assert reader.call("GET", "/cards").json()["code"] == "602"
    assert reader.file({}, key()).json()["code"] == "602"


def test_an_account_that_is_not_shared_has_no_card(sandbox: SandboxProcess) -> None:
    ids = sandbox.account_ids("maya")
    partly = Client(sandbox, accounts=[ids["checking"]])
    assert [card["cardType"] for card in partly.call("GET", "/cards").json()["cards"]] == ["DEBIT"]


def test_a_dispute_is_filed_once_however_often_it_is_sent(maya: Client) -> None:
    claim, same = maya.purchase(), key()
    first = maya.file(claim, same)
    assert first.status_code == 201
    assert maya.file(claim, same).json() == first.json()
    assert maya.file({**claim, "reason": "DUPLICATE"}, same).status_code == 422
    assert maya.file(claim, key()).status_code == 409
    filed = [one for one in maya.call("GET", "/disputes").json()["disputes"] if one["disputeStatus"] == "RECEIVED"]
    assert [one["disputeId"] for one in filed] == [first.json()["disputeId"]]
    maya.call("PUT", f"/disputes/{first.json()['disputeId']}/withdrawal")


def test_forty_at_once_are_one(maya: Client) -> None:
    claim, same = maya.purchase(), key()
    answers: list[str] = []
    threads = [
        threading.Thread(target=lambda: answers.append(maya.file(claim, same).json()["disputeId"])) for _ in range(40)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 40
    assert len(set(answers)) == 1
    maya.call("PUT", f"/disputes/{answers[0]}/withdrawal")


def test_a_dispute_goes_its_way(sandbox: SandboxProcess) -> None:
    client = Client(sandbox, "rivera")
    filed = client.file(client.purchase(), key()).json()
    path = f"/disputes/{filed['disputeId']}"
    assert filed["disputeStatus"] == "RECEIVED"
    assert filed["resolveByDate"] == "2026-06-13"
    sandbox.forward(days=2)
    again = Client(sandbox, "rivera")
    assert again.call("GET", path).json()["disputeStatus"] == "IN_REVIEW"
    sandbox.forward(days=12)
    later = Client(sandbox, "rivera")
    decided = later.call("GET", path).json()
    assert (decided["disputeStatus"], decided["outcome"]) == ("RESOLVED", "CREDITED")
    assert later.call("PUT", f"{path}/withdrawal").status_code == 409


def test_withdrawn_it_can_be_disputed_again(maya: Client) -> None:
    claim = maya.purchase()
    first = maya.file(claim, key()).json()
    path = f"/disputes/{first['disputeId']}/withdrawal"
    assert maya.call("PUT", path).json()["disputeStatus"] == "WITHDRAWN"
    assert maya.call("PUT", path).json()["disputeStatus"] == "WITHDRAWN"
    second = maya.file(claim, key())
    assert second.status_code == 201
    maya.call("PUT", f"/disputes/{second.json()['disputeId']}/withdrawal")


def test_a_dispute_without_a_sound_request_is_refused(maya: Client) -> None:
    claim = maya.purchase()
    assert maya.call("POST", "/disputes", claim).status_code == 400
    assert maya.file({**claim, "reason": "RUDE"}, key()).status_code == 400
    assert maya.file({**claim, "transactionId": "none"}, key()).status_code == 404
    assert maya.file({**claim, "accountId": "none"}, key()).json()["code"] == "701"


def test_locks_and_disputes_outlive_a_restart(tmp_path: Path) -> None:
    first = SandboxProcess(state=tmp_path / "bank.sqlite")
    with first:
        client = Client(first)
        client.set(client.card(), "LOCKED")
        dispute = client.file(client.purchase(), key()).json()["disputeId"]
    with SandboxProcess(state=tmp_path / "bank.sqlite", port=first.port) as second:
        client.bank = second
        assert client.card()["cardStatus"] == "LOCKED"
        assert [one["disputeId"] for one in client.call("GET", "/disputes").json()["disputes"]] == [dispute]


@pytest.mark.parametrize("login", ["maya", "jordan", "rivera", "alex"])
def test_a_planted_customer_lives_the_same_days_and_is_defrauded_besides(sandbox: SandboxProcess, login: str) -> None:
    plain = sandbox.admin("GET", f"truths/{login}").json()["truths"]
    planted = sandbox.admin("GET", f"truths/{login}-planted").json()["truths"]
    kinds = Counter(one["kind"] for one in planted)
    assert kinds["fraud"] >= 15
    assert {"duplicate", "refund"} <= kinds.keys() if login != "jordan" else "duplicate" in kinds
    days = [(one["kind"], one["day"]) for one in planted if one["kind"] != "fraud"]
    assert days == [(one["kind"], one["day"]) for one in plain]
