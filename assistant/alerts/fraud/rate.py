"""Where the line is: so many alerts in a thousand purchases, whatever the scores look like."""

from __future__ import annotations

from math import log

_STEP = 0.1
_LOWEST, _CELLS = -12.0, 240


class AlertRate:
    """``per_thousand``: what the bank wants, over all its customers. Scores are counted in a histogram of log odds;
    the line is where that share of them lies above. ``fades``: so many purchases and the past counts half."""

    def __init__(self, per_thousand: float = 3.0, fades: int = 200_000) -> None:
        self.per_thousand = per_thousand
        self._fades = fades
        self._counts = [0.0] * _CELLS
        self._total = 0.0
        self._new: dict[int, float] = {}

    def add(self, chance: float) -> None:
        """One purchase was scored."""
        cell = cell_of(chance)
        self._counts[cell] += 1
        self._new[cell] = self._new.get(cell, 0.0) + 1
        self._total += 1
        if self._total > self._fades:
            self._counts = [count / 2 for count in self._counts]
            self._total /= 2

    def take_new(self) -> dict[int, float]:
        """What was counted since this was called last."""
        new, self._new = self._new, {}
        return new

    def put(self, cell: int, count: float) -> None:
        """Take in what was counted before, in all."""
        self._total += count - self._counts[cell]
        self._counts[cell] = count

    def is_high(self, chance: float, times: float = 1.0) -> bool:
        """Whether it is among the so many highest; with ``times``, among so many times as many."""
        return cell_of(chance) >= self._line(times)

    def _line(self, times: float) -> int:
        """The lowest cell that alerts: those above it hold no more than the share."""
        allowed, above = self._total * self.per_thousand * times / 1000, 0.0
        for cell in range(_CELLS - 1, -1, -1):
            above += self._counts[cell]
            if above > allowed:
                return cell + 1
        return _CELLS


def cell_of(chance: float) -> int:
    """By log odds, in tenths."""
    kept = min(max(chance, 1e-9), 1 - 1e-9)
    return min(max(int((log(kept / (1 - kept)) - _LOWEST) / _STEP), 0), _CELLS - 1)
