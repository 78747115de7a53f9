"""What the page shows: in order, once, to its own conversation alone, and gone with it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from support.installation import PostgresSchema, settings_in

from assistant.customers.transcript import Erased, Transcript
from assistant.storage.conversations import Conversations
from assistant.storage.open import Storage, open_storage
from assistant.storage.seal import Unreadable


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    schema = PostgresSchema() if request.param == "postgres" else None
    changes = {"database_url": schema.url, "keys_url": f"sqlite:///{tmp_path / 'keys.db'}"} if schema else {}
    storage = open_storage(settings_in(tmp_path, **changes))
    yield storage
    storage.database.dispose()
    if schema:
        schema.drop()


@pytest.fixture
def transcript(storage: Storage) -> Transcript:
    return Transcript(storage)


def fill(transcript: Transcript, conversation: str, count: int) -> list[int]:
    shown = [transcript.add(conversation, f"k{n}", {"n": n}, begins=True) for n in range(count)]
    return [one.seq for one in shown if one]


def numbers(shown: tuple) -> list[int]:  # type: ignore[type-arg]
    return [one.what["n"] for one in shown]


def test_what_comes_after_and_what_came_last(transcript: Transcript) -> None:
    seqs = fill(transcript, "a", 5)
    fill(transcript, "b", 3)
    assert numbers(transcript.after("a", seqs[1])) == [2, 3, 4]
    assert numbers(transcript.after("a", 0, limit=2)) == [0, 1]
    assert numbers(transcript.last("a", 2)) == [3, 4]
    assert transcript.after("a", seqs[-1]) == () == transcript.last("nobody", 9)


def test_shown_once(transcript: Transcript) -> None:
    assert transcript.add("a", "k", {"n": 1}, begins=True)
    assert transcript.add("a", "k", {"n": 2}) is None
    assert numbers(transcript.after("a", 0)) == [1]
    assert transcript.add("b", "k", {"n": 3}, begins=True), "a key is the conversation's own"


def test_a_number_of_another_conversation_shows_nothing(transcript: Transcript) -> None:
    (mine,), (hers,) = fill(transcript, "a", 1), fill(transcript, "b", 1)
    assert transcript.one("a", mine) and transcript.one("a", hers) is None
    assert transcript.ends(["a", "b", "c"]) == {"a": mine, "b": hers}


def test_it_goes_with_the_conversation(transcript: Transcript, storage: Storage) -> None:
    before = fill(transcript, "a", 2)
    Conversations(storage.database, storage.keys).erase("a")
    assert transcript.after("a", 0) == () and not transcript.has("a", "k0")
    with pytest.raises(Erased):
        transcript.add("a", "late", {"n": 9})
    begun = transcript.add("a", "new", {"n": 0}, begins=True)
    assert begun and begun.seq > before[-1], "a tab that is still open takes a number for new"


def test_sealed_and_bound_to_its_conversation(transcript: Transcript, storage: Storage) -> None:
    transcript.add("a", "k", {"text": "UNMISTAKABLE"}, begins=True)
    transcript.add("b", "k", {"text": "other"}, begins=True)
    with storage.database.engine.begin() as connection:
        assert "UNMISTAKABLE" not in str(connection.execute(text("SELECT * FROM web_transcript")).all())
        connection.execute(
            text("UPDATE web_transcript SET sealed = (SELECT sealed FROM web_transcript WHERE conversation_id = 'a')")
        )
    with pytest.raises(Unreadable):
        transcript.after("b", 0)


def test_many_at_once_lose_nothing(transcript: Transcript) -> None:
    def write(name: int) -> None:
        for n in range(10):
            transcript.add("a", f"{name} {n}", {"n": n}, begins=True)

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    seen, last = 0, 0
    while any(thread.is_alive() for thread in threads) or transcript.after("a", last):
        for one in transcript.after("a", last):
            seen, last = seen + 1, one.seq
    assert seen == 40, "a reader that goes on from the last number it saw has seen all"
