"""How much: amounts of money with their comparison ("over fifty bucks", "about $1.2k", "between 20 and 40")."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from assistant.nlu.entity import fold
from assistant.nlu.numbers import NUMBER, read_number
from assistant.nlu.period_words import MONTH, UNITS

_SYMBOLS = {"$": "USD", "us$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY", "c$": "CAD", "ca$": "CAD"}
_WORDS = {
    "dollar": "USD", "dollars": "USD", "buck": "USD", "bucks": "USD", "usd": "USD", "us dollars": "USD",
    "smackers": "USD", "euro": "EUR", "euros": "EUR", "eur": "EUR", "pound": "GBP", "pounds": "GBP", "quid": "GBP",
    "gbp": "GBP", "yen": "JPY", "jpy": "JPY", "canadian dollars": "CAD", "cad": "CAD", "pesos": "MXN", "mxn": "MXN",
    "francs": "CHF", "chf": "CHF",
}  # fmt: skip
#: How far "about" reaches on either side.
ABOUT = Decimal("0.10")


@dataclass(frozen=True, slots=True)
class Amount:
    """Bounds on the size of an amount, both inclusive unless ``strict``; ``currency`` "" when none was said."""

    low: Decimal | None
    high: Decimal | None
    currency: str = ""
    strict: bool = False

    def to_value(self) -> dict[str, Any]:
        """As an entity's value: exact amounts as text."""
        return {
            "low": None if self.low is None else _text(self.low),
            "high": None if self.high is None else _text(self.high),
            "currency": self.currency,
            "strict": self.strict,
        }


@dataclass(frozen=True, slots=True)
class FoundAmount:
    start: int
    end: int
    amount: Amount


def _text(amount: Decimal) -> str:
    return str(amount.quantize(Decimal("0.01")))


def _alternatives(words: dict[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_SYMBOL = rf"(?:{_alternatives(_SYMBOLS)})"
_WORD = rf"(?:{_alternatives(_WORDS)})\b"


def _money(name: str) -> str:
    """One amount that names its currency. ``name`` tells the groups of two amounts in one pattern apart."""
    return (
        rf"(?:(?P<{name}sym>{_SYMBOL}) ?(?P<{name}n1>{NUMBER})(?P<{name}k1> ?(?:k|thousand|million|grand)\b)?"
        rf"|(?P<{name}n2>{NUMBER}) ?(?P<{name}word>{_WORD}|€|£)(?:(?: and)? (?P<{name}c2>{NUMBER})(?: cents?\b)?)?"
        rf"|(?P<{name}n3>{NUMBER}) (?P<{name}cents>cents?)\b"
        rf"|(?P<{name}code>usd|eur|gbp) (?P<{name}n4>{NUMBER})"
        rf"|(?P<{name}n5>a (?=(?:buck|dollar|euro)\b))(?P<{name}one>{_WORD})(?: (?P<{name}c5>{NUMBER}))?)"
    )


def _bare(name: str) -> str:
    return rf"(?P<{name}bare>{NUMBER})"


#: After a number these words make it something else than money.
_NOT_MONEY = (
    rf"(?! ?(?:{UNITS}|times?|percent|%|transactions?|purchases?|charges?|payments?|deposits?|(?:{MONTH})|st|nd|rd|th"
    r"|o'?clock|am|pm|accounts?|cards?|people|miles)\b)(?![\w%/-])(?!\.\d)"
)
_OVER = (
    r"(?P<over>over|more than|above|greater than|exceeding|bigger than|larger than|higher than|north of|upwards of"
    r"|costing more than|worth more than|in excess of)"
)
_AT_LEAST = r"(?P<atleast>at least|no less than|not less than|minimum of|starting at|from)"
_UNDER = r"(?P<under>under|less than|below|cheaper than|smaller than|lower than|fewer than|beneath)"
_AT_MOST = r"(?P<atmost>at most|up to|no more than|not more than|maximum of|not over)"
_ABOUT = (
    r"(?P<about>just about|about|around|roughly|approximately|approx|almost|nearly|close to|near|in the neighborhood of"
    r"|something like|~)"
)
_EXACT = r"(?P<exact>exactly|precisely|for exactly)"
_COMPARISON = rf"(?:(?:{_OVER}|{_AT_LEAST}|{_UNDER}|{_AT_MOST}|{_ABOUT}|{_EXACT}) )"
_AFTER = (
    r"(?: ?(?P<plus>\+|or more|or above|or over|or higher|and up|and over|and above|plus)"
    r"| (?P<less>or less|or under|or below|or lower|and under|and below|max|tops)| (?P<orso>or so|ish|give or take))?"
)
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\bbetween (?:{_money('a')}|{_bare('a')}) (?:and|to|&) (?:{_money('b')}|{_bare('b')}{_NOT_MONEY})",
        rf"(?:\bfrom )?(?:{_money('a')}|{_bare('a')}) ?(?:to|-|through) ?{_money('b')}",
        rf"(?<![\w.])(?:{_COMPARISON})?{_money('a')}{_AFTER}",
        rf"\b{_COMPARISON.replace('|from)', ')')}{_bare('a')}{_NOT_MONEY}{_AFTER}",
        r"\b(?:charges?|transactions?|payments?|purchases?|deposits?|debits?|bills?|withdrawals?|amounts?"
        r"|refunds?) (?:for|of) (?P<abare>\d+(?:\.\d\d)?)" + _NOT_MONEY,
        r"(?<![\w.,/:$-])(?P<abare>\d+(?:\.\d+)?k|\d{1,6}\.\d\d)(?![\w.,/])",
    )
)


def find_amounts(text: str) -> list[FoundAmount]:
    """The amounts in a text (any case), left to right, the longest readings; they do not overlap.

    "about" reaches ABOUT to either side; a bare "$50" is exactly that.
    """
    folded = fold(text)
    found = [_read(match) for pattern in _PATTERNS for match in pattern.finditer(folded)]
    chosen: list[FoundAmount] = []
    for one in sorted((f for f in found if f), key=lambda f: (f.start - f.end, f.start)):
        if all(one.end <= other.start or one.start >= other.end for other in chosen):
            chosen.append(one)
    return sorted(chosen, key=lambda f: f.start)


def _read(match: re.Match[str]) -> FoundAmount | None:
    said = {name: value for name, value in match.groupdict().items() if value}
    first, second = _one(said, "a"), _one(said, "b")
    if first is None:
        return None
    start = (
        match.start("abare")
        if "abare" in said
        and not match.group().startswith(("between", "from"))
        and not (said.keys() & {"over", "under", "atleast", "atmost", "about", "exact"})
        else match.start()
    )
    value, currency = first
    if second is not None:
        low, high = value, second[0]
        scaled = low * 1000
        if low < high and said.get("bbare", said.get("bn1", "")).endswith("k") and scaled <= high:
            low = scaled  # "between 1 and 2k"
        amount = Amount(min(low, high), max(low, high), second[1] or currency)
    elif "over" in said:
        amount = Amount(value, None, currency, strict=True)
    elif "under" in said:
        amount = Amount(None, value, currency, strict=True)
    elif said.keys() & {"atleast", "plus"}:
        amount = Amount(value, None, currency)
    elif said.keys() & {"atmost", "less"}:
        amount = Amount(None, value, currency)
    elif said.keys() & {"about", "orso"}:
        amount = Amount(value * (1 - ABOUT), value * (1 + ABOUT), currency)
    else:
        amount = Amount(value, value, currency)
    return FoundAmount(start, match.end(), amount)


def _one(said: dict[str, str], name: str) -> tuple[Decimal, str] | None:
    """The value and currency of one amount of a match."""
    if f"{name}bare" in said:
        number = read_number(said[f"{name}bare"])
        return None if number is None else (number, "")
    if f"{name}sym" in said:
        number = read_number(said[f"{name}n1"] + said.get(f"{name}k1", "").replace(" k", "k"))
        return None if number is None else (number, _SYMBOLS[said[f"{name}sym"]])
    if f"{name}cents" in said:
        number = read_number(said[f"{name}n3"])
        return None if number is None else (number / 100, "USD")
    if f"{name}code" in said:
        number = read_number(said[f"{name}n4"])
        return None if number is None else (number, said[f"{name}code"].upper())
    whole = said.get(f"{name}n2") or said.get(f"{name}n5")
    if whole is None:
        return None
    number = Decimal(1) if f"{name}n5" in said else read_number(whole)
    word = said.get(f"{name}word") or said.get(f"{name}one") or ""
    cents = read_number(said.get(f"{name}c2") or said.get(f"{name}c5") or "0")
    if number is None or cents is None:
        return None
    return number + (cents / 100 if cents < 100 else 0), _WORDS.get(word) or _SYMBOLS.get(word, "")
