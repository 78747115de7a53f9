"""From a bank's FDX error to our own tree. The tables are the whole mapping; the rest only reads the answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from assistant.banking.errors import (
    AccountNotFound,
    AmountRefused,
    BankingError,
    BankUnavailable,
    HistoryTooOld,
    LinkExpired,
    NotSupported,
    RateLimited,
)
from assistant.connectors.http import Answer

Maker = Callable[[str, str, str], BankingError]


class TokenRejected(LinkExpired):
    """The bank refuses this access token: refresh it once, ask once more. Reaches a skill only as
    what it is a kind of: the link has expired."""


class NoData(BankingError):
    """The bank has nothing for these parameters (FDX 1107): an empty answer, not a failure."""


class Conflict(BankingError):
    """HTTP 409 to an order: what was asked for is so already, or can't be any more."""


class ServerFault(BankUnavailable):
    """HTTP 500: the bank stumbled over this very request. A smaller one may pass."""


def _make(kind: type[BankingError]) -> Maker:
    return lambda message, bank_id, code: kind(message, bank_id=bank_id, code=code)


def _maintenance(message: str, bank_id: str, code: str) -> BankingError:
    return BankUnavailable(message, bank_id=bank_id, code=code, maintenance=True)


def _unsupported(capability: str) -> Maker:
    return lambda message, bank_id, code: NotSupported(capability, message, bank_id=bank_id, code=code)


#: FDX error codes (Core API, "Error codes"). A code means the same under whatever HTTP status it comes: 602 is a
#: 401 in FDX 4 and a 403 since 5.4, 501 is a 405 at one aggregator.
BY_CODE: Mapping[str, Maker] = {
    "500": _make(ServerFault),
    "501": _make(BankUnavailable),
    "503": _maintenance,
    "601": _make(LinkExpired),
    "602": _make(LinkExpired),
    "603": _make(TokenRejected),
    "701": _make(AccountNotFound),
    # "Invalid date" and "invalid date range": ours are well formed, so it is days that the bank does not keep.
    "702": _make(HistoryTooOld),
    "703": _make(HistoryTooOld),
    "704": _unsupported("account_type"),
    "705": _make(AccountNotFound),
    "706": _make(AccountNotFound),
    "907": _make(AmountRefused),
    "909": _make(BankUnavailable),
    "910": _make(AmountRefused),
    "911": _make(AmountRefused),
    "1106": _unsupported("fdx_version"),
    "1107": _make(NoData),
    "1206": _unsupported("method"),
    "1207": _make(RateLimited),
}

#: When there is no code, or one that is not in the table above. 401 and 403 as *codes* are "invalid input" and
#: "forbidden" in FDX, so they are told apart by the HTTP status they come with.
BY_STATUS: Mapping[int, Maker] = {
    400: _make(BankUnavailable),
    401: _make(TokenRejected),
    403: _make(LinkExpired),
    404: _make(AccountNotFound),
    405: _unsupported("method"),
    409: _make(AccountNotFound),
    429: _make(RateLimited),
    500: _make(ServerFault),
    501: _unsupported("operation"),
    503: _maintenance,
}


def order_error(answer: Answer, bank_id: str) -> BankingError:
    """As ``bank_error``, for a call that tells the bank to do something."""
    if answer.status == 409:
        return Conflict("http 409", bank_id=bank_id, code=error_code(answer) or "http_409")
    return bank_error(answer, bank_id)


def bank_error(answer: Answer, bank_id: str) -> BankingError:
    """The error an answer of 400 and above means. The bank's own message is left out: it may hold anything."""
    code = error_code(answer)
    make = BY_CODE.get(code) or BY_STATUS.get(answer.status) or _make(BankUnavailable)
    return make(f"http {answer.status}", bank_id, code or f"http_{answer.status}")


def error_code(answer: Answer) -> str:
    """The leading number of the FDX ``code``: a string in FDX, an integer at some, composite at others
    ("603-403"). "" when the body has none or is not JSON."""
    try:
        body: Any = answer.json()
    except (ValueError, RecursionError):
        return ""
    if isinstance(body, list) and body:
        body = body[0]
    if isinstance(body, Mapping) and isinstance(body.get("errors"), list) and body["errors"]:
        body = body["errors"][0]
    code = body.get("code") if isinstance(body, Mapping) else None
    leading = re.match(r"\s*(\d{1,6})", str(code), re.ASCII) if isinstance(code, (str, int)) else None
    return leading[1] if leading else ""
