"""What is usual for one customer: small enough to keep for everybody, robust enough not to learn a thief's habits."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp
from typing import Any

from assistant.alerts.fraud.purchase import Purchase

DAY = 86_400.0
#: What is this many times the usual is not learned from as it is: one television, or one theft, is no habit.
_WINSOR = 2.2
#: Purchases the mean remembers. A life changes; a mean of all time would not notice.
_MEMORY = 150
#: How much the crowd's mean counts beside the customer's own purchases, in purchases.
_CROWD = 3.0
#: Purchases in a category before its own mean is used instead of the mean of all.
_ENOUGH = 4
#: Above so many times the usual a purchase counts as odd, for as long as this fades (in seconds, to 37 %).
_ODD = 2.7
_ODD_FADES = 7 * DAY
_MERCHANTS, _CATEGORIES, _COUNTRIES, _LATEST = 120, 24, 12, 6


@dataclass(slots=True)
class Mean:
    """A mean that large amounts move little."""

    value: float = 0.0
    count: int = 0

    def add(self, amount: float, usual: float) -> None:
        self.count += 1
        self.value += (min(amount, _WINSOR * usual) - self.value) / min(self.count, _MEMORY)


@dataclass(slots=True)
class Habits:
    """One customer's. ``merchants``, ``countries``: where she has been, the latest last, bounded. ``hours``: purchases
    in each quarter of the day. ``odd``: how many odd purchases there were lately, fading since ``odd_at``. ``latest``:
    instants of the last purchases, for their pace."""

    overall: Mean = field(default_factory=Mean)
    categories: dict[str, Mean] = field(default_factory=dict)
    merchants: dict[str, None] = field(default_factory=dict)
    countries: dict[str, None] = field(default_factory=dict)
    hours: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    latest: list[float] = field(default_factory=list)
    odd: float = 0.0
    odd_at: float = 0.0

    def usual(self, category: str, crowd: float) -> float:
        """What such a purchase costs her: in that category once she is known there, else over all; a newcomer is
        measured by the crowd."""
        mean = self.categories.get(category)
        if mean is None or mean.count < _ENOUGH:
            mean = self.overall
        if crowd <= 0:
            return mean.value
        return (mean.value * mean.count + crowd * _CROWD) / (mean.count + _CROWD)

    def odd_lately(self, at: float) -> float:
        return self.odd * exp(min(0.0, self.odd_at - at) / _ODD_FADES)

    def within(self, seconds: float, at: float) -> int:
        """How many purchases there were in the seconds before (six at most)."""
        return sum(1 for other in self.latest if 0 <= at - other <= seconds)

    def add(self, purchase: Purchase, usual: float) -> None:
        """Learn from a purchase whose usual price was ``usual``."""
        self.overall.add(purchase.amount, usual if self.overall.count else purchase.amount)
        if purchase.category:
            mean = self.categories.get(purchase.category)
            if mean is None:
                _drop_least(self.categories)
                mean = self.categories[purchase.category] = Mean()
            mean.add(purchase.amount, mean.value if mean.count >= _ENOUGH else purchase.amount)
        _remember(self.merchants, purchase.merchant, _MERCHANTS)
        if purchase.country:
            _remember(self.countries, purchase.country, _COUNTRIES)
        if purchase.hour >= 0:
            self.hours[purchase.hour // 6] += 1
        self.latest = [*self.latest[1 - _LATEST :], purchase.at]
        self.odd = self.odd_lately(purchase.at) + (purchase.amount > _ODD * usual)
        self.odd_at = max(self.odd_at, purchase.at)

    def forgive(self) -> None:
        """She said that it was her: what was odd lately no longer is."""
        self.odd = 0.0

    def plain(self) -> list[Any]:
        """As JSON-ready values, short."""
        return [
            _mean(self.overall),
            {name: _mean(mean) for name, mean in self.categories.items()},
            list(self.merchants),
            list(self.countries),
            self.hours,
            [int(at) for at in self.latest],
            round(self.odd, 4),
            int(self.odd_at),
        ]

    @classmethod
    def of_plain(cls, plain: list[Any]) -> Habits:
        """The same again."""
        overall, categories, merchants, countries, hours, latest, odd, odd_at = plain
        return cls(
            Mean(*overall),
            {name: Mean(*mean) for name, mean in categories.items()},
            dict.fromkeys(merchants),
            dict.fromkeys(countries),
            list(hours),
            [float(at) for at in latest],
            odd,
            float(odd_at),
        )


def _mean(mean: Mean) -> list[float]:
    return [round(mean.value, 2), mean.count]


def _remember(known: dict[str, None], name: str, most: int) -> None:
    known.pop(name, None)
    known[name] = None
    if len(known) > most:
        del known[next(iter(known))]


def _drop_least(categories: dict[str, Mean]) -> None:
    if len(categories) >= _CATEGORIES:
        del categories[min(categories, key=lambda name: categories[name].count)]
