"""Single transactions: the latest, a search with any mix of filters, the largest, when someone was last paid.

Views: "" or "list"; "largest" (Focus.order may say smallest): of what was bought, unless the question says
otherwise; "last_payment"; and "spent", "earned" and "fees", the lists behind the sums that the spending skill says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from assistant.banking.account import Account, AccountFamily
from assistant.banking.connector import CustomerBank, Dated
from assistant.banking.period import Period
from assistant.banking.purpose import Purpose
from assistant.banking.transaction import Transaction
from assistant.replies.reply import Choice, Column, Listed, Literal, Phrase, Reply, Table, Term, Value
from assistant.skills import last_payment
from assistant.skills.caveats import caveats
from assistant.skills.choose import choose, unknown_account
from assistant.skills.flows import FEE_CATEGORIES, is_income, is_spending
from assistant.skills.focus import Direction, Focus, Order, Outcome, Topic
from assistant.skills.matching import match, merchants, name_of, select
from assistant.skills.scope import describe

#: Rows shown at once when she names no number, and the most she can ask for.
PAGE = 5
LONGEST_PAGE = 25
#: How far back to look when no period is named, in days: first, and when that is too little. 24 months is
#: what banks keep at hand.
RECENT = 90
FAR = 730
YEAR = 365


_DEBTS = (AccountFamily.CREDIT, AccountFamily.LOAN)


def _is_fee(transaction: Transaction) -> bool:
    return is_spending(transaction) and transaction.category in FEE_CATEGORIES


#: What each sum of the spending skill is made of, so that the list behind it adds up to it.
_COUNTED: Mapping[str, Callable[[Transaction], bool]] = {"spent": is_spending, "earned": is_income, "fees": _is_fee}


@dataclass(frozen=True, slots=True)
class _Found:
    """What the filters left, in order; the days searched; and all that the bank gave for those days."""

    rows: tuple[Transaction, ...]
    period: Period
    answer: Dated[tuple[Transaction, ...]]


@dataclass(frozen=True, slots=True)
class _Search:
    """One question to one customer's bank. ``accounts`` are those meant; None: all, and so not worth naming."""

    bank: CustomerBank
    focus: Focus
    today: date
    known: tuple[Account, ...]
    accounts: tuple[Account, ...] | None

    def look(self, period: Period) -> _Found:
        answer = self.bank.transactions(period, Purpose.TRANSACTIONS, self.accounts)
        rows = select(answer.value, self.focus.with_(period=period), self.accounts)
        counts = _COUNTED.get(self.focus.view)
        if self.focus.view == "largest" and self.focus.direction is Direction.OUT:
            counts = is_spending  # paying off a card or moving money to savings is no purchase
        elif counts is None and self.focus.view != "last_payment" and self.focus.direction is not None and self._of_all():
            counts = self._crosses
        if counts is not None:
            rows = tuple(one for one in rows if counts(one))
        return _Found(_ordered(rows, self.focus.order), period, answer)

    def _of_all(self) -> bool:
        """Whether the question is about her money as a whole, where her own moves are neither in nor out."""
        return self.accounts is None and not (self.focus.merchant or self.focus.category)

    def _crosses(self, one: Transaction) -> bool:
        """Whether it came from, or went to, somebody else."""
        debts = [account for account in self.known if account.kind.family in _DEBTS]
        on_debt = any(account.id == one.account_id for account in debts)
        return not one.internal and not (on_debt and not one.is_outflow and last_payment.pays_debt(one, debts))

    def asking(self, **changes: Any) -> _Search:
        """The same search with the question changed."""
        return replace(self, focus=self.focus.with_(**changes))

    def what(self, count: int, found: _Found, period: Period | None = None) -> Phrase:
        """What was looked for, in words: "pending transactions at Comcast in March 2026".

        The merchant by its own name, where one was meant.
        """
        names = {name_of(one) for one in found.rows} if self.focus.merchant else set()
        focus = self.focus.with_(merchant=names.pop()) if len(names) == 1 else self.focus
        return describe(focus, count, self.known, self.accounts, period)


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
    search = _Search(bank, focus, today, accounts.value, chosen.accounts if focus.account else None)
    if focus.view == "last_payment":
        told = _last_payment(search, period)
    elif focus.view == "largest" and focus.direction is None and not focus.category:
        told = _largest(search, period)
    else:
        told = _page(search, _find(search, period))
    reply, notes = told.reply, caveats(bank, today, accounts, *told.answers)
    whole = Reply((*reply.say, *notes), reply.table, reply.chart, reply.choices, reply.expects_answer)
    return Outcome(whole, focus.with_(shown=told.shown))


@dataclass(frozen=True, slots=True)
class _Told:
    """A reply, how many rows she has seen with it, and the answers of the bank it rests on."""

    reply: Reply
    shown: int
    answers: tuple[Dated[Any], ...]


def _back(today: date, days: int) -> Period:
    return Period(today - timedelta(days=days - 1), today + timedelta(days=1))


def _page_size(focus: Focus) -> int:
    if focus.count is not None:
        return min(focus.count, LONGEST_PAGE)
    return 1 if _is_superlative(focus) and not focus.shown else PAGE


def _is_superlative(focus: Focus) -> bool:
    return focus.view == "largest" or (focus.count == 1 and focus.order in (Order.LARGEST, Order.SMALLEST))


def _find(search: _Search, period: Period | None) -> _Found:
    """In the period she named; else far enough back to fill the page and know whether there is more."""
    if period is not None:
        return search.look(period)
    focus, today = search.focus, search.today
    if focus.order is Order.OLDEST:
        return search.look(_back(today, FAR))
    found = search.look(_back(today, RECENT))
    # A ranking must not change from page to page, so it grows only from nothing.
    wanted = focus.shown + _page_size(focus) + 1 if focus.order is Order.LATEST else 1
    return found if len(found.rows) >= wanted else search.look(_back(today, FAR))


def _largest(search: _Search, period: Period | None) -> _Told:
    """ "The largest" is of what was bought; of everything only where nothing was (an employer, a deposit account)."""
    bought = search.asking(direction=Direction.OUT)
    found = _find(bought, period)
    return _page(bought, found) if found.rows else _page(search, _find(search, period))


def _ordered(rows: tuple[Transaction, ...], order: Order) -> tuple[Transaction, ...]:
    """Sizes are compared within a currency only: the one with most rows first."""
    if order is Order.LATEST:
        return tuple(sorted(rows, key=lambda one: one.date, reverse=True))
    if order is Order.OLDEST:
        return tuple(sorted(rows, key=lambda one: one.date))
    uses: dict[str, int] = {}
    for one in rows:
        uses[one.amount.currency] = uses.get(one.amount.currency, 0) + 1
    sign = -1 if order is Order.LARGEST else 1
    return tuple(
        sorted(
            rows,
            key=lambda one: (-uses[one.amount.currency], one.amount.currency, sign * abs(one.amount.amount)),
        )
    )


def _page(search: _Search, found: _Found) -> _Told:
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
        say.append(Phrase("transactions_pending", {"count": pending}))
    if not focus.shown and total > 1 and focus.order is Order.LATEST:
        choices.append(Choice("largest"))
    if not focus.shown and focus.period is None:
        choices.append(Choice("this_month"))
    reply = Reply(tuple(say), table=_table(search, page), choices=tuple(choices))
    return _Told(reply, shown, (found.answer,))


def _said(search: _Search, found: _Found) -> Period | None:
    """The days to name in the answer: hers, or those of a ranking, which means nothing without them."""
    if search.focus.period is None and search.focus.order is Order.LATEST:
        return None
    return found.period


def _intro(search: _Search, found: _Found, page: Sequence[Transaction], shown: int) -> Phrase:
    focus, total = search.focus, len(found.rows)
    if focus.shown:
        return Phrase("transactions_last" if shown == total else "transactions_next", {"count": len(page)})
    period = _said(search, found)
    if shown == total:
        # Without a period "I found 3" would claim that there are no more, ever.
        key = "transactions_latest" if period is None else "transactions_all"
        return Phrase(key, {"count": total, "what": search.what(total, found, period)})
    if period is None:
        return Phrase("transactions_latest", {"count": len(page), "what": search.what(len(page), found)})
    values: dict[str, Value] = {"total": total, "count": len(page), "what": search.what(total, found, period)}
    return Phrase(f"transactions_{focus.order.value}_of", values)


def _superlative(search: _Search, found: _Found) -> tuple[Phrase, ...]:
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


def _table(search: _Search, page: Sequence[Transaction]) -> Table:
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


def _nothing(search: _Search, found: _Found) -> _Told:
    """Say exactly what was searched. A merchant is looked for in all 24 months, to tell "not then" from "never"."""
    focus = search.focus
    first = Phrase("transactions_none", {"what": search.what(0, found, found.period)})
    choices = [Choice("last_year" if found.period.days < YEAR else "latest")]
    if not focus.merchant:
        return _Told(Reply((first,), choices=tuple(choices)), 0, (found.answer,))
    every = found.answer
    if search.accounts is not None or found.period != _back(search.today, FAR):
        every = search.bank.transactions(_back(search.today, FAR), Purpose.TRANSACTIONS)
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
    first = Phrase("merchant_unknown", {"merchant": Literal(said), "months": 24})
    if not nearest:
        return Reply((first,), choices=(Choice("latest"),))
    offer = Phrase("merchant_offer", {"merchants": Listed(tuple(Literal(name) for name in nearest), "or")})
    choices = tuple(Choice("merchant", {"merchant": Literal(name)}) for name in nearest)
    return Reply((first, offer), choices=choices, expects_answer=True)


def _last_payment(search: _Search, period: Period | None) -> _Told:
    """Looks back in growing steps, so that the usual question costs the bank little."""
    on_debts = search.accounts is not None and all(one.kind.family in _DEBTS for one in search.accounts)
    focus = search.focus
    # A card or a loan is paid by money that comes in on it; anyone else by money that goes out.
    to_debt = on_debts and not (focus.merchant or focus.category)
    direction = focus.direction or (Direction.IN if to_debt else Direction.OUT)
    search = search.asking(direction=direction)
    named = bool(focus.merchant or focus.category)
    windows = [period] if period else [_back(search.today, days) for days in last_payment.WINDOWS]
    for window in windows:
        found = search.look(window)
        rows = found.rows
        if to_debt:
            rows = tuple(one for one in rows if last_payment.pays_debt(one, search.accounts or ()))
        elif not named:
            rows = tuple(one for one in rows if not one.internal)
        if rows:
            say = last_payment.tell(rows, search.focus, search.known, to_debt=to_debt)
            choices = (Choice("all_with", {"merchant": Literal(name_of(rows[0]))}),) if not to_debt else ()
            return _Told(Reply(say, choices=choices), 0, (found.answer,))
    return _nothing(search, found)
