"""Single transactions: the latest, a search with any mix of filters, the largest, when someone was last paid.

Views: "" or "list"; "largest" (Focus.order may say smallest): of what was bought, unless the question says
otherwise; "last_payment"; and "spent", "earned" and "fees", the lists behind the sums that the spending skill says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from assistant.banking.connector import CustomerBank, Dated
from assistant.banking.period import Period
from assistant.banking.purpose import Purpose
from assistant.banking.transaction import Transaction
from assistant.replies.reply import Choice, Column, Listed, Literal, Phrase, Reply, Table, Term, Value
from assistant.skills import last_payment
from assistant.skills.caveats import caveats
from assistant.skills.choose import choose, unknown_account
from assistant.skills.focus import Direction, Focus, Order, Outcome, Topic
from assistant.skills.matching import called, match, merchants, name_of, select
from assistant.skills.search import DEBTS, FAR, Found, Search, back, pays_debt

#: Rows shown at once when she names no number, and the most she can ask for.
PAGE = 5
LONGEST_PAGE = 25
#: A search of fewer days than this can be widened to a year.
YEAR = 365


def answer(bank: CustomerBank, focus: Focus, today: date) -> Outcome:
    """Answer a question about single transactions. Purpose TRANSACTIONS; raises banking.errors.

    ``focus.shown`` rows were seen before: the next page follows, in the same order.
    """
    focus = focus.with_(topic=Topic.TRANSACTIONS)
    if focus.view == "largest" and focus.order is not Order.SMALLEST:
        focus = focus.with_(order=Order.LARGEST)
    accounts = bank.accounts(Purpose.TRANSACTIONS)
    if not accounts.value:
        return Outcome(Reply((Phrase("no_accounts"), *caveats(bank, today, accounts))), focus)
    chosen = choose(bank, accounts.value, focus.account)
    if not chosen.found:
        return Outcome(unknown_account(focus.account, chosen.nearest), focus)
    period = focus.period
    if period is not None:
        period = period.clipped(today)
        if period is None:
            return Outcome(Reply((Phrase("transactions_future"),), choices=(Choice("latest"),)), focus)
    search = Search(bank, focus, today, accounts.value, chosen.accounts if focus.account else None)
    if focus.view == "last_payment":
        told = _last_payment(search, period)
    elif focus.view == "largest" and focus.direction is None and not focus.category:
        told = _largest(search, period)
    else:
        told = _page(search, search.find(period, _wanted(focus)))
    reply, notes = told.reply, caveats(bank, today, accounts, *told.answers)
    whole = Reply((*reply.say, *notes), reply.table, reply.chart, reply.choices, reply.expects_answer)
    return Outcome(whole, focus.with_(shown=told.shown))


@dataclass(frozen=True, slots=True)
class _Told:
    """A reply, how many rows she has seen with it, and the answers of the bank it rests on."""

    reply: Reply
    shown: int
    answers: tuple[Dated[Any], ...]


def _page_size(focus: Focus) -> int:
    if focus.count is not None:
        return min(focus.count, LONGEST_PAGE)
    return 1 if _is_superlative(focus) and not focus.shown else PAGE


def _wanted(focus: Focus) -> int:
    """Rows that fill the next page and tell whether there is another."""
    return focus.shown + _page_size(focus) + 1


def _is_superlative(focus: Focus) -> bool:
    return focus.view == "largest" or (focus.count == 1 and focus.order in (Order.LARGEST, Order.SMALLEST))


def _largest(search: Search, period: Period | None) -> _Told:
    """ "The largest" is of what was bought; of everything only where nothing was (an employer, a deposit account)."""
    bought = search.asking(direction=Direction.OUT)
    found = bought.find(period, 1)
    return _page(bought, found) if found.rows else _page(search, search.find(period, 1))


def _page(search: Search, found: Found) -> _Told:
    focus, total = search.focus, len(found.rows)
    page = found.rows[focus.shown : focus.shown + _page_size(focus)]
    shown = focus.shown + len(page)
    if not total:
        return _nothing(search, found)
    if not page:
        what = search.what(total, found, _said(search, found))
        reply = Reply((Phrase("transactions_no_more", {"count": total, "what": what}),), choices=(Choice("latest"),))
        return _Told(reply, focus.shown, (found.answer,))
    choices = [Choice("more")] if shown < total else []
    if _is_superlative(focus) and len(page) == 1 and focus.shown == 0:
        return _Told(Reply(_superlative(search, found), choices=tuple(choices)), shown, (found.answer,))
    say = [_intro(search, found, page, shown)]
    pending = sum(one.is_pending for one in page)
    if pending and not focus.pending_only:
        say.append(
            Phrase("transaction_pending") if len(page) == 1 else Phrase("transactions_pending", {"count": pending})
        )
    if not focus.shown and total > 1 and focus.order is Order.LATEST:
        choices.append(Choice("largest"))
    if not focus.shown and focus.period is None:
        choices.append(Choice("this_month"))
    reply = Reply(tuple(say), table=_table(search, page), choices=tuple(choices))
    return _Told(reply, shown, (found.answer,))


def _said(search: Search, found: Found) -> Period | None:
    """The days to name in the answer: hers, or those of a ranking, which means nothing without them."""
    if search.focus.period is None and search.focus.order is Order.LATEST:
        return None
    return found.period


def _intro(search: Search, found: Found, page: Sequence[Transaction], shown: int) -> Phrase:
    focus, total = search.focus, len(found.rows)
    if focus.shown:
        return Phrase("transactions_last" if shown == total else "transactions_next", {"count": len(page)})
    period = _said(search, found)
    if focus.pending_only and period is None:
        key = "transactions_pending_all" if shown == total else "transactions_pending_of"
        return Phrase(key, {"count": len(page), "total": total, "what": search.what(total, found)})
    if shown == total:
        # Without a period "I found 3" would claim that there are no more, ever.
        key = "transactions_latest" if period is None else "transactions_all"
        return Phrase(key, {"count": total, "what": search.what(total, found, period)})
    if period is None:
        return Phrase("transactions_latest", {"count": len(page), "what": search.what(len(page), found)})
    values: dict[str, Value] = {"total": total, "count": len(page), "what": search.what(total, found, period)}
    return Phrase(f"transactions_{focus.order.value}_of", values)


def _superlative(search: Search, found: Found) -> tuple[Phrase, ...]:
    """The first of each currency: which of two currencies is more is not for us to say."""
    firsts: dict[str, Transaction] = {}
    for one in found.rows:
        firsts.setdefault(one.amount.currency, one)
    order = search.focus.order.value
    key = f"transactions_the_{order}"
    say: list[Phrase] = []
    for one in firsts.values():
        values: dict[str, Value] = {
            "what": search.what(1, found, found.period),
            "amount": abs(one.amount),
            "merchant": Literal(name_of(one)),
            "when": Period.day_of(one.date),
        }
        say.append(Phrase(f"{key}_too" if say else key, values))
        if one.is_pending:
            say.append(Phrase("transaction_pending"))
    return tuple(say)


def _table(search: Search, page: Sequence[Transaction]) -> Table:
    by_id = {account.id: account for account in search.known}
    with_account = len(by_id) > 1 and (search.accounts is None or len(search.accounts) > 1)
    with_status = any(one.is_pending for one in page) and not search.focus.pending_only
    columns = [Column("date"), Column("merchant"), Column("amount", align_right=True)]
    if with_account:
        columns.append(Column("account"))
    if with_status:
        columns.append(Column("status"))
    rows: list[tuple[Value, ...]] = []
    for one in page:
        row: list[Value] = [one.date, Literal(name_of(one)), _amount(search.focus, one)]
        if with_account:
            row.append(by_id.get(one.account_id, ""))
        if with_status:
            row.append(Term("status", "pending" if one.is_pending else "posted"))
        rows.append(tuple(row))
    return Table(tuple(columns), tuple(rows), "row_transaction")


def _amount(focus: Focus, one: Transaction) -> Value:
    """Where she asked for one direction, a sign says nothing new."""
    size = abs(one.amount)
    return size if focus.direction else Phrase("cell_out" if one.is_outflow else "cell_in", {"amount": size})


def _nothing(search: Search, found: Found) -> _Told:
    """Say exactly what was searched. A merchant is looked for in all 24 months, to tell "not then" from "never"."""
    focus = search.focus
    first = Phrase("transactions_none", {"what": search.what(0, found, found.period)})
    choices = [Choice("last_year" if found.period.days < YEAR else "latest")]
    if not focus.merchant:
        return _Told(Reply((first,), choices=tuple(choices)), 0, (found.answer,))
    every = found.answer
    if search.accounts is not None or found.period != back(search.today, FAR):
        every = search.bank.transactions(back(search.today, FAR), Purpose.TRANSACTIONS)
    said = match(focus.merchant, merchants(every.value))
    answers = (found.answer,) if every is found.answer else (found.answer, every)
    if not said.names:
        return _Told(unknown_merchant(focus.merchant, said.nearest), 0, answers)
    latest = max(select(every.value, Focus(merchant=focus.merchant)), key=lambda one: one.date)
    values: dict[str, Value] = {
        "merchant": Literal(name_of(latest)),
        "amount": abs(latest.amount),
        "when": Period.day_of(latest.date),
    }
    choices.append(Choice("all_with", {"merchant": values["merchant"]}))
    return _Told(Reply((first, Phrase("merchant_latest", values)), choices=tuple(choices)), 0, answers)


def unknown_merchant(said: str, nearest: Sequence[str]) -> Reply:
    """The customer never met this merchant, as far as banks remember: say so, offer the nearest of her own."""
    first = Phrase("merchant_unknown", {"merchant": Literal(called(said, ())), "months": 24})
    if not nearest:
        return Reply((first,), choices=(Choice("latest"),))
    offer = Phrase("merchant_offer", {"merchants": Listed(tuple(Literal(name) for name in nearest), "or")})
    choices = tuple(Choice("merchant", {"merchant": Literal(name)}) for name in nearest)
    return Reply((first, offer), choices=choices, expects_answer=True)


def _last_payment(search: Search, period: Period | None) -> _Told:
    """Looks back in growing steps, so that the usual question costs the bank little."""
    on_debts = search.accounts is not None and all(one.kind.family in DEBTS for one in search.accounts)
    focus = search.focus
    # A card or a loan is paid by money that comes in on it; anyone else by money that goes out.
    to_debt = on_debts and not (focus.merchant or focus.category)
    direction = focus.direction or (Direction.IN if to_debt else Direction.OUT)
    search = search.asking(direction=direction)
    named = bool(focus.merchant or focus.category)
    windows = [period] if period else [back(search.today, days) for days in last_payment.WINDOWS]
    for window in windows:
        found = search.look(window)
        rows = found.rows
        if to_debt:
            rows = tuple(one for one in rows if pays_debt(one, search.accounts or ()))
        elif not named:
            rows = tuple(one for one in rows if not one.internal)
        if rows:
            say = last_payment.tell(rows, search.focus, search.known, to_debt=to_debt)
            choices = (Choice("all_with", {"merchant": Literal(name_of(rows[0]))}),) if not to_debt else ()
            return _Told(Reply(say, choices=choices), 0, (found.answer,))
    return _nothing(search, found)
