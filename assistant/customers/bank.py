"""All of one customer's banks as one, behind the gate (implements banking.connector.CustomerBank)."""

from __future__ import annotations

import logging
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any, TypeVar

from assistant.banking import clock
from assistant.banking.account import Account, Balances
from assistant.banking.connector import CustomerProfile, Dated
from assistant.banking.errors import (
    AccountNotFound,
    BankingError,
    BankUnavailable,
    LinkExpired,
    NotLinked,
    NotSupported,
    RateLimited,
)
from assistant.banking.period import Period
from assistant.banking.purpose import Purpose
from assistant.banking.transaction import Transaction
from assistant.customers.cache import Heard, Key
from assistant.customers.gate import Access, Opened
from assistant.customers.identity import Customer
from assistant.customers.shared import Shared
from assistant.customers.teller import Teller

logger = logging.getLogger(__name__)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Call:
    """One question to one bank. ``kind`` is the class of the answers, for reading them back from storage."""

    access: Access
    item: str
    kind: type[Any]
    ask: Callable[[], tuple[Any, ...]]
    period: Period | None = None
    account: Account | None = None


class LinkedBanks:
    """One customer's banks. Make one per question: it holds the customer, nothing else."""

    def __init__(self, customer: Customer, shared: Shared) -> None:
        self._customer = customer
        self._shared = shared
        self._door = shared.gate.door(customer)

    @property
    def profile(self) -> CustomerProfile:
        return self._customer.profile

    def bank_name(self, bank_id: str) -> str:
        profile = self._shared.profiles.get(bank_id)
        return profile.name if profile else bank_id

    @cached_property
    def acting(self) -> Teller:
        return Teller(self._customer, self._shared, self._door)

    def accounts(self, purpose: Purpose) -> Dated[tuple[Account, ...]]:
        opened = self._door.open(purpose)
        heard, problems = self._accounts(opened)
        return _dated(_joined(heard), heard, problems)

    def balances(self, accounts: Sequence[Account]) -> Dated[Mapping[str, Balances]]:
        """Purpose BALANCES. Keyed by Account.id; an account whose balance is not to be had is missing."""
        bank_ids = list(dict.fromkeys(account.bank_id for account in accounts))
        opened = self._door.open(Purpose.BALANCES, bank_ids or None)
        calls = [
            _Call(access, f"balances:{account.native_id}", Balances, _balances(access, account), account=account)
            for access in opened.accesses
            for account in accounts
            if account.bank_id == access.bank_id
        ]
        heard, problems = self._all(calls)
        found = {balances.account_id: balances for balances in _joined(heard)}
        return _dated(found, heard, [*opened.refused, *problems])

    def transactions(
        self, period: Period, purpose: Purpose, accounts: Sequence[Account] | None = None
    ) -> Dated[tuple[Transaction, ...]]:
        """Of the given accounts, else of all.

        Those of all accounts are fetched in either case: a transfer between two of the customer's accounts
        is often known only by its other end (see banking.enrich).
        """
        opened = self._door.open(purpose)
        asked = None if accounts is None else {account.id for account in accounts}
        self._refuse_unless_any(opened, accounts)
        listed, problems = self._accounts(opened)
        known: tuple[Account, ...] = _joined(listed)
        if asked and asked.isdisjoint(account.id for account in known):
            raise AccountNotFound("not among the shared accounts")
        calls = [
            _Call(access, f"transactions:{account.native_id}", Transaction, _history(access, account, period),
                  period, account)
            for access in opened.accesses
            for account in known
            if account.bank_id == access.bank_id
        ]  # fmt: skip
        heard, failed = self._all(calls, asked)
        banks = None if accounts is None else {account.bank_id for account in accounts}
        problems = [p for p in [*problems, *failed] if banks is None or not p.bank_id or p.bank_id in banks]
        enriched = self._enriched(known, period, heard)
        value = tuple(t for t in enriched if asked is None or t.account_id in asked)
        return _dated(value, [*listed, *heard], problems)

    def _refuse_unless_any(self, opened: Opened, accounts: Sequence[Account] | None) -> None:
        """An account at a bank that may not be asked is not answered with the silence of the others."""
        if not accounts:
            return
        wanted = {account.bank_id for account in accounts}
        if wanted.isdisjoint(access.bank_id for access in opened.accesses):
            raise next((e for e in opened.refused if e.bank_id in wanted), NotLinked("no such link"))

    def _accounts(self, opened: Opened) -> tuple[list[Heard[Any]], list[BankingError]]:
        calls = [_Call(access, "accounts", Account, access.accounts) for access in opened.accesses]
        heard, problems = self._all(calls)
        return heard, [*opened.refused, *problems]

    def _all(
        self, calls: Sequence[_Call], asked: set[str] | None = None
    ) -> tuple[list[Heard[Any]], list[BankingError]]:
        """Every call's answer, several at a time. Raises only when none that matters was answered.

        ``asked``: the accounts that matter; another one's failure is nobody's problem.
        """
        heard: list[Heard[Any]] = []
        failures: list[BankingError] = []
        answered = False
        for call, outcome in zip(calls, self._run(calls), strict=True):
            matters = asked is None or (call.account is not None and call.account.id in asked)
            if isinstance(outcome, Heard):
                heard.append(outcome)
                answered = answered or matters
            elif matters:
                failures.append(outcome)
        if failures and not answered:
            raise failures[0]
        # An account of a kind the bank tells nothing about is no problem among others that answered.
        return heard, [failure for failure in failures if asked is not None or not isinstance(failure, NotSupported)]

    def _run(self, calls: Sequence[_Call]) -> list[Heard[Any] | BankingError]:
        """In the order of ``calls``: what is remembered, else what the bank says, each bank on its own threads."""
        lanes = self._shared.lanes
        outcomes = [self._remembered(call) for call in calls]
        missing = [index for index, outcome in enumerate(outcomes) if outcome is None]
        with lanes.enter(calls[index].access.bank_id for index in missing) as entered:
            futures = {
                index: lanes.submit(calls[index].access.bank_id, partial(self._asked, calls[index]))
                for index in missing
                if calls[index].access.bank_id in entered
            }
            for index in missing:
                outcomes[index] = futures[index].result() if index in futures else self._crowded_out(calls[index])
        return [outcome for outcome in outcomes if outcome is not None]

    def _remembered(self, call: _Call) -> Heard[Any] | BankingError | None:
        return self._shared.fresh.get(self._key(call), call.period)

    def _asked(self, call: _Call) -> Heard[Any] | BankingError:
        key = self._key(call)
        asked_at = clock.now()
        try:
            answer = call.ask()
        except (BankUnavailable, RateLimited) as error:
            return self._instead(call, error)
        except LinkExpired as error:
            self._shared.vault.expired(self._customer.id, key.bank_id, asked_at)
            self._shared.fresh.forget(self._customer.id, key.bank_id)
            return error
        except BankingError as error:
            return error
        heard = Heard(answer, clock.now(), call.period)
        self._shared.fresh.put(key, heard)
        self._shared.last_words.put(key, heard)
        return heard

    def _crowded_out(self, call: _Call) -> Heard[Any] | BankingError:
        bank_id = call.access.bank_id
        return self._instead(call, BankUnavailable("too many wait for it", bank_id=bank_id, code="busy", slow=True))

    def _instead(self, call: _Call, error: BankingError) -> Heard[Any] | BankingError:
        """What the bank said before, if that is young enough; else why there is nothing."""
        before = self._shared.last_words.get(self._key(call), call.kind, call.period)
        logger.info("bank %s not available (%s), repeating: %s", error.bank_id, error.code, before is not None)
        return before or error

    def _key(self, call: _Call) -> Key:
        return Key(self._customer.id, call.access.bank_id, call.item)

    def _enriched(
        self, accounts: tuple[Account, ...], period: Period, heard: Sequence[Heard[Any]]
    ) -> tuple[Transaction, ...]:
        """What was heard, enriched, cut to the period, newest first. The work is done once per set of answers."""
        sources = tuple(heard)
        key = Key(self._customer.id, "", "enriched")
        before = self._shared.fresh.get(key)
        if (
            before is not None
            and len(before.value[0]) == len(sources)
            and all(old is new for old, new in zip(before.value[0], sources, strict=True))
        ):
            enriched: tuple[Transaction, ...] = before.value[1]
        else:
            enriched = self._shared.enricher.enrich(_joined(sources), accounts)
            enriched = tuple(sorted(enriched, key=_when, reverse=True))
            self._shared.fresh.put(key, Heard((sources, enriched), clock.now()))
        # Newest first: what lies in the period stands together.
        first = bisect_left(enriched, -period.last_day.toordinal(), key=_days_back)
        return enriched[first : bisect_right(enriched, -period.start.toordinal(), key=_days_back)]


def _balances(access: Access, account: Account) -> Callable[[], tuple[Balances, ...]]:
    return lambda: (access.balances(account),)


def _history(access: Access, account: Account, period: Period) -> Callable[[], tuple[Transaction, ...]]:
    return lambda: access.transactions(account, period)


def _when(transaction: Transaction) -> Any:
    """The day; within a day the order the bank gave stays, because sorting is stable."""
    return transaction.date


def _days_back(transaction: Transaction) -> int:
    return -transaction.date.toordinal()


def _joined(heard: Sequence[Heard[Any]]) -> tuple[Any, ...]:
    return tuple(item for answer in heard for item in answer.value)


def _dated(value: T, heard: Sequence[Heard[Any]], problems: Sequence[BankingError]) -> Dated[T]:
    return Dated(
        value,
        as_of=min((answer.fetched_at for answer in heard), default=clock.now()),
        stale=any(answer.stale for answer in heard),
        problems=_one_per_bank(problems),
    )


def _one_per_bank(problems: Sequence[BankingError]) -> tuple[BankingError, ...]:
    """One bank that is down is one problem, however many of its accounts were asked for."""
    return tuple({(problem.bank_id, type(problem)): problem for problem in reversed(problems)}.values())[::-1]
