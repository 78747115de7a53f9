"""Single values of an FDX answer. Banks' own samples break the standard in optional fields, so what can't be
read is missing, never a crash; whether a missing value matters is the caller's to say."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from assistant.banking.money import Money

Row = Mapping[str, Any]


def text(row: Row, *keys: str) -> str:
    """The first of the fields that holds text; runs of white space, and " " for nothing, are banks' habits."""
    for key in keys:
        value = row.get(key)
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        if isinstance(value, str) and value.strip():
            return value.strip()
    return ""


def number(row: Row, *keys: str) -> Decimal | None:
    """The first of the fields that holds a finite number. FDX amounts are JSON numbers; some banks quote them."""
    for key in keys:
        value = row.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, Decimal, str)):
            continue
        try:
            amount = Decimal(value)
        except InvalidOperation:
            continue
        if amount.is_finite() and amount.adjusted() < 18:
            return amount
    return None


def money(row: Row, currency: str, *keys: str) -> Money | None:
    amount = number(row, *keys)
    return None if amount is None else Money(amount, currency)


def currency(row: Row, default: str = "USD") -> str:
    """FDX keeps it on the account, as {"currencyCode": "USD"}; a bare string is tolerated."""
    value = row.get("currency")
    code = value.get("currencyCode") if isinstance(value, Mapping) else value
    code = code.strip().upper() if isinstance(code, str) else ""
    return code if len(code) == 3 and code.isascii() and code.isalpha() else default


def moment(row: Row, zone: ZoneInfo, *keys: str) -> datetime | None:
    """An aware instant. One without a zone is in the customer's. A bare date, or midnight, is no instant: None."""
    for key in keys:
        parsed = _parse(row.get(key))
        if isinstance(parsed, datetime) and parsed.timetz().replace(tzinfo=None) != time(0):
            return parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)
    return None


def day(row: Row, zone: ZoneInfo, *keys: str) -> date | None:
    """The customer's date. Midnight sharp is how banks write a date in a timestamp field, whatever zone they
    put behind it: it is that date, not the evening before in New York."""
    for key in keys:
        parsed = _parse(row.get(key))
        if isinstance(parsed, datetime):
            if parsed.tzinfo is None or parsed.timetz().replace(tzinfo=None) == time(0):
                return parsed.date()
            return parsed.astimezone(zone).date()
        if parsed is not None:
            return parsed
    return None


def _parse(value: Any) -> date | datetime | None:
    if not isinstance(value, str):
        return None
    value = value.strip()
    try:
        if len(value) == 10:
            return date.fromisoformat(value)
        return datetime.fromisoformat(_python_310_form(value))
    except (ValueError, OverflowError):
        return None


def _python_310_form(value: str) -> str:
    """ISO 8601 as Python 3.10 reads it: "+00:00" for Z, a colon in the offset, three or six decimals."""
    value = value[:-1] + "+00:00" if value[-1:] in ("Z", "z") else value
    if len(value) > 5 and value[-5] in "+-" and value[-4:].isdigit() and "T" in value.upper():
        value = f"{value[:-2]}:{value[-2:]}"
    head, dot, tail = value.partition(".")
    if not dot:
        return value
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[:digits][:6].ljust(6, '0')}{tail[digits:]}"
