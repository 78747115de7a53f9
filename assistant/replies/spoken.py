"""How values are said aloud: amounts, days, accounts and lists as people speak, with no figure, sign or link in them.

Numbers become words here, not in the synthesiser: "$1,203.50" and "4729" are read differently by each.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from babel import Locale
from babel.dates import format_date
from babel.numbers import get_currency_name, get_currency_precision

from assistant.banking.money import Money
from assistant.banking.period import Period
from assistant.replies import number_words
from assistant.replies.formats import Format
from assistant.replies.reply import Listed, Percent, Phrase, Spelled, Value

#: Items of one list, and rows of one table, that a listener can keep in mind.
MOST_ITEMS = 3
#: Days back and ahead that are called by the day of the week.
_NEAR_DAYS = 6
#: A month is named without its year when it is one of the last this many.
_MONTHS_WITHOUT_YEAR = 12

_URL = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
_DOT_NAME = re.compile(r"(?<=\w)\.(?=(?:com|net|org|io|tv|co|us)\b)", re.IGNORECASE)
#: American savings plans are called by their paragraph.
_PLANS = {"401": "four oh one", "403": "four oh three", "457": "four fifty-seven", "529": "five twenty-nine"}
_PLAN = re.compile(r"\b(401|403|457)\(?([kb])\b\)?|\b(529)(?= (?:plan|college|savings)\b)", re.IGNORECASE)
_SAID = {"&": " and ", "+": " plus ", "@": " at ", "%": " percent ", "#": " number ", "/": " ", "–": ", ", "—": ", "}
_KEPT = frozenset(".,;:?!'’-")


@dataclass(frozen=True)
class SpokenFormat(Format):
    """As Format, for the ear. Only English numbers are known in words; other locales get figures to read."""

    def value(self, value: Value) -> str:
        if isinstance(value, Spelled):
            return ", ".join(self._character(character) for character in value.text if character.isalnum())
        if isinstance(value, int):
            return number_words.cardinal(value) if self._in_words else super().value(value)
        return super().value(value)

    def phrase(self, phrase: Phrase) -> str:
        """Whatever a value or a wording brings in, the whole of it can be said."""
        return spoken(super().phrase(phrase), words=self._in_words)

    def money(self, money: Money) -> str:
        """ "one thousand two hundred three dollars and fifty cents"; a currency without a word for its cents:
        "twelve point five zero Swiss francs"."""
        if not self._in_words:
            return super().money(money)
        rounded = money.rounded()
        sign = "minus " if rounded.amount < 0 else ""
        size = abs(rounded.amount)
        units, subunits = divmod(int(size.scaleb(get_currency_precision(rounded.currency))), self._scale(rounded))
        if not subunits:
            return sign + self._units(units, rounded.currency)
        name = self._counted(f"term_subunit_{rounded.currency}", subunits)
        if not name:
            plural = get_currency_name(rounded.currency, count=2, locale=self.locale)
            return f"{sign}{number_words.decimal(size)} {plural}"
        cents = f"{number_words.cardinal(subunits)} {name}"
        if not units:
            return sign + cents
        whole = self._units(units, rounded.currency)
        return sign + self.lookup("amount_with_subunits", {"units": whole, "subunits": cents})

    def percent(self, percent: Percent) -> str:
        if not self._in_words:
            return super().percent(percent)
        number = percent.value.quantize(Decimal("0.01")).normalize()
        return self.lookup("percent_said", {"number": number_words.decimal(number)})

    def day(self, day: date) -> str:
        """ "yesterday", "last Tuesday", "Tuesday, March seventeenth" of the days ahead, else "March third"."""
        if abs((day - self.today).days) <= 1:
            return super().day(day)
        return self._past_weekday(day) or self.calendar_day(day)

    def calendar_day(self, day: date) -> str:
        if not self._in_words:
            return super().calendar_day(day)
        parts = {"month": str(format_date(day, "MMMM", locale=self.locale)), "day": number_words.ordinal(day.day)}
        if day.year != self.today.year and abs((day - self.today).days) > _NEAR_DAYS:
            return self.lookup("day_and_year", {**parts, "year": number_words.year(day.year)})
        if 0 < (day - self.today).days <= _NEAR_DAYS:
            return self.lookup("weekday_and_day", {**parts, "weekday": self._weekday(day)})
        return self.lookup("day_of_month", parts)

    def listed(self, listed: Listed) -> str:
        """At most three, and how many more."""
        left = len(listed.items) - MOST_ITEMS
        if left <= 0:
            return super().listed(listed)
        more = Phrase("and_more", {"count": left})
        return super().listed(Listed((*listed.items[:MOST_ITEMS], more), listed.conjunction))

    def period(self, period: Period) -> str:
        """As Format.period; a single day of the last week is "last Tuesday", which takes no preposition."""
        if period.start == period.last_day and abs((period.start - self.today).days) > 1:
            weekday = self._past_weekday(period.start)
            if weekday:
                earlier = self._is_earlier_week(period.start)
                return weekday if earlier else self.lookup("period_day", {"day": weekday})
        return super().period(period)

    def year(self, number: int) -> str:
        return number_words.year(number) if self._in_words else str(number)

    def quarter(self, number: int) -> str:
        return number_words.ordinal(number) if self._in_words else str(number)

    def month(self, day: date) -> str:
        """The year is said only where the month alone would be taken for another one."""
        months_ago = (self.today.year - day.year) * 12 + self.today.month - day.month
        name = str(format_date(day, "LLLL", locale=self.locale))
        if 0 <= months_ago < _MONTHS_WITHOUT_YEAR:
            return name
        return self.lookup("month_and_year", {"month": name, "year": self.year(day.year)})

    def digits(self, mask: str) -> str:
        """The end of an account's number, character by character: "four seven two nine"."""
        return " ".join(self._character(character) for character in mask if character.isalnum())

    @property
    def _in_words(self) -> bool:
        return bool(Locale.parse(self.locale).language == "en")

    @staticmethod
    def _scale(money: Money) -> int:
        return int(Decimal(1).scaleb(get_currency_precision(money.currency)))

    def _units(self, units: int, currency: str) -> str:
        name = self._counted(f"term_unit_{currency}", units)
        return f"{number_words.cardinal(units)} {name or get_currency_name(currency, count=units, locale=self.locale)}"

    def _counted(self, key: str, count: int) -> str:
        """The word for a unit of money, singular or plural; "" when wording has none."""
        try:
            return self.lookup(key, {"count": str(count)})
        except KeyError:
            return ""

    def _character(self, character: str) -> str:
        digit = character.isascii() and character.isdecimal() and self._in_words
        return number_words.digits(character) if digit else character.upper()

    def _weekday(self, day: date) -> str:
        return str(format_date(day, "EEEE", locale=self.locale))

    def _is_earlier_week(self, day: date) -> bool:
        first: int = Locale.parse(self.locale).first_week_day
        return day < self.today - timedelta(days=(self.today.weekday() - first) % 7)

    def _past_weekday(self, day: date) -> str:
        """ "last Tuesday" of the week before; "Tuesday" of this one, which on a Thursday "last Tuesday" is not."""
        if not 1 < (self.today - day).days <= _NEAR_DAYS:
            return ""
        weekday = self._weekday(day)
        return self.lookup("last_weekday", {"weekday": weekday}) if self._is_earlier_week(day) else weekday


def spoken(text: str, *, words: bool = True) -> str:
    """A text that others wrote (a merchant, a nickname) as it can be said: no link, emoji or sign, numbers in words."""
    text = _URL.sub("", unicodedata.normalize("NFC", text))
    text = _DOT_NAME.sub(" dot ", text)
    if words:
        text = _PLAN.sub(lambda match: " ".join([_PLANS[match[1] or match[3]], match[2] or ""]), text)
        text = number_words.spell_out(text)
    kept = "".join(_SAID.get(one, one if one.isalnum() or one in _KEPT or _is_mark(one) else " ") for one in text)
    return " ".join(kept.split())


def _is_mark(character: str) -> bool:
    """An accent that is no character of its own; a variation selector, which emoji use, is a mark too and is not."""
    return unicodedata.category(character) == "Mn" and not 0xFE00 <= ord(character) <= 0xFE0F
