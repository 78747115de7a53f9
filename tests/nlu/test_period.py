"""What people say for a stretch of time, and which days they mean."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.banking.period import Grain, Period
from assistant.nlu.period import LONGEST_YEARS, Problem, find, resolve

TODAY = date(2026, 3, 18)  # a Wednesday
PAYDAYS = (date(2026, 2, 27), date(2026, 3, 13), date(2026, 3, 27))

#: What is said; the first and the last day meant.
TABLE = {
    "today": ("2026-03-18", "2026-03-18"),
    "yesterday": ("2026-03-17", "2026-03-17"),
    "the day before yesterday": ("2026-03-16", "2026-03-16"),
    "last night": ("2026-03-17", "2026-03-17"),
    "this week": ("2026-03-16", "2026-03-22"),
    "last week": ("2026-03-09", "2026-03-15"),
    "past week": ("2026-03-12", "2026-03-18"),
    "the past month": ("2026-02-19", "2026-03-18"),
    "this month": ("2026-03-01", "2026-03-31"),
    "last month": ("2026-02-01", "2026-02-28"),
    "the month before last": ("2026-01-01", "2026-01-31"),
    "this quarter": ("2026-01-01", "2026-03-31"),
    "last quarter": ("2025-10-01", "2025-12-31"),
    "this year": ("2026-01-01", "2026-12-31"),
    "last year": ("2025-01-01", "2025-12-31"),
    "the last 10 days": ("2026-03-09", "2026-03-18"),
    "in the past three months": ("2025-12-19", "2026-03-18"),
    "last two weeks": ("2026-03-05", "2026-03-18"),
    "the last couple of days": ("2026-03-17", "2026-03-18"),
    "last 48 hours": ("2026-03-17", "2026-03-18"),
    "3 days ago": ("2026-03-15", "2026-03-15"),
    "two weeks ago": ("2026-03-02", "2026-03-08"),
    "a year ago": ("2025-03-01", "2025-03-31"),
    "two years ago": ("2024-01-01", "2024-12-31"),
    "since March": ("2026-03-01", "2026-03-18"),
    "since last tuesday": ("2026-03-17", "2026-03-18"),
    "since christmas": ("2025-12-25", "2026-03-18"),
    "since 2024": ("2024-01-01", "2026-03-18"),
    "from february on": ("2026-02-01", "2026-03-18"),
    "in March": ("2026-03-01", "2026-03-31"),
    "in may": ("2025-05-01", "2025-05-31"),
    "last march": ("2025-03-01", "2025-03-31"),
    "april 2025": ("2025-04-01", "2025-04-30"),
    "december of last year": ("2025-12-01", "2025-12-31"),
    "March 3rd": ("2026-03-03", "2026-03-03"),
    "march third": ("2026-03-03", "2026-03-03"),
    "the twenty first of february": ("2026-02-21", "2026-02-21"),
    "3/14/2025": ("2025-03-14", "2025-03-14"),
    "2025-12-24": ("2025-12-24", "2025-12-24"),
    "the 31st": ("2026-01-31", "2026-01-31"),
    "feb 29": ("2024-02-29", "2024-02-29"),
    "between the 3rd and the 10th": ("2026-03-03", "2026-03-10"),
    "between the 20th and the 3rd": ("2026-02-20", "2026-03-03"),
    "march 3rd to 10th": ("2026-03-03", "2026-03-10"),
    "from Christmas to New Year": ("2025-12-25", "2026-01-01"),
    "from november to february": ("2025-11-01", "2026-02-28"),
    "between march 2024 and may 2025": ("2024-03-01", "2025-05-31"),
    "monday to friday": ("2026-03-09", "2026-03-13"),
    "the first half of 2025": ("2025-01-01", "2025-06-30"),
    "the first week of february": ("2026-02-01", "2026-02-07"),
    "early march": ("2026-03-01", "2026-03-10"),
    "on Friday": ("2026-03-13", "2026-03-13"),
    "last wednesday": ("2026-03-11", "2026-03-11"),
    "over the weekend": ("2026-03-14", "2026-03-15"),
    "the weekend before last": ("2026-03-07", "2026-03-08"),
    "since payday": ("2026-03-13", "2026-03-18"),
    "last pay period": ("2026-02-27", "2026-03-12"),
    "before payday": ("2026-03-18", "2026-03-26"),
    "so far this month": ("2026-03-01", "2026-03-18"),
    "year to date": ("2026-01-01", "2026-03-18"),
    "Q2": ("2025-04-01", "2025-06-30"),
    "the second quarter of 2025": ("2025-04-01", "2025-06-30"),
    "fiscal 2025": ("2024-10-01", "2025-09-30"),
    "fiscal q1 2026": ("2025-10-01", "2025-12-31"),
    "last summer": ("2025-06-01", "2025-08-31"),
    "thanksgiving": ("2025-11-27", "2025-11-27"),
    "black friday": ("2025-11-28", "2025-11-28"),
    "the holidays": ("2025-11-27", "2026-01-01"),
    "twenty twenty five": ("2025-01-01", "2025-12-31"),
    "before march": ("2024-03-01", "2026-02-28"),
}


@pytest.mark.parametrize(("said", "meant"), TABLE.items())
def test_what_people_say(said: str, meant: tuple[str, str]) -> None:
    resolved = resolve(said, TODAY, paydays=PAYDAYS)
    assert resolved.problem is None
    assert resolved.period is not None
    assert (resolved.period.start.isoformat(), resolved.period.last_day.isoformat()) == meant


@pytest.mark.parametrize("said", TABLE)
def test_every_form_is_found_in_a_sentence(said: str) -> None:
    text = f"what did I buy {said} please"
    found = [text[span.start : span.end].lower() for span in find(text)]
    assert len(found) == 1
    assert resolve(found[0], TODAY, paydays=PAYDAYS) == resolve(said, TODAY, paydays=PAYDAYS)


MARCH = Period.month_of(date(2026, 3, 1))
OCTOBER = Period.month_of(date(2025, 10, 1))


@pytest.mark.parametrize(
    ("said", "base", "start", "last"),
    [
        ("the month before", OCTOBER, "2025-09-01", "2025-09-30"),
        ("and the month before?", MARCH, "2026-02-01", "2026-02-28"),
        ("the same month last year", OCTOBER, "2024-10-01", "2024-10-31"),
        ("the week after", Period(date(2025, 10, 6), date(2025, 10, 13), Grain.WEEK), "2025-10-13", "2025-10-19"),
        ("the previous one", Period(date(2026, 3, 1), date(2026, 3, 11)), "2026-02-19", "2026-02-28"),
        ("the year before", Period(date(2025, 1, 1), date(2026, 1, 1), Grain.YEAR), "2024-01-01", "2024-12-31"),
    ],
)
def test_follow_ups_start_from_what_is_talked_about(said: str, base: Period, start: str, last: str) -> None:
    period = resolve(said, TODAY, base=base).period
    assert period is not None
    assert (period.start.isoformat(), period.last_day.isoformat()) == (start, last)


@pytest.mark.parametrize(
    ("said", "problem", "has_period"),
    [
        ("next week", Problem.FUTURE, True),
        ("tomorrow", Problem.FUTURE, True),
        ("from 2025 to 2023", Problem.REVERSED, True),
        ("from march 10 to march 3", Problem.REVERSED, True),
        ("last 500 years", Problem.TOO_LONG, True),
        ("last 99999999999999 years", Problem.TOO_LONG, False),
        ("february 30th", Problem.UNKNOWN, False),
        ("when pigs fly", Problem.UNKNOWN, False),
        ("", Problem.UNKNOWN, False),
        ("since payday", Problem.NEEDS_PAYDAY, False),
        ("before payday", Problem.NEEDS_PAYDAY, False),
    ],
)
def test_what_cannot_be_taken_as_said(said: str, problem: Problem, has_period: bool) -> None:
    resolved = resolve(said, TODAY)
    assert resolved.problem is problem
    assert (resolved.period is not None) is has_period


def test_too_long_is_clipped_to_its_end() -> None:
    period = resolve("last 500 years", TODAY).period
    assert period is not None
    assert period.last_day == TODAY
    assert period.start.year == TODAY.year - LONGEST_YEARS


@pytest.mark.parametrize(
    "text", ["when do i get paid", "may i see my accounts", "the largest one", "what's my balance", "show the list"]
)
def test_sentences_without_time_have_none(text: str) -> None:
    assert find(text) == []


def test_two_times_that_are_compared_stay_two() -> None:
    text = "compare this month to last month"
    assert [text[span.start : span.end] for span in find(text)] == ["this month", "last month"]


days = st.dates(min_value=date(2005, 1, 1), max_value=date(2060, 12, 31))


@given(days, st.sampled_from(sorted(TABLE)))
def test_on_any_day_a_period_holds_and_ends_sanely(today: date, said: str) -> None:
    paydays = [today - timedelta(days=20), today - timedelta(days=6), today + timedelta(days=8)]
    resolved = resolve(said, today, paydays=paydays)
    if resolved.period is None:
        assert resolved.problem is not None
        return
    assert resolved.period.start < resolved.period.end
    if resolved.period.start > today:
        assert resolved.problem is Problem.FUTURE
    assert resolved.period.start >= resolved.period.end.replace(day=1) - timedelta(days=366 * LONGEST_YEARS + 31)


@given(days, st.sampled_from(["january", "april", "july", "on friday", "the 5th", "christmas", "q3", "summer"]))
def test_what_could_be_past_is_past(today: date, said: str) -> None:
    period = resolve(said, today).period
    assert period is not None
    assert period.start <= today


@given(days, st.integers(min_value=1, max_value=900))
def test_the_last_days_are_as_many_and_end_today(today: date, count: int) -> None:
    period = resolve(f"the last {count} days", today).period
    assert period is not None
    assert (period.days, period.last_day) == (count, today)


@given(days)
def test_months_of_a_year_follow_without_gap(today: date) -> None:
    base = resolve("last month", today).period
    assert base is not None
    before = resolve("the month before", today, base=base).period
    assert before is not None
    assert before.end == base.start


@given(st.text(max_size=200), days)
def test_any_text_is_answered(text: str, today: date) -> None:
    for span in find(text):
        assert 0 <= span.start < span.end <= len(text)
    resolved = resolve(text, today)
    assert resolved.period is not None or resolved.problem is not None
