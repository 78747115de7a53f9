"""Where every channel brings its events and gets its answers from: written down first, then answered in order.

Rasa's turns run on a loop and a thread of their own, so that acknowledging an event never waits for a turn. Each
person has a queue, served by one process at a time; people are served side by side. What a killed process leaves
behind is taken over by the next: an event whose turn was not finished is answered, one whose answer was made is
only sent, and an answer that may have arrived is not sent again before the channel had time to confirm it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import queue
import threading
import traceback
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from rasa.core.channels.channel import OutputChannel, UserMessage

from assistant.banking import clock
from assistant.channels.buttons import Buttons
from assistant.channels.event import Event, Kind
from assistant.channels.sent import Outcome
from assistant.channels.words import ChannelWords
from assistant.customers.inbox import AnswerDue, Correspondent, Inbox, Letter, Owner, State, Taken, Waiting
from assistant.customers.service import Customers, open_customers
from assistant.replies.said import Said
from assistant.settings import Settings

if TYPE_CHECKING:
    from assistant.channels.base import Channel

logger = logging.getLogger(__name__)

#: What Rasa gives a channel to bring a message to.
Hear = Callable[[UserMessage], Awaitable[Any]]
#: Turns under way at once in one process. Most of a turn is waiting for a bank.
TURNS = 16
#: How often a turn is begun before the customer is told that it failed.
MAX_TURNS = 3
#: How often an answer is tried before it is given up.
MAX_SENDS = 8
#: Seconds a turn may take before it counts as failed. Banks have deadlines of their own, which are shorter.
TURN_SECONDS = 60.0
#: After this many seconds the customer is shown that somebody is at work.
PATIENCE_SECONDS = 1.0
#: How often a process looks for queues that nobody serves, in seconds.
SWEEP_SECONDS = 1.0
_POLL_SECONDS = 0.05
#: In the metadata of a message: what only a channel of ours can have written.
METADATA = "tellerline"


class Closed(Exception):
    """The office is closing; the channel must not acknowledge."""


@dataclass(frozen=True, slots=True)
class Turned:
    """What is to be said in a response. ``said`` None: no answer within the time; it will be among ``late`` of the
    person's next event. ``late``: answers to what she asked before, which she has not heard yet."""

    said: tuple[Said, ...] | None
    late: tuple[Said, ...] = ()


class Collected(OutputChannel):  # type: ignore[misc]  # Rasa is read untyped
    """Takes what Rasa would send."""

    def __init__(self, channel: str) -> None:
        self._channel = channel
        self.said: list[Said] = []

    def name(self) -> str:
        return self._channel

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        self.said.append(Said.from_message(message))


@dataclass(frozen=True, slots=True)
class _Confirmed:
    """An answer that arrived."""

    conversation_id: str
    answer: int
    keep: bool


@dataclass(slots=True)
class _Batch:
    letters: Sequence[Letter]
    confirmed: Sequence[_Confirmed] = ()
    done: Future[Taken] = field(default_factory=Future)


class Office:
    """One for each process and installation; ``open`` and ``close`` for each channel of it."""

    def __init__(self, customers: Customers) -> None:
        self.customers = customers
        self.inbox: Inbox = customers.inbox
        self.buttons = Buttons(customers.tokens)
        self.words = ChannelWords(customers.settings)
        self._channels: dict[str, tuple[Channel, Hear]] = {}
        self._guard = threading.Lock()
        self._incoming: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._owner: Owner | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._threads: list[threading.Thread] = []
        self._queues: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._waiters: dict[str, list[Future[tuple[Said, ...]]]] = {}
        self._turns = asyncio.Semaphore(TURNS)

    # Opening and closing

    def open(self, channel: Channel, hear: Hear) -> None:
        """From now on events of this channel are served, those of a process that died first."""
        with self._guard:
            self._channels[channel.name()] = (channel, hear)
            if self._loop is None:
                self._owner = Owner(self.customers.storage)
                self._loop = asyncio.new_event_loop()
                self._turns = asyncio.Semaphore(TURNS)
                self._threads = [
                    threading.Thread(target=self._run, name="channel turns", daemon=True),
                    threading.Thread(target=self._write, name="channel inbox", daemon=True),
                ]
                for thread in self._threads:
                    thread.start()

    def close(self, channel: Channel) -> None:
        """Stop serving. What is under way is finished if that takes a moment only; nothing is lost if not."""
        with self._guard:
            self._channels.pop(channel.name(), None)
            if self._channels or self._loop is None:
                return
            loop, self._loop = self._loop, None
            self._incoming.put(None)
            loop.call_soon_threadsafe(loop.stop)
            for thread in self._threads:
                thread.join(10)
            if self._owner:
                self._owner.close()

    def _run(self) -> None:
        loop = self._loop
        assert loop is not None
        asyncio.set_event_loop(loop)
        sweeper = loop.create_task(self._sweep())
        loop.run_forever()
        tasks = [sweeper, *self._queues.values()]
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.wait(tasks, timeout=5))
        loop.close()

    # Coming in

    async def accept(self, channel: Channel, events: Sequence[Event]) -> tuple[bool, ...]:
        """Write events down, confirmations of deliveries included; on return they may be acknowledged. Tells of each
        whether it is new. Raises Closed, and what the database raises."""
        people = [event for event in events if event.kind is not Kind.DELIVERED]
        letters = [self.inbox.letter(channel.name(), event.person, event.id, event.body()) for event in people]
        confirmed = [
            _Confirmed(self.conversation_id(channel, event.person), int(event.text), channel.keeps)
            for event in events
            if event.kind is Kind.DELIVERED and event.text.isascii() and event.text.isdigit()
        ]
        taken = await self._take(letters, confirmed)
        fresh = iter(taken.fresh)
        return tuple(event.kind is Kind.DELIVERED or next(fresh) for event in events)

    async def converse(self, channel: Channel, event: Event, seconds: float) -> Turned:
        """Answer in the response, for channels that wait for one. An event that is delivered again gets the answer
        it got, and nothing happens twice. Raises as ``accept``."""
        letter = self.inbox.letter(channel.name(), event.person, event.id, event.body())
        ready: Future[tuple[Said, ...]] = Future()
        deadline = asyncio.get_running_loop().time() + seconds
        self._waiters.setdefault(letter.event_hash, []).append(ready)
        try:
            taken = await self._take([letter])
            said = None
            if taken.fresh[0] and taken.mine:
                with contextlib.suppress(asyncio.TimeoutError):
                    left = deadline - asyncio.get_running_loop().time()
                    said = await asyncio.wait_for(asyncio.wrap_future(ready), left)
            else:
                said = await self._answered_elsewhere(letter, ready, deadline)
        finally:
            waiting = self._waiters.get(letter.event_hash, [])
            waiting.remove(ready)
            if not waiting:
                self._waiters.pop(letter.event_hash, None)
        late = []
        for answer in self.inbox.held_for(letter.conversation_id):
            if answer.event_hash != letter.event_hash:
                late.append(Said.from_json(answer.body))
            if answer.event_hash != letter.event_hash or said is not None:
                self.inbox.sent(letter.conversation_id, answer.id, keep=True)
        return Turned(said, tuple(late))

    def conversation_id(self, channel: Channel, person: str) -> str:
        """Our id of the conversation with the channel's ``person``."""
        return self.customers.identities.conversation_id(channel.name(), person)

    async def _answered_elsewhere(
        self, letter: Letter, ready: Future[tuple[Said, ...]], deadline: float
    ) -> tuple[Said, ...] | None:
        """By another process, or before."""
        loop = asyncio.get_running_loop()
        while True:
            if ready.done():
                return ready.result()
            if self.inbox.is_answered(letter.channel, letter.event_hash):
                answers = self.inbox.answers_to(letter.conversation_id, letter.event_hash)
                return tuple(Said.from_json(answer.body) for answer in answers if answer.body)
            if loop.time() + _POLL_SECONDS > deadline:
                return None
            await asyncio.sleep(_POLL_SECONDS)

    async def _take(self, letters: Sequence[Letter], confirmed: Sequence[_Confirmed] = ()) -> Taken:
        if self._loop is None:
            raise Closed
        if not letters and not confirmed:
            return Taken((), frozenset())
        batch = _Batch(letters, confirmed)
        self._incoming.put(batch)
        return await asyncio.wrap_future(batch.done)

    def _write(self) -> None:
        """One thread, which puts all that has come meanwhile into one transaction: hundreds of webhook calls at once
        wait for a handful of commits."""
        while (first := self._incoming.get()) is not None:
            batches, ends = [first], False
            with contextlib.suppress(queue.Empty):
                while True:
                    one = self._incoming.get_nowait()
                    if one is None:
                        ends = True
                        break
                    batches.append(one)
            self._write_down(batches)
            if ends:
                break
        with contextlib.suppress(queue.Empty):
            while (left := self._incoming.get_nowait()) is not None:
                left.done.set_exception(Closed())

    def _write_down(self, batches: Sequence[_Batch]) -> None:
        loop, owner = self._loop, self._owner
        try:
            if loop is None or owner is None:
                raise Closed
            for one in (one for batch in batches for one in batch.confirmed):
                self.inbox.sent(one.conversation_id, one.answer, keep=one.keep)
            taken = self.inbox.take(owner.id, [letter for batch in batches for letter in batch.letters])
        except Exception as error:  # whoever waits decides; this thread goes on
            for batch in batches:
                batch.done.set_exception(error)
            return
        fresh = iter(taken.fresh)
        for batch in batches:
            batch.done.set_result(Taken(tuple(next(fresh) for _ in batch.letters), taken.mine))
        with contextlib.suppress(RuntimeError):  # the loop has just closed: whoever comes next takes it over
            loop.call_soon_threadsafe(self._wake, taken.mine)

    # Serving

    def _wake(self, queues: frozenset[tuple[str, str]] | set[tuple[str, str]]) -> None:
        """On the loop of turns: have these queues served."""
        for name, conversation_id in queues:
            known = self._channels.get(name)
            if known is None:
                continue
            if conversation_id in self._queues:
                self._again.add(conversation_id)
            else:
                self._queues[conversation_id] = asyncio.ensure_future(self._serve(*known, conversation_id))

    async def _sweep(self) -> None:
        assert self._owner is not None
        while True:
            try:
                self._wake(self.inbox.stranded(self._owner.id, self._channels))
            except Exception as error:
                logger.error("Looking for unanswered messages failed: %s", _where(error))
            await asyncio.sleep(SWEEP_SECONDS)

    async def _serve(self, channel: Channel, hear: Hear, conversation_id: str) -> None:
        assert self._owner is not None
        pause = 1.0
        try:
            while True:
                self._again.discard(conversation_id)
                try:
                    await self._work(channel, hear, conversation_id)
                    if self.inbox.release(self._owner.id, conversation_id):
                        return
                    pause = 1.0
                except Exception as error:
                    logger.error("Serving a conversation of %s failed: %s", channel.name(), _where(error))
                    await asyncio.sleep(pause)
                    pause = min(60.0, pause * 2)
        finally:
            del self._queues[conversation_id]
            if conversation_id in self._again:
                self._again.discard(conversation_id)
                self._wake({(channel.name(), conversation_id)})

    async def _work(self, channel: Channel, hear: Hear, conversation_id: str) -> None:
        who = self.inbox.correspondent(channel.name(), conversation_id)
        while True:
            who = await self._deliver(channel, who)
            waiting = self.inbox.next(conversation_id)
            if waiting is None:
                return
            who = await self._turn(channel, hear, who, waiting)

    async def _turn(self, channel: Channel, hear: Hear, who: Correspondent, waiting: Waiting) -> Correspondent:
        """One event, answered and written down. The answers are sent by ``_deliver``."""
        event = Event.from_body(waiting.body)
        who = replace(who, address=event.address or who.address, closed="")
        working = asyncio.create_task(_soon(lambda: channel.working(who)))
        try:
            async with self._turns:
                said = await self._said(channel, hear, who, event, waiting)
        finally:
            working.cancel()
        answers = self._render(channel, said, event, who)
        if event.address:
            # After the turn: one that erased her must not leave her address behind.
            self.inbox.heard(who.conversation_id, who.address, waiting.received_at)
        self.inbox.answered(
            who.conversation_id, waiting.id, channel.name(), waiting.event_hash, answers, held=channel.fetches
        )
        for ready in self._waiters.get(waiting.event_hash, ()):
            if not ready.done():
                ready.set_result(tuple(said))
        return replace(who, heard_at=waiting.received_at) if event.address else who

    def _render(self, channel: Channel, said: Sequence[Said], event: Event, who: Correspondent) -> list[dict[str, Any]]:
        if channel.fetches:
            return [one.to_json() for one in said]
        try:
            return channel.render(said, event, who)
        except Exception as error:
            logger.error("%s could not show an answer: %s", channel.name(), _where(error))
            return channel.render([self.words.say("error_ours")], event, who)

    async def _said(
        self, channel: Channel, hear: Hear, who: Correspondent, event: Event, waiting: Waiting
    ) -> Sequence[Said]:
        if waiting.tries:
            before = self._said_before(who.conversation_id, waiting.event_hash)
            if before is not None:
                return before
            if waiting.tries >= MAX_TURNS:
                logger.error("A message of %s was given up after %d tries", channel.name(), waiting.tries)
                return [self.words.say("error_ours")]
        try:
            own = await channel.special(event, who)
            if own is not None:
                return own
            return await asyncio.wait_for(self._hear(channel, hear, who, event, waiting.event_hash), TURN_SECONDS)
        except Exception as error:
            logger.error("A turn of %s failed: %s", channel.name(), _where(error))
            return [self.words.say("error_ours")]

    async def _hear(
        self, channel: Channel, hear: Hear, who: Correspondent, event: Event, event_hash: str
    ) -> list[Said]:
        text, about = event.text, ""
        if event.kind is Kind.CHOICE:
            pressed = self.buttons.pressed(who.conversation_id, event.text)
            if pressed is None and not event.shown:
                return [self.words.say("button_old")]
            # A quick reply that is too old is still the words that stand in the conversation.
            text, about = (pressed.text, pressed.about) if pressed else (event.shown, "")
        elif event.kind is Kind.UNREADABLE:
            return [self.words.say("cannot_read")]
        elif event.kind is Kind.UNLINKED:
            self.customers.identities.unbind(who.conversation_id)
            self.customers.conversations.erase(who.conversation_id)
            return [self.words.say("unlinked_here")]
        elif event.kind in _NO_WORDS:
            return []
        said = _COMMANDS.get(event.kind) or as_text(text)
        output = Collected(channel.name())
        message = UserMessage(
            said,
            output,
            who.conversation_id,
            input_channel=channel.name(),
            message_id=event_hash,
            metadata={METADATA: {"about": about, **channel.metadata(event)}},
        )
        await hear(message)
        return output.said

    def _said_before(self, conversation_id: str, event_hash: str) -> list[Said] | None:
        """The answer of a turn that was saved before the process died; None when it was not."""
        found: list[Said] | None = None
        for event in self.customers.conversations.session(conversation_id):
            if event.get("event") == "user":
                if found is not None:
                    break
                if event.get("message_id") == event_hash:
                    found = []
            elif event.get("event") == "bot" and found is not None:
                found.append(Said.from_message({"text": event.get("text"), **(event.get("data") or {})}))
        return found

    # Going out

    def push(self, channel: str, conversation_id: str, answers: Sequence[dict[str, Any]]) -> None:
        """Say something without being asked, rendered already. Written down on return; whoever serves the channel
        sends it within about a second."""
        self.inbox.say(channel, conversation_id, answers)

    async def _deliver(self, channel: Channel, who: Correspondent) -> Correspondent:
        """Send what is due, in order, until nothing is or nothing can be."""
        while not channel.fetches and not who.closed:
            answer = self.inbox.due(who.conversation_id)
            if answer is None:
                break
            if answer.state is State.SENDING and answer.tried_at:
                left = answer.tried_at + channel.confirms_within - clock.wall()
                if left > timedelta(0):
                    # It may have arrived: its confirmation marks it as sent.
                    await asyncio.sleep(min(0.2, left.total_seconds()))
                    continue
            if answer.due_at > clock.wall():
                await asyncio.sleep(min(1.0, (answer.due_at - clock.wall()).total_seconds()))
                continue
            who = await self._send(channel, who, answer)
        return who

    async def _send(self, channel: Channel, who: Correspondent, answer: AnswerDue) -> Correspondent:
        if answer.tries >= MAX_SENDS:
            logger.error("An answer on %s was given up after %d tries", channel.name(), answer.tries)
            self.inbox.drop(answer.id)
            return who
        self.inbox.sending(answer)
        try:
            sent = await channel.send(answer.body, who, answer.id)
        except Exception as error:
            # Nobody knows whether it arrived; it stays as being sent, and is tried again when nothing confirms it.
            logger.warning("An answer on %s is uncertain: %s", channel.name(), _where(error))
            return who
        if sent.outcome is Outcome.ARRIVED:
            self.inbox.sent(who.conversation_id, answer.id, keep=channel.keeps)
        elif sent.outcome is Outcome.LATER:
            self.inbox.put_off(answer.id, clock.wall() + timedelta(seconds=sent.seconds))
        elif sent.outcome is Outcome.CLOSED:
            self.inbox.put_off(answer.id, clock.wall())
            self.inbox.close(who.conversation_id, sent.why)
            return replace(who, closed=sent.why)
        else:
            logger.error("%s refused an answer: %s", channel.name(), sent.why)
            self.inbox.drop(answer.id)
        return who


#: What a channel of ours tells Rasa to do. A customer's words never begin with a slash (see ``as_text``).
_COMMANDS = {Kind.LAUNCH: "/greet", Kind.RETURNED: "/returned"}
_NO_WORDS = frozenset({Kind.DIGITS, Kind.SILENCE, Kind.END, Kind.DELIVERED})


def as_text(text: str) -> str:
    """What a person wrote, as nothing but text. Rasa takes what begins with a slash for an intent with entities, so
    that anybody could write "/transfer{...}"."""
    return text.lstrip(" \t\r\n/")


@lru_cache(maxsize=4)
def open_office(settings: Settings) -> Office:
    """The one of this process."""
    return Office(open_customers(settings))


async def _soon(show: Callable[[], Awaitable[None]]) -> None:
    await asyncio.sleep(PATIENCE_SECONDS)
    with contextlib.suppress(Exception):  # only a courtesy
        await show()


def _where(error: BaseException) -> str:
    """The kind of an error and the lines it came through, without its message, which may quote the customer."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    return f"{type(error).__name__} at " + " < ".join(f"{f.filename}:{f.lineno}" for f in reversed(frames))
