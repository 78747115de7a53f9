"""How values are written: amounts, dates, periods and lists as people write them, per locale (CLDR by Babel)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from babel.dates import format_date, format_skeleton
from babel.lists import format_list
from babel.numbers import format_currency, format_decimal

from assistant.banking.account import Account
from assistant.banking.money import Money
from assistant.banking.period import Grain, Period
from assistant.replies.reply import Listed, Literal, Percent, Phrase, Spelled, Term, Value

#: Looks up a word or pattern in the wording: (key, values) -> text.
Lookup = Callable[[str, dict[str, str]], str]


@dataclass(frozen=True, slots=True)
class Format:
    """Turns the values of a phrase into text for one reader on one day; replies.spoken does so for a listener.

    ``today`` is the reader's date: it decides between "yesterday" and "March 3".
    """

    locale: str
    today: date
    lookup: Lookup

    def value(self, value: Value) -> str:
        if isinstance(value, Money):
            return self.money(value)
        if isinstance(value, Period):
            return self.period(value)
        if isinstance(value, Account):
            return self.account(value)
        if isinstance(value, Listed):
            return self.listed(value)
        if isinstance(value, date):
            return self.day(value)
        if isinstance(value, Percent):
            return self.percent(value)
        if isinstance(value, Literal | Spelled):
            return value.text
        if isinstance(value, Term):
            return self.lookup(f"term_{value.family}_{value.key}", {})
        if isinstance(value, Phrase):
            return self.phrase(value)
        if isinstance(value, int):
            return str(format_decimal(value, locale=self.locale))
        return value

    def phrase(self, phrase: Phrase) -> str:
        return self.lookup(phrase.key, {name: self.value(value) for name, value in phrase.values.items()})

    def money(self, money: Money) -> str:
        """Rounded to the currency's minor unit, with its symbol: "$1,203.50", "-€20.00"."""
        rounded = money.rounded()
        return str(format_currency(rounded.amount, rounded.currency, locale=self.locale))

    def percent(self, percent: Percent) -> str:
        digits = percent.value.quantize(Decimal("0.01")).normalize()
        return f"{format_decimal(digits, locale=self.locale)}%"

    def day(self, day: date) -> str:
        """ "today", "yesterday", "tomorrow", else "March 3", with the year when it is not this one."""
        near = {0: "word_today", -1: "word_yesterday", 1: "word_tomorrow"}.get((day - self.today).days)
        return self.lookup(near, {}) if near else self.calendar_day(day)

    def calendar_day(self, day: date) -> str:
        if day.year != self.today.year:
            return str(format_date(day, "long", locale=self.locale))
        return str(format_skeleton("MMMMd", day, locale=self.locale))

    def account(self, account: Account) -> str:
        """Its nickname or name, with the last digits: "Everyday Checking (…4729)"."""
        if not account.mask:
            return account.label
        return self.lookup("account_named", {"name": account.label, "mask": self.digits(account.mask)})

    def listed(self, listed: Listed) -> str:
        style = "or" if listed.conjunction == "or" else "standard"
        return str(format_list([self.value(item) for item in listed.items], style=style, locale=self.locale))

    def period(self, period: Period) -> str:
        """With its preposition, ready for the middle of a sentence: "in March 2026", "on March 3"."""
        start, last = period.start, period.last_day
        if start == last:
            if abs((start - self.today).days) <= 1:
                return self.day(start)
            return self.lookup("period_day", {"day": self.calendar_day(start)})
        whole = self._whole_unit(period)
        if whole:
            return whole
        if last == self.today and period.grain in (Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR):
            return self.lookup(f"period_so_far_{period.grain.value}", {"month": self.month(start)})
        return self.lookup("period_range", {"first": self.calendar_day(start), "last": self.calendar_day(last)})

    def label(self, value: Value) -> str:
        """A value on its own, beside a bar: a month by its name alone."""
        if isinstance(value, Period) and value == Period.month_of(value.start):
            return self.month(value.start)
        return self.value(value)

    def _whole_unit(self, period: Period) -> str:
        start, end = period.start, period.end
        following = end - timedelta(days=1)
        if start.day == 1 and end.day == 1:
            months = (end.year - start.year) * 12 + end.month - start.month
            if months == 1:
                return self.lookup("period_month", {"month": self.month(start)})
            if months == 12 and start.month == 1:
                return self.lookup("period_year", {"year": self.year(start.year)})
            if months == 3 and start.month % 3 == 1 and period.grain is Grain.QUARTER:
                quarter = self.quarter((start.month + 2) // 3)
                return self.lookup("period_quarter", {"quarter": quarter, "year": self.year(start.year)})
            return self.lookup("period_months", {"first": self.month(start), "last": self.month(following)})
        return ""

    def digits(self, mask: str) -> str:
        """The end of an account's number."""
        return mask

    def year(self, number: int) -> str:
        return str(number)

    def quarter(self, number: int) -> str:
        return str(number)

    def short_month(self, period: Period) -> str:
        """Its name, as short as can be ("Feb"), when the period lies in one month from its first day on; else ""."""
        start, last = period.start, period.last_day
        within = (start.year, start.month) == (last.year, last.month) and start.day == 1
        return str(format_skeleton("MMM", start, locale=self.locale)) if within else ""

    def month(self, day: date) -> str:
        return str(format_skeleton("yMMMM", day, locale=self.locale))
