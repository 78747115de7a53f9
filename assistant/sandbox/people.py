"""The sandbox bank's customers: who they are, what they earn, owe and pay. Frozen tables, all amounts in cents."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import partial


class Category(str, Enum):
    """FDX account categories served here."""

    DEPOSIT = "DEPOSIT_ACCOUNT"
    LOC = "LOC_ACCOUNT"
    LOAN = "LOAN_ACCOUNT"


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """An account and its rules.

    ``opening`` is the value at the start of history from the customer's side: negative is owed.
    ``rate`` is basis points a year. Cards: ``limit``, statement closes on ``closes``, is due on ``due`` of the
    following month and is paid from ``pays_from`` down to ``carry`` (0 pays in full). Loans: ``payment`` on ``due``,
    ``escrow`` of it for taxes and insurance.
    """

    category: Category
    kind: str
    key: str
    product: str
    mask: str
    opening: int
    nickname: str = ""
    currency: str = "USD"
    rate: int = 0
    limit: int = 0
    closes: int = 0
    due: int = 0
    pays_from: str = ""
    carry: int = 0
    payment: int = 0
    escrow: int = 0
    original: int = 0
    matures: date | None = None
    foreign_fee: bool = False


@dataclass(frozen=True, slots=True)
class Income:
    """Regular pay. ``every`` is "biweekly" (from ``anchor``) or "monthly" (on ``day``); a raise each January."""

    account: str
    cents: int
    descriptor: str
    every: str
    anchor: date = date(2022, 1, 7)
    day: int = 0
    raise_percent: int = 3
    kind: str = "DIRECTDEPOSIT"


@dataclass(frozen=True, slots=True)
class Invoices:
    """Uneven income: about ``weekly`` payments a week from a client, in whole dollars or euros."""

    account: str
    descriptor: str
    weekly: float
    low: int
    high: int
    fee: int = 0


@dataclass(frozen=True, slots=True)
class Bill:
    """Something due on a day of the month. ``rise`` is added every year on the first of ``rise_month``;
    ``spread`` is a random percentage either way; ``seasonal`` follows the weather; () months means all."""

    account: str
    day: int
    cents: int
    descriptor: str
    mcc: str = ""
    months: tuple[int, ...] = ()
    rise_month: int = 0
    rise: int = 0
    spread: int = 0
    seasonal: bool = False
    kind: str = "BILLPAYMENT"
    payee: str = ""
    foreign: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Habit:
    """A chance, each weekday and each weekend day, of one purchase in a group of shops."""

    account: str
    shops: str
    weekday: float
    weekend: float


@dataclass(frozen=True, slots=True)
class Move:
    """A transfer between own accounts on a day of the month."""

    source: str
    target: str
    day: int
    cents: int


@dataclass(frozen=True, slots=True)
class Exchange:
    """On a day of the month, what ``source`` holds above ``keep`` is changed into ``target``'s currency."""

    source: str
    target: str
    day: int
    keep: int


@dataclass(frozen=True, slots=True)
class Trip:
    """Each year, ``days`` days abroad from a date, two or so purchases a day."""

    account: str
    shops: str
    month: int
    day: int
    days: int


@dataclass(frozen=True, slots=True)
class Buffer:
    """Keeps checking between ``floor`` and ``cap`` by moving money from and to ``savings``; savings above
    ``savings_cap`` are invested elsewhere. All optional: 0 is off."""

    checking: str
    savings: str
    floor: int = 0
    cap: int = 0
    savings_cap: int = 0


@dataclass(frozen=True, slots=True)
class Person:
    login: str
    name: str
    accounts: tuple[AccountSpec, ...]
    incomes: tuple[Income, ...] = ()
    invoices: tuple[Invoices, ...] = ()
    bills: tuple[Bill, ...] = ()
    habits: tuple[Habit, ...] = ()
    moves: tuple[Move, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    trips: tuple[Trip, ...] = ()
    buffers: tuple[Buffer, ...] = ()
    duplicates: tuple[str, str] | None = None  #: (account, shop group) of the charge that sometimes comes twice
    bulk: int = 0  #: for a synthetic customer: how many transactions
    lives_as: str = ""  #: the login whose days this customer lives, too; "" for days of her own
    defrauded: bool = False  #: whether her card is misused now and then (see planted.py)

    def account(self, key: str) -> AccountSpec:
        return next(spec for spec in self.accounts if spec.key == key)

    @property
    def days_of(self) -> str:
        """The login that her days are drawn from."""
        return self.lives_as or self.login

    def account_id(self, key: str) -> str:
        """The bank's opaque id; the same whatever the seed."""
        return hashlib.blake2s(f"{self.login}/{key}".encode(), digest_size=12).hexdigest()


checking = partial(AccountSpec, Category.DEPOSIT, "CHECKING")
savings = partial(AccountSpec, Category.DEPOSIT, "SAVINGS")
card = partial(AccountSpec, Category.LOC, "CREDITCARD")
loan = partial(AccountSpec, Category.LOAN)
