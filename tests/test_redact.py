"""What the redactor takes out, and what it leaves for operators."""

from __future__ import annotations

import json
import string
import uuid
from datetime import datetime, timezone
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.banking.errors import BankUnavailable
from assistant.redact import LONGEST, Redactor

REDACTOR = Redactor()

#: Words as they stand around a secret in a log line: no digits, which would make the secret another one.
AROUND = st.text(alphabet=string.ascii_letters + " .,:;()'\"[]{}=/$€\n\t-", max_size=40)
BEFORE = st.builds(
    str.__add__, AROUND, st.sampled_from(["", "", "code=", "?q=", "Bearer ", "token: ", "balance=", "$", "AA", "://"])
)
SEPARATORS = st.sampled_from(["", " ", "-", "  ", " - ", "\u00a0", "\u2011", "."])


def luhn(digits: list[int]) -> str:
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[::-1][::2]]
    total = sum(digits[::-1][1::2]) + sum(doubled)
    return "".join(map(str, digits)) + str(-total % 10)


CARDS = st.lists(st.integers(0, 9), min_size=12, max_size=18).map(luhn)


def digits_of(text: str) -> str:
    return "".join(character for character in text if character.isdecimal())


@settings(deadline=None)
@given(before=BEFORE, card=CARDS, separator=SEPARATORS, group=st.integers(1, 6), after=AROUND)
def test_no_card_number_remains_however_it_is_spaced(
    before: str, card: str, separator: str, group: int, after: str
) -> None:
    written = separator.join(card[i : i + group] for i in range(0, len(card), group))
    assert digits_of(REDACTOR.text(before + written + after)) == ""


@settings(deadline=None)
@given(before=BEFORE, account=st.text(alphabet=string.digits, min_size=8, max_size=17), after=AROUND)
def test_no_account_number_remains(before: str, account: str, after: str) -> None:
    assert digits_of(REDACTOR.text(before + account + after)) == ""


@settings(deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=300))
def test_any_text_is_redacted_without_an_error_and_once_is_enough(text: str | bytes) -> None:
    once = REDACTOR.text(text)
    assert "while redacting" not in once
    assert REDACTOR.text(once) == once


@settings(deadline=None)
@given(value=st.decimals(min_value=0, max_value=10**9, places=2), before=BEFORE)
def test_no_amount_of_money_remains(value: Decimal, before: str) -> None:
    for written in (f"${value:,}", f"{value:,} USD", f"{value} dollars", f"€{value}", f"{value} €", f"EUR {value}"):
        assert digits_of(REDACTOR.text(f"{before} {written}")) == "", written


@settings(deadline=None)
@given(
    local=st.text(alphabet=string.ascii_letters + string.digits + "._+-", min_size=1, max_size=70),
    host=st.sampled_from(["example.com", "mail.example.co.uk", "bücher.example"]),
)
def test_no_email_address_remains(local: str, host: str) -> None:
    assert local + "@" not in REDACTOR.text(f"from {local}@{host} today")


@pytest.mark.parametrize(
    "phone",
    [
        "(415) 555-2671",
        "415-555-2671",
        "415.555.2671",
        "+1 415 555 2671",
        "+44 20 7946 0958",
        "555-2671",
        "+14155552671",
    ],
)
def test_no_phone_number_remains(phone: str) -> None:
    assert digits_of(REDACTOR.text(f"call me at {phone}, please")) == ""


@pytest.mark.parametrize(
    ("line", "secrets"),
    [
        ("Authorization: Bearer mF_9.B5f-4.1JqM", ["mF_9", "1JqM"]),
        ("headers {'Authorization': 'Basic czZCaGRSa3F0Mzo3Rmpm'}", ["czZCaGRS"]),
        ("token eyJhbGciOiJub25lIn0.eyJzdWIiOiJtYXlhIn0.c2ln was refused", ["eyJ", "c2ln"]),
        ('{"access_token": "kZ3pq", "refresh_token":"tGzv3", "expires_in": 900}', ["kZ3pq", "tGzv3"]),
        ("grant_type=authorization_code&code=SplxlOBe&code_verifier=dBjftJeZ", ["SplxlOBe", "dBjftJeZ"]),
        ("GET http://127.0.0.1:5005/link/callback?code=SplxlOBe&state=xyzABC HTTP/1.1", ["SplxlOBe", "xyzABC"]),
        ("GET /accounts?startTime=2026-01-01 HTTP/1.1", ["startTime"]),
        ("postgresql+psycopg2://teller:hunter2@db.example/x", ["teller", "hunter2"]),
        ("left over: Zm9vYmFyMTIzNDU2Nzg5MGFiY2RlZmdoaWprbG1ub3BxcnN0", ["Zm9v"]),
        ("paid to DE89 3704 0044 0532 0130 00", ["DE89", "0532"]),
        ("Money(amount=Decimal('12.30'), currency='USD')", ["12.30"]),
        ('{"balance": 12.3}', ["12.3"]),
    ],
)
def test_no_secret_remains(line: str, secrets: list[str]) -> None:
    redacted = REDACTOR.text(line)
    assert not [secret for secret in secrets if secret in redacted], redacted


def test_a_card_is_told_from_another_number() -> None:
    assert REDACTOR.text("4111 1111 1111 1111 and 4111 1111 1111 1112") == "[card] and [number]"


@settings(deadline=None)
@given(
    moment=st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 31), timezones=st.just(timezone.utc)),
    identity=st.uuids(),
    key=st.binary(min_size=32, max_size=32),
)
def test_times_and_ids_stay(moment: datetime, identity: uuid.UUID, key: bytes) -> None:
    line = f"at {moment.isoformat(timespec='seconds')}, {moment.date()}: call {identity}, key beef{key.hex()[4:]}"
    assert REDACTOR.text(line) == line


@pytest.mark.parametrize(
    "line",
    [
        "The action server stopped (exit status 70) after 12.5 s, 3 of 10 tries",
        "Starting Rasa server on http://127.0.0.1:5005",
        'File "/srv/tellerline/actions/base.py", line 113, in run',
        "<Sanic at 0x7f744a7eaa40> listens on 192.168.100.200:5055",
        "bank chase: 503 FDX501, retry in 0.25 s",
        "account ending in 4729",
        '"POST /oauth/token HTTP/1.1" 200 311',
    ],
)
def test_what_operators_read_stays(line: str) -> None:
    assert REDACTOR.text(line) == line


def test_names_of_customers_are_taken_out_once_they_are_known() -> None:
    redactor = Redactor(["Maya O'Connor-Díaz"])
    assert redactor.text("maya and O'CONNOR-DÍAZ, Mayan") == "[name] and O'[name]-[name], Mayan"
    assert redactor.text("Jo said so") == "Jo said so"
    redactor.know("Jo Li")
    assert redactor.text("Jo Li, no jolly li") == "[name] [name], no jolly li"


def test_a_broken_text_is_withheld_rather_than_raised() -> None:
    class Broken(str):
        def __len__(self) -> int:
            raise RuntimeError("4111111111111111")

    assert REDACTOR.text(Broken("4111111111111111")) == "[withheld: RuntimeError while redacting]"


def test_a_long_text_is_cut_between_words() -> None:
    number = "4" * 20
    redacted = REDACTOR.text("x " * (LONGEST // 2 - 5) + number)
    assert redacted.endswith("[cut]")
    assert "4" not in redacted


@pytest.mark.timeout(20)
def test_a_hostile_text_costs_no_more_than_its_length() -> None:
    """A pattern that backtracks over these takes minutes."""
    parts = [
        "1,",
        "1 ",
        "1-",
        "(1",
        "1.2",
        "a.",
        "e.@",
        "a",
        "a1B-",
        "AB12",
        "$",
        "$ ",
        "?a=",
        "://",
        "token ",
        "eyJ",
        '"',
    ]
    for part in [*parts, "basic a", "bearer  ", "Authorization:  ", "2026-11-22 "]:
        REDACTOR.text(part * (LONGEST // len(part)))


def test_an_error_keeps_its_stack_and_loses_what_it_quotes() -> None:
    said = "I paid Bob"

    def read(text: str) -> None:
        try:
            json.loads(text)
        except ValueError as error:
            raise BankUnavailable("bank chase answered 503 for card 4111111111111111") from error

    try:
        read(said)
    except BankUnavailable as error:
        told = REDACTOR.error(error)
    assert told.index("json.decoder.JSONDecodeError: [withheld]") < told.index("which led to")
    assert "assistant.banking.errors.BankUnavailable: bank chase answered 503 for card [card]" in told
    assert "in read" in told
    assert said not in told


def test_an_error_in_a_circle_ends() -> None:
    one, two = KeyError("rent"), TypeError("int() argument must be a string")
    one.__cause__, two.__cause__ = two, one
    assert REDACTOR.error(one) == "TypeError: int() argument must be a string\n\nwhich led to:\n\nKeyError: [withheld]"
