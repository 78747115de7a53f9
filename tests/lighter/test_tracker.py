"""A copy of a tracker is the tracker, and apart from it."""

from __future__ import annotations

import os

os.environ["RASA_TELEMETRY_ENABLED"] = "false"

from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    ActiveLoop,
    BotUttered,
    ConversationPaused,
    FollowupAction,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker, EventVerbosity

from assistant.lighter.tracker import LightTracker

DOMAIN = Domain.from_yaml(
    """
version: "3.1"
intents: [ask]
actions: [action_answer]
slots:
  focus: {type: any, influence_conversation: false, mappings: [{type: custom}]}
  misses: {type: any, influence_conversation: false, mappings: [{type: custom}]}
"""
)
EVENTS = [
    ActionExecuted("action_listen"),
    UserUttered("how much", {"name": "ask", "confidence": 1.0}, input_channel="rest"),
    ActionExecuted("action_answer"),
    SlotSet("focus", {"topic": "balances"}),
    BotUttered("$5"),
    ActiveLoop("form"),
    ConversationPaused(),
    FollowupAction("action_answer"),
]


def test_a_copy_says_what_rasas_says() -> None:
    for length in range(len(EVENTS) + 1):
        stock, ours = (
            kind.from_events("somebody", EVENTS[:length], slots=DOMAIN.slots)
            for kind in (DialogueStateTracker, LightTracker)
        )
        for tracker in (stock, ours):
            tracker.model_id, tracker.assistant_id = "model", "assistant"
        copies = [tracker.copy() for tracker in (stock, ours)]
        states = [copy.current_state(EventVerbosity.ALL) for copy in copies]
        assert states[0] == states[1]
        assert [(copy.model_id, copy.assistant_id) for copy in copies] == [(None, None)] * 2
        assert type(copies[1]) is LightTracker
        assert copies[0].latest_bot_utterance == copies[1].latest_bot_utterance


def test_what_happens_to_a_copy_does_not_happen_to_the_tracker() -> None:
    tracker = LightTracker.from_events("somebody", EVENTS[:5], slots=DOMAIN.slots)
    before = tracker.current_state(EventVerbosity.ALL)
    copy = tracker.copy()
    for event in (SlotSet("focus", None), SlotSet("misses", 2), ActiveLoop("other"), BotUttered("bye")):
        copy.update(event)
    assert tracker.current_state(EventVerbosity.ALL) == before
    assert copy.get_slot("misses") == 2


def test_a_slot_set_by_an_event_let_go_keeps_its_value() -> None:
    tracker = LightTracker.from_events("somebody", EVENTS[:5], slots=DOMAIN.slots)
    tracker.events = type(tracker.events)(list(tracker.events)[4:])
    assert tracker.copy().get_slot("focus") == {"topic": "balances"}
