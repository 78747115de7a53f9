"""Column types that both databases share."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from sqlalchemy import BigInteger, Dialect
from sqlalchemy.types import TypeDecorator


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept as microseconds since 1970 UTC: exact, sortable, the same on every database.

    What is no instant (SQLite takes anything in any column) reads as 1970: ended long ago, and not what was signed.
    """

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant has a time zone")
        whole = value.astimezone(timezone.utc) - _EPOCH
        return (whole.days * 86_400 + whole.seconds) * 1_000_000 + whole.microseconds

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        try:
            seconds, micros = divmod(int(value), 1_000_000)
            return datetime.fromtimestamp(seconds, timezone.utc).replace(microsecond=micros)
        except (ValueError, OverflowError, OSError):
            return _EPOCH


_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
