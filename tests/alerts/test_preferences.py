from __future__ import annotations

from datetime import datetime, time, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from support.stub_banks import StubBank, customers_with, linked

from assistant.alerts.kinds import KINDS, AlertKind
from assistant.alerts.preferences import NIGHT, PreferenceDesk, Preferences, QuietHours
from assistant.customers.service import Customers

NEW_YORK = "America/New_York"


@pytest.fixture
def customers(tmp_path: Path) -> Customers:
    return customers_with(tmp_path, StubBank("chase"))


def test_what_nobody_chose_is_the_kinds_own(customers: Customers) -> None:
    customer = linked(customers, "chase")
    chosen = PreferenceDesk(customers.storage).of(customer.id)
    assert [kind for kind in AlertKind if not chosen.is_on(kind)] == [AlertKind.EVERY_PURCHASE]
    assert chosen.threshold(AlertKind.LARGE_DEBIT) == KINDS[AlertKind.LARGE_DEBIT].threshold
    assert chosen.quiet == NIGHT and chosen.channels_for(AlertKind.FRAUD) == ()


def test_every_choice_is_kept_and_leaves_the_others(customers: Customers) -> None:
    customer, other = linked(customers, "chase"), linked(customers, "chase", sender="conversation-2")
    desk = PreferenceDesk(customers.storage)
    desk.switch(customer.id, AlertKind.WEEKLY_SUMMARY, on=False)
    desk.set_threshold(customer.id, AlertKind.EVERY_PURCHASE, Decimal("200.50"))
    desk.set_channels(customer.id, ("facebook", "web"))
    desk.set_channels(customer.id, ("web",), AlertKind.FEE)
    desk.set_quiet(customer.id, QuietHours(time(22, 30), time(7)))
    desk.set_cap(customer.id, 2)
    kept = PreferenceDesk(customers.storage).of(customer.id)
    assert not kept.is_on(AlertKind.WEEKLY_SUMMARY)
    assert kept.is_on(AlertKind.EVERY_PURCHASE) and kept.threshold(AlertKind.EVERY_PURCHASE) == Decimal("200.50")
    assert kept.channels_for(AlertKind.FEE) == ("web",)
    assert kept.channels_for(AlertKind.FRAUD) == ("facebook", "web")
    assert kept.quiet == QuietHours(time(22, 30), time(7)) and kept.per_day == 2
    assert desk.of(other.id) == Preferences()


def test_no_quiet_hours_is_a_choice_too(customers: Customers) -> None:
    customer = linked(customers, "chase")
    desk = PreferenceDesk(customers.storage)
    desk.set_quiet(customer.id, None)
    assert desk.of(customer.id).quiet is None


@pytest.mark.parametrize("amount", [Decimal(-1), Decimal("NaN"), Decimal("Infinity")])
def test_a_threshold_is_an_amount(customers: Customers, amount: Decimal) -> None:
    customer = linked(customers, "chase")
    with pytest.raises(ValueError, match="0 or more"):
        PreferenceDesk(customers.storage).set_threshold(customer.id, AlertKind.LARGE_DEBIT, amount)


def test_a_kind_without_an_amount_takes_none(customers: Customers) -> None:
    customer = linked(customers, "chase")
    with pytest.raises(ValueError, match="no threshold"):
        PreferenceDesk(customers.storage).set_threshold(customer.id, AlertKind.FRAUD, Decimal(5))


def test_what_was_chosen_is_sealed(customers: Customers, tmp_path: Path) -> None:
    customer = linked(customers, "chase")
    PreferenceDesk(customers.storage).set_threshold(customer.id, AlertKind.LARGE_DEBIT, Decimal("31415.92"))
    customers.storage.database.compact()
    assert b"31415" not in b"".join(path.read_bytes() for path in tmp_path.glob("tellerline.db*") if path.is_file())


@pytest.mark.parametrize(
    ("instant", "quiet", "over"),
    [
        ("2026-03-15T02:30", True, "2026-03-15T12:00"),  # 22:30 in New York: until 8:00 the next day
        ("2026-03-15T11:59", True, "2026-03-15T12:00"),
        ("2026-03-15T12:00", False, ""),
        ("2026-03-16T00:59", False, ""),
        ("2026-03-16T01:00", True, "2026-03-16T12:00"),
        # The night before the clocks go forward (2026-03-08): 21:00 to 8:00 is ten hours long.
        ("2026-03-08T02:00", True, "2026-03-08T12:00"),
    ],
)
def test_quiet_hours_are_on_her_clock(instant: str, quiet: bool, over: str) -> None:
    moment = datetime.fromisoformat(instant).replace(tzinfo=timezone.utc)
    assert NIGHT.covers(moment, NEW_YORK) is quiet
    if quiet:
        assert NIGHT.over_at(moment, NEW_YORK) == datetime.fromisoformat(over).replace(tzinfo=timezone.utc)


def test_quiet_hours_within_a_day() -> None:
    siesta = QuietHours(time(13), time(15))
    assert siesta.covers(datetime(2026, 3, 15, 18, tzinfo=timezone.utc), NEW_YORK)
    assert not siesta.covers(datetime(2026, 3, 15, 20, tzinfo=timezone.utc), NEW_YORK)
