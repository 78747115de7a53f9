"""What the reasons are worth before any customer has answered.

Set by hand, as a bank's fraud desk would start: they order purchases sensibly from the first day on, and weigh as
little as two answered purchases each (evidence.WEIGHT), so a bank's own answers soon replace them. Where the line
is drawn is not here: that is the number of alerts the bank wants (rate).
"""

from __future__ import annotations

from assistant.alerts.fraud.reasons import Reason

#: By times the usual (the cells of reasons._TIMES).
_TIMES = (0.0002, 0.0002, 0.0003, 0.0004, 0.0005, 0.0007, 0.001, 0.002, 0.004, 0.006, 0.012, 0.02, 0.035, 0.06)
#: Not for the first time this week.
_AGAIN = (1.0, 1.5, 2.5, 4.0)
#: By size: nothing to speak of up to 256.
_SIZES = (*(0.0002,) * 20, 0.0005, 0.001, 0.002, 0.003, 0.005)
#: By place (reasons._place), and by roughly how expensive.
_PLACES = (0.0, 0.0006, 0.001, 0.0015, 0.003, 0.008, 0.014)
#: By how many purchases there were within the hour before; from two on it counts.
_PACES = (0.0, 0.0, 0.001, 0.004, 0.01)
_HOURS = (0.003,)
_ROUGH = (0.6, 1.0, 2.5, 6.0)
#: By the length of a run of confirmed frauds at the merchant.
_RUNS = (0.0002, 0.03, 0.1, 0.25, 0.4, 0.5, 0.6, 0.6)


def starting_chances() -> dict[Reason, dict[int, float]]:
    """By reason and cell."""
    return {
        Reason.AMOUNT: {
            times * 4 + odd: min(0.5, chance * again)
            for times, chance in enumerate(_TIMES)
            for odd, again in enumerate(_AGAIN)
        },
        Reason.SIZE: dict(enumerate(_SIZES)),
        Reason.MERCHANT: {
            (run * 16 + first) * 8 + last: chance
            for run, chance in enumerate(_RUNS)
            for first in range(13 if run else 1)
            for last in range(5 if run else 1)
        },
        Reason.PLACE: _with_rough(_PLACES),
        Reason.PACE: _with_rough(_PACES),
        Reason.HOUR: _with_rough(_HOURS),
    }


def _with_rough(chances: tuple[float, ...]) -> dict[int, float]:
    return {
        cell * 4 + rough: min(0.5, chance * factor)
        for cell, chance in enumerate(chances)
        for rough, factor in enumerate(_ROUGH)
    }
