"""Balances, what is owed and due, loans."""

from typing import ClassVar

from actions.questions import QuestionAction
from actions.turn import Turn
from assistant.skills.focus import Topic


class ActionBalances(QuestionAction):
    action = "action_balances"
    topic = Topic.BALANCES
    views: ClassVar = {
        "ask_balance": "balance",
        "ask_accounts": "accounts",
        "ask_card_payment": "card_payment",
        "ask_credit_limit": "credit_limit",
        "ask_loan": "loan",
    }

    def view(self, turn: Turn) -> str:
        view = super().view(turn)
        kind = turn.heard.balance_type
        return kind if view == "balance" and kind in ("available", "current") else view
