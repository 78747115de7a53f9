"""The bank's books for one customer: every movement, when it happened and when it posts, and the running values."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from zoneinfo import ZoneInfo

from assistant.sandbox.people import AccountSpec, Category, Person

#: The bank keeps New York days.
ZONE = ZoneInfo("America/New_York")

_SETTLES = time(5, 30)


def instant(day: date, minutes: int) -> datetime:
    """``minutes`` after midnight of a bank day, in UTC."""
    local = datetime.combine(day, time(minutes // 60, minutes % 60), ZONE)
    return local.astimezone(timezone.utc)


def posting(day: date, lag: int) -> date:
    """The day a card purchase of ``day`` posts: ``lag`` days later, on a Monday when that is a weekend."""
    settles = day + timedelta(days=lag)
    return settles + timedelta(days=7 - settles.weekday() if settles.weekday() >= 5 else 0)


def posted_at(day: date) -> datetime:
    """When what posts on ``day`` does so, in UTC."""
    return instant(day, _SETTLES.hour * 60 + _SETTLES.minute)


def bank_day(moment: datetime) -> date:
    return moment.astimezone(ZONE).date()


@dataclass(frozen=True, slots=True)
class Entry:
    """One movement on one account.

    ``cents`` is signed from the customer's side (a card purchase is negative); ``held`` is what it shows while
    pending (before a tip). ``happened`` and ``posts`` are UTC; equal when it never is pending. ``linked`` says
    whether the posted item names the pending one. ``truth`` is what only the bank's maker knows of it: "fraud",
    "duplicate" (the second of two), "price_rise" (the first at a new price), "refund"; "" for any other. It is told
    to nobody but a test.
    """

    number: int
    account: str
    cents: int
    held: int
    happened: datetime
    posts: datetime
    day: date
    descriptor: str
    held_descriptor: str
    mcc: str = ""
    kind: str = ""
    payee: str = ""
    memo: str = ""
    check: str = ""
    foreign_cents: int = 0
    foreign_currency: str = ""
    linked: bool = True
    truth: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A card statement: ``balance`` and ``minimum`` are positive when owed. ``closed`` is UTC."""

    account: str
    closed: datetime
    day: date
    balance: int
    minimum: int
    due: date


class Book:
    """Entries in the order they happened. Adding never changes what is already there."""

    def __init__(self, person: Person, seed: int) -> None:
        self.person = person
        self.seed = seed
        self.entries: dict[str, list[Entry]] = {spec.key: [] for spec in person.accounts}
        self.statements: dict[str, list[Statement]] = defaultdict(list)
        self.posted: dict[str, int] = {spec.key: spec.opening for spec in person.accounts}
        self.pending: dict[str, int] = {spec.key: 0 for spec in person.accounts}
        self._settling: dict[date, list[Entry]] = defaultdict(list)

    def settle(self, day: date) -> None:
        """Post what was pending until this day."""
        for entry in self._settling.pop(day, ()):
            self.posted[entry.account] += entry.cents
            self.pending[entry.account] -= entry.held

    def free(self, account: str) -> int:
        """Posted less what pending purchases hold."""
        return self.posted[account] + min(0, self.pending[account])

    def add(
        self,
        day: date,
        account: str,
        cents: int,
        descriptor: str,
        *,
        minutes: int = 6 * 60 + 15,
        lag: int = 0,
        held: int | None = None,
        held_descriptor: str = "",
        mcc: str = "",
        kind: str = "",
        payee: str = "",
        memo: str = "",
        check: str = "",
        foreign: tuple[int, str] = (0, ""),
        linked: bool = True,
        truth: str = "",
    ) -> Entry:
        """``lag`` days later it posts (on a Monday when that is a weekend); 0 posts at once."""
        happened = instant(day, minutes)
        settles = posting(day, lag)
        entry = Entry(
            number=len(self.entries[account]),
            account=account,
            cents=cents,
            held=cents if held is None else held,
            happened=happened,
            posts=happened if lag == 0 else posted_at(settles),
            day=day,
            descriptor=descriptor,
            held_descriptor=held_descriptor or descriptor,
            mcc=mcc,
            kind=kind,
            payee=payee,
            memo=memo,
            check=check,
            foreign_cents=foreign[0],
            foreign_currency=foreign[1],
            linked=linked,
            truth=truth,
        )
        self.entries[account].append(entry)
        if lag == 0:
            self.posted[account] += cents
        else:
            self.pending[account] += entry.held
            self._settling[settles].append(entry)
        return entry

    def transfer(self, day: date, source: AccountSpec, target: AccountSpec, cents: int, *, minutes: int = 390) -> None:
        """Between own accounts: two entries, in balance."""
        self.add(
            day, source.key, -cents, f"ONLINE TRANSFER TO {_short(target)} ...{target.mask}",
            minutes=minutes, kind="TRANSFER",
        )  # fmt: skip
        self.add(
            day, target.key, cents, f"ONLINE TRANSFER FROM {_short(source)} ...{source.mask}",
            minutes=minutes, kind="TRANSFER",
        )  # fmt: skip

    def close_statement(self, day: date, spec: AccountSpec, due: date) -> None:
        owed = max(0, -self.posted[spec.key])
        minimum = min(owed, max(2_500, owed // 100 + owed * spec.rate // 120_000))
        self.statements[spec.key].append(Statement(spec.key, instant(day, 23 * 60 + 59), day, owed, minimum, due))

    def posted_id(self, entry: Entry) -> str:
        return self._id(entry, "posted")

    def pending_id(self, entry: Entry) -> str:
        return self._id(entry, "pending")

    def _id(self, entry: Entry, stage: str) -> str:
        text = f"{self.seed}/{self.person.login}/{entry.account}/{entry.number}/{stage}"
        return hashlib.blake2s(text.encode(), digest_size=10).hexdigest()


def _short(spec: AccountSpec) -> str:
    return {Category.DEPOSIT: "CHK" if spec.kind == "CHECKING" else "SAV", Category.LOC: "CARD"}.get(
        spec.category, "LOAN"
    )
