"""The FDX connector: Financial Data Exchange Core API 4, 5 (wrapped) and 6 (flat); orders are in fdx_acting.py."""

from __future__ import annotations

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from assistant.banking import clock
from assistant.banking.account import Account, Balances
from assistant.banking.card import Card, CardStatus, LockReason
from assistant.banking.connector import BankConnector, Capability
from assistant.banking.dispute import Claim, Dispute
from assistant.banking.errors import AccountNotFound, BankUnavailable, LinkExpired, NotLinked
from assistant.banking.period import Period
from assistant.banking.transaction import Transaction
from assistant.connectors.errors import NoData, ServerFault, TokenRejected, bank_error, order_error
from assistant.connectors.fdx_accounts import has_balances, parse_account, parse_balances, unwrap
from assistant.connectors.fdx_acting import FdxActing, capabilities
from assistant.connectors.fdx_paging import PageBudget, read_pages
from assistant.connectors.fdx_transactions import (
    POSTING_DAYS,
    ParsedRow,
    Unreadable,
    merge_pages,
    merge_windows,
    parse_row,
    settle,
)
from assistant.connectors.fdx_values import text
from assistant.connectors.http import Answer, BankHttp, Deadline
from assistant.connectors.oauth import Credentials
from assistant.connectors.profiles import BankProfile

logger = logging.getLogger(__name__)

#: Seconds for which figures that came with the account list answer balances(): "all my balances" is one call.
DETAILS_KEEP = 30.0
#: A range this long (days) that makes a bank stumble (HTTP 500) is asked for in halves.
SMALLEST_SPLIT = 31

Row = Mapping[str, Any]


class FdxConnector(BankConnector):
    """One customer's link to a bank that speaks FDX. Safe to use from several threads at once."""

    def __init__(self, profile: BankProfile, http: BankHttp, credentials: Credentials, *, time_zone: str) -> None:
        self.bank_id = profile.id
        self.capabilities = capabilities(profile)
        self.profile = profile
        self._http = http
        self._credentials = credentials
        self._time_zone = time_zone
        self._zone = ZoneInfo(time_zone)
        #: Account.id -> when the bank said so, what it said, and the monotonic time of it (its age here)
        self._details: dict[str, tuple[datetime, Row, float]] = {}
        self._lock = threading.Lock()
        self._acting = FdxActing(profile, self._order, self._zone)

    def accounts(self, *, figures: bool = True) -> tuple[Account, ...]:
        deadline = self._http.deadline(self.profile.deadline)
        params = {self.profile.limit_param: str(self.profile.page_size), **self.profile.account_list_params}
        if self.profile.account_details_in_list:
            params["resultType"] = "details" if figures else "lightweight"
        url = self._url(self.profile.accounts_path)
        found: dict[str, Account] = {}
        for page in read_pages(
            self.profile, self._fetcher("accounts", deadline), url, params, "accounts", PageBudget(self.profile)
        ):
            for item in page:
                account = self.read_account(item)
                if account is None:
                    logger.warning("bank=%s operation=accounts: an account without an id is left out", self.bank_id)
                    continue
                found[account.id] = account
                if has_balances(item):
                    with self._lock:
                        self._details[account.id] = (clock.now(), item, time.monotonic())
        return tuple(found.values())

    def balances(self, account: Account) -> Balances:
        with self._lock:
            kept = self._details.get(account.id)
        if kept is None or time.monotonic() - kept[2] > DETAILS_KEEP:
            deadline = self._http.deadline(self.profile.deadline)
            url = self._url(self.profile.account_path, account_id=account.native_id)
            body = self._fetcher("balances", deadline)(url, {})
            kept = (clock.now(), self._single(body, account), 0.0)
        return self.read_balances(kept[1], account, kept[0])

    def transactions(self, account: Account, period: Period) -> tuple[Transaction, ...]:
        today = clock.today(self._time_zone)
        asked = period.clipped(today)
        if asked is None:
            return ()
        # Banks select by posting day or in their own zone, we by the day the customer would name: ask for a
        # little more on either side, then keep what is hers.
        first = asked.start - timedelta(days=1)
        if self.profile.history_days:
            first = max(first, today - timedelta(days=self.profile.history_days))
        last = min(asked.last_day + timedelta(days=POSTING_DAYS), today)
        if first > last:
            return ()
        deadline = self._http.deadline(self.profile.history_deadline)
        budget = PageBudget(self.profile)
        windows = [
            self._window(account, start, end, deadline, budget)
            for start, end in split_range(first, last, self.profile.window_days)
        ]
        return tuple(item for item in settle(merge_windows(windows)) if item.date in period)

    def revoke(self) -> None:
        deadline = self._http.deadline(self.profile.deadline)
        try:
            consent = self._credentials.consent_id()
            if consent and self.profile.consent_revocation_path:
                self._revoke_consent(consent, deadline)
            self._credentials.revoke(deadline)
        except (LinkExpired, NotLinked):
            logger.info("bank=%s operation=revoke: the link had ended already", self.bank_id)

    def cards(self) -> tuple[Card, ...]:
        return self._offering(Capability.CARDS).cards()

    def set_card(self, card: Card, status: CardStatus, reason: LockReason) -> Card:
        return self._offering(Capability.CARDS).set_card(card, status, reason)

    def disputes(self) -> tuple[Dispute, ...]:
        return self._offering(Capability.DISPUTES).disputes()

    def file_dispute(self, claim: Claim, key: str) -> Dispute:
        return self._offering(Capability.DISPUTES).file_dispute(claim, key)

    def withdraw_dispute(self, dispute: Dispute) -> Dispute:
        return self._offering(Capability.DISPUTES).withdraw_dispute(dispute)

    def subscribe(self, callback_url: str, subscription_id: str) -> None:
        self._offering(Capability.NOTIFICATIONS).subscribe(callback_url, subscription_id)

    def unsubscribe(self, subscription_id: str) -> None:
        self._offering(Capability.NOTIFICATIONS).unsubscribe(subscription_id)

    def _offering(self, capability: Capability) -> FdxActing:
        if capability not in self.capabilities:
            raise self._unsupported(capability)
        return self._acting

    # Where a bank's dialect differs in more than its profile can say, a subclass overrides one of these.

    def read_account(self, item: Row) -> Account | None:
        """One item of the account list; None leaves it out."""
        return parse_account(item, self.bank_id)

    def read_balances(self, item: Row, account: Account, fetched_at: datetime) -> Balances:
        """``fetched_at``: aware, UTC."""
        return parse_balances(item, account, self._zone, fetched_at)

    def read_transaction(self, item: Row, account: Account) -> ParsedRow | None:
        """None leaves the row out: it moved no money. Raises Unreadable."""
        return parse_row(item, account, self._zone)

    def _window(
        self, account: Account, first: date, last: date, deadline: Deadline, budget: PageBudget
    ) -> list[ParsedRow]:
        """The rows of the days ``first`` to ``last``, both included; in halves if the bank stumbles over all of it."""
        try:
            return merge_pages(self._pages(account, first, last, deadline, budget))
        except ServerFault:
            days = (last - first).days + 1
            if days <= SMALLEST_SPLIT:
                raise
            middle = first + timedelta(days=days // 2)
            return merge_windows(
                (
                    self._window(account, first, middle - timedelta(days=1), deadline, budget),
                    self._window(account, middle, last, deadline, budget),
                )
            )

    def _pages(
        self, account: Account, first: date, last: date, deadline: Deadline, budget: PageBudget
    ) -> Iterator[list[ParsedRow]]:
        profile = self.profile
        url = self._url(profile.transactions_path, account_id=account.native_id)
        params = {
            profile.from_param: first.isoformat(),
            profile.to_param: last.isoformat(),
            profile.limit_param: str(profile.page_size),
        }
        fetch = self._fetcher("transactions", deadline)
        for page in read_pages(profile, fetch, url, params, "transactions", budget):
            try:
                parsed = [self.read_transaction(item, account) for item in page]
            except Unreadable as error:
                # Leaving the row out would make every sum over it wrong.
                raise BankUnavailable(f"row without {error}", bank_id=self.bank_id, code="row_unreadable") from error
            yield [row for row in parsed if row is not None]

    def _single(self, body: Any, account: Account) -> Row:
        """The account's own entry in the answer to a question about one account (some banks answer with a list)."""
        if isinstance(body, Mapping) and isinstance(body.get("accounts"), list):
            entries = [item for item in body["accounts"] if isinstance(item, Mapping)]
            body = next((i for i in entries if text(unwrap(i)[1], "accountId") == account.native_id), None)
        if not isinstance(body, Mapping):
            raise AccountNotFound("no such account in the answer", bank_id=self.bank_id, code="no_data")
        return body

    def _fetcher(self, operation: str, deadline: Deadline) -> Callable[[str, Mapping[str, str]], Any]:
        return lambda url, params: self._fetch(url, params, operation, deadline)

    def _fetch(self, url: str, params: Mapping[str, str], operation: str, deadline: Deadline) -> Any:
        """The parsed body of a GET; None when the bank has no data for it. The token is renewed once if refused."""
        bearer = self._credentials.bearer(deadline)
        for renewed in (False, True):
            answer = self._http.get(
                url, params=params, headers=self._headers(bearer), deadline=deadline, operation=operation
            )
            if answer.status < 400:
                return self._body(answer)
            error = bank_error(answer, self.bank_id)
            if isinstance(error, NoData):
                return None
            if not isinstance(error, TokenRejected) or renewed:
                logger.info(
                    "bank=%s operation=%s status=%d code=%s", self.bank_id, operation, answer.status, error.code
                )
                raise error
            bearer = self._credentials.renew(bearer, deadline)
        raise AssertionError("the second answer returns or raises")

    def _order(
        self,
        method: str,
        path: str,
        operation: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **names: str,
    ) -> Any:
        """A call that may be repeated, as fdx_acting.Call. The token is renewed once if refused."""
        deadline = self._http.deadline(self.profile.deadline)
        url = self._url(path, **names)
        bearer = self._credentials.bearer(deadline)
        for renewed in (False, True):
            own = self._headers(bearer)
            answer = self._http.insist(
                method,
                url,
                headers=lambda own=own: {**own(), **(headers or {})},  # type: ignore[misc]
                deadline=deadline,
                operation=operation,
                json_body=body,
            )
            if answer.status < 400:
                return self._body(answer)
            error = order_error(answer, self.bank_id)
            if not isinstance(error, TokenRejected) or renewed:
                logger.info(
                    "bank=%s operation=%s status=%d code=%s", self.bank_id, operation, answer.status, error.code
                )
                raise error
            bearer = self._credentials.renew(bearer, deadline)
        raise AssertionError("the second answer returns or raises")

    def _body(self, answer: Answer) -> Any:
        if answer.status == 204:
            return None
        try:
            # 206 is a whole answer about part of the data (FDX "Partial content"): its paging says if there is more.
            return answer.json()
        except (ValueError, RecursionError):
            raise BankUnavailable("not JSON", bank_id=self.bank_id, code="not_json") from None

    def _headers(self, bearer: str) -> Callable[[], Mapping[str, str]]:
        """Headers for one try: every try is an interaction of its own, with a UUID the bank can find it by."""

        def make() -> Mapping[str, str]:
            interaction = str(uuid.uuid4())
            own = {k: interaction if v == "{interaction_id}" else v for k, v in self.profile.headers.items()}
            return {
                "Accept": "application/json",
                self.profile.interaction_header: interaction,
                **own,
                "Authorization": f"Bearer {bearer}",
            }

        return make

    def _revoke_consent(self, consent_id: str, deadline: Deadline) -> None:
        """PUT .../revocation (FDX Consent API). A consent that is gone or revoked already is what we want."""
        url = self._url(self.profile.consent_revocation_path, consent_id=consent_id)
        body = {"reason": "USER_ACTION", "initiator": "INDIVIDUAL"}
        bearer = self._credentials.bearer(deadline)
        for renewed in (False, True):
            answer = self._http.send(
                "PUT",
                url,
                headers=self._headers(bearer)(),
                json_body=body,
                deadline=deadline,
                operation="revoke_consent",
            )
            if answer.status < 400 or answer.status in (404, 409, 410):
                return
            error = bank_error(answer, self.bank_id)
            if not isinstance(error, TokenRejected) or renewed:
                raise error
            bearer = self._credentials.renew(bearer, deadline)

    def _url(self, path: str, **names: str) -> str:
        if {".", ".."} & set(names.values()):
            raise AccountNotFound("an id that is a path", bank_id=self.bank_id, code="bad_id")
        filled = path.format(**{name: quote(value, safe="") for name, value in names.items()})
        return self.profile.base_url.rstrip("/") + filled


def split_range(first: date, last: date, window_days: int) -> list[tuple[date, date]]:
    """The days from ``first`` to ``last``, both included, in stretches of at most ``window_days`` (0: one)."""
    if window_days <= 0:
        return [(first, last)]
    stretches = []
    while first <= last:
        end = min(first + timedelta(days=window_days - 1), last)
        stretches.append((first, end))
        first = end + timedelta(days=1)
    return stretches
