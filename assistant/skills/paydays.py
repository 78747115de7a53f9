"""The days on which regular pay came, for questions like "since payday"."""

from __future__ import annotations

from datetime import date, timedelta

from assistant.banking.connector import CustomerBank
from assistant.banking.period import Period
from assistant.banking.purpose import Purpose
from assistant.skills.flows import is_income
from assistant.skills.matching import name_of
from assistant.skills.series import find_series

#: Pay further back than this is not what anybody means by "payday".
LOOK_BACK = timedelta(days=400)


def paydays(bank: CustomerBank, today: date) -> tuple[date, ...]:
    """Every day the main regular pay came, oldest first; empty when no pay is regular. Raises banking errors."""
    period = Period(today - LOOK_BACK, today + timedelta(days=1))
    fetched = bank.transactions(period, Purpose.INSIGHTS).value
    income = [one for one in fetched if is_income(one) and one.category != "interest" and not one.is_pending]
    regular = next((series for series in find_series(income, today) if series.active), None)
    if regular is None:
        return ()
    return tuple(sorted({one.date for one in income if name_of(one) == regular.name}))
