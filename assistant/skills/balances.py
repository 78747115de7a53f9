"""What is in the accounts, and what is owed.

Views: "" or "balance", "available", "current", "accounts", "card_payment", "credit_limit", "loan".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from assistant.banking.account import Account, AccountFamily, AccountKind, Balances
from assistant.banking.connector import CustomerBank
from assistant.banking.money import Money, total_by_currency
from assistant.banking.purpose import Purpose
from assistant.replies.reply import Choice, Column, Listed, Literal, Phrase, Reply, Table, Term, Value
from assistant.skills import owed
from assistant.skills.caveats import caveats
from assistant.skills.choose import OFFERED, Chosen, choose, of_kind, unknown_account
from assistant.skills.focus import AmountRange, Focus, Outcome, Topic

#: Views about what is owed, and the accounts they speak of when none is named.
_OWED_VIEWS = {"card_payment": "card", "credit_limit": "card", "loan": "loan"}
_CREDIT = (AccountFamily.CREDIT, AccountFamily.LOAN)


def answer(bank: CustomerBank, focus: Focus, today: date) -> Outcome:
    """Answer a question about balances. Purpose BALANCES; raises banking.errors."""
    focus = focus.with_(topic=Topic.BALANCES)
    accounts = bank.accounts(Purpose.BALANCES)
    if not accounts.value:
        return Outcome(Reply((Phrase("no_accounts"), *caveats(bank, today, accounts))), focus)
    chosen = _chosen(bank, accounts.value, focus)
    if not chosen.found:
        return Outcome(_not_found(focus, chosen), focus)
    if focus.view == "accounts":
        return Outcome(_with(_list(bank, chosen.accounts), caveats(bank, today, accounts)), focus)
    balances = bank.balances(chosen.accounts)
    notes = caveats(bank, today, accounts, balances)
    if focus.view in _OWED_VIEWS:
        reply = owed.reply(focus.view, chosen.accounts, balances.value, today)
    elif len(chosen.accounts) == 1:
        reply = _single(bank, chosen.accounts[0], balances.value, focus.view, today)
    else:
        reply = _several(chosen.accounts, balances.value, focus.view)
    if focus.amount is not None and focus.view not in _OWED_VIEWS:
        verdict = _enough(focus.amount, [figure(one, balances.value, focus.view) for one in _deposits(chosen.accounts)])
        reply = replace(reply, say=(*verdict, *reply.say))
    return Outcome(_with(reply, notes), focus)


def _with(reply: Reply, notes: Sequence[Phrase]) -> Reply:
    return replace(reply, say=(*reply.say, *notes))


def _deposits(accounts: Sequence[Account]) -> tuple[Account, ...]:
    return tuple(one for one in accounts if one.kind.family is AccountFamily.DEPOSIT)


def _enough(wanted: AmountRange, amounts: Sequence[Money | None]) -> tuple[Phrase, ...]:
    """ "Do I have $50?", "is there more than $1,000?": yes or no first, where every figure is known in one currency."""
    known = [amount for amount in amounts if amount is not None]
    totals = total_by_currency(known)
    if len(known) < len(amounts) or len(totals) != 1:
        return ()
    total = next(iter(totals.values()))
    if wanted.currency not in ("", total.currency):
        return ()
    # A bare "$50" asks for at least that much; the sign counts, an overdraft of $60 is no $50.
    low, high = wanted.low, None if wanted.low == wanted.high else wanted.high
    fits = (low is None or total.amount > low or (total.amount == low and not wanted.strict)) and (
        high is None or total.amount < high or (total.amount == high and not wanted.strict)
    )
    return (Phrase("balance_yes" if fits else "balance_no"),)


def _chosen(bank: CustomerBank, accounts: Sequence[Account], focus: Focus) -> Chosen:
    kind = _OWED_VIEWS.get(focus.view)
    if kind is None:
        chosen = choose(bank, accounts, focus.account)
        if focus.view != "available" or focus.account:
            return chosen
        # Nothing can be spent from a loan: it is no part of what is available.
        spendable = tuple(one for one in chosen.accounts if one.kind.family is not AccountFamily.LOAN)
        return Chosen(spendable or chosen.accounts)
    if not focus.account:
        return Chosen(of_kind(accounts, kind))
    chosen = choose(bank, accounts, focus.account)
    borrowed = tuple(one for one in chosen.accounts if one.kind.family in _CREDIT)
    nearest = tuple(one for one in chosen.nearest if one.kind.family in _CREDIT)
    return Chosen(borrowed, nearest or of_kind(accounts, kind)[:OFFERED])


def _not_found(focus: Focus, chosen: Chosen) -> Reply:
    ref = focus.account
    if not ref:
        return Reply((Phrase(f"no_{_OWED_VIEWS.get(focus.view, 'deposit')}"),), choices=(Choice("accounts"),))
    return unknown_account(ref, chosen.nearest)


def _list(bank: CustomerBank, accounts: Sequence[Account]) -> Reply:
    rows = tuple(
        (account, Term("kind", account.kind.value), Literal(bank.bank_name(account.bank_id))) for account in accounts
    )
    columns = (Column("account"), Column("kind"), Column("bank"))
    return Reply(
        (Phrase("balances_accounts", {"count": len(accounts)}),),
        table=Table(columns, rows, "row_account"),
        choices=(Choice("all_balances"),),
    )


@dataclass(frozen=True, slots=True)
class _Figure:
    """The amount that answers the question for one account; ``None`` is "the bank did not say".

    For credit and loans it is what is owed (negative: the bank owes her).
    """

    account: Account
    amount: Money | None

    @property
    def borrowed(self) -> bool:
        return self.account.kind.family in _CREDIT


def figure(account: Account, balances: Mapping[str, Balances], view: str) -> Money | None:
    """*The* balance: what can be spent, unless she asks for the posted one; where one is missing, the other."""
    known = balances.get(account.id)
    if known is None:
        return None
    if account.kind.family in _CREDIT:
        return known.available if view == "available" else known.owed
    if view == "current" or account.kind.family is AccountFamily.INVESTMENT:
        return known.current if known.current is not None else known.available
    return known.available if known.available is not None else known.current


def _single(bank: CustomerBank, account: Account, balances: Mapping[str, Balances], view: str, today: date) -> Reply:
    if account.kind.family is AccountFamily.LOAN:
        return owed.reply("loan", (account,), balances, today)
    if account.kind.family is AccountFamily.CREDIT:
        return owed.reply("credit_limit" if view == "available" else "card_balance", (account,), balances, today)
    known = balances.get(account.id)
    amount = figure(account, balances, view)
    values: dict[str, Value] = {"account": account, "bank": Literal(bank.bank_name(account.bank_id))}
    if known is None or amount is None:
        return Reply((Phrase("balance_unknown", values),), choices=(Choice("all_balances"),))
    return Reply(
        _deposit(known, amount, view, values), choices=(Choice("latest_on", {"account": Literal(account.label)}),)
    )


def _deposit(known: Balances, amount: Money, view: str, values: Mapping[str, Value]) -> tuple[Phrase, ...]:
    current, available = known.current, known.available
    if available is None and view == "available":
        return (Phrase("balance_no_available", {**values, "amount": amount}),)
    if current is None and view == "current":
        return (Phrase("balance_no_current", {**values, "amount": amount}),)
    if amount.amount < 0:
        first = Phrase("balance_overdrawn", {**values, "amount": abs(amount)})
    elif current is None or available is None or current == available:
        first = Phrase("balance", {**values, "amount": amount})
    else:
        first = Phrase("balance_current" if view == "current" else "balance_available", {**values, "amount": amount})
    if current is None or available is None or current == available or current.currency != available.currency:
        return (first,)
    key = "balance_held" if available < current else "balance_extra"
    other = Phrase(
        f"{key}_current" if view == "current" else key,
        {"current": current, "available": available, "difference": abs(current - available)},
    )
    return first, other


def _several(accounts: Sequence[Account], balances: Mapping[str, Balances], view: str) -> Reply:
    figures = [_Figure(account, figure(account, balances, view)) for account in accounts]
    rows = tuple((one.account, _cell(one, view)) for one in figures)
    table = Table((Column("account"), Column("balance", align_right=True)), rows, "row_balance")
    say = (*_totals(figures, view), *_remarks(figures))
    return Reply(say or (Phrase("balances_shown", {"count": len(rows)}),), table=table)


def _cell(one: _Figure, view: str) -> Value:
    if one.borrowed and view != "available":
        return owed.debt(one.amount)
    if one.amount is None:
        return Term("balance", "unknown")
    return Phrase("cell_credit_left", {"amount": one.amount}) if one.borrowed else one.amount


#: Lines of the sum, each with the accounts it adds up: money and debts never meet in one figure.
_LINES: tuple[tuple[str, frozenset[AccountKind]], ...] = (
    ("deposit", frozenset(kind for kind in AccountKind if kind.family is AccountFamily.DEPOSIT)),
    ("investment", frozenset({AccountKind.INVESTMENT})),
    ("other", frozenset({AccountKind.OTHER})),
    ("credit", frozenset(kind for kind in AccountKind if kind.family is AccountFamily.CREDIT)),
    ("loan", frozenset(kind for kind in AccountKind if kind.family is AccountFamily.LOAN)),
)


def _totals(figures: Sequence[_Figure], view: str) -> Iterable[Phrase]:
    for line, kinds in _LINES:
        summed = [one for one in figures if one.account.kind in kinds and one.amount is not None]
        totals = tuple(total_by_currency(one.amount for one in summed if one.amount is not None).values())
        if not totals:
            continue
        count = len(summed)
        if line not in ("credit", "loan"):
            key = f"total_{line}_{view}" if line == "deposit" and view in ("available", "current") else f"total_{line}"
            yield from _holdings(key, totals, summed)
        elif view == "available":
            yield Phrase("total_credit_left", {"totals": Listed(totals), "count": count})
        else:
            owing = tuple(total for total in totals if total.amount > 0)
            ahead = tuple(-total for total in totals if total.amount < 0)
            if owing:
                yield Phrase(f"total_{line}", {"totals": Listed(owing), "count": count})
            if ahead:
                yield Phrase("total_ahead", {"totals": Listed(ahead), "count": count})
            if not owing and not ahead:
                yield Phrase(f"total_{line}_nothing", {"count": count})


def _holdings(key: str, totals: Sequence[Money], summed: Sequence[_Figure]) -> Iterable[Phrase]:
    """A currency in which she is overdrawn on the whole is not something she "has"."""
    held = tuple(total for total in totals if total.amount >= 0)
    if held:
        currencies = {total.currency for total in held}
        count = sum(one.amount is not None and one.amount.currency in currencies for one in summed)
        yield Phrase(key, {"totals": Listed(held), "count": count})
    for total in totals:
        alone = sum(one.amount is not None and one.amount.currency == total.currency for one in summed) == 1
        if total.amount < 0 and not alone:
            yield Phrase("total_short", {"total": -total})


def _remarks(figures: Sequence[_Figure]) -> Iterable[Phrase]:
    unknown = tuple(one.account for one in figures if one.amount is None)
    if unknown:
        yield Phrase("balances_missing", {"accounts": Listed(unknown), "count": len(unknown)})
    for one in figures:
        if one.amount is not None and one.amount.amount < 0 and not one.borrowed:
            yield Phrase("balance_overdrawn", {"account": one.account, "amount": abs(one.amount)})
