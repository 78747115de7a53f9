"""Finishing what was interrupted and letting go of what is old, by one process at a time."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

from assistant.banking import clock
from assistant.customers.service import Customers
from assistant.storage.db import LockTimeout

logger = logging.getLogger(__name__)

INTERVAL_SECONDS = 300.0


def housekeep(customers: Customers) -> bool:
    """Erasures, disconnections, links and orders that were interrupted are finished, banks told what they have yet to
    hear; attempts, step-up passes, channel events and conversations that have had their time are dropped, and bank data
    that is old or that no consent covers any more. False when another process is at it."""
    try:
        with customers.storage.database.lock("housekeeping", seconds=0.05):
            customers.erasure.finish()
            customers.linking.finish()
            customers.revocations.finish()
            customers.finish_orders()
            customers.shared.orders.forget_old()
            customers.step_up.forget_old()
            customers.shared.last_words.forget_old()
            customers.web_sessions.forget_old()
            customers.forget_uncovered()
            customers.inbox.tidy()
            customers.conversations.erase_before(clock.now() - timedelta(days=customers.settings.conversation_days))
    except LockTimeout:
        return False
    return True


def start(customers: Customers, seconds: float = INTERVAL_SECONDS) -> threading.Event:
    """In a daemon thread, at once and then every so often. Set the event to stop it."""
    stop = threading.Event()

    def run() -> None:
        while not stop.is_set():
            try:
                housekeep(customers)
            except Exception as error:
                # What can't be done now (a database restarting) is done next time; the process must not end.
                logger.error("housekeeping failed: %s", type(error).__name__)
            stop.wait(seconds)

    threading.Thread(target=run, name="housekeeping", daemon=True).start()
    return stop
