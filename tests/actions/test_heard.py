"""Entities become typed values; nothing malformed gets through, and a follow-up changes only what was said."""

from datetime import date
from decimal import Decimal

import pytest

from actions.heard import MAX_COUNT, Heard
from assistant.banking.period import Period
from assistant.skills.focus import AccountRef, AmountRange, Direction, Focus, Order, Topic

TODAY = date(2026, 3, 15)
FEBRUARY = Period.month_of(date(2026, 2, 1))


def entity(name: str, value: object) -> dict[str, object]:
    return {"entity": name, "value": value}


def test_every_entity_is_read() -> None:
    heard = Heard.from_entities(
        [
            entity("account", {"kind": "credit_card", "last4": "4729", "name": ""}),
            entity("merchant", "  blue   door "),
            entity("category", "coffee"),
            entity("period", "last month"),
            entity("amount", {"low": "50.00", "high": None, "currency": "USD", "strict": True}),
            entity("direction", "out"),
            entity("status", "pending"),
            entity("order", "largest"),
            entity("count", 5),
        ]
    )
    assert heard == Heard(
        account=AccountRef("credit_card", "4729"),
        merchant="blue door",
        category="coffee",
        period="last month",
        amount=AmountRange(Decimal("50.00"), None, "USD", True),
        direction=Direction.OUT,
        pending_only=True,
        order=Order.LARGEST,
        count=5,
    )
    assert heard.resolve_period(TODAY, None) == (FEBRUARY, None)


@pytest.mark.parametrize(
    "bad",
    [
        entity("amount", {"low": "NaN"}),
        entity("amount", {"low": "Infinity", "high": None}),
        entity("amount", "fifty"),
        entity("amount", {"low": None, "high": None}),
        entity("amount", {"low": "x"}),
        entity("direction", "sideways"),
        entity("order", "prettiest"),
        entity("status", "posted"),
        entity("count", 0),
        entity("count", -3),
        entity("count", "lots"),
        entity("account", {}),
        entity("account", 7),
        entity("merchant", ""),
        entity("merchant", "x" * 81),
        entity("customer", "somebody else"),
        entity("focus", {"topic": "balances"}),
        {"value": "no name"},
    ],
)
def test_what_is_malformed_was_not_said(bad: dict[str, object]) -> None:
    assert Heard.from_entities([bad]) == Heard()


def test_the_first_sound_value_counts() -> None:
    heard = Heard.from_entities([entity("count", "x"), entity("count", 3), entity("count", 4)])
    assert heard.count == 3


def test_bounds_the_wrong_way_round_and_endless_lists_are_mended() -> None:
    heard = Heard.from_entities([entity("amount", {"low": "90", "high": "-10"}), entity("count", 10**9)])
    assert heard.amount == AmountRange(Decimal(10), Decimal(90))
    assert heard.count == MAX_COUNT


def test_a_payee_is_searched_for_like_a_merchant() -> None:
    assert Heard.from_entities([entity("payee", "Comcast")]).merchant == "Comcast"


def test_a_new_question_keeps_nothing() -> None:
    assert Heard(category="groceries").fresh(Topic.SPENDING, "total", FEBRUARY) == Focus(
        Topic.SPENDING, "total", category="groceries", period=FEBRUARY
    )


def test_a_follow_up_changes_only_what_was_said() -> None:
    before = Focus(Topic.SPENDING, "total", category="groceries", period=FEBRUARY, shown=5)
    assert Heard(category="restaurants").onto(before, None) == before.with_(category="restaurants", shown=0)
    assert Heard(merchant="Comcast").onto(before, None) == before.with_(merchant="Comcast", category="", shown=0)
    january = Period.month_of(date(2026, 1, 1))
    assert Heard(period="the month before").onto(before, january) == before.with_(period=january, shown=0)
    card = AccountRef(kind="card")
    assert Heard(account=card).onto(before, None) == before.with_(account=card, shown=0)


def test_the_month_before_is_counted_from_what_was_talked_about() -> None:
    heard = Heard(period="the month before")
    assert heard.resolve_period(TODAY, FEBRUARY)[0] == Period.month_of(date(2026, 1, 1))


def test_of_two_purposes_the_one_it_is_for_counts() -> None:
    heard = Heard.from_entities([entity("purpose", "transactions"), entity("purpose", "insights")])
    assert heard.purpose == "insights"


def test_a_bank_narrows_like_an_accounts_name() -> None:
    assert Heard.from_entities([entity("bank", "Chase")]).account == AccountRef(bank="Chase")


def test_the_landlord_is_who_the_rent_goes_to() -> None:
    heard = Heard.from_entities([entity("payee", "my landlord"), entity("period", "last year")])
    assert (heard.merchant, heard.category, heard.period) == ("", "rent", "last year")
