"""From what was heard to a question for a skill: words for time resolved, a follow-up put onto what was before."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from actions.base import Answer, TurnAction, ask
from actions.heard import Heard
from actions.turn import Turn
from assistant.banking.period import Period
from assistant.nlu.period import Problem
from assistant.skills.conversation import says
from assistant.skills.focus import Focus, Topic
from assistant.skills.paydays import paydays

#: What to say when the words for time name no days that can be asked about.
_PROBLEMS = {
    Problem.FUTURE: "period_in_future",
    Problem.REVERSED: "period_reversed",
    Problem.TOO_LONG: "period_too_long",
    Problem.UNKNOWN: "period_unknown",
    Problem.NEEDS_PAYDAY: "period_needs_payday",
}


class QuestionAction(TurnAction):
    """An action for the questions of one topic: ``views`` says which view each intent asks for."""

    topic: ClassVar[Topic]
    views: ClassVar[dict[str, str]]
    #: Intents whose answer looks ahead.
    ahead: ClassVar[frozenset[str]] = frozenset()

    def view(self, turn: Turn) -> str:
        return self.views.get(turn.intent, "")

    def answer(self, turn: Turn) -> Answer:
        period, refusal = period_of(turn, None, ahead=turn.intent in self.ahead)
        if refusal:
            return refusal
        return ask(turn.heard.fresh(self.topic, self.view(turn), period), turn.bank, turn)


def period_of(
    turn: Turn, base: Period | None, heard: Heard | None = None, *, ahead: bool = False
) -> tuple[Period | None, Answer | None]:
    """The days that were named, or the answer that says why they cannot be. ``base``: what was talked about before.

    ``heard``: instead of the whole turn's. ``ahead``: the question may be about days to come.
    """
    heard = heard or turn.heard
    period, problem = heard.resolve_period(turn.today, base)
    if problem is Problem.NEEDS_PAYDAY and turn.bank:
        known: tuple[date, ...] = paydays(turn.bank, turn.today)
        period, problem = heard.resolve_period(turn.today, base, known)
    if problem is Problem.FUTURE and ahead:
        return period, None
    if problem:
        return None, Answer(says(_PROBLEMS[problem], "meant_ask_transactions"), turn.focus)
    return period, None


def follow_up(turn: Turn, focus: Focus) -> Answer:
    """The question before with what was said now changed, asked again."""
    period, refusal = period_of(turn, focus.period)
    if refusal:
        return refusal
    return ask(turn.heard.onto(focus, period), turn.bank, turn)
