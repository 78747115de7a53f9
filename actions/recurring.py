"""Subscriptions, bills, price rises and pay day."""

import re
from dataclasses import replace
from typing import ClassVar

from actions.base import Answer, ask
from actions.questions import QuestionAction
from actions.turn import Turn
from assistant.skills.focus import Topic

#: Words for the very thing these questions are about: "did my subscriptions go up" does not narrow it, and
#: "before payday" is how far bills are looked at anyway.
NOT_FILTERS = ("subscriptions", "bills")


_ENOUGH = re.compile(r"\b(?:enough|afford|cover)\b", re.IGNORECASE)


def asks_for_enough(turn: Turn) -> bool:
    """Whether it is asked if the money will do for something that is named."""
    return bool((turn.heard.category or turn.heard.merchant) and _ENOUGH.search(turn.text))


class ActionRecurring(QuestionAction):
    action = "action_recurring"
    topic = Topic.RECURRING
    views: ClassVar = {
        "ask_subscriptions": "subscriptions",
        "ask_bills": "bills",
        "ask_price_rises": "price_rises",
        "ask_payday": "payday",
    }

    ahead: ClassVar = frozenset({"ask_bills", "ask_payday"})

    def answer(self, turn: Turn) -> Answer:
        heard = turn.heard
        if heard.category in NOT_FILTERS:
            heard = replace(heard, category="")
        if "pay" in heard.period or "paid" in heard.period:
            heard = replace(heard, period="")
        turn.heard = heard
        if turn.intent == "ask_bills" and asks_for_enough(turn):
            return ask(heard.fresh(self.topic, "afford", None), turn.bank, turn)
        return super().answer(turn)
