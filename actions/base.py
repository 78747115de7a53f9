"""What every action does around its skill: threads, errors, slots, and the way out to the channel."""

from __future__ import annotations

import asyncio
import logging
import secrets
from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace
from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions.guard import DEVELOPMENT_CHANNELS, where
from actions.services import services
from actions.turn import Turn, Waiting, WaitingFor
from assistant.banking.connector import CustomerBank
from assistant.banking.errors import BankingError, ConsentRequired, NotLinked
from assistant.replies.plain import plain
from assistant.replies.reply import Reply
from assistant.replies.said import SAID, say
from assistant.skills import balances, recurring, spending, transactions
from assistant.skills.apologies import apology
from assistant.skills.conversation import says
from assistant.skills.focus import Focus, Outcome, Topic

logger = logging.getLogger(__name__)

#: Rasa's shell: a person at a terminal, for whom offers are a line of text rather than a menu.
TERMINAL = "cmdline"
#: A question is not longer than this.
MAX_TEXT = 1000

_SKILLS = {
    Topic.BALANCES: balances.answer,
    Topic.TRANSACTIONS: transactions.answer,
    Topic.SPENDING: spending.answer,
    Topic.RECURRING: recurring.answer,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What an action gives back. ``focus`` None leaves what is being talked about as it was.

    ``misses`` is how many turns in a row were not understood, this one included.
    """

    reply: Reply
    focus: Focus | None = None
    waiting: Waiting = field(default_factory=Waiting)
    misses: int = 0


class TurnAction(Action, ABC):  # type: ignore[misc]  # rasa-sdk is untyped
    """One custom action. Subclasses give ``action`` and ``answer``, which runs in a thread and may wait for a bank."""

    @property
    @abstractmethod
    def action(self) -> str:
        """Its name in domain.yml; subclasses set it as a plain attribute. Without one rasa-sdk registers nothing."""

    def name(self) -> str:
        return self.action

    @abstractmethod
    def answer(self, turn: Turn) -> Answer:
        """The reply to this turn. BankingErrors may pass through."""

    async def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]) -> list[EventType]:
        return await asyncio.get_running_loop().run_in_executor(services().pool, self._turn, dispatcher, tracker)

    def _turn(self, dispatcher: CollectingDispatcher, tracker: Tracker) -> list[EventType]:
        turn = Turn(tracker)
        answer = self._safely(turn, dispatcher)
        events = [SlotSet("waiting", answer.waiting.to_slot()), SlotSet("misses", answer.misses or None)]
        if answer.focus is not None:
            events.append(SlotSet("focus", answer.focus.to_slot()))
        return [event for event in events if tracker.get_slot(event["name"]) != event["value"]]

    def _safely(self, turn: Turn, dispatcher: CollectingDispatcher) -> Answer:
        """Whatever breaks, saying it included, the customer gets a sentence and the conversation goes on."""
        try:
            answer = unreadable(turn) or self.answer(turn)
            emit(dispatcher, answer.reply, turn)
            return answer
        except NotLinked as error:
            answer = Answer(apology(error, None))
        except Exception as error:
            reference = secrets.token_hex(4)
            logger.error("%s failed, reference %s: %s", self.action, reference, where(error))
            answer = Answer(says("error_ours", "try_again", "meant_talk_to_person"))
        emit(dispatcher, answer.reply, turn)
        return answer


def unreadable(turn: Turn) -> Answer | None:
    """The answer to a message with no words in it, or with far too many; None for any other."""
    if len(turn.text) > MAX_TEXT:
        return Answer(says("too_long", "help"))
    if not any(character.isalnum() for character in turn.text):
        return Answer(says("no_words", "help"), misses=turn.misses)
    return None


def ask(focus: Focus, bank: CustomerBank | None, turn: Turn) -> Answer:
    """Put a question to its skill. When consent or the bank stands in the way, the question is kept for later."""
    if bank is None:
        return Answer(apology(NotLinked(), None), focus)
    try:
        outcome: Outcome = _SKILLS[focus.topic](bank, focus, turn.today)
    except ConsentRequired as error:
        return Answer(apology(error, bank), focus, Waiting(WaitingFor.CONSENT, focus, error.purpose, error.bank_id))
    except BankingError as error:
        logger.info("No answer from bank %s: %s %s", error.bank_id or "-", type(error).__name__, error.code or "-")
        return Answer(apology(error, bank), focus, Waiting(WaitingFor.RETRY, focus))
    return Answer(outcome.reply, outcome.focus)


def emit(dispatcher: CollectingDispatcher, reply: Reply, turn: Turn) -> None:
    """Hand the reply to the channel as one message. Channels of ours get all of it and render what they can; Rasa's
    own, for development, get text and buttons."""
    wording = services().wording
    if turn.channel == TERMINAL:
        dispatcher.utter_message(text=plain(reply, wording, turn.profile, turn.today))
        return
    text = plain(replace(reply, choices=()), wording, turn.profile, turn.today)
    said = say(reply, wording, turn.profile, turn.today)
    if turn.channel in DEVELOPMENT_CHANNELS:
        buttons = [{"title": choice.title, "payload": choice.title} for choice in said.choices]
        dispatcher.utter_message(text=text, buttons=buttons)
        return
    # The text as well: it is what "say that again" reads in the conversation.
    dispatcher.utter_message(text=text, json_message={SAID: said.to_json()})
