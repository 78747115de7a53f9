"""Speech: values as people say them, and no wording of ours that could not be said aloud."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.banking.account import Account, AccountKind
from assistant.banking.connector import CustomerProfile
from assistant.banking.money import Money
from assistant.banking.period import Grain, Period
from assistant.nlu.numbers import read_number
from assistant.replies.reply import Listed, Literal, Percent, Phrase, Spelled
from assistant.replies.spoken import spoken
from assistant.replies.ssml import ssml
from assistant.replies.wording import Wording

#: A Thursday, so that two days ago is of this week and five days ago of the last.
TODAY = date(2026, 3, 19)
CHECKING = Account("b:1", "b", AccountKind.CHECKING, "Everyday Checking", "USD", mask="4729")
WORDING = Wording.load("domain.yml")
FORM = WORDING.format(CustomerProfile(), TODAY, spoken=True)
#: Responses that are never spoken: pages, and what is shown beside a text.
_NOT_SPOKEN = ("page_", "choice_", "column_", "chart_", "link_", "web_", "you_can_say")


def said(value: object) -> str:
    return FORM.phrase(Phrase("said_before", {"said": value}))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Money(Decimal("1203.5"), "USD"), "one thousand two hundred three dollars and fifty cents"),
        (Money(Decimal("1.01"), "USD"), "one dollar and one cent"),
        (Money(Decimal("0.99"), "USD"), "ninety-nine cents"),
        (Money(Decimal(0), "USD"), "zero dollars"),
        (Money(Decimal("-20"), "EUR"), "minus twenty euros"),
        (Money(Decimal("3.05"), "GBP"), "three pounds and five pence"),
        (Money(Decimal("12.5"), "CHF"), "twelve point five zero Swiss francs"),
        (Money(Decimal(1200), "JPY"), "one thousand two hundred Japanese yen"),
        (TODAY, "today"),
        (TODAY - timedelta(days=1), "yesterday"),
        (TODAY - timedelta(days=2), "Tuesday"),
        (TODAY - timedelta(days=6), "last Friday"),
        (TODAY - timedelta(days=7), "March twelfth"),
        (TODAY + timedelta(days=5), "Tuesday, March twenty-fourth"),
        (date(2025, 3, 3), "March third, twenty twenty-five"),
        (Percent(Decimal("24.990")), "twenty-four point nine nine percent"),
        (CHECKING, "Everyday Checking ending in four seven two nine"),
        (Listed((CHECKING, Literal("Visa"))), "Everyday Checking ending in four seven two nine and Visa"),
        (Listed(("a", "b", "c", "d", "e")), "a, b, c, and two more"),
        (Listed(("a", "b", "c", "d"), "or"), "a, b, c, or one more"),
        (Period.month_of(date(2026, 2, 3)), "in February"),
        (Period.month_of(date(2025, 2, 3)), "in February twenty twenty-five"),
        (Period(date(2025, 1, 1), date(2026, 1, 1), Grain.YEAR), "in twenty twenty-five"),
        (Period(date(2025, 4, 1), date(2025, 7, 1), Grain.QUARTER), "in the second quarter of twenty twenty-five"),
        (Period.day_of(date(2026, 3, 3)), "on March third"),
        (Period.day_of(TODAY - timedelta(days=2)), "on Tuesday"),
        (Period.day_of(TODAY - timedelta(days=6)), "last Friday"),
        (Period(date(2026, 3, 3), date(2026, 3, 11)), "from March third to March tenth"),
        (32, "thirty-two"),
        (Spelled("A7KQ34"), "A, seven, K, Q, three, four"),
    ],
)
def test_values_are_said_as_people_say_them(value: object, words: str) -> None:
    assert said(value) == words


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("AT&T", "AT and T"),
        ("SQ *BLUE BOTTLE #123", "SQ BLUE BOTTLE number one hundred twenty-three"),
        ("Amazon.com", "Amazon dot com"),
        ("see https://evil.example/?token=abc now", "see now"),
        ("Party 🎉🎉 Store ❤️", "Party Store"),
        ("My 401(k)", "My four oh one k"),
        ("Crème Brûlée", "Crème Brûlée"),
        ("Mom's “fun” (old)", "Mom's fun old"),
        ("<break time='9s'/>", "break time 'nine s'"),
    ],
)
def test_what_others_wrote_can_be_said(written: str, words: str) -> None:
    assert said(Literal(written)) == words


@given(st.text())
def test_nothing_unsayable_passes(text: str) -> None:
    words = spoken(text)
    assert not re.search(r"https?:|www\.|[0-9]", words, re.IGNORECASE)
    assert not any(unicodedata.category(one) in {"So", "Sk", "Cc", "Cf", "Co", "Cs", "Sm", "Sc"} for one in words)
    assert spoken(words) == words


@given(st.decimals(min_value=Decimal("-99999999"), max_value=Decimal("99999999"), places=2))
def test_an_amount_said_is_the_amount(amount: Decimal) -> None:
    words = said(Money(amount, "USD"))
    dollars = re.match(r"(?:minus )?(.+?) dollars?\b", words)
    cents = re.search(r"(?:^|minus |and )((?:[a-z-]+)) cents?$", words)
    total = (read_number(dollars[1]) if dollars else 0) + (read_number(cents[1]) if cents else 0) / Decimal(100)
    assert (-total if words.startswith("minus ") else total) == amount


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.dates(date(2024, 1, 1), date(2028, 12, 31)))
def test_no_two_days_of_a_year_are_said_alike(day: date, today: date) -> None:
    form = WORDING.format(CustomerProfile(), today, spoken=True)
    for other in (day - timedelta(days=7), day + timedelta(days=7), day + timedelta(days=1)):
        assert form.day(day) != form.day(other)


def test_every_wording_can_be_said() -> None:
    """By its spoken variation where the written one speaks of pages, typing or what is shown."""
    unsayable = re.compile(r"\b(?:typ(?:e|ed|ing)|tap|click|press|button|page|shown?|screen|link|url)\b|\(|https?:")
    found = {
        key: text
        for key, written in WORDING.written.items()
        if not key.startswith(_NOT_SPOKEN) and unsayable.search(text := WORDING.voice.get(key, written))
    }
    assert found == {}


@given(st.lists(st.text(), max_size=4), st.booleans())
def test_ssml_is_xml_that_says_what_was_given(parts: list[str], slow: bool) -> None:
    document = ElementTree.fromstring(ssml(parts, slow=slow))
    assert document.tag == "speak"
    valid = [re.sub("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", part) for part in parts]
    said = ["".join(sentence.itertext()) for sentence in document.iter("s")]
    # A parser reads every line end as \n (XML 1.0, section 2.11).
    lines = [part.replace("\r\n", "\n").replace("\r", "\n") for part in valid]
    assert said == [line for line, part in zip(lines, parts, strict=True) if part.strip()]


def test_no_text_becomes_markup() -> None:
    assert ssml(['</s><audio src="x"/>', "Tom & 'Jerry'"]) == (
        "<speak><s>&lt;/s&gt;&lt;audio src=&quot;x&quot;/&gt;</s>"
        '<break time="350ms"/><s>Tom &amp; &apos;Jerry&apos;</s></speak>'
    )
