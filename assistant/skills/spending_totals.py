"""How much was spent, and on what: totals and their breakdowns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal

from assistant.banking.categories import Categories
from assistant.banking.money import Money
from assistant.banking.period import Period
from assistant.banking.transaction import Transaction
from assistant.replies.reply import (
    Bar,
    Chart,
    Choice,
    Column,
    Listed,
    Literal,
    Percent,
    Phrase,
    Reply,
    Table,
    Term,
    Value,
)
from assistant.skills.flows import spent, spent_by
from assistant.skills.matching import match, merchants, name_of
from assistant.skills.series import OWED
from assistant.skills.spending_question import Question

#: Bars of a chart; what is left is one more bar, so that the bars add up to the total.
BARS = 7
#: Groups named in a sentence: a listener keeps three in mind.
NAMED = 3

Label = Callable[[object], Value]


def total(question: Question) -> Reply:
    """How much, with what most of it went on."""
    found = question.within(question.period)
    totals = spent(found)
    if not found:
        return nothing(question)
    say = [*_amounts(question, totals), *_made_of(question, found)]
    table, chart = None, None
    if not question.focus.merchant:
        by = _finer(question)
        groups = spent_by(found, _KEYS[by])
        if sum(map(len, groups.values())) > 1:
            say.append(_most(groups, _LABELS[by](question)))
            table, chart = _table(question, by, groups), _chart(question, by, groups)
    return Reply((*say, *question.notes), table, chart, _choices(question))


def breakdown(question: Question) -> Reply:
    """The same, split as asked: by category, merchant or account; at most as many groups as asked for."""
    found = question.within(question.period)
    if not found:
        return nothing(question)
    by = question.focus.view.removeprefix("by_")
    groups = spent_by(found, _KEYS[by])
    say = [*_amounts(question, spent(found)), _most(groups, _LABELS[by](question)), *_made_of(question, found)]
    table, chart = _table(question, by, groups), _chart(question, by, groups)
    return Reply((*say, *question.notes), table, chart, _choices(question))


def by_month(question: Question) -> Reply:
    """Each calendar month of the period, in time order."""
    found = question.within(question.period)
    if not found:
        return nothing(question)
    months = tuple(question.period.months())
    amounts = [question.total(month) for month in months]
    bars = tuple(Bar(month, amount) for month, amount in zip(months, amounts, strict=True))
    chart = Chart(question.say("chart_months"), bars)
    rows = tuple((month, amount) for month, amount in zip(months, amounts, strict=True))
    table = Table((Column("month"), Column("amount", align_right=True)), rows, "row_month")
    say = _amounts(question, spent(found))
    if len(months) > 1:
        top = max(range(len(months)), key=lambda index: amounts[index].amount)
        say.append(Phrase("spending_top_month", {"period": months[top], "amount": amounts[top]}))
    return Reply((*say, *question.notes), table, chart, (Choice("average_month"),))


def nothing(question: Question, also: Period | None = None) -> Reply:
    """Nothing was spent: say on what and when, and offer the likest merchant where one was misheard.

    ``also``: another time in which nothing was.
    """
    say = [question.say("spent_nothing")]
    if also:
        say.append(Phrase("spent_nothing_either", {"period": also}))
    choices: tuple[Choice, ...] = ()
    if question.focus.merchant:
        matched = match(question.focus.merchant, merchants(question.known))
        if not matched.names and matched.nearest:
            names = tuple(Literal(name) for name in matched.nearest)
            say.append(Phrase("spending_nearest", {"merchants": Listed(names, "or")}))
            choices = tuple(Choice("spent_at", {"merchant": name}) for name in names)
    return Reply((*say, *question.notes), choices=choices or (Choice("last_month"), Choice("where_money_goes")))


def category_of(transaction: Transaction) -> str:
    return transaction.category


def account_of(transaction: Transaction) -> str:
    return transaction.account_id


def _category_label(question: Question) -> Label:
    return lambda key: Term("category", str(key))


def _merchant_label(question: Question) -> Label:
    return lambda key: Literal(str(key))


def _account_label(question: Question) -> Label:
    accounts: Mapping[object, Value] = {account.id: account for account in question.accounts}
    return lambda key: accounts.get(key, Term("word", "another_account"))


_KEYS: Mapping[str, Callable[[Transaction], str]] = {
    "category": category_of,
    "merchant": name_of,
    "account": account_of,
}
_LABELS: Mapping[str, Callable[[Question], Label]] = {
    "category": _category_label,
    "merchant": _merchant_label,
    "account": _account_label,
}


def _finer(question: Question) -> str:
    """What a total splits into: one category into its merchants, anything wider into categories."""
    return "merchant" if len(Categories.load().members(question.focus.category)) == 1 else "category"


def _amounts(question: Question, totals: Mapping[str, Money]) -> list[Phrase]:
    """The total of the main currency, then those of the others."""
    first, *others = totals.values()
    phrases = [question.say("spent", amount=first) if first.amount >= 0 else question.say("refunded", amount=-first)]
    if others:
        phrases.append(Phrase("spent_other_currencies", {"amounts": Listed(tuple(others))}))
    return phrases


def _made_of(question: Question, found: Iterable[Transaction]) -> list[Phrase]:
    """How many purchases, what came back, what is still pending; in the main currency."""
    mine = [one for one in found if one.amount.currency == question.currency]
    purchases = sum(one.is_outflow for one in mine)
    back = sum((one.amount.amount for one in mine if not one.is_outflow), Decimal(0))
    pending = -sum((one.amount.amount for one in mine if one.is_pending and one.is_outflow), Decimal(0))
    phrases = []
    if purchases and (question.focus.merchant or question.focus.category):
        key = "spending_count_payments" if question.focus.category in OWED else "spending_count"
        phrases.append(Phrase(key, {"count": purchases}))
    if back and purchases:
        phrases.append(Phrase("spending_after_refunds", {"amount": Money(back, question.currency)}))
    if pending and not question.focus.pending_only:
        whole = all(one.is_pending for one in mine)
        phrases.append(
            Phrase(
                "spending_pending_all" if whole else "spending_pending", {"amount": Money(pending, question.currency)}
            )
        )
    return phrases


def _most(groups: Mapping[str, Mapping[str, Money]], label: Label) -> Phrase:
    """What most of the main currency went on."""
    first = next(iter(groups.values()))
    named = tuple(
        Phrase("spending_share", {"label": label(group), "amount": amount})
        for group, amount in list(first.items())[:NAMED]
        if amount.amount > 0 or group == next(iter(first))
    )
    if len(first) == 1:
        return Phrase("spending_all_on", {"label": label(next(iter(first)))})
    return Phrase("spending_most", {"shares": Listed(named)})


def _table(question: Question, by: str, groups: Mapping[str, Mapping[str, Money]]) -> Table:
    """Every group of every currency; with ``count`` named, the first of each currency."""
    label = _LABELS[by](question)
    rows: list[tuple[Value, ...]] = []
    for amounts in groups.values():
        whole = sum((amount.amount for amount in amounts.values() if amount.amount > 0), Decimal(0))
        for group, amount in list(amounts.items())[: question.focus.count]:
            share = Percent(
                (max(amount.amount, Decimal(0)) * 100 / whole).quantize(Decimal(1)) if whole else Decimal(0)
            )
            rows.append((label(group), amount, share))
    columns = (Column(by), Column("amount", align_right=True), Column("share", align_right=True))
    return Table(columns, tuple(rows), f"row_{by}_share")


def _chart(question: Question, by: str, groups: Mapping[str, Mapping[str, Money]]) -> Chart:
    """The main currency's groups as bars; the small ones together, so that the bars add up."""
    label = _LABELS[by](question)
    currency, amounts = next(iter(groups.items()))
    shown = list(amounts.items())[: min(question.focus.count or BARS, BARS)]
    bars = [Bar(label(group), amount) for group, amount in shown]
    rest = sum((amount.amount for amount in list(amounts.values())[len(shown) :]), Decimal(0))
    if len(amounts) > len(shown) and question.focus.count is None:
        bars.append(Bar(Term("word", "everything_else"), Money(rest, currency)))
    return Chart(question.say(f"chart_{by}"), tuple(bars))


def _choices(question: Question) -> tuple[Choice, ...]:
    wide = not (question.focus.category or question.focus.merchant)
    return (Choice("more_than_usual"), Choice("show_those"), *((Choice("by_merchant"),) if wide else ()))
