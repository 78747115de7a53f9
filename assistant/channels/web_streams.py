"""Open streams: what was said travels to every tab of a conversation, in order, once, and goes on where it was cut off.

The transcript is the only record. A stream remembers the last number it has sent; being woken means to read on from
there. So a stream that was away, or a process that did not hear of it, loses nothing. Server-sent events as in the
HTML standard, 9.2.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any

from assistant.customers.transcript import Shown, Transcript

logger = logging.getLogger(__name__)

#: Seconds between signs of life. Proxies close what is silent for a minute.
HEARTBEAT = 20.0
#: How often what other processes wrote is looked for, in seconds.
LOOK = 1.0
#: Tabs of one conversation with an open stream; the one opened first gives way.
TABS = 12
#: Streams of one process.
MOST = 5000

#: Runs a function that waits for the database in a thread.
InThread = Callable[..., Awaitable[Any]]


class TooMany(Exception):
    """This process has as many streams as it can serve."""


class Stream:
    """One tab. ``seq`` is the last number it has."""

    def __init__(self, session_key: str, conversation_id: str, seq: int) -> None:
        self.session_key = session_key
        self.conversation_id = conversation_id
        self.seq = seq
        self.ended = ""
        self.passing: deque[Mapping[str, Any]] = deque()
        self.woken = asyncio.Event()
        self.woken.set()

    def end(self, why: str) -> None:
        self.ended = why
        self.woken.set()


class Streams:
    """Of one process, on its event loop."""

    def __init__(self, transcript: Transcript, in_thread: InThread, over: Callable[[str], str]) -> None:
        """``over`` tells of the key of a session why it is over, "" when it is not; it may wait for the database."""
        self._transcript = transcript
        self._in_thread = in_thread
        self._over = over
        self._of: defaultdict[str, list[Stream]] = defaultdict(list)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def open(self, session_key: str, conversation_id: str, seq: int) -> Stream:
        """What comes after ``seq``. Raises TooMany."""
        if self._count >= MOST:
            raise TooMany
        stream = Stream(session_key, conversation_id, seq)
        tabs = self._of[conversation_id]
        tabs.append(stream)
        self._count += 1
        if len(tabs) > TABS:
            tabs[0].end("tabs")
        return stream

    def close(self, stream: Stream) -> None:
        tabs = self._of.get(stream.conversation_id, [])
        if stream in tabs:
            tabs.remove(stream)
            self._count -= 1
        if not tabs:
            self._of.pop(stream.conversation_id, None)

    def wake(self, conversation_id: str) -> None:
        """There is something new."""
        for stream in self._of.get(conversation_id, ()):
            stream.woken.set()

    def say(self, conversation_id: str, what: Mapping[str, Any]) -> None:
        """To the tabs that are open now, and written down nowhere: what is left to say after an erasure."""
        for stream in self._of.get(conversation_id, ()):
            stream.passing.append(what)
            stream.woken.set()

    def end_session(self, session_key: str, why: str) -> None:
        for tabs in list(self._of.values()):
            for stream in list(tabs):
                if stream.session_key == session_key:
                    stream.end(why)

    async def events(self, stream: Stream) -> AsyncIterator[bytes]:
        """Until the tab is closed or the session ends."""
        yield b"retry: 1000\n\n"
        while True:
            stream.woken.clear()
            while stream.passing:
                yield event(stream.passing.popleft(), name="passing")
            if stream.ended:
                yield b"event: ended\ndata: " + stream.ended.encode() + b"\n\n"
                return
            shown = await self._in_thread(self._transcript.after, stream.conversation_id, stream.seq)
            for one in shown:
                yield event(view(one), one.seq)
                stream.seq = one.seq
            if shown:
                continue  # there may be more than one page of it
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(stream.woken.wait(), HEARTBEAT)
                continue
            yield b": \n\n"
            if why := await self._in_thread(self._over, stream.session_key):
                stream.end(why)

    async def look_around(self) -> None:
        """For ever: wake the tabs of conversations in which another process wrote something."""
        while True:
            await asyncio.sleep(LOOK)
            try:
                ends = await self._in_thread(self._transcript.ends, list(self._of))
            except Exception as error:
                logger.error("Looking for what others wrote failed: %s", type(error).__name__)
                continue
            for conversation_id, seq in ends.items():
                for stream in self._of.get(conversation_id, ()):
                    if stream.seq < seq:
                        stream.woken.set()


def view(shown: Shown) -> dict[str, Any]:
    """As the page gets it."""
    return {**shown.what, "id": shown.seq, "at": shown.at.isoformat()}


def event(what: Mapping[str, Any], seq: int | None = None, name: str = "") -> bytes:
    """One event. JSON has no line breaks of its own, so it is one line of data."""
    lines = [f"id: {seq}"] if seq is not None else []
    lines += [f"event: {name}"] if name else []
    lines.append(f"data: {json.dumps(what, separators=(',', ':'), ensure_ascii=False)}")
    return ("\n".join(lines) + "\n\n").encode()
