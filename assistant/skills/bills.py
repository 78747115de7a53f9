"""What is due before payday, whether the accounts cover it, and when payday is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from assistant.banking.account import Account, AccountFamily, AccountKind, Balances
from assistant.banking.errors import ConsentRequired
from assistant.banking.money import Money, total_by_currency
from assistant.banking.period import Period
from assistant.replies.reply import Choice, Column, Listed, Literal, Phrase, Reply, Table, Term, Value
from assistant.skills.caveats import caveats
from assistant.skills.recurring_question import Question
from assistant.skills.series import Series
from assistant.skills.subscriptions import none_regular, regular

#: How far ahead to look where there is no regular payday.
_AHEAD = timedelta(days=14)
_OTHER_PAY = 2
#: Payments named one by one; a listener keeps three in mind.
_NAMED = 3
#: Pay this many times smaller than the largest is not what one waits for.
_SMALL_PAY = 4


@dataclass(frozen=True, slots=True)
class Due:
    """One payment to come. ``payee`` is a merchant, or the card whose minimum payment it is."""

    payee: Literal | Account
    amount: Money
    day: date


def bills(question: Question) -> Reply:
    """Every regular payment and card minimum from today until the day before payday, against what is available.

    With days to come named, of those days alone; with a merchant or a category named, when it is due next.
    """
    if question.narrowed:
        return Reply((*next_of(question), *question.notes), choices=(Choice("bills_due"), Choice("payday")))
    start, horizon, opening = _horizon(question)
    balances, notes = _balances(question)
    cards = _card_payments(question, balances, start, horizon)
    due = [
        Due(Literal(each.name), each.amount, day)
        for each in question.active()
        for day in each.turns(start, horizon, late=start == question.today)
    ]
    due = sorted([*due, *cards], key=lambda one: (one.day, -one.amount.amount))
    notes = (*question.notes, *notes)
    named = horizon if opening == "before_payday" else horizon - timedelta(days=1)
    days = Period(start, horizon)
    if not due:
        say = Phrase(f"bills_none_{opening}", {"day": named, "period": days})
        return Reply((say, *notes), choices=(Choice("subscriptions"), Choice("payday")))
    totals = total_by_currency(one.amount for one in due)
    amounts = Listed(tuple(totals.values()))
    said = [Phrase(f"bills_{opening}", {"count": len(due), "amounts": amounts, "day": named, "period": days})]
    if cards:
        names = Listed(tuple(one.payee for one in cards))
        said.append(Phrase("bills_with_cards", {"accounts": names, "count": len(cards)}))
    if start == question.today:  # later on, what is paid before would have to be known
        said.extend(_left_after(question, balances, totals, "bills"))
    rows: tuple[tuple[Value, ...], ...] = tuple((one.payee, one.amount, one.day) for one in due)
    table = Table((Column("merchant"), Column("amount", align_right=True), Column("due_date")), rows, "row_bill")
    return Reply((*said, *notes), table, choices=(Choice("payday"), Choice("subscriptions")))


def afford(question: Question) -> Reply:
    """Whether what is available covers the next turn of what she named ("do I have enough for rent?")."""
    coming = sorted(question.active(), key=lambda each: each.due)
    balances, notes = _balances(question)
    verdict = _left_after(question, balances, {one.amount.currency: one.amount for one in coming[:1]}, "afford")
    said = (*verdict, *next_of(question), *question.notes, *notes)
    return Reply(said, choices=(Choice("bills_due"), Choice("meant_ask_balance")))


def next_of(question: Question) -> tuple[Phrase, ...]:
    """When each of the regular payments she named comes next, the first one first."""
    coming = sorted(question.active(), key=lambda each: each.due)
    return tuple(regular(each) for each in coming[:_NAMED]) or (none_regular(question),)


def payday(question: Question) -> Reply:
    """When the next regular pay should come, from whom and how much."""
    regular = [each for each in question.pay if each.active]
    if not regular:
        return Reply((Phrase("payday_none"), *question.notes), choices=(Choice("income_this_month"),))
    main, *others = sorted(_livings(regular), key=lambda each: each.due)
    values: dict[str, Value] = {
        "day": main.due,
        "amount": main.amount,
        "source": Literal(main.name),
        "cadence": Term("cadence", main.cadence.value),
    }
    key = "payday_late" if main.due < question.today else "payday_about" if main.varies else "payday"
    say = [Phrase(key, values)]
    for other in others[:_OTHER_PAY]:
        also: dict[str, Value] = {"source": Literal(other.name), "amount": other.amount, "day": other.due}
        say.append(Phrase("payday_also", also))
    return Reply((*say, *question.notes), choices=(Choice("bills_due"), Choice("income_this_month")))


def next_payday(pay: Sequence[Series], today: date) -> date | None:
    """The first day after today on which regular pay is due; None when there is none. ``pay``: largest first."""
    tomorrow = today + timedelta(days=1)
    days = (
        next(each.turns(tomorrow, tomorrow + timedelta(days=800), late=False), None)
        for each in _livings([each for each in pay if each.active])
    )
    return min((day for day in days if day is not None), default=None)


def _livings(pay: Sequence[Series]) -> list[Series]:
    """The pay one lives on: all but what is small beside the largest (``pay`` comes largest first)."""
    return [each for each in pay if each.monthly.amount * _SMALL_PAY >= pay[0].monthly.amount]


def _horizon(question: Question) -> tuple[date, date, str]:
    """The first day counted, the first no longer counted, and how the answer names the time: "before_payday",
    "until", "within", "no_payday"."""
    asked, today = question.focus.period, question.today
    if asked is not None and asked.start > today:
        return asked.start, asked.end, "within"
    if asked is not None and asked.end > today:
        return today, asked.end, "until"
    day = next_payday(question.pay, today)
    if day is not None:
        return today, day, "before_payday"
    return today, today + _AHEAD, "no_payday"


def _balances(question: Question) -> tuple[Mapping[str, Balances], tuple[Phrase, ...]]:
    """What the accounts hold, if the customer lets us look; nothing otherwise."""
    try:
        answer = question.bank.balances(question.accounts)
    except ConsentRequired:
        return {}, ()
    return answer.value, caveats(question.bank, question.today, answer)


def _card_payments(question: Question, balances: Mapping[str, Balances], start: date, horizon: date) -> list[Due]:
    found = []
    for account in question.accounts:
        known = balances.get(account.id)
        if account.kind is not AccountKind.CREDIT_CARD or known is None or known.minimum_payment is None:
            continue
        day = known.next_payment_date
        if day is not None and start <= day < horizon and known.minimum_payment.amount > 0:
            found.append(Due(account, known.minimum_payment, day))
    return found


def _left_after(
    question: Question, balances: Mapping[str, Balances], due: Mapping[str, Money], key: str
) -> list[Phrase]:
    """What is available in the deposit accounts against what is due, in the currency of the first thing due.

    ``key``: of the wording, which ends in _covered or _short.
    """
    if not due:
        return []
    currency, needed = next(iter(due.items()))
    counted: list[Account] = []
    available = Money.zero(currency)
    for account in question.accounts:
        known = balances.get(account.id)
        spendable = account.kind.family is AccountFamily.DEPOSIT and account.kind is not AccountKind.CD
        if spendable and known and known.available and known.available.currency == currency:
            counted.append(account)
            available += known.available
    if not counted:
        return []
    left = available - needed
    ending = "covered" if left.amount >= 0 else "short"
    return [Phrase(f"{key}_{ending}", {"available": available, "accounts": Listed(tuple(counted)), "left": abs(left)})]
