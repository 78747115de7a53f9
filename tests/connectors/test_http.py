from __future__ import annotations

import gzip
import logging
import ssl
import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from support.bank_server import Asked, BankServer, Said

from assistant.banking.errors import BankUnavailable, RateLimited
from assistant.connectors import http
from assistant.connectors.http import Answer, BankHttp, retry_after
from assistant.connectors.profiles import BankProfile


class Clock:
    """A monotonic clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def monotonic(self) -> float:
        return self.now


def get(client: BankHttp, url: str, seconds: float = 8.0) -> Answer:
    return client.get(url, params={}, headers=dict, deadline=client.deadline(seconds), operation="test")


def scripted(*answers: Said) -> Callable[[Asked], Said]:
    left = list(answers)
    return lambda asked: left.pop(0) if len(left) > 1 else left[0]


def test_transient_answers_are_asked_again(serve: Any) -> None:
    bank = serve(scripted(Said(status=503), Said(status=502), Said({"fine": 1})))
    clock = Clock()
    assert get(BankHttp(bank.profile(), sleep=clock.sleep, monotonic=clock.monotonic), bank.url).status == 200
    assert len(bank.asked) == 3
    assert len(clock.slept) == 2
    assert all(pause <= http.FIRST_PAUSE * 2 for pause in clock.slept)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500])
def test_the_banks_word_is_taken_at_once(serve: Any, status: int) -> None:
    bank = serve(scripted(Said(status=status)))
    assert get(BankHttp(bank.profile()), bank.url).status == status
    assert len(bank.asked) == 1


def test_post_is_sent_once_whatever_comes_back(serve: Any) -> None:
    bank = serve(scripted(Said(status=503)))
    client = BankHttp(bank.profile())
    answer = client.send("POST", bank.url, headers={}, form={"a": "b"}, deadline=client.deadline(8), operation="test")
    assert (answer.status, len(bank.asked)) == (503, 1)


def test_retry_after_is_waited_for_when_there_is_time(serve: Any) -> None:
    bank = serve(scripted(Said(status=429, headers={"Retry-After": "3"}), Said({})))
    clock = Clock()
    assert get(BankHttp(bank.profile(), sleep=clock.sleep, monotonic=clock.monotonic), bank.url).status == 200
    assert clock.slept == [3.0]


def test_retry_after_beyond_the_deadline_is_told_not_waited_for(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLERLINE_CLOCK", "2026-03-15T12:00:00Z")
    bank = serve(scripted(Said(status=429, headers={"Retry-After": "60"})))
    clock = Clock()
    with pytest.raises(RateLimited) as caught:
        get(BankHttp(bank.profile(), sleep=clock.sleep, monotonic=clock.monotonic), bank.url)
    assert caught.value.retry_at == datetime(2026, 3, 15, 12, 1, tzinfo=timezone.utc)
    assert clock.slept == []


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("0", 0.0), ("120", 120.0), ("Sun, 15 Mar 2026 12:00:30 GMT", 30.0), ("Sun, 15 Mar 2020 12:00:30 GMT", 0.0),
     ("", None), ("soon", None), ("-5", None), ("²", None)],
)  # fmt: skip
def test_retry_after(monkeypatch: pytest.MonkeyPatch, value: str, seconds: float | None) -> None:
    monkeypatch.setenv("TELLERLINE_CLOCK", "2026-03-15T12:00:00Z")
    assert retry_after({"Retry-After": value}) == seconds


def test_a_connection_cut_in_the_body_is_no_answer(serve: Any) -> None:
    bank = serve(scripted(Said(raw=b'{"accounts": []}', length=500)))
    clock = Clock()
    with pytest.raises(BankUnavailable):
        get(BankHttp(bank.profile(), sleep=clock.sleep, monotonic=clock.monotonic), bank.url)
    assert len(bank.asked) == http.ATTEMPTS


def test_a_drip_of_bytes_ends_at_the_deadline(serve: Any) -> None:
    bank = serve(scripted(Said(raw=b" " * 10_000, drip=0.05)))
    with pytest.raises(BankUnavailable) as caught:
        get(BankHttp(bank.profile()), bank.url, seconds=0.4)
    assert caught.value.slow


def test_a_drip_of_headers_ends_at_the_deadline(serve: Any) -> None:
    bank = serve(scripted(Said(drip_headers=0.05)))
    with pytest.raises(BankUnavailable) as caught:
        get(BankHttp(bank.profile()), bank.url, seconds=0.4)
    assert caught.value.slow


def test_a_bank_that_never_answers_is_slow_not_down(serve: Any) -> None:
    release = threading.Event()

    def answer(asked: Asked) -> Said:
        release.wait(5)
        return Said({})

    bank = serve(answer)
    with pytest.raises(BankUnavailable) as caught:
        get(BankHttp(bank.profile()), bank.url, seconds=0.3)
    release.set()
    assert (caught.value.slow, caught.value.code) == (True, "timeout")


def test_an_endless_answer_is_refused_and_not_asked_for_again(serve: Any) -> None:
    bank = serve(scripted(Said(raw=b"x" * 200_000)))
    with pytest.raises(BankUnavailable) as caught:
        get(BankHttp(bank.profile(max_body_bytes=100_000)), bank.url)
    assert caught.value.code == "too_large"
    assert len(bank.asked) == 1


def test_a_compressed_bomb_is_measured_unpacked(serve: Any) -> None:
    bank = serve(scripted(Said(raw=gzip.compress(b"0" * 5_000_000), headers={"Content-Encoding": "gzip"})))
    with pytest.raises(BankUnavailable):
        get(BankHttp(bank.profile(max_body_bytes=1_000_000)), bank.url)
    assert get(BankHttp(bank.profile()), bank.url).body == b"0" * 5_000_000


def test_redirects_are_not_followed(serve: Any) -> None:
    other = serve(scripted(Said({})))
    bank = serve(lambda asked: Said(status=302, headers={"Location": other.url}))
    with pytest.raises(BankUnavailable):
        get(BankHttp(bank.profile(hosts=(bank.host, other.host))), bank.url)
    assert other.asked == []


def test_a_host_outside_the_profile_is_never_asked(serve: Any) -> None:
    other = serve(scripted(Said({})))
    bank = serve(scripted(Said({})))
    for url in (other.url, "https://elsewhere.example/", f"http://user@{bank.host}/", "http://192.0.2.1/"):
        with pytest.raises(BankUnavailable) as caught:
            get(BankHttp(bank.profile()), url)
        assert caught.value.code == "egress_refused"
    assert other.asked == bank.asked == []


def test_cookies_of_one_customer_do_not_reach_another(serve: Any) -> None:
    bank = serve(lambda asked: Said({}, headers={"Set-Cookie": "session=maya; Path=/"}))
    client = BankHttp(bank.profile())
    get(client, bank.url)
    get(client, bank.url)
    assert "cookie" not in bank.asked[1].headers


def test_netrc_does_not_replace_the_bearer(serve: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    bank = serve(scripted(Said({})))
    client = BankHttp(bank.profile())
    headers = {"Authorization": "Bearer ours"}
    client.get(bank.url, params={}, headers=lambda: headers, deadline=client.deadline(8), operation="test")
    assert bank.asked[0].headers["authorization"] == "Bearer ours"


def test_the_breaker_leaves_a_dead_bank_alone(serve: Any) -> None:
    bank = serve(scripted(Said(status=503)))
    clock = Clock()
    client = BankHttp(bank.profile(), sleep=clock.sleep, monotonic=clock.monotonic)
    for _ in range(http.BREAKER_FAILURES):
        assert get(client, bank.url).status == 503
    asked = len(bank.asked)
    with pytest.raises(BankUnavailable) as caught:
        get(client, bank.url)
    assert caught.value.code == "circuit_open"
    assert len(bank.asked) == asked


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500])
def test_one_customers_trouble_does_not_open_the_breaker(serve: Any, status: int) -> None:
    bank = serve(scripted(Said(status=status)))
    clock = Clock()
    client = BankHttp(bank.profile(), sleep=clock.sleep, monotonic=clock.monotonic)
    for _ in range(http.BREAKER_FAILURES + 2):
        if status == 429:
            with pytest.raises(RateLimited):
                get(client, bank.url)
        else:
            assert get(client, bank.url).status == status


def test_a_bank_that_has_come_back_is_served_again(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "BREAKER_RESET", 0.0)
    down = [True]
    bank = serve(lambda asked: Said(status=503) if down[0] else Said({}))
    clock = Clock()
    client = BankHttp(bank.profile(), sleep=clock.sleep, monotonic=clock.monotonic)
    for _ in range(http.BREAKER_FAILURES + 3):
        get(client, bank.url)
    down[0] = False
    assert [get(client, bank.url).status for _ in range(3)] == [200] * 3


def test_customers_are_served_side_by_side(serve: Any) -> None:
    """The breaker's lock is not held during a call: both requests are inside the bank at once."""
    both = threading.Barrier(2, timeout=10)

    def answer(asked: Asked) -> Said:
        both.wait()
        return Said({})

    bank = serve(answer)
    client = BankHttp(bank.profile())
    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(get(client, bank.url).status)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(15)
    assert results == [200, 200]


def test_failures_say_nothing_of_the_customer(
    serve: Any, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    bank = serve(scripted(Said(raw=b"secret-balance", length=999)))
    clock = Clock()
    client = BankHttp(bank.profile(), sleep=clock.sleep, monotonic=clock.monotonic)
    with pytest.raises(BankUnavailable) as caught:
        client.get(
            f"{bank.url}/accounts/secret-account",
            params={"pageKey": "secret-cursor"},
            headers=lambda: {"Authorization": "Bearer secret-token"},
            deadline=client.deadline(8),
            operation="test",
        )
    assert "secret" not in str(caught.value) + repr(caught.value)
    assert "testbank" in caplog.text
    assert "secret" not in caplog.text


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """Key and certificate of a server on this machine, signed by nobody."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "bank")])
    now = datetime.now(timezone.utc)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "bank.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_tls_is_verified(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the environment says otherwise; and with a certificate that is trusted, it works."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    monkeypatch.setenv("CURL_CA_BUNDLE", "")
    with BankServer(lambda asked: Said({"fine": 1}), tls=context) as bank:
        clock = Clock()
        client = BankHttp(bank.profile(), sleep=clock.sleep, monotonic=clock.monotonic)
        with pytest.raises(BankUnavailable):
            get(client, bank.url)
        assert bank.asked == []
        monkeypatch.setattr(requests.adapters, "DEFAULT_CA_BUNDLE_PATH", str(certificate))
        assert get(BankHttp(bank.profile()), bank.url).json() == {"fine": 1}


def test_numbers_are_exact() -> None:
    assert str(Answer(200, {}, b'{"amount": 0.10}').json()["amount"]) == "0.10"
    with pytest.raises(ValueError, match="NaN"):
        Answer(200, {}, b'{"amount": NaN}').json()
    assert "secret" not in repr(Answer(200, {}, b"secret"))


def test_plain_http_is_for_this_machine_only() -> None:
    profile = BankProfile(id="b", name="B", hosts=("bank.example",))
    with pytest.raises(BankUnavailable):
        get(BankHttp(profile), "http://bank.example/")
