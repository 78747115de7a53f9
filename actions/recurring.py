"""Subscriptions, bills, price rises and pay day."""

from dataclasses import replace
from typing import ClassVar

from actions.base import Answer
from actions.questions import QuestionAction
from actions.turn import Turn
from assistant.skills.focus import Topic

#: Words for the very thing these questions are about: "did my subscriptions go up" does not narrow it, and
#: "before payday" is how far bills are looked at anyway.
_NOT_FILTERS = ("subscriptions", "bills")


class ActionRecurring(QuestionAction):
    action = "action_recurring"
    topic = Topic.RECURRING
    views: ClassVar = {
        "ask_subscriptions": "subscriptions",
        "ask_bills": "bills",
        "ask_price_rises": "price_rises",
        "ask_payday": "payday",
    }

    def answer(self, turn: Turn) -> Answer:
        heard = turn.heard
        if heard.category in _NOT_FILTERS:
            heard = replace(heard, category="")
        if "pay" in heard.period or "paid" in heard.period:
            heard = replace(heard, period="")
        turn.heard = heard
        return super().answer(turn)
