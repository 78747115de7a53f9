"""What balances answers: exact words, totals that never mix, and what is missing said as missing."""

from collections.abc import Iterable
from datetime import date, datetime, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.fake_bank import TODAY, FakeBank, account, eur, usd

from assistant.banking.account import Account, AccountFamily, AccountKind, Balances
from assistant.banking.errors import BankUnavailable, ConsentRequired, LinkExpired
from assistant.banking.money import Money
from assistant.banking.purpose import Purpose
from assistant.replies.plain import plain
from assistant.replies.reply import Listed, Phrase
from assistant.replies.wording import Wording
from assistant.skills.balances import answer
from assistant.skills.focus import AccountRef, AmountRange, Focus, Topic

CHECKING = account(AccountKind.CHECKING, "Everyday Checking", mask="4729")
VACATION = account(AccountKind.SAVINGS, "Savings", nickname="Vacation Fund", mask="1111")
EURO = account(AccountKind.CHECKING, "Euro Account", id="euro", mask="3333", currency="EUR")
VISA = account(AccountKind.CREDIT_CARD, "Visa", mask="8210")
GOLD = account(AccountKind.CREDIT_CARD, "Gold", id="gold", mask="8211")
MORTGAGE = account(AccountKind.MORTGAGE, "Mortgage", mask="9001")
CAR = account(AccountKind.AUTO_LOAN, "Car Loan", mask="9002")
BROKERAGE = account(AccountKind.INVESTMENT, "Brokerage", mask="6000")

FIGURES = {
    one.account_id: one
    for one in (
        Balances(CHECKING.id, current=usd("1250"), available=usd("1200")),
        Balances(VACATION.id, current=usd(8000), available=usd(8000)),
        Balances(EURO.id, current=eur("310.5")),
        Balances(
            VISA.id,
            owed=usd("432.10"),
            available=usd("4567.90"),
            credit_limit=usd(5000),
            minimum_payment=usd(25),
            next_payment_date=date(2026, 3, 28),
            statement_balance=usd(400),
            last_payment=usd(300),
            last_payment_date=date(2026, 2, 27),
        ),
        Balances(GOLD.id, owed=usd("-12"), credit_limit=usd(1000), available=usd(1012)),
        Balances(
            MORTGAGE.id,
            owed=usd(250000),
            next_payment=usd(1800),
            next_payment_date=date(2026, 4, 1),
            interest_rate=Decimal("6.25"),
            maturity_date=date(2051, 4, 1),
        ),
        Balances(CAR.id, owed=usd(9000), next_payment=usd(310), next_payment_date=date(2026, 3, 20), past_due=usd(310)),
        Balances(BROKERAGE.id, current=usd(5000)),
    )
}


def bank_of(*accounts: Account, **figures: Balances) -> FakeBank:
    known = {**FIGURES, **{one.account_id: one for one in figures.values()}}
    return FakeBank(accounts, known)


@pytest.fixture(scope="module")
def wording() -> Wording:
    return Wording.load("domain.yml")


def said(wording: Wording, bank: FakeBank, view: str = "", **ref: str) -> str:
    outcome = answer(bank, Focus(view=view, account=AccountRef(**ref)), TODAY)
    # Whole rendering too: a cell, a choice or a spoken sentence without wording would raise here.
    plain(outcome.reply, wording, bank.profile, TODAY)
    wording.speech(outcome.reply, bank.profile, TODAY)
    assert len(outcome.reply.choices) <= 3
    return wording.text(outcome.reply, bank.profile, TODAY)


ONE = [
    (
        CHECKING,
        "",
        "You can spend $1,200.00 from Everyday Checking (…4729). "
        "The current balance is $1,250.00; $50.00 of that is pending or on hold.",
    ),
    (
        CHECKING,
        "current",
        "The current balance of Everyday Checking (…4729) is $1,250.00. "
        "$50.00 of that is pending or on hold, so you can spend $1,200.00.",
    ),
    (VACATION, "", "You have $8,000.00 in Vacation Fund (…1111)."),
    (
        EURO,
        "available",
        "Demo Bank doesn't say how much of Euro Account (…3333) you can spend. Its current balance is €310.50.",
    ),
    (EURO, "", "You have €310.50 in Euro Account (…3333)."),
    (VISA, "", "You owe $432.10 on Visa (…8210). You have $4,567.90 of credit left."),
    (GOLD, "", "You owe nothing on Gold (…8211); you're $12.00 ahead. You have $1,012.00 of credit left."),
    (
        VISA,
        "card_payment",
        "You owe $432.10 on Visa (…8210). The minimum payment is $25.00, due March 28. "
        "Your last statement came to $400.00. Your last payment was $300.00, on February 27.",
    ),
    (
        GOLD,
        "card_payment",
        "You owe nothing on Gold (…8211); you're $12.00 ahead. "
        "The minimum payment and its due date aren't available right now.",
    ),
    (
        VISA,
        "credit_limit",
        "Your limit on Visa (…8210) is $5,000.00, and you have $4,567.90 left. You're using 9% of it.",
    ),
    (VISA, "available", "Your limit on Visa (…8210) is $5,000.00, and you have $4,567.90 left. You're using 9% of it."),
    (
        MORTGAGE,
        "loan",
        "You owe $250,000.00 on Mortgage (…9001). The next payment is $1,800.00, due April 1. "
        "The interest rate is 6.25% a year. The loan ends on April 1, 2051.",
    ),
    (
        CAR,
        "",
        "You owe $9,000.00 on Car Loan (…9002). $310.00 is past due. The next payment is $310.00, due March 20.",
    ),
    (BROKERAGE, "", "You have $5,000.00 in Brokerage (…6000)."),
]


@pytest.mark.parametrize(("one", "view", "text"), ONE)
def test_one_account(wording: Wording, one: Account, view: str, text: str) -> None:
    assert said(wording, bank_of(one), view) == text


def test_overdrawn(wording: Wording) -> None:
    bank = FakeBank([CHECKING], [Balances(CHECKING.id, current=usd(-20), available=usd(-20))])
    assert said(wording, bank) == "Everyday Checking (…4729) is overdrawn by $20.00."


def test_all_accounts_add_up_by_kind_and_currency(wording: Wording) -> None:
    bank = bank_of(CHECKING, VACATION, EURO, VISA, MORTGAGE, CAR, BROKERAGE)
    assert said(wording, bank) == (
        "You have $9,200.00 and €310.50 across 3 accounts. Your investment account holds $5,000.00. "
        "You owe $432.10 on your cards and credit lines. You owe $259,000.00 on your loans."
    )
    assert bank.purposes() == {Purpose.BALANCES}


def test_a_currency_overdrawn_is_not_had(wording: Wording) -> None:
    bank = FakeBank([CHECKING, EURO], [Balances(CHECKING.id, current=usd(10)), Balances(EURO.id, current=eur(-500))])
    assert said(wording, bank) == ("You have $10.00 in one account. Euro Account (…3333) is overdrawn by €500.00.")


def test_a_missing_balance_is_not_zero(wording: Wording) -> None:
    bank = FakeBank([CHECKING, VACATION], [FIGURES[CHECKING.id]])
    assert said(wording, bank) == (
        "You have $1,200.00 in one account. "
        "Vacation Fund (…1111) is left out of the total, because its balance isn't available right now."
    )
    outcome = answer(bank, Focus(), TODAY)
    assert "not available" in plain(outcome.reply, wording, bank.profile, TODAY)
    alone = FakeBank([VACATION], [Balances(VACATION.id)])
    assert said(wording, alone) == (
        "Demo Bank isn't giving a balance for Vacation Fund (…1111) right now, so it's not available. "
        "Please try again a little later."
    )


@pytest.mark.parametrize("view", ["", "card_payment", "credit_limit", "available"])
def test_a_card_the_bank_says_nothing_of(wording: Wording, view: str) -> None:
    text = said(wording, FakeBank([VISA], []), view)
    assert "available right now" in text
    assert "0.00" not in text


def test_cards_together(wording: Wording) -> None:
    bank = bank_of(CHECKING, VISA, GOLD)
    assert said(wording, bank, "card_payment") == (
        "You owe $432.10 on your cards and credit lines. The next payment is $25.00 on Visa (…8210), due March 28."
    )
    assert said(wording, bank, "credit_limit") == "You have $5,579.90 of credit left."


def test_loans_together(wording: Wording) -> None:
    assert said(wording, bank_of(MORTGAGE, CAR), "loan") == (
        "You owe $259,000.00 on your loans. $310.00 is past due on Car Loan (…9002). "
        "The next payment is $310.00 on Car Loan (…9002), due March 20."
    )


def test_a_due_date_gone_by_is_told_as_past(wording: Wording) -> None:
    late = Balances(VISA.id, owed=usd(80), minimum_payment=usd(25), next_payment_date=date(2026, 3, 10))
    assert "The minimum payment was $25.00, due March 10." in said(wording, FakeBank([VISA], [late]), "card_payment")


def test_accounts_are_listed_without_asking_for_balances(wording: Wording) -> None:
    bank = bank_of(CHECKING, VISA)
    assert said(wording, bank, "accounts") == "You have 2 accounts."
    assert {call for call, _, _ in bank.asked} == {"accounts"}


def test_what_the_customer_has_not(wording: Wording) -> None:
    assert said(wording, bank_of(CHECKING), "card_payment") == "I don't see a credit card among your accounts."
    assert said(wording, bank_of(CHECKING), "loan") == "I don't see a loan or a line of credit among your accounts."
    assert said(wording, FakeBank()).startswith("Your bank isn't sharing any accounts with me yet.")
    text = said(wording, bank_of(CHECKING, VISA), "card_payment", kind="checking")
    assert text == "I don't see any checking account among your accounts. Did you mean Visa (…8210)?"


@pytest.mark.parametrize(
    ("amount", "verdict"),
    [
        (AmountRange(Decimal(1200), Decimal(1200)), "Yes."),
        (AmountRange(low=Decimal(1200)), "Yes."),
        (AmountRange(low=Decimal(1200), strict=True), "No."),
        (AmountRange(Decimal(5000), Decimal(5000)), "No."),
        (AmountRange(high=Decimal(1500)), "Yes."),
        (AmountRange(high=Decimal(1000)), "No."),
    ],
)
def test_enough(wording: Wording, amount: AmountRange, verdict: str) -> None:
    bank = bank_of(CHECKING)
    outcome = answer(bank, Focus(amount=amount), TODAY)
    assert wording.text(outcome.reply, bank.profile, TODAY).startswith(f"{verdict} You can spend $1,200.00")


def test_enough_is_not_told_where_it_is_not_known() -> None:
    fifty = Focus(amount=AmountRange(low=Decimal(50)))
    for bank in (bank_of(CHECKING, EURO), FakeBank([CHECKING, VACATION], [FIGURES[CHECKING.id]])):
        assert answer(bank, fifty, TODAY).reply.say[0].key not in ("balance_yes", "balance_no")
    overdrawn = FakeBank([CHECKING], [Balances(CHECKING.id, current=usd(-60))])
    assert answer(overdrawn, fifty, TODAY).reply.say[0].key == "balance_no"


def test_a_loan_asked_for_as_a_card_is_told_as_a_loan(wording: Wording) -> None:
    assert "The next payment is $1,800.00, due April 1." in said(
        wording, bank_of(MORTGAGE), "card_payment", kind="loan"
    )
    assert "The minimum payment is $25.00" in said(wording, bank_of(VISA), "loan", kind="card")


def test_unknown_account_offers_the_nearest(wording: Wording) -> None:
    text = said(wording, bank_of(CHECKING, VISA), last4="4792")
    assert text.endswith("Did you mean Everyday Checking (…4729)?")


def test_stale_and_partial_answers_say_so(wording: Wording) -> None:
    bank = bank_of(VACATION)
    bank.stale = True
    assert "so this is from earlier today." in said(wording, bank)
    bank.as_of = datetime(2026, 3, 15, 2, tzinfo=timezone.utc)  # still the 14th in New York
    assert "so this is how things stood yesterday." in said(wording, bank)
    bank.stale = False
    bank.problems = (BankUnavailable(bank_id="wells"), LinkExpired(bank_id="citi"))
    text = said(wording, bank)
    assert "I couldn't reach Wells Bank just now, so it's not included." in text
    assert "Citi Bank needs to be connected again, so it's not included." in text
    assert text.count("Wells Bank") == 1


def test_refused_by_the_customer_or_the_bank() -> None:
    with pytest.raises(ConsentRequired):
        answer(bank_of(CHECKING).refuse(Purpose.BALANCES), Focus(), TODAY)
    with pytest.raises(BankUnavailable):
        answer(bank_of(CHECKING).fail("balances", BankUnavailable()), Focus(), TODAY)


def test_the_focus_stays_with_the_account() -> None:
    focus = Focus(view="available", account=AccountRef(kind="checking"))
    assert answer(bank_of(CHECKING), focus, TODAY).focus == focus.with_(topic=Topic.BALANCES)


def _listed(phrases: Iterable[Phrase], *keys: str) -> list[Money]:
    found: list[Money] = []
    for phrase in phrases:
        totals = phrase.values.get("totals")
        if phrase.key in keys and isinstance(totals, Listed):
            found.extend(totals.items)
    return found


amounts = st.decimals(Decimal("0"), Decimal("99999"), places=2)
kinds = st.sampled_from([AccountKind.CHECKING, AccountKind.SAVINGS, AccountKind.CREDIT_CARD, AccountKind.MORTGAGE])


@given(st.lists(st.tuples(kinds, st.sampled_from(["USD", "EUR"]), amounts), min_size=2, max_size=8))
def test_totals_are_exact_and_never_mix(items: list[tuple[AccountKind, str, Decimal]]) -> None:
    accounts = [account(kind, id=f"a{at}", currency=currency) for at, (kind, currency, _) in enumerate(items)]
    figures = []
    expected: dict[tuple[AccountFamily, str], Decimal] = {}
    for one, (kind, currency, size) in zip(accounts, items, strict=True):
        money = Money(size, currency)
        deposit = kind.family is AccountFamily.DEPOSIT
        figures.append(Balances(one.id, current=money) if deposit else Balances(one.id, owed=money))
        key = (kind.family, currency)
        expected[key] = expected.get(key, Decimal(0)) + size
    say = answer(FakeBank(accounts, figures), Focus(), TODAY).reply.say
    for family, key in (
        (AccountFamily.DEPOSIT, "total_deposit"),
        (AccountFamily.CREDIT, "total_credit"),
        (AccountFamily.LOAN, "total_loan"),
    ):
        told = {money.currency: money.amount for money in _listed(say, key)}
        wanted = {currency: size for (of, currency), size in expected.items() if of is family}
        if family is not AccountFamily.DEPOSIT:
            wanted = {currency: size for currency, size in wanted.items() if size}
        assert told == wanted
