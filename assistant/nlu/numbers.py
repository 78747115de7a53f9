"""Numbers as people write and say them: "1,200.50", "1.2k", "two hundred five", "a couple hundred"."""

from __future__ import annotations

import re
from decimal import Decimal

_ONES = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {
    "twenty": 20, "thirty": 30, "forty": 40, "fourty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80,
    "ninety": 90,
}  # fmt: skip
_SCALES = {"hundred": 100, "thousand": 1000, "grand": 1000, "k": 1000, "million": 1_000_000, "m": 1_000_000}
_LOOSE = {"dozen": Decimal(12), "couple": Decimal(2), "few": Decimal(3), "half": Decimal("0.5")}
_ORDINALS = {
    "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8, "ninth": 9,
    "tenth": 10, "eleventh": 11, "twelfth": 12, "thirteenth": 13, "fourteenth": 14, "fifteenth": 15,
    "sixteenth": 16, "seventeenth": 17, "eighteenth": 18, "nineteenth": 19, "twentieth": 20, "thirtieth": 30,
}  # fmt: skip
#: Digits as a speech recogniser spells what it hears.
_DIGIT_SOUNDS = {"oh": "0", "o": "0", "won": "1", "to": "2", "too": "2", "tree": "3", "for": "4", "ate": "8"}


def _any(*tables: dict[str, int]) -> str:
    return "|".join(sorted((word for table in tables for word in table), key=len, reverse=True))


_DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+"
_BELOW_HUNDRED = (
    rf"(?:(?:{_any(_TENS)})(?:[ -](?:one|two|three|four|five|six|seven|eight|nine)\b)?|(?:{_any(_ONES)}))\b"
)
_SCALE = r"(?:hundred|thousand|grand|million)\b"
_HEAD = rf"(?:{_BELOW_HUNDRED}|(?:{_DIGITS})|(?:a|an|a couple(?: of)?|a few|half a)(?= (?:{_SCALE})))"
#: A number, written or spoken, as a regular expression without groups. Ordinals are not numbers.
NUMBER = (
    rf"(?:(?:(?<![\w.,])(?:{_DIGITS})(?:k|m)?\b(?! (?:hundred|thousand|grand|million)\b))"
    rf"|(?:\b{_HEAD}(?: {_SCALE})+(?:(?: and)? {_BELOW_HUNDRED}(?: {_SCALE})*)*)"
    rf"|(?:\b{_BELOW_HUNDRED}(?: point(?: (?:{_any(_ONES)}))+)?))"
)
_DAY_ONES = "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth"
#: A day of the month: "3rd", "third", "twenty first".
ORDINAL = rf"(?:\b\d{{1,2}}(?:st|nd|rd|th)\b|\b(?:twenty|thirty)[ -](?:{_DAY_ONES})\b|\b(?:{_any(_ORDINALS)})\b)"

#: More digits than any amount or count needs; beyond it a number is noise.
_MOST_DIGITS = 15


def read_number(text: str) -> Decimal | None:
    """The value of a number matched by NUMBER, or a loose one ("a couple", "a few", "a dozen"); None for others."""
    clean = text.strip().lower().replace(",", "")
    suffixed = re.fullmatch(r"(\d+(?:\.\d+)?|\.\d+)(k|m)?", clean)
    if suffixed:
        if len(suffixed[1]) > _MOST_DIGITS:
            return None
        return Decimal(suffixed[1]) * _SCALES.get(suffixed[2] or "", 1)
    whole, _, fraction = clean.partition(" point ")
    value = _spoken(re.split(r"[\s-]+", whole))
    if value is None or not fraction:
        return value
    digits = [_ONES.get(word) for word in fraction.split()]
    if any(digit is None or digit > 9 for digit in digits):
        return None
    return value + Decimal("0." + "".join(str(digit) for digit in digits))


def _spoken(words: list[str]) -> Decimal | None:
    total, part, seen = Decimal(0), Decimal(0), False
    for position, word in enumerate(words):
        if word in ("and", "of"):
            continue
        if word in ("a", "an"):
            following = words[position + 1] if position + 1 < len(words) else ""
            if following in ("hundred", "thousand", "grand", "million") and not part:
                part = Decimal(1)
            continue
        if re.fullmatch(r"\d+(?:\.\d+)?", word) and len(word) <= _MOST_DIGITS:
            part += Decimal(word)
        elif word in _ONES or word in _TENS:
            part += _ONES.get(word, 0) + _TENS.get(word, 0)
        elif word in _LOOSE:
            part = (part or Decimal(1)) * _LOOSE[word]
        elif word == "hundred":
            part = (part or Decimal(1)) * 100
        elif word in _SCALES:
            total += (part or Decimal(1)) * _SCALES[word]
            part = Decimal(0)
        else:
            return None
        seen = True
    return total + part if seen else None


def read_ordinal(text: str) -> int | None:
    """The number of an ordinal matched by ORDINAL: 21 for "21st", "twenty first", "twenty-first"."""
    clean = text.strip().lower().replace("-", " ")
    written = re.fullmatch(r"(\d{1,2})(?:st|nd|rd|th)", clean)
    if written:
        return int(written[1])
    tens, _, ones = clean.rpartition(" ")
    if ones not in _ORDINALS:
        return None
    return _TENS.get(tens, 0) + _ORDINALS[ones]


def read_digits(text: str) -> str:
    """The digits of an account's last four, however said: "4 7 2 9", "four seven two nine", "forty seven
    twenty nine", "for 729"; "" when they are not digits."""
    digits, tens = "", False
    for word in re.split(r"[\s-]+", text.strip().lower()):
        if tens and 0 < _ONES.get(word, 0) < 10:
            digits = digits[:-1] + str(_ONES[word])  # "forty seven" is 47, "forty" alone 40
        elif word.isdecimal() and word.isascii():
            digits += word
        elif word in _ONES or word in _TENS:
            digits += str(_ONES.get(word, 0) + _TENS.get(word, 0))
        elif word in _DIGIT_SOUNDS:
            digits += _DIGIT_SOUNDS[word]
        else:
            return ""
        tens = word in _TENS
    return digits


#: What may stand for the last four digits of an account after "ending in".
LAST_FOUR = (
    r"(?:\d{4}\b|(?:\d ?){3}\d\b|(?:\b(?:"
    + _any(_ONES, _TENS)
    + "|"
    + "|".join(_DIGIT_SOUNDS)
    + r"|\d{1,3})\b[ -]?){2,4})"
)
