"""A customer's bank held in memory: what skills are tested against, with short builders for what is in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timezone
from decimal import Decimal
from itertools import count
from typing import Any

from assistant.banking.account import Account, AccountKind, Balances
from assistant.banking.connector import CustomerProfile, Dated
from assistant.banking.errors import BankingError, ConsentRequired
from assistant.banking.money import Money
from assistant.banking.period import Period
from assistant.banking.purpose import Purpose
from assistant.banking.transaction import Transaction, TransactionStatus

TODAY = date(2026, 3, 15)

_numbers = count(1)


def usd(amount: str | int | Decimal) -> Money:
    return Money(Decimal(str(amount)), "USD")


def eur(amount: str | int | Decimal) -> Money:
    return Money(Decimal(str(amount)), "EUR")


def account(
    kind: AccountKind = AccountKind.CHECKING,
    name: str = "",
    *,
    id: str = "",
    mask: str = "",
    nickname: str = "",
    currency: str = "USD",
    bank_id: str = "demo",
    **more: Any,
) -> Account:
    """An account; its id is ``<bank id>:<id, else the kind>``."""
    return Account(
        id=f"{bank_id}:{id or kind.value}",
        bank_id=bank_id,
        kind=kind,
        name=name or kind.value.replace("_", " ").title(),
        currency=currency,
        mask=mask,
        nickname=nickname,
        **more,
    )


def txn(
    amount: str | int | Decimal | Money,
    day: date | str,
    merchant: str = "",
    *,
    account: Account | str = "demo:checking",
    category: str = "uncategorized",
    id: str = "",
    pending: bool = False,
    **more: Any,
) -> Transaction:
    """A transaction; negative is money out. ``merchant`` is the cleaned name."""
    return Transaction(
        id=id or f"t{next(_numbers)}",
        account_id=account if isinstance(account, str) else account.id,
        amount=amount if isinstance(amount, Money) else usd(amount),
        date=date.fromisoformat(day) if isinstance(day, str) else day,
        status=TransactionStatus.PENDING if pending else TransactionStatus.POSTED,
        description=more.pop("description", merchant.upper()),
        merchant=merchant,
        category=category,
        **more,
    )


class FakeBank:
    """Implements CustomerBank. ``asked`` records every call with its purpose (and period).

    ``refuse`` makes a purpose raise ConsentRequired, ``fail`` makes a method raise an error. ``stale`` and
    ``problems`` go into every answer. A balance that is not given is missing, as at a real bank.
    """

    def __init__(
        self,
        accounts: Iterable[Account] = (),
        balances: Mapping[str, Balances] | Iterable[Balances] = (),
        transactions: Iterable[Transaction] = (),
        *,
        profile: CustomerProfile | None = None,
        today: date = TODAY,
        names: Mapping[str, str] | None = None,
    ) -> None:
        self._accounts = tuple(accounts)
        given = balances.values() if isinstance(balances, Mapping) else balances
        self._balances = {one.account_id: one for one in given}
        self._transactions = tuple(sorted(transactions, key=lambda one: one.date, reverse=True))
        self._profile = profile or CustomerProfile()
        self._names = dict(names or {})
        self._refused: set[Purpose] = set()
        self._errors: dict[str, BankingError] = {}
        self.today = today
        self.as_of = datetime.combine(today, time(16), timezone.utc)
        self.stale = False
        self.problems: tuple[BankingError, ...] = ()
        self.asked: list[tuple[str, Purpose, Period | None]] = []

    @property
    def profile(self) -> CustomerProfile:
        return self._profile

    def refuse(self, *purposes: Purpose) -> FakeBank:
        self._refused.update(purposes)
        return self

    def fail(self, method: str, error: BankingError) -> FakeBank:
        self._errors[method] = error
        return self

    def purposes(self) -> set[Purpose]:
        return {purpose for _, purpose, _ in self.asked}

    def bank_name(self, bank_id: str) -> str:
        return self._names.get(bank_id, f"{bank_id.title()} Bank")

    def accounts(self, purpose: Purpose) -> Dated[tuple[Account, ...]]:
        self._gate("accounts", purpose)
        return self._dated(self._accounts)

    def balances(self, accounts: Sequence[Account]) -> Dated[Mapping[str, Balances]]:
        self._gate("balances", Purpose.BALANCES)
        return self._dated({one.id: self._balances[one.id] for one in accounts if one.id in self._balances})

    def transactions(
        self, period: Period, purpose: Purpose, accounts: Sequence[Account] | None = None
    ) -> Dated[tuple[Transaction, ...]]:
        self._gate("transactions", purpose, period)
        wanted = None if accounts is None else {one.id for one in accounts}
        return self._dated(
            tuple(
                one for one in self._transactions if one.date in period and (wanted is None or one.account_id in wanted)
            )
        )

    def _gate(self, method: str, purpose: Purpose, period: Period | None = None) -> None:
        self.asked.append((method, purpose, period))
        if purpose in self._refused:
            raise ConsentRequired(purpose)
        if method in self._errors:
            raise self._errors[method]

    def _dated(self, value: Any) -> Dated[Any]:
        return replace(Dated(value, self.as_of), stale=self.stale, problems=self.problems)
