"""The streaming score: how likely a card purchase is not the customer's, and why."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.alerts.fraud.evidence import Evidence, combined
from assistant.alerts.fraud.habits import Habits, Mean
from assistant.alerts.fraud.merchant import MerchantRisk
from assistant.alerts.fraud.purchase import Purchase
from assistant.alerts.fraud.reasons import Look, Reason, look
from assistant.alerts.fraud.starting import starting_chances

_REASONS = tuple(Reason)
#: Up to so many times the usual a price is ordinary: such a fraud tells about the terminal, not about the thief.
ORDINARY = 2.5
#: Below this no purchase is told from another: what the counts say there is chance.
FAINT = 0.002


@dataclass(frozen=True, slots=True)
class Score:
    """``chance`` 0 to 1. ``look`` is kept until the answer comes, to learn from. ``chances``: of each reason, in the
    order of Reason."""

    chance: float
    chances: tuple[float, ...]
    look: Look

    @property
    def reasons(self) -> tuple[Reason, ...]:
        """What speaks for fraud, the strongest first; those that hardly do are left out."""
        ranked = sorted(zip(self.chances, _REASONS, strict=True), key=lambda pair: -pair[0])
        return tuple(reason for chance, reason in ranked if chance > 0.1 * ranked[0][0])


class Scorer:
    """Holds what is shared between customers. Not safe for several threads at once: give each its own, or a lock."""

    def __init__(self, evidence: Evidence | None = None) -> None:
        self.evidence = evidence or Evidence(starting_chances())
        self._crowd = Mean()

    def score(self, purchase: Purchase, habits: Habits, risk: MerchantRisk) -> Score:
        """Of a purchase that has just been made; changes nothing."""
        seen = look(purchase, habits, risk, self._crowd.value)
        chances = self.evidence.chances(seen.cells)
        return Score(max(FAINT, combined(chances)), tuple(chances), seen)

    def passed(self, purchase: Purchase, score: Score, habits: Habits) -> None:
        """It is history now: part of her habits."""
        habits.add(purchase, score.look.usual)
        self._crowd.add(purchase.amount, self._crowd.value or purchase.amount)

    def learn(self, at: float, look: Look, risk: MerchantRisk, fraud: bool) -> None:
        """The answer to a purchase made at ``at`` has come; with none after the days a customer has for it, it counts
        as honest."""
        self.evidence.learn(look.cells, fraud)
        risk.learn(at, fraud, look.times < ORDINARY)
