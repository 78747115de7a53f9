"""What channels have acknowledged: once, in order, by one process at a time, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.installation import PostgresSchema, settings_in

from assistant.banking import clock
from assistant.customers.identity import Identities
from assistant.customers.inbox import Inbox, Letter, Owner, State
from assistant.storage.conversations import Conversations
from assistant.storage.open import Storage, open_storage

QUEUE = "toy"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    schema = PostgresSchema() if request.param == "postgres" else None
    url = {"database_url": schema.url, "keys_url": f"sqlite:///{tmp_path / 'keys.db'}"} if schema else {}
    opened = open_storage(settings_in(tmp_path, **url))
    yield opened
    opened.database.dispose()
    if schema:
        schema.drop()


@pytest.fixture
def inbox(storage: Storage) -> Inbox:
    conversations = Conversations(storage.database, storage.keys)
    return Inbox(storage, Identities(storage.database, storage.keys), conversations)


def letters(inbox: Inbox, person: str, *ids: str) -> list[Letter]:
    return [inbox.letter(QUEUE, person, id, {"text": id}) for id in ids]


def answer(inbox: Inbox, conversation: str, *said: str) -> str:
    """Answers the next event; returns its words."""
    waiting = inbox.next(conversation)
    assert waiting
    inbox.answered(conversation, waiting.id, QUEUE, waiting.event_hash, [{"text": one} for one in said])
    return str(waiting.body["text"])


def test_events_are_answered_in_order_and_known_again(inbox: Inbox) -> None:
    taken = inbox.take("me", letters(inbox, "ann", "m1", "m2", "m1"))
    assert taken.fresh == (True, True, False)
    ((_, ann),) = taken.mine
    assert [answer(inbox, ann), answer(inbox, ann)] == ["m1", "m2"]
    assert inbox.next(ann) is None
    again = inbox.take("me", letters(inbox, "ann", "m2", "m3"))
    assert again.fresh == (False, True)


def test_a_queue_belongs_to_one_process_until_it_is_empty(inbox: Inbox, storage: Storage) -> None:
    mine, theirs = Owner(storage), Owner(storage)
    ((_, ann),) = inbox.take(mine.id, letters(inbox, "ann", "m1")).mine
    assert inbox.take(theirs.id, letters(inbox, "ann", "m2")).mine == frozenset()
    assert answer(inbox, ann) == "m1"
    assert not inbox.release(mine.id, ann), "what came meanwhile is ours too"
    assert answer(inbox, ann) == "m2"
    assert inbox.release(mine.id, ann)
    assert inbox.take(theirs.id, letters(inbox, "ann", "m3")).mine == {(QUEUE, ann)}
    mine.close()
    theirs.close()


def test_the_queues_of_a_dead_process_are_taken_over(inbox: Inbox, storage: Storage) -> None:
    dying, next_one = Owner(storage), Owner(storage)
    ((_, ann),) = inbox.take(dying.id, letters(inbox, "ann", "m1")).mine
    assert inbox.stranded(next_one.id, [QUEUE]) == set(), "it is alive"
    dying.close()
    assert inbox.stranded(next_one.id, ["another channel"]) == set()
    assert inbox.stranded(next_one.id, [QUEUE]) == {(QUEUE, ann)}
    waiting = inbox.next(ann)
    assert waiting and waiting.tries == 0 and inbox.next(ann).tries == 1  # type: ignore[union-attr]
    next_one.close()


def test_what_is_said_unasked_waits_for_whoever_serves_the_channel(inbox: Inbox, storage: Storage) -> None:
    me = Owner(storage)
    conversation = inbox.letter(QUEUE, "ann", "x", {}).conversation_id
    inbox.say(QUEUE, conversation, [{"text": "by the way"}])
    assert inbox.stranded(me.id, [QUEUE]) == {(QUEUE, conversation)}
    due = inbox.due(conversation)
    assert due and due.body == {"text": "by the way"} and due.state is State.READY
    inbox.sending(due)
    assert not inbox.release(me.id, conversation), "whether it arrived is not known yet"
    inbox.sent(conversation, due.id)
    assert inbox.due(conversation) is None and inbox.release(me.id, conversation)
    me.close()


def test_what_cannot_be_sent_is_kept_until_she_speaks(inbox: Inbox, storage: Storage) -> None:
    me = Owner(storage)
    ((_, ann),) = inbox.take(me.id, letters(inbox, "ann", "m1")).mine
    answer(inbox, ann, "for later")
    inbox.close(ann, "blocked")
    assert inbox.correspondent(QUEUE, ann).closed == "blocked"
    assert inbox.release(me.id, ann)
    assert inbox.stranded(me.id, [QUEUE]) == set(), "nothing can be done before she speaks"
    inbox.heard(ann, {"to": "ann"}, clock.wall())
    assert inbox.correspondent(QUEUE, ann).closed == ""
    assert inbox.stranded(me.id, [QUEUE]) == {(QUEUE, ann)}
    assert [one.body["text"] for one in inbox.since(ann, 0)] == ["for later"]
    me.close()


def test_nothing_of_anybody_is_readable_in_the_tables(inbox: Inbox, storage: Storage) -> None:
    inbox.take("me", letters(inbox, "xylophone-ann", "xylophone-m1"))
    conversation = inbox.letter(QUEUE, "xylophone-ann", "x", {}).conversation_id
    inbox.heard(conversation, {"to": "xylophone"}, clock.wall())
    inbox.say(QUEUE, conversation, [{"text": "xylophone"}])
    with storage.database.engine.connect() as connection:
        for table in ("inbox", "answers", "correspondents"):
            rows = connection.exec_driver_sql(f"SELECT * FROM {table}").fetchall()
            assert rows and b"xylophone" not in str(rows).encode()
            assert all(b"xylophone" not in bytes(cell) for row in rows for cell in row if isinstance(cell, bytes))


def test_the_key_of_a_day_goes_when_its_events_are_answered(
    inbox: Inbox, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ((_, ann),) = inbox.take("me", letters(inbox, "ann", "m1")).mine
    later = clock.wall() + timedelta(days=3)
    monkeypatch.setattr(clock, "wall", lambda: later)
    inbox.tidy()
    assert answer(inbox, ann) == "m1", "an event that waits is still readable"
    inbox.tidy()
    assert not [owner for owner in storage.keys.owners() if owner.startswith("inbox:")]
