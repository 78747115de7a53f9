from __future__ import annotations

import json
from typing import Any

import pytest

from assistant.banking import errors
from assistant.connectors.errors import NoData, ServerFault, TokenRejected, bank_error, error_code
from assistant.connectors.http import Answer


def answer(status: int, code: object = None, raw: bytes | None = None) -> Answer:
    return Answer(status, {}, raw if raw is not None else json.dumps({"code": code, "message": "Maya"}).encode())


@pytest.mark.parametrize("as_number", [False, True])
@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("401", 400, errors.BankUnavailable),
        ("403", 403, errors.LinkExpired),
        ("500", 500, ServerFault),
        ("501", 500, errors.BankUnavailable),
        ("501", 405, errors.BankUnavailable),
        ("503", 503, errors.BankUnavailable),
        ("601", 404, errors.LinkExpired),
        ("602", 401, errors.LinkExpired),
        ("602", 403, errors.LinkExpired),
        ("603", 401, TokenRejected),
        ("701", 404, errors.AccountNotFound),
        ("702", 400, errors.HistoryTooOld),
        ("703", 400, errors.HistoryTooOld),
        ("704", 422, errors.NotSupported),
        ("705", 409, errors.AccountNotFound),
        ("706", 403, errors.AccountNotFound),
        ("907", 400, errors.AmountRefused),
        ("909", 503, errors.BankUnavailable),
        ("910", 400, errors.AmountRefused),
        ("911", 400, errors.AmountRefused),
        ("1106", 501, errors.NotSupported),
        ("1107", 404, NoData),
        ("1206", 405, errors.NotSupported),
        ("1207", 429, errors.RateLimited),
        ("1300", 400, errors.BankUnavailable),
    ],
)
def test_the_table(code: str, status: int, expected: type[errors.BankingError], as_number: bool) -> None:
    error = bank_error(answer(status, int(code) if as_number else code), "somebank")
    assert type(error) is expected
    assert (error.bank_id, error.code) == ("somebank", code)
    assert "Maya" not in str(error)


@pytest.mark.parametrize(
    ("status", "expected"),
    [(400, errors.BankUnavailable), (401, TokenRejected), (403, errors.LinkExpired), (404, errors.AccountNotFound),
     (429, errors.RateLimited), (500, ServerFault), (502, errors.BankUnavailable), (418, errors.BankUnavailable)],
)  # fmt: skip
@pytest.mark.parametrize("raw", [b"", b"<html>", b"[]", b"null", b'{"code": null}', b'{"code": true}', b'{"code": {}}'])
def test_without_a_code_the_status_decides(status: int, expected: type[errors.BankingError], raw: bytes) -> None:
    error = bank_error(answer(status, raw=raw), "somebank")
    assert type(error) is expected
    assert error.code == f"http_{status}"


def test_maintenance_is_told_apart() -> None:
    error = bank_error(answer(503, "503"), "somebank")
    assert isinstance(error, errors.BankUnavailable)
    assert error.maintenance


def test_a_401_as_code_means_invalid_input_unless_it_is_the_status() -> None:
    assert type(bank_error(answer(400, 401), "b")) is errors.BankUnavailable
    assert type(bank_error(answer(401, 401), "b")) is TokenRejected


@pytest.mark.parametrize(
    ("body", "code"),
    [({"code": "603-403"}, "603"), ({"code": "701-1206"}, "701"), ({"code": " 602 "}, "602"), ({"code": "E12"}, ""),
     ({"code": "٦٠٢"}, ""), ([{"code": "701"}], "701"), ({"errors": [{"code": 701}]}, "701"), ({"errors": []}, "")],
)  # fmt: skip
def test_the_leading_number_is_the_code(body: Any, code: str) -> None:
    assert error_code(Answer(400, {}, json.dumps(body).encode())) == code


def test_a_deeply_nested_body_is_just_unreadable() -> None:
    assert error_code(Answer(500, {}, b"[" * 100_000)) == ""
