"""Notifications: subscribed to, pushed once, signed, and pushed again until they are taken."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from joserfc import jws
from joserfc.errors import BadSignatureError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from support.sandbox import SandboxProcess


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    """A bank of this module's own: what is locked, bought and disputed stays."""
    with SandboxProcess() as process:
        yield process


class Subscriber:
    """Takes pushes; answers with the statuses in ``answers`` first, then 204."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = outer.answers.pop(0) if outer.answers else 204
                if status < 300:
                    outer.taken.append(({k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/notices"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.taken]


@pytest.fixture
def subscriber() -> Iterator[Subscriber]:
    taking = Subscriber()
    yield taking
    taking.server.shutdown()
    taking.server.server_close()


class Client:
    def __init__(self, bank: SandboxProcess, login: str) -> None:
        self.bank = bank
        self.tokens = bank.authorize(login)

    def call(self, method: str, path: str, body: Any = None) -> requests.Response:
        headers = {
            "Authorization": f"Bearer {self.tokens['access_token']}",
            "x-fapi-interaction-id": str(uuid.uuid4()),
        }
        return requests.request(method, f"{self.bank.url}/fdx/v6{path}", json=body, headers=headers, timeout=10)

    def subscribe(self, url: str, kind: tuple[str, str] = ("CUSTOM", "NEW_DATA"), **wrong: Any) -> requests.Response:
        body = {
            "type": kind[0],
            "category": kind[1],
            "callbackUrl": url,
            "subscriber": {"name": "Tellerline", "type": "DATA_RECIPIENT"},
            "subscriptionId": str(uuid.uuid4()),
            **wrong,
        }
        return self.call("POST", "/notification-subscriptions", body)


@pytest.fixture
def alex(sandbox: SandboxProcess) -> Iterator[Client]:
    client = Client(sandbox, "alex")
    yield client
    sandbox.clear()


def buy(bank: SandboxProcess, login: str = "alex", descriptor: str = "SHOP") -> None:
    bank.admin("POST", "purchases", {"login": login, "account": "card", "cents": 999, "descriptor": descriptor})


def until(met: Callable[[], bool], seconds: float = 8) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if met():
            return True
        time.sleep(0.05)
    return False


def test_a_purchase_is_told_of_once_and_names_the_account_only(
    sandbox: SandboxProcess, alex: Client, subscriber: Subscriber
) -> None:
    made = alex.subscribe(subscriber.url)
    assert made.status_code == 201
    buy(sandbox, descriptor="SECRET SHOP")
    assert until(lambda: len(subscriber.taken) == 1)
    time.sleep(1)
    [notice] = subscriber.bodies()
    assert (notice["type"], notice["category"]) == ("CUSTOM", "NEW_DATA")
    payload = notice["notificationPayload"]
    assert (payload["idType"], payload["id"]) == ("ACCOUNT", sandbox.account_ids("alex")["card"])
    assert payload["customFields"] == [{"name": "subscriptionId", "value": made.json()["subscriptionId"]}]
    assert "SECRET" not in json.dumps(notice)
    assert alex.call("GET", "/notifications").json()["notifications"] == [notice]


def test_time_brings_news_too(sandbox: SandboxProcess, alex: Client, subscriber: Subscriber) -> None:
    alex.subscribe(subscriber.url)
    sandbox.forward(days=2)
    assert until(lambda: bool(subscriber.taken))
    assert {one["notificationPayload"]["idType"] for one in subscriber.bodies()} == {"ACCOUNT"}


def test_what_is_pushed_can_be_verified_with_the_banks_keys(
    sandbox: SandboxProcess, alex: Client, subscriber: Subscriber
) -> None:
    alex.subscribe(subscriber.url)
    buy(sandbox)
    assert until(lambda: bool(subscriber.taken))
    headers, body = subscriber.taken[0]
    keys = KeySet.import_key_set(requests.get(f"{sandbox.url}/.well-known/jwks.json", timeout=5).json())
    header, _, signature = headers["x-jws-signature"].split(".")
    detached = f"{header}..{signature}".encode()
    lenient = JWSRegistry(algorithms=["ES256"], strict_check_header=False)  # iat is no header of RFC 7515's own
    verified = jws.deserialize_compact(detached, keys, payload=body, registry=lenient)
    assert abs(verified.headers()["iat"] - 1773590400) < 10
    with pytest.raises(BadSignatureError):
        jws.deserialize_compact(detached, keys, payload=body + b" ", registry=lenient)


def test_a_subscriber_that_refuses_is_asked_again(
    sandbox: SandboxProcess, alex: Client, subscriber: Subscriber
) -> None:
    subscriber.answers = [500, 302, 503]
    alex.subscribe(subscriber.url)
    buy(sandbox)
    assert until(lambda: len(subscriber.taken) == 1, 12)
    assert subscriber.answers == []


def test_ended_subscriptions_are_silent(sandbox: SandboxProcess, alex: Client, subscriber: Subscriber) -> None:
    made = alex.subscribe(subscriber.url).json()["subscriptionId"]
    assert alex.call("GET", f"/notification-subscriptions/{made}").json()["callbackUrl"] == subscriber.url
    stranger = Client(sandbox, "rivera")
    assert stranger.call("DELETE", f"/notification-subscriptions/{made}").status_code == 404
    assert alex.call("DELETE", f"/notification-subscriptions/{made}").status_code == 204
    buy(sandbox)
    time.sleep(1.2)
    assert subscriber.taken == []


def test_a_revoked_consent_is_told_of_once_and_brings_no_more_news(
    sandbox: SandboxProcess, alex: Client, subscriber: Subscriber
) -> None:
    alex.subscribe(subscriber.url)
    alex.subscribe(subscriber.url, ("CONSENT_REVOKED", "CONSENT"))
    consent = alex.tokens["consent_id"]
    revoked = alex.call("PUT", f"/consents/{consent}/revocation", {"reason": "USER_ACTION", "initiator": "INDIVIDUAL"})
    assert revoked.status_code == 204
    buy(sandbox)
    assert until(lambda: bool(subscriber.taken))
    time.sleep(1.2)
    [notice] = subscriber.bodies()
    assert (notice["type"], notice["notificationPayload"]["id"]) == ("CONSENT_REVOKED", consent)
    assert notice["notificationPayload"]["event"]["status"] == "REVOKED"


@pytest.mark.parametrize(
    "wrong",
    [
        {"callbackUrl": "https://elsewhere.example/x"},
        {"callbackUrl": ""},
        {"subscriptionId": "x" * 65},
        {"type": "RISK"},
        {"subscriber": None},
    ],
)
def test_a_wrong_subscription_is_refused(alex: Client, subscriber: Subscriber, wrong: dict[str, Any]) -> None:
    assert alex.subscribe(subscriber.url, **wrong).json()["code"] == "401"
