"""Dialogflow CX, as a webhook sees it: its ID tokens signed by a key of the tests' own, and its requests."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import requests
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from support.channel_contract import Driver

from assistant.channels.dialogflow import Dialogflow
from assistant.channels.google_proof import IdTokens

AGENT = "projects/p/locations/global/agents/a"
AUDIENCE = "https://bank.example/webhooks/dialogflow/webhook"
ACCOUNT = "service-1@gcp-sa-dialogflow.iam.gserviceaccount.com"
SECRET = "secret-of-the-agent"


class TestedDialogflow(Dialogflow):
    """With keys from a file in place of Google's. Nothing else is different."""

    @classmethod
    def from_credentials(cls, credentials: Any) -> TestedDialogflow:
        async def fetch() -> bytes:
            return Path(credentials["keys"]).read_bytes()

        return cls(credentials, IdTokens(AUDIENCE, ACCOUNT, fetch))


class DialogflowDriver(Driver):
    channel = "support.dialogflow:TestedDialogflow"
    max_body = 256 * 1024

    def __init__(self, folder: Path) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})
        keys = folder / "keys.json"
        keys.write_text(json.dumps(KeySet([self.key]).as_dict(private=False)))
        self.credentials: dict[str, object] = {"agent": AGENT, "secret": SECRET, "keys": str(keys)}
        self._told: dict[str, list[str]] = {}
        self._seen: set[str] = set()

    def token(self, key: RSAKey | None = None, **claims: Any) -> str:
        now = int(time.time())
        whole = {
            "iss": "https://accounts.google.com",
            "aud": AUDIENCE,
            "email": ACCOUNT,
            "email_verified": True,
            "iat": now,
            "exp": now + 3600,
        }
        return jwt.encode({"alg": "RS256", "kid": "k1"}, {**whole, **claims}, key or self.key)

    def asked(self, person: str, event_id: str, **more: Any) -> dict[str, Any]:
        return {
            "detectIntentResponseId": event_id,
            "languageCode": "en",
            "fulfillmentInfo": {"tag": "tellerline"},
            "sessionInfo": {"session": f"{AGENT}/sessions/{person}", "parameters": more.pop("parameters", {})},
            "payload": {"telephony": {"caller_id": "+15550100"}},
            **more,
        }

    def deliver(self, body: bytes, token: str | None = None, secret: str = SECRET) -> requests.Response:
        headers = {"X-Tellerline-Webhook-Secret": secret}
        headers["Authorization"] = f"Bearer {self.token() if token is None else token}"
        return requests.post(self.server.webhook, data=body, headers=headers, timeout=30)

    def post(self, asked: dict[str, Any]) -> requests.Response:
        return self.deliver(json.dumps(asked).encode())

    def say(self, person: str, event_id: str, text: str) -> requests.Response:
        response = self.post(self.asked(person, event_id, text=text))
        if response.status_code == 200 and event_id not in self._seen:
            self._seen.add(event_id)
            self._told.setdefault(person, []).append(said(response))
        return response

    def forged(self, person: str, event_id: str, text: str) -> list[requests.Response]:
        body = json.dumps(self.asked(person, event_id, text=text)).encode()
        other = RSAKey.generate_key(2048, {"kid": "k1"})
        none = jwt.encode({"alg": "HS256"}, {"aud": AUDIENCE}, _shared())
        elsewhere = self.asked(person, event_id, text=text)
        elsewhere["sessionInfo"] = {"session": f"{AGENT}x/sessions/{person}"}
        return [
            requests.post(self.server.webhook, data=body, timeout=30),
            self.deliver(body, secret="wrong"),
            self.deliver(body, secret=""),
            self.deliver(body, token=""),
            self.deliver(body, token="x.y.z"),
            self.deliver(body, token=none),
            self.deliver(body, token=self.token(other)),
            self.deliver(body, token=self.token(aud="https://other.example")),
            self.deliver(body, token=self.token(iss="https://evil.example")),
            self.deliver(body, token=self.token(email="other@example.com")),
            self.deliver(body, token=self.token(email_verified=False)),
            self.deliver(body, token=self.token(exp=int(time.time()) - 120)),
            self.post(elsewhere),
        ]

    def answers(self, person: str) -> list[str]:
        return self._told.get(person, [])

    def close(self) -> None:
        pass


def _shared() -> Any:
    from joserfc.jwk import OctKey

    return OctKey.generate_key(256)


def said(response: requests.Response) -> str:
    messages = response.json()["fulfillmentResponse"]["messages"]
    return " ".join(" ".join(one["text"]["text"]) for one in messages if "text" in one)
