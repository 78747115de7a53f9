from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import (
    ActionExecuted,
    BotUttered,
    Event,
    Restarted,
    SessionStarted,
    SlotSet,
    UserUttered,
)
from rasa.shared.core.trackers import DialogueStateTracker
from rasa.utils.endpoints import EndpointConfig
from sqlalchemy import event as sql_event
from support.installation import settings_in

from assistant.storage.conversations import Conversations
from assistant.storage.open import Storage, open_storage
from assistant.storage.tracker_store import TellerlineTrackerStore

DOMAIN = Domain.from_yaml(
    """
    intents: [ask_balance]
    slots:
      merchant: {type: any, mappings: [{type: custom}]}
    actions: [action_balance]
    """
)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return open_storage(settings_in(tmp_path))


def a_store(tmp_path: Path, storage: Storage) -> TellerlineTrackerStore:
    """A store of its own, as another process would have."""
    store = TellerlineTrackerStore(DOMAIN, settings=settings_in(tmp_path))
    store._conversations = Conversations(storage.database, storage.keys)
    return store


@pytest.fixture
def store(tmp_path: Path, storage: Storage) -> TellerlineTrackerStore:
    return a_store(tmp_path, storage)


def turn(text: str) -> list[Event]:
    return [
        UserUttered(text, {"name": "ask_balance"}),
        ActionExecuted("action_balance"),
        SlotSet("merchant", text),
        BotUttered(f"about {text}"),
        ActionExecuted("action_listen"),
    ]


def say(store: TrackerStore, sender: str, events: list[Event]) -> DialogueStateTracker:
    async def run() -> DialogueStateTracker:
        tracker = await store.get_or_create_tracker(sender)
        for event in events:
            tracker.update(event)
        await store.save(tracker)
        return tracker

    return asyncio.run(run())


def told(store: TrackerStore, sender: str, full: bool = False) -> list[dict[str, Any]]:
    retrieve = store.retrieve_full_tracker if full else store.retrieve
    tracker = asyncio.run(retrieve(sender))
    return [event.as_dict() for event in tracker.events] if tracker else []


def test_a_conversation_comes_back_whole_in_this_process_and_another(
    tmp_path: Path, storage: Storage, store: TellerlineTrackerStore
) -> None:
    say(store, "c1", turn("coffee"))
    tracker = say(store, "c1", turn("rent"))
    expected = [event.as_dict() for event in tracker.events]
    assert len(expected) == 11
    assert told(a_store(tmp_path, storage), "c1") == expected
    assert told(store, "c1") == expected
    again = asyncio.run(a_store(tmp_path, storage).retrieve("c1"))
    assert again is not None and again.get_slot("merchant") == "rent" and again.latest_message.text == "rent"


def test_a_turn_said_elsewhere_is_seen(tmp_path: Path, storage: Storage, store: TellerlineTrackerStore) -> None:
    other = a_store(tmp_path, storage)
    say(store, "c1", turn("coffee"))
    say(other, "c1", turn("rent"))
    say(store, "c1", turn("gas"))
    texts = [event["text"] for event in told(other, "c1") if event["event"] == "user"]
    assert texts == ["coffee", "rent", "gas"]


def test_a_turn_that_failed_leaves_no_trace(store: TellerlineTrackerStore) -> None:
    say(store, "c1", turn("coffee"))
    before = told(store, "c1")

    async def fail() -> None:
        tracker = await store.get_or_create_tracker("c1")
        for event in turn("rent"):
            tracker.update(event)

    asyncio.run(fail())
    assert told(store, "c1") == before


def test_events_added_after_saving_are_not_taken_for_saved(store: TellerlineTrackerStore) -> None:
    tracker = say(store, "c1", turn("coffee"))
    tracker.update(UserUttered("never saved"))
    assert all(event.get("text") != "never saved" for event in told(store, "c1"))


def test_only_the_last_session_is_loaded_and_nothing_is_stored_twice(
    tmp_path: Path, storage: Storage, store: TellerlineTrackerStore
) -> None:
    say(store, "c1", [ActionExecuted("action_session_start"), SessionStarted(), *turn("coffee")])
    say(store, "c1", [ActionExecuted("action_session_start"), SessionStarted(), *turn("rent")])
    say(store, "c1", turn("gas"))
    other = a_store(tmp_path, storage)
    session = told(other, "c1")
    assert session[0]["event"] == "session_started"
    assert [event["text"] for event in session if event["event"] == "user"] == ["rent", "gas"]
    everything = told(other, "c1", full=True)
    assert [event["text"] for event in everything if event["event"] == "user"] == ["coffee", "rent", "gas"]


def test_saving_twice_in_a_turn_that_starts_a_session_stores_each_event_once(store: TellerlineTrackerStore) -> None:
    say(store, "c1", turn("coffee"))

    async def run() -> None:
        tracker = await store.get_or_create_tracker("c1")
        for event in [ActionExecuted("action_session_start"), SessionStarted(), *turn("rent")]:
            tracker.update(event)
        await store.save(tracker)
        tracker.update(SlotSet("merchant", "later"))
        await store.save(tracker)
        await store.save(tracker)

    asyncio.run(run())
    everything = told(store, "c1", full=True)
    assert [event["text"] for event in everything if event["event"] == "user"] == ["coffee", "rent"]
    assert [event["value"] for event in everything if event["event"] == "slot"] == ["coffee", "rent", "later"]


def test_a_restart_is_kept(tmp_path: Path, storage: Storage, store: TellerlineTrackerStore) -> None:
    say(store, "c1", [*turn("coffee"), Restarted(), ActionExecuted("action_listen")])
    assert told(a_store(tmp_path, storage), "c1") == told(store, "c1")


def test_conversations_do_not_mix_and_are_listed(store: TellerlineTrackerStore) -> None:
    say(store, "c1", turn("coffee"))
    say(store, "c2", turn("rent"))
    assert {event.get("text") for event in told(store, "c2")} >= {"rent"}
    assert "coffee" not in str(told(store, "c2"))
    assert sorted(asyncio.run(store.keys())) == ["c1", "c2"]
    assert asyncio.run(store.exists("c1")) and not asyncio.run(store.exists("c3"))


def test_nothing_said_rests_in_clear(tmp_path: Path, store: TellerlineTrackerStore) -> None:
    say(store, "c1", turn("unmistakable words"))
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"unmistakable" not in path.read_bytes(), path


def test_erased_means_gone_also_from_a_copy(tmp_path: Path, storage: Storage, store: TellerlineTrackerStore) -> None:
    say(store, "c1", turn("coffee"))
    with storage.database.engine.connect() as connection:
        copy = connection.exec_driver_sql("SELECT * FROM conversation_events").fetchall()
    store.erase("c1")
    assert told(store, "c1") == [] and told(store, "c1", full=True) == []
    say(store, "c1", turn("hello again"))  # makes a new key
    with storage.database.engine.begin() as connection:  # the thief puts the old rows back
        for row in copy:
            marks = ",".join("?" * len(row))
            connection.exec_driver_sql(f"INSERT INTO conversation_events VALUES ({marks})", (row[0] + 100, *row[1:]))
    with pytest.raises(Exception, match="cannot open"):
        told(a_store(tmp_path, storage), "c1", full=True)


def test_a_conversation_erased_during_its_turn_stays_erased(storage: Storage, store: TellerlineTrackerStore) -> None:
    say(store, "c1", turn("coffee"))

    async def forget_me() -> None:
        tracker = await store.get_or_create_tracker("c1")
        for event in turn("forget me"):
            tracker.update(event)
        Conversations(storage.database, storage.keys).erase("c1")  # by the action server
        await store.save(tracker)

    asyncio.run(forget_me())
    assert told(store, "c1", full=True) == []
    say(store, "c1", turn("hello"))
    assert "coffee" not in str(told(store, "c1", full=True))


def test_old_conversations_expire(storage: Storage, store: TellerlineTrackerStore, monkeypatch: Any) -> None:
    from datetime import datetime, timezone

    monkeypatch.setenv("TELLERLINE_CLOCK", "2026-01-01T00:00:00Z")
    say(store, "old", turn("coffee"))
    monkeypatch.setenv("TELLERLINE_CLOCK", "2026-02-01T00:00:00Z")
    say(store, "new", turn("coffee"))
    conversations = Conversations(storage.database, storage.keys)
    assert conversations.erase_before(datetime(2026, 1, 15, tzinfo=timezone.utc)) == 1
    assert conversations.ids() == ["new"]


def test_a_new_model_gets_trackers_with_its_own_slots(store: TellerlineTrackerStore) -> None:
    say(store, "c1", turn("coffee"))
    store.domain = Domain.from_yaml("slots: {payee: {type: any, mappings: [{type: custom}]}}")
    tracker = asyncio.run(store.retrieve("c1"))
    assert tracker is not None and "payee" in tracker.slots


def test_a_turn_costs_a_few_statements_however_long_the_conversation(
    storage: Storage, store: TellerlineTrackerStore
) -> None:
    statements: list[str] = []

    @sql_event.listens_for(storage.database.engine, "before_cursor_execute")
    def _count(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith(("BEGIN", "PRAGMA")):
            statements.append(statement)

    counts = []
    for _ in range(20):
        statements.clear()
        say(store, "c1", turn("coffee"))
        counts.append(len(statements))
    assert max(counts[1:]) <= 4
    assert all("sealed" not in statement or "INSERT" in statement for statement in statements), "nothing is read again"


def test_rasa_finds_it_by_its_name(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("TELLERLINE_HOME", str(tmp_path))
    monkeypatch.delenv("TELLERLINE_DATABASE_URL", raising=False)
    config = EndpointConfig(type="assistant.storage.tracker_store.TellerlineTrackerStore")
    made = TrackerStore.create(config, domain=DOMAIN)
    assert isinstance(made, TellerlineTrackerStore)
    assert (tmp_path / "tellerline.db").exists()


def test_a_long_conversation_is_stored_whole_and_used_by_its_last_turns(
    store: TellerlineTrackerStore, tmp_path: Path, storage: Storage
) -> None:
    """Rasa sends the whole tracker to the action server at every turn: it must not grow with the conversation."""
    start = [ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen")]
    say(store, "long", start)
    for number in range(40):
        if number == 25:
            store._known.clear()  # pushed out by other conversations, in the middle of the talk
        if number == 33:
            store = a_store(tmp_path, storage)  # the next turn is served by another process
        tracker = say(store, "long", turn(f"m{number}"))
        assert sum(isinstance(event, UserUttered) for event in tracker.events) <= 11
        assert tracker.get_slot("merchant") == f"m{number}"
    everything = [event["text"] for event in told(store, "long", full=True) if event["event"] == "user"]
    assert everything == [f"m{number}" for number in range(40)]
    in_use = told(a_store(tmp_path, storage), "long")
    assert [event["text"] for event in in_use if event["event"] == "user"] == [f"m{number}" for number in range(30, 40)]
    assert in_use[0]["name"] == "action_listen"


def test_a_tracker_forgotten_between_reading_and_saving_loses_nothing(store: TellerlineTrackerStore) -> None:
    say(store, "long", [ActionExecuted("action_session_start"), SessionStarted(), ActionExecuted("action_listen")])
    for number in range(15):
        say(store, "long", turn(f"m{number}"))

    async def run() -> None:
        tracker = await store.get_or_create_tracker("long")
        store._known.clear()
        for event in turn("last"):
            tracker.update(event)
        await store.save(tracker)

    asyncio.run(run())
    said = [event["text"] for event in told(store, "long", full=True) if event["event"] == "user"]
    assert said == [*(f"m{number}" for number in range(15)), "last"]
