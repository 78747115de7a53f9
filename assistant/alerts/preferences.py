"""What a customer chose: which alerts, from what amount, on which channel, when, and how many a day."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from assistant.alerts.kinds import KINDS, AlertKind
from assistant.banking import clock
from assistant.customers.identity import key_owner
from assistant.storage.open import Storage
from assistant.storage.tables import AlertPreferencesRow

_PLACE = "alert_preferences.sealed"
#: Alerts a day that are not urgent; the rest wait for the next morning and come as one.
DAILY_CAP = 5


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From ``start`` up to ``end`` on her clock; over midnight when ``start`` is later than ``end``."""

    start: time
    end: time

    def covers(self, moment: datetime, time_zone: str) -> bool:
        at = moment.astimezone(ZoneInfo(time_zone)).time()
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end

    def over_at(self, moment: datetime, time_zone: str) -> datetime:
        """When the hours that cover ``moment`` are over (aware, UTC)."""
        local = moment.astimezone(ZoneInfo(time_zone))
        day = local.date() if local.time() < self.end else local.date() + timedelta(days=1)
        return datetime.combine(day, self.end, ZoneInfo(time_zone)).astimezone(moment.tzinfo)


#: Nobody wants to hear at night that a refund posted. Fraud speaks at any hour.
NIGHT = QuietHours(time(21), time(8))


@dataclass(frozen=True, slots=True)
class Choice:
    """What she said about one kind; None and () where she said nothing. ``threshold`` in her account's currency."""

    on: bool | None = None
    threshold: Decimal | None = None
    channels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Preferences:
    """``channels``: in the order she wants them tried; (): where she wrote last. ``quiet`` None: none."""

    choices: Mapping[AlertKind, Choice] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    quiet: QuietHours | None = NIGHT
    per_day: int = DAILY_CAP

    def is_on(self, kind: AlertKind) -> bool:
        chosen = self.choices.get(kind, Choice()).on
        return KINDS[kind].on if chosen is None else chosen

    def threshold(self, kind: AlertKind) -> Decimal | None:
        """None for a kind that has none."""
        chosen = self.choices.get(kind, Choice()).threshold
        return KINDS[kind].threshold if chosen is None else chosen

    def channels_for(self, kind: AlertKind) -> tuple[str, ...]:
        return self.choices.get(kind, Choice()).channels or self.channels

    def with_choice(self, kind: AlertKind, **change: Any) -> Preferences:
        """With this about ``kind`` and the rest as before."""
        chosen = replace(self.choices.get(kind, Choice()), **change)
        return replace(self, choices={**self.choices, kind: chosen})


class PreferenceDesk:
    """Reads and changes them. Every change is one transaction; two at once follow one another."""

    def __init__(self, storage: Storage) -> None:
        self._database = storage.database
        self._keys = storage.keys

    def of(self, customer_id: str) -> Preferences:
        """Raises KeyDestroyed for a customer who was erased."""
        with self._database.read() as session:
            row = session.get(AlertPreferencesRow, customer_id)
        return self._opened(customer_id, row)

    def switch(self, customer_id: str, kind: AlertKind, on: bool) -> Preferences:
        """Switch a kind on or off."""
        return self._change(customer_id, lambda now: now.with_choice(kind, on=on))

    def set_threshold(self, customer_id: str, kind: AlertKind, amount: Decimal) -> Preferences:
        """Speak from this amount on, and switch the kind on. Raises ValueError for a kind without a threshold, and
        for an amount below 0."""
        if KINDS[kind].threshold is None:
            raise ValueError(f"{kind.value} has no threshold")
        if not amount.is_finite() or amount < 0:
            raise ValueError("a threshold is an amount of 0 or more")
        return self._change(customer_id, lambda now: now.with_choice(kind, on=True, threshold=amount))

    def set_channels(self, customer_id: str, channels: tuple[str, ...], kind: AlertKind | None = None) -> Preferences:
        """The channels to try, in order, for one kind or for all; () undoes it."""
        if kind is None:
            return self._change(customer_id, lambda now: replace(now, channels=channels))
        return self._change(customer_id, lambda now: now.with_choice(kind, channels=channels))

    def set_quiet(self, customer_id: str, quiet: QuietHours | None) -> Preferences:
        """Hold back what is not urgent during these hours; None for no such hours."""
        return self._change(customer_id, lambda now: replace(now, quiet=quiet))

    def set_cap(self, customer_id: str, per_day: int) -> Preferences:
        """At most so many a day that are not urgent. Raises ValueError below 1: whoever wants none switches off."""
        if per_day < 1:
            raise ValueError("a cap is 1 or more")
        return self._change(customer_id, lambda now: replace(now, per_day=per_day))

    def _change(self, customer_id: str, change: Callable[[Preferences], Preferences]) -> Preferences:
        cipher = self._keys.cipher(key_owner(customer_id))
        with self._database.write() as session:
            self._database.serialize(session, f"alert preferences {customer_id}")
            row = session.get(AlertPreferencesRow, customer_id)
            changed = change(self._opened(customer_id, row))
            sealed = cipher.seal(_encoded(changed), _PLACE)
            if row is None:
                session.add(AlertPreferencesRow(customer_id=customer_id, sealed=sealed, changed_at=clock.now()))
            else:
                row.sealed, row.changed_at = sealed, clock.now()
        return changed

    def _opened(self, customer_id: str, row: AlertPreferencesRow | None) -> Preferences:
        if row is None:
            return Preferences()
        return _decoded(self._keys.cipher(key_owner(customer_id)).open(row.sealed, _PLACE))


def _encoded(preferences: Preferences) -> bytes:
    quiet = preferences.quiet
    plain = {
        "choices": {kind.value: asdict(choice) for kind, choice in preferences.choices.items()},
        "channels": preferences.channels,
        "quiet": [quiet.start.isoformat(), quiet.end.isoformat()] if quiet else None,
        "per_day": preferences.per_day,
    }
    return json.dumps(plain, default=str).encode()


def _decoded(plain: bytes) -> Preferences:
    held = json.loads(plain)
    return Preferences(
        {AlertKind(kind): _choice(choice) for kind, choice in held["choices"].items()},
        tuple(held["channels"]),
        QuietHours(*(time.fromisoformat(text) for text in held["quiet"])) if held["quiet"] else None,
        held["per_day"],
    )


def _choice(held: Mapping[str, Any]) -> Choice:
    threshold = None if held["threshold"] is None else Decimal(held["threshold"])
    return Choice(held["on"], threshold, tuple(held["channels"]))
