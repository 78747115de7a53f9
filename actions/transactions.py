"""Showing and searching transactions."""

from typing import ClassVar

from actions.base import Answer
from actions.questions import QuestionAction, follow_up
from actions.turn import Turn
from assistant.skills.focus import Order, Topic

_SEARCHES = (Topic.TRANSACTIONS, Topic.SPENDING)


class ActionTransactions(QuestionAction):
    action = "action_transactions"
    topic = Topic.TRANSACTIONS
    views: ClassVar = {"ask_transactions": "list", "ask_last_payment": "last_payment", "ask_largest": "largest"}

    def answer(self, turn: Turn) -> Answer:
        if turn.intent == "ask_largest":
            order = turn.heard.order or Order.LARGEST
            before = turn.focus
            if before.topic in _SEARCHES and not (turn.heard.merchant or turn.heard.category or turn.heard.period):
                # "which was the largest?" is about what was just shown.
                return follow_up(turn, before.with_(topic=self.topic, view="largest", order=order))
            return super().answer(turn)
        return super().answer(turn)
