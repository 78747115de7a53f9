"""What the books show at one instant: which items are visible, which still pending, and the balances."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from assistant.sandbox.book import Book, Entry, Statement, bank_day
from assistant.sandbox.bulk import BulkHistory
from assistant.sandbox.customers import find
from assistant.sandbox.history import History, on_month_day
from assistant.sandbox.people import AccountSpec, Category, Person
from assistant.sandbox.planted import frauds

#: How far back the bank shows items.
LOOKBACK_DAYS = 730


@dataclass(frozen=True, slots=True)
class Item:
    """An entry as shown: pending or posted, under the id it has at that stage."""

    entry: Entry
    pending: bool
    id: str
    pending_id: str  #: on a posted item, the id it had while pending; "" when the bank does not say

    @property
    def cents(self) -> int:
        return self.entry.held if self.pending else self.entry.cents

    @property
    def descriptor(self) -> str:
        return self.entry.held_descriptor if self.pending else self.entry.descriptor


@dataclass(frozen=True, slots=True)
class CardBill:
    """The last statement and what is still asked for. Cents, positive when owed."""

    statement: Statement
    minimum_left: int
    next_due: date
    last_payment: int
    last_payment_day: date | None


class Ledger:
    """One customer's accounts as of ``now`` (aware, UTC)."""

    def __init__(self, person: Person, book: Book, now: datetime, besides: Sequence[Entry] = ()) -> None:
        """``besides``: entries that are not of the days the books were made from."""
        self.person = person
        self.now = now
        self._book = book
        self._every = {
            key: [*entries, *(entry for entry in besides if entry.account == key)] if besides else entries
            for key, entries in book.entries.items()
        }
        self._items: dict[str, tuple[Item, ...]] = {}
        self._ranges: dict[tuple[str, date | None, date | None], tuple[Item, ...]] = {}

    @property
    def today(self) -> date:
        return bank_day(self.now)

    def _visible(self, key: str) -> tuple[Item, ...]:
        if key not in self._items:
            self._items[key] = tuple(self._item(entry) for entry in self._shown(self._every[key]))
        return self._items[key]

    def _shown(self, entries: list[Entry]) -> list[Entry]:
        past = [entry for entry in entries if entry.happened <= self.now]
        past.sort(key=lambda entry: (entry.happened, entry.number), reverse=True)
        if self.person.bulk:
            return past[: self.person.bulk]
        oldest = self.today - timedelta(days=LOOKBACK_DAYS)
        return [entry for entry in past if entry.day >= oldest]

    def _item(self, entry: Entry) -> Item:
        if entry.posts > self.now:
            return Item(entry, True, self._book.pending_id(entry), "")
        was_pending = entry.posts > entry.happened and entry.linked
        return Item(entry, False, self._book.posted_id(entry), self._book.pending_id(entry) if was_pending else "")

    def truths(self) -> tuple[Item, ...]:
        """The items of which more is known than the bank says (see Entry.truth), oldest first. For tests."""
        known = [item for key in self._every for item in self._visible(key) if item.entry.truth]
        return tuple(sorted(known, key=lambda item: (item.entry.happened, item.entry.number)))

    def items(self, key: str, start: date | None = None, end: date | None = None) -> tuple[Item, ...]:
        """Newest first, by the bank day they happened, both ends included. A run of pages asks once."""
        found = self._ranges.get((key, start, end))
        if found is None:
            found = self._ranges[(key, start, end)] = tuple(
                item
                for item in self._visible(key)
                if (start is None or item.entry.day >= start) and (end is None or item.entry.day <= end)
            )
        return found

    def posted(self, key: str) -> int:
        """Cents; negative is owed or overdrawn."""
        spec = self.person.account(key)
        return spec.opening + sum(entry.cents for entry in self._every[key] if entry.posts <= self.now)

    def held(self, key: str) -> int:
        """What pending items take, as a negative number of cents. Pending credits are not counted on."""
        return sum(min(0, entry.held) for entry in self._every[key] if entry.happened <= self.now < entry.posts)

    def opening_of_day(self, key: str) -> int:
        today = self.today
        return self.posted(key) - sum(
            entry.cents for entry in self._every[key] if entry.posts <= self.now and bank_day(entry.posts) == today
        )

    def last_payment(self, key: str) -> Entry | None:
        payments = [e for e in self._every[key] if e.kind == "PAYMENT" and e.posts <= self.now]
        return payments[-1] if payments else None

    def card_bill(self, spec: AccountSpec) -> CardBill | None:
        closed = [s for s in self._book.statements[spec.key] if s.closed <= self.now]
        if not closed:
            return None
        last = closed[-1]
        paid = sum(
            e.cents for e in self._every[spec.key] if e.kind == "PAYMENT" and e.day > last.day and e.posts <= self.now
        )
        due = last.due
        if due < self.today:
            due = on_month_day((due.replace(day=1) + timedelta(days=32)).replace(day=1), spec.due)
        payment = self.last_payment(spec.key)
        return CardBill(
            last, max(0, last.minimum - paid), due, payment.cents if payment else 0, payment.day if payment else None
        )

    def loan_due(self, spec: AccountSpec) -> date:
        """The next payment's day, today included."""
        due = on_month_day(self.today, spec.due)
        if due >= self.today:
            return due
        return on_month_day((due.replace(day=1) + timedelta(days=32)).replace(day=1), spec.due)

    def accounts(self) -> tuple[AccountSpec, ...]:
        return self.person.accounts

    def by_id(self, account_id: str) -> AccountSpec | None:
        return next((s for s in self.person.accounts if self.person.account_id(s.key) == account_id), None)

    def is_paid_off(self, spec: AccountSpec) -> bool:
        return spec.category is Category.LOAN and self.posted(spec.key) >= 0


class Bank:
    """All customers' books, grown on demand, and the latest few views of them."""

    def __init__(self, seed: int = 7) -> None:
        self.seed = seed
        #: What else is on a customer's accounts: planted frauds, and purchases made while the bank runs.
        self.besides: list[Callable[[Person, datetime], Sequence[Entry]]] = [
            lambda person, now: frauds(person, self.seed, now.year)
        ]
        self._histories: dict[str, History | BulkHistory] = {}
        self._views: OrderedDict[tuple[str, datetime], Ledger] = OrderedDict()

    def ledger(self, login: str, now: datetime) -> Ledger:
        """Raises KeyError for an unknown customer. Views are to the second, so that a run of pages shares one."""
        now = now.replace(microsecond=0)
        view = self._views.get((login, now))
        if view is None:
            history = self._histories.get(login)
            if history is None:
                person = find(login)
                if person is None:
                    raise KeyError(login)
                history = BulkHistory(person, self.seed) if person.bulk else History(person, self.seed)
                self._histories[login] = history
            besides = [entry for source in self.besides for entry in source(history.person, now)]
            view = Ledger(history.person, history.through(bank_day(now)), now, besides)
            self._views[(login, now)] = view
            if len(self._views) > 16:
                self._views.popitem(last=False)
        else:
            self._views.move_to_end((login, now))
        return view

    def changed(self) -> None:
        """Something came that is not of the days: look again."""
        self._views.clear()
