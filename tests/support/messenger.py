"""Messenger as the channel sees it, for the contract every channel must pass and for tests of its own."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import requests
from support.channel_contract import Driver
from support.graph import PAGE, SECRET, TOKEN, VERIFY, GraphServer

CHANNEL = "assistant.channels.messenger:Messenger"


def credentials(graph: GraphServer, **more: Any) -> dict[str, Any]:
    keys = {"verify": VERIFY, "secret": SECRET, "page-access-token": TOKEN, "graph-url": graph.url}
    return {**keys, **more}


def sign(body: bytes, secret: str = SECRET, algorithm: str = "sha256") -> str:
    return f"{algorithm}={hmac.new(secret.encode(), body, algorithm).hexdigest()}"


def delivery(*events: dict[str, Any], field: str = "messaging") -> bytes:
    return json.dumps({"object": "page", "entry": [{"id": PAGE, "time": 1, field: list(events)}]}).encode()


class MessengerDriver(Driver):
    channel = CHANNEL

    def __init__(self, **more: Any) -> None:
        self.graph = GraphServer(pause=0.05).__enter__()
        self.credentials = credentials(self.graph, **more)

    def say(self, person: str, event_id: str, text: str) -> requests.Response:
        return self.deliver(delivery(self.message(person, event_id, text=text)))

    def message(self, person: str, event_id: str, **message: Any) -> dict[str, Any]:
        return self.graph.message(person, {"mid": event_id, **message})

    def deliver(self, body: bytes) -> requests.Response:
        return self.post(body, {"X-Hub-Signature-256": sign(body)})

    def post(self, body: bytes, headers: dict[str, str]) -> requests.Response:
        self.graph.webhook = self.server.webhook
        kind = {"Content-Type": "application/json"}
        return requests.post(self.server.webhook, data=body, headers={**kind, **headers}, timeout=30)

    def forged(self, person: str, event_id: str, text: str) -> list[requests.Response]:
        body = delivery(self.message(person, event_id, text=text))
        headers = (
            {},
            {"X-Hub-Signature-256": ""},
            {"X-Hub-Signature-256": "sha256="},
            {"X-Hub-Signature-256": sign(body, "another secret")},
            {"X-Hub-Signature-256": sign(body + b" ")},
            {"X-Hub-Signature-256": sign(body)[:-1]},
            {"X-Hub-Signature-256": sign(body).upper()},
            {"X-Hub-Signature": sign(body, algorithm="sha1")},
            {"X-Hub-Signature-256": sign(body, algorithm="sha1")},
            {"X-Hub-Signature-256": sign(body, algorithm="md5")},
            {"X-Hub-Signature-256": f"nope={hashlib.sha256(body).hexdigest()}"},
            {"X-Hub-Signature-256": "sha256=\u00e9"},
        )
        return [self.post(body, {name: value.encode() for name, value in one.items()}) for one in headers]  # type: ignore[misc]

    def answers(self, person: str) -> list[str]:
        return [one.text for one in self.graph.to(person)]

    def close(self) -> None:
        self.graph.__exit__(None, None, None)
