"""Rasa's tracker store over storage.conversations: sealed at rest, and quick.

Rasa's own SQL store reads the whole session and inserts event by event, every turn. This one keeps the
tracker of a finished turn in memory and asks the database one question, "is this still the end of the
conversation?", before it is used again; a turn is stored as one sealed row.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import rasa.shared.core.events as rasa_events
from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.constants import ACTION_LISTEN_NAME
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker

from assistant.guarded import guard_process
from assistant.lighter import make_rasa_lighter
from assistant.lighter.tracker import LightTracker
from assistant.settings import Settings, load_settings
from assistant.storage.conversations import Conversations, Tail
from assistant.storage.keys import KeyDestroyed
from assistant.storage.open import open_storage

logger = logging.getLogger(__name__)

_REMEMBERED = 500
#: A tracker in use holds this many of the customer's messages and what belongs to them. Rasa sends all of it to the
#: action server with every call, so without a limit each answer would be slower than the one before. Everything
#: stays stored, and every slot keeps its value.
_TURNS_IN_USE = 10
#: Noted on the tracker itself, so that whoever saves it knows which of its events are new.
_LET_GO = "tellerline_events_let_go"


@dataclass(frozen=True, slots=True)
class _Known:
    """A tracker this process gave out or saved, as it was then.

    ``length`` is how many of its events are stored: one that has more is in the middle of a turn, or its
    turn failed. ``tail`` and ``key_id`` are those of the conversation at that time.
    """

    tracker: DialogueStateTracker
    length: int
    tail: Tail
    key_id: str

    @property
    def is_one_session(self) -> bool:
        """Whether reading the last session would give just this."""
        return 0 < self.length == self.tail.events


class TellerlineTrackerStore(TrackerStore):  # type: ignore[misc]  # Rasa is read untyped
    """In endpoints.yml: ``tracker_store: {type: assistant.storage.tracker_store.TellerlineTrackerStore}``.

    The database and the keys are those of assistant.settings. Rasa's lock per conversation is what makes
    one turn follow another; this store relies on it, as every Rasa store does.
    """

    def __init__(
        self,
        domain: Domain | None = None,
        host: str | None = None,
        event_broker: EventBroker | None = None,
        *,
        settings: Settings | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(domain, event_broker, **kwargs)
        if settings is None:  # Rasa's own process, which reads its settings from the environment
            guard_process()
        make_rasa_lighter()
        storage = open_storage(settings or load_settings())
        self._conversations = Conversations(storage.database, storage.keys)
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def init_tracker(self, sender_id: str) -> DialogueStateTracker:
        return LightTracker(sender_id, self.domain.slots, max_event_history=self.max_event_history)

    async def keys(self) -> Iterable[str]:
        return self._conversations.ids()

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The latest session."""
        known = self._known.get(sender_id)
        if known is not None and known.is_one_session and self._is_current(sender_id, known):
            _shorten(known.tracker)
            return known.tracker
        try:
            tail = self._conversations.tail(sender_id)
            tracker = self._rebuilt(sender_id, self._conversations.session(sender_id))
            if tracker is not None:
                _shorten(tracker)
                self._remember(tracker, tail, self._conversations.cipher(sender_id).key_id)
                return tracker
        except KeyDestroyed:
            logger.debug("conversation was erased while it was read")
        self._known.pop(sender_id, None)
        return None

    async def retrieve_full_tracker(self, conversation_id: str) -> DialogueStateTracker | None:
        """All sessions."""
        return self._rebuilt(conversation_id, self._conversations.everything(conversation_id))

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Append what is not stored yet."""
        await self.stream_events(tracker)
        sender_id = tracker.sender_id
        known = self._known.get(sender_id)
        try:
            cipher = self._conversations.cipher(sender_id, new=known is None)
        except KeyDestroyed:
            cipher = None
        if cipher is None or (known is not None and cipher.key_id != known.key_id):
            # Erased during this turn. Saving now would bring back what was to be forgotten.
            self._known.pop(sender_id, None)
            return
        if known is not None and known.tracker is tracker:
            stored = known.length
        else:
            stored = self._conversations.tail(sender_id).events
        new = list(tracker.events)[stored - _let_go(tracker) :]
        tail = self._conversations.append(sender_id, _by_session(new), cipher)
        self._remember(tracker, tail, cipher.key_id)

    def erase(self, sender_id: str) -> None:
        """Forget a conversation, so that no copy of the database tells it either."""
        self._conversations.erase(sender_id)
        self._known.pop(sender_id, None)

    @property
    def domain(self) -> Domain:
        return self._domain

    @domain.setter
    def domain(self, domain: Domain | None) -> None:
        """A new model brings new slots: trackers built for the old one are let go."""
        self._domain = domain or Domain.empty()
        self._known.clear()

    def _is_current(self, sender_id: str, known: _Known) -> bool:
        if _length(known.tracker) != known.length:
            return False
        try:
            cipher = self._conversations.cipher(sender_id)
        except KeyDestroyed:
            return False
        return cipher.key_id == known.key_id and self._conversations.tail(sender_id) == known.tail

    def _rebuilt(self, sender_id: str, events: Sequence[dict[str, Any]]) -> DialogueStateTracker | None:
        if not events:
            return None
        return LightTracker.from_dict(sender_id, list(events), self.domain.slots)

    def _remember(self, tracker: DialogueStateTracker, tail: Tail, key_id: str) -> None:
        self._known[tracker.sender_id] = _Known(tracker, _length(tracker), tail, key_id)
        self._known.move_to_end(tracker.sender_id)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)


def _let_go(tracker: DialogueStateTracker) -> int:
    """How many of its first events a tracker no longer holds."""
    return int(getattr(tracker, _LET_GO, 0))


def _length(tracker: DialogueStateTracker) -> int:
    """How many events it has seen."""
    return len(tracker.events) + _let_go(tracker)


def _shorten(tracker: DialogueStateTracker) -> None:
    """Let go of what lies before the last turns. In a form all is kept."""
    if tracker.active_loop:
        return
    events = list(tracker.events)
    said = [index for index, event in enumerate(events) if isinstance(event, rasa_events.UserUttered)]
    if len(said) <= _TURNS_IN_USE:
        return
    start = said[-_TURNS_IN_USE]
    while start > 0 and not _listens(events[start]):
        start -= 1
    tracker.events = type(tracker.events)(events[start:])
    setattr(tracker, _LET_GO, _let_go(tracker) + start)


def _listens(event: rasa_events.Event) -> bool:
    return isinstance(event, rasa_events.ActionExecuted) and event.action_name == ACTION_LISTEN_NAME


def _by_session(events: Sequence[rasa_events.Event]) -> list[list[dict[str, Any]]]:
    """Cut before each session start, because a session must begin with a row of its own."""
    batches: list[list[dict[str, Any]]] = [[]]
    for event in events:
        if isinstance(event, rasa_events.SessionStarted) and batches[-1]:
            batches.append([])
        batches[-1].append(event.as_dict())
    return [batch for batch in batches if batch]
