"""Payments that come back, found from history."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given
from hypothesis import strategies as st
from support.fake_bank import TODAY, txn, usd

from assistant.banking.transaction import Transaction
from assistant.skills.series import Cadence, find_series


def charges(name: str, amounts: list[str], days: list[date], category: str = "streaming") -> list[Transaction]:
    return [txn(f"-{amount}", day, name, category=category) for amount, day in zip(amounts, days, strict=True)]


def each_month(day: int, count: int, *, last: date = TODAY) -> list[date]:
    first = last.replace(day=day)
    if first > last:
        first -= relativedelta(months=1)
    return [first - relativedelta(months=back) for back in reversed(range(count))]


def every(days: int, count: int, *, last: date) -> list[date]:
    return [last - timedelta(days=days * back) for back in reversed(range(count))]


def test_a_monthly_price() -> None:
    (found,) = find_series(charges("Netflix", ["15.49"] * 6, each_month(7, 6)), TODAY)
    assert found.cadence is Cadence.MONTHLY
    assert (found.amount, found.varies, found.active, found.owed) == (usd("15.49"), False, True, False)
    assert found.due == date(2026, 4, 7)
    assert found.rise is None


@pytest.mark.parametrize(
    ("days", "cadence"),
    [(7, Cadence.WEEKLY), (14, Cadence.BIWEEKLY), (91, Cadence.QUARTERLY), (365, Cadence.YEARLY)],
)
def test_every_so_many_days(days: int, cadence: Cadence) -> None:
    last = TODAY - timedelta(days=3)
    (found,) = find_series(charges("Box", ["20"] * 6, every(days, 6, last=last)), TODAY)
    assert found.cadence is cadence
    assert found.last < found.due <= last + timedelta(days=days + 2)


def test_twice_a_month_is_not_every_two_weeks() -> None:
    days = sorted(date(2025, month, day) for month in range(6, 13) for day in (15, 28))
    pay = [txn("1500", day, "Acme", category="income") for day in days]
    (found,) = find_series(pay, date(2026, 1, 2))
    assert found.cadence is Cadence.SEMIMONTHLY
    assert found.due == date(2026, 1, 15)


def test_weekends_and_short_months_move_a_payment_but_not_its_rhythm() -> None:
    days = [date(2025, 10, 31), date(2025, 12, 1), date(2025, 12, 31), date(2026, 2, 2), date(2026, 2, 27)]
    (found,) = find_series(charges("Gym", ["40"] * 5, days, "fitness"), TODAY)
    assert found.cadence is Cadence.MONTHLY
    assert found.active


def test_one_late_payment_does_not_move_the_day_expected() -> None:
    days = [*each_month(5, 6)[:-1], date(2026, 3, 9)]
    (found,) = find_series(charges("Rent", ["900"] * 6, days, "rent"), TODAY)
    assert found.due == date(2026, 4, 5)


def test_a_price_that_rose() -> None:
    (found,) = find_series(charges("Netflix", ["13.49"] * 5 + ["15.49"] * 3, each_month(7, 8)), TODAY)
    assert found.rise is not None
    assert (found.rise.old, found.rise.new, found.rise.since) == (usd("13.49"), usd("15.49"), date(2026, 1, 7))


def test_a_price_that_fell_is_no_rise() -> None:
    (found,) = find_series(charges("Netflix", ["15.49"] * 5 + ["13.49"] * 3, each_month(7, 8)), TODAY)
    assert found.rise is None


def test_a_heating_bill_varies() -> None:
    amounts = ["60", "75", "140", "180", "120", "90"]
    (found,) = find_series(charges("City Light", amounts, each_month(12, 6), "utilities"), TODAY)
    assert found.varies
    assert found.amount == usd(120)
    assert found.owed


def test_a_habit_is_not_a_series() -> None:
    assert not find_series(charges("Starbucks", ["5"] * 20, every(7, 20, last=TODAY), "coffee"), TODAY)
    varied = ["31", "45", "12", "80", "22", "64"]
    assert not find_series(charges("Hardware", varied, each_month(3, 6), "home"), TODAY)


def test_one_merchant_with_a_membership_and_purchases() -> None:
    prime = charges("Amazon", ["14.99"] * 6, each_month(20, 6), "shopping")
    prime = [txn(one.amount, one.date, "Amazon", category="subscriptions") for one in prime]
    other = charges(
        "Amazon", ["88", "140", "62.10"], [date(2026, 1, 2), date(2026, 1, 9), date(2026, 2, 27)], "shopping"
    )
    (found,) = find_series([*prime, *other], TODAY)
    assert found.amount == usd("14.99")


def test_a_duplicate_charge_is_no_second_subscription() -> None:
    days = each_month(7, 6)
    (found,) = find_series(charges("Netflix", ["15.49"] * 7, [*days, days[-1] + timedelta(days=1)]), TODAY)
    assert found.cadence is Cadence.MONTHLY


def test_what_stopped_is_not_active() -> None:
    (found,) = find_series(charges("Hulu", ["8"] * 6, each_month(7, 6, last=date(2026, 1, 10))), TODAY)
    assert not found.active


def test_a_late_one_is_due_at_once_and_then_in_turn() -> None:
    (found,) = find_series(charges("Gym", ["40"] * 6, each_month(10, 6, last=date(2026, 2, 28)), "fitness"), TODAY)
    assert found.due == date(2026, 3, 10)
    assert list(found.turns(TODAY, date(2026, 5, 1))) == [TODAY, date(2026, 4, 10)]
    assert list(found.turns(TODAY, date(2026, 5, 1), late=False)) == [date(2026, 4, 10)]


@given(st.integers(1, 28), st.lists(st.integers(-2, 2), min_size=4, max_size=24))
def test_monthly_with_jitter_is_found_whatever_the_day(day: int, jitter: list[int]) -> None:
    planned = each_month(day, len(jitter))
    days = [min(each + timedelta(days=moved), TODAY) for each, moved in zip(planned, jitter, strict=True)]
    (found,) = find_series(charges("Rent", ["900"] * len(days), days, "rent"), TODAY)
    assert found.cadence is Cadence.MONTHLY
    assert found.active


def test_a_regular_check_is_no_subscription() -> None:
    checks = [txn("-25", day, "Check", check_number=str(number)) for number, day in enumerate(each_month(3, 5))]
    (found,) = find_series(checks, TODAY)
    assert found.owed


@given(
    st.lists(
        st.builds(
            lambda cents, day, name: txn(Decimal(cents) / 100, day, name, category="other"),
            st.integers(-30_000, -1),
            st.dates(date(2024, 3, 15), TODAY),
            st.sampled_from(["A", "B"]),
        ),
        max_size=40,
    )
)
def test_any_history_gives_sound_series(history: list[Transaction]) -> None:
    for found in find_series(history, TODAY):
        assert found.amount.amount > 0
        assert found.due > found.last
        if found.rise:
            assert found.rise.old < found.rise.new
