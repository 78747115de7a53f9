"""What keeping the conversation adds to a turn: ours beside Rasa's SQLTrackerStore, both on SQLite on the same disk.

A turn retrieves the tracker and saves it with the events of one question and its answer, as Rasa does. Conversations
take it in turns between the stores, so that both meet the same machine. Ours seals what it keeps; the peer keeps it as
it is. ``ratio`` is peer/ours.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

os.environ["RASA_TELEMETRY_ENABLED"] = "false"

from rasa.core.tracker_store import SQLTrackerStore, TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.events import ActionExecuted, BotUttered, Event, SessionStarted, SlotSet, UserUttered
from rasa.shared.core.trackers import DialogueStateTracker
from results import Metric, report

from assistant.settings import load_settings
from assistant.storage.tracker_store import TellerlineTrackerStore

ROOT = Path(__file__).resolve().parent.parent
#: Of 20 turns each, which is a long conversation; the first of each store warms up.
CONVERSATIONS, TURNS = 11, 20
LIMIT_MS = 2.0


def main() -> None:
    domain = Domain.load(str(ROOT / "domain.yml"))
    with tempfile.TemporaryDirectory(prefix="tellerline-bench-") as name:
        os.environ["TELLERLINE_HOME"] = name
        ours: list[float] = []
        peer: list[float] = []
        stores = (
            (TellerlineTrackerStore(domain, settings=load_settings()), ours),
            (SQLTrackerStore(domain, host=f"sqlite:///{Path(name) / 'stock.db'}"), peer),
        )
        for number in range(CONVERSATIONS):
            for store, times in stores:
                took = asyncio.run(conversation(store, domain, f"somebody-{number}"))
                times += took if number else []
    p50 = statistics.median(ours), statistics.median(peer)
    p95 = statistics.quantiles(ours, n=20)[-1], statistics.quantiles(peer, n=20)[-1]
    report(
        "tracker",
        [
            Metric("turn_p50", p50[0], "ms", p50[1], p50[1] / p50[0], f"at most {LIMIT_MS:g} ms", p50[0] <= LIMIT_MS),
            Metric("turn_p95", p95[0], "ms", p95[1], p95[1] / p95[0]),
        ],
        [f"{len(ours)} turns each, in conversations of {TURNS}; {os.cpu_count()} cores"],
    )


async def conversation(store: TrackerStore, domain: Domain, sender_id: str) -> list[float]:
    """Milliseconds of each turn that went to the store."""
    times = []
    for number in range(TURNS):
        began = time.perf_counter()
        tracker = await store.retrieve(sender_id)
        retrieved = time.perf_counter() - began
        if tracker is None:
            tracker = DialogueStateTracker(sender_id, domain.slots)
            tracker.update_with_events([ActionExecuted("action_session_start"), SessionStarted()], domain)
        tracker.update_with_events(list(turn(number)), domain)
        began = time.perf_counter()
        await store.save(tracker)
        times.append((retrieved + time.perf_counter() - began) * 1000)
    kept = await store.retrieve_full_tracker(sender_id)
    if kept is None or sum(isinstance(event, UserUttered) for event in kept.events) != TURNS:
        raise SystemExit(f"{type(store).__name__} lost part of a conversation")
    return times


def turn(number: int) -> Iterator[Event]:
    """The events of one question, as large as Rasa makes them."""
    ranking = [{"name": f"ask_something_{place}", "confidence": 0.5 / (place + 1)} for place in range(10)]
    entities = [{"entity": "category", "value": "groceries", "start": 24, "end": 33, "extractor": "lookup"}]
    parsed = {"text": "how much did I spend on groceries last month", "intent_ranking": ranking}
    yield ActionExecuted("action_listen")
    yield UserUttered(str(parsed["text"]), {"name": "ask_spending", "confidence": 0.98}, entities, parsed)
    yield ActionExecuted("action_spending")
    yield SlotSet("focus", {"topic": "spending", "view": "total", "category": "groceries", "number": number})
    yield BotUttered("You spent $412.77 on groceries last month, $31.02 less than the month before.")


if __name__ == "__main__":
    main()
