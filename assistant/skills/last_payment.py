"""When someone was last paid: the day, the amount, how it compares, and the day it usually falls on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median_low

from assistant.banking.account import Account
from assistant.banking.period import Period
from assistant.banking.transaction import Transaction
from assistant.replies.reply import Literal, Phrase, Term, Value
from assistant.skills.focus import Direction, Focus
from assistant.skills.matching import name_of
from assistant.skills.scope import category_name

#: Days to look back, growing: four monthly payments, a year, 24 months.
WINDOWS = (125, 365, 730)
#: Days between two payments that are a month apart, weekends and short months allowed for.
_MONTH = range(26, 37)
#: How many payments make a habit.
_HABIT = 3


def tell(
    rows: Sequence[Transaction], focus: Focus, accounts: Sequence[Account], *, to_debt: bool
) -> tuple[Phrase, ...]:
    """Say the last of ``rows`` (newest first, not empty). ``to_debt``: they are payments to a card or a loan."""
    last = rows[0]
    account = next((one for one in accounts if one.id == last.account_id), None)
    values: dict[str, Value] = {
        "merchant": Literal(name_of(last)),
        "amount": abs(last.amount),
        "when": Period.day_of(last.date),
        "account": account or "",
    }
    if focus.category:
        values["category"] = category_name(focus.category)
    incoming = focus.direction is Direction.IN
    say = [Phrase(_key(focus, to_debt, incoming, account is not None), values)]
    if last.is_pending:
        say.append(Phrase("transaction_pending"))
    # Only payments to the same one tell a habit: "rent" may have gone to two landlords.
    same = rows if to_debt else [one for one in rows if name_of(one) == name_of(last)]
    say.extend(_compared(same))
    day = _usual_day(same)
    if day:
        say.append(Phrase("usual_day_in" if incoming and not to_debt else "usual_day_out", {"day": Term("day", day)}))
    return tuple(say)


def _key(focus: Focus, to_debt: bool, incoming: bool, known_account: bool) -> str:
    if to_debt:
        return "last_paid_debt"
    key = "last_received" if incoming else "last_paid"
    if not focus.merchant:
        key = f"{key}_category" if focus.category else f"{key}_any"
    return key if known_account else f"{key}_somewhere"


def _compared(rows: Sequence[Transaction]) -> Iterator[Phrase]:
    if len(rows) < 2 or rows[0].amount.currency != rows[1].amount.currency:
        return
    difference = abs(rows[0].amount) - abs(rows[1].amount)
    values: Mapping[str, Value] = {"difference": abs(difference), "when": Period.day_of(rows[1].date)}
    if not difference:
        yield Phrase("paid_the_same", values)
    else:
        yield Phrase("paid_more" if difference.amount > 0 else "paid_less", values)


def _usual_day(rows: Sequence[Transaction]) -> str:
    """The day of the month the last payments fell on, when they came monthly; "" when they did not."""
    days = [one.date for one in rows[: _HABIT + 1]]
    gaps = [(later - earlier).days for later, earlier in pairwise(days)]
    if len(days) < _HABIT or not all(gap in _MONTH for gap in gaps):
        return ""
    return str(median_low(day.day for day in days))
