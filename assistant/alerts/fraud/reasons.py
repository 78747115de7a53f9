"""The reasons a purchase can look wrong for, each cut into cells. What a cell is worth is counted (see evidence)."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from enum import Enum
from math import log2

from assistant.alerts.fraud.habits import DAY, Habits
from assistant.alerts.fraud.merchant import MerchantRisk
from assistant.alerts.fraud.purchase import Purchase


class Reason(str, Enum):
    AMOUNT = "amount"  #: many times what she usually pays, perhaps not for the first time this week
    SIZE = "size"  #: large for anybody
    MERCHANT = "merchant"  #: other customers were robbed there lately
    PLACE = "place"  #: a country, kind of shop or shop she has never been to
    PACE = "pace"  #: several purchases within the hour
    HOUR = "hour"  #: a time of day at which she doesn't shop


#: Times the usual. Fine where ordinary purchases end and strange ones begin.
_TIMES = (0.5, 1.0, 1.5, 1.8, 2.1, 2.4, 2.7, 3.0, 3.5, 4.0, 5.0, 6.0, 8.0)
_ODD_LATELY = (0.3, 1.0, 1.8)
#: Powers of two between 8 and 512, in quarters.
_SIZES = tuple(3 + step / 4 for step in range(24))
_RUN = (1, 2, 3, 4, 6, 9, 14)
#: Days since the first and the last of a run.
_FIRST = (0, 7, 10, 14, 18, 22, 26, 28, 30, 33, 36, 45)
_LAST = (8, 9, 11, 14)
#: Times the usual, in the rough, for reasons that are stronger when it is expensive too.
_ROUGH = (1.0, 2.0, 4.0)
#: Purchases of hers before "never" means something.
_KNOWN = 20
#: The share of her purchases in one quarter of the day below which it is not her time.
_RARE = 0.02
HOUR = 3_600.0


@dataclass(frozen=True, slots=True)
class Look:
    """One purchase as it looked when it was made: ``cells`` in the order of Reason, -1 where a reason has nothing to
    say; ``times`` the usual price."""

    cells: tuple[int, ...]
    usual: float
    times: float


def look(purchase: Purchase, habits: Habits, risk: MerchantRisk, crowd: float) -> Look:
    """``habits`` and ``risk`` as they were before this purchase; ``crowd`` is what people usually pay."""
    usual = habits.usual(purchase.category, crowd)
    times = purchase.amount / usual if usual > 0 else 1.0
    rough = bisect_right(_ROUGH, times)
    known = habits.overall.count >= _KNOWN
    cells = (
        bisect_right(_TIMES, times) * 4 + bisect_right(_ODD_LATELY, habits.odd_lately(purchase.at)),
        bisect_right(_SIZES, log2(max(purchase.amount, 1.0))),
        _merchant(purchase, risk),
        *(-1 if cell < 0 or not known else cell * 4 + rough for cell in _beside(purchase, habits)),
    )
    return Look(cells, usual, times)


def _merchant(purchase: Purchase, risk: MerchantRisk) -> int:
    if not risk.run:
        return 0
    first = bisect_right(_FIRST, (purchase.at - risk.first) / DAY)
    last = bisect_right(_LAST, (purchase.at - risk.last) / DAY)
    return (bisect_right(_RUN, risk.run) * 16 + first) * 8 + last


def _beside(purchase: Purchase, habits: Habits) -> tuple[int, int, int]:
    """The reasons that matter more when it is expensive besides. Most purchases give none: at a known shop, at her time
    of day, an hour after the last one."""
    within = habits.within(HOUR, purchase.at)
    return _place(purchase, habits), min(within, 4) if within > 1 else -1, _hour(purchase, habits)


def _place(purchase: Purchase, habits: Habits) -> int:
    """1 to 6: a new shop, of a new kind, in a new country; from afar or not. Of a shop of which only the name is known,
    being new says nothing."""
    if purchase.merchant in habits.merchants or not (purchase.category or purchase.country):
        return -1
    level = 1
    if purchase.country and purchase.country not in habits.countries:
        level = 3
    elif purchase.category and purchase.category not in habits.categories:
        level = 2
    return level * 2 - (not purchase.remote)


def _hour(purchase: Purchase, habits: Habits) -> int:
    """0: she hardly ever shops in this quarter of the day."""
    return 0 if purchase.hour >= 0 and habits.hours[purchase.hour // 6] < _RARE * sum(habits.hours) else -1
