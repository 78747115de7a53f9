"""Which account: kinds ("my visa", "car loan"), last four digits however said, funds, and names around them."""

from __future__ import annotations

import re
from typing import Any

from assistant.nlu.entity import Entity, fold
from assistant.nlu.numbers import LAST_FOUR, read_digits

#: What people call a kind of account; the value is an AccountKind, or a wider word ("card", "loan", "deposit").
KINDS = {
    "checking": ("checking", "chequing", "checkings", "checking acct", "cheking", "debit account", "current account"),
    "savings": ("savings", "saving", "saving account", "savings acct", "savngs", "saver"),
    "money_market": ("money market",),
    "cd": ("cd", "cds", "certificate of deposit", "certificates of deposit", "time deposit"),
    "credit_card": ("credit card", "credit cards", "creditcard", "credit crad", "cc", "charge card", "plastic"),
    "line_of_credit": ("line of credit", "credit line", "heloc", "home equity line", "home equity"),
    "mortgage": ("mortgage", "mortgages", "morgage", "mortage", "home loan", "house loan", "house payment"),
    "auto_loan": (
        "auto loan",
        "car loan",
        "car loans",
        "auto loans",
        "car payment",
        "truck loan",
        "vehicle loan",
        "car note",
    ),
    "student_loan": ("student loan", "student loans", "school loan", "student debt", "college loan", "college loans"),
    "investment": ("investment", "investments", "brokerage", "401k", "ira", "roth", "retirement account"),
    "card": ("card", "cards", "debit card", "debit cards"),
    "loan": ("loan", "loans", "personal loan", "personal loans"),
    "deposit": ("deposit account", "deposit accounts"),
}
#: Card brands: a card, and part of its name.
_BRANDS = {
    "visa": "visa", "mastercard": "mastercard", "master card": "mastercard", "amex": "amex",
    "american express": "american express", "discover": "discover",
}  # fmt: skip
_KIND_OF = {phrase: kind for kind, phrases in KINDS.items() for phrase in phrases}
_PHRASES = "|".join(re.escape(phrase) for phrase in sorted((*_KIND_OF, *_BRANDS), key=len, reverse=True))
_ENDING = (
    r"(?:(?:that |which )?(?:ending|ends|end|finishing|ended)(?: in| with| on)?|last (?:four|4)"
    r"(?: digits)?(?: are| is| of)?)"
)
_DIGITS = re.compile(
    rf"{_ENDING} (?P<said>{LAST_FOUR})"
    rf"|\b(?:account|card|acct|visa|mastercard|amex|checking|savings)(?: number| no\.?| #| card"
    rf"| account)? (?P<near>[#x*.]*\d{{4}}|(?:\d ){{3}}\d)(?![\w.,]*\d)"
    r"|(?<!\w)(?P<mask>(?:x{1,4}|\*{1,4}|\.{3}|#) ?\d{4})\b"
)
_KIND = re.compile(rf"\b(?P<phrase>{_PHRASES})(?: (?:account|accounts|card|cards|loan))?\b(?!')")
_FUND = re.compile(r"\b(?P<name>(?:[a-z]+ ){1,3}fund)\b")
_NAMED = re.compile(
    r"\b(?P<name>joint|euro|dollar|sterling|business|household|shared|main|primary|personal|teen|kids)"
    r"(?: accounts?\b| (?=checking|savings|card\b))"
)
#: What a loan is for stands for the loan where something is owed on it ("how much do we still owe on the house").
_OWED_ON = re.compile(
    r"\b(?:owe|owed|owing|left|remaining|debt)(?: to pay)? (?:on|for) (?:my|our|the) (?P<on>house|home|condo|car|truck)"
    r"(?=[ ?.!,]*$| (?:now|today|still|right now)\b)"
    r"|\b(?:my|our|the) (?P<off>house|home|condo|car|truck)(?= (?:is|gets) paid off)"
)
_LOAN_FOR = {"house": "mortgage", "home": "mortgage", "condo": "mortgage", "car": "auto_loan", "truck": "auto_loan"}
#: Words before "fund" or a kind that are not its name.
_NOT_NAME = frozenset({
    "my", "the", "our", "a", "an", "in", "on", "of", "for", "from", "to", "into", "is", "are", "was", "at",
    "and", "or", "with", "this", "that", "your", "his", "her", "their", "much", "what's", "whats", "how's",
    "hows", "show", "check", "which", "any", "every", "all", "each", "other", "put", "move", "have", "had",
    "hit", "just", "only", "about", "whole", "refund", "did", "does", "do", "me", "balance", "left",
    "see", "tell", "give", "list", "total", "first", "last", "both", "available", "enough", "emptied",
    "transfer", "spent", "spend",
})  # fmt: skip
_JOIN = re.compile(r"(?:[ ,]|(?: (?:account|card|one|acct|that's|thats|is|,))){0,3}")


def find_accounts(text: str) -> list[Entity]:
    """The accounts spoken of; parts that stand side by side ("savings ending in 4729") are one."""
    folded = fold(text)
    parts: list[Entity] = []
    for match in _DIGITS.finditer(folded):
        found = _last4(match)
        if found:
            parts.append(found)
    for match in _KIND.finditer(folded):
        parts.append(Entity("account", match.start(), match.end(), _kind_value(match["phrase"])))
    for match in _FUND.finditer(folded):
        named = _fund(match)
        if named:
            parts.append(named)
    for match in _NAMED.finditer(folded):
        parts.append(Entity("account", match.start(), match.end(), _value(name=match["name"])))
    for match in _OWED_ON.finditer(folded):
        thing = "on" if match["on"] else "off"
        parts.append(Entity("account", match.start(thing), match.end(thing), _value(_LOAN_FOR[match[thing]])))
    return join_accounts(folded, parts)


def _value(kind: str = "", last4: str = "", name: str = "") -> dict[str, Any]:
    return {"kind": kind, "last4": last4, "name": name}


def _kind_value(phrase: str) -> dict[str, Any]:
    if phrase in _BRANDS:
        return _value("card", name=_BRANDS[phrase])
    return _value(_KIND_OF[phrase])


def _last4(match: re.Match[str]) -> Entity | None:
    if match["said"]:
        words = re.split(r"(?<=[\s-])", match["said"])
        for count in range(len(words), 0, -1):
            part = "".join(words[:count]).rstrip(" -")
            digits = read_digits(part)
            if len(digits) == 4:
                return Entity("account", match.start(), match.start("said") + len(part), _value(last4=digits))
        return None
    if match["near"]:
        digits = re.sub(r"\D", "", match["near"])
        return Entity("account", match.start("near"), match.end("near"), _value(last4=digits))
    return Entity("account", match.start(), match.end(), _value(last4=match["mask"][-4:]))


def _fund(match: re.Match[str]) -> Entity | None:
    name = own_name(match["name"])
    if " " not in name:
        return None
    return Entity("account", match.end() - len(name), match.end(), _value(name=name))


def own_name(words: str) -> str:
    """What is left of a name without the small words before it; "" when nothing is."""
    parts = words.split()
    small = [place for place, word in enumerate(parts) if word in _NOT_NAME]
    return " ".join(parts[small[-1] + 1 if small else 0 :])


def join_accounts(folded: str, parts: list[Entity]) -> list[Entity]:
    """Longest readings first, then neighbours joined: "visa" + "card ending in 8210" is one account."""
    chosen: list[Entity] = []
    for part in sorted(parts, key=lambda p: (-p.length, p.start)):
        inside = [other for other in chosen if part.overlaps(other)]
        if not inside:
            chosen.append(part)
        elif len(inside) == 1 and inside[0].start <= part.start and part.end <= inside[0].end:
            host = inside[0]
            chosen[chosen.index(host)] = Entity("account", host.start, host.end, _merged(host.value, part.value))
    chosen.sort(key=lambda p: p.start)
    joined: list[Entity] = []
    for part in chosen:
        before = joined[-1] if joined else None
        if (
            before is not None
            and _JOIN.fullmatch(folded[before.end : part.start])
            and not _clash(before.value, part.value)
        ):
            joined[-1] = Entity("account", before.start, part.end, _merged(before.value, part.value))
        else:
            joined.append(part)
    return joined


def _clash(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return any(one[key] and other[key] for key in ("last4", "name")) or (
        bool(one["kind"] and other["kind"]) and not {one["kind"], other["kind"]} & {"card", "loan"}
    )


def _merged(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    kind = one["kind"] or other["kind"]
    if kind in ("card", "loan") and other["kind"]:
        kind = other["kind"]
    return _value(kind, one["last4"] or other["last4"], one["name"] or other["name"])
