"""Charges that are not what was agreed: the same one twice, too large a tip, a dearer subscription, a trial's end."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from assistant.alerts.alert import Found
from assistant.alerts.detectors.view import View
from assistant.alerts.kinds import AlertKind
from assistant.alerts.memory import Memory
from assistant.alerts.seen import Posted
from assistant.banking.money import Money
from assistant.banking.transaction import Transaction
from assistant.replies.reply import Literal, Percent, Phrase, Value
from assistant.skills.matching import name_of


@dataclass(frozen=True, slots=True)
class DuplicateCharge:
    """The same amount at the same merchant on one card, minutes apart, or on one day where the bank gives no time.

    ``least``: below it nobody minds (two bus fares are two rides). ``apart``: the longest a terminal takes to send a
    charge again. ``habit``: as many equal pairs among her recent purchases there are her way of buying.
    """

    least: Decimal = Decimal(4)
    apart: timedelta = timedelta(minutes=10)
    habit: int = 3

    def find(self, view: View, memory: Memory) -> Iterator[Found]:
        told: set[str] = set()
        for fresh in view.news.fresh:
            one = fresh.transaction
            if one.internal or not one.is_outflow or abs(one.amount.amount) < self.least:
                continue
            twins = [
                other
                for other in view.recent
                if self._twins(one, other) and memory.seen.root_of(other) not in (fresh.root, *told)
            ]
            if twins and not self._usual(one, view.recent):
                told.add(fresh.root)
                say = Phrase("alert_duplicate", {
                    "merchant": Literal(name_of(one)), "amount": abs(one.amount), "day": one.date,
                    "account": view.accounts[one.account_id],
                })  # fmt: skip
                yield Found(AlertKind.DUPLICATE, fresh.root, (say,), (one, twins[0]), abs(one.amount))

    def _twins(self, one: Transaction, other: Transaction) -> bool:
        if (one.account_id, one.amount, name_of(one)) != (other.account_id, other.amount, name_of(other)):
            return False
        if one.id == other.id or (one.is_pending != other.is_pending and one.pending_id == other.id):
            return False
        if one.transacted_at and other.transacted_at:
            return abs(one.transacted_at - other.transacted_at) <= self.apart
        return one.date == other.date

    def _usual(self, one: Transaction, recent: Sequence[Transaction]) -> bool:
        same = [other for other in recent if other.amount == one.amount and name_of(other) == name_of(one)]
        days = [other.date for other in same if other.date != one.date]
        return len(days) - len(set(days)) >= self.habit


@dataclass(frozen=True, slots=True)
class LargeTip:
    """More posted than was authorised than her tips explain. ``least``: a share that is never too much. ``above``: how
    far above her usual share is. ``enough``: tips before hers are known; until then ``newcomer`` is the limit."""

    least: Decimal = Decimal("0.28")
    above: Decimal = Decimal("0.10")
    enough: int = 5
    newcomer: Decimal = Decimal("0.35")

    def find(self, view: View, memory: Memory) -> Iterator[Found]:
        for posted in view.news.posted:
            share = self._share(posted)
            if share is None:
                continue
            usual = Decimal(str(memory.tip))
            limit = max(self.least, usual + self.above) if memory.tips >= self.enough else self.newcomer
            if share > limit:
                yield self._found(posted, share, usual if memory.tips >= self.enough else None, view)
            else:
                memory.tips += 1
                memory.tip += (float(share) - memory.tip) / min(memory.tips, 30)

    @staticmethod
    def _share(posted: Posted) -> Decimal | None:
        """The tip as a share of what was authorised; None where nobody tips."""
        one = posted.transaction
        if one.category not in ("restaurants", "coffee", "transport", "personal_care") or posted.held >= 0:
            return None
        if abs(posted.held) < 2 or one.foreign_amount is not None:
            return None
        tip = abs(one.amount.amount) - abs(posted.held)
        return tip / abs(posted.held) if tip > 0 else None

    @staticmethod
    def _found(posted: Posted, share: Decimal, usual: Decimal | None, view: View) -> Found:
        one = posted.transaction
        values: dict[str, Value] = {
            "merchant": Literal(name_of(one)),
            "amount": abs(one.amount),
            "held": Money(abs(posted.held), one.amount.currency),
            "tip": Money(abs(one.amount.amount) - abs(posted.held), one.amount.currency),
            "share": Percent((share * 100).quantize(Decimal(1))),
        }
        say = [Phrase("alert_large_tip", values)]
        if usual is not None:
            say.append(Phrase("alert_usual_tip", {"share": Percent((usual * 100).quantize(Decimal(1)))}))
        return Found(AlertKind.LARGE_TIP, posted.root, tuple(say), (one,), abs(one.amount))


@dataclass(frozen=True, slots=True)
class PriceRise:
    """A regular payment that costs more than before, told once. ``lately``: how long ago it may have risen; the rhythm
    of a new price is sometimes only sure at the next look."""

    lately: timedelta = timedelta(days=10)

    def find(self, view: View, memory: Memory) -> Iterator[Found]:
        for series in view.payments:
            rise = series.rise
            if rise is None or not series.active or rise.since < view.today - self.lately:
                continue
            values: dict[str, Value] = {
                "merchant": Literal(series.name),
                "old": rise.old,
                "new": rise.new,
                "amount": (rise.new - rise.old) * series.cadence.per_year,
            }
            about = tuple(one for one in view.history if name_of(one) == series.name and one.date >= rise.since)[:1]
            key = f"{series.name}/{rise.since.isoformat()}"
            yield Found(AlertKind.PRICE_RISE, key, (Phrase("alert_price_rise", values),), about, rise.new)


#: "30-DAY FREE TRIAL", "TRIAL 7 DAYS".
_DAYS = re.compile(r"\b(\d{1,2})[\s-]*DAYS?\b")
_TRIAL = re.compile(r"\bTRIAL\b")


@dataclass(frozen=True, slots=True)
class TrialEnding:
    """A charge of nothing or next to it that says it is a trial: the end is told ``before`` it costs. ``usual``: how
    long trials last where the bank's words don't say."""

    most: Decimal = Decimal("1.99")
    usual: timedelta = timedelta(days=7)
    before: timedelta = timedelta(days=2)

    def find(self, view: View, memory: Memory) -> Iterator[Found]:
        if not view.daily:
            return
        for one in view.history:
            text = f"{one.description} {one.memo}".upper()
            if abs(one.amount.amount) > self.most or not _TRIAL.search(text):
                continue
            ends = one.date + self._length(text)
            if ends - self.before <= view.today < ends:
                say = Phrase("alert_trial_ending", {"merchant": Literal(name_of(one)), "day": ends, "began": one.date})
                yield Found(AlertKind.TRIAL_ENDING, memory.seen.root_of(one), (say,), (one,))

    def _length(self, text: str) -> timedelta:
        said = _DAYS.search(text)
        return timedelta(days=int(said[1])) if said else self.usual
