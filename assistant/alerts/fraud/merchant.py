"""What customers' answers say about one merchant or terminal."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class MerchantRisk:
    """The run of confirmed frauds with ordinary amounts: a skimmed terminal sells at everyday prices, while a thief
    with one card buys large, wherever that is, which says nothing about the shop. ``run`` is how many there were since
    the last purchase known to be honest; ``first`` and ``last``: when the run's first and last were made (seconds since
    1970)."""

    run: int = 0
    first: float = 0.0
    last: float = 0.0

    def learn(self, at: float, fraud: bool, ordinary: bool) -> None:
        """A purchase made at ``at`` turned out to be fraud, or honest."""
        if not ordinary:
            return
        if not fraud:
            self.run = 0
            return
        if self.run == 0:
            self.first = at
        self.run += 1
        self.last = max(self.last, at)


#: A merchant nobody has complained about.
UNBLEMISHED = MerchantRisk()
