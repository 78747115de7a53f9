"""Faults on demand: what a bank's API does wrong, each as a real one has been seen to do it.

A fault is set over the admin API, matches requests by path, and ends after a number of times, or never.

Refusals: rate_limited (429), unavailable (503), error (500), expired_token (401, 603), reconsent (602).
Paging: loop_cursor (the same page for ever), misplaced_page (paginatedArray.page), foreign_link (another host).
Content: missing_ids, blank_ids, reused_ids (of transactions), null_balances, partial (206), integer_codes,
composite_codes ("603-401"). Wire: latency, malformed_json, cut (the connection, mid-body).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from assistant.sandbox.answers import Answer, FdxError

#: Answered instead of the bank's own answer.
_REFUSALS: Mapping[str, tuple[int, str, str]] = {
    "rate_limited": (429, "1207", "Too many requests"),
    "unavailable": (503, "503", "Scheduled maintenance"),
    "error": (500, "500", "Internal server error"),
    "expired_token": (401, "603", "Authentication failed"),
    "reconsent": (403, "602", "Customer not authorized"),
}
#: How the answer is sent, rather than what it says.
WIRE = frozenset({"malformed_json", "cut"})


@dataclass(slots=True)
class Fault:
    """``times`` left, None for ever. ``seconds`` is latency's; ``retry_after`` goes with rate_limited and
    unavailable (whole seconds, None for no header)."""

    kind: str
    path: re.Pattern[str] = field(default_factory=lambda: re.compile("^/fdx/"))
    times: int | None = None
    seconds: float = 0.0
    retry_after: int | None = None

    def describe(self) -> dict[str, Any]:
        return {"kind": self.kind, "path": self.path.pattern, "times": self.times}


class FaultBook:
    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def add(self, given: Mapping[str, Any]) -> Fault:
        """From the admin API's JSON. Raises ValueError for an unknown kind or a wrong value."""
        kind = given.get("kind")
        if not isinstance(kind, str) or kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(sorted(KINDS))}")
        times, retry = given.get("times"), given.get("retry_after")
        if not (times is None or (isinstance(times, int) and times > 0)):
            raise ValueError("times is a positive whole number or null")
        if not (retry is None or isinstance(retry, int)):
            raise ValueError("retry_after is a whole number of seconds or null")
        try:
            path = re.compile(str(given.get("path") or "^/fdx/"))
            seconds = float(given.get("seconds", 1.0))
        except (re.error, TypeError, ValueError) as error:
            raise ValueError("path is a regular expression and seconds a number") from error
        fault = Fault(kind, path, times, min(max(seconds, 0.0), 120.0), retry)
        self._faults.append(fault)
        return fault

    def clear(self) -> None:
        self._faults.clear()

    def all(self) -> list[Fault]:
        return list(self._faults)

    def matching(self, path: str) -> list[Fault]:
        return [fault for fault in self._faults if fault.path.search(path)]

    def spend(self, fault: Fault) -> None:
        if fault.times is not None:
            fault.times -= 1
            if fault.times == 0 and fault in self._faults:
                self._faults.remove(fault)


def refusal(fault: Fault, version: int = 6) -> FdxError | None:
    """The error this fault answers with, or None when it is of another sort."""
    if fault.kind not in _REFUSALS:
        return None
    status, code, message = _REFUSALS[fault.kind]
    if fault.kind == "reconsent" and version < 6:
        status = 401
    headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after is not None else {}
    return FdxError(status, code, message, headers)


def spoil(fault: Fault, answer: Answer, path: str) -> Answer | None:
    """The answer with this fault in it, or None when the fault does not concern it (and is not spent)."""
    change = _CHANGES.get(fault.kind)
    return change(answer, path) if change and isinstance(answer.body, dict) else None


def _rows(answer: Answer) -> list[dict[str, Any]]:
    """Each transaction, unwrapped, to be changed in place."""
    rows = answer.body.get("transactions", [])
    return [next(iter(row.values())) if len(row) == 1 else row for row in rows]


def _paged(answer: Answer) -> bool:
    return answer.status == 200 and "page" in answer.body


def _loop_cursor(answer: Answer, path: str) -> Answer | None:
    if not _paged(answer):
        return None
    page = {**answer.body["page"], "nextOffset": "AGAIN", "nextPageKey": "AGAIN"}
    return Answer({**answer.body, "page": page, "links": {"next": {"href": f"{path}?pageKey=AGAIN"}}})


def _misplaced_page(answer: Answer, path: str) -> Answer | None:
    if not _paged(answer):
        return None
    rest = {key: value for key, value in answer.body.items() if key not in {"page", "links"}}
    page = dict(answer.body["page"])
    if "nextOffset" in page:
        page.pop("totalElements", None)
    return Answer({**rest, "paginatedArray": {"page": page}})


def _foreign_link(answer: Answer, path: str) -> Answer | None:
    if not _paged(answer):
        return None
    page = {key: value for key, value in answer.body["page"].items() if not key.startswith("next")}
    link = {"next": {"href": f"https://elsewhere.example{path}?pageKey=stolen"}}
    return Answer({**answer.body, "page": page, "links": link})


def _ids(value: str | None) -> Callable[[Answer, str], Answer | None]:
    def change(answer: Answer, path: str) -> Answer | None:
        rows = _rows(answer)
        for row in rows:
            row.pop("transactionId", None)
            if value is not None:
                row["transactionId"] = value
        return answer if rows else None

    return change


def _null_balances(answer: Answer, path: str) -> Answer | None:
    accounts = answer.body.get("accounts", [answer.body])
    changed = False
    for wrapper in accounts:
        fields = next(iter(wrapper.values())) if len(wrapper) == 1 else wrapper
        for name in fields if isinstance(fields, dict) else ():
            if name.endswith(("Balance", "Credit", "Line", "Amount")) and "transactionId" not in fields:
                fields[name] = None
                changed = True
    return answer if changed else None


def _partial(answer: Answer, path: str) -> Answer | None:
    return Answer(answer.body, 206, answer.headers) if answer.status == 200 else None


def _integer_codes(answer: Answer, path: str) -> Answer | None:
    if answer.status < 400 or "code" not in answer.body:
        return None
    code = str(answer.body["code"]).split("-")[0]
    return Answer({**answer.body, "code": int(code)}, answer.status, answer.headers)


def _composite_codes(answer: Answer, path: str) -> Answer | None:
    if answer.status < 400 or "code" not in answer.body:
        return None
    return Answer({**answer.body, "code": f"{answer.body['code']}-{answer.status}"}, answer.status, answer.headers)


_CHANGES: Mapping[str, Callable[[Answer, str], Answer | None]] = {
    "loop_cursor": _loop_cursor,
    "misplaced_page": _misplaced_page,
    "foreign_link": _foreign_link,
    "missing_ids": _ids(None),
    "blank_ids": _ids(" "),
    "reused_ids": _ids("6657205677"),
    "null_balances": _null_balances,
    "partial": _partial,
    "integer_codes": _integer_codes,
    "composite_codes": _composite_codes,
}

KINDS = frozenset({"latency", *_REFUSALS, *_CHANGES, *WIRE})
