"""Moves between the customer's own accounts, seen by both their ends."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal

from assistant.banking.account import Account, AccountFamily, AccountKind
from assistant.banking.transaction import Transaction

#: How far apart the two ends of a move may be dated: an ACH transfer over a long weekend.
_APART = timedelta(days=5)
_LOOK_AHEAD = 50  # candidates of the same size looked at for one end, so that odd data stays cheap


def own_moves(
    transactions: Sequence[Transaction], unsure: Sequence[bool], accounts: Sequence[Account]
) -> Iterator[tuple[int, str, bool]]:
    """The positions of transactions that turn out to be moves, with their new category and ``internal``.

    Two ends make a move: equal and opposite amounts of one currency on two of the accounts (the amount before
    the exchange, where a bank tells it), at most five days apart, one of which says nothing else about itself
    (``unsure``, at the same positions) and the other is unsure too or already internal. A payment into a loan
    stays spending where it is paid from, as a mortgage or loan payment.
    """
    kinds = {account.id: account.kind for account in accounts}
    ends: dict[tuple[str, Decimal], tuple[list[int], list[int]]] = defaultdict(lambda: ([], []))
    for position, transaction in enumerate(transactions):
        amount = transaction.amount.amount
        if amount and (unsure[position] or transaction.internal) and transaction.account_id in kinds:
            for money in {transaction.amount, transaction.foreign_amount or transaction.amount}:
                ends[money.currency, abs(money.amount)][amount > 0].append(position)
    for outs, ins in ends.values():
        if outs and ins:
            for out, into in _pairs(transactions, unsure, outs, ins):
                yield from _changes(transactions, unsure, out, into, kinds)


def _pairs(
    transactions: Sequence[Transaction], unsure: Sequence[bool], outs: list[int], ins: list[int]
) -> Iterator[tuple[int, int]]:
    """Each end with the nearest free other end, oldest first."""
    waiting = deque(sorted(ins, key=lambda position: transactions[position].date))
    for out in sorted(outs, key=lambda position: transactions[position].date):
        day = transactions[out].date
        while waiting and transactions[waiting[0]].date < day - _APART:
            waiting.popleft()
        for place in range(min(len(waiting), _LOOK_AHEAD)):
            into = waiting[place]
            if transactions[into].date > day + _APART:
                break
            if transactions[into].account_id != transactions[out].account_id and (unsure[out] or unsure[into]):
                del waiting[place]
                yield out, into
                break


def _changes(
    transactions: Sequence[Transaction],
    unsure: Sequence[bool],
    out: int,
    into: int,
    kinds: dict[str, AccountKind],
) -> Iterator[tuple[int, str, bool]]:
    receiver = kinds[transactions[into].account_id]
    if receiver.family is AccountFamily.LOAN:
        if unsure[out]:
            yield out, "mortgage" if receiver is AccountKind.MORTGAGE else "loan_payment", False
        return
    category = "card_payment" if receiver.family is AccountFamily.CREDIT else "transfer"
    for position in (out, into):
        if unsure[position]:
            yield position, category, True
