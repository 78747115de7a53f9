"""What counts as spending and what as income: every amount that is neither a move of her own is one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TypeVar

from assistant.banking.money import Money
from assistant.banking.transaction import Transaction

K = TypeVar("K")

#: Money coming in under these is income; under any other category it is a refund and lowers the spending there.
INCOME_CATEGORIES = frozenset({"income", "interest", "transfer", "cash", "taxes", "uncategorized"})
FEE_CATEGORIES = frozenset({"fees", "interest"})
_NO_PURCHASE = FEE_CATEGORIES | {"transfer", "cash"}


def is_income(transaction: Transaction) -> bool:
    """Pay, interest earned, money from other people; never a refund, never a move between her own accounts."""
    return not transaction.internal and transaction.amount.amount > 0 and transaction.category in INCOME_CATEGORIES


def is_pay(transaction: Transaction) -> bool:
    """Income that may be what one lives on: interest is not."""
    return is_income(transaction) and transaction.category != "interest"


def is_spending(transaction: Transaction) -> bool:
    """Money that left her, or came back as a refund; never a card payment or a move between her own accounts."""
    return not transaction.internal and transaction.category != "card_payment" and not is_income(transaction)


def is_purchase(transaction: Transaction) -> bool:
    """Spending for which something was bought: no fee, no interest, no cash, no money sent to a person."""
    return is_spending(transaction) and transaction.category not in _NO_PURCHASE


def spent(transactions: Iterable[Transaction]) -> dict[str, Money]:
    """What went out less what came back, per currency; positive is spent. The main currency comes first."""
    totals: dict[str, Decimal] = {}
    counts: Counter[str] = Counter()
    for transaction in transactions:
        currency = transaction.amount.currency
        totals[currency] = totals.get(currency, Decimal(0)) - transaction.amount.amount
        counts[currency] += 1
    return {currency: Money(totals[currency], currency) for currency in _by_count(counts)}


def spent_by(transactions: Iterable[Transaction], key: Callable[[Transaction], K]) -> dict[str, dict[K, Money]]:
    """The same, split by ``key``: per currency (the main one first), largest first."""
    totals: dict[str, dict[K, Decimal]] = {}
    counts: Counter[str] = Counter()
    for transaction in transactions:
        currency = transaction.amount.currency
        counts[currency] += 1
        groups = totals.setdefault(currency, {})
        group = key(transaction)
        groups[group] = groups.get(group, Decimal(0)) - transaction.amount.amount
    return {
        currency: {
            group: Money(amount, currency)
            for group, amount in sorted(totals[currency].items(), key=lambda item: -item[1])
        }
        for currency in _by_count(counts)
    }


def main_currency(transactions: Iterable[Transaction], otherwise: str) -> str:
    """The currency most of them are in; ``otherwise`` when there are none."""
    return next(iter(_by_count(Counter(one.amount.currency for one in transactions))), otherwise)


def _by_count(counts: Mapping[str, int]) -> list[str]:
    return sorted(counts, key=lambda currency: (-counts[currency], currency))
