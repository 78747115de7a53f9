"""One request as the bank's resources see it, and who makes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from assistant.sandbox.answers import no_account, not_authorized
from assistant.sandbox.ledger import Ledger
from assistant.sandbox.people import AccountSpec
from assistant.sandbox.state import Consent


@dataclass(frozen=True, slots=True)
class Call:
    """One request. Header names are lower case; ``body`` is the parsed JSON, or None."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any = None

    @property
    def fields(self) -> Mapping[str, Any]:
        """The body where it is a JSON object, else nothing."""
        return self.body if isinstance(self.body, dict) else {}


@dataclass(frozen=True, slots=True)
class Caller:
    """A client with a customer's token: what she agreed to, and her books as they are now."""

    consent: Consent
    ledger: Ledger
    version: int

    def need(self, cluster: str) -> None:
        if cluster not in self.consent.clusters:
            raise not_authorized(self.version)

    def shared(self) -> list[AccountSpec]:
        return [spec for spec in self.ledger.accounts() if spec.key in self.consent.accounts]

    def account(self, account_id: str) -> AccountSpec:
        """An account left out of the consent does not exist for the caller."""
        spec = self.ledger.by_id(account_id)
        if spec is None or spec.key not in self.consent.accounts:
            raise no_account()
        return spec
