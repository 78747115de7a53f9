"""Follow-ups: "what about restaurants?", "and the month before?", "show me those", "more"."""

from actions.base import Answer, TurnAction, ask
from actions.questions import follow_up, period_of
from actions.turn import Turn
from assistant.skills.conversation import says
from assistant.skills.focus import Focus, Order, Topic

#: Questions whose answer is a figure for one moment: a merchant or category asked next is about spending.
_NOT_SEARCHES = (Topic.NONE, Topic.BALANCES, Topic.RECURRING)


class ActionRefine(TurnAction):
    action = "action_refine"

    def answer(self, turn: Turn) -> Answer:
        heard, focus = turn.heard, turn.focus
        if not heard.filters:
            return Answer(says("refine_what", "help"))
        if focus.topic in _NOT_SEARCHES and (heard.merchant or heard.category):
            period, refusal = period_of(turn, None)
            return refusal or ask(heard.fresh(Topic.SPENDING, "total", period), turn.bank, turn)
        if focus.topic is Topic.NONE:
            topic = Topic.BALANCES if heard.account and not heard.period else Topic.TRANSACTIONS
            period, refusal = period_of(turn, None)
            return refusal or ask(heard.fresh(topic, "", period), turn.bank, turn)
        return follow_up(turn, focus)


class ActionShowThose(TurnAction):
    """The transactions behind the figure that was just said."""

    action = "action_show_those"

    def answer(self, turn: Turn) -> Answer:
        focus = turn.focus
        if focus.topic is Topic.NONE:
            return Answer(says("refine_what", "help"))
        if focus.topic is Topic.SPENDING:
            return follow_up(turn, _behind(focus))
        if focus.view in ("largest", "last_payment"):
            focus = focus.with_(view="list", order=Order.LATEST, count=None)
        return follow_up(turn, focus.with_(shown=0))


def _behind(focus: Focus) -> Focus:
    """From a sum to what was added up, refunds included."""
    view = {"income": "earned", "fees": "fees"}.get(focus.view, "spent")
    return focus.with_(topic=Topic.TRANSACTIONS, view=view, direction=None, shown=0)


class ActionMore(TurnAction):
    action = "action_more"

    def answer(self, turn: Turn) -> Answer:
        if turn.focus.topic is not Topic.TRANSACTIONS or not turn.focus.shown:
            return Answer(says("nothing_more", "help"))
        return ask(turn.focus, turn.bank, turn)
