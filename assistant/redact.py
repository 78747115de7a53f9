"""Takes out of a text what identifies a customer, her accounts and her money, before the text is kept.

Deny by default: where a number could be an account or the time of day, it is an account. What operators
need stays: dates, UUIDs, hexadecimal ids, internet addresses, short numbers.
"""

from __future__ import annotations

import re
import threading
import traceback
from collections.abc import Iterable
from types import TracebackType

WITHHELD = "[withheld]"
#: Characters of one text that are kept. A longer one is somebody's document, and costs time.
LONGEST = 32_768

# Between the digits of a number: blanks, dashes of any kind, parentheses, or one dot or slash.
_BLANK = r"[ \t\u00a0\u2007-\u200a\u202f]{0,2}"
_GAP = rf"(?:{_BLANK}[\u2010-\u2015\-()]{{0,2}}{_BLANK}|[./])"
# What looks like the end of a number may be the middle of a longer one.
_MORE = rf"(?:{_GAP}\d)*"
_CURRENCY = r"(?:US\$|C\$|[$€£¥]|\b(?:USD|EUR|GBP|CAD|JPY|CHF)\b)"
_UNIT = r"(?:(?:USD|EUR|GBP|CAD|JPY|CHF|dollars?|bucks|euros?|pounds?|cents?)\b|[$€£¥])"
# Bounded, as all that repeats here is: a hostile text must not cost more than its length.
_FIGURE = r"[-+]?\d(?:[\d,.'\u00a0\u202f]{0,24}\d)?"
_QUOTE = r"[\"']?"
_VALUE = r"(?:[^\s\"',;&<>}]|,(?=\d))+"
_NAMED = (
    r"(?:access_|refresh_|id_)?token|client_secret|code_verifier|client_assertion|password|passwd|"
    r"secret|assertion|request_uri|api_?key|cookie"
)
_DATE = r"(?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])"
_HOUR = r"[T ](?:[01]\d|2[0-3]):[0-5]\d"
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"

#: In this order: of two that begin at one place the first wins. Kinds named ``keep_`` stay as they are.
_KINDS: tuple[tuple[str, str], ...] = (
    ("jwt", r"\beyJ[\w-]+(?:\.[\w-]*)+"),
    ("userinfo", r"(?<=://)[^\s/@\"'<>]+(?=@)"),
    ("query", rf"(?<=[\w/)])\?[\w.%\[\]-]+=[^\s\"'<>]*{_MORE}"),
    (
        "bearer",
        rf"(?:(?i:\b(?:bearer|dpop)\s+)[\w.~+/=-]{{6,}}|(?i:\bbasic\s+)(?=[\w+/]*[A-Z0-9=])[\w+/=]{{8,}}){_MORE}",
    ),
    (
        "secret",
        r"(?P<name>(?i:"
        rf"\bauthorization{_QUOTE}\s*[:=]\s*{_QUOTE}(?:bearer\s+|basic\s+|dpop\s+)?"
        rf"|\b(?:{_NAMED}|code|state)={_QUOTE}|\b(?:{_NAMED}){_QUOTE}\s*:\s*{_QUOTE})){_VALUE}{_MORE}",
    ),
    ("email", r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)+"),
    ("keep_uuid", r"(?i:(?<!\w)[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?!\w))"),
    ("keep_id", r"(?<!\w)(?=(?:\d*[a-f]){3})(?:[0-9a-f]{64}|[0-9a-f]{40}|[0-9a-f]{32})(?!\w)"),
    ("keep_pointer", r"\b0x[0-9a-f]{6,12}(?!\w)"),
    ("token", r"(?<![\w-])(?=[\w-]*?[a-z])(?=[\w-]*?[A-Z])(?=[\w-]*?\d)[\w-]{40,}"),
    ("iban", rf"(?<!\w)[A-Z]{{2}}\d{{2}}(?:[ -]?[A-Z0-9]{{4}}){{2,7}}(?:[ -]?[A-Z0-9]{{1,4}})?{_MORE}"),
    (
        "keep_time",
        rf"(?<![\w.-]){_DATE}(?:{_HOUR}:[0-5]\d(?:[.,]\d{{1,6}})?(?:Z|[+-]\d\d:?\d\d)?(?!\w)"
        rf"|(?:{_HOUR})?(?!\w)(?!{_GAP}\d))",
    ),
    ("keep_address", rf"(?<![\w.-])(?:{_OCTET}\.){{3}}{_OCTET}(?::\d{{1,5}})?(?![\w.-])"),
    (
        "amount",
        rf"[-+]?{_CURRENCY}\s?{_FIGURE}{_MORE}|{_FIGURE}\s?{_UNIT}"
        r"|[-+]?\d{1,3}(?:,\d{3}){1,5}\.\d\d(?!\d)|\bDecimal\([\"'][^\"']{0,40}[\"']\)"
        rf"|(?i:\b(?:amount|balance|owed){_QUOTE}\s*[:=]\s*{_QUOTE}){_FIGURE}{_MORE}",
    ),
    ("number", rf"\d(?:{_GAP}\d){{7,}}"),
    ("phone", r"(?<![\w.])\d{3}[-.\u2010-\u2015 ]\d{4}(?!\w)"),
)
_PATTERN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _KINDS))
_WORD = re.compile(r"[^\W\d_]+")
#: Shorter parts of names are words of the language too: they count as written only.
_SHORT = 3


class Redactor:
    """Redacts texts. ``names`` of customers can be added at any time; safe to use from any thread."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._words: frozenset[str] = frozenset()
        self.know(*names)

    def know(self, *names: str) -> None:
        """From now on each word of these names is taken out, with or without capitals. Nothing else is kept."""
        words = {word for name in names for word in _WORD.findall(name) if len(word) > 1}
        with self._lock:
            self._words |= {word if len(word) <= _SHORT else word.casefold() for word in words}

    def text(self, given: str | bytes) -> str:
        """``given`` without what it must not say. Never raises."""
        try:
            if isinstance(given, (bytes, bytearray)):
                given = given.decode("utf-8", "backslashreplace")
            if len(given) > LONGEST:
                # Not in the middle of a number, which would leave half of it.
                given = given[:LONGEST].rpartition(" ")[0] + " [cut]"
            clean = _PATTERN.sub(_replacement, given)
            return _WORD.sub(self._unless_name, clean) if self._words else clean
        except Exception as error:  # A log line must never stop what it reports on.
            return f"[withheld: {type(error).__name__} while redacting]"

    def error(self, error: BaseException) -> str:
        """A traceback with its causes, as Python prints it. The message of an exception that is made from data
        (ValueError, KeyError, a library's own) is left out: it quotes what it could not read."""
        parts: list[str] = []
        seen: set[int] = set()
        link: BaseException | None = error
        while link is not None and id(link) not in seen:
            seen.add(id(link))
            parts.append(_stack(link.__traceback__) + self._headline(link))
            link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
        return "\n\nwhich led to:\n\n".join(reversed(parts))

    def _headline(self, error: BaseException) -> str:
        kind = type(error)
        name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        if not (isinstance(error, _SPEAKING) or kind.__module__.partition(".")[0] in {"assistant", "actions"}):
            return f"{name}: {WITHHELD}"
        try:
            return f"{name}: {self.text(str(error))}"
        except Exception as broken:  # A broken __str__.
            return f"{name}: [withheld: {type(broken).__name__} while reading it]"

    def _unless_name(self, match: re.Match[str]) -> str:
        word = match[0]
        return "[name]" if word in self._words or word.casefold() in self._words else word


#: Their messages name code and files, not data.
_SPEAKING = (
    OSError, ImportError, NameError, AttributeError, TypeError, SyntaxError, RecursionError, MemoryError,
    NotImplementedError, SystemExit,
)  # fmt: skip


def _stack(trace: TracebackType | None) -> str:
    return "Traceback (most recent call last):\n" + "".join(traceback.format_tb(trace)) if trace else ""


def _replacement(match: re.Match[str]) -> str:
    kind = match.lastgroup or "number"
    if kind.startswith("keep_"):
        return match[0]
    if kind == "query":
        return "?[query]"
    if kind == "secret":
        return f"{match['name']}[secret]"
    if kind == "number" and _is_card(match[0]):
        return "[card]"
    return f"[{kind}]"


def _is_card(text: str) -> bool:
    """ISO/IEC 7812-1: 13 to 19 digits, the last a Luhn check digit."""
    digits = [int(character) for character in text if character.isdecimal()]
    if not 13 <= len(digits) <= 19:
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
