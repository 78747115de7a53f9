"""What is remembered of one watched link from look to look; sealed at rest."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from assistant.alerts.fraud.habits import Habits
from assistant.alerts.fraud.reasons import Look
from assistant.alerts.seen import Seen


@dataclass(slots=True)
class Unanswered:
    """A scored purchase whose answer may still come. ``at``: seconds since 1970 UTC."""

    at: float
    merchant: str
    look: Look

    def plain(self) -> list[Any]:
        look = self.look
        return [int(self.at), self.merchant, look.cells, round(look.usual, 2), round(look.times, 3)]


@dataclass(slots=True)
class Memory:
    """``unanswered`` by root. ``daily``: the day of the last daily look, on her clock. ``pay``: who pays her regularly;
    ``series``: names of what she pays regularly. ``low``: accounts that were told to be low, until they recover.
    ``tip``: the tip she usually gives, as a share, and from how many (``tips``)."""

    seen: Seen = field(default_factory=Seen)
    habits: Habits = field(default_factory=Habits)
    unanswered: dict[str, Unanswered] = field(default_factory=dict)
    daily: date | None = None
    pay: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    low: set[str] = field(default_factory=set)
    tip: float = 0.0
    tips: int = 0

    def encoded(self) -> bytes:
        return json.dumps(
            {
                "seen": self.seen.plain(),
                "habits": self.habits.plain(),
                "unanswered": {
                    root: [
                        int(one.at),
                        one.merchant,
                        one.look.cells,
                        round(one.look.usual, 2),
                        round(one.look.times, 3),
                    ]
                    for root, one in self.unanswered.items()
                },
                "daily": self.daily.isoformat() if self.daily else None,
                "pay": self.pay,
                "series": self.series,
                "low": sorted(self.low),
                "tip": [round(self.tip, 4), self.tips],
            },
            separators=(",", ":"),
        ).encode()

    @classmethod
    def decoded(cls, plain: bytes) -> Memory:
        held = json.loads(plain)
        return cls(
            Seen.of_plain(held["seen"]),
            Habits.of_plain(held["habits"]),
            {
                root: Unanswered(float(at), merchant, Look(tuple(cells), usual, times))
                for root, (at, merchant, cells, usual, times) in held["unanswered"].items()
            },
            date.fromisoformat(held["daily"]) if held["daily"] else None,
            tuple(held["pay"]),
            tuple(held["series"]),
            set(held["low"]),
            *held["tip"],
        )
