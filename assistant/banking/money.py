"""Money: an exact decimal amount with its currency."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

#: ISO 4217 minor units that are not two.
_MINOR_UNITS: Mapping[str, int] = {
    "BIF": 0, "CLP": 0, "DJF": 0, "GNF": 0, "ISK": 0, "JPY": 0, "KMF": 0, "KRW": 0, "PYG": 0, "RWF": 0,
    "UGX": 0, "UYI": 0, "VND": 0, "VUV": 0, "XAF": 0, "XOF": 0, "XPF": 0,
    "BHD": 3, "IQD": 3, "JOD": 3, "KWD": 3, "LYD": 3, "OMR": 3, "TND": 3,
}  # fmt: skip


class CurrencyMismatch(ValueError):
    """Two currencies met in one sum; Tellerline never converts silently."""


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in one currency.

    ``amount`` is a finite Decimal, never a float (a float raises TypeError). ``currency`` is the ISO 4217
    alphabetic code in capitals. The sign means what the owner of the value says it means; on a
    Transaction, negative is money leaving the customer.
    """

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        given: object = self.amount
        if isinstance(given, int) and not isinstance(given, bool):
            object.__setattr__(self, "amount", Decimal(given))
        elif not isinstance(given, Decimal):
            raise TypeError("Money takes a Decimal or an int, never a float")
        if not self.amount.is_finite():
            raise ValueError("Money takes a finite amount")
        if len(self.currency) != 3 or not self.currency.isascii() or not self.currency.isupper():
            raise ValueError("a currency is three capital letters (ISO 4217)")

    @classmethod
    def zero(cls, currency: str) -> Money:
        return cls(Decimal(0), currency)

    @property
    def minor_units(self) -> int:
        """Decimal places of the currency (ISO 4217): 2 for USD, 0 for JPY."""
        return _MINOR_UNITS.get(self.currency, 2)

    def rounded(self) -> Money:
        """To the currency's minor unit, half to even."""
        step = Decimal(1).scaleb(-self.minor_units)
        return Money(self.amount.quantize(step, rounding=ROUND_HALF_EVEN), self.currency)

    def _same(self, other: Money) -> None:
        if self.currency != other.currency:
            raise CurrencyMismatch(f"{self.currency} and {other.currency} do not add up")

    def __add__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount + other.amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        self._same(other)
        return Money(self.amount - other.amount, self.currency)

    def __neg__(self) -> Money:
        return Money(-self.amount, self.currency)

    def __abs__(self) -> Money:
        return Money(abs(self.amount), self.currency)

    def __mul__(self, factor: Decimal | int) -> Money:
        return Money(self.amount * factor, self.currency)

    def __truediv__(self, divisor: Decimal | int) -> Money:
        return Money(self.amount / divisor, self.currency)

    def __lt__(self, other: Money) -> bool:
        self._same(other)
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        self._same(other)
        return self.amount <= other.amount

    def __bool__(self) -> bool:
        return bool(self.amount)


def total_by_currency(values: Iterable[Money]) -> dict[str, Money]:
    """One sum per currency, in the order the currencies first appear."""
    totals: dict[str, Decimal] = {}
    for value in values:
        totals[value.currency] = totals.get(value.currency, Decimal(0)) + value.amount
    return {currency: Money(amount, currency) for currency, amount in totals.items()}
