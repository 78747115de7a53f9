"""The sandbox's history: believable, deterministic, and in balance."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from datetime import date, datetime, timedelta, timezone
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.sandbox.book import Book, Entry, instant
from assistant.sandbox.bulk import WINDOW_DAYS, BulkHistory
from assistant.sandbox.customers import CUSTOMERS, find
from assistant.sandbox.history import EPOCH, History, business_day_after, business_day_before, on_month_day, price
from assistant.sandbox.ledger import LOOKBACK_DAYS, Bank
from assistant.sandbox.people import Category

TODAY = date(2026, 3, 15)
NOON = datetime(2026, 3, 15, 16, tzinfo=timezone.utc)
BANK = Bank(7)
LOGINS = sorted(CUSTOMERS)
instants = st.datetimes(datetime(2024, 2, 1), datetime(2026, 11, 30), timezones=st.just(timezone.utc))


def book(login: str, day: date = TODAY, seed: int = 7) -> Book:
    return History(CUSTOMERS[login], seed).through(day)


known = cache(book)


def recent(login: str, account: str, days: int = LOOKBACK_DAYS) -> list[Entry]:
    return [entry for entry in known(login).entries[account] if entry.day > TODAY - timedelta(days=days)]


@pytest.mark.parametrize("login", LOGINS)
def test_same_seed_and_date_give_the_same_books(login: str) -> None:
    assert book(login).entries == known(login).entries
    assert book(login).entries != book(login, seed=8).entries


@pytest.mark.parametrize("login", LOGINS)
def test_a_later_day_only_adds(login: str) -> None:
    history = History(CUSTOMERS[login], 7)
    before = {key: list(entries) for key, entries in history.through(TODAY).entries.items()}
    straight = known(login, TODAY + timedelta(days=40))
    later = history.through(TODAY + timedelta(days=40))
    for key, entries in before.items():
        assert later.entries[key][: len(entries)] == entries
    assert later.entries == straight.entries
    assert later.statements == straight.statements


@given(login=st.sampled_from(LOGINS), moment=instants)
@settings(max_examples=25, deadline=None)
def test_a_balance_is_the_opening_and_everything_posted(login: str, moment: datetime) -> None:
    ledger = BANK.ledger(login, moment)
    entries = known(login, date(2026, 12, 1)).entries
    for spec in ledger.accounts():
        running = spec.opening
        for entry in sorted(entries[spec.key], key=lambda entry: entry.posts):
            if entry.posts > ledger.now:
                break
            running += entry.cents
        assert ledger.posted(spec.key) == running


@given(login=st.sampled_from(LOGINS), moment=instants, hours=st.integers(1, 24 * 20))
@settings(max_examples=25, deadline=None)
def test_balances_move_by_exactly_the_items_shown_as_posted(login: str, moment: datetime, hours: int) -> None:
    before, after = BANK.ledger(login, moment), BANK.ledger(login, moment + timedelta(hours=hours))
    for spec in before.accounts():

        def shown(ledger: object, key: str = spec.key) -> dict[str, int]:
            return {item.id: item.cents for item in ledger.items(key) if not item.pending}  # type: ignore[attr-defined]

        had, has = shown(before), shown(after)
        fresh = [has[found] for found in has.keys() - had.keys()]
        assert after.posted(spec.key) - before.posted(spec.key) == sum(fresh)
        assert all(has[found] == had[found] for found in had.keys() & has.keys())


@given(login=st.sampled_from(LOGINS), moment=instants)
@settings(max_examples=25, deadline=None)
def test_nothing_from_the_future_shows_and_ids_are_unique(login: str, moment: datetime) -> None:
    ledger = BANK.ledger(login, moment)
    for spec in ledger.accounts():
        items = ledger.items(spec.key)
        assert all(item.entry.happened <= moment for item in items)
        assert len({item.id for item in items}) == len(items)
        assert list(items) == sorted(items, key=lambda i: (i.entry.happened, i.entry.number), reverse=True)
        assert all(item.pending == (item.entry.posts > ledger.now) for item in items)


def test_own_transfers_cancel_out() -> None:
    for login in LOGINS:
        ledger = known(login)
        moved = Counter[date]()
        for entries in ledger.entries.values():
            for entry in entries:
                if entry.descriptor.startswith("ONLINE TRANSFER"):
                    moved[entry.day] += entry.cents
        assert moved
        assert not any(moved.values())


def test_a_pending_item_posts_within_days_under_another_id_and_only_some_are_linked() -> None:
    linked = unlinked = 0
    for offset in range(0, 60, 2):
        early = BANK.ledger("maya", NOON - timedelta(days=offset))
        late = BANK.ledger("maya", NOON - timedelta(days=offset) + timedelta(days=5))
        posted = {item.entry.number: item for item in late.items("card")}
        for item in early.items("card"):
            if not item.pending:
                continue
            after = posted[item.entry.number]
            assert not after.pending
            assert after.id != item.id
            assert after.pending_id in {item.id, ""}
            assert timedelta(0) < item.entry.posts - item.entry.happened <= timedelta(days=5)
            linked, unlinked = linked + bool(after.pending_id), unlinked + (not after.pending_id)
    assert linked > 5
    assert unlinked > 5


def test_a_tip_makes_the_posted_amount_higher() -> None:
    tipped = [entry for entry in recent("maya", "card") if entry.held != entry.cents]
    assert tipped
    assert all(entry.cents < entry.held < 0 for entry in tipped)


@pytest.mark.parametrize(
    ("login", "account", "descriptor"),
    [
        ("maya", "checking", r"DES:PAYROLL"),
        ("maya", "checking", r"LARCH STREET PROPERTIES"),
        ("maya", "checking", r"^CON ED"),
        ("maya", "checking", r"^COMCAST CABLE COMM"),
        ("maya", "card", r"^SQ \*BLUE DOOR CAFE 0341"),
        ("maya", "card", r"^TST\* "),
        ("maya", "card", r"^AMZN Mktp US\*[A-Z0-9]{9}"),
        ("maya", "card", r"^PAYPAL \*SPOTIFY"),
        ("maya", "card", r"^UBER \*TRIP"),
        ("maya", "card", r"^FOREIGN TRANSACTION FEE"),
        ("maya", "card", r"REFUND$"),
        ("jordan", "checking", r"^OVERDRAFT ITEM FEE"),
        ("rivera", "travel", r"^INTEREST CHARGE"),
        ("rivera", "checking", r"^30-YEAR FIXED MORTGAGE PMT"),
        ("alex", "euro", r"^SEPA CREDIT"),
        ("alex", "studio", r"^INCOMING WIRE FEE"),
        ("alex", "tax", r"^IRS "),
    ],
)
def test_two_years_hold(login: str, account: str, descriptor: str) -> None:
    assert any(re.search(descriptor, entry.descriptor) for entry in recent(login, account))


@pytest.mark.parametrize("login", LOGINS)
def test_a_charge_came_twice_lately(login: str) -> None:
    account, _ = CUSTOMERS[login].duplicates or ("", "")
    entries = recent(login, account, 95)
    pairs = [
        (one, two)
        for one, two in itertools.pairwise(entries)
        if one.cents == two.cents
        and one.day == two.day
        and two.happened - one.happened == timedelta(minutes=2)
        and one.descriptor == two.descriptor
    ]
    assert pairs


def test_netflix_costs_more_since_the_last_rise() -> None:
    amounts = [-entry.cents for entry in recent("maya", "card", 365) if entry.descriptor.startswith("NETFLIX")]
    assert len(amounts) == 12
    assert amounts == sorted(amounts)
    assert len(set(amounts)) == 2


def test_foreign_purchases_carry_what_was_paid_abroad() -> None:
    abroad = [entry for entry in recent("maya", "card") if entry.foreign_currency == "EUR"]
    assert abroad
    assert all(0.9 < -entry.held / entry.foreign_cents < 1.3 for entry in abroad)


@pytest.mark.parametrize("login", LOGINS)
def test_money_stays_believable_for_years(login: str) -> None:
    grown = known(login, date(2030, 1, 1))
    for spec in CUSTOMERS[login].accounts:
        value = grown.posted[spec.key]
        if spec.category is Category.LOC:
            assert -spec.limit < value <= 0
        elif spec.category is Category.DEPOSIT:
            assert -60_000 < value < 6_000_000
        else:
            assert spec.opening <= value <= 0


def test_a_card_bill_is_the_statement_less_what_was_paid_since() -> None:
    ledger = BANK.ledger("rivera", NOON)
    spec = CUSTOMERS["rivera"].account("travel")
    bill = ledger.card_bill(spec)
    assert bill is not None
    closed = BANK.ledger("rivera", bill.statement.closed)
    assert bill.statement.balance == -closed.posted("travel")
    assert bill.next_due >= TODAY
    after = BANK.ledger("rivera", instant(bill.statement.due, 23 * 60)).card_bill(spec)
    assert after is not None
    assert after.minimum_left == 0


def test_prices_rise_once_a_year() -> None:
    netflix = next(bill for bill in CUSTOMERS["maya"].bills if bill.descriptor.startswith("NETFLIX"))
    assert price(netflix, date(2022, 9, 30)) == netflix.cents
    assert price(netflix, date(2022, 10, 1)) == netflix.cents + netflix.rise
    assert price(netflix, date(2026, 3, 1)) == netflix.cents + 4 * netflix.rise
    gym = next(bill for bill in CUSTOMERS["maya"].bills if bill.rise_month == 1)
    assert price(gym, EPOCH) == gym.cents


@given(day=st.dates(date(2022, 1, 1), date(2040, 12, 31)), number=st.integers(1, 31))
def test_days_stay_in_their_month_and_off_weekends(day: date, number: int) -> None:
    due = on_month_day(day, number)
    assert (due.year, due.month) == (day.year, day.month)
    assert business_day_before(due).weekday() < 5
    assert business_day_after(due).weekday() < 5
    assert business_day_after(due).month == due.month


@pytest.mark.parametrize("count", [1, 1_000, 10_000])
def test_a_bulk_customer_has_exactly_as_many_items_as_asked(count: int) -> None:
    ledger = BANK.ledger(f"bulk-{count}", NOON)
    items = ledger.items("checking")
    assert len(items) == count
    span = timedelta(days=WINDOW_DAYS + (WINDOW_DAYS if count == 1 else 1))
    assert all(NOON - span <= item.entry.happened <= NOON for item in items)


def test_a_bulk_history_only_grows() -> None:
    person = find("bulk-1000")
    assert person is not None
    history = BulkHistory(person, 7)
    before = list(history.through(TODAY).entries["checking"])
    assert history.through(TODAY + timedelta(days=1)).entries["checking"][: len(before)] == before


@pytest.mark.parametrize("login", ["", "nobody", "bulk-", "bulk-0", "bulk-007", "bulk-1000001", "bulk--5", "Maya"])
def test_there_is_nobody_else(login: str) -> None:
    assert find(login) is None
