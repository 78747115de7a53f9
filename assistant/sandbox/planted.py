"""Frauds with the truth known: a stolen card used in the ways card thieves use one, a few times a year.

They come on top of a customer's own days and change nothing in them, so that each can be told from what she did.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import lru_cache

from assistant.sandbox.book import Entry, bank_day, instant, posted_at, posting
from assistant.sandbox.descriptors import RATES
from assistant.sandbox.history import EPOCH
from assistant.sandbox.people import AccountSpec, Category, Person

#: Days from one episode to the next, at least and at most.
_GAP = (45, 95)
#: Numbers of planted entries start here, above any of the days' own.
FIRST_NUMBER = 10_000_000

#: Where a copied card is used at tills: (the name while pending, the tail once posted, MCC, currency).
_FAR_AWAY = (
    ("MEGA IMAGE 0412", "BUCURESTI", "5411", "EUR"),
    ("CARREFOUR ABIDJAN", "ABIDJAN", "5411", ""),
    ("PLAZA VEA MIRAFLORES", "LIMA", "5411", ""),
    ("CELL CITY IKEJA", "LAGOS", "5732", ""),
)
#: Where a stolen number is used without the card, in the small hours: (name, tail, MCC).
_NO_CARD = (
    ("WWW.SNEAKERVAULT-OUTLET", "HONG KONG", "5661"),
    ("CRYPTOPAY*TOPUP", "LONDON", "6051"),
    ("G2A.COM GAMECODES", "HONG KONG", "5816"),
    ("ELECTROHUB DIRECT", "888-555-0142 FL", "5732"),
)
#: Where it is turned into what can be sold on: (name, tail, MCC).
_TURNED_INTO_GOODS = (
    ("BEST BUY 00014027", "HOUSTON TX", "5732"),
    ("APPLE STORE #R284", "MIAMI FL", "5732"),
    ("WALMART SUPERCENTER 3311", "LAS VEGAS NV", "5310"),
)


class _Episode:
    """One theft of one card; ``when`` is its first use."""

    def __init__(self, spec: AccountSpec, when: datetime, rng: random.Random) -> None:
        self.spec = spec
        self.when = when
        self.rng = rng
        self.found: list[Entry] = []

    def use(self, name: str, tail: str, mcc: str, low: int, high: int, currency: str = "") -> None:
        """One purchase for between ``low`` and ``high`` dollars, then some minutes go by."""
        cents = self.rng.randint(low * 100, high * 100)
        day = bank_day(self.when)
        self.found.append(
            Entry(
                number=0,
                account=self.spec.key,
                cents=-cents,
                held=-cents,
                happened=self.when,
                posts=posted_at(posting(day, self.rng.choice((1, 2, 3)))),
                day=day,
                descriptor=f"{name} {tail}",
                held_descriptor=name,
                mcc=mcc,
                kind="PURCHASE" if self.spec.category is Category.LOC else "POSDEBIT",
                foreign_cents=round(cents / RATES[currency]) if currency else 0,
                foreign_currency=currency,
                linked=self.rng.random() < 0.6,
                truth="fraud",
            )
        )
        self.when += timedelta(minutes=self.rng.randint(4, 40))


def _tested(episode: _Episode) -> None:
    """A dollar or two to see whether the number works, then as much as it will bear."""
    name, tail, mcc = episode.rng.choice(_NO_CARD)
    episode.use(name, tail, mcc, 1, 3)
    for _ in range(2):
        episode.use(*episode.rng.choice(_TURNED_INTO_GOODS), 280, 900)


def _abroad(episode: _Episode) -> None:
    """A copy at tills in a country she was never in."""
    name, tail, mcc, currency = episode.rng.choice(_FAR_AWAY)
    for _ in range(episode.rng.randint(2, 3)):
        episode.use(name, tail, mcc, 90, 420, currency)


def _at_night(episode: _Episode) -> None:
    """The number alone, in shops on the web, before she wakes."""
    episode.when = instant(bank_day(episode.when), episode.rng.randint(1 * 60 + 30, 4 * 60 + 30))
    for name, tail, mcc in episode.rng.sample(_NO_CARD, 2):
        episode.use(name, tail, mcc, 140, 650)


def _gift_cards(episode: _Episode) -> None:
    """Goods as good as money, again and again within the hour."""
    for _ in range(episode.rng.randint(3, 4)):
        episode.use("TARGET 00017723", "PHOENIX AZ", "5310", 200, 500)


_WAYS: tuple[Callable[[_Episode], None], ...] = (_tested, _abroad, _at_night, _gift_cards)


@lru_cache(maxsize=32)
def frauds(person: Person, seed: int, year: int) -> tuple[Entry, ...]:
    """Every planted fraud up to the end of ``year``, in the order they happened. A later year only adds."""
    if not person.defrauded:
        return ()
    found = [entry for episode in _episodes(person, seed, date(year, 12, 31)) for entry in episode.found]
    return tuple(_numbered(found))


def _episodes(person: Person, seed: int, last: date) -> Iterator[_Episode]:
    rng = random.Random(f"{seed}/{person.login}/planted")  # noqa: S311  # not a secret
    used = {habit.account for habit in person.habits}
    cards = [spec for spec in person.accounts if spec.key in used and spec.currency == "USD"]
    day = EPOCH
    while (day := day + timedelta(days=rng.randint(*_GAP))) <= last:
        episode = _Episode(rng.choice(cards), instant(day, rng.randint(9 * 60, 20 * 60)), rng)
        rng.choice(_WAYS)(episode)
        yield episode


def _numbered(entries: list[Entry]) -> Iterator[Entry]:
    for number, entry in enumerate(entries, FIRST_NUMBER):
        yield replace(entry, number=number)
