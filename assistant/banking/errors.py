"""What can go wrong between a customer and her bank: one tree, in the customer's terms.

Connectors raise these ``from`` the bank's error. Messages are for operators: they carry ids and codes,
never balances, names, descriptors or tokens. What the customer is told is wording in domain.yml, chosen
by ``wording``.
"""

from __future__ import annotations

from datetime import datetime

from assistant.banking.purpose import Purpose


class BankingError(Exception):
    """Base of the tree.

    ``bank_id`` says whose bank (a key of banks.yml), "" when it concerns none in particular.
    ``code`` is the bank's own code, for the log.
    """

    wording = "error_bank_unavailable"

    def __init__(self, message: str = "", *, bank_id: str = "", code: str = "") -> None:
        super().__init__(message or type(self).__name__)
        self.bank_id = bank_id
        self.code = code


class NotLinked(BankingError):
    """The customer has connected no bank (or not this one). Offer linking."""

    wording = "error_not_linked"


class LinkExpired(BankingError):
    """The bank no longer accepts the link (consent ended, refresh token refused). Offer reconnecting."""

    wording = "error_link_expired"


class ConsentRequired(BankingError):
    """The customer has not opted in to this purpose at this bank. Offer to switch it on."""

    wording = "error_consent_required"

    def __init__(self, purpose: Purpose, message: str = "", *, bank_id: str = "", code: str = "") -> None:
        super().__init__(message or f"no live consent for {purpose.value}", bank_id=bank_id, code=code)
        self.purpose = purpose


class BankUnavailable(BankingError):
    """The bank did not answer in time, or answered nonsense. ``slow`` tells a time-out from a refusal."""

    wording = "error_bank_unavailable"

    def __init__(
        self,
        message: str = "",
        *,
        bank_id: str = "",
        code: str = "",
        slow: bool = False,
        maintenance: bool = False,
    ) -> None:
        super().__init__(message, bank_id=bank_id, code=code)
        self.slow = slow
        self.maintenance = maintenance


class RateLimited(BankingError):
    """The bank asks us to wait. ``retry_at`` (aware, UTC) when it said until when."""

    wording = "error_rate_limited"

    def __init__(
        self, message: str = "", *, bank_id: str = "", code: str = "", retry_at: datetime | None = None
    ) -> None:
        super().__init__(message, bank_id=bank_id, code=code)
        self.retry_at = retry_at


class AccountNotFound(BankingError):
    """The bank has no such account for this customer (closed, or left out of the consent)."""

    wording = "error_account_not_found"


class NotSupported(BankingError):
    """This bank's API cannot do this. ``capability`` names what was asked for."""

    wording = "error_not_supported"

    def __init__(self, capability: str, message: str = "", *, bank_id: str = "", code: str = "") -> None:
        super().__init__(message or f"{capability} is not supported", bank_id=bank_id, code=code)
        self.capability = capability


class AmountRefused(BankingError):
    """The bank refuses the amount (limit, funds, format)."""

    wording = "error_amount_refused"


class HistoryTooOld(BankingError):
    """The bank does not keep the days asked for: they lie before what it gives out."""

    wording = "error_history_too_old"


class HistoryTooLong(BankingError):
    """More pages than the cap allows. The answer would be cut short, so there is none."""

    wording = "error_history_too_long"
