"""What was looked for, in words, so that an answer says exactly what it covers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from assistant.banking.account import Account
from assistant.banking.categories import Categories
from assistant.banking.money import Money
from assistant.banking.period import Period
from assistant.replies.reply import Listed, Literal, Phrase, Term, Value
from assistant.skills.focus import AmountRange, Direction, Focus

#: The noun and the preposition before a merchant, by direction.
_NOUN = {None: "what_transactions", Direction.OUT: "what_payments", Direction.IN: "what_deposits"}
_WITH = {None: "what_at", Direction.OUT: "what_to", Direction.IN: "what_from"}


def describe(
    focus: Focus,
    count: int,
    known: Sequence[Account],
    accounts: Sequence[Account] | None = None,
    period: Period | None = None,
) -> Phrase:
    """The filters of ``focus`` as a part of a sentence: "pending payments to Comcast over $50.00 in March 2026".

    ``count`` decides singular or plural. ``known`` are all her accounts; ``accounts`` those she meant, and
    ``period`` the days, where they are to be named.
    """
    what = Phrase(_NOUN[focus.direction], {"count": count})
    if focus.pending_only:
        what = Phrase("what_pending", {"what": what})
    if focus.merchant:
        what = Phrase(_WITH[focus.direction], {"what": what, "merchant": Literal(focus.merchant)})
    if focus.category:
        what = Phrase("what_for", {"what": what, "category": category_name(focus.category)})
    if focus.amount is not None:
        what = _sized(what, focus.amount, focus.amount.currency or _main_currency(known))
    if accounts:
        what = Phrase("what_on", {"what": what, "accounts": Listed(tuple(accounts))})
    if period is not None:
        what = Phrase("what_when", {"what": what, "period": period})
    return what


def category_name(category: str) -> Value:
    """The wording's name of a category; one that no table knows is called as it was said."""
    return Term("category", category) if category in Categories.load() else Literal(category)


def _main_currency(accounts: Sequence[Account]) -> str:
    uses = Counter(account.currency for account in accounts)
    return uses.most_common(1)[0][0] if uses else "USD"


def _sized(what: Phrase, amount: AmountRange, currency: str) -> Phrase:
    def money(value: Decimal) -> Money:
        return Money(value, currency)

    values: Mapping[str, Value]
    if amount.low is not None and amount.high is not None:
        if amount.low == amount.high:
            return Phrase("what_of", {"what": what, "amount": money(amount.low)})
        values = {"what": what, "low": money(amount.low), "high": money(amount.high)}
        return Phrase("what_between", values)
    if amount.low is not None:
        values = {"what": what, "low": money(amount.low)}
        return Phrase("what_over" if amount.strict else "what_at_least", values)
    if amount.high is not None:
        values = {"what": what, "high": money(amount.high)}
        return Phrase("what_under" if amount.strict else "what_at_most", values)
    return what
