"""A synthetic customer with as many transactions as asked, for measuring how answers grow."""

from __future__ import annotations

import random
from datetime import date, timedelta

from assistant.sandbox.book import Book
from assistant.sandbox.descriptors import SHOPS
from assistant.sandbox.history import EPOCH
from assistant.sandbox.people import Person

#: The number asked for falls within this many days.
WINDOW_DAYS = 730

_SHOPS = tuple(shop for name in ("online", "groceries-nyc", "coffee-nyc", "dining-nyc", "transit-nyc")
               for shop in SHOPS[name])  # fmt: skip
_PAY = 24_000


class BulkHistory:
    """An even flow of ``person.bulk`` transactions every WINDOW_DAYS; like History, a later day only adds."""

    def __init__(self, person: Person, seed: int) -> None:
        self.person = person
        self.book = Book(person, seed)
        self._next = EPOCH

    def through(self, day: date) -> Book:
        while self._next <= day:
            self._live(self._next)
            self._next += timedelta(days=1)
        return self.book

    def _live(self, day: date) -> None:
        rng = random.Random(f"{self.book.seed}/{self.person.login}/{day.isoformat()}")  # noqa: S311  # not a secret
        number = (day - EPOCH).days
        first, last = (n * self.person.bulk // WINDOW_DAYS for n in (number, number + 1))
        for index in range(first, last):
            if index % 8 == 0:
                self.book.add(day, "checking", _PAY, "BULK EMPLOYER DES:PAYROLL", kind="DIRECTDEPOSIT")
                continue
            shop = _SHOPS[index % len(_SHOPS)]
            name = shop.name.replace("{code}", f"{index:09d}").replace("{store}", f"{index % 9000:04d}")
            self.book.add(
                day, "checking", -rng.randint(shop.low, min(shop.high, 5_000)), f"{name} {shop.tail}",
                mcc=shop.mcc, kind="POSDEBIT",
            )  # fmt: skip
