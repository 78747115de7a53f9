"""Transactions as the customer knows them: who was paid, what for, and whether the money stayed hers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.banking.account import Account, AccountFamily
from assistant.banking.categories import UNCATEGORIZED, Categories
from assistant.banking.merchants import Merchants
from assistant.banking.own_moves import own_moves
from assistant.banking.phrases import words
from assistant.banking.tables import TableError
from assistant.banking.transaction import Transaction

#: Words that make money coming in on a card a payment of the card, not a refund.
_CARD_PAYMENT_WORDS = frozenset({"PAYMENT", "PAYMENTS", "PYMT", "PMT", "AUTOPAY", "EPAYMENT"})


@dataclass(frozen=True, slots=True)
class _Reading:
    """What one descriptor says. ``sure`` is False where the category is only what is left over."""

    merchant: str
    category: str
    internal: bool
    sure: bool


class Enricher:
    """Fills merchant, category and internal. Pure and without memory of any customer; safe to share."""

    def __init__(self, merchants: Merchants, categories: Categories) -> None:
        self._merchants = merchants
        self._categories = categories

    @classmethod
    def load(cls, merchants: Path | None = None, categories: Path | None = None) -> Enricher:
        """With a bank's own tables where given (see Categories.load, Merchants.load for the default).

        Raises TableError when a table cannot be used.
        """
        known = Categories.load(categories)
        table = Merchants.load(merchants)
        unknown = sorted({c for c in table.categories if c not in {each.id for each in known}})
        if unknown:
            raise TableError(f"merchants name categories that do not exist: {', '.join(unknown)}")
        return cls(table, known)

    def enrich(self, transactions: Iterable[Transaction], accounts: Sequence[Account]) -> tuple[Transaction, ...]:
        """The same transactions in the same order, enriched from their descriptor, payee, MCC and sign.

        Give those of all the customer's accounts together: a transfer whose bank does not say so is seen
        by its other end. Purchases keep their category when refunded, so a refund lowers what it refunds.
        Everything on a loan or investment account is internal: what she paid shows where she paid it from.
        """
        families = {account.id: account.kind.family for account in accounts}
        named = _own_names(accounts)
        readings: dict[tuple[str, str, str, bool, AccountFamily], _Reading] = {}
        enriched, unsure = [], []
        for transaction in transactions:
            family = families.get(transaction.account_id, AccountFamily.OTHER)
            inflow = transaction.amount.amount > 0
            key = (transaction.description, transaction.payee, transaction.mcc, inflow, family)
            reading = readings.get(key)
            if reading is None:
                reading = self._read(*key)
                if reading.sure and not reading.internal and named(transaction.description):
                    # A card called Travel Rewards is paid, not travelled with: its other end decides.
                    reading = replace(reading, sure=False)
                readings[key] = reading
            enriched.append(
                replace(transaction, merchant=reading.merchant, category=reading.category, internal=reading.internal)
            )
            unsure.append(not reading.sure)
        for position, category, internal in own_moves(enriched, unsure, accounts):
            enriched[position] = replace(enriched[position], category=category, internal=internal)
        return tuple(enriched)

    def _read(self, description: str, payee: str, mcc: str, inflow: bool, family: AccountFamily) -> _Reading:
        merchant = self._merchants.identify(description, payee)
        text = words(description) or words(payee)
        on_side = family in (AccountFamily.LOAN, AccountFamily.INVESTMENT)
        bank = self._categories.of_bank_words(text, inflow=inflow)
        if inflow and family is AccountFamily.CREDIT and not merchant.known and _CARD_PAYMENT_WORDS & set(text):
            return _Reading(merchant.name, "card_payment", internal=True, sure=True)
        if bank and bank.category == "transfer" and not bank.internal:
            # Sent through Zelle or Venmo, but for what? "ZELLE TO LARCH PROPERTIES" is rent.
            purpose = self._categories.of_shop_words(text, inflow=inflow)
            if purpose:
                return _Reading(merchant.name, purpose, on_side, sure=True)
        if bank and not (merchant.known and merchant.category not in ("", bank.category)):
            sure = bank.internal or bank.category != "transfer"
            return _Reading(merchant.name, bank.category, bank.internal or on_side, sure)
        category = merchant.category or self._by_shop(merchant.name, mcc, inflow)
        if category == "transfer":
            return _Reading(merchant.name, category, on_side, sure=False)
        if category:
            return _Reading(merchant.name, category, on_side, sure=True)
        if inflow:
            left_over = "refund" if family is AccountFamily.CREDIT else "income"
            return _Reading(merchant.name, left_over, on_side, sure=False)
        return _Reading(merchant.name, UNCATEGORIZED, on_side, sure=False)

    def _by_shop(self, name: str, mcc: str, inflow: bool) -> str:
        by_mcc = self._categories.of_mcc(mcc)
        by_words = self._categories.of_shop_words(words(name), inflow=inflow)
        if by_words and (not by_mcc or self._categories.refines(by_words, by_mcc)):
            return by_words
        return by_mcc


def _own_names(accounts: Sequence[Account]) -> Callable[[str], bool]:
    """Whether a descriptor holds the whole name, of two words or more, of one of these accounts."""
    names = [tuple(words(name)) for account in accounts for name in (account.name, account.nickname)]
    runs = {name for name in names if len(name) > 1}

    def named(description: str) -> bool:
        text = words(description)
        return any(text[at : at + len(run)] == run for run in runs for at in range(len(text) - len(run) + 1))

    return named
