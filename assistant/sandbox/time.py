"""The sandbox's own time: the assistant's clock, plus what a test moved it by."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from assistant.banking import clock


class SandboxClock:
    """``shift`` is added to the clock, or to the instant (aware) it is ``held`` at."""

    def __init__(self) -> None:
        self.shift = timedelta(0)
        self.held: datetime | None = None

    def now(self) -> datetime:
        return ((self.held or clock.now()) + self.shift).astimezone(timezone.utc)

    def reset(self) -> None:
        self.shift = timedelta(0)
        self.held = None
