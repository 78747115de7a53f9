"""Bank data as JSON and back, exactly: money stays decimal, instants keep their zone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, fields
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from assistant.banking.money import Money

T = TypeVar("T")


def to_plain(value: Any) -> dict[str, Any]:
    """A flat dataclass of assistant.banking as JSON-ready values; fields at their default are left out."""
    plain = {}
    kind: Any = type(value)
    for name, default in _defaults(kind):
        item = getattr(value, name)
        if item is not default and item != default:
            plain[name] = _plain(item)
    return plain


def from_plain(kind: type[T], plain: dict[str, Any]) -> T:
    """The dataclass again. Fields it no longer has are ignored."""
    known: Any = kind
    readers = _readers(known)
    return kind(**{name: readers[name](item) for name, item in plain.items() if name in readers})


def _plain(item: Any) -> Any:
    if isinstance(item, Money):
        return [str(item.amount), item.currency]
    if isinstance(item, Enum):
        return item.value
    if isinstance(item, Decimal):
        return str(item)
    if isinstance(item, date):  # a datetime too
        return item.isoformat()
    if isinstance(item, tuple):
        return [_plain(part) for part in item]
    return item


@cache
def _defaults(kind: Any) -> tuple[tuple[str, Any], ...]:
    found = []
    for field in fields(kind):
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        found.append((field.name, default))
    return tuple(found)


@cache
def _readers(kind: Any) -> dict[str, Callable[[Any], Any]]:
    hints = get_type_hints(kind)
    return {field.name: _reader(hints[field.name]) for field in fields(kind)}


def _reader(hint: Any) -> Callable[[Any], Any]:
    options = [option for option in get_args(hint) if option is not NoneType]
    if get_origin(hint) is tuple:
        return tuple
    if options:
        return _reader(options[0])
    if hint is Money:
        return lambda pair: Money(Decimal(pair[0]), pair[1])
    if hint in (date, datetime):
        read: Callable[[Any], Any] = hint.fromisoformat
        return read
    if isinstance(hint, type) and issubclass(hint, (Enum, Decimal)):
        return hint
    return _same


def _same(item: Any) -> Any:
    return item
