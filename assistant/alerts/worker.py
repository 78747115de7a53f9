"""The worker: follows who wants alerts, looks where something is due, delivers what was found. One process or many."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from functools import partial

from assistant.alerts.service import Alerts
from assistant.alerts.watches import Budget, Watch, partition_of
from assistant.banking import clock

logger = logging.getLogger(__name__)

#: Looks at the same time, in one process; each waits for a bank most of its time.
_THREADS = 8
#: Seconds between two looks at what is due.
_POLL = 0.25
_FOLLOW_EVERY = 60.0
_SAVE_EVERY = 60.0
_HOUR = 3600.0


class Worker:
    """``mine`` tells the customers of this worker's partitions; all, unless several processes share them out."""

    def __init__(self, alerts: Alerts, mine: Callable[[str], bool] = lambda _: True) -> None:
        self._alerts = alerts
        self._mine = mine
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="alerts")
        self._running: set[Future[object]] = set()
        self._budgets: dict[str, Budget] = {}
        self._done: dict[str, float] = {}

    def step(self) -> int:
        """Start everything that is due. Returns how much that was."""
        self._now_and_then("follow", _FOLLOW_EVERY, self._alerts.watches.follow)
        self._now_and_then("save", _SAVE_EVERY, self._alerts.save_lessons)
        self._now_and_then("forget", _HOUR, self._alerts.outbox.forget_old)
        self._running = {future for future in self._running if not future.done()}
        started = 0
        free = _THREADS * 2 - len(self._running)
        if free > 0:
            for watch in self._alerts.watches.due(free, self._mine):
                if self._affords(watch):
                    self._start(partial(self._looked, watch))
                    started += 1
        for customer_id in self._alerts.outbox.customers_due():
            if self._mine(customer_id):
                self._alerts.delivery.deliver(customer_id)
                started += 1
        return started

    def run(self, stop: threading.Event) -> None:
        """Until ``stop`` is set. A database that restarts is waited for."""
        while not stop.is_set():
            try:
                busy = self.step()
            except Exception as error:
                logger.error("alerts are behind: %s", type(error).__name__)
                busy = 0
                stop.wait(1)
            if not busy:
                stop.wait(_POLL)
        self.close()

    def drain(self) -> None:
        """Wait for what was started."""
        for future in list(self._running):
            future.result()

    def close(self) -> None:
        self._pool.shutdown(wait=True)

    def _looked(self, watch: Watch) -> None:
        if self._alerts.watcher.look(watch):
            self._alerts.delivery.deliver(watch.customer_id)

    def _start(self, work: Callable[[], None]) -> None:
        def run() -> None:
            try:
                work()
            except Exception as error:
                # Its claim ends by itself, and another try follows.
                logger.error("a look failed: %s", type(error).__name__)

        self._running.add(self._pool.submit(run))

    def _affords(self, watch: Watch) -> bool:
        budget = self._budgets.setdefault(watch.bank_id, Budget(self._alerts.looks_per_minute(watch.bank_id)))
        if budget.take(time.monotonic()):
            return True
        self._alerts.watches.put_off(watch, clock.now() + timedelta(seconds=5))
        return False

    def _now_and_then(self, name: str, seconds: float, work: Callable[[], None]) -> None:
        now = time.monotonic()
        if now - self._done.get(name, -seconds) >= seconds:
            self._done[name] = now
            work()


def partition(number: int, of: int) -> Callable[[str], bool]:
    """Whose worker ``number`` (from 0) is, when there are ``of``."""
    return lambda customer_id: partition_of(customer_id) % of == number
