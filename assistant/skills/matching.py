"""Which of the customer's transactions she means: every filter of a question, in one place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from unicodedata import combining, normalize

from assistant.banking.account import Account
from assistant.banking.categories import Categories
from assistant.banking.merchants import Merchants
from assistant.banking.phrases import words
from assistant.banking.transaction import Transaction
from assistant.skills.focus import Direction, Focus

#: How alike two names must be to count as the same one misspelled, and to be worth offering.
SAME = 0.83
ALIKE = 0.65
#: The share of letter pairs two names must have in common to be compared closely.
WORTH_COMPARING = 0.2
#: How many merchants to offer instead.
OFFERED = 3
#: Words that are part of a shop's full name and that people leave out.
_FILLER = frozenset({"THE", "AND", "INC", "LLC", "CO", "COM", "STORE", "SHOP"})


@dataclass(frozen=True, slots=True)
class Matched:
    """``names`` are the customer's own merchants that were meant; ``nearest``, when none was, the likest ones."""

    names: frozenset[str]
    nearest: tuple[str, ...] = ()


def name_of(transaction: Transaction) -> str:
    """Who was paid, or who paid: the clean name, else the payee, else the bank's own words."""
    return transaction.merchant or transaction.payee or transaction.description


def select(
    transactions: Iterable[Transaction], focus: Focus, accounts: Sequence[Account] | None = None
) -> tuple[Transaction, ...]:
    """Those that pass every filter of ``focus``, in the order given.

    ``accounts`` are the ones meant (``choose(...).accounts``); None means any. ``focus.account``, ``order``,
    ``count`` and ``shown`` are not filters here. A merchant that the customer never met selects nothing.
    One pass; names are compared once per distinct merchant.
    """
    kept: list[Transaction] = list(transactions)
    # Before any other filter: a shop that the filters leave out must not give way to one that sounds like it.
    names = match(focus.merchant, merchants(kept)).names if focus.merchant else frozenset()
    if accounts is not None:
        ids = {account.id for account in accounts}
        kept = [one for one in kept if one.account_id in ids]
    if focus.period is not None:
        kept = [one for one in kept if one.date in focus.period]
    if focus.direction is not None:
        sign = -1 if focus.direction is Direction.OUT else 1
        kept = [one for one in kept if one.amount.amount * sign > 0]
    if focus.pending_only:
        kept = [one for one in kept if one.is_pending]
    if focus.amount is not None:
        bounds = focus.amount
        kept = [one for one in kept if one.amount.amount in bounds and bounds.currency in ("", one.amount.currency)]
    if focus.category:
        members = Categories.load().members(focus.category)
        kept = [one for one in kept if one.category in members]
    if focus.merchant:
        kept = [one for one in kept if one.merchant in names or one.payee in names or name_of(one) in names]
    return tuple(kept)


def merchants(transactions: Iterable[Transaction]) -> frozenset[str]:
    """The distinct names of those paid or paying."""
    names = {name for one in transactions for name in (name_of(one), one.payee)}
    names.discard("")
    return frozenset(names)


def match(said: str, names: Iterable[str]) -> Matched:
    """The names that are what was said: the same; else containing all its words; else the one the table of merchants
    knows it by; else the likest spelling.

    "star bucks" is Starbucks, "blue door" is Blue Door Cafe, "xfinity" is Comcast, "costko" is Costco.
    """
    target = _words(said)
    if not target:
        return Matched(frozenset())
    known = {name: _words(name) for name in names}
    joined = "".join(target)
    same = frozenset(name for name, parts in known.items() if "".join(parts) == joined)
    if same:
        return Matched(same)
    wanted = set(target)
    holding = frozenset(name for name, parts in known.items() if wanted <= set(parts))
    if holding:
        return Matched(holding)
    # The other way round only where the name is most of what was said: "the" is not The Home Depot.
    held = frozenset(
        name
        for name, parts in known.items()
        if parts and set(parts) <= wanted and 2 * len("".join(parts)) >= len(joined)
    )
    if held:
        return Matched(held)
    listed = Merchants.load().called(said)
    if listed in known:
        return Matched(frozenset((listed,)))
    return _likest(joined, known)


def called(said: str, names: Iterable[str]) -> str:
    """The merchant as her own bank data writes it, when what she said fits just one; else as the table of merchants
    does; else as she said it."""
    found = match(said, names).names
    return next(iter(found)) if len(found) == 1 else Merchants.load().called(said) or said


def _words(name: str) -> tuple[str, ...]:
    parts = words("".join(letter for letter in normalize("NFKD", name) if not combining(letter)))
    return tuple(part for part in parts if part not in _FILLER) or parts


def _likest(joined: str, known: dict[str, tuple[str, ...]]) -> Matched:
    """By spelling. Only names that share some pairs of letters are compared: the comparison is slow."""
    matcher = SequenceMatcher(None, autojunk=False)
    matcher.set_seq2(joined)
    pairs = _pairs(joined)
    scores: list[tuple[float, str]] = []
    for name, parts in known.items():
        whole = "".join(parts)
        # "starbuks" is compared with STARBUCKS RESERVE as a whole and by its first word.
        texts = {whole, parts[0]} if parts and len(parts[0]) > 3 else {whole}
        best = 0.0
        for text in texts:
            others = _pairs(text)
            if len(pairs & others) < WORTH_COMPARING * (len(pairs) + len(others)) / 2:
                continue
            matcher.set_seq1(text)
            if matcher.real_quick_ratio() >= ALIKE and matcher.quick_ratio() >= ALIKE:
                best = max(best, matcher.ratio())
        if best >= ALIKE:
            scores.append((best, name))
    scores.sort(key=lambda score: (-score[0], score[1]))
    if scores and scores[0][0] >= SAME:
        return Matched(frozenset(name for score, name in scores if score == scores[0][0]))
    return Matched(frozenset(), tuple(name for _, name in scores[:OFFERED]))


def _pairs(text: str) -> set[str]:
    return {text[at : at + 2] for at in range(len(text) - 1)}
