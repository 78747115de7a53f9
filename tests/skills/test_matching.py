"""Filters leave exactly what was asked for; merchants are found as people write them."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_bank import account, eur, txn

from assistant.banking.account import AccountKind
from assistant.banking.period import Period
from assistant.skills.focus import AmountRange, Direction, Focus
from assistant.skills.matching import called, match, merchants, select

MINE = (
    "Starbucks", "Blue Door Cafe", "Comcast", "Costco", "Amazon", "Amazon Prime", "The Home Depot",
    "Trader Joe's", "Café Olé", "AT&T", "Target", "Whole Foods Market", "7-Eleven",
)  # fmt: skip


@pytest.mark.parametrize(
    ("said", "names"),
    [
        ("starbucks", {"Starbucks"}),
        ("star bucks", {"Starbucks"}),
        ("starbuks", {"Starbucks"}),
        ("blue door", {"Blue Door Cafe"}),
        ("comcast xfinity", {"Comcast"}),
        ("xfinity", {"Comcast"}),
        ("costko", {"Costco"}),
        ("amazon", {"Amazon"}),
        ("amazon prime", {"Amazon Prime"}),
        ("home depot", {"The Home Depot"}),
        ("trader joes", {"Trader Joe's"}),
        ("cafe ole", {"Café Olé"}),
        ("at&t", {"AT&T"}),
        ("AT and T", {"AT&T"}),
        ("whole foods", {"Whole Foods Market"}),
        ("7 eleven", {"7-Eleven"}),
    ],
)
def test_merchants_as_people_write_them(said: str, names: set[str]) -> None:
    assert match(said, MINE).names == names


def test_unknown_merchant_offers_the_likest() -> None:
    found = match("targus", MINE)
    assert not found.names or found.names == {"Target"}
    nothing = match("zzyzx", MINE)
    assert nothing.names == frozenset()
    assert nothing.nearest == ()
    near = match("blu dor", MINE)
    assert near.names == frozenset()
    assert near.nearest == ("Blue Door Cafe",)


@pytest.mark.parametrize("said", ["", "   ", "!!!", "🙂", "the"])
def test_words_that_name_nobody(said: str) -> None:
    assert match(said, MINE).names == frozenset()


CHECKING = account(AccountKind.CHECKING)
CARD = account(AccountKind.CREDIT_CARD)
ROWS = (
    txn("-4.50", "2026-03-14", "Blue Door Cafe", account=CARD, category="coffee", pending=True, id="cafe"),
    txn("-50", "2026-03-10", "Costco", account=CARD, category="groceries", id="costco"),
    txn("2500", "2026-03-01", "Acme Corp", account=CHECKING, category="income", id="pay"),
    txn("-80", "2026-02-12", "Comcast", account=CHECKING, category="internet_phone", id="comcast"),
    txn(eur("-70"), "2026-02-05", "Hotel Adlon", account=CARD, category="lodging", id="hotel"),
    txn("-25", "2026-02-02", "Zelle", account=CHECKING, category="transfer", id="jane", payee="Jane Roe"),
)


def ids(focus: Focus, accounts: tuple[object, ...] | None = None) -> list[str]:
    return [one.id for one in select(ROWS, focus, accounts)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("focus", "kept"),
    [
        (Focus(), ["cafe", "costco", "pay", "comcast", "hotel", "jane"]),
        (Focus(merchant="comcast"), ["comcast"]),
        (Focus(merchant="jane"), ["jane"]),
        (Focus(merchant="nobody"), []),
        (Focus(category="groceries"), ["costco"]),
        (Focus(category="food"), ["cafe", "costco"]),
        (Focus(category="no such thing"), []),
        (Focus(direction=Direction.IN), ["pay"]),
        (Focus(direction=Direction.OUT, pending_only=True), ["cafe"]),
        (Focus(amount=AmountRange(low=Decimal(50))), ["costco", "pay", "comcast", "hotel"]),
        (Focus(amount=AmountRange(low=Decimal(50), strict=True)), ["pay", "comcast", "hotel"]),
        (Focus(amount=AmountRange(low=Decimal(50), currency="USD")), ["costco", "pay", "comcast"]),
        (Focus(amount=AmountRange(Decimal(60), Decimal(75))), ["hotel"]),
        (Focus(period=Period.month_of(date(2026, 2, 1))), ["comcast", "hotel", "jane"]),
        (Focus(period=Period.month_of(date(2026, 3, 1)), direction=Direction.OUT, category="food"), ["cafe", "costco"]),
    ],
)
def test_filters(focus: Focus, kept: list[str]) -> None:
    assert ids(focus) == kept


def test_accounts_meant() -> None:
    assert ids(Focus(), (CHECKING,)) == ["pay", "comcast", "jane"]
    assert ids(Focus(), ()) == []


def test_a_merchant_outside_the_period_does_not_give_way_to_a_like_one() -> None:
    rows = (txn("-9", "2026-03-02", "Targets"), txn("-20", "2026-01-02", "Target"))
    assert select(rows, Focus(merchant="target", period=Period.month_of(date(2026, 3, 1)))) == ()


def test_a_merchant_she_never_met_is_called_by_its_own_name() -> None:
    assert called("star bucks", MINE) == "Starbucks"
    assert called("walmart", MINE) == "Walmart"
    assert called("maple leaf books", MINE) == "maple leaf books"


def test_a_payee_is_a_merchant_too() -> None:
    assert {"Jane Roe", "Zelle"} <= merchants(ROWS)


@given(
    st.lists(st.tuples(st.integers(-500, 500), st.integers(0, 60), st.sampled_from(MINE)), max_size=30),
    st.integers(0, 300),
    st.sampled_from([None, Direction.IN, Direction.OUT]),
)
def test_every_filter_only_takes_away(items: list[tuple[int, int, str]], low: int, direction: Direction | None) -> None:
    rows = tuple(txn(amount, date.fromordinal(date(2026, 1, 1).toordinal() + day), name) for amount, day, name in items)
    wide = Focus(direction=direction)
    narrow = wide.with_(amount=AmountRange(low=Decimal(low)))
    kept = select(rows, narrow)
    assert set(kept) <= set(select(rows, wide)) <= set(rows)
    assert all(abs(one.amount.amount) >= low for one in kept)
    assert [one for one in rows if one in kept] == list(kept)
