"""What every connector must do, whatever bank it speaks to.

Subclass ``ConnectorContract`` as a test class and give it a ``bank`` fixture: a ``Bench`` on a bank that can be told
to misbehave. A new connector that passes is safe to put behind the skills.
"""

from __future__ import annotations

import logging
import threading
from abc import ABC, abstractmethod
from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from assistant.banking.account import Account, AccountFamily, AccountKind, AccountStatus
from assistant.banking.connector import BankConnector
from assistant.banking.errors import (
    AccountNotFound,
    BankingError,
    BankUnavailable,
    HistoryTooLong,
    LinkExpired,
    RateLimited,
)
from assistant.banking.period import Period
from assistant.banking.transaction import Transaction
from assistant.connectors.tokens import TokenSet


class Bench(ABC):
    """One linked customer at a bank whose clock says ``today``, and the means to disturb that bank."""

    today: date

    @abstractmethod
    def connector(self, **profile: object) -> BankConnector:
        """A connector for the customer; ``profile`` changes fields of the bank's profile."""

    @abstractmethod
    def fault(self, kind: str, **more: object) -> None:
        """kind: rate_limited, unavailable, error, reconsent, latency (seconds=), malformed_json, cut, null_balances,
        loop_cursor, foreign_link, misplaced_page, missing_ids, blank_ids, reused_ids, partial, integer_codes,
        composite_codes. times=None for ever."""

    @abstractmethod
    def expire_tokens(self) -> None:
        """Make the access token unknown to the bank, the refresh token still good."""

    @abstractmethod
    def kill_grant(self) -> None:
        """Make the refresh token useless too."""

    @abstractmethod
    def tokens(self) -> TokenSet: ...

    @abstractmethod
    def refreshes(self) -> int:
        """How often tokens were replaced so far."""


class ConnectorContract:
    """``bank`` is a fixture of the subclass. The customer has a checking account and a card she uses daily: more than
    100 transactions on it in the last half year, and pending ones now."""

    @pytest.fixture
    def half_year(self, bank: Bench) -> Period:
        return Period(date(bank.today.year - 1, 9, 1), bank.today)

    def test_accounts_have_sound_ids(self, bank: Bench) -> None:
        connector = bank.connector()
        accounts = connector.accounts()
        assert len({account.id for account in accounts}) == len(accounts) >= 2
        assert all(account.id == f"{connector.bank_id}:{account.native_id}" for account in accounts)
        assert all(account.name and len(account.mask) <= 4 for account in accounts)
        assert {AccountFamily.DEPOSIT, AccountFamily.CREDIT} <= {account.kind.family for account in accounts}

    def test_balances_are_decimal_in_the_accounts_currency_and_dated(self, bank: Bench) -> None:
        connector = bank.connector()
        for account in connector.accounts():
            balances = connector.balances(account)
            assert balances.account_id == account.id
            assert balances.as_of is not None and balances.as_of.utcoffset() is not None
            told = balances.current if account.kind.family is AccountFamily.DEPOSIT else balances.owed
            assert told is not None and isinstance(told.amount, Decimal)
            assert told.currency == account.currency

    def test_a_balance_the_bank_does_not_give_is_missing_not_zero(self, bank: Bench) -> None:
        connector = bank.connector()
        account = connector.accounts()[0]
        bank.fault("null_balances")
        balances = bank.connector().balances(account)
        assert (balances.current, balances.available, balances.owed) == (None, None, None)

    def test_history_is_complete_and_newest_first(self, bank: Bench, half_year: Period) -> None:
        """In small pages and in one, over a long range and month by month: the same transactions."""
        connector = bank.connector()
        card = self.card(connector)
        whole = connector.transactions(card, half_year)
        assert len(whole) > 100
        assert [item.date for item in whole] == sorted((item.date for item in whole), reverse=True)
        assert len({item.id for item in whole}) == len(whole)
        assert all(item.date in half_year and item.account_id == card.id for item in whole)
        paged = bank.connector(page_size=7, max_pages=1000).transactions(card, half_year)
        assert paged == whole
        assert bank.connector(window_days=30).transactions(card, half_year) == whole
        monthly = [item for part in half_year.months() for item in connector.transactions(card, part)]
        assert sorted(item.id for item in monthly) == sorted(item.id for item in whole)

    def test_signs_are_the_customers(self, bank: Bench, half_year: Period) -> None:
        connector = bank.connector()
        for account in connector.accounts():
            if account.kind.family is AccountFamily.CREDIT and account.status is AccountStatus.OPEN:
                items = connector.transactions(account, half_year)
                outflows = [item for item in items if item.is_outflow]
                assert len(outflows) > len(items) / 2, "purchases on a card are money out"
                assert any(not item.is_outflow for item in items), "payments to a card are money in"
        items = connector.transactions(self.checking(connector), half_year)
        assert max(items, key=lambda item: item.amount.amount).amount.amount > 0

    def test_pending_items_are_marked(self, bank: Bench) -> None:
        connector = bank.connector()
        recent = Period(date(bank.today.year, bank.today.month, 1), bank.today.replace(day=bank.today.day + 1))
        found = [item for account in connector.accounts() for item in connector.transactions(account, recent)]
        pending = [item for item in found if item.is_pending]
        assert pending
        assert all(item.posted_at is None for item in pending)

    def test_a_period_in_the_future_is_empty(self, bank: Bench) -> None:
        connector = bank.connector()
        later = Period(date(bank.today.year + 1, 1, 1), date(bank.today.year + 1, 2, 1))
        assert connector.transactions(self.checking(connector), later) == ()

    def test_too_many_pages_fail_rather_than_truncate(self, bank: Bench, half_year: Period) -> None:
        connector = bank.connector(page_size=5, max_pages=3)
        with pytest.raises(HistoryTooLong):
            connector.transactions(self.card(bank.connector()), half_year)

    @pytest.mark.parametrize("kind", ["loop_cursor", "foreign_link"])
    def test_paging_that_leads_astray_is_an_error(self, bank: Bench, half_year: Period, kind: str) -> None:
        connector = bank.connector()
        checking = self.checking(connector)
        bank.fault(kind, path="transactions")
        with pytest.raises(BankUnavailable):
            connector.transactions(checking, half_year)

    def test_paging_in_the_wrong_place_is_followed(self, bank: Bench, half_year: Period) -> None:
        connector = bank.connector(page_size=40)
        card = self.card(connector)
        whole = connector.transactions(card, half_year)
        bank.fault("misplaced_page", path="transactions")
        assert connector.transactions(card, half_year) == whole

    def test_a_partial_content_answer_is_an_answer(self, bank: Bench, half_year: Period) -> None:
        connector = bank.connector()
        checking = self.checking(connector)
        whole = connector.transactions(checking, half_year)
        bank.fault("partial")
        assert connector.transactions(checking, half_year) == whole

    @pytest.mark.parametrize("kind", ["missing_ids", "blank_ids", "reused_ids"])
    def test_bad_ids_lose_no_row(self, bank: Bench, half_year: Period, kind: str) -> None:
        connector = bank.connector(page_size=40)
        card = self.card(connector)
        sound = connector.transactions(card, half_year)
        bank.fault(kind, path="transactions")
        items = connector.transactions(card, half_year)
        assert self.amounts(items) == self.amounts(sound)
        assert len({item.id for item in items}) == len(items)
        assert connector.transactions(card, half_year) == items, "made-up ids are the same each time"

    @pytest.mark.parametrize(
        ("kind", "error"),
        [("unavailable", BankUnavailable), ("error", BankUnavailable), ("malformed_json", BankUnavailable),
         ("cut", BankUnavailable), ("rate_limited", RateLimited), ("reconsent", LinkExpired)],
    )  # fmt: skip
    @pytest.mark.parametrize("codes", ["", "integer_codes", "composite_codes"])
    def test_errors_are_in_the_customers_terms(
        self, bank: Bench, kind: str, error: type[BankingError], codes: str
    ) -> None:
        connector = bank.connector()
        bank.fault(kind)
        if codes:
            bank.fault(codes)
        with pytest.raises(error) as caught:
            connector.accounts()
        assert caught.value.bank_id == connector.bank_id
        assert bank.refreshes() == 0, "no new token helps here"

    def test_one_stumble_is_not_noticed(self, bank: Bench) -> None:
        expected = bank.connector().accounts()
        for kind in ("unavailable", "cut"):
            bank.fault(kind, times=1)
            assert bank.connector().accounts() == expected

    def test_an_account_that_is_not_hers(self, bank: Bench) -> None:
        connector = bank.connector()
        account = self.checking(connector)
        for foreign in ("no-such-account", "..", "../accounts", "a/b?c=d#e"):
            other = type(account)(f"{connector.bank_id}:{foreign}", connector.bank_id, account.kind, "X", "USD")
            with pytest.raises(AccountNotFound):
                connector.balances(other)

    def test_a_slow_bank_ends_at_the_deadline(self, bank: Bench) -> None:
        connector = bank.connector(deadline=0.4)
        bank.fault("latency", seconds=30.0)
        with pytest.raises(BankUnavailable) as caught:
            connector.accounts()
        assert caught.value.slow

    def test_a_stale_token_is_renewed_once_however_many_ask(self, bank: Bench) -> None:
        """Rotation punishes a second use of a refresh token by ending the grant: one refresh, everybody served."""
        bank.expire_tokens()
        results: Counter[int] = Counter()
        failures: list[BaseException] = []

        def ask() -> None:
            try:
                results[len(bank.connector().accounts())] += 1
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert failures == []
        assert list(results.values()) == [8]
        assert bank.refreshes() == 1

    def test_a_refused_refresh_ends_the_link(self, bank: Bench) -> None:
        bank.expire_tokens()
        bank.kill_grant()
        with pytest.raises(LinkExpired):
            bank.connector().accounts()

    def test_revoking_ends_the_access_and_can_be_repeated(self, bank: Bench) -> None:
        connector = bank.connector()
        connector.revoke()
        with pytest.raises(LinkExpired):
            bank.connector().accounts()
        connector.revoke()

    def test_nothing_private_is_logged_or_raised(self, bank: Bench, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        connector = bank.connector()
        accounts = connector.accounts()
        figures = connector.balances(accounts[0])
        items = connector.transactions(accounts[0], Period(bank.today.replace(day=1), bank.today))
        bank.fault("malformed_json")
        with pytest.raises(BankUnavailable) as caught:
            connector.accounts()
        bank.fault("expired_token", path="transactions")
        with pytest.raises(BankingError):
            connector.transactions(accounts[0], Period(bank.today.replace(day=1), bank.today))
        tokens = bank.tokens()
        private = [tokens.access_token, tokens.refresh_token, *(account.native_id for account in accounts)]
        private += [account.nickname for account in accounts if account.nickname]
        private += [item.description for item in items]
        private += [str(figures.current.amount)] if figures.current else []
        # The server under urllib3 writes request lines at DEBUG; ours are what is judged here.
        ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("assistant"))
        said = ours + str(caught.value) + repr(caught.value) + repr(tokens) + repr(connector)
        assert [text for text in private if text in said] == []

    @staticmethod
    def checking(connector: BankConnector) -> Account:
        return next(account for account in connector.accounts() if account.kind is AccountKind.CHECKING)

    @staticmethod
    def card(connector: BankConnector) -> Account:
        return next(account for account in connector.accounts() if account.kind is AccountKind.CREDIT_CARD)

    @staticmethod
    def amounts(items: tuple[Transaction, ...]) -> Counter[object]:
        return Counter((item.amount, item.date, item.description) for item in items)
