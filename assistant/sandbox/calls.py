"""What clients asked the bank for, so that a test can hold them to what the customer agreed to.

Path and kind of each call, nothing else: no query, no header, no body, nobody's name.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from typing import Any

#: Older calls make room for newer ones.
KEPT = 10_000
_ACCOUNT = re.compile(r"^accounts/[^/]+$")


class CallLog:
    def __init__(self) -> None:
        self._calls: deque[dict[str, str]] = deque(maxlen=KEPT)

    def add(self, method: str, path: str, query: Mapping[str, Any]) -> None:
        self._calls.append({"method": method, "path": path, "kind": kind_of(path, query)})

    def clear(self) -> None:
        self._calls.clear()

    def all(self) -> list[dict[str, str]]:
        return list(self._calls)


def kind_of(path: str, query: Mapping[str, Any]) -> str:
    """What a call reads or does. "accounts" is names and types only; a list with figures counts as "balances".

    Others: "transactions", "customer", "consents", "cards", "disputes", "notifications", the OAuth endpoints "par",
    "token", "revoke", and "other".
    """
    if path.startswith("/oauth/"):
        return path.rsplit("/", 1)[1]
    resource = re.sub(r"^/fdx/v[0-9]+/", "", path).rstrip("/")
    if resource == "accounts":
        return "balances" if query.get("resultType") == "details" else "accounts"
    if _ACCOUNT.match(resource):
        return "balances"
    if resource.startswith("accounts/") and resource.endswith("/transactions"):
        return "transactions"
    return _KINDS.get(resource.split("/")[0], "other")


_KINDS = {
    "customers": "customer",
    "consents": "consents",
    "cards": "cards",
    "disputes": "disputes",
    "notification-subscriptions": "notifications",
    "notifications": "notifications",
}
