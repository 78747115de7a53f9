"""The neutral reply that every skill returns and every channel renders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Union

from assistant.banking.account import Account
from assistant.banking.money import Money
from assistant.banking.period import Period


@dataclass(frozen=True, slots=True)
class Listed:
    """Several values said as one: "Checking, Savings and Visa". Each is formatted by its own kind."""

    items: tuple[Any, ...]
    conjunction: str = "and"


@dataclass(frozen=True, slots=True)
class Percent:
    """A share or a rate: Percent(Decimal("24.9")) is 24.9 %."""

    value: Decimal


@dataclass(frozen=True, slots=True)
class Literal:
    """Text that comes from the bank or the customer (a merchant, a nickname): never translated, and
    escaped where a channel needs it."""

    text: str


@dataclass(frozen=True, slots=True)
class Spelled:
    """Letters and digits that mean nothing as a word (a reference): said one by one."""

    text: str


@dataclass(frozen=True, slots=True)
class Term:
    """A word that wording must translate: Term("category", "groceries"), Term("kind", "credit_card").

    Looked up in domain.yml as the response ``term_<family>_<key>``.
    """

    family: str
    key: str


#: What may fill a placeholder of a wording. Each is written and spoken in its own way.
#: A Phrase as a value is a part of a sentence ("transactions at Comcast"), so that wording decides the order.
Value = Union[str, int, Money, date, Period, Account, Percent, Listed, Literal, Spelled, Term, "Phrase"]


@dataclass(frozen=True, slots=True)
class Phrase:
    """One sentence or two: the key of a response in domain.yml (without ``utter_``) and its values.

    Where a value is named ``count``, ``<key>_one`` is used for 1 if the wording has it.
    """

    key: str
    values: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Column:
    """``title`` is a wording key (``column_<title>``); ``align_right`` for figures."""

    title: str
    align_right: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows for the eye. Voice reads at most three, using ``spoken_row``, and then asks "more?".

    ``spoken_row`` is the key of the wording for one row; its placeholders are the columns' titles.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    spoken_row: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    label: Value
    amount: Money


@dataclass(frozen=True, slots=True)
class Chart:
    """Amounts to compare, largest first or in time order; one currency. ``title`` also serves as alt text."""

    title: Phrase
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A next step to offer. ``title`` is a wording key (``choice_<title>``) with its values.

    Choosing it is the same as saying the title. ``about`` names, by an opaque id, what the choice belongs to (an
    alert), for channels where it may be chosen hours later; it gives no authority.
    """

    title: str
    values: Mapping[str, Value] = field(default_factory=dict)
    about: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A page of ours to open: a button where there are any, else the address. Never read aloud.

    ``title`` is a wording key (``link_<title>``). ``url`` is as secret as the token in it.
    """

    title: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say (in order), what to show, what to offer next, and whether we wait for an answer."""

    say: tuple[Phrase, ...]
    table: Table | None = None
    chart: Chart | None = None
    choices: tuple[Choice, ...] = ()
    expects_answer: bool = False
    link: Link | None = None
