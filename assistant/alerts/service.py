"""Everything about alerts of one installation, put together once per process."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from assistant.alerts.delivery import Delivery
from assistant.alerts.desk import AlertDesk
from assistant.alerts.lessons import Lessons
from assistant.alerts.outbox import Outbox
from assistant.alerts.preferences import PreferenceDesk
from assistant.alerts.sender import AlertSender
from assistant.alerts.watcher import Watcher
from assistant.alerts.watches import Watches
from assistant.customers.service import Customers

#: Fraud alerts in a thousand card purchases, over all customers (fraud.rate).
PER_THOUSAND = 3.0
#: Looks at one bank a minute and process. A look is three to six calls.
LOOKS_PER_MINUTE = 600


@dataclass(frozen=True, slots=True)
class Alerts:
    """Each is documented where it lives."""

    preferences: PreferenceDesk
    desk: AlertDesk
    watches: Watches
    outbox: Outbox
    watcher: Watcher
    delivery: Delivery
    lessons: Lessons

    def save_lessons(self) -> None:
        with self.lessons.lock:
            self.lessons.save()

    def looks_per_minute(self, bank_id: str) -> int:
        return LOOKS_PER_MINUTE


def open_alerts(
    customers: Customers, senders: Iterable[AlertSender] = (), *, per_thousand: float = PER_THOUSAND
) -> Alerts:
    """``senders``: the channels that can be written to first. Raises what the database raises."""
    storage = customers.storage
    preferences = PreferenceDesk(storage)
    outbox, watches = Outbox(storage.database), Watches(customers)
    lessons = Lessons(storage, per_thousand)
    watcher = Watcher(customers, watches, outbox, preferences, lessons)
    desk = AlertDesk(storage, watcher.learn)
    return Alerts(
        preferences=preferences,
        desk=desk,
        watches=watches,
        outbox=outbox,
        watcher=watcher,
        delivery=Delivery(customers, outbox, desk, preferences, senders),
        lessons=lessons,
    )
