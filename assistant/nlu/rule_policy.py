"""Rasa's RulePolicy, looking at the last turns instead of the whole conversation.

Rules are about the last turn or two, but Rasa featurizes (and copies, for its log) every state since the session
began, twice a turn: the longer one talks, the slower each answer. And it tries every rule on every state, where a look
at the intent leaves a few. The choice made is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rasa.core.policies.rule_policy import RulePolicy
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.core.constants import ACTION_LISTEN_NAME, PREVIOUS_ACTION, SHOULD_NOT_BE_SET, USER
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.events import (
    ActionExecuted,
    ActionReverted,
    Event,
    Restarted,
    SlotSet,
    StoryExported,
    UserUtteranceReverted,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.nlu.constants import INTENT

#: What undoes or replaces earlier events: where one is in sight the whole history is looked at.
_REWRITES = (ActionReverted, Restarted, StoryExported, UserUtteranceReverted)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class RecentRulePolicy(RulePolicy):  # type: ignore[misc]  # Rasa is read untyped
    """``turns``: how many of the customer's messages back rules may reach; no rule may be longer.

    A form, or a slot that influences the conversation, can reach back further: then all is looked at.
    """

    #: The rules last asked for, and where to look in them. Rasa keeps each set of rules in a table of its own.
    _sorted: tuple[Mapping[str, str], _ByIntent] | None = None

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {**RulePolicy.get_default_config(), "turns": 3}

    def _get_possible_keys(self, lookup: dict[str, str], states: list[State]) -> set[str]:
        if states:
            known = self._sorted
            if known is None or known[0] is not lookup or known[1].rules != len(lookup):
                known = self._sorted = (lookup, _ByIntent(lookup, self._rule_key_to_state))
            lookup = {key: lookup[key] for key in known[1].candidates(states[-1])}
        possible: set[str] = super()._get_possible_keys(lookup, states)
        return possible

    def _prediction_states(
        self,
        tracker: DialogueStateTracker,
        domain: Domain,
        use_text_for_last_user_input: bool = False,
        rule_only_data: dict[str, Any] | None = None,
    ) -> list[State]:
        seen = self._recent(tracker, domain)
        states: list[State] = super()._prediction_states(seen, domain, use_text_for_last_user_input, rule_only_data)
        return states

    def _recent(self, tracker: DialogueStateTracker, domain: Domain) -> DialogueStateTracker:
        if tracker.active_loop or any(slot.influence_conversation for slot in domain.slots):
            return tracker
        tail = _tail(tracker, self.config["turns"])
        if tail is None:
            return tracker
        # Slots that don't influence the conversation are in no state; setting them would only take time.
        told = [event for event in tail if not isinstance(event, SlotSet)]
        return DialogueStateTracker.from_events(tracker.sender_id, told, slots=[], max_event_history=None)


class _ByIntent:
    """Rules by the intent that their last state asks for: no other can fit a conversation that ends in it."""

    def __init__(self, keys: Iterable[str], read: Callable[[str], list[State]]) -> None:
        self._wanting: dict[str, list[str]] = {}
        self._any: list[str] = []
        self.rules = 0
        for key in keys:
            self.rules += 1
            states = read(key)
            wanted = states[-1].get(USER, {}).get(INTENT) if states and states[-1].get(PREVIOUS_ACTION) else None
            if isinstance(wanted, str) and wanted and wanted != SHOULD_NOT_BE_SET:
                self._wanting.setdefault(wanted, []).append(key)
            else:
                self._any.append(key)

    def candidates(self, state: State) -> list[str]:
        """The rules that may fit a conversation whose last state is this; whether they do is Rasa's to say."""
        return [*self._any, *self._wanting.get(state.get(USER, {}).get(INTENT) or "", ())]


def _tail(tracker: DialogueStateTracker, turns: int) -> list[Event] | None:
    """The events from where we listened for the ``turns``-th last message; None where all must be looked at."""
    tail: list[Event] = []
    messages = 0
    for event in reversed(tracker.events):
        if isinstance(event, _REWRITES):
            return None
        tail.append(event)
        if isinstance(event, UserUttered):
            messages += 1
        elif messages >= turns and isinstance(event, ActionExecuted) and event.action_name == ACTION_LISTEN_NAME:
            return tail[::-1]
    return None
