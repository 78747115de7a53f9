"""Everything a sentence names: the closed readers, the learned names, and who wins where they overlap."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from assistant.nlu.account import find_accounts, join_accounts, own_name
from assistant.nlu.amount import find_amounts
from assistant.nlu.compared import with_baseline
from assistant.nlu.entity import Entity, fold
from assistant.nlu.numbers import NUMBER, read_number
from assistant.nlu.open_words import OPEN, Example, OpenWords
from assistant.nlu.period import find as find_periods
from assistant.nlu.vocabulary import Vocabulary

#: Closed lists that a lookup table names; a phrase in two of them belongs to the first.
CLOSED = ("bank", "status", "group", "balance_type", "order", "direction", "purpose")
#: More than this is noise: no channel shows a longer sentence's worth, and matching costs time.
LONGEST_TEXT = 1000
_MOST = 1000

_THINGS = (
    r"(?:transactions?|purchases?|charges?|payments?|deposits?|withdrawals?|debits?|credits?|expenses?|things?|items?"
    r"|merchants?|stores?|shops?|categories|places|ones|bills|subscriptions?|orders?)"
)
_COUNT_NUMBER = rf"(?P<n>{NUMBER}|a dozen|dozen|a couple(?: of)?|couple(?: of)?)"
_NO_UNIT = (
    r"(?! ?(?:hours?|days?|nights?|weeks?|months?|quarters?|years?|decades?|dollars?|bucks?|cents?"
    r"|euros?|pounds?|percent|digits|%|/)\b)(?![\w.,:]*\d)"
)
_COUNTS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\b(?:last|latest|past|recent|most recent|previous|next|top|first|biggest|largest|smallest|lowest"
        rf"|highest) {_COUNT_NUMBER}\b{_NO_UNIT}",
        rf"\b{_COUNT_NUMBER} (?=(?:more|(?:most )?(?:recent|latest|biggest|largest|smallest|cheapest|highest"
        rf"|lowest|expensive|last|priciest|top))\b)",
        rf"(?<![$€£.,\d])\b{_COUNT_NUMBER} (?=(?:\w+ )?{_THINGS}\b)",
    )
)
_FILLER = re.compile(r"^(?:(?:my|the|our|a|an|at|from|to) )+|(?:(?: |^)(?:account|accounts|acct|one))+$")
_PAYEE_FILLER = re.compile(r"^(?:my|the|our) ")


def find_counts(text: str) -> list[Entity]:
    """How many are asked for: "last five", "top 3", "ten transactions". Never a stretch of time or money."""
    folded = fold(text)
    found: list[Entity] = []
    for pattern in _COUNTS:
        for match in pattern.finditer(folded):
            number = read_number(match["n"])
            if match["n"] == "one" or number is None or number != int(number) or not 1 <= number <= _MOST:
                continue
            entity = Entity("count", match.start(), match.end("n"), int(number))
            if not any(entity.overlaps(other) for other in found):
                found.append(entity)
    return found


#: Purposes are named when consent is spoken of; elsewhere "transactions" is only a word.
_CONSENT = re.compile(
    r"\b(?:opt|consent|permission|permit|agree|allow|allowed|enable|disable|turn|switch|stop|start|pause|resume|revoke"
    r"|withdraw|activate|reactivate|use|using|access|look|read|reading|send|insights?|alerts?|notifications?)\b"
)
#: Where money goes on something, "mortgage" is what it goes on and not an account.
_SPENT = re.compile(r"\b(?:spen[dt]|spending|expenses?|goes|went) (?:\w+ ){0,3}?(?:on|for|towards?) (?:my |the )?$")


class EntityReader:
    """Reads entities out of a sentence. ``open_words`` may be absent: then closed language alone is read."""

    def __init__(self, vocabulary: Vocabulary, open_words: OpenWords | None = None) -> None:
        self._vocabulary = vocabulary
        self._open = open_words

    def read(self, text: str) -> list[Entity]:
        """The entities of a text in any case, in reading order, without overlaps."""
        folded = fold(text[:LONGEST_TEXT])
        closed = self.closed(folded)
        found = closed if self._open is None else _combined(folded, closed, self._open.find(folded, closed))
        return with_baseline(folded, found)

    def closed(self, folded: str) -> list[Entity]:
        """What the rules alone find: time, money, counts, accounts, and the closed lists."""
        consent = _CONSENT.search(folded)
        words = [word for word in self._vocabulary.find(folded) if word.name != "purpose" or consent]
        periods = [
            Entity("period", span.start, span.end, " ".join(folded[span.start : span.end].split()))
            for span in find_periods(folded)
        ]
        amounts = [Entity("amount", one.start, one.end, one.amount.to_value()) for one in find_amounts(folded)]
        candidates = [find_accounts(folded), periods, amounts, find_counts(folded), words]
        chosen: list[Entity] = []
        for entity in (one for group in candidates for one in group):
            rivals = [other for other in chosen if other.overlaps(entity)]
            if not rivals or _outdoes(entity, rivals, folded):
                chosen = [other for other in chosen if other not in rivals] + [entity]
        return sorted(chosen, key=lambda e: e.start)


def _outdoes(entity: Entity, rivals: Sequence[Entity], folded: str) -> bool:
    """Whether a reading takes the place of those before it that it overlaps."""
    kinds = {rival.name for rival in rivals}
    if entity.name == "category" and "account" in kinds:
        return _SPENT.search(folded[: entity.start]) is not None
    if entity.name in ("period", "amount"):
        return kinds <= {"period", "amount"} and entity.length > sum(rival.length for rival in rivals)
    if entity.name in ("account", "count"):
        return False
    return all(entity.length > rival.length for rival in rivals)


def _combined(folded: str, closed: Sequence[Entity], names: Iterable[Entity]) -> list[Entity]:
    """A learned name wins over a closed word it holds ("home" in "home depot"), never over time or money."""
    kept = list(closed)
    for name in names:
        rivals = [entity for entity in kept if entity.overlaps(name)]
        if name.name == "account":
            accounts = [rival for rival in rivals if rival.name == "account"]
            if any(rival not in accounts and rival.name != "category" for rival in rivals):
                continue
            named = Entity("account", name.start, name.end, account_value(name.value))
            parts = [*(e for e in kept if e.name == "account"), named]
            kept = [e for e in kept if e.name != "account" and not e.overlaps(name)] + join_accounts(folded, parts)
            continue
        if any(rival.name in ("period", "amount") or rival.length > name.length for rival in rivals):
            continue
        value = clean_name(name.value, name.name)
        if any(folded[rival.start : rival.end] == value and rival.name != "bank" for rival in rivals):
            continue
        if value:
            kept = [entity for entity in kept if entity not in rivals]
            kept.append(Entity(name.name, name.start, name.end, value))
    return sorted(kept, key=lambda e: e.start)


def clean_name(words: str, kind: str) -> str:
    """A merchant or payee as said, without the small words around it."""
    pattern = _PAYEE_FILLER if kind == "payee" else _FILLER
    return " ".join(pattern.sub("", words.strip(" ,.?!")).split())


def account_value(words: str) -> dict[str, Any]:
    """The value of an account named in free words: a kind if it holds one, the rest is its name."""
    inner = find_accounts(words)
    if not inner:
        return {"kind": "", "last4": "", "name": clean_name(words, "account")}
    first = inner[0]
    rest = clean_name(words[: first.start] + " " + words[first.end :], "account")
    return {**first.value, "name": first.value["name"] or own_name(rest)}


def examples_of(reader: EntityReader, annotated: Iterable[tuple[str, Sequence[Mapping[str, Any]]]]) -> list[Example]:
    """Training examples for the open words, from texts and their annotated entities."""
    examples = []
    for text, entities in annotated:
        folded = fold(text)
        closed = reader.closed(folded)
        names = []
        for entity in entities:
            start, end = int(entity["start"]), int(entity["end"])
            if entity["entity"] not in OPEN:
                continue
            if entity["entity"] == "account" and any(c.start <= start and end <= c.end for c in closed):
                continue
            names.append(Entity(entity["entity"], start, end, folded[start:end]))
        examples.append(Example(folded, tuple(names)))
    return examples


def load_open_words(path: Path, gazetteer: frozenset[str]) -> OpenWords | None:
    """The trained names, or None when nothing was trained."""
    return OpenWords(path, gazetteer) if path.exists() else None
