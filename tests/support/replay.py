"""The sandbox's 24 months lived through day by day, as a bank would show them: pending, posted, with new ids."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

from assistant.alerts.alert import Found
from assistant.alerts.detectors.ahead import spendable
from assistant.alerts.detectors.fraud import FraudDetector
from assistant.alerts.fraud.evidence import Evidence
from assistant.alerts.fraud.merchant import MerchantRisk
from assistant.alerts.fraud.rate import AlertRate
from assistant.alerts.fraud.score import Scorer
from assistant.alerts.fraud.starting import starting_chances
from assistant.alerts.kinds import AlertKind
from assistant.alerts.lookout import DAILY_DAYS, RECENT_DAYS, Lookout
from assistant.alerts.memory import Memory
from assistant.alerts.preferences import Preferences
from assistant.banking.account import Account, AccountKind, Balances
from assistant.banking.enrich import Enricher
from assistant.banking.money import Money
from assistant.banking.transaction import Transaction, TransactionStatus
from assistant.sandbox.customers import find
from assistant.sandbox.ledger import Bank, Item, Ledger
from assistant.sandbox.people import AccountSpec, Category

ZONE = "America/New_York"
_KINDS = {
    "CHECKING": AccountKind.CHECKING,
    "SAVINGS": AccountKind.SAVINGS,
    "CREDITCARD": AccountKind.CREDIT_CARD,
}
#: The one look of a day, in UTC: before midnight in New York. Every so many days it is the long one, to save time.
_LOOK = (3, 55)
_DAILY_EVERY = 4


class Merchants(dict[str, MerchantRisk]):
    """The Risks of the detector, in memory."""

    def of(self, merchant: str) -> MerchantRisk:
        return self.setdefault(merchant, MerchantRisk())


@dataclass(frozen=True)
class Told:
    """One alert and when it was found."""

    login: str
    at: datetime
    found: Found


@dataclass(frozen=True)
class Truth:
    """What only the bank's maker knows: "fraud", "duplicate", "refund", "price_rise"; under any id it has had."""

    login: str
    kind: str
    ids: frozenset[str]
    at: datetime
    merchant: str
    account: str


class Replay:
    """Several customers of one bank, one score for all, every fraud alert answered truthfully within the day."""

    def __init__(self, logins: tuple[str, ...], seed: int, per_thousand: float) -> None:
        self._bank = Bank(seed)
        self._logins = logins
        self._risks = Merchants()
        self.rate = AlertRate(per_thousand)
        scorer = Scorer(Evidence(starting_chances()))
        self._lookout = Lookout(FraudDetector(scorer, self.rate, self._risks))
        self._enricher = Enricher.load()
        self._memories = {login: Memory() for login in logins}
        self._known: dict[tuple[str, str], Transaction] = {}
        self._frauds: set[str] = set()
        self._told: set[tuple[str, AlertKind, str]] = set()
        #: What could be spent from each checking account at each look.
        self.balances: dict[tuple[str, str], list[tuple[datetime, Money]]] = {}

    def run(self, first: date, last: date) -> Iterator[Told]:
        """Watched from the day before ``first``, whose look is the first and finds nothing."""
        for number in range((last - first).days + 2):
            day = first + timedelta(days=number)
            moment = datetime(day.year, day.month, day.day, *_LOOK, tzinfo=timezone.utc)
            for login in self._logins:
                yield from self._look(login, moment, daily=number % _DAILY_EVERY == 0)

    def truths(self, last: datetime) -> list[Truth]:
        found = []
        for login in self._logins:
            ledger = self._bank.ledger(login, last)
            book = ledger._book
            for item in ledger.truths():
                entry = item.entry
                ids = frozenset({book.pending_id(entry), book.posted_id(entry)})
                found.append(Truth(login, entry.truth, ids, entry.happened, entry.held_descriptor, entry.account))
        return found

    def _look(self, login: str, moment: datetime, *, daily: bool) -> Iterator[Told]:
        ledger = self._bank.ledger(login, moment)
        accounts = [self._account(ledger, spec) for spec in ledger.accounts() if spec.kind in _KINDS]
        balances = dict(self._balances(ledger, login, moment))
        shown = self._shown(ledger, daily=daily)
        memory = self._memories[login]
        enriched = tuple(sorted(self._enricher.enrich(shown, accounts), key=lambda one: one.date, reverse=True))
        found = self._lookout.look(memory, accounts, enriched, balances, Preferences(), moment, ZONE, daily=daily)
        for each in found:
            # The outbox takes the same thing once (alerts.mark).
            if (login, each.kind, each.key) in self._told:
                continue
            self._told.add((login, each.kind, each.key))
            if each.kind is AlertKind.FRAUD:
                for one in each.transactions:
                    self._lookout.fraud.answered(memory, memory.seen.root_of(one), one.id in self._frauds)
            yield Told(login, moment, each)

    def _shown(self, ledger: Ledger, *, daily: bool) -> list[Transaction]:
        start = ledger.today - timedelta(days=DAILY_DAYS if daily else RECENT_DAYS)
        return [
            self._transaction(item, spec, ledger)
            for spec in ledger.accounts()
            if spec.kind in _KINDS
            for item in ledger.items(spec.key, start, ledger.today)
        ]

    def _transaction(self, item: Item, spec: AccountSpec, ledger: Ledger) -> Transaction:
        known = self._known.get((item.id, item.pending_id))
        if known is None:
            known = self._known[item.id, item.pending_id] = _transaction(item, spec, ledger)
            if item.entry.truth == "fraud":
                self._frauds.add(item.id)
        return known

    def _account(self, ledger: Ledger, spec: AccountSpec) -> Account:
        name = spec.nickname or spec.product
        id = f"sandbox:{ledger.person.account_id(spec.key)}"
        return Account(id, "sandbox", _KINDS[spec.kind], name, spec.currency, spec.mask)

    def _balances(self, ledger: Ledger, login: str, moment: datetime) -> Iterator[tuple[str, Balances]]:
        for spec in ledger.accounts():
            if spec.category is not Category.DEPOSIT:
                continue
            account = self._account(ledger, spec)
            cents = ledger.posted(spec.key) + ledger.held(spec.key)
            balances = Balances(account.id, available=Money(Decimal(cents) / 100, spec.currency))
            left = spendable(account, balances)
            if left is not None:
                self.balances.setdefault((login, account.id), []).append((moment, left))
            yield account.id, balances


def _transaction(item: Item, spec: AccountSpec, ledger: Ledger) -> Transaction:
    entry = item.entry
    foreign = Money(Decimal(entry.foreign_cents) / 100, entry.foreign_currency) if entry.foreign_currency else None
    return Transaction(
        id=item.id,
        account_id=f"sandbox:{ledger.person.account_id(spec.key)}",
        amount=Money(Decimal(entry.held if item.pending else entry.cents) / 100, spec.currency),
        date=entry.day,
        status=TransactionStatus.PENDING if item.pending else TransactionStatus.POSTED,
        description=entry.held_descriptor if item.pending else entry.descriptor,
        mcc=entry.mcc,
        payee=entry.payee,
        transacted_at=entry.happened,
        pending_id=item.pending_id,
        foreign_amount=foreign,
        check_number=entry.check,
    )


def planted(*logins: str) -> tuple[str, ...]:
    """Those who live the same days and have their cards misused besides. Raises LookupError for an unknown one."""
    names = tuple(f"{login}-planted" for login in logins)
    for name in names:
        if find(name) is None:
            raise LookupError(name)
    return names


def by_kind(told: list[Told]) -> Mapping[AlertKind, list[Told]]:
    found: dict[AlertKind, list[Told]] = {}
    for each in told:
        found.setdefault(each.found.kind, []).append(each)
    return found
