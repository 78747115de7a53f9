"""Looking at the last turns only chooses as looking at all of them does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

os.environ["RASA_TELEMETRY_ENABLED"] = "false"

from rasa.core.policies.rule_policy import RulePolicy
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, ActiveLoop, SlotSet, UserUtteranceReverted, UserUttered
from rasa.shared.core.generator import TrainingDataGenerator
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.shared.core.training_data.story_reader.yaml_story_reader import YAMLStoryReader
from rasa.shared.core.training_data.structures import StoryGraph

from assistant.nlu.rule_policy import RecentRulePolicy, _tail

DOMAIN = Domain.from_yaml(
    """
version: "3.1"
intents: [ask, thanks, bye]
actions: [action_answer, action_thanks, action_bye]
slots:
  focus: {type: any, influence_conversation: false, mappings: [{type: custom}]}
"""
)
RULES = """
version: "3.1"
rules:
- rule: ask
  steps: [{intent: ask}, {action: action_answer}]
- rule: thanks
  steps: [{intent: thanks}, {action: action_thanks}]
- rule: bye
  steps: [{intent: bye}, {action: action_bye}]
"""


def trained(kind: type[RulePolicy], folder: Path) -> RulePolicy:
    context = ExecutionContext(GraphSchema({}), "test")
    storage = LocalModelStorage.create(folder)
    config: dict[str, Any] = {**kind.get_default_config(), "core_fallback_action_name": "action_bye"}
    policy = kind.create(config, storage, Resource("rules"), context)
    steps = YAMLStoryReader().read_from_string(RULES)
    trackers = TrainingDataGenerator(StoryGraph(steps), DOMAIN, augmentation_factor=0).generate()
    policy.train(trackers, DOMAIN)
    return policy


@pytest.fixture(scope="module")
def policies(tmp_path_factory: pytest.TempPathFactory) -> tuple[RulePolicy, RulePolicy]:
    return (
        trained(RulePolicy, tmp_path_factory.mktemp("stock")),
        trained(RecentRulePolicy, tmp_path_factory.mktemp("ours")),
    )


def conversation(turns: list[str]) -> DialogueStateTracker:
    """So many finished turns, and the last one heard but not answered."""
    answers = {"ask": "action_answer", "thanks": "action_thanks", "bye": "action_bye"}
    events: list[Any] = [ActionExecuted("action_session_start"), ActionExecuted("action_listen")]
    for intent in turns:
        events += [
            UserUttered(intent, {"name": intent, "confidence": 1.0}),
            ActionExecuted(answers[intent]),
            SlotSet("focus", {"topic": intent}),
            ActionExecuted("action_listen"),
        ]
    return DialogueStateTracker.from_events("somebody", events[:-3], slots=DOMAIN.slots)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 30])
@pytest.mark.parametrize("last", ["ask", "thanks", "bye"])
def test_the_choice_is_the_same(policies: tuple[RulePolicy, RulePolicy], length: int, last: str) -> None:
    tracker = conversation([("ask", "thanks")[turn % 2] for turn in range(length - 1)] + [last])
    stock, ours = (policy.predict_action_probabilities(tracker, DOMAIN) for policy in policies)
    assert ours.probabilities == stock.probabilities
    assert max(ours.probabilities) == 1.0


def test_after_the_answer_both_listen(policies: tuple[RulePolicy, RulePolicy]) -> None:
    tracker = conversation(["ask"] * 9)
    tracker.update(ActionExecuted("action_answer"))
    stock, ours = (policy.predict_action_probabilities(tracker, DOMAIN) for policy in policies)
    assert ours.probabilities == stock.probabilities
    assert DOMAIN.action_names_or_texts[ours.probabilities.index(1.0)] == "action_listen"


def test_only_the_last_turns_are_looked_at() -> None:
    tail = _tail(conversation(["ask"] * 30), 3)
    assert tail is not None
    assert sum(isinstance(event, UserUttered) for event in tail) == 3
    assert tail[0].action_name == "action_listen"


def test_a_short_conversation_and_one_that_was_rewritten_are_looked_at_whole() -> None:
    assert _tail(conversation(["ask"]), 3) is None
    tracker = conversation(["ask"] * 9)
    tracker.update(UserUtteranceReverted())
    assert _tail(tracker, 3) is None


def test_in_a_form_everything_is_looked_at(policies: tuple[RulePolicy, RulePolicy]) -> None:
    tracker = conversation(["ask"] * 9)
    tracker.update(ActiveLoop("form"))
    assert policies[1]._recent(tracker, DOMAIN) is tracker


def test_nothing_is_written_to_the_log_for_slots_that_are_set(
    policies: tuple[RulePolicy, RulePolicy], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("WARNING"):
        policies[1].predict_action_probabilities(conversation(["ask"] * 9), DOMAIN)
    assert caplog.records == []


def test_rules_are_sorted_by_intent_and_none_is_lost(policies: tuple[RulePolicy, RulePolicy]) -> None:
    stock, ours = policies
    lookup = ours.lookup["rules"]
    for length in (1, 2, 3):
        for last in ("ask", "thanks", "bye"):
            states = stock._prediction_states(conversation([*["ask"] * (length - 1), last]), DOMAIN)
            for some in ([], states[:1], states):
                assert ours._get_possible_keys(lookup, some) == RulePolicy._get_possible_keys(ours, lookup, some)
