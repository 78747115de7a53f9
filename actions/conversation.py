"""The conversation itself: hello, help, yes and no, stop, misunderstandings, a person."""

from abc import abstractmethod

from actions.base import Answer, TurnAction, ask
from actions.privacy import after_code, after_linking, ending_consents, erase_confirmed, go_on, unlink_confirmed
from actions.services import services
from actions.turn import Turn, Waiting, WaitingFor
from assistant.customers.handover import Handover
from assistant.replies.reply import Literal, Phrase, Reply
from assistant.skills.conversation import MISSES_BEFORE_PERSON, did_you_mean, greeting, handed_over, help_for, says
from assistant.skills.focus import Focus, Topic
from assistant.skills.privacy import allowed

#: Intents with one fixed reply: the wording's key, and what to offer next.
_FIXED = {
    "goodbye": ("goodbye",),
    "thanks": ("thanks",),
    "ask_bot": ("bot", "help", "meant_talk_to_person"),
    "out_of_scope": ("out_of_scope", "help"),
    "ask_advice": ("no_advice", "meant_ask_spending_breakdown", "meant_talk_to_person"),
    "move_money": ("no_payments", "meant_ask_balance", "meant_talk_to_person"),
}


#: What a yes sets in motion.
_CONFIRMED = {
    WaitingFor.UNLINK: unlink_confirmed,
    WaitingFor.CODE: go_on,
    WaitingFor.ERASE: erase_confirmed,
}


class ConversationAction(TurnAction):
    """A turn that asks nothing of its own ("I'm back", "that's it"). What waited for a page of ours goes on with it,
    if that page was finished."""

    def answer(self, turn: Turn) -> Answer:
        resumed = None
        if turn.waiting.kind is WaitingFor.LINK:
            resumed = after_linking(turn)
        elif turn.waiting.kind is WaitingFor.CODE:
            resumed = after_code(turn)
        return resumed or self.reply(turn)

    @abstractmethod
    def reply(self, turn: Turn) -> Answer:
        """The answer when nothing waited."""


class ActionGreet(ConversationAction):
    action = "action_greet"

    def reply(self, turn: Turn) -> Answer:
        return Answer(greeting(linked=turn.bank is not None, ending=ending_consents(turn)))


class ActionReturned(ConversationAction):
    """Back from a page of ours. No words were said, so a yes to something else must not be heard in it."""

    action = "action_returned"

    def reply(self, turn: Turn) -> Answer:
        return Answer(says("linked" if turn.bank is not None else "what_next", "help"), waiting=turn.waiting)


class ActionHelp(ConversationAction):
    action = "action_help"

    def reply(self, turn: Turn) -> Answer:
        return Answer(help_for(turn.bank))


class ActionSay(ConversationAction):
    """What needs no bank: the reply depends on the intent alone."""

    action = "action_say"

    def reply(self, turn: Turn) -> Answer:
        key, *choices = _FIXED[turn.intent]
        if turn.intent != "out_of_scope":
            return Answer(says(key, *choices))
        # Out of reach twice in a row is a customer going in circles: a person is offered.
        misses = turn.misses + 1
        if misses >= MISSES_BEFORE_PERSON:
            return Answer(says("out_of_scope_again", "meant_talk_to_person", "help"), misses=misses)
        return Answer(says(key, *choices), misses=misses)


class ActionStop(ConversationAction):
    action = "action_stop"

    def reply(self, turn: Turn) -> Answer:
        return Answer(says("stopped"), Focus())


class ActionRepeat(ConversationAction):
    """ "Say that again" repeats; after "the bank did not answer" the same words ask again."""

    action = "action_repeat"

    def reply(self, turn: Turn) -> Answer:
        if turn.waiting.kind is WaitingFor.RETRY:
            return ask(turn.waiting.question, turn.bank, turn)
        last = turn.last_said()
        if not last:
            return Answer(says("nothing_to_repeat", "help"))
        return Answer(Reply((Phrase("said_before", {"said": Literal(last)}),)), waiting=turn.waiting)


class ActionAffirm(ConversationAction):
    action = "action_affirm"

    def reply(self, turn: Turn) -> Answer:
        waiting = turn.waiting
        if waiting.kind is WaitingFor.CONSENT and waiting.purpose and turn.customer:
            grant(turn, waiting)
            if waiting.question.topic is Topic.NONE:
                return Answer(allowed(waiting.purpose))
            again = ask(waiting.question, turn.bank, turn)
            said = Phrase(f"consent_given_{waiting.purpose.value}")
            reply = again.reply
            return Answer(
                Reply((said, *reply.say), reply.table, reply.chart, reply.choices, reply.expects_answer),
                again.focus,
                again.waiting,
            )
        if waiting.kind is WaitingFor.RETRY:
            return ask(waiting.question, turn.bank, turn)
        if waiting.kind is WaitingFor.LINK:
            return Answer(says("not_linked_yet", "link"), waiting=waiting)
        if waiting.kind in _CONFIRMED:
            return _CONFIRMED[waiting.kind](turn)
        return Answer(says("what_next", "help"))


def grant(turn: Turn, offer: Waiting) -> None:
    """Record the opt-in that was offered, for this channel, at the bank that it was offered for."""
    rooms = services().customers
    if turn.customer and offer.purpose:
        linked = [link.bank_id for link in rooms.vault.links(turn.customer.id)]
        for bank_id in linked:
            if not offer.bank_id or offer.bank_id == bank_id:
                rooms.consents.grant(turn.customer.id, bank_id, turn.channel, [offer.purpose])


class ActionDeny(TurnAction):
    action = "action_deny"

    def answer(self, turn: Turn) -> Answer:
        return Answer(says("consent_declined" if turn.waiting.kind is WaitingFor.CONSENT else "as_you_like", "help"))


class ActionPerson(TurnAction):
    """A person, at any turn. A disputed charge is a legal right with a clock: it always leaves a record."""

    action = "action_talk_to_person"

    def answer(self, turn: Turn) -> Answer:
        dispute = turn.intent == "dispute_charge"
        reason = "dispute" if dispute else "person"
        handover = Handover(turn.conversation, turn.channel, reason, turn.customer, turn.text)
        reference = services().customers.desk.open(handover)
        return Answer(handed_over(reference, dispute=dispute))


class ActionNotMeant(TurnAction):
    """ "That's not what I meant": what else the message before could have been."""

    action = "action_not_meant"

    def answer(self, turn: Turn) -> Answer:
        misses = turn.misses + 1
        return Answer(did_you_mean(turn.ranking_before()[1:], misses), misses=misses)


class ActionClarify(ConversationAction):
    """Below the line of confidence."""

    action = "action_clarify"

    def reply(self, turn: Turn) -> Answer:
        misses = turn.misses + 1
        return Answer(did_you_mean(turn.ranking, misses), misses=misses)
