"""Wording: values are written as people write them, and nothing a value holds is read as a template."""

from datetime import date
from decimal import Decimal

import pytest

from assistant.banking.account import Account, AccountKind
from assistant.banking.connector import CustomerProfile
from assistant.banking.money import Money
from assistant.banking.period import Grain, Period
from assistant.replies.plain import plain
from assistant.replies.reply import Bar, Chart, Choice, Column, Listed, Literal, Percent, Phrase, Reply, Table
from assistant.replies.wording import MissingWording, Wording

TODAY = date(2026, 3, 15)
PROFILE = CustomerProfile()
CHECKING = Account("b:1", "b", AccountKind.CHECKING, "Everyday Checking", "USD", mask="4729")


@pytest.fixture(scope="module")
def wording() -> Wording:
    domain = Wording.load("domain.yml")
    own = {
        "utter_t": [{"text": "[{v}]"}],
        "utter_n": [{"text": "{count} things"}],
        "utter_n_one": [{"text": "one thing"}],
        "utter_s": [{"text": "see {v}"}, {"text": "hear {v}", "channel": "voice"}],
        "utter_choice_more": [{"text": "Show more"}],
    }
    extra = Wording.from_responses(own)
    return Wording({**domain.written, **extra.written}, {**domain.voice, **extra.voice})


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Money(Decimal("1203.5"), "USD"), "$1,203.50"),
        (Money(Decimal("-20"), "EUR"), "-€20.00"),
        (Money(Decimal("1200"), "JPY"), "¥1,200"),
        (date(2026, 3, 15), "today"),
        (date(2026, 3, 14), "yesterday"),
        (date(2026, 3, 16), "tomorrow"),
        (date(2026, 3, 3), "March 3"),
        (date(2025, 3, 3), "March 3, 2025"),
        (Percent(Decimal("24.990")), "24.99%"),
        (CHECKING, "Everyday Checking (…4729)"),
        (Listed((CHECKING, Literal("Visa"), "cash")), "Everyday Checking (…4729), Visa, and cash"),
        (Listed(("a", "b"), "or"), "a or b"),
        (Period.month_of(date(2026, 2, 3)), "in February 2026"),
        (Period.day_of(date(2026, 3, 3)), "on March 3"),
        (Period.day_of(TODAY), "today"),
        (Period(date(2025, 1, 1), date(2026, 1, 1), Grain.YEAR), "in 2025"),
        (Period(date(2025, 4, 1), date(2025, 7, 1), Grain.QUARTER), "in Q2 of 2025"),
        (Period(date(2026, 3, 1), date(2026, 3, 16), Grain.MONTH), "so far in March 2026"),
        (Period(date(2026, 3, 3), date(2026, 3, 11)), "from March 3 to March 10"),
        (1234567, "1,234,567"),
    ],
)
def test_values_are_written_as_people_write_them(wording: Wording, value: object, text: str) -> None:
    assert wording.phrase(Phrase("t", {"v": value}), wording.format(PROFILE, TODAY)) == f"[{text}]"


def test_a_value_is_never_a_template(wording: Wording) -> None:
    phrase = Phrase("t", {"v": Literal("{count} {v.__class__}")})
    assert wording.phrase(phrase, wording.format(PROFILE, TODAY)) == "[{count} {v.__class__}]"


def test_one_of_something_has_its_own_wording(wording: Wording) -> None:
    form = wording.format(PROFILE, TODAY)
    assert wording.phrase(Phrase("n", {"count": 1}), form) == "one thing"
    assert wording.phrase(Phrase("n", {"count": 2}), form) == "2 things"


def test_the_spoken_variation_is_used_for_speech_only(wording: Wording) -> None:
    reply = Reply((Phrase("s", {"v": CHECKING}),))
    assert wording.text(reply, PROFILE, TODAY) == "see Everyday Checking (…4729)"
    assert wording.speech(reply, PROFILE, TODAY) == "hear Everyday Checking ending in four seven two nine"


def test_a_missing_word_or_value_is_named(wording: Wording) -> None:
    with pytest.raises(MissingWording, match="utter_nowhere"):
        wording.text(Reply((Phrase("nowhere"),)), PROFILE, TODAY)
    with pytest.raises(MissingWording, match="not given: v"):
        wording.text(Reply((Phrase("t"),)), PROFILE, TODAY)


def test_plain_text_shows_bars_a_table_and_what_to_say_next(wording: Wording) -> None:
    bars = Chart(
        Phrase("t", {"v": "x"}),
        (Bar(Literal("Groceries"), Money(Decimal(200), "USD")), Bar(Literal("Gas"), Money(Decimal(50), "USD"))),
    )
    said = (Phrase("t", {"v": "x"}),)
    assert plain(Reply(said, chart=bars), wording, PROFILE, TODAY).splitlines() == [
        "[x]",
        "  Groceries  $200.00  " + "█" * 24,
        "  Gas         $50.00  " + "█" * 6,
    ]
    table = Table(
        (Column("date"), Column("amount", align_right=True)),
        ((date(2026, 3, 3), Money(Decimal(-5), "USD")), (TODAY, Money(Decimal(-1500), "USD"))),
    )
    assert plain(Reply(said, table=table, choices=(Choice("more"),)), wording, PROFILE, TODAY).splitlines() == [
        "[x]",
        "  March 3      -$5.00",
        "  today    -$1,500.00",
        "You can say: “Show more”",
    ]
