"""Phrases and transactions as JSON and back, so that an alert can be kept sealed and said on any channel later."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from assistant.banking.account import Account
from assistant.banking.money import Money
from assistant.banking.period import Grain, Period
from assistant.banking.transaction import Transaction
from assistant.customers.codec import from_plain, to_plain
from assistant.replies.reply import Listed, Literal, Percent, Phrase, Term


def sealed_words(say: Sequence[Phrase], transactions: Sequence[Transaction]) -> bytes:
    """Both as bytes to seal."""
    return json.dumps(
        {"say": [_plain(phrase) for phrase in say], "transactions": [to_plain(one) for one in transactions]},
        separators=(",", ":"),
    ).encode()


def opened_words(plain: bytes) -> tuple[tuple[Phrase, ...], tuple[Transaction, ...]]:
    """What ``sealed_words`` was given."""
    held = json.loads(plain)
    say = tuple(_value(phrase) for phrase in held["say"])
    return say, tuple(from_plain(Transaction, one) for one in held["transactions"])


def _plain(value: Any) -> Any:
    """Texts and whole numbers as they are; everything else as a list that begins with its kind."""
    if isinstance(value, (str, int)):
        return value
    if isinstance(value, Phrase):
        return ["phrase", value.key, {name: _plain(item) for name, item in value.values.items()}]
    if isinstance(value, Money):
        return ["money", str(value.amount), value.currency]
    if isinstance(value, date):
        return ["date", value.isoformat()]
    if isinstance(value, Period):
        return ["period", value.start.isoformat(), value.end.isoformat(), value.grain.value]
    if isinstance(value, Literal):
        return ["literal", value.text]
    if isinstance(value, Term):
        return ["term", value.family, value.key]
    if isinstance(value, Percent):
        return ["percent", str(value.value)]
    if isinstance(value, Account):
        return ["account", to_plain(value)]
    if isinstance(value, Listed):
        return ["listed", [_plain(item) for item in value.items], value.conjunction]
    raise TypeError(f"a {type(value).__name__} can't be kept in an alert")


_READERS: Mapping[str, Callable[..., Any]] = {
    "phrase": lambda key, values: Phrase(key, {name: _value(item) for name, item in values.items()}),
    "money": lambda amount, currency: Money(Decimal(amount), currency),
    "date": date.fromisoformat,
    "period": lambda start, end, grain: Period(date.fromisoformat(start), date.fromisoformat(end), Grain(grain)),
    "literal": Literal,
    "term": Term,
    "percent": lambda value: Percent(Decimal(value)),
    "account": lambda plain: from_plain(Account, plain),
    "listed": lambda items, conjunction: Listed(tuple(_value(item) for item in items), conjunction),
}


def _value(plain: Any) -> Any:
    if not isinstance(plain, list):
        return plain
    kind, *parts = plain
    return _READERS[kind](*parts)
