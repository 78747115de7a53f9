"""One lane per bank, so that a slow bank holds up its own customers only.

Each bank has threads of its own, and only so many questions may wait for it at once; one more waits for a
moment, is then told "busy", and the customer gets what the bank last said.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import TypeVar

T = TypeVar("T")

#: Calls to one bank at once, in one process.
CALLS = 16
#: Questions that may wait for one bank at once: fewer than the action server has threads.
QUESTIONS = 24
#: Seconds that one more waits for room. A bank that is only busy has some by then.
PATIENCE = 2.0


class Lanes:
    def __init__(self, calls: int = CALLS, questions: int = QUESTIONS) -> None:
        self._calls = calls
        self._questions = questions
        self._lanes: dict[str, tuple[ThreadPoolExecutor, threading.Semaphore]] = {}
        self._guard = threading.Lock()

    @contextmanager
    def enter(self, bank_ids: Iterable[str]) -> Iterator[frozenset[str]]:
        """Gives those of the banks that have room for one more question; they have it until the end."""
        with ExitStack() as stack:
            entered = set()
            for bank_id in set(bank_ids):
                _, room = self._lane(bank_id)
                if room.acquire(timeout=PATIENCE):
                    stack.callback(room.release)
                    entered.add(bank_id)
            yield frozenset(entered)

    def submit(self, bank_id: str, work: Callable[[], T]) -> Future[T]:
        """Run it on the bank's threads. Enter first."""
        return self._lane(bank_id)[0].submit(work)

    def _lane(self, bank_id: str) -> tuple[ThreadPoolExecutor, threading.Semaphore]:
        with self._guard:
            if bank_id not in self._lanes:
                pool = ThreadPoolExecutor(self._calls, thread_name_prefix=f"bank-{bank_id}")
                self._lanes[bank_id] = (pool, threading.Semaphore(self._questions))
            return self._lanes[bank_id]
