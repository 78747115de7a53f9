"""Subscriptions, bills before payday, price rises and payday, with the words they are answered in."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from dateutil.relativedelta import relativedelta
from support.fake_bank import TODAY, FakeBank, account, eur, txn, usd

from assistant.banking.account import AccountKind, Balances
from assistant.banking.errors import BankUnavailable, ConsentRequired
from assistant.banking.period import Period
from assistant.banking.purpose import Purpose
from assistant.banking.transaction import Transaction
from assistant.replies.plain import plain
from assistant.replies.wording import Wording
from assistant.skills.focus import AccountRef, Focus, Outcome, Topic
from assistant.skills.recurring import answer

WORDING = Wording.load("domain.yml")
CHECKING = account(mask="4729")
CARD = account(AccountKind.CREDIT_CARD, "Sapphire", mask="8810")
CD = account(AccountKind.CD)


def monthly(name: str, amounts: list[str], day: int, category: str, *, last: date = TODAY) -> list[Transaction]:
    first = last.replace(day=day)
    if first > last:
        first -= relativedelta(months=1)
    days = [first - relativedelta(months=back) for back in reversed(range(len(amounts)))]
    return [txn(f"-{amount}", each, name, category=category) for amount, each in zip(amounts, days, strict=True)]


NETFLIX = monthly("Netflix", ["13.49"] * 5 + ["15.49"] * 3, 7, "streaming")
SPOTIFY = monthly("Spotify", ["11.99"] * 6, 20, "streaming")
RENT = monthly("Harbor Apartments", ["1850"] * 6, 18, "rent")
LIGHT = monthly("City Light", ["60", "75", "140", "180", "120", "90"], 24, "utilities")
PAY = [txn("2100", TODAY - timedelta(days=2 + 14 * back), "Acme", category="income") for back in range(8)]
COFFEE = [txn("-5", TODAY - timedelta(days=7 * back), "Starbucks", category="coffee") for back in range(20)]
TO_SAVINGS = [
    txn("-500", TODAY - relativedelta(months=back), "Savings", category="transfer", internal=True) for back in range(6)
]
ALL = [*NETFLIX, *SPOTIFY, *RENT, *LIGHT, *PAY, *COFFEE, *TO_SAVINGS]
BALANCES = [
    Balances(CHECKING.id, current=usd(2500), available=usd(2400)),
    Balances(CARD.id, owed=usd(800), minimum_payment=usd(35), next_payment_date=date(2026, 3, 22)),
    Balances(CD.id, current=usd(9000), available=usd(9000)),
]


def bank(*transactions: Transaction, balances: list[Balances] = BALANCES) -> FakeBank:
    return FakeBank([CHECKING, CARD, CD], balances, transactions or ALL)


def text(outcome: Outcome, asked: FakeBank) -> str:
    return WORDING.text(outcome.reply, asked.profile, TODAY)


def test_subscriptions_with_their_monthly_cost() -> None:
    asked = bank()
    outcome = answer(asked, Focus(view="subscriptions"), TODAY)
    assert text(outcome, asked) == "You have 2 subscriptions, about $27.48 a month in all."
    assert outcome.focus == Focus(topic=Topic.RECURRING, view="subscriptions")
    assert outcome.reply.table is not None
    assert [row[1] for row in outcome.reply.table.rows] == [usd("15.49"), usd("11.99")]
    shown = plain(outcome.reply, WORDING, asked.profile, TODAY)
    assert "Netflix  $15.49  every month  April 7" in shown
    assert asked.purposes() == {Purpose.INSIGHTS}


def test_one_merchant() -> None:
    asked = bank()
    assert text(answer(asked, Focus(view="subscriptions", merchant="netflix"), TODAY), asked) == (
        "You pay Netflix $15.49 every month. The next one should be April 7. "
        "Netflix went up from $13.49 to $15.49 (first charged January 7). That's $24.00 more a year."
    )
    assert text(answer(asked, Focus(view="subscriptions", merchant="hulu tv"), TODAY), asked) == (
        "I don't see any regular payments to hulu tv."
    )


def test_a_category_takes_bills_in() -> None:
    asked = bank()
    said = text(answer(asked, Focus(view="subscriptions", category="bills"), TODAY), asked)
    assert said == "You have 2 regular payments like that, about $1,970.00 a month in all."


def test_what_stopped_lately_is_said() -> None:
    asked = bank(*ALL, *monthly("Hulu", ["8"] * 6, 7, "streaming", last=date(2026, 1, 10)))
    assert text(answer(asked, Focus(), TODAY), asked).endswith("It looks like Hulu has stopped.")


def test_no_subscriptions() -> None:
    asked = bank(*COFFEE)
    assert text(answer(asked, Focus(), TODAY), asked) == "I don't see any subscriptions in the last two years."


def test_bills_before_payday_against_what_is_available() -> None:
    asked = bank()
    outcome = answer(asked, Focus(view="bills"), TODAY)
    assert text(outcome, asked) == (
        "You have 4 payments coming before payday (March 27), about $2,016.99 in all. "
        "That counts the minimum payment on Sapphire (…8810). "
        "You have $2,400.00 available in Checking (…4729), so about $383.01 would be left."
    )
    assert outcome.reply.table is not None
    assert [row[2] for row in outcome.reply.table.rows] == [date(2026, 3, day) for day in (18, 20, 22, 24)]


def test_bills_that_are_not_covered() -> None:
    asked = bank(balances=[Balances(CHECKING.id, available=usd(1000))])
    assert text(answer(asked, Focus(view="bills"), TODAY), asked).endswith(
        "You have $1,000.00 available in Checking (…4729), so you'd be about $981.99 short."
    )


def test_without_consent_to_balances_the_comparison_is_left_out() -> None:
    asked = bank().refuse(Purpose.BALANCES)
    assert text(answer(asked, Focus(view="bills"), TODAY), asked) == (
        "You have 3 payments coming before payday (March 27), about $1,981.99 in all."
    )


def test_a_balance_that_is_missing_is_not_nothing() -> None:
    asked = bank(balances=[Balances(CHECKING.id, available=None)])
    assert "available" not in text(answer(asked, Focus(view="bills"), TODAY), asked)


def test_bills_without_a_regular_payday() -> None:
    asked = bank(*RENT, txn("900", "2026-01-03", "Client", category="income"))
    assert text(answer(asked, Focus(view="bills"), TODAY), asked).startswith(
        "I don't see a regular payday, so I looked two weeks ahead: "
        "2 payments through March 28, about $1,885.00 in all."
    )


def test_bills_of_a_time_named() -> None:
    asked = bank()
    said = text(answer(asked, Focus(view="bills", period=Period(TODAY, date(2026, 4, 1))), TODAY), asked)
    assert said.startswith("You have 4 payments coming through March 31, about")


def test_no_bills() -> None:
    asked = bank(*PAY, balances=[])
    assert text(answer(asked, Focus(view="bills"), TODAY), asked) == (
        "I don't see any regular payments coming before payday (March 27)."
    )


def test_bills_in_two_currencies_stay_apart() -> None:
    euro = [txn(eur("-29"), one.date, "Kasse", category="insurance") for one in RENT]
    asked = bank(*RENT, *PAY, *euro, balances=[])
    assert "about $1,850.00 and €29.00 in all" in text(answer(asked, Focus(view="bills"), TODAY), asked)


def test_price_rises() -> None:
    asked = bank()
    assert text(answer(asked, Focus(view="price_rises"), TODAY), asked) == (
        "Netflix went up from $13.49 to $15.49 (first charged January 7). That's $24.00 more a year."
    )
    more = bank(*ALL, *monthly("Gym", ["40"] * 4 + ["44"] * 3, 3, "fitness"))
    outcome = answer(more, Focus(view="price_rises"), TODAY)
    assert text(outcome, more) == (
        "2 of your regular payments have gone up since March 15, 2025. Together that's about $72.00 more a year. "
        "The most: Gym, $48.00 more a year."
    )
    none = bank(*SPOTIFY)
    assert text(answer(none, Focus(view="price_rises"), TODAY), none) == (
        "Good news: none of your regular payments have gone up since March 15, 2025."
    )


def test_payday() -> None:
    asked = bank()
    assert text(answer(asked, Focus(view="payday"), TODAY), asked) == (
        "Your next payday should be March 27: $2,100.00 from Acme, paid every two weeks."
    )


def test_two_incomes_the_next_one_counts() -> None:
    monthly_pay = [
        txn("4000", date(2026, 3, 25) - relativedelta(months=back), "School", category="income") for back in range(1, 7)
    ]
    asked = bank(*ALL, *monthly_pay)
    assert text(answer(asked, Focus(view="payday"), TODAY), asked) == (
        "Your next payday should be March 25: $4,000.00 from School, paid every month. "
        "Then there's $2,100.00 from Acme, expected March 27."
    )
    assert "before payday (March 25)" in text(answer(asked, Focus(view="bills"), TODAY), asked)


def test_payday_that_is_late() -> None:
    asked = bank(*[txn("2100", one.date - timedelta(days=14), "Acme", category="income") for one in PAY])
    assert text(answer(asked, Focus(view="payday"), TODAY), asked) == (
        "Your $2,100.00 from Acme was expected March 13 and I don't see it yet. It's usually paid every two weeks."
    )


def test_uneven_income_has_no_payday() -> None:
    days = [date(2026, 3, 1), date(2026, 2, 20), date(2026, 1, 2), date(2025, 12, 29), date(2025, 11, 1)]
    asked = bank(*[txn("900", day, "Client", category="income") for day in days])
    assert text(answer(asked, Focus(view="payday"), TODAY), asked) == (
        "I don't see regular pay in the last two years of your accounts."
    )


def test_an_unknown_account() -> None:
    assert answer(bank(), Focus(account=AccountRef(last4="0000")), TODAY).reply.say[0].key == "account_unknown"


def test_what_the_answer_lacks_is_said() -> None:
    asked = bank()
    asked.problems = (BankUnavailable(bank_id="demo"),)
    for view in ("subscriptions", "bills", "price_rises", "payday"):
        keys = [phrase.key for phrase in answer(asked, Focus(view=view), TODAY).reply.say]
        assert "left_out_unavailable" in keys


@pytest.mark.parametrize("view", ["subscriptions", "bills", "price_rises", "payday"])
def test_without_consent_there_is_no_answer(view: str) -> None:
    with pytest.raises(ConsentRequired):
        answer(bank().refuse(Purpose.INSIGHTS), Focus(view=view), TODAY)


@pytest.mark.parametrize("view", ["subscriptions", "bills", "price_rises", "payday"])
def test_every_reply_can_be_spoken_and_shown(view: str) -> None:
    asked = bank(*ALL, *monthly("Gym", ["40"] * 4 + ["44"] * 3, 3, "fitness"))
    outcome = answer(asked, Focus(view=view), TODAY)
    assert WORDING.speech(outcome.reply, asked.profile, TODAY)
    assert plain(outcome.reply, WORDING, asked.profile, TODAY)
    table = outcome.reply.table
    if table:
        names = {column.title for column in table.columns}
        for key in names:
            assert f"column_{key}" in WORDING.written
        assert table.spoken_row in WORDING.written


def test_checks_alike_are_no_subscription() -> None:
    """Who a check went to the bank does not say, whether it gives a number or only words."""
    checks = [
        txn("-25", TODAY - relativedelta(months=back), "Check", description=f"CHECK {1001 + back}") for back in range(3)
    ]
    asked = bank(*checks)
    assert "Check" not in plain(answer(asked, Focus(), TODAY).reply, WORDING, asked.profile, TODAY)


def test_enough_for_what_comes_next() -> None:
    asked = bank()
    said = text(answer(asked, Focus(view="afford", category="rent"), TODAY), asked)
    assert said.startswith("Yes. You have $2,400.00 available in Checking (…4729), so about $550.00 would be left.")
    assert "You pay Harbor Apartments $1,850.00 every month. The next one should be March 18." in said
    poor = bank(balances=[Balances(CHECKING.id, current=usd(100), available=usd(90))])
    said = text(answer(poor, Focus(view="afford", category="rent"), TODAY), poor)
    assert said.startswith("Not yet. You have $90.00 available in Checking (…4729), so you'd be about $1,760.00 short.")
    assert text(answer(asked, Focus(view="afford", category="childcare"), TODAY), asked).startswith("I don't see")


def test_bills_of_days_to_come() -> None:
    asked = bank()
    period = Period(TODAY + timedelta(days=1), TODAY + timedelta(days=6))
    said = text(answer(asked, Focus(view="bills", period=period), TODAY), asked)
    assert said.startswith("You have 2 payments coming from March 16 to March 20")


def test_the_price_of_what_is_not_paid_has_not_gone_up() -> None:
    asked = bank()
    assert text(answer(asked, Focus(view="price_rises", merchant="verizon"), TODAY), asked) == (
        "I don't see any regular payments to Verizon."
    )
    assert text(answer(asked, Focus(view="price_rises", merchant="spotify"), TODAY), asked) == (
        "Good news: Spotify hasn't gone up since March 15, 2025."
    )
