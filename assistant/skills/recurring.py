"""What comes back: subscriptions, bills before payday, prices that went up, and payday itself.

Views: "subscriptions", "bills", "price_rises", "payday", "afford" (whether the next turn of what she named is
covered). Found from 24 months of history, for the purpose of insights; what is available in the accounts is compared
only where the customer allows balances too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from assistant.banking.connector import CustomerBank
from assistant.banking.period import Period
from assistant.banking.purpose import Purpose
from assistant.replies.reply import Reply
from assistant.skills.bills import afford, bills, payday
from assistant.skills.caveats import caveats
from assistant.skills.choose import choose, unknown_account
from assistant.skills.flows import is_pay, is_spending
from assistant.skills.focus import Focus, Outcome, Topic
from assistant.skills.matching import select
from assistant.skills.recurring_question import Question
from assistant.skills.series import find_series
from assistant.skills.subscriptions import price_rises, subscriptions

_HISTORY = relativedelta(months=24)
_VIEWS: Mapping[str, Callable[[Question], Reply]] = {
    "subscriptions": subscriptions,
    "bills": bills,
    "price_rises": price_rises,
    "payday": payday,
    "afford": afford,
}
_NEEDS_PAY = ("bills", "payday")


def answer(bank: CustomerBank, focus: Focus, today: date) -> Outcome:
    """Answer a question about what comes back. Raises banking.errors."""
    view = focus.view if focus.view in _VIEWS else "subscriptions"
    focus = focus.with_(topic=Topic.RECURRING, view=view)
    accounts = bank.accounts(Purpose.INSIGHTS)
    chosen = choose(bank, accounts.value, focus.account) if focus.account else None
    if chosen is not None and not chosen.found:
        return Outcome(unknown_account(focus.account, chosen.nearest), focus)
    fetched = bank.transactions(Period(today - _HISTORY, today + timedelta(days=1)), Purpose.INSIGHTS)
    outgoing = (one for one in fetched.value if one.is_outflow and is_spending(one)) if view != "payday" else ()
    income = (one for one in fetched.value if is_pay(one)) if view in _NEEDS_PAY else ()
    named = focus.with_(period=None, direction=None, amount=None, pending_only=False)
    question = Question(
        bank=bank,
        focus=focus,
        today=today,
        accounts=chosen.accounts if chosen else accounts.value,
        payments=find_series(select(outgoing, named, chosen.accounts if chosen else None), today),
        pay=find_series(income, today),
        notes=caveats(bank, today, accounts, fetched),
    )
    return Outcome(_VIEWS[view](question), focus)
