"""How much each reason is worth, counted from answers.

Reasons are taken as independent ways in which a purchase can be fraud (a noisy-or): it is honest only if none of them
holds, 1 - p = product of (1 - p of each). A confirmed fraud is shared out among the reasons by how likely each was its
cause (the expectation step of EM, done once, as answers come), so what a skimmed terminal did is not blamed on the
amount.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assistant.alerts.fraud.reasons import Reason

_REASONS = tuple(Reason)


class Evidence:
    """Counts per reason and cell. ``start`` gives the chance a cell has before anything was learned; it weighs as
    ``WEIGHT`` purchases."""

    WEIGHT = 2.0

    def __init__(self, start: Mapping[Reason, Mapping[int, float]] | None = None) -> None:
        given = start or {}
        self._start = tuple(given.get(reason, {}) for reason in _REASONS)
        self._counts: tuple[dict[int, list[float]], ...] = tuple({} for _ in _REASONS)
        self._new: dict[tuple[Reason, int], list[float]] = {}

    def chances(self, cells: Sequence[int]) -> list[float]:
        """Of each reason, in the order of Reason; 0 where it has nothing to say."""
        found = []
        for position, cell in enumerate(cells):
            if cell < 0:
                found.append(0.0)
                continue
            counts = self._counts[position].get(cell)
            found.append(counts[0] / counts[1] if counts else self._first(position, cell))
        return found

    def learn(self, cells: Sequence[int], fraud: bool) -> None:
        """A purchase that looked like this was fraud, or was not."""
        chances = self.chances(cells)
        total = combined(chances) if fraud else 1.0
        for position, cell in enumerate(cells):
            if cell < 0:
                continue
            blame = min(1.0, chances[position] / total) if fraud and total > 0 else float(fraud)
            for counts in (self._cell(position, cell), self._new.setdefault((_REASONS[position], cell), [0.0, 0.0])):
                counts[0] += blame
                counts[1] += 1

    def take_new(self) -> dict[tuple[Reason, int], tuple[float, float]]:
        """What was learned since this was called last: frauds and purchases by reason and cell."""
        learned = {where: (frauds, total) for where, (frauds, total) in self._new.items()}
        self._new.clear()
        return learned

    def put(self, reason: Reason, cell: int, frauds: float, total: float) -> None:
        """Take in what was learned before, in all."""
        position = _REASONS.index(reason)
        start = self._first(position, cell) * self.WEIGHT
        self._counts[position][cell] = [start + frauds, self.WEIGHT + total]

    def _cell(self, position: int, cell: int) -> list[float]:
        counts = self._counts[position].get(cell)
        if counts is None:
            counts = [self._first(position, cell) * self.WEIGHT, self.WEIGHT]
            self._counts[position][cell] = counts
        return counts

    def _first(self, position: int, cell: int) -> float:
        return self._start[position].get(cell, _UNKNOWN)


#: Of a cell nobody said anything about: about what fraud is among card purchases.
_UNKNOWN = 0.004


def combined(chances: Sequence[float]) -> float:
    """The chance that at least one of the reasons holds."""
    honest = 1.0
    for chance in chances:
        honest *= 1.0 - chance
    return 1.0 - honest
