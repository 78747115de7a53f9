"""FDX shapes of accounts and transactions: wrapped in one key up to version 5, flat from version 6.

Money is a JSON number and always unsigned on a transaction; debitCreditMemo says which way. The books hold whole
cents, and a whole number of cents divided by 100 prints back exactly.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from assistant.sandbox.ledger import Item, Ledger
from assistant.sandbox.people import AccountSpec, Category

Json = dict[str, Any]

_WRAPPER = {Category.DEPOSIT: "deposit", Category.LOC: "loc", Category.LOAN: "loan"}


def money(cents: int) -> float:
    return cents / 100


def stamp(moment: datetime) -> str:
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _wrapped(version: int, category: Category, what: str, fields: Json) -> Json:
    if version >= 6:
        return {"accountCategory": category.value, **fields}
    inner = {"accountCategory": category.value, **fields} if version == 5 else fields
    return {f"{_WRAPPER[category]}{what}": inner}


def account(ledger: Ledger, spec: AccountSpec, version: int, *, details: bool) -> Json:
    """The descriptor, and with ``details`` the balances and terms."""
    fields: Json = {
        "accountId": ledger.person.account_id(spec.key),
        "accountType": spec.kind,
        "accountNumberDisplay": spec.mask,
        "productName": spec.product,
        "status": "PAID" if ledger.is_paid_off(spec) else "OPEN",
        "currency": {"currencyCode": spec.currency},
    }
    if spec.nickname:
        fields["nickname"] = spec.nickname
    if details:
        fields.update(_DETAILS[spec.category](ledger, spec))
    return _wrapped(version, spec.category, "Account", fields)


def _deposit(ledger: Ledger, spec: AccountSpec) -> Json:
    posted = ledger.posted(spec.key)
    fields: Json = {
        "balanceType": "ASSET",
        "balanceAsOf": stamp(ledger.now),
        "currentBalance": money(posted),
        "availableBalance": money(posted + ledger.held(spec.key)),
        "openingDayBalance": money(ledger.opening_of_day(spec.key)),
    }
    if spec.rate:
        fields["annualPercentageYield"] = money(spec.rate)
    return fields


def _card(ledger: Ledger, spec: AccountSpec) -> Json:
    owed = -ledger.posted(spec.key)
    fields: Json = {
        "balanceType": "LIABILITY",
        "balanceAsOf": stamp(ledger.now),
        "currentBalance": money(owed),
        "principalBalance": money(owed),
        "creditLine": money(spec.limit),
        "availableCredit": money(spec.limit - owed + ledger.held(spec.key)),
        "purchasesApr": money(spec.rate),
        "pastDueAmount": 0.0,
    }
    bill = ledger.card_bill(spec)
    if bill is not None:
        fields |= {
            "lastStmtBalance": money(bill.statement.balance),
            "lastStmtDate": bill.statement.day.isoformat(),
            "minimumPaymentAmount": money(bill.minimum_left),
            "nextPaymentAmount": money(bill.minimum_left),
            "nextPaymentDate": bill.next_due.isoformat(),
        }
        if bill.last_payment_day is not None:
            fields |= {
                "lastPaymentAmount": money(bill.last_payment),
                "lastPaymentDate": bill.last_payment_day.isoformat(),
            }
    return fields


def _loan(ledger: Ledger, spec: AccountSpec) -> Json:
    owed = -ledger.posted(spec.key)
    fields: Json = {
        "balanceType": "LIABILITY",
        "balanceAsOf": stamp(ledger.now),
        "principalBalance": money(owed),
        "originalPrincipal": money(spec.original),
        "interestRate": money(spec.rate),
        "interestRateType": "FIXED",
    }
    if owed > 0:
        fields |= {
            "nextPaymentAmount": money(min(spec.payment, owed + spec.escrow + owed * spec.rate // 120_000)),
            "nextPaymentDate": ledger.loan_due(spec).isoformat(),
        }
    if spec.matures is not None:
        fields["maturityDate"] = spec.matures.isoformat()
    payment = ledger.last_payment(spec.key)
    if payment is not None:
        fields |= {"lastPaymentAmount": money(payment.cents), "lastPaymentDate": payment.day.isoformat()}
    return fields


_DETAILS = {Category.DEPOSIT: _deposit, Category.LOC: _card, Category.LOAN: _loan}


def transaction(ledger: Ledger, spec: AccountSpec, item: Item, version: int) -> Json:
    """One item. A pending one has no postedTimestamp; a posted one may name it by referenceTransactionId."""
    entry = item.entry
    fields: Json = {
        "accountId": ledger.person.account_id(spec.key),
        "transactionId": item.id,
        "transactionTimestamp": stamp(entry.happened),
        "description": item.descriptor,
        "debitCreditMemo": "DEBIT" if item.cents < 0 else "CREDIT",
        "status": "PENDING" if item.pending else "POSTED",
        "amount": money(abs(item.cents)),
    }
    if not item.pending:
        fields["postedTimestamp"] = stamp(entry.posts)
    if item.pending_id:
        fields["referenceTransactionId"] = item.pending_id
    if entry.mcc:
        fields["category"] = entry.mcc
    if entry.kind:
        fields["transactionType"] = entry.kind
    if entry.payee:
        fields["payee" if spec.category is Category.DEPOSIT else "transactionPayee"] = entry.payee
    if entry.memo:
        fields["memo"] = entry.memo
    if entry.check:
        fields["checkNumber"] = int(entry.check)
    if entry.foreign_currency:
        fields |= {"foreignAmount": money(entry.foreign_cents), "foreignCurrency": entry.foreign_currency}
    return _wrapped(version, spec.category, "Transaction", fields)
