"""Questions about spending, from a made-up year, with the words they are answered in."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fake_bank import TODAY, FakeBank, account, eur, txn, usd

from assistant.banking.account import AccountKind
from assistant.banking.categories import Categories
from assistant.banking.errors import BankUnavailable, ConsentRequired
from assistant.banking.money import Money
from assistant.banking.period import Grain, Period
from assistant.banking.purpose import Purpose
from assistant.banking.transaction import Transaction
from assistant.replies.wording import Wording, placeholders
from assistant.skills.focus import AccountRef, AmountRange, Direction, Focus, Outcome, Topic
from assistant.skills.spending import answer

WORDING = Wording.load("domain.yml")
CHECKING = account(mask="4729")
CARD = account(AccountKind.CREDIT_CARD, "Sapphire", mask="8810")
EURO = account(name="Euro", id="euro", currency="EUR")
MARCH = Period.month_of(TODAY)
FEBRUARY = MARCH.previous()


def bank(*transactions: Transaction) -> FakeBank:
    return FakeBank([CHECKING, CARD, EURO], [], transactions)


def text(outcome: Outcome, asked: FakeBank) -> str:
    return WORDING.text(outcome.reply, asked.profile, TODAY)


def speech(outcome: Outcome, asked: FakeBank) -> str:
    return WORDING.speech(outcome.reply, asked.profile, TODAY)


GROCERIES = txn("-80", "2026-03-02", "Safeway", category="groceries")
DINNER = txn("-45.50", "2026-03-07", "Lupa", category="restaurants", account=CARD)
RETURN = txn("20", "2026-03-08", "Safeway", category="groceries")
TAXI = txn("-12", "2026-03-14", "Uber", category="transport", account=CARD, pending=True)
LAST_MONTH = txn("-60", "2026-02-10", "Safeway", category="groceries")
PAY = txn("2000", "2026-03-13", "Acme", category="income")
CARD_PAYMENT = txn("-300", "2026-03-05", "Sapphire", category="card_payment", internal=True)
TO_SAVINGS = txn("-500", "2026-03-05", "Savings", category="transfer", internal=True)
ALL = (GROCERIES, DINNER, RETURN, TAXI, LAST_MONTH, PAY, CARD_PAYMENT, TO_SAVINGS)


def test_this_month_so_far_when_no_time_is_named() -> None:
    asked = bank(*ALL)
    outcome = answer(asked, Focus(), TODAY)
    assert text(outcome, asked) == (
        "You've spent $117.50 so far in March 2026. That's after $20.00 in refunds. $12.00 of it is still pending. "
        "Most of it: groceries ($60.00), restaurants ($45.50), and rides and transit ($12.00)."
    )
    assert outcome.focus == Focus(topic=Topic.SPENDING, view="total", period=MARCH)
    assert asked.purposes() == {Purpose.INSIGHTS}


def test_the_chart_and_the_table_hold_what_the_sentence_says() -> None:
    reply = answer(bank(*ALL), Focus(), TODAY).reply
    assert reply.chart is not None
    assert [bar.amount for bar in reply.chart.bars] == [usd(60), usd("45.50"), usd(12)]
    assert reply.table is not None
    assert [row[1] for row in reply.table.rows] == [usd(60), usd("45.50"), usd(12)]


def test_a_category_in_a_month_past() -> None:
    asked = bank(*ALL)
    outcome = answer(asked, Focus(category="groceries", period=FEBRUARY), TODAY)
    assert text(outcome, asked) == "You spent $60.00 on groceries in February 2026. That was one purchase."


def test_a_group_of_categories() -> None:
    asked = bank(*ALL)
    said = text(answer(asked, Focus(category="food"), TODAY), asked)
    assert said.startswith("You've spent $105.50 on food and drink so far in March 2026. That was 2 purchases.")
    assert said.endswith("Most of it: groceries ($60.00) and restaurants ($45.50).")


def test_a_merchant_and_an_account() -> None:
    asked = bank(*ALL)
    said = text(answer(asked, Focus(merchant="uber"), TODAY), asked)
    assert said.startswith("You've spent $12.00 at Uber so far in March 2026.")
    said = text(answer(asked, Focus(account=AccountRef(kind="card")), TODAY), asked)
    assert said.startswith("You've spent $57.50 from Sapphire (…8810) so far in March 2026.")


def test_amounts_in_a_range() -> None:
    asked = bank(*ALL)
    said = text(answer(asked, Focus(amount=AmountRange(low=Decimal(50), strict=True)), TODAY), asked)
    assert said.startswith("You've spent $80.00 in amounts over $50.00 so far in March 2026.")
    said = text(answer(asked, Focus(amount=AmountRange(low=Decimal("45.50"))), TODAY), asked)
    assert said.startswith("You've spent $125.50 in amounts of $45.50 or more so far in March 2026.")
    said = text(answer(asked, Focus(amount=AmountRange(low=Decimal(45), high=Decimal(50))), TODAY), asked)
    assert said.startswith("You've spent $45.50 in amounts from $45.00 to $50.00")


def test_an_unknown_merchant_is_said_and_the_likest_offered() -> None:
    asked = bank(*ALL)
    outcome = answer(asked, Focus(merchant="safari way"), TODAY)
    said = text(outcome, asked)
    assert said.startswith("I don't see any spending at safari way so far in March 2026.")
    assert "Did you mean Safeway" in said
    assert outcome.reply.choices[0].title == "spent_at"


def test_an_unknown_account_is_said() -> None:
    asked = bank(*ALL)
    outcome = answer(asked, Focus(account=AccountRef(last4="0000")), TODAY)
    assert outcome.reply.say[0].key == "account_unknown"
    assert {method for method, _, _ in asked.asked} == {"accounts"}


def test_currencies_are_never_added() -> None:
    asked = bank(*ALL, txn(eur("-30"), "2026-03-03", "Rewe", category="groceries", account=EURO))
    said = text(answer(asked, Focus(category="groceries"), TODAY), asked)
    assert said.startswith("You've spent $60.00 on groceries so far in March 2026. In other currencies: €30.00.")


def test_more_back_than_spent() -> None:
    asked = bank(RETURN)
    assert (
        text(answer(asked, Focus(), TODAY), asked)
        == "You've gotten back $20.00 more than you've spent so far in March 2026."
    )


def test_a_period_still_to_come() -> None:
    asked = bank(*ALL)
    outcome = answer(asked, Focus(period=Period(TODAY + timedelta(3), TODAY + timedelta(9))), TODAY)
    assert outcome.reply.say[0].key == "period_in_future"


def test_by_category_merchant_account_and_month() -> None:
    asked = bank(*ALL)
    assert "Most of it: groceries" in text(answer(asked, Focus(view="by_category"), TODAY), asked)
    assert "Safeway ($60.00), Lupa ($45.50), and Uber" in text(answer(asked, Focus(view="by_merchant"), TODAY), asked)
    assert "Checking (…4729) ($60.00) and Sapphire" in text(answer(asked, Focus(view="by_account"), TODAY), asked)
    months = answer(asked, Focus(view="by_month"), TODAY)
    assert months.reply.chart is not None
    assert [bar.amount for bar in months.reply.chart.bars] == [
        usd(each) for each in ("0", "0", "0", "0", "60", "117.50")
    ]
    assert "The highest was $117.50" in text(months, asked)


def test_the_top_two_only() -> None:
    reply = answer(bank(*ALL), Focus(view="by_merchant", count=2), TODAY).reply
    assert reply.table is not None
    assert len(reply.table.rows) == 2


def test_a_follow_up_by_category_on_one_category_splits_it_by_merchant() -> None:
    reply = answer(bank(*ALL), Focus(view="by_category", category="groceries", period=MARCH), TODAY).reply
    assert reply.say[0].key == "spent_so_far_of"


def test_card_payments_are_told_apart_from_spending() -> None:
    asked = bank(*ALL)
    said = text(answer(asked, Focus(category="card_payment"), TODAY), asked)
    assert said.startswith("You've paid $300.00 on card payments so far in March 2026. I don't count those as spending")


def test_income_leaves_refunds_and_own_moves_out() -> None:
    asked = bank(*ALL, txn("50", "2026-03-03", "Jo", category="transfer"))
    said = text(answer(asked, Focus(view="income", direction=Direction.IN), TODAY), asked)
    assert said == (
        "You've received $2,050.00 so far in March 2026. Most of it: $2,000.00 from Acme and $50.00 from Jo."
    )
    assert text(answer(asked, Focus(view="income", period=FEBRUARY), TODAY), asked) == (
        "I didn't find any income in February 2026."
    )


def test_income_from_one_payer_into_one_account() -> None:
    asked = bank(*ALL)
    focus = Focus(view="income", merchant="acme", account=AccountRef(kind="checking"))
    said = text(answer(asked, focus, TODAY), asked)
    assert said == ("You've received $2,000.00 from Acme into Checking (…4729) and Euro so far in March 2026.")


def test_fees_of_the_last_year_with_interest_apart() -> None:
    fees = [
        txn("-35", "2025-09-04", "Overdraft Fee", category="fees"),
        txn("-3", "2026-01-09", "ATM Fee", category="fees"),
        txn("-21.40", "2026-02-20", "Interest Charge", category="interest", account=CARD),
        txn("1.10", "2026-02-28", "Interest", category="interest"),
    ]
    asked = bank(*ALL, *fees)
    assert text(answer(asked, Focus(view="fees"), TODAY), asked) == (
        "You paid $38.00 in 2 bank fees from April 1, 2025 to March 15. Interest charges came to $21.40 on top."
    )
    said = text(answer(asked, Focus(view="fees", account=AccountRef(name="checking")), TODAY), asked)
    assert said == "You paid $38.00 in 2 bank fees on Checking (…4729) from April 1, 2025 to March 15."
    none = bank(*ALL)
    assert text(answer(none, Focus(view="fees", period=FEBRUARY), TODAY), none) == (
        "Good news: I don't see any bank fees in February 2026."
    )


def monthly(amounts: dict[int, str], day: int = 5, category: str = "groceries") -> list[Transaction]:
    """A purchase on ``day``, so many months before March."""
    first = TODAY.replace(day=day)
    return [
        txn(f"-{amount}", first - relativedelta(months=back), "Safeway", category=category)
        for back, amount in amounts.items()
    ]


YEAR = monthly({0: "150", 1: "100", 2: "120", 3: "80", 4: "100", 5: "110", 6: "2000"})
LATER = monthly(dict.fromkeys(range(1, 7), "300"), day=25, category="rent")


def test_compared_with_the_same_part_of_the_month_before_and_the_usual() -> None:
    asked = bank(*YEAR, *LATER)
    assert text(answer(asked, Focus(view="comparison"), TODAY), asked) == (
        "You've spent $150.00 so far in March 2026. That's $50.00 (50%) more than from February 1 to February 15, "
        "when it was $100.00. Your usual is $105.00 (the median of the 6 before), so you're $45.00 above it. "
        "The biggest change: groceries, up $50.00."
    )


def test_compared_with_a_whole_month_before() -> None:
    asked = bank(*YEAR, *LATER)
    outcome = answer(asked, Focus(view="comparison", period=FEBRUARY, category="groceries"), TODAY)
    assert text(outcome, asked).startswith(
        "You spent $100.00 on groceries in February 2026. That's $20.00 (17%) less than in January 2026"
    )
    assert speech(outcome, asked).startswith(
        "You spent one hundred dollars on groceries in February. "
        "That's twenty dollars less than in January, down seventeen percent."
    )


def test_too_little_history_is_said() -> None:
    asked = bank(GROCERIES)
    said = text(answer(asked, Focus(view="comparison"), TODAY), asked)
    assert (
        said
        == "You've spent $80.00 so far in March 2026. I don't have enough earlier history to say what's usual for you."
    )


def test_the_pace_of_this_month_and_where_it_leads() -> None:
    asked = bank(*YEAR, *LATER)
    assert text(answer(asked, Focus(view="pace"), TODAY), asked) == (
        "You've spent $150.00 so far in March 2026. That's $45.00 more than your usual $105.00 by this day "
        "(the median of the last 6 months). If the rest goes as usual, you'll end up at about $450.00 in March 2026."
    )


def test_the_average_month_counts_full_months_only() -> None:
    asked = bank(*YEAR, *LATER)
    said = text(answer(asked, Focus(view="average", category="rent"), TODAY), asked)
    assert said.startswith("You spend $300.00 a month on rent on average (6 full months, from September 2025")
    assert answer(asked, Focus(view="average"), TODAY).focus.period is None


def test_the_average_of_a_few_days_is_a_day() -> None:
    asked = bank(GROCERIES, DINNER)
    period = Period(date(2026, 3, 1), date(2026, 3, 11))
    said = text(answer(asked, Focus(view="average", period=period), TODAY), asked)
    assert said == "You spent $12.55 a day on average from March 1 to March 10."


def test_months_that_are_all_alike_are_said_to_be() -> None:
    asked = bank(*YEAR, *LATER)
    said = text(answer(asked, Focus(view="average", category="rent"), TODAY), asked)
    assert said.endswith("It was the same every month.")


def test_the_average_of_one_purchase() -> None:
    asked = bank(GROCERIES, LAST_MONTH, RETURN, DINNER)
    said = text(answer(asked, Focus(view="average_time", merchant="safeway"), TODAY), asked)
    assert said == "You've spent $70.00 at Safeway each time on average (2 times, from September 1, 2025 to March 15)."
    once = text(answer(asked, Focus(view="average_time", category="restaurants"), TODAY), asked)
    assert once.startswith("You've spent $45.50 on restaurants the one time I see, from")


def test_what_is_paid_for_a_home_is_no_purchase() -> None:
    asked = bank(*YEAR, *LATER)
    period = FEBRUARY.previous()
    said = text(answer(asked, Focus(category="rent", period=period), TODAY), asked)
    assert "That was one payment." in said


def test_nothing_then_and_nothing_now_is_said_as_nothing() -> None:
    asked = bank(*YEAR, *LATER)
    said = text(answer(asked, Focus(view="comparison", category="gas", period=MARCH, against=FEBRUARY), TODAY), asked)
    assert said == (
        "I don't see any spending on gas so far in March 2026. There was none from February 1 to February 15 either."
    )


def test_a_time_before_the_banks_memory_cannot_be_compared_with() -> None:
    asked = bank(txn("-80", "2025-06-02", "Safeway", category="groceries"))
    before = Period(date(2024, 1, 1), date(2025, 1, 1), Grain.YEAR)
    year = Period(date(2025, 1, 1), date(2026, 1, 1), Grain.YEAR)
    said = text(answer(asked, Focus(view="comparison", period=year, against=before), TODAY), asked)
    assert said == (
        "You spent $80.00 in 2025. I can't compare that with what you spent in 2024: "
        "what your bank shows me starts on June 2, 2025."
    )


def test_a_comparison_never_asks_for_more_than_two_years() -> None:
    asked = bank(*YEAR)
    answer(asked, Focus(view="comparison", period=Period(date(2025, 1, 1), date(2026, 1, 1), Grain.YEAR)), TODAY)
    (span,) = [period for method, _, period in asked.asked if method == "transactions"]
    assert span is not None
    assert span.start >= TODAY - relativedelta(months=24)


def test_what_the_answer_lacks_is_said() -> None:
    asked = bank(*ALL)
    asked.problems = (BankUnavailable(bank_id="demo"),)
    keys = [phrase.key for phrase in answer(asked, Focus(), TODAY).reply.say]
    assert "left_out_unavailable" in keys


@pytest.mark.parametrize("view", ["", "by_month", "comparison", "average", "pace", "fees", "income"])
def test_without_consent_there_is_no_answer(view: str) -> None:
    with pytest.raises(ConsentRequired):
        answer(bank(*ALL).refuse(Purpose.INSIGHTS), Focus(view=view), TODAY)


def test_every_category_and_group_has_a_name() -> None:
    categories = Categories.load()
    for each in [*(category.id for category in categories), *categories.groups]:
        assert f"term_category_{each}" in WORDING.written


def test_every_word_of_a_table_exists() -> None:
    asked = bank(*ALL, txn("-35", "2026-03-04", "Overdraft Fee", category="fees"))
    for view in VIEWS:
        table = answer(asked, Focus(view=view), TODAY).reply.table
        if table:
            assert {f"column_{column.title}" for column in table.columns} <= set(WORDING.written)
            # A spoken row is filled from the columns.
            row = WORDING.written[table.spoken_row]
            assert set(placeholders(row)) <= {column.title for column in table.columns}


ANY = st.builds(
    lambda cents, day, merchant, category, where, internal, pending: txn(
        Money(Decimal(cents) / 100, where.currency),
        day,
        merchant,
        account=where,
        category=category,
        internal=internal,
        pending=pending,
    ),
    st.integers(-50_000, 50_000),
    st.dates(date(2025, 6, 1), TODAY),
    st.sampled_from(["Safeway", "Lupa", "Uber", "Acme", ""]),
    st.sampled_from(
        ["groceries", "restaurants", "transport", "income", "interest", "fees", "refund", "uncategorized", "transfer"]
    ),
    st.sampled_from([CHECKING, CARD, EURO]),
    st.booleans(),
    st.booleans(),
)
VIEWS = [
    "total",
    "by_category",
    "by_merchant",
    "by_account",
    "by_month",
    "comparison",
    "average",
    "pace",
    "fees",
    "income",
]


def expected(transactions: list[Transaction], period: Period) -> dict[str, Decimal]:
    """Spending by its definition, written out once more."""
    sums: dict[str, Decimal] = {}
    for one in transactions:
        came_in = one.amount.amount > 0 and one.category in ("income", "interest", "transfer", "uncategorized")
        if one.date in period and not one.internal and not came_in:
            sums[one.amount.currency] = sums.get(one.amount.currency, Decimal(0)) - one.amount.amount
    return sums


@settings(max_examples=60)
@given(st.lists(ANY, max_size=25), st.sampled_from(["by_category", "by_merchant", "by_account"]))
def test_the_parts_add_up_to_the_total(transactions: list[Transaction], view: str) -> None:
    period = Period(date(2025, 6, 1), TODAY + timedelta(days=1))
    reply = answer(bank(*transactions), Focus(view=view, period=period), TODAY).reply
    sums: dict[str, Decimal] = {}
    for row in reply.table.rows if reply.table else ():
        amount = row[1]
        assert isinstance(amount, Money)
        sums[amount.currency] = sums.get(amount.currency, Decimal(0)) + amount.amount
    assert sums == expected(transactions, period)
    if reply.chart:
        bars = sum((bar.amount.amount for bar in reply.chart.bars), Decimal(0))
        assert bars == sums[reply.chart.bars[0].amount.currency]


@settings(max_examples=60)
@given(st.lists(ANY, max_size=25), st.dates(date(2025, 6, 2), TODAY))
def test_splitting_a_period_adds_up(transactions: list[Transaction], cut: date) -> None:
    whole = Period(date(2025, 6, 1), TODAY + timedelta(days=1))

    def spent_in(period: Period) -> Decimal:
        reply = answer(bank(*transactions), Focus(view="by_account", period=period), TODAY).reply
        amounts = [row[1] for row in reply.table.rows] if reply.table else []
        return sum((each.amount for each in amounts if isinstance(each, Money) and each.currency == "USD"), Decimal(0))

    assert spent_in(Period(whole.start, cut)) + spent_in(Period(cut, whole.end)) == spent_in(whole)


@settings(max_examples=80)
@given(
    st.lists(ANY, max_size=25),
    st.sampled_from(VIEWS),
    st.sampled_from(["", "groceries", "food", "fees", "income", "card_payment", "spaceships"]),
    st.sampled_from(["", "Uber", "nowhere"]),
    st.sampled_from(
        [None, FEBRUARY, MARCH, Period(date(2025, 9, 3), date(2025, 9, 9)), Period(date(2024, 1, 1), date(2027, 1, 1))]
    ),
)
def test_every_question_has_an_answer_in_words(
    transactions: list[Transaction], view: str, category: str, merchant: str, period: Period | None
) -> None:
    if category == "spaceships" and merchant:
        return
    asked = bank(*transactions)
    focus = Focus(view=view, category="" if category == "spaceships" else category, merchant=merchant, period=period)
    outcome = answer(asked, focus, TODAY)
    form = WORDING.format(asked.profile, TODAY)
    assert text(outcome, asked)
    assert speech(outcome, asked)
    for choice in outcome.reply.choices:
        assert WORDING.choice(choice, form)
    if outcome.reply.chart:
        assert form.phrase(outcome.reply.chart.title)


def test_compared_with_a_time_of_her_own_choosing() -> None:
    """ "More than last month?" asks about this one, so far, against the same days of that."""
    asked = bank(*YEAR, *LATER)
    outcome = answer(asked, Focus(view="comparison", period=MARCH, against=FEBRUARY), TODAY)
    assert "more than from February 1 to February 15, when it was $100.00" in text(outcome, asked)
    december = Period(date(2025, 12, 1), date(2026, 1, 1), Grain.MONTH)
    outcome = answer(asked, Focus(view="comparison", period=FEBRUARY, against=december), TODAY)
    assert "than in December 2025" in text(outcome, asked)


def test_interest_is_answered_without_fees() -> None:
    fee = txn("-35", "2026-03-02", "Overdraft Fee", category="fees")
    interest = txn("-4.20", "2026-03-03", "Interest Charge", category="interest", account=CARD)
    asked = bank(fee, interest)
    paid = answer(asked, Focus(view="fees", category="interest"), TODAY)
    assert text(paid, asked).startswith("You paid $4.20 in interest")
    asked = bank(fee)
    assert text(answer(asked, Focus(view="fees", category="interest"), TODAY), asked).startswith(
        "Good news: I don't see any interest charged"
    )


def test_the_average_of_a_week_and_of_a_day() -> None:
    asked = bank(*YEAR, *LATER)
    # September through February: 2,510 of groceries and 1,800 of rent in 181 days.
    assert "You spend $166.69 a week on average" in text(answer(asked, Focus(view="average_week"), TODAY), asked)
    assert "You spend $23.81 a day on average" in text(answer(asked, Focus(view="average_day"), TODAY), asked)


def test_income_against_spending() -> None:
    asked = bank(*ALL)
    assert text(answer(asked, Focus(view="net"), TODAY), asked) == (
        "You received $2,000.00 and spent $117.50 so far in March 2026, so you're $1,882.50 ahead."
    )
