"""Subscriptions, bills, price rises and pay day."""

from typing import ClassVar

from actions.questions import QuestionAction
from assistant.skills.focus import Topic


class ActionRecurring(QuestionAction):
    action = "action_recurring"
    topic = Topic.RECURRING
    views: ClassVar = {
        "ask_subscriptions": "subscriptions",
        "ask_bills": "bills",
        "ask_price_rises": "price_rises",
        "ask_payday": "payday",
    }
