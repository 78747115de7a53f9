"""The question under discussion survives a slot, and a slot filled by hand cannot break it."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.banking.period import Grain, Period
from assistant.skills.focus import AccountRef, AmountRange, Direction, Focus, Order, Topic

words = st.text(max_size=20)
amounts = st.none() | st.decimals(min_value=0, max_value=10**9, places=2)


@st.composite
def focuses(draw: st.DrawFn) -> Focus:
    start = draw(st.dates(date(2000, 1, 1), date(2040, 1, 1)))
    days = draw(st.integers(1, 800))
    end = date.fromordinal(start.toordinal() + days)
    return Focus(
        topic=draw(st.sampled_from(Topic)),
        view=draw(words),
        account=AccountRef(draw(words), draw(words), draw(words)),
        merchant=draw(words),
        category=draw(words),
        period=draw(st.none() | st.just(Period(start, end, draw(st.sampled_from(Grain))))),
        amount=draw(st.none() | st.builds(AmountRange, amounts, amounts, words, st.booleans())),
        direction=draw(st.none() | st.sampled_from(Direction)),
        pending_only=draw(st.booleans()),
        order=draw(st.sampled_from(Order)),
        count=draw(st.none() | st.integers(1, 50)),
        shown=draw(st.integers(0, 1000)),
    )


@given(focuses())
def test_a_slot_gives_back_what_went_in(focus: Focus) -> None:
    assert Focus.from_slot(focus.to_slot()) == focus


@pytest.mark.parametrize(
    "slot",
    [
        None,
        "balances",
        7,
        [],
        {"topic": "everything"},
        {"topic": "spending", "period": ["2026-02-01", "2026-01-01", "month"]},
        {"topic": "spending", "period": ["yesterday"]},
        {"topic": "spending", "period": 5},
        {"topic": "spending", "amount": {"low": "much"}},
        {"topic": "spending", "amount": "5"},
        {"topic": "spending", "account": "checking"},
        {"topic": "spending", "count": "five"},
        {"topic": "spending", "direction": "up"},
    ],
)
def test_a_slot_filled_by_hand_reads_as_nothing_talked_about(slot: object) -> None:
    assert Focus.from_slot(slot) == Focus()


@pytest.mark.parametrize(
    ("bounds", "amount", "inside"),
    [
        (AmountRange(Decimal(50), None, strict=True), "-50", False),
        (AmountRange(Decimal(50), None, strict=True), "-50.01", True),
        (AmountRange(Decimal(50), None), "50", True),
        (AmountRange(None, Decimal(20), strict=True), "-20", False),
        (AmountRange(Decimal(10), Decimal(20)), "-15", True),
        (AmountRange(Decimal(10), Decimal(20)), "-20.01", False),
    ],
)
def test_an_amount_is_held_against_its_bounds_whatever_its_sign(bounds: AmountRange, amount: str, inside: bool) -> None:
    assert (Decimal(amount) in bounds) is inside
