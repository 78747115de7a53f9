"""Spending, income and fees, added up and compared."""

import re
from dataclasses import replace
from datetime import date
from typing import ClassVar

from actions.base import Answer, ask
from actions.questions import QuestionAction, follow_up, period_of
from actions.turn import Turn
from assistant.banking.period import Grain, Period
from assistant.skills.focus import Topic

_GROUPS = {
    "category": "by_category",
    "merchant": "by_merchant",
    "account": "by_account",
    "month": "by_month",
}


#: Views of an average that is not asked for a month.
_EACH = {
    "average_time": re.compile(
        r"\b(?:average|typical|usual|normal)(?: \w+)? (?:purchase|order|ride|trip|visit|charge|check|tab)\b",
        re.IGNORECASE,
    ),
    "average_week": re.compile(r"\bweek(?:ly|s)?\b", re.IGNORECASE),
    "average_day": re.compile(r"\b(?:day|daily)\b", re.IGNORECASE),
}
#: Words that ask for income and spending at once, and for interest without fees.
_BOTH = re.compile(r"\b(?:spen[dt]|spending|cash flow)\b", re.IGNORECASE)
_INTEREST = re.compile(r"\binterest\b(?!.*\bfees?\b)", re.IGNORECASE)


class ActionSpending(QuestionAction):
    action = "action_spending"
    topic = Topic.SPENDING
    views: ClassVar = {
        "ask_spending": "total",
        "ask_spending_breakdown": "by_category",
        "ask_spending_comparison": "comparison",
        "ask_average_spending": "average",
        "ask_spending_pace": "pace",
        "ask_fees": "fees",
        "ask_income": "income",
    }

    ahead: ClassVar = frozenset({"ask_spending_pace"})

    def view(self, turn: Turn) -> str:
        view = super().view(turn)
        if view == "average":
            return next((name for name, words in _EACH.items() if words.search(turn.text)), view)
        if view == "income" and _BOTH.search(turn.text):
            return "net"
        if view in ("total", "by_category"):
            return _GROUPS.get(turn.heard.group, view)
        return view

    def answer(self, turn: Turn) -> Answer:
        heard = turn.heard
        if turn.intent in ("ask_fees", "ask_income") and _INTEREST.search(turn.text):
            turn.heard = replace(heard, category="interest")
        elif self.view(turn) == "net":
            turn.heard = replace(heard, category="")  # "cash flow" is no cash
        if turn.intent == "ask_spending_comparison" and turn.heard.against:
            return self._compared(turn)
        if turn.intent in ("ask_spending_comparison", "ask_spending_breakdown") and not turn.heard.filters:
            before = turn.focus
            if before.topic in (Topic.SPENDING, Topic.TRANSACTIONS) and before.view not in ("fees", "income"):
                # "is that more than usual?" is about what was just said.
                return follow_up(turn, before.with_(topic=self.topic, view=self.view(turn)))
        if turn.intent == "ask_spending_pace":
            period, _ = period_of(turn, None, ahead=True)
            if period and period.start.replace(day=1) > turn.today:
                # What this month comes to can be told; of the months after it nothing is known.
                _, refusal = period_of(turn, None)
                return refusal or super().answer(turn)
        return super().answer(turn)

    def _compared(self, turn: Turn) -> Answer:
        """ "More than last month?" is asked of the time that was talked about, else of the one that runs now."""
        heard, before = turn.heard, turn.focus
        named = replace(heard, period="")
        against, refusal = period_of(turn, before.period, named)
        if refusal or against is None:
            return refusal or super().answer(turn)
        period, refusal = period_of(turn, before.period, replace(heard, against=""))
        if refusal:
            return refusal
        if heard.period:
            # "January with the month before": seen from January.
            against, refusal = period_of(turn, period, named)
            if refusal or against is None:
                return refusal or super().answer(turn)
            if against == period:
                # "Was this December pricier than last December": once it is over, both are names of the same one.
                against = against.year_before()
        spoken_of = before.topic in (Topic.SPENDING, Topic.TRANSACTIONS) and before.view not in ("fees", "income")
        if spoken_of and period is None and not replace(named, against="").filters:
            question = before.with_(topic=self.topic, view="comparison", shown=0)
            if question.period is not None and question.period != against:
                return ask(question.with_(against=against), turn.bank, turn)
        else:
            question = heard.fresh(self.topic, "comparison", None)
        period = period or _now_like(against, turn.today)
        if period is None:
            return ask(question.with_(period=against), turn.bank, turn)
        return ask(question.with_(period=period, against=against), turn.bank, turn)


def _now_like(against: Period, today: date) -> Period | None:
    """The time that runs now and is cut like ``against``; None where ``against`` reaches into it."""
    if against.end > today:
        return None
    now = against
    while now.grain is not Grain.RANGE and now.end <= today:
        now = now.following()
    return now if now.grain is not Grain.RANGE else None
