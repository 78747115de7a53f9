"""Lists, searches, rankings and last payments: exact words, and pages that show everything exactly once."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fake_bank import TODAY, FakeBank, account, eur, txn, usd

from assistant.banking.account import AccountKind
from assistant.banking.errors import BankUnavailable, ConsentRequired
from assistant.banking.period import Grain, Period
from assistant.banking.purpose import Purpose
from assistant.banking.transaction import Transaction
from assistant.replies.plain import plain
from assistant.replies.reply import Choice, Literal, Table
from assistant.replies.wording import Wording
from assistant.skills.focus import AccountRef, AmountRange, Direction, Focus, Order, Outcome, Topic
from assistant.skills.transactions import answer

CHECKING = account(AccountKind.CHECKING, "Everyday Checking", mask="4729")
VISA = account(AccountKind.CREDIT_CARD, "Visa", mask="8210")
EURO = account(AccountKind.CHECKING, "Euro Account", id="euro", mask="3333", currency="EUR")
MARCH = Period.month_of(TODAY)
FEBRUARY = Period.month_of(date(2026, 2, 1))

ROWS = (
    txn("-4.50", "2026-03-14", "Blue Door Cafe", account=VISA, category="coffee", pending=True),
    txn("-89.99", "2026-03-12", "Comcast", account=CHECKING, category="internet_phone"),
    txn("-61.20", "2026-03-10", "Costco", account=VISA, category="groceries"),
    txn("-5.25", "2026-03-08", "Blue Door Cafe", account=VISA, category="coffee"),
    txn("-22", "2026-03-05", "Costco", account=VISA, category="groceries"),
    txn(2500, "2026-03-01", "Acme Corp", account=CHECKING, category="income"),
    txn(-300, "2026-02-27", "Card Payment", account=CHECKING, category="card_payment", internal=True),
    txn(300, "2026-02-27", "Payment", account=VISA, category="card_payment", internal=True),
    txn("-79.99", "2026-02-12", "Comcast", account=CHECKING, category="internet_phone"),
    txn(12, "2026-02-09", "Costco", account=VISA, category="groceries"),
    txn(-150, "2026-02-01", "Oak Street Rentals", account=CHECKING, category="rent"),
    txn(250, "2026-01-27", "Payment", account=VISA, category="card_payment", internal=True),
    txn("-79.99", "2026-01-12", "Comcast", account=CHECKING, category="internet_phone"),
    txn(-900, "2025-06-03", "Delta Air Lines", account=VISA, category="airfare"),
)


def bank_of(rows: tuple[Transaction, ...] = ROWS) -> FakeBank:
    return FakeBank([CHECKING, VISA], (), rows)


@pytest.fixture(scope="module")
def wording() -> Wording:
    domain = Wording.load("domain.yml")
    # What categories are called is tested with the categories.
    names = {f"term_category_{one}": one for one in ("groceries", "airfare", "rent", "pets")}
    return Wording({**domain.written, **names}, domain.voice)


def said(wording: Wording, bank: FakeBank, focus: Focus) -> str:
    outcome = answer(bank, focus, TODAY)
    plain(outcome.reply, wording, bank.profile, TODAY)
    wording.speech(outcome.reply, bank.profile, TODAY)
    assert len(outcome.reply.choices) <= 3
    return wording.text(outcome.reply, bank.profile, TODAY)


def table(outcome: Outcome) -> Table:
    assert outcome.reply.table is not None
    return outcome.reply.table


def column(outcome: Outcome, title: str) -> list[object]:
    shown = table(outcome)
    at = [one.title for one in shown.columns].index(title)
    return [row[at] for row in shown.rows]


def test_the_latest(wording: Wording) -> None:
    bank = bank_of()
    assert said(wording, bank, Focus()) == (
        "Here are your latest 5 transactions. One of them is still pending, so its amount can change."
    )
    assert bank.purposes() == {Purpose.TRANSACTIONS}
    outcome = answer(bank, Focus(), TODAY)
    assert [one.title for one in table(outcome).columns] == ["date", "merchant", "amount", "account", "status"]
    assert outcome.focus == Focus(topic=Topic.TRANSACTIONS, shown=5)
    assert [choice.title for choice in outcome.reply.choices] == ["more", "largest", "this_month"]


def test_written_as_a_table(wording: Wording) -> None:
    bank = bank_of(ROWS[4:6])
    text = plain(answer(bank, Focus(), TODAY).reply, wording, bank.profile, TODAY)
    assert text.splitlines()[1:3] == [
        "  March 5  Costco        -$22.00  Visa (…8210)",
        "  March 1  Acme Corp  +$2,500.00  Everyday Checking (…4729)",
    ]


@pytest.mark.parametrize(
    ("focus", "text"),
    [
        (Focus(merchant="comcst"), "Here are your latest 3 transactions at Comcast."),
        (Focus(merchant="comcast", period=FEBRUARY), "I found one transaction at Comcast in February 2026."),
        (
            Focus(category="groceries", period=MARCH),
            "I found 2 transactions for groceries so far in March 2026.",
        ),
        (
            Focus(period=MARCH, count=2),
            "I found 6 transactions so far in March 2026. Here are the latest 2. "
            "One of them is still pending, so its amount can change.",
        ),
        (Focus(pending_only=True), "You have one pending transaction."),
        (Focus(direction=Direction.IN, period=MARCH), "I found one deposit so far in March 2026."),
        (
            Focus(amount=AmountRange(low=Decimal(60), strict=True), period=MARCH, direction=Direction.OUT),
            "I found 2 payments over $60.00 so far in March 2026.",
        ),
        (
            Focus(amount=AmountRange(Decimal(20), Decimal(30)), account=AccountRef(kind="card"), period=MARCH),
            "I found one transaction between $20.00 and $30.00 on Visa (…8210) so far in March 2026.",
        ),
        (
            Focus(amount=AmountRange(Decimal("22"), Decimal("22")), merchant="costco", direction=Direction.OUT),
            "Here's your latest payment to Costco of $22.00.",
        ),
        (
            Focus(order=Order.LARGEST, count=3, period=MARCH),
            "I found 6 transactions so far in March 2026. Here are the 3 largest.",
        ),
        (
            Focus(order=Order.OLDEST, count=1),
            "I found 14 transactions from March 16, 2024 to March 15. Here's the earliest.",
        ),
    ],
)
def test_searches(wording: Wording, focus: Focus, text: str) -> None:
    assert said(wording, bank_of(), focus) == text


def test_one_account_needs_no_account_column() -> None:
    shown = table(answer(bank_of(), Focus(account=AccountRef(kind="checking")), TODAY))
    assert [one.title for one in shown.columns] == ["date", "merchant", "amount"]


def test_more_goes_on_and_ends(wording: Wording) -> None:
    bank = bank_of()
    focus = answer(
        bank, Focus(merchant="costco", period=Period(date(2026, 1, 1), date(2026, 4, 1)), count=2), TODAY
    ).focus
    assert focus.shown == 2
    assert said(wording, bank, focus) == "Here's the last one."
    focus = answer(bank, focus, TODAY).focus
    assert said(wording, bank, focus) == ("That's all of them: 3 transactions at Costco from January 1 to March 15.")
    assert answer(bank, focus, TODAY).focus == focus


@pytest.mark.parametrize(
    ("focus", "text"),
    [
        (
            Focus(view="largest", period=MARCH),
            "Your largest payment so far in March 2026 was $89.99: Comcast, on March 12.",
        ),
        (
            Focus(view="largest", period=FEBRUARY, direction=Direction.OUT),
            "Your largest payment in February 2026 was $150.00: Oak Street Rentals, on February 1.",
        ),
        (
            Focus(view="largest", order=Order.SMALLEST, period=MARCH),
            "Your smallest payment so far in March 2026 was $4.50: Blue Door Cafe, yesterday. "
            "It's still pending, so the amount can change.",
        ),
        (
            Focus(view="largest", direction=Direction.IN, period=MARCH),
            "Your largest deposit so far in March 2026 was $2,500.00: Acme Corp, on March 1.",
        ),
        (
            Focus(view="largest", merchant="acme"),
            "Your largest transaction at Acme Corp from December 16, 2025 to March 15 was $2,500.00: "
            "Acme Corp, on March 1.",
        ),
        (
            Focus(view="largest", category="airfare"),
            "Your largest transaction for airfare from March 16, 2024 to March 15 was $900.00: "
            "Delta Air Lines, on June 3, 2025.",
        ),
    ],
)
def test_the_largest(wording: Wording, focus: Focus, text: str) -> None:
    assert said(wording, bank_of(), focus) == text


def test_the_largest_compares_within_a_currency_only(wording: Wording) -> None:
    rows = (*ROWS, txn(eur(-700), "2026-03-02", "Hotel Adlon", account=EURO))
    bank = FakeBank([CHECKING, VISA, EURO], (), rows)
    assert said(wording, bank, Focus(view="largest", period=MARCH)) == (
        "Your largest payment so far in March 2026 was $89.99: Comcast, on March 12. "
        "In another currency it was €700.00: Hotel Adlon, on March 2."
    )


def test_after_the_largest_comes_the_next_largest() -> None:
    bank = bank_of()
    first = answer(bank, Focus(view="largest", period=MARCH), TODAY)
    second = answer(bank, first.focus, TODAY)
    assert column(second, "merchant") == [
        Literal("Costco"),
        Literal("Costco"),
        Literal("Blue Door Cafe"),
        Literal("Blue Door Cafe"),
    ]


@pytest.mark.parametrize(
    ("focus", "text"),
    [
        (
            Focus(view="last_payment", merchant="comcast"),
            "You last paid Comcast on March 12: $89.99 from Everyday Checking (…4729). "
            "That's $10.00 more than the time before, on February 12. "
            "It usually goes out around the 12th of the month.",
        ),
        (
            Focus(view="last_payment", category="rent"),
            "Your last payment for rent was $150.00 to Oak Street Rentals, on February 1, "
            "from Everyday Checking (…4729).",
        ),
        (
            Focus(view="last_payment", account=AccountRef(kind="card")),
            "The last payment on Visa (…8210) was $300.00, on February 27. "
            "That's $50.00 more than the time before, on January 27.",
        ),
        (
            Focus(view="last_payment", merchant="acme", direction=Direction.IN),
            "You last got money from Acme Corp on March 1: $2,500.00 into Everyday Checking (…4729).",
        ),
        (
            Focus(view="last_payment", merchant="delta air lines"),
            "You last paid Delta Air Lines on June 3, 2025: $900.00 from Visa (…8210).",
        ),
        (
            Focus(view="last_payment", merchant="blue door"),
            "You last paid Blue Door Cafe yesterday: $4.50 from Visa (…8210). "
            "It's still pending, so the amount can change. That's $0.75 less than the time before, on March 8.",
        ),
        (
            Focus(view="last_payment", merchant="comcast", period=Period(date(2026, 3, 13), date(2026, 3, 16))),
            "I didn't find any payments to Comcast from March 13 to March 15. "
            "The latest one at Comcast was $89.99, on March 12.",
        ),
    ],
)
def test_last_payment(wording: Wording, focus: Focus, text: str) -> None:
    assert said(wording, bank_of(), focus) == text


def test_a_usual_payment_costs_one_short_look() -> None:
    bank = bank_of()
    answer(bank, Focus(view="last_payment", merchant="comcast"), TODAY)
    looks = [period for call, _, period in bank.asked if call == "transactions"]
    assert [period.days for period in looks if period] == [125]


def test_last_payment_of_any_kind_is_no_move_of_ones_own(wording: Wording) -> None:
    text = said(wording, bank_of(ROWS[6:]), Focus(view="last_payment"))
    assert text.startswith("Your last payment was $79.99 to Comcast, on February 12, from Everyday Checking (…4729).")


@pytest.mark.parametrize(
    ("focus", "text"),
    [
        (
            Focus(category="pets", period=MARCH),
            "I didn't find any transactions for pets so far in March 2026.",
        ),
        (
            Focus(merchant="comcast", period=Period.day_of(date(2026, 3, 3))),
            "I didn't find any transactions at Comcast on March 3. The latest one at Comcast was $89.99, on March 12.",
        ),
        (
            Focus(merchant="blu dor"),
            "I don't see “blu dor” in the last 24 months of your transactions. Did you mean Blue Door Cafe?",
        ),
        (Focus(merchant="xyzzy"), "I don't see “xyzzy” in the last 24 months of your transactions."),
        (
            Focus(period=Period.month_of(date(2027, 1, 1))),
            "Those days are still ahead, so there's nothing to show yet.",
        ),
    ],
)
def test_nothing_found_says_what_was_searched(wording: Wording, focus: Focus, text: str) -> None:
    assert said(wording, bank_of(), focus) == text


def test_nothing_found_offers_a_wider_search() -> None:
    def offered(focus: Focus) -> list[str]:
        return [choice.title for choice in answer(bank_of(), focus, TODAY).reply.choices]

    assert offered(Focus(category="pets", period=MARCH)) == ["last_year"]
    assert offered(Focus(category="pets")) == ["latest"]
    assert offered(Focus(merchant="comcast", account=AccountRef(kind="card"))) == ["latest", "all_with"]
    near = answer(bank_of(), Focus(merchant="blu dor"), TODAY).reply
    assert near.choices == (Choice("merchant", {"merchant": Literal("Blue Door Cafe")}),)
    assert near.expects_answer


def test_unknown_account(wording: Wording) -> None:
    text = said(wording, bank_of(), Focus(account=AccountRef(last4="0000")))
    assert text.startswith("I don't see an account ending in 0000 among your accounts.")


def test_looks_further_back_when_there_is_too_little() -> None:
    bank = bank_of()
    answer(bank, Focus(merchant="delta air lines"), TODAY)
    assert [period.days for _, _, period in bank.asked if period] == [90, 730]


def test_days_to_come_are_left_out() -> None:
    bank = bank_of()
    answer(bank, Focus(period=MARCH), TODAY)
    assert [period.end for _, _, period in bank.asked if period] == [TODAY + timedelta(days=1)]


def test_lists_behind_a_sum_add_up_to_it() -> None:
    spent = answer(bank_of(), Focus(view="spent", period=FEBRUARY), TODAY)
    assert column(spent, "merchant") == [Literal("Comcast"), Literal("Costco"), Literal("Oak Street Rentals")]
    earned = answer(bank_of(), Focus(view="earned", period=MARCH), TODAY)
    assert column(earned, "merchant") == [Literal("Acme Corp")]
    interest = txn(13, "2026-03-02", "Interest Payment", account=CHECKING, category="interest")
    asked = answer(bank_of((*ROWS, interest)), Focus(view="earned", category="income", period=MARCH), TODAY)
    assert column(asked, "merchant") == [Literal("Interest Payment"), Literal("Acme Corp")]
    fee = txn(-12, "2026-03-02", "Monthly Fee", account=CHECKING, category="fees")
    fees = answer(bank_of((*ROWS, fee)), Focus(view="fees", period=MARCH), TODAY)
    assert column(fees, "merchant") == [Literal("Monthly Fee")]


def test_own_moves_are_neither_in_nor_out_except_on_the_account_itself() -> None:
    every = answer(bank_of(), Focus(direction=Direction.IN, period=FEBRUARY), TODAY)
    assert column(every, "merchant") == [Literal("Costco")]
    card = answer(bank_of(), Focus(direction=Direction.IN, period=FEBRUARY, account=AccountRef(kind="card")), TODAY)
    assert column(card, "merchant") == [Literal("Payment"), Literal("Costco")]
    out = answer(bank_of(), Focus(direction=Direction.OUT, period=FEBRUARY), TODAY)
    assert Literal("Card Payment") not in column(out, "merchant")


def test_stale_and_partial_answers_say_so(wording: Wording) -> None:
    bank = bank_of()
    bank.stale = True
    bank.problems = (BankUnavailable(bank_id="wells"),)
    text = said(wording, bank, Focus(merchant="comcast"))
    assert "so this is from earlier today." in text
    assert text.count("I couldn't reach Wells Bank just now, so it's not included.") == 1


def test_refusals_reach_the_caller() -> None:
    with pytest.raises(ConsentRequired):
        answer(bank_of().refuse(Purpose.TRANSACTIONS), Focus(), TODAY)
    with pytest.raises(BankUnavailable):
        answer(bank_of().fail("transactions", BankUnavailable()), Focus(), TODAY)


def test_no_accounts(wording: Wording) -> None:
    assert said(wording, FakeBank(), Focus()).startswith("Your bank isn't sharing any accounts with me yet.")


items = st.lists(
    st.tuples(st.integers(-200, 200).filter(bool), st.integers(0, 700), st.sampled_from(["Costco", "Target", "Shell"])),
    max_size=40,
)


@settings(max_examples=60, deadline=None)
@given(
    items,
    st.sampled_from([Order.LATEST, Order.OLDEST, Order.LARGEST, Order.SMALLEST]),
    st.sampled_from([None, 1, 3, 7]),
    st.sampled_from(["", "target"]),
    st.sampled_from(["list", "largest"]),
    st.booleans(),
)
def test_pages_show_everything_once_and_in_order(
    rows: list[tuple[int, int, str]], order: Order, count: int | None, merchant: str, view: str, everything: bool
) -> None:
    history = tuple(
        txn(amount, TODAY - timedelta(days=back), name, account=CHECKING, id=str(at))
        for at, (amount, back, name) in enumerate(rows)
    )
    bank = FakeBank([CHECKING], (), history)
    period = Period(TODAY - timedelta(days=729), TODAY + timedelta(days=1), Grain.RANGE) if everything else None
    focus = Focus(view=view, order=order, count=count, merchant=merchant, period=period)
    shown: list[tuple[object, ...]] = []
    seen = -1
    while True:
        outcome = answer(bank, focus, TODAY)
        if outcome.reply.table is not None:
            shown.extend(outcome.reply.table.rows)
        elif outcome.focus.shown == 1 and focus.shown == 0:
            shown.append(())  # the one that is said, not shown
        if outcome.focus.shown == seen:
            break
        seen = outcome.focus.shown
        assert seen == len(shown)
        focus = outcome.focus
    if view == "list" and (everything or order in (Order.LATEST, Order.OLDEST)):
        wanted = [one for one in history if not merchant or one.merchant == "Target"]
        days = [row[0] for row in shown if row]
        assert len(shown) == len(wanted)
        if order is Order.LATEST:
            assert days == sorted((one.date for one in wanted), reverse=True)[len(wanted) - len(days) :]
        if order is Order.OLDEST:
            assert days == sorted(one.date for one in wanted)


def test_the_sign_of_an_amount(wording: Wording) -> None:
    bank = bank_of()
    form = wording.format(bank.profile, TODAY)
    spoken = wording.format(bank.profile, TODAY, spoken=True)
    out, into = column(answer(bank, Focus(count=6, period=MARCH), TODAY), "amount")[4:]
    assert (form.value(out), form.value(into)) == ("-$22.00", "+$2,500.00")  # type: ignore[arg-type]
    said = (spoken.value(out), spoken.value(into))  # type: ignore[arg-type]
    assert said == ("twenty-two dollars", "two thousand five hundred dollars coming in")
    assert column(answer(bank, Focus(direction=Direction.IN, period=MARCH), TODAY), "amount") == [usd(2500)]


def test_the_smallest_purchase_is_no_fee_no_interest_and_no_transfer(wording: Wording) -> None:
    bank = FakeBank(
        [CHECKING],
        [],
        [
            txn("-9", "2026-03-02", "Cafe", category="coffee", account=CHECKING),
            txn("-1", "2026-03-03", "Service Fee", category="fees", account=CHECKING),
            txn("-2", "2026-03-04", "Interest Charge", category="interest", account=CHECKING),
            txn("-3", "2026-03-05", "Zelle to Ann", category="transfer", account=CHECKING),
        ],
    )
    told = said(wording, bank, Focus(view="largest", order=Order.SMALLEST))
    assert "$9.00: Cafe" in told


def test_pending_ones_are_told_as_what_there_is(wording: Wording) -> None:
    bank = FakeBank(
        [CHECKING], [], [txn("-5", "2026-03-14", name, account=CHECKING, pending=True) for name in ("A", "B", "C", "D")]
    )
    assert said(wording, bank, Focus(pending_only=True)).startswith("You have 4 pending transactions.")
