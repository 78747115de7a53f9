"""Spending, income and fees, added up and compared."""

from typing import ClassVar

from actions.base import Answer
from actions.questions import QuestionAction, follow_up
from actions.turn import Turn
from assistant.skills.focus import Topic

_GROUPS = {
    "category": "by_category",
    "merchant": "by_merchant",
    "account": "by_account",
    "month": "by_month",
}


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

    def view(self, turn: Turn) -> str:
        view = super().view(turn)
        if view in ("total", "by_category"):
            return _GROUPS.get(turn.heard.group, view)
        return view

    def answer(self, turn: Turn) -> Answer:
        if turn.intent in ("ask_spending_comparison", "ask_spending_breakdown") and not turn.heard.filters:
            before = turn.focus
            if before.topic in (Topic.SPENDING, Topic.TRANSACTIONS) and before.view not in ("fees", "income"):
                # "is that more than usual?" is about what was just said.
                return follow_up(turn, before.with_(topic=self.topic, view=self.view(turn)))
        return super().answer(turn)
