"""What is coming: a low balance, now or within the week, and bills; and what the week was."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from assistant.alerts.alert import Found
from assistant.alerts.detectors.view import View
from assistant.alerts.kinds import AlertKind
from assistant.alerts.memory import Memory
from assistant.banking.account import Account, AccountFamily, AccountKind, Balances
from assistant.banking.money import Money
from assistant.banking.period import Grain, Period
from assistant.banking.transaction import Transaction
from assistant.replies.reply import Literal, Phrase, Term, Value
from assistant.skills.flows import is_spending, spent, spent_by
from assistant.skills.matching import name_of
from assistant.skills.series import Series


def spendable(account: Account, balances: Balances | None) -> Money | None:
    """What can be spent from an account day to day; None where that is not known, or not what the account is for."""
    if account.kind not in (AccountKind.CHECKING, AccountKind.MONEY_MARKET) or balances is None:
        return None
    return balances.available if balances.available is not None else balances.current


@dataclass(frozen=True, slots=True)
class LowBalance:
    """Less than the threshold can be spent. Told once, until there is ``recovered`` times as much again."""

    recovered: Decimal = Decimal("1.5")

    def find(self, view: View, memory: Memory) -> Iterator[Found]:
        threshold = view.preferences.threshold(AlertKind.LOW_BALANCE) or Decimal(0)
        for account in view.accounts.values():
            left = spendable(account, view.balances.get(account.id))
            if left is None:
                continue
            if left.amount >= threshold * self.recovered:
                memory.low.discard(account.id)
            elif left.amount < threshold and account.id not in memory.low:
                memory.low.add(account.id)
                key = "alert_overdrawn" if left.amount < 0 else "alert_low_balance"
                say = Phrase(key, {"account": account, "amount": abs(left)})
                yield Found(AlertKind.LOW_BALANCE, f"{account.id}/{view.today.isoformat()}", (say,))


@dataclass(frozen=True, slots=True)
class LowBalanceAhead:
    """Bills that are due, pay that is expected and what she spends day by day leave less than the threshold within
    ``days``. Told once for each day on which it would happen."""

    days: int = 7
    #: Her everyday spending is the median week of so many.
    weeks: int = 8

    def find(self, view: View, memory: Memory) -> Iterator[Found]:
        if not view.daily:
            return
        threshold = view.preferences.threshold(AlertKind.LOW_BALANCE_AHEAD) or Decimal(0)
        for account in view.accounts.values():
            left = spendable(account, view.balances.get(account.id))
            if left is None or account.id in memory.low:
                continue
            short = self._short(account, left, view, threshold)
            if short is not None:
                day, lowest, cause = short
                values: dict[str, Value] = {"account": account, "day": day, "amount": abs(lowest)}
                say = [Phrase("alert_low_ahead_short" if lowest.amount < 0 else "alert_low_ahead", values)]
                if cause is not None:
                    more: dict[str, Value] = {"merchant": Literal(cause.name), "amount": cause.amount}
                    say.append(Phrase("alert_low_ahead_cause", more))
                yield Found(AlertKind.LOW_BALANCE_AHEAD, f"{account.id}/{day.isoformat()}", tuple(say))

    def _short(
        self, account: Account, left: Money, view: View, threshold: Decimal
    ) -> tuple[date, Money, Series | None] | None:
        """The first day on which too little is left, how much that is, and the largest bill until then."""
        own = [one for one in view.history if one.account_id == account.id]
        names = {name_of(one) for one in own[:400]}
        everyday = self._everyday(own, view)
        largest: Series | None = None
        for ahead in range(1, self.days + 1):
            day = view.today + timedelta(days=ahead)
            due = _due(view.payments, names, day, left.currency)
            for series in due:
                left -= series.amount
                largest = series if largest is None or largest.amount < series.amount else largest
            for series in _due(view.pay, names, day, left.currency):
                left += series.amount
            left -= everyday
            if left.amount < threshold:
                return day, left, largest
        return None

    def _everyday(self, own: Sequence[Transaction], view: View) -> Money:
        """What goes from this account on a day, besides what comes back: the median week's seventh."""
        regular = {series.name for series in view.payments}
        currency = own[0].amount.currency if own else "USD"
        sums = [Decimal(0)] * self.weeks
        for one in own:
            week = (view.today - one.date).days // 7
            if 0 <= week < self.weeks and one.is_outflow and is_spending(one) and name_of(one) not in regular:
                sums[week] -= one.amount.amount
        return Money(sorted(sums)[self.weeks // 2] / 7, currency)


def _due(series: Sequence[Series], names: set[str], day: date, currency: str) -> list[Series]:
    return [
        each
        for each in series
        if each.active
        and each.name in names
        and each.amount.currency == currency
        and any(True for _ in each.turns(day, day + timedelta(days=1), late=False))
    ]


@dataclass(frozen=True, slots=True)
class BillDue:
    """A bill, or a card's payment, is due in ``ahead`` days."""

    ahead: int = 3

    def find(self, view: View, memory: Memory) -> Iterator[Found]:
        if not view.daily:
            return
        memory.series = tuple(series.name for series in view.payments if series.active)
        first, last = view.today + timedelta(days=1), view.today + timedelta(days=self.ahead)
        for series in view.payments:
            if not series.active or not series.owed:
                continue
            day = next(series.turns(first, last + timedelta(days=1), late=False), None)
            if day is not None and day - series.last > timedelta(days=6):
                values: dict[str, Value] = {"merchant": Literal(series.name), "amount": series.amount, "day": day}
                key = "alert_bill_due_about" if series.varies else "alert_bill_due"
                # By month: a bill whose day is reckoned anew tomorrow is still the same bill.
                name = f"{series.name}/{day.isoformat()[:7]}"
                yield Found(AlertKind.BILL_DUE, name, (Phrase(key, values),), (), series.amount)
        for account in view.accounts.values():
            yield from self._card(account, view.balances.get(account.id), first, last)

    @staticmethod
    def _card(account: Account, balances: Balances | None, first: date, last: date) -> Iterator[Found]:
        if account.kind.family is not AccountFamily.CREDIT or balances is None:
            return
        day, least = balances.next_payment_date, balances.minimum_payment
        if day is None or least is None or least.amount <= 0 or not first <= day <= last:
            return
        values: dict[str, Value] = {"account": account, "amount": least, "day": day}
        yield Found(
            AlertKind.BILL_DUE, f"{account.id}/{day.isoformat()}", (Phrase("alert_card_due", values),), (), least
        )


@dataclass(frozen=True, slots=True)
class WeeklySummary:
    """On Mondays: what the week before cost, against the one before that, and on what."""

    weekday: int = 0

    def find(self, view: View, memory: Memory) -> Iterator[Found]:
        if not view.daily or view.today.weekday() != self.weekday:
            return
        week = Period(view.today - timedelta(days=7), view.today, Grain.WEEK)
        spending = [one for one in view.history if is_spending(one)]
        now = spent(one for one in spending if one.date in week)
        before = spent(one for one in spending if one.date in week.previous())
        if not now:
            return
        currency, total = next(iter(now.items()))
        values: dict[str, Value] = {"amount": total}
        say = [Phrase("alert_week", values)]
        if currency in before and before[currency] != total:
            more = total - before[currency]
            say.append(Phrase("alert_week_more" if more.amount > 0 else "alert_week_less", {"amount": abs(more)}))
        groups = spent_by((one for one in spending if one.date in week), lambda one: one.category)[currency]
        category, most = next(iter(groups.items()))
        if most.amount > 0:
            say.append(Phrase("alert_week_most", {"category": Term("category", category), "amount": most}))
        yield Found(AlertKind.WEEKLY_SUMMARY, week.start.isoformat(), tuple(say))
