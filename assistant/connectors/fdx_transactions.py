"""FDX transactions in our words: the sign, the day, and an id that can be trusted."""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import SequenceMatcher
from zoneinfo import ZoneInfo

from assistant.banking.account import Account, AccountFamily
from assistant.banking.money import Money
from assistant.banking.transaction import Transaction, TransactionStatus
from assistant.connectors.fdx_accounts import KIND_BY_CATEGORY, unwrap
from assistant.connectors.fdx_values import Row, day, moment, number, text

#: Statuses that are not final. MEMO is a memo post: shown during the day, replaced by the posting at night.
PROVISIONAL = frozenset({"PENDING", "MEMO", "AUTHORIZATION"})

#: transactionType where it alone says which way the money went (FDX enums DepositTransactionType,
#: LocTransactionType, LoanTransactionType). +1 is toward the customer, on credit and loans toward what she owes.
SIGN_BY_TYPE = {
    **dict.fromkeys(("WITHDRAWAL", "POSDEBIT", "ATMWITHDRAWAL", "BILLPAYMENT", "FEE", "CHECK", "PURCHASE"), -1),
    **dict.fromkeys(("DEPOSIT", "DIRECTDEPOSIT", "ATMDEPOSIT", "POSCREDIT", "DIVIDEND"), 1),
    **dict.fromkeys(("PAYMENT", "LUMP_SUM_PAYMENT", "DOUBLE_UP_PAYMENT", "PAYOFF"), 1),
}

#: Days within which a purchase posts, and a posted item may be the twin of a pending one.
POSTING_DAYS = 5
#: How alike two descriptors must be to be one purchase's. Below it, both stay.
SAME_DESCRIPTION = 0.75
#: Letters below which a descriptor says too little to tell by.
SHORTEST_DESCRIPTION = 4


class Unreadable(ValueError):
    """A row without what a sum needs (amount, day). Says which field, never its value."""


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """One row before its id is settled. ``native_id`` and ``reference`` are the bank's, "" when it gave none.

    ``content`` is the same for two rows that differ in nothing but place.
    """

    native_id: str
    reference: str
    content: str
    transaction: Transaction

    @property
    def names(self) -> set[str]:
        return {self.native_id, self.reference} - {""}


def parse_row(item: Row, account: Account, zone: ZoneInfo) -> ParsedRow | None:
    """None for a row that moved no money (debitCreditMemo MEMO). Raises Unreadable."""
    category, row = unwrap(item)
    memo = text(row, "debitCreditMemo").upper()
    if memo == "MEMO":
        return None
    family = account.kind.family
    if family is AccountFamily.OTHER and category in KIND_BY_CATEGORY:
        family = KIND_BY_CATEGORY[category].family
    given = number(row, "amount")
    if given is None:
        raise Unreadable("amount")
    amount = Money(signed(given, memo, text(row, "transactionType").upper(), family), account.currency)
    when = day(row, zone, "transactionTimestamp", "postedTimestamp")
    if when is None:
        raise Unreadable("transactionTimestamp")
    status = text(row, "status").upper()
    provisional = status in PROVISIONAL
    description = text(row, "description", "memo", "payee", "transactionPayee")
    native_id, reference = text(row, "transactionId"), text(row, "referenceTransactionId")
    if provisional and not native_id:
        native_id = reference  # some banks give a pending item nothing else to be known by
    code = text(row, "category", "transactionCategory")
    transaction = Transaction(
        id=native_id,
        account_id=account.id,
        amount=amount,
        date=when,
        status=TransactionStatus.PENDING if provisional else TransactionStatus.POSTED,
        description=description,
        mcc=code if re.fullmatch(r"\d{4}", code, re.ASCII) else "",
        payee=text(row, "payee", "transactionPayee"),
        memo=text(row, "memo"),
        transacted_at=moment(row, zone, "transactionTimestamp"),
        posted_at=None if provisional else moment(row, zone, "postedTimestamp"),
        foreign_amount=_foreign(row, amount.amount < 0),
        check_number=text(row, "checkNumber"),
    )
    return ParsedRow(native_id, reference, _content(row, transaction), transaction)


def signed(amount: Decimal, memo: str, transaction_type: str, family: AccountFamily) -> Decimal:
    """The amount from the customer's side.

    FDX amounts are absolute and ``debitCreditMemo`` says which way: DEBIT is money out of a deposit account or
    a charge to a card or loan, CREDIT the opposite; the memo wins over a sign some banks add. Where it is
    missing: the transactionType, if it can only mean one way. Else on a card or line of credit an amount is a
    charge (negative: a payment or refund), on a loan it is a payment, and elsewhere its own sign is all there is.
    """
    if memo in ("DEBIT", "CREDIT"):
        return -abs(amount) if memo == "DEBIT" else abs(amount)
    if transaction_type in SIGN_BY_TYPE:
        return SIGN_BY_TYPE[transaction_type] * abs(amount)
    return -amount if family is AccountFamily.CREDIT else amount


def merge_pages(pages: Iterable[Sequence[ParsedRow]]) -> list[ParsedRow]:
    """All rows of one range. A row with an id that comes again on a later page is the same row (the list
    moved while we read); without an id it is another one, for equal coffees on one day are two."""
    most: Counter[tuple[str, str]] = Counter()
    rows: dict[tuple[str, str], ParsedRow] = {}
    for page in pages:
        here = Counter((row.native_id, row.content) for row in page)
        for row in page:
            rows.setdefault((row.native_id, row.content), row)
        for key, count in here.items():
            most[key] = max(most[key], count) if key[0] else most[key] + count
    return [row for key, row in rows.items() for _ in range(most[key])]


def merge_windows(windows: Iterable[Sequence[ParsedRow]]) -> list[ParsedRow]:
    """All rows of neighbouring ranges. What several of them hold (pending items, which many banks give
    whatever the range) is there once for each time one range holds it."""
    most: Counter[tuple[str, str]] = Counter()
    rows: dict[tuple[str, str], ParsedRow] = {}
    for window in windows:
        for row in window:
            rows.setdefault((row.native_id, row.content), row)
        most |= Counter((row.native_id, row.content) for row in window)
    return [row for key, row in rows.items() for _ in range(most[key])]


def settle(rows: Sequence[ParsedRow]) -> tuple[Transaction, ...]:
    """Transactions with ids unique in the account, pending twins of posted items left out, newest first."""
    kept = _without_twins(rows)
    posted_ids = {row.native_id for row in kept if not row.transaction.is_pending}
    contents: dict[str, int] = Counter(row.native_id for row in kept)
    times: Counter[str] = Counter()
    result: list[Transaction] = []
    for row in kept:
        sound = row.native_id and contents[row.native_id] == 1
        times[row.content] += 1
        identity = row.native_id if sound else f"fp-{row.content}-{times[row.content]}"
        # In FDX a refund's reference names the purchase it reverses; only what is not a posted item can
        # have been this one's pending form.
        pending_id = "" if row.transaction.is_pending or row.reference in posted_ids else row.reference
        result.append(replace(row.transaction, id=identity, pending_id=pending_id))
    result.sort(key=_newest_first)
    return tuple(result)


def _newest_first(item: Transaction) -> tuple[int, bool, float]:
    instant = item.transacted_at or item.posted_at
    return (-item.date.toordinal(), not item.is_pending, -instant.timestamp() if instant else 0.0)


def _without_twins(rows: Sequence[ParsedRow]) -> list[ParsedRow]:
    """Without pending rows whose posted form is here too: known by reference, else by likeness.

    Likeness is asked for strictly (a wrongly dropped row is money missing from an answer), and one posted row
    stands for one pending row at most.
    """
    posted = [row for row in rows if not row.transaction.is_pending]
    pending = [row for row in rows if row.transaction.is_pending]
    if not pending or not posted:
        return list(rows)
    dropped = _linked(pending, posted)
    by_amount: dict[Decimal, list[ParsedRow]] = defaultdict(list)
    for row in posted:
        if not row.reference:
            by_amount[row.transaction.amount.amount].append(row)
    for row in sorted(pending, key=lambda r: r.transaction.date):
        if id(row) in dropped:
            continue
        twin = next(
            (p for p in by_amount[row.transaction.amount.amount] if _alike(row.transaction, p.transaction)), None
        )
        if twin is not None:
            by_amount[row.transaction.amount.amount].remove(twin)
            dropped.add(id(row))
    return [row for row in rows if id(row) not in dropped]


def _linked(pending: Sequence[ParsedRow], posted: Sequence[ParsedRow]) -> set[int]:
    """id() of the pending rows that share a name with a posted row. A name that several rows bear on either side
    is no name (banks reuse ids), and the money must go the same way: a pending refund refers to a purchase."""
    ours = Counter(name for row in pending for name in row.names)
    theirs = Counter(name for row in posted for name in row.names)
    bearer = {name: row for row in posted for name in row.names if theirs[name] == 1}
    return {
        id(row)
        for row in pending
        for name in row.names
        if ours[name] == 1 and name in bearer and bearer[name].transaction.is_outflow is row.transaction.is_outflow
    }


def _alike(pending: Transaction, posted: Transaction) -> bool:
    gap = (posted.date - pending.date).days
    both_timed = pending.transacted_at is not None and posted.transacted_at is not None
    # With the moment of purchase on both, it is the same; with a posting day only, that comes after.
    near = pending.transacted_at == posted.transacted_at if both_timed else 1 <= gap <= POSTING_DAYS
    if not near:
        return False
    ours, theirs = _words(pending.description), _words(posted.description)
    if len(ours) < SHORTEST_DESCRIPTION or len(theirs) < SHORTEST_DESCRIPTION:
        return False
    # While pending a descriptor is often cut short: "CHIPOTLE 8800", then "CHIPOTLE 8800 NEW YORK NY".
    return theirs.startswith(ours) or SequenceMatcher(None, ours, theirs).ratio() >= SAME_DESCRIPTION


def _words(description: str) -> str:
    return " ".join(re.findall(r"[a-z]+", description.lower()))


def _foreign(row: Row, outflow: bool) -> Money | None:
    amount = number(row, "foreignAmount")
    code = text(row, "foreignCurrency").upper()
    if amount is None or not re.fullmatch(r"[A-Z]{3}", code, re.ASCII):
        return None
    return Money(-abs(amount) if outflow else abs(amount), code)


def _content(row: Row, item: Transaction) -> str:
    """A short hash of everything that tells one movement from another (also the running balance, where a bank
    adds one). Not the texts themselves: an id ends up in logs."""
    parts = (
        item.account_id, item.status.value, item.date.isoformat(), str(item.amount.amount.normalize()),
        item.amount.currency, item.description, item.memo, item.check_number, text(row, "transactionTimestamp"),
        text(row, "postedTimestamp"), text(row, "referenceTransactionId"),
        str(number(row, "runningBalance", "balance")),
    )  # fmt: skip
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:24]
