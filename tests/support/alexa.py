"""Alexa, as an endpoint sees it: a certificate authority of the tests' own, a host of chains, and signed requests."""

from __future__ import annotations

import base64
import json
import secrets
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from support.channel_contract import Driver
from support.installation import MASTER_KEY, settings_in

from assistant.banking.connector import CustomerProfile
from assistant.channels.alexa import Alexa
from assistant.channels.alexa_link import ACCESS_LIFE
from assistant.channels.alexa_proof import Proof
from assistant.customers.service import Customers, open_customers

SKILL = "amzn1.ask.skill.tests"
CHAIN = "https://s3.amazonaws.com/echo.api/echo-api-cert-1.pem"


class Authority:
    """Signs chains: leaf, intermediate, and a root that the tests trust."""

    def __init__(self) -> None:
        self.root_key = ec.generate_private_key(ec.SECP256R1())
        self.between_key = ec.generate_private_key(ec.SECP256R1())
        self.key = rsa.generate_private_key(65537, 2048)
        self.root = self._certificate("Root of the tests", self.root_key.public_key(), None, None, authority=True)
        self.between = self._certificate(
            "Between", self.between_key.public_key(), self.root, self.root_key, authority=True
        )

    def chain(self, name: str = "echo-api.amazon.com", *, ended: bool = False, root: bool = False) -> bytes:
        """PEM, leaf first. ``ended``: out of date; ``root``: signed by another root that nobody trusts."""
        issuer, key = (self.between, self.between_key)
        if root:
            stranger = Authority()
            issuer, key = stranger.between, stranger.between_key
        leaf = self._certificate(name, self.key.public_key(), issuer, key, ended=ended)
        return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in (leaf, issuer))

    def sign(self, body: bytes, key: rsa.RSAPrivateKey | None = None, digest: Any = None) -> str:
        signed = (key or self.key).sign(body, padding.PKCS1v15(), digest or hashes.SHA256())
        return base64.b64encode(signed).decode()

    def _certificate(
        self,
        name: str,
        public: Any,
        issuer: x509.Certificate | None,
        key: Any,
        *,
        authority: bool = False,
        ended: bool = False,
    ) -> x509.Certificate:
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.now(timezone.utc)
        issuer_key = key or self.root_key
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.subject if issuer else subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=30))
            .not_valid_after(now - timedelta(days=1) if ended else now + timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.KeyUsage(not authority, False, False, False, False, authority, authority, False, False),
                critical=True,
            )
        )
        if not authority:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
            builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        return builder.sign(issuer_key, hashes.SHA256())


class TestedAlexa(Alexa):
    """With the tests' root, and chains from a folder in place of Amazon's. Nothing else is different."""

    @classmethod
    def from_credentials(cls, credentials: Any) -> TestedAlexa:
        folder = Path(credentials["chains"])

        async def fetch(url: str) -> bytes:
            asked = folder / "fetched"
            asked.write_text((asked.read_text() if asked.exists() else "") + url + "\n")
            found = folder / url.rpartition("/")[2]
            if not found.exists():
                raise OSError
            return found.read_bytes()

        roots = x509.load_pem_x509_certificates((folder / "root.pem").read_bytes())
        return cls(credentials, Proof(fetch, roots))


class AlexaDriver(Driver):
    """Everybody who speaks has linked her account, unless told otherwise."""

    channel = "support.alexa:TestedAlexa"
    env = {"TELLERLINE_MASTER_KEY": base64.b64encode(MASTER_KEY).decode()}  # noqa: RUF012 - see Driver
    max_body = 128 * 1024

    def __init__(self, folder: Path) -> None:
        self.authority = Authority()
        self.folder = folder
        (folder / "root.pem").write_bytes(self.authority.root.public_bytes(serialization.Encoding.PEM))
        self.put("echo-api-cert-1.pem", self.authority.chain())
        self.credentials: dict[str, object] = {
            "skill_id": SKILL,
            "chains": str(folder),
            "client_id": "alexa",
            "client_secret": "secret-of-alexa",
            "redirect_urls": ["https://pitangui.amazon.com/api/skill/link/M1"],
            "bank": "sandbox",
        }
        self._tokens: dict[str, str] = {}
        self._told: dict[str, list[str]] = {}
        self._seen: set[tuple[str, str]] = set()

    def put(self, name: str, chain: bytes) -> str:
        (self.folder / name).write_bytes(chain)
        return f"https://s3.amazonaws.com/echo.api/{name}"

    @property
    def customers(self) -> Customers:
        return open_customers(settings_in(self.server.home))

    def conversation(self, person: str) -> str:
        return self.customers.identities.conversation_id("alexa", f"link:{person}")

    def token(self, person: str) -> str:
        """An access token, as account linking gives it."""
        if person not in self._tokens:
            customers = self.customers
            with customers.storage.database.write() as session:
                customer = customers.identities.create(session, CustomerProfile("America/New_York"))
                customers.identities.bind(session, "alexa", self.conversation(person), customer)
            given = customers.tokens.issue("alexa access", "", {"p": f"link:{person}"}, ACCESS_LIFE)
            self._tokens[person] = given
        return self._tokens[person]

    def asked(self, person: str, request: dict[str, Any], **more: Any) -> dict[str, Any]:
        """A whole request. ``more``: token, new, attributes, skill, screen, api."""
        user = {"userId": f"amzn1.ask.account.{person}"}
        token = more.get("token", self.token(person))
        if token:
            user["accessToken"] = token
        application = {"applicationId": more.get("skill", SKILL)}
        interfaces = {"Alexa.Presentation.APL": {}} if more.get("screen") else {}
        now = datetime.now(timezone.utc) - more.get("age", timedelta(0))
        return {
            "version": "1.0",
            "session": {
                "new": more.get("new", False),
                "sessionId": f"SessionId.{person}",
                "application": application,
                "attributes": more.get("attributes", {}),
                "user": user,
            },
            "context": {
                "System": {
                    "application": application,
                    "user": user,
                    "device": {"deviceId": "device", "supportedInterfaces": interfaces},
                    "apiEndpoint": more.get("api", ""),
                    "apiAccessToken": "api-token",
                }
            },
            "request": {
                "requestId": f"amzn1.echo-api.request.{secrets.token_hex(8)}",
                "timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "locale": "en-US",
                **request,
            },
        }

    def post(self, asked: dict[str, Any], **headers: str) -> requests.Response:
        return self.deliver(json.dumps(asked).encode(), **headers)

    def deliver(self, body: bytes, **headers: str) -> requests.Response:
        shown = {"SignatureCertChainUrl": CHAIN, "Signature-256": self.authority.sign(body)}
        shown |= {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(self.server.webhook, data=body, headers=shown, timeout=30)

    def intent(self, person: str, name: str, slots: dict[str, str] | None = None, **more: Any) -> requests.Response:
        return self.post(self.asked(person, intent_of(name, slots or {}), **more))

    def say(self, person: str, event_id: str, text: str) -> requests.Response:
        request = {**intent_of("AnswerIntent", {"words": text}), "requestId": event_id}
        response = self.post(self.asked(person, request))
        if response.status_code == 200 and (person, event_id) not in self._seen:
            self._seen.add((person, event_id))
            self._told.setdefault(person, []).append(said(response))
        return response

    def forged(self, person: str, event_id: str, text: str) -> list[requests.Response]:
        request = {**intent_of("AnswerIntent", {"words": text}), "requestId": event_id}
        body = json.dumps(self.asked(person, request)).encode()
        stale = {"age": timedelta(seconds=200)}
        early = {"age": -timedelta(seconds=200)}
        return [
            requests.post(self.server.webhook, data=body, timeout=30),
            self.deliver(body, Signature_256=""),
            self.deliver(body, Signature_256="no base64"),
            self.deliver(body, Signature_256=base64.b64encode(b"x" * 256).decode()),
            self.deliver(body + b" ", Signature_256=self.authority.sign(body)),
            self.deliver(body, Signature_256=self.authority.sign(body, digest=hashes.SHA1())),
            self.deliver(body, Signature_256=self.authority.sign(body, rsa.generate_private_key(65537, 2048))),
            self.deliver(body, SignatureCertChainUrl=""),
            self.deliver(body, SignatureCertChainUrl="https://example.com/echo.api/echo-api-cert-1.pem"),
            self.post(self.asked(person, request, **stale)),
            self.post(self.asked(person, request, **early)),
            self.post(self.asked(person, request, skill="amzn1.ask.skill.other")),
        ]

    def answers(self, person: str) -> list[str]:
        return self._told.get(person, [])

    def close(self) -> None:
        pass


def intent_of(name: str, slots: dict[str, str]) -> dict[str, Any]:
    heard = {slot: {"name": slot, "value": value, "confirmationStatus": "NONE"} for slot, value in slots.items()}
    return {"type": "IntentRequest", "intent": {"name": name, "confirmationStatus": "NONE", "slots": heard}}


def said(response: requests.Response) -> str:
    """What the customer hears, without its markup."""
    import re
    from html import unescape

    speech = response.json()["response"].get("outputSpeech", {}).get("ssml", "")
    return unescape(re.sub(r"<[^>]+>", " ", speech)).strip()
