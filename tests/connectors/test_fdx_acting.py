"""Orders to an FDX bank: against the sandbox over HTTP, faults included."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime, timezone
from typing import Any

import pytest
import requests
from connectors.test_fdx_sandbox import SandboxBench, profile_for
from cryptography.hazmat.primitives.asymmetric import ec
from support.sandbox import CLOCK, SCOPE, SandboxProcess
from support.token_store import MemoryTokenStore

from assistant.banking import clock
from assistant.banking.card import Card, CardKind, CardStatus, LockReason
from assistant.banking.connector import BankConnector, Capability
from assistant.banking.dispute import Claim, DisputeReason, DisputeStatus
from assistant.banking.errors import AccountNotFound, BankUnavailable, LinkExpired, NotSupported, RateLimited
from assistant.banking.period import Period
from assistant.connectors.fdx_notices import BadNotice, Notice, read_notice

TODAY = date.fromisoformat(CLOCK[:10])


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxProcess]:
    with SandboxProcess() as process:
        yield process


@pytest.fixture(autouse=True)
def _same_day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLERLINE_CLOCK", CLOCK)


@pytest.fixture
def bench(sandbox: SandboxProcess) -> Iterator[SandboxBench]:
    made = SandboxBench(sandbox, profile_for(sandbox, 6), "maya")
    scope = f"{SCOPE} tellerline:cards:write tellerline:disputes:write"
    made.store = MemoryTokenStore.from_answer(sandbox.authorize("maya", scope=scope))
    sandbox.calls()
    yield made
    sandbox.clear()
    for dispute in made.connector().disputes():
        made.connector().withdraw_dispute(dispute)


@pytest.fixture
def bank(bench: SandboxBench) -> BankConnector:
    return bench.connector()


def card(bank: BankConnector, kind: CardKind = CardKind.CREDIT) -> Card:
    return next(one for one in bank.cards() if one.kind is kind)


def claim(bank: BankConnector, number: int = 0) -> Claim:
    mine = card(bank)
    account = next(one for one in bank.accounts() if one.id == mine.account_id)
    rows = bank.transactions(account, Period(date(2026, 2, 1), TODAY))
    bought = [one for one in rows if one.is_outflow and not one.is_pending][number]
    return Claim(mine.bank_id, bought.account_id, bought.id, abs(bought.amount), bought.date, "Shop",
                 DisputeReason.NOT_MINE, "I never bought this", mine.id)  # fmt: skip


def key() -> str:
    return uuid.uuid4().hex[:16]


def test_cards_and_their_accounts(bank: BankConnector) -> None:
    debit, credit = bank.cards()
    assert (credit.name, credit.mask, credit.kind, credit.status) == (
        "Cash Rewards Visa", "3391", CardKind.CREDIT, CardStatus.ACTIVE,
    )  # fmt: skip
    assert {debit.account_id, credit.account_id} <= {account.id for account in bank.accounts()}
    assert {Capability.CARDS, Capability.DISPUTES, Capability.NOTIFICATIONS} <= bank.capabilities


def test_locked_and_unlocked_as_often_as_one_likes(bank: BankConnector) -> None:
    mine = card(bank)
    for status in (CardStatus.LOCKED, CardStatus.LOCKED, CardStatus.ACTIVE, CardStatus.ACTIVE):
        assert bank.set_card(mine, status, LockReason.LOST).status is status
        assert card(bank).status is status


@pytest.mark.parametrize("kind", ["unavailable", "cut"])
def test_a_stumble_of_the_bank_is_tried_again(bench: SandboxBench, bank: BankConnector, kind: str) -> None:
    mine = card(bank)
    bench.fault(kind, path="/cards/.*/status", times=1)
    assert bank.set_card(mine, CardStatus.LOCKED, LockReason.ASKED).status is CardStatus.LOCKED
    bank.set_card(mine, CardStatus.ACTIVE, LockReason.ASKED)


def test_a_bank_that_stays_down_says_so(bench: SandboxBench, bank: BankConnector) -> None:
    mine, about = card(bank), claim(bank)
    bench.fault("unavailable")
    with pytest.raises(BankUnavailable):
        bank.set_card(mine, CardStatus.LOCKED, LockReason.ASKED)
    with pytest.raises(BankUnavailable):
        bank.file_dispute(about, key())
    bench.sandbox.clear()
    bench.fault("rate_limited")
    with pytest.raises(RateLimited):
        bank.cards()


def test_an_answer_that_was_lost_files_no_second_dispute(bench: SandboxBench, bank: BankConnector) -> None:
    about, same = claim(bank), key()
    bench.fault("cut", path="/disputes$", times=1)
    filed = bank.file_dispute(about, same)
    assert bank.file_dispute(about, same) == filed
    assert [one.reference for one in bank.disputes() if one.status.is_open] == [filed.reference]
    assert (filed.amount, filed.status) == (about.amount, DisputeStatus.RECEIVED)
    assert filed.resolve_by == date(2026, 6, 13)
    assert filed.filed_at == datetime(2026, 3, 15, 16, tzinfo=timezone.utc)


def test_what_is_disputed_already_is_that_dispute(bank: BankConnector) -> None:
    about = claim(bank)
    assert bank.file_dispute(about, key()).id == bank.file_dispute(about, key()).id


def test_withdrawn_once_or_twice(bank: BankConnector) -> None:
    filed = bank.file_dispute(claim(bank, 1), key())
    assert bank.withdraw_dispute(filed).status is DisputeStatus.WITHDRAWN
    assert bank.withdraw_dispute(filed).status is DisputeStatus.WITHDRAWN


def test_a_renewed_token_carries_the_order(bench: SandboxBench, bank: BankConnector) -> None:
    mine = card(bank)
    bench.expire_tokens()
    assert bank.set_card(mine, CardStatus.LOCKED, LockReason.ASKED).status is CardStatus.LOCKED
    assert bench.refreshes() == 1
    bank.set_card(mine, CardStatus.ACTIVE, LockReason.ASKED)


def test_nobody_elses_card_and_no_transaction_without_a_name(bank: BankConnector) -> None:
    with pytest.raises(AccountNotFound):
        bank.set_card(replace(card(bank), id="sandbox:none"), CardStatus.LOCKED, LockReason.ASKED)
    with pytest.raises(NotSupported):
        bank.file_dispute(replace(claim(bank), transaction_id="made-up"), key())


def test_a_consent_without_cards_asks_to_sign_in_again(sandbox: SandboxProcess, bench: SandboxBench) -> None:
    bench.store = MemoryTokenStore.from_answer(sandbox.authorize("maya"))
    with pytest.raises(LinkExpired):
        bench.connector().cards()
    bench.store = MemoryTokenStore.from_answer(
        sandbox.authorize("maya", scope=f"{SCOPE} tellerline:cards:write tellerline:disputes:write")
    )


def test_a_bank_without_the_path_has_not_the_capability(bench: SandboxBench) -> None:
    bare = bench.connector(cards_path="", disputes_path="", subscriptions_path="")
    assert bare.capabilities == {Capability.CONSENT_MANAGEMENT}
    bench.sandbox.calls()
    for order in (bare.cards, bare.disputes, lambda: bare.subscribe("http://127.0.0.1:1/x", "s")):
        with pytest.raises(NotSupported):
            order()
    assert bench.sandbox.calls() == []


@pytest.mark.parametrize(
    "body",
    [
        {"cardId": "x"},
        {"cardId": "x", "cardType": "DEBIT", "cardStatus": "MELTED"},
        {"cardType": "DEBIT", "cardStatus": "ACTIVE"},
        {"cardId": "x", "cardType": "SHELL", "cardStatus": "ACTIVE"},
    ],
)
def test_a_card_that_makes_no_sense_is_left_out(bench: SandboxBench, body: dict[str, Any]) -> None:
    connector = bench.connector()
    assert connector._acting.read_card(body) is None  # type: ignore[attr-defined]


def test_subscribed_and_not(bank: BankConnector) -> None:
    bank.subscribe("http://127.0.0.1:9/notices", "ours-1")
    bank.subscribe("http://127.0.0.1:9/notices", "ours-1")
    bank.unsubscribe("ours-1")
    bank.unsubscribe("ours-1")


# What is pushed


class Pusher:
    """A bank's key, and what it signs."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())

    def keys(self) -> dict[str, Any]:
        numbers = self.key.public_key().public_numbers()
        return {"keys": [{"kty": "EC", "crv": "P-256", "kid": "k", "x": _b64(numbers.x), "y": _b64(numbers.y)}]}

    def sign(self, raw: bytes, **header: Any) -> str:
        from joserfc import jws
        from joserfc.jwk import ECKey

        given = {"alg": "ES256", "kid": "k", "iat": int(clock.now().timestamp()), **header}
        registry = jws.JWSRegistry(algorithms=["ES256", "HS256"], strict_check_header=False)
        whole = jws.serialize_compact(given, raw, ECKey.import_key(self.key), registry=registry)
        head, _, signature = whole.split(".")
        return f"{head}..{signature}"


def _b64(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()


PUSHED = {
    "notificationId": "n-1",
    "type": "CUSTOM",
    "category": "NEW_DATA",
    "notificationPayload": {
        "id": "acc",
        "idType": "ACCOUNT",
        "customFields": [{"name": "subscriptionId", "value": "ours-1"}],
    },
}
RAW = json.dumps(PUSHED).encode()


@pytest.fixture(scope="module")
def pusher() -> Pusher:
    return Pusher()


def test_a_proved_notice_is_read(pusher: Pusher) -> None:
    assert read_notice(RAW, pusher.sign(RAW), pusher.keys()) == Notice("n-1", "ours-1", "acc")


def test_any_byte_changed_is_refused(pusher: Pusher) -> None:
    signature = pusher.sign(RAW)
    for at in range(0, len(RAW), 7):
        spoiled = RAW[:at] + bytes([RAW[at] ^ 1]) + RAW[at + 1 :]
        with pytest.raises(BadNotice):
            read_notice(spoiled, signature, pusher.keys())


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_signature_lives_five_minutes(pusher: Pusher, seconds: int) -> None:
    stale = pusher.sign(RAW, iat=int(clock.now().timestamp()) + seconds)
    with pytest.raises(BadNotice, match="too old"):
        read_notice(RAW, stale, pusher.keys())


@pytest.mark.parametrize("header", [{"iat": "soon"}, {"iat": None}, {"kid": "other"}])
def test_a_header_without_what_is_needed_is_refused(pusher: Pusher, header: dict[str, Any]) -> None:
    with pytest.raises(BadNotice):
        read_notice(RAW, pusher.sign(RAW, **header), pusher.keys())


@pytest.mark.parametrize("signature", ["", "..", "a..b", "e30..", RAW.decode()])
def test_what_is_no_signature_is_refused(pusher: Pusher, signature: str) -> None:
    with pytest.raises(BadNotice):
        read_notice(RAW, signature, pusher.keys())


def test_another_banks_signature_is_refused(pusher: Pusher) -> None:
    with pytest.raises(BadNotice):
        read_notice(RAW, Pusher().sign(RAW), pusher.keys())


@pytest.mark.parametrize(
    "body",
    [b"[]", b"{}", b"null", b'{"notificationPayload": 3}', b'{"notificationPayload": {"customFields": [1]}}', b"\xff"],
)
def test_a_proved_body_that_makes_no_sense_is_refused(pusher: Pusher, body: bytes) -> None:
    with pytest.raises(BadNotice):
        read_notice(body, pusher.sign(body), pusher.keys())


def test_an_unsigned_algorithm_is_refused(pusher: Pusher) -> None:
    header = base64.urlsafe_b64encode(b'{"alg":"none","iat":1773590400}').rstrip(b"=").decode()
    with pytest.raises(BadNotice):
        read_notice(RAW, f"{header}..x", pusher.keys())


def test_what_the_sandbox_publishes_are_keys(sandbox: SandboxProcess) -> None:
    keys = requests.get(f"{sandbox.url}/.well-known/jwks.json", timeout=5).json()
    assert [key["alg"] for key in keys["keys"]] == ["ES256"]
