"""Which of the customer's accounts she means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from itertools import islice

from babel.core import UnknownLocaleError
from babel.numbers import get_currency_name

from assistant.banking.account import Account, AccountFamily, AccountKind, AccountStatus
from assistant.banking.connector import CustomerBank
from assistant.banking.descriptors import title
from assistant.banking.phrases import words
from assistant.replies.reply import Choice, Listed, Literal, Phrase, Reply, Term, Value
from assistant.skills.focus import AccountRef

#: How alike two names must be to count as the same one misspelled, and to be worth offering.
SAME = 0.8
ALIKE = 0.6
#: How many accounts to offer instead; a listener keeps three in mind.
OFFERED = 3

#: Words that customers put around a name ("my vacation fund account") and that tell nothing.
_FILLER = frozenset({"MY", "THE", "OUR", "ACCOUNT", "ACCOUNTS", "CARD", "CARDS", "BANK", "ONE"})
_BANKS_IN_CAPITALS = frozenset({"US", "USAA", "PNC", "TD", "HSBC"})
_WIDER = {
    "card": lambda account: account.kind is AccountKind.CREDIT_CARD,
    "loan": lambda account: account.kind.family is AccountFamily.LOAN or account.kind is AccountKind.LINE_OF_CREDIT,
    "deposit": lambda account: account.kind.family is AccountFamily.DEPOSIT,
}
#: What answers for a kind when the customer has none of it: people call a money market account "savings".
_NEXT_KIND = {
    AccountKind.SAVINGS: AccountKind.MONEY_MARKET,
    AccountKind.MONEY_MARKET: AccountKind.SAVINGS,
    AccountKind.AUTO_LOAN: AccountKind.LOAN,
    AccountKind.STUDENT_LOAN: AccountKind.LOAN,
}


@dataclass(frozen=True, slots=True)
class Chosen:
    """``accounts`` are those meant, in the banks' order; empty when none fits, and then ``nearest`` may be offered."""

    accounts: tuple[Account, ...]
    nearest: tuple[Account, ...] = ()

    @property
    def found(self) -> bool:
        return bool(self.accounts)


def choose(bank: CustomerBank, accounts: Sequence[Account], ref: AccountRef) -> Chosen:
    """The accounts that ``ref`` names: all that are open when it names none.

    Digits and names identify, a kind only narrows: "my savings, the vacation fund" is the Vacation Fund
    even where the bank calls it a CD. A name may be a nickname, the product's name, the bank, or a
    currency ("my euro account"), misspelled a little. A closed account is meant only when nothing else is.
    """
    if not ref:
        return Chosen(_open(accounts) or tuple(accounts))
    if ref.bank:
        there = [one for one in accounts if _at(bank, one, ref.bank)]
        return choose(bank, there, replace(ref, bank="")) if there else Chosen(())
    kin = _of_kind(accounts, ref.kind)
    if ref.last4:
        found = [one for one in accounts if _ends(one, ref.last4)]
    elif ref.name:
        found = _named(bank, kin, ref.name) or _named(bank, accounts, ref.name)
    else:
        found = kin
    if not found:
        return Chosen((), _nearest(bank, accounts, ref))
    for narrower in (_named(bank, found, ref.name) if ref.name else [], _of_kind(found, ref.kind)):
        found = narrower or found
    return Chosen(_open(found) or tuple(found))


def of_kind(accounts: Sequence[Account], kind: str) -> tuple[Account, ...]:
    """The open accounts of an AccountKind value or a wider word ("card", "loan", "deposit"), in the banks' order."""
    return _open(_of_kind(accounts, kind))


def _open(accounts: Sequence[Account]) -> tuple[Account, ...]:
    return tuple(one for one in accounts if one.status is not AccountStatus.CLOSED)


def _of_kind(accounts: Sequence[Account], kind: str) -> list[Account]:
    if not kind:
        return list(accounts)
    if kind in _WIDER:
        return [one for one in accounts if _WIDER[kind](one)]
    found = [one for one in accounts if one.kind.value == kind]
    if found or kind not in AccountKind.__members__.values():
        return found
    substitute = _NEXT_KIND.get(AccountKind(kind))
    return [one for one in accounts if one.kind is substitute]


def _at(bank: CustomerBank, account: Account, said: str) -> bool:
    """Whether the account is at a bank, given by its id or by what people call it."""
    return said == account.bank_id or set(words(said)) <= set(words(bank.bank_name(account.bank_id)))


def _ends(account: Account, digits: str) -> bool:
    return bool(account.mask) and (
        account.mask.endswith(digits) or (len(account.mask) > 2 and digits.endswith(account.mask))
    )


def _telling(text: str) -> tuple[str, ...]:
    said = words(text)
    return tuple(word for word in said if word not in _FILLER) or said


def _names(bank: CustomerBank, account: Account) -> list[tuple[str, ...]]:
    names = [_telling(name) for name in (account.nickname, account.name, bank.bank_name(account.bank_id)) if name]
    return [*names, words(account.currency), _currency(account.currency, bank.profile.locale)]


def _currency(code: str, locale: str) -> tuple[str, ...]:
    """The currency's name in the customer's language: "euro", "US dollar"."""
    try:
        return words(str(get_currency_name(code, count=1, locale=locale)))
    except UnknownLocaleError:
        return words(code)


def _named(bank: CustomerBank, accounts: Sequence[Account], name: str) -> list[Account]:
    """Those whose name is what was said; else holds every word of it; else resembles it most."""
    said = _telling(name)
    if not said:
        return []
    names = [(one, _names(bank, one)) for one in accounts]
    exact = [one for one, known in names if said in known or tuple(word.rstrip("S") for word in said) in known]
    if exact:
        return exact
    holding = [one for one, known in names if any(set(said) <= set(each) for each in known)]
    if holding:
        return holding
    likeness = [(one, _likeness(said, known)) for one, known in names]
    best = max((score for _, score in likeness), default=0.0)
    return [one for one, score in likeness if score == best] if best >= SAME else []


def _likeness(said: tuple[str, ...], names: Sequence[tuple[str, ...]]) -> float:
    text = "".join(said)
    return max((SequenceMatcher(None, text, "".join(name)).ratio() for name in names if name), default=0.0)


def _nearest(bank: CustomerBank, accounts: Sequence[Account], ref: AccountRef) -> tuple[Account, ...]:
    """What to offer instead: names or digits that resemble what was said, or accounts of the same family."""
    offered = _open(accounts)

    def likeness(account: Account) -> float:
        if ref.last4:
            return SequenceMatcher(None, ref.last4, account.mask).ratio()
        return _likeness(_telling(ref.name), _names(bank, account)) if ref.name else 0.0

    ranked = sorted(offered, key=lambda one: (likeness(one), _akin(one, ref.kind)), reverse=True)
    alike = [one for one in ranked if likeness(one) >= ALIKE or (_akin(one, ref.kind) and not (ref.last4 or ref.name))]
    return tuple(islice(alike, OFFERED))


def _akin(account: Account, kind: str) -> bool:
    """Whether the account is of the same family as a kind the customer has none of."""
    if kind == "card":
        return account.kind.family is AccountFamily.CREDIT
    if kind in AccountKind.__members__.values():
        return account.kind.family is AccountKind(kind).family
    return False


def unknown_account(ref: AccountRef, nearest: Sequence[Account]) -> Reply:
    """No account is the one named: say so with what was said, offer the nearest."""
    phrase = Phrase("account_unknown", {"account": _said(ref)})
    if not nearest:
        return Reply((phrase,), choices=(Choice("accounts"),))
    offer = Phrase("account_offer", {"accounts": Listed(tuple(nearest), "or"), "count": len(nearest)})
    choices = tuple(Choice("account", {"account": Literal(one.label)}) for one in nearest)
    return Reply((phrase, offer), choices=choices, expects_answer=True)


def bank_title(said: str) -> str:
    """ "wells_fargo" as "Wells Fargo", "pnc" as "PNC"."""
    return title(said.replace("_", " ").upper(), _BANKS_IN_CAPITALS)


def _said(ref: AccountRef) -> Value:
    if ref.bank:
        return Phrase("account_said_bank", {"bank": Literal(bank_title(ref.bank))})
    if ref.last4:
        return Phrase("account_said_last4", {"last4": Literal(ref.last4)})
    if ref.name:
        return Phrase("account_said_name", {"name": Literal(ref.name)})
    return Phrase("account_said_kind", {"kind": Term("kind", ref.kind)})
