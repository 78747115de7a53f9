"""What channels have acknowledged and must not lose: events waiting for an answer, answers waiting to be sent.

An event is written down before its channel is told "received", under the channel's own id for it, so one that is
delivered again is known. A person's events are answered in order by one process at a time: the one that owns her
queue. A process that dies gives up its queues with its life, and another takes them over.

Events in flight are sealed by a key of the day, which housekeeping destroys; addresses and answers by the key of
the conversation, which goes when the customer is erased.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any

from sqlalchemy import Connection, and_, delete, exists, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from assistant.banking import clock
from assistant.customers.identity import Identities
from assistant.storage.conversations import Conversations
from assistant.storage.db import LockTimeout
from assistant.storage.keys import KeyDestroyed
from assistant.storage.open import Storage
from assistant.storage.tables import AnswerRow, CorrespondentRow, InboxRow

#: For how long an event that a channel delivers again is known as such.
REMEMBERED = timedelta(days=7)
#: For how long what was said stays readable for a channel that may ask for it once more.
KEPT = timedelta(hours=48)
_DAY_KEY = "inbox:"
_NEVER = datetime(9999, 1, 1, tzinfo=timezone.utc)
_WAITING, _DONE = "waiting", "done"
_IN, _OUT, _WHO = InboxRow.__table__, AnswerRow.__table__, CorrespondentRow.__table__


class State(str, Enum):
    """Of an answer."""

    READY = "ready"  #: to be sent
    SENDING = "sending"  #: being sent; found so after a crash, nobody knows whether it arrived
    SENT = "sent"
    DROPPED = "dropped"  #: can never be sent


_UNSENT = (State.READY.value, State.SENDING.value)


@dataclass(frozen=True, slots=True)
class Letter:
    """One event, ready to be written down. ``event`` is the channel's id for it, ``body`` what JSON can hold."""

    channel: str
    conversation_id: str
    event_hash: str
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Taken:
    """``fresh`` tells of each letter whether it was seen for the first time; ``mine`` are the queues that have work
    and belong to this process now."""

    fresh: tuple[bool, ...]
    mine: frozenset[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """The next event of a queue. ``tries`` counts how often its turn was begun before."""

    id: int
    event_hash: str
    body: Mapping[str, Any] = field(repr=False)
    tries: int
    received_at: datetime


@dataclass(frozen=True, slots=True)
class AnswerDue:
    id: int
    event_hash: str
    state: State
    tries: int
    made_at: datetime
    due_at: datetime
    tried_at: datetime | None
    body: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Correspondent:
    """Whom we answer. ``address`` is the channel's own. ``heard_at``: when she last said something before now."""

    channel: str
    conversation_id: str
    address: Mapping[str, Any] = field(default_factory=dict, repr=False)
    heard_at: datetime | None = None
    closed: str = ""


class Owner:
    """A process that serves queues. Its queues are free as soon as it is gone, however it went."""

    def __init__(self, storage: Storage) -> None:
        self.id = secrets.token_hex(16)
        self._held = ExitStack()
        self._held.enter_context(storage.database.lock(_life(self.id)))

    def close(self) -> None:
        self._held.close()


class Inbox:
    def __init__(self, storage: Storage, identities: Identities, conversations: Conversations) -> None:
        self._database = storage.database
        self._keys = storage.keys
        self._identities = identities
        self._conversations = conversations
        self._upsert = sqlite.insert if self._database.is_sqlite else postgresql.insert

    # Events

    def letter(self, channel: str, person: str, event_id: str, body: Mapping[str, Any]) -> Letter:
        """``person`` and ``event_id`` are the channel's own ids; only keyed hashes of them are kept."""
        conversation_id = self._identities.conversation_id(channel, person)
        return self.letter_to(channel, conversation_id, event_id, body)

    def letter_to(self, channel: str, conversation_id: str, event_id: str, body: Mapping[str, Any]) -> Letter:
        """For an event of ours in a conversation that is known."""
        return Letter(channel, conversation_id, self._identities.keyed_hash("event", channel, event_id), body)

    def take(self, owner: str, letters: Sequence[Letter]) -> Taken:
        """Write events down, for good: on return they survive a crash, power cuts included."""
        if not letters:
            return Taken((), frozenset())
        now = clock.wall()
        cipher = self._keys.cipher_or_new(_day_key(now))
        rows = [
            {
                "channel": letter.channel,
                "event_hash": letter.event_hash,
                "conversation_id": letter.conversation_id,
                "state": _WAITING,
                "tries": 0,
                "received_at": now,
                "sealed": cipher.seal(_dump(letter.body), _place(letter.conversation_id)),
            }
            for letter in letters
        ]
        add = self._upsert(InboxRow).on_conflict_do_nothing()
        with self._database.engine.begin() as connection:
            fresh = tuple(connection.execute(add, row).rowcount == 1 for row in rows)
            new = {
                (letter.channel, letter.conversation_id)
                for letter, is_new in zip(letters, fresh, strict=True)
                if is_new
            }
            mine = self._claim(connection, owner, new)
        return Taken(fresh, frozenset(mine))

    def _claim(self, connection: Connection, owner: str, queues: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        claimed = set()
        for channel, conversation_id in sorted(queues, key=lambda queue: queue[1]):  # one order: no deadlock
            add = self._upsert(CorrespondentRow).values(
                conversation_id=conversation_id, channel=channel, owner=owner, closed=""
            )
            free = or_(_WHO.c.owner == "", _WHO.c.owner == owner)
            claim = add.on_conflict_do_update(index_elements=["conversation_id"], set_={"owner": owner}, where=free)
            if connection.execute(claim).rowcount == 1:
                claimed.add((channel, conversation_id))
        return claimed

    def next(self, conversation_id: str) -> Waiting | None:
        """The oldest event not answered yet; its turn counts as begun. What can't be opened any more is dropped."""
        while True:
            with self._database.reading() as connection:
                row = connection.execute(
                    select(_IN)
                    .where(_IN.c.conversation_id == conversation_id, _IN.c.state == _WAITING)
                    .order_by(_IN.c.id)
                    .limit(1)
                ).one_or_none()
            if row is None:
                return None
            try:
                cipher = self._keys.cipher(_day_key(row.received_at))
            except KeyDestroyed:
                self.answered(conversation_id, row.id, "", "", ())
                continue
            with self._database.quick_write() as connection:
                connection.execute(update(InboxRow).where(_IN.c.id == row.id).values(tries=row.tries + 1))
            body = json.loads(cipher.open(row.sealed, _place(conversation_id)))
            return Waiting(row.id, row.event_hash, body, row.tries, row.received_at)

    def answered(
        self,
        conversation_id: str,
        event: int,
        channel: str,
        event_hash: str,
        answers: Sequence[Mapping[str, Any]],
        *,
        held: bool = False,
    ) -> None:
        """In one step: the event is done, and these are its answers, to be sent in this order. ``held``: the channel
        fetches them itself (see ``held_for``)."""
        rows = self._answer_rows(channel, conversation_id, event_hash, answers, _NEVER if held else None)
        with self._database.engine.begin() as connection:
            connection.execute(update(InboxRow).where(_IN.c.id == event).values(state=_DONE, sealed=b""))
            if rows:
                connection.execute(insert(AnswerRow), rows)

    def is_answered(self, channel: str, event_hash: str) -> bool:
        """Also when it was never heard of."""
        with self._database.reading() as connection:
            state = connection.execute(
                select(_IN.c.state).where(_IN.c.channel == channel, _IN.c.event_hash == event_hash)
            ).scalar_one_or_none()
        return state != _WAITING

    # Queues

    def stranded(self, owner: str, channels: Iterable[str], limit: int = 200) -> set[tuple[str, str]]:
        """Take over queues that have work and nobody alive to do it. Returns channel and conversation of each."""
        due = exists().where(
            _OUT.c.conversation_id == _WHO.c.conversation_id,
            _OUT.c.state.in_(_UNSENT),
            _OUT.c.due_at <= clock.wall(),
        )
        waiting = exists().where(_IN.c.conversation_id == _WHO.c.conversation_id, _IN.c.state == _WAITING)
        look = (
            select(_WHO.c.conversation_id, _WHO.c.channel, _WHO.c.owner)
            .where(
                _WHO.c.owner != owner, _WHO.c.channel.in_(tuple(channels)), or_(waiting, and_(_WHO.c.closed == "", due))
            )
            .limit(limit)
        )
        with self._database.reading() as connection:
            found = connection.execute(look).all()
        dead = {row.owner for row in found if row.owner and not self._lives(row.owner)}
        claimed = set()
        for row in found:
            if row.owner and row.owner not in dead:
                continue
            mine = _WHO.c.conversation_id == row.conversation_id
            with self._database.quick_write() as connection:
                taken = update(CorrespondentRow).where(mine, _WHO.c.owner == row.owner).values(owner=owner)
                if connection.execute(taken).rowcount == 1:
                    claimed.add((row.channel, row.conversation_id))
        return claimed

    def release(self, owner: str, conversation_id: str) -> bool:
        """Give the queue back when it is empty. False, and it is still ours, when something came meanwhile."""
        with self._database.engine.begin() as connection:
            mine = and_(_WHO.c.conversation_id == conversation_id, _WHO.c.owner == owner)
            # PostgreSQL: whoever adds an event now waits for us, or has committed and is seen below.
            connection.execute(select(_WHO.c.owner).where(mine).with_for_update())
            waits = select(_IN.c.id).where(_IN.c.conversation_id == conversation_id, _IN.c.state == _WAITING).limit(1)
            unsent = (
                select(_OUT.c.id)
                .join(_WHO, _WHO.c.conversation_id == _OUT.c.conversation_id)
                .where(mine, _WHO.c.closed == "", _OUT.c.state.in_(_UNSENT), _OUT.c.due_at <= clock.wall())
                .limit(1)
            )
            if connection.execute(waits).first() or connection.execute(unsent).first():
                return False
            connection.execute(update(CorrespondentRow).where(mine).values(owner=""))
        return True

    def _lives(self, owner: str) -> bool:
        try:
            with self._database.lock(_life(owner), seconds=0):
                return False
        except LockTimeout:
            return True

    # Who

    def correspondent(self, channel: str, conversation_id: str) -> Correspondent:
        with self._database.reading() as connection:
            row = connection.execute(select(_WHO).where(_WHO.c.conversation_id == conversation_id)).one_or_none()
        if row is None:
            return Correspondent(channel, conversation_id)
        address: Mapping[str, Any] = {}
        if row.sealed:
            try:
                cipher = self._conversations.cipher(conversation_id)
                address = json.loads(cipher.open(row.sealed, _address_place(conversation_id)))
            except KeyDestroyed:
                pass
        return Correspondent(channel, conversation_id, address, row.heard_at, row.closed)

    def heard(self, conversation_id: str, address: Mapping[str, Any], at: datetime) -> None:
        """She spoke: where to answer, and when it was. Whatever had closed the way is over."""
        cipher = self._conversations.cipher(conversation_id, new=True)
        sealed = cipher.seal(_dump(address), _address_place(conversation_id))
        who = _WHO.c.conversation_id == conversation_id
        with self._database.quick_write() as connection:
            connection.execute(update(CorrespondentRow).where(who).values(sealed=sealed, heard_at=at, closed=""))

    def close(self, conversation_id: str, why: str) -> None:
        """Nothing can be sent to her until she speaks again."""
        who = _WHO.c.conversation_id == conversation_id
        with self._database.quick_write() as connection:
            connection.execute(update(CorrespondentRow).where(who).values(closed=why[:24]))

    # Answers

    def say(self, channel: str, conversation_id: str, answers: Sequence[Mapping[str, Any]]) -> None:
        """Something to say without being asked. Whoever serves the queue sends it."""
        rows = self._answer_rows(channel, conversation_id, "", answers)
        add = self._upsert(CorrespondentRow).values(
            conversation_id=conversation_id, channel=channel, owner="", closed=""
        )
        with self._database.engine.begin() as connection:
            connection.execute(add.on_conflict_do_nothing())
            if rows:
                connection.execute(insert(AnswerRow), rows)

    def due(self, conversation_id: str) -> AnswerDue | None:
        """The oldest answer that is not sent yet, whenever it may be tried."""
        unsent = and_(_OUT.c.conversation_id == conversation_id, _OUT.c.state.in_(_UNSENT), _OUT.c.due_at < _NEVER)
        found = self._answers(select(_OUT).where(unsent).order_by(_OUT.c.id).limit(1), conversation_id)
        return found[0] if found else None

    def held_for(self, conversation_id: str) -> list[AnswerDue]:
        """Answers that a channel which fetches them has not fetched yet."""
        held = and_(
            _OUT.c.conversation_id == conversation_id, _OUT.c.state == State.READY.value, _OUT.c.due_at == _NEVER
        )
        return self._answers(select(_OUT).where(held).order_by(_OUT.c.id), conversation_id)

    def answers_to(self, conversation_id: str, event_hash: str) -> list[AnswerDue]:
        """What was said to an event, as long as it is kept."""
        return self._answers(
            select(_OUT)
            .where(_OUT.c.conversation_id == conversation_id, _OUT.c.event_hash == event_hash)
            .order_by(_OUT.c.id),
            conversation_id,
        )

    def since(self, conversation_id: str, answer: int, limit: int = 200) -> list[AnswerDue]:
        """What was said after the answer of this number, oldest first, as long as it is kept."""
        return self._answers(
            select(_OUT)
            .where(_OUT.c.conversation_id == conversation_id, _OUT.c.id > answer, _OUT.c.state != State.DROPPED.value)
            .order_by(_OUT.c.id)
            .limit(limit),
            conversation_id,
        )

    def sending(self, answer: AnswerDue) -> None:
        """About to be sent: from now on a crash leaves it uncertain."""
        self._mark(answer.id, state=State.SENDING.value, tries=answer.tries + 1, tried_at=clock.wall())

    def sent(self, conversation_id: str, answer: int, *, keep: bool = False) -> None:
        """It arrived. ``keep``: the channel may have to say it once more."""
        change: dict[str, Any] = {"state": State.SENT.value}
        if not keep:
            change["sealed"] = b""
        with self._database.quick_write() as connection:
            mine = and_(_OUT.c.id == answer, _OUT.c.conversation_id == conversation_id)
            connection.execute(update(AnswerRow).where(mine).values(**change))

    def put_off(self, answer: int, until: datetime) -> None:
        """It did not arrive, for certain, and is tried again then."""
        self._mark(answer, state=State.READY.value, due_at=until)

    def drop(self, answer: int) -> None:
        """It can never be sent."""
        self._mark(answer, state=State.DROPPED.value, sealed=b"")

    def held_about(self, channel: str, conversation_id: str) -> dict[str, Any] | None:
        """Everything here that belongs to a conversation, as JSON-ready values; None when there is nothing."""
        mine = _IN.c.conversation_id == conversation_id
        with self._database.reading() as connection:
            events = connection.execute(select(_IN.c.received_at, _IN.c.state).where(mine).order_by(_IN.c.id)).all()
        answers = self._answers(
            select(_OUT).where(_OUT.c.conversation_id == conversation_id).order_by(_OUT.c.id), conversation_id
        )
        who = self.correspondent(channel, conversation_id)
        if not (events or answers or who.address):
            return None
        return {
            "conversation": conversation_id,
            "address": dict(who.address),
            "last_heard_at": who.heard_at.isoformat() if who.heard_at else None,
            "received": [{"at": row.received_at.isoformat(), "state": row.state} for row in events],
            "answers": [
                {"at": one.made_at.isoformat(), "state": one.state.value, "answer": dict(one.body)} for one in answers
            ],
        }

    def tidy(self) -> None:
        """Housekeeping: let go of what nobody will ask for, and of the keys of days whose events are answered."""
        now = clock.wall()
        sent = _OUT.c.state.in_((State.SENT.value, State.DROPPED.value))
        with self._database.quick_write() as connection:
            connection.execute(delete(InboxRow).where(_IN.c.state == _DONE, _IN.c.received_at < now - REMEMBERED))
            connection.execute(delete(AnswerRow).where(sent, _OUT.c.made_at < now - KEPT))
        with self._database.reading() as connection:
            oldest = connection.execute(
                select(_IN.c.received_at).where(_IN.c.state == _WAITING).order_by(_IN.c.received_at).limit(1)
            ).scalar_one_or_none()
        keep_from = _day_key(min(oldest or now, now - timedelta(days=1)))
        for owner in self._keys.owners():
            if owner.startswith(_DAY_KEY) and owner < keep_from:
                self._keys.destroy(owner)

    def _mark(self, answer: int, **change: Any) -> None:
        with self._database.quick_write() as connection:
            connection.execute(update(AnswerRow).where(_OUT.c.id == answer).values(**change))

    def _answer_rows(
        self,
        channel: str,
        conversation_id: str,
        event_hash: str,
        answers: Sequence[Mapping[str, Any]],
        due_at: datetime | None = None,
    ) -> list[dict[str, Any]]:
        if not answers:
            return []
        now = clock.wall()
        cipher = self._conversations.cipher(conversation_id, new=True)
        return [
            {
                "channel": channel,
                "conversation_id": conversation_id,
                "event_hash": event_hash,
                "state": State.READY.value,
                "tries": 0,
                "made_at": now,
                "due_at": due_at or now,
                "sealed": cipher.seal(_dump(answer), _answer_place(conversation_id)),
            }
            for answer in answers
        ]

    def _answers(self, query: Any, conversation_id: str) -> list[AnswerDue]:
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        if not rows:
            return []
        try:
            cipher = self._conversations.cipher(conversation_id)
        except KeyDestroyed:
            return []
        return [
            AnswerDue(
                row.id,
                row.event_hash,
                State(row.state),
                row.tries,
                row.made_at,
                row.due_at,
                row.tried_at,
                json.loads(cipher.open(row.sealed, _answer_place(conversation_id))) if row.sealed else {},
            )
            for row in rows
        ]


def _dump(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(",", ":")).encode()


def _day_key(at: datetime) -> str:
    return f"{_DAY_KEY}{at:%Y-%m-%d}"


def _life(owner: str) -> str:
    return f"channel process {owner}"


def _place(conversation_id: str) -> str:
    return f"inbox.sealed:{conversation_id}"


def _address_place(conversation_id: str) -> str:
    return f"correspondents.sealed:{conversation_id}"


def _answer_place(conversation_id: str) -> str:
    return f"answers.sealed:{conversation_id}"
