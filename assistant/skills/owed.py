"""What is owed on cards, lines of credit and loans, what must be paid and when, and how much credit is left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from assistant.banking.account import Account, AccountFamily, AccountKind, Balances
from assistant.banking.money import Money, total_by_currency
from assistant.banking.period import Period
from assistant.replies.reply import Choice, Column, Listed, Literal, Percent, Phrase, Reply, Table, Term, Value


def reply(view: str, accounts: Sequence[Account], balances: Mapping[str, Balances], today: date) -> Reply:
    """``view`` is "card_balance", "card_payment", "credit_limit" or "loan"; ``accounts`` are credit or loans.

    What the bank does not say is called not available, or left out where the rest still answers.
    """
    if len(accounts) > 1:
        return _several(view, accounts, balances, today)
    account = accounts[0]
    known = balances.get(account.id) or Balances(account.id)
    if account.kind.family is AccountFamily.LOAN:
        view = "loan"
    elif view == "loan" and account.kind is AccountKind.CREDIT_CARD:
        view = "card_payment"
    phrases = tuple(_SINGLE[view](account, known, today))
    choices: tuple[Choice, ...] = (Choice("latest_on", {"account": Literal(account.label)}),)
    if view == "card_balance" and known.next_payment_date:
        choices = (Choice("due_on", {"account": Literal(account.label)}), *choices)
    return Reply(phrases, choices=choices)


def due(known: Balances) -> Money | None:
    """The least that must be paid on a card next: the minimum, else the payment the bank names."""
    return known.minimum_payment if known.minimum_payment is not None else known.next_payment


def instalment(known: Balances) -> Money | None:
    """What a loan wants next: the instalment, else the minimum."""
    return known.next_payment if known.next_payment is not None else known.minimum_payment


def _owed(account: Account, known: Balances) -> Phrase:
    if known.owed is None:
        return Phrase("owed_unknown", {"account": account})
    if known.owed.amount < 0:
        return Phrase("owed_ahead", {"account": account, "amount": abs(known.owed)})
    if not known.owed:
        return Phrase("owed_nothing", {"account": account})
    return Phrase("owed", {"account": account, "amount": known.owed})


def _card_balance(account: Account, known: Balances, today: date) -> Iterator[Phrase]:
    yield _owed(account, known)
    if known.available is not None:
        yield Phrase("credit_left", {"available": known.available})


def _card_payment(account: Account, known: Balances, today: date) -> Iterator[Phrase]:
    yield _owed(account, known)
    if known.past_due is not None and known.past_due.amount > 0:
        yield Phrase("past_due", {"amount": known.past_due})
    yield _due("minimum", due(known), known.next_payment_date, today)
    if known.statement_balance is not None and known.statement_balance.amount > 0:
        yield Phrase("statement_balance", {"amount": known.statement_balance})
    yield from _last_payment(known)


def _due(name: str, amount: Money | None, day: date | None, today: date) -> Phrase:
    """``name`` "minimum" for cards, "payment" for loans."""
    if amount is None:
        if day is None:
            return Phrase(f"{name}_unknown")
        return Phrase("due_date_was" if day < today else "due_date_only", {"day": day})
    if not amount:
        return Phrase(f"{name}_nothing")
    if day is None:
        return Phrase(f"{name}_no_date", {"amount": amount})
    return Phrase(f"{name}_was_due" if day < today else f"{name}_due", {"amount": amount, "day": day})


def _last_payment(known: Balances) -> Iterator[Phrase]:
    if known.last_payment is not None and known.last_payment_date is not None:
        yield Phrase(
            "last_payment_made", {"amount": abs(known.last_payment), "when": Period.day_of(known.last_payment_date)}
        )


def _credit_limit(account: Account, known: Balances, today: date) -> Iterator[Phrase]:
    limit, left = known.credit_limit, known.available
    if limit is None and left is None:
        yield Phrase("credit_unknown", {"account": account})
        return
    if limit is None:
        yield Phrase("credit_left_only", {"account": account, "available": left or Money.zero(account.currency)})
        return
    if left is None:
        yield Phrase("credit_limit_only", {"account": account, "limit": limit})
    else:
        yield Phrase("credit_limit", {"account": account, "limit": limit, "available": left})
    share = _used(known)
    if share is not None:
        yield Phrase("credit_used", {"share": share})


def _used(known: Balances) -> Percent | None:
    """The share of the limit that is owed, in whole per cent; None when it makes no sense."""
    if known.owed is None or not known.credit_limit or known.owed.currency != known.credit_limit.currency:
        return None
    if known.owed.amount < 0 or known.credit_limit.amount < 0:
        return None
    return Percent((known.owed.amount * 100 / known.credit_limit.amount).quantize(Decimal(1)))


def _loan(account: Account, known: Balances, today: date) -> Iterator[Phrase]:
    yield _owed(account, known)
    if known.past_due is not None and known.past_due.amount > 0:
        yield Phrase("past_due", {"amount": known.past_due})
    yield _due("payment", instalment(known), known.next_payment_date, today)
    if known.interest_rate is not None:
        yield Phrase("interest_rate", {"rate": Percent(known.interest_rate)})
    if known.maturity_date is not None and known.maturity_date > today:
        yield Phrase("loan_ends", {"when": Period.day_of(known.maturity_date)})


_SINGLE: Mapping[str, Callable[[Account, Balances, date], Iterator[Phrase]]] = {
    "card_balance": _card_balance,
    "card_payment": _card_payment,
    "credit_limit": _credit_limit,
    "loan": _loan,
}


def _several(view: str, accounts: Sequence[Account], balances: Mapping[str, Balances], today: date) -> Reply:
    known = [(account, balances.get(account.id) or Balances(account.id)) for account in accounts]
    return _credit_limits(known) if view == "credit_limit" else _debts(view, known, today)


def _credit_limits(known: Sequence[tuple[Account, Balances]]) -> Reply:
    columns = (Column("account"), Column("limit", True), Column("available", True))
    rows = tuple((one, _or_unknown(b.credit_limit), _or_unknown(b.available)) for one, b in known)
    say = _sum("total_credit_left", [b.available for _, b in known])
    return Reply(say or (Phrase("credit_unknown_all"),), table=Table(columns, rows, "row_credit"))


def _debts(view: str, known: Sequence[tuple[Account, Balances]], today: date) -> Reply:
    columns = (Column("account"), Column("owed", True), Column("due", True), Column("due_date"))
    payments = [(one, b, instalment(b) if view == "loan" else due(b)) for one, b in known]
    rows = tuple(
        (one, debt(b.owed), _or_unknown(amount), _or_unknown(b.next_payment_date)) for one, b, amount in payments
    )
    line = "loan" if view == "loan" else "credit"
    debts = _sum(f"total_{line}", [b.owed for _, b in known if b.owed is not None and b.owed.amount > 0])
    say = (*(debts or _no_debts(line, [b.owed for _, b in known])), *_late(payments), *_next(payments, today))
    return Reply(say, table=Table(columns, rows, "row_owed"))


def debt(owed: Money | None) -> Value:
    """A debt as a cell of a table: the bank's own debt to her is said in words, not by a sign."""
    if owed is None:
        return Term("balance", "unknown")
    return Phrase("cell_ahead" if owed.amount < 0 else "cell_owed", {"amount": abs(owed)})


def _or_unknown(value: Money | date | None) -> Value:
    return Term("balance", "unknown") if value is None else value


def _sum(key: str, amounts: Sequence[Money | None]) -> tuple[Phrase, ...]:
    known = [amount for amount in amounts if amount is not None]
    if not known:
        return ()
    return (Phrase(key, {"totals": Listed(tuple(total_by_currency(known).values())), "count": len(known)}),)


def _no_debts(line: str, owed: Sequence[Money | None]) -> tuple[Phrase, ...]:
    known = sum(amount is not None for amount in owed)
    return (Phrase(f"total_{line}_nothing", {"count": known}),) if known else (Phrase("owed_unknown_all"),)


def _late(payments: Sequence[tuple[Account, Balances, Money | None]]) -> Iterator[Phrase]:
    for account, known, _ in payments:
        if known.past_due is not None and known.past_due.amount > 0:
            yield Phrase("past_due_on", {"account": account, "amount": known.past_due})


def _next(payments: Sequence[tuple[Account, Balances, Money | None]], today: date) -> Iterator[Phrase]:
    """The payment that comes first, from today on."""
    coming = [
        (known.next_payment_date, account, amount)
        for account, known, amount in payments
        if known.next_payment_date is not None and known.next_payment_date >= today and amount
    ]
    if coming:
        day, account, amount = min(coming, key=lambda one: one[0])
        yield Phrase("due_next", {"account": account, "amount": amount, "day": day})
