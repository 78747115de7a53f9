"""The sandbox's own time: the assistant's clock, plus what a test moved it by."""

from __future__ import annotations

from datetime import datetime, timedelta

from assistant.banking import clock


class SandboxClock:
    """``shift`` is added to the clock, unless ``held`` at an instant (aware, UTC)."""

    def __init__(self) -> None:
        self.shift = timedelta(0)
        self.held: datetime | None = None

    def now(self) -> datetime:
        return (self.held or clock.now()) + self.shift

    def reset(self) -> None:
        self.shift = timedelta(0)
        self.held = None
