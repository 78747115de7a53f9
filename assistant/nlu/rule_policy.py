"""Rasa's RulePolicy, looking at the last turns instead of the whole conversation.

Rules are about the last turn or two, but Rasa featurizes (and copies, for its log) every state since the session
began, twice a turn: the longer one talks, the slower each answer. The choice made is the same.
"""

from __future__ import annotations

from typing import Any

from rasa.core.policies.rule_policy import RulePolicy
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain, State
from rasa.shared.core.events import (
    ActionExecuted,
    ActionReverted,
    Event,
    Restarted,
    StoryExported,
    UserUtteranceReverted,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker

#: What undoes or replaces earlier events: where one is in sight the whole history is looked at.
_REWRITES = (ActionReverted, Restarted, StoryExported, UserUtteranceReverted)


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.POLICY_WITHOUT_END_TO_END_SUPPORT, is_trainable=True)
class RecentRulePolicy(RulePolicy):  # type: ignore[misc]  # Rasa is read untyped
    """``turns``: how many of the customer's messages back rules may reach; no rule may be longer.

    A form, or a slot that influences the conversation, can reach back further: then all is looked at.
    """

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {**RulePolicy.get_default_config(), "turns": 3}

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
        return DialogueStateTracker.from_events(tracker.sender_id, tail, slots=[], max_event_history=None)


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
