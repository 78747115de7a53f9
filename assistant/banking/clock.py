"""The time, in one place, so that a demo or a test can stand on a fixed day."""

from __future__ import annotations

import os
from datetime import date, datetime, timezone
from zoneinfo import ZoneInfo

#: Set to an ISO 8601 instant with zone ("2026-03-15T12:00:00Z") to hold the clock still. Development only.
CLOCK_VARIABLE = "TELLERLINE_CLOCK"


def now() -> datetime:
    """The present instant, aware, in UTC."""
    fixed = os.environ.get(CLOCK_VARIABLE)
    if fixed:
        instant = datetime.fromisoformat(fixed.replace("Z", "+00:00"))
        if instant.tzinfo is None:
            raise ValueError(f"{CLOCK_VARIABLE} needs a time zone, as in 2026-03-15T12:00:00Z")
        return instant.astimezone(timezone.utc)
    return datetime.now(timezone.utc)


def wall() -> datetime:
    """The present instant, aware, in UTC, whatever TELLERLINE_CLOCK says: for what waits and tries again."""
    return datetime.now(timezone.utc)


def today(time_zone: str) -> date:
    """The customer's date. ``time_zone`` is an IANA name."""
    return now().astimezone(ZoneInfo(time_zone)).date()
