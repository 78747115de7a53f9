"""Balances, what is owed and due, loans."""

from dataclasses import replace
from typing import ClassVar

from actions.base import Answer, ask
from actions.questions import QuestionAction
from actions.recurring import NOT_FILTERS, asks_for_enough
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

    def answer(self, turn: Turn) -> Answer:
        if turn.intent == "ask_balance" and asks_for_enough(turn):
            view = "bills" if turn.heard.category in NOT_FILTERS else "afford"
            heard = replace(turn.heard, category="") if view == "bills" else turn.heard
            return ask(heard.fresh(Topic.RECURRING, view, None), turn.bank, turn)
        return super().answer(turn)

    def view(self, turn: Turn) -> str:
        view = super().view(turn)
        kind = turn.heard.balance_type
        return kind if view == "balance" and kind in ("available", "current") else view
