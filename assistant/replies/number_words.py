"""Numbers in English words, as CLDR's spell-out rules (RBNF) have them for en; Babel does not carry those rules."""

from __future__ import annotations

import re
from decimal import Decimal

_SMALL = [
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
]  # fmt: skip
_TENS = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES = ((10**12, "trillion"), (10**9, "billion"), (10**6, "million"), (1000, "thousand"), (100, "hundred"))
_IRREGULAR = {
    "one": "first", "two": "second", "three": "third", "five": "fifth", "eight": "eighth", "nine": "ninth",
    "twelve": "twelfth",
}  # fmt: skip
#: More is noise, or a number of an account: said digit by digit.
_LARGEST = 10**15

_ORDINAL = re.compile(r"(?<![\d.])(\d{1,3})(?:st|nd|rd|th)\b", re.IGNORECASE)
_GROUPED = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_DECIMAL = re.compile(r"(?<![\d.])(\d{1,12}\.\d{1,4})(?![\d.])")
_RUN = re.compile(r"\d+")


def cardinal(number: int) -> str:
    """1203: "one thousand two hundred three"; negative with "minus"."""
    if number < 0:
        return f"minus {cardinal(-number)}"
    if number >= _LARGEST:
        return digits(str(number))
    if number < 20:
        return _SMALL[number]
    if number < 100:
        tens, ones = divmod(number, 10)
        return _TENS[tens] + (f"-{_SMALL[ones]}" if ones else "")
    size, name = next(scale for scale in _SCALES if number >= scale[0])
    count, rest = divmod(number, size)
    return f"{cardinal(count)} {name}" + (f" {cardinal(rest)}" if rest else "")


def ordinal(number: int) -> str:
    """3: "third", 21: "twenty-first"."""
    words = cardinal(number)
    cut = max(words.rfind(" "), words.rfind("-")) + 1
    head, last = words[:cut], words[cut:]
    if last in _IRREGULAR:
        return head + _IRREGULAR[last]
    return head + (last[:-1] + "ieth" if last.endswith("y") else last + "th")


def year(number: int) -> str:
    """2026: "twenty twenty-six", 2005: "two thousand five", 1900: "nineteen hundred"."""
    century, rest = divmod(number, 100)
    if not 1100 <= number < 2100 or 2000 <= number < 2010:
        return cardinal(number)
    if rest == 0:
        return f"{cardinal(century)} hundred"
    return f"{cardinal(century)} {'oh ' if rest < 10 else ''}{cardinal(rest)}"


def digits(text: str) -> str:
    """Its digits one by one, "4729": "four seven two nine"; what is no digit is left out."""
    return " ".join(_SMALL[int(character)] for character in text if character in "0123456789")


def decimal(number: Decimal) -> str:
    """24.90: "twenty-four point nine zero", digit by digit after the point, as many as are given."""
    whole, _, fraction = format(abs(number), "f").partition(".")
    words = cardinal(int(whole)) + (f" point {digits(fraction)}" if fraction else "")
    return f"minus {words}" if number < 0 else words


def spell_out(text: str) -> str:
    """A text with its numbers in words: "Studio 54" and "18th" as people say them, longer runs digit by digit."""
    text = _ORDINAL.sub(lambda match: ordinal(int(match[1])), text)
    text = _GROUPED.sub(lambda match: cardinal(int(match[0].replace(",", ""))), text)
    text = _DECIMAL.sub(lambda match: decimal(Decimal(match[1])), text)
    return _RUN.sub(lambda match: _run(text, match), text)


def _run(text: str, match: re.Match[str]) -> str:
    run = match[0]
    short = len(run) <= 3 and (run == "0" or not run.startswith("0"))
    words = cardinal(int(run)) if short else digits(run)
    before = text[match.start() - 1 : match.start()]
    after = text[match.end() : match.end() + 1]
    # "4Ever" is two words aloud; "7-Eleven" stays one.
    return f"{' ' if before.isalpha() else ''}{words}{' ' if after.isalpha() else ''}"
