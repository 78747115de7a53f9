"""How much one browser may ask of this process: enough for any person, too little for a machine."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` at once, and ``per_second`` more as time goes by."""

    burst: float
    per_second: float


class Limit:
    """One bucket for each key; those not used for the longest time are let go."""

    def __init__(self, rate: Rate, *, keys: int = 20_000, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._keys = keys
        self._clock = clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, key: str) -> bool:
        """Whether one more is allowed; if so it is counted."""
        now = self._clock()
        left, at = self._left.get(key, (self._rate.burst, now))
        left = min(self._rate.burst, left + (now - at) * self._rate.per_second)
        allowed = left >= 1
        self._left[key] = (left - 1 if allowed else left, now)
        self._left.move_to_end(key)
        while len(self._left) > self._keys:
            self._left.popitem(last=False)
        return allowed

    def wait(self, key: str) -> int:
        """Seconds until ``key`` is allowed again, at least 1."""
        left, at = self._left.get(key, (self._rate.burst, self._clock()))
        missing = 1 - left - (self._clock() - at) * self._rate.per_second
        return max(1, round(missing / self._rate.per_second))
