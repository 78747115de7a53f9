"""What the score knows of one card purchase."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Purchase:
    """``amount`` without sign, in the card's currency; a float, because it is only compared. ``at``: seconds since
    1970 UTC. ``hour``: 0 to 23 on the customer's clock, -1 where the bank gives no time of day. ``merchant``: whatever
    stays the same for one merchant or terminal. ``category``, ``country``: "" where unknown. ``remote``: the card was
    not there (internet, telephone); None where unknown."""

    merchant: str
    amount: float
    at: float
    hour: int = -1
    category: str = ""
    country: str = ""
    remote: bool | None = None
