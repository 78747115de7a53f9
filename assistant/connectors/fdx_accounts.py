"""FDX accounts and balances in our words: v4 and v5 (each item wrapped in one key) and v6 (flat) alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from assistant.banking.account import Account, AccountFamily, AccountKind, AccountStatus, Balances
from assistant.connectors.fdx_values import Row, currency, day, moment, money, number, text

#: The key an account or transaction is wrapped in (FDX 4 and 5) -> the accountCategory that version 6 says flat.
WRAPPERS: Mapping[str, str] = {
    **{
        f"{prefix}{suffix}": category
        for suffix in ("Account", "Transaction")
        for prefix, category in {
            "deposit": "DEPOSIT_ACCOUNT",
            "loc": "LOC_ACCOUNT",
            "loan": "LOAN_ACCOUNT",
            "investment": "INVESTMENT_ACCOUNT",
            "insurance": "INSURANCE_ACCOUNT",
            "annuity": "ANNUITY_ACCOUNT",
            "commercial": "COMMERCIAL_ACCOUNT",
        }.items()
    },
    "digitalWallet": "DIGITAL_WALLET",
}

#: FDX accountType -> our kind. Types come and go with versions; one that is not here falls back on its category.
KIND_BY_TYPE: Mapping[str, AccountKind] = {
    "CHECKING": AccountKind.CHECKING,
    "SAVINGS": AccountKind.SAVINGS,
    "HIGHINTERESTSAVINGSACCOUNT": AccountKind.SAVINGS,
    "FIRSTHOMESAVINGSACCOUNT": AccountKind.SAVINGS,
    "ESCROW": AccountKind.SAVINGS,
    "CD": AccountKind.CD,
    "MONEYMARKET": AccountKind.MONEY_MARKET,
    "OTHERDEPOSIT": AccountKind.OTHER,
    "CREDITCARD": AccountKind.CREDIT_CARD,
    "CHARGE": AccountKind.CREDIT_CARD,
    "LINEOFCREDIT": AccountKind.LINE_OF_CREDIT,
    "HOMELINEOFCREDIT": AccountKind.LINE_OF_CREDIT,
    "MORTGAGE": AccountKind.MORTGAGE,
    "AUTOLOAN": AccountKind.AUTO_LOAN,
    "STUDENTLOAN": AccountKind.STUDENT_LOAN,
    "HOMEEQUITYLOAN": AccountKind.LOAN,
    "INSTALLMENT": AccountKind.LOAN,
    "LOAN": AccountKind.LOAN,
    "MILITARYLOAN": AccountKind.LOAN,
    "PERSONALLOAN": AccountKind.LOAN,
    "SMBLOAN": AccountKind.LOAN,
}

KIND_BY_CATEGORY: Mapping[str, AccountKind] = {
    "DEPOSIT_ACCOUNT": AccountKind.OTHER,
    "LOC_ACCOUNT": AccountKind.LINE_OF_CREDIT,
    "LOAN_ACCOUNT": AccountKind.LOAN,
    "INVESTMENT_ACCOUNT": AccountKind.INVESTMENT,
}

STATUS: Mapping[str, AccountStatus] = {
    "CLOSED": AccountStatus.CLOSED,
    "PAID": AccountStatus.CLOSED,
    "PENDINGOPEN": AccountStatus.PENDING,
    "PENDINGCLOSE": AccountStatus.OPEN,
    "RESTRICTED": AccountStatus.RESTRICTED,
}


def unwrap(item: Row) -> tuple[str, Row]:
    """(accountCategory, the entity itself) of a wrapped or flat account or transaction."""
    for key, inner in item.items():
        if key in WRAPPERS and isinstance(inner, Mapping):
            return WRAPPERS[key], inner
    return text(item, "accountCategory").upper(), item


def parse_account(item: Row, bank_id: str) -> Account | None:
    """None when the bank gave no account id: such an account could never be asked about."""
    category, row = unwrap(item)
    native_id = text(row, "accountId")
    if not native_id:
        return None
    account_type = text(row, "accountType").upper()
    kind = KIND_BY_TYPE.get(account_type) or KIND_BY_CATEGORY.get(category, AccountKind.OTHER)
    shown = "".join(c for c in text(row, "accountNumberDisplay") if c.isalnum())
    return Account(
        id=f"{bank_id}:{native_id}",
        bank_id=bank_id,
        kind=kind,
        name=text(row, "productName", "description") or kind.value.replace("_", " "),
        currency=currency(row),
        mask=shown[-4:],
        nickname=text(row, "nickname"),
        status=STATUS.get(text(row, "status").upper(), AccountStatus.OPEN),
    )


def has_balances(item: Row) -> bool:
    """Whether a listed account carries its figures, or is only the descriptor (resultType=lightweight)."""
    _, row = unwrap(item)
    return any(key in row for key in _BALANCE_KEYS)


_BALANCE_KEYS = ("currentBalance", "availableBalance", "principalBalance", "availableCredit", "currentValue")


def parse_balances(item: Row, account: Account, zone: ZoneInfo, fetched_at: datetime) -> Balances:
    """Every figure may be missing, or null: then it is None, never 0.

    ``fetched_at`` (aware, UTC) stands for ``as_of`` when the bank does not date its figures. What is owed
    on a line of credit is ``currentBalance``, on a loan ``principalBalance`` (FDX entities LocAccount, LoanAccount).
    """
    category, row = unwrap(item)
    code = currency(row, account.currency)
    as_of = (moment(row, zone, "balanceAsOf") or fetched_at).astimezone(timezone.utc)
    family = account.kind.family
    if family is AccountFamily.OTHER:
        family = KIND_BY_CATEGORY.get(category, account.kind).family
    if family is AccountFamily.INVESTMENT:
        return Balances(
            account.id,
            current=money(row, code, "currentValue", "currentBalance"),
            available=money(row, code, "availableCashBalance"),
            as_of=as_of,
        )
    if family not in (AccountFamily.CREDIT, AccountFamily.LOAN):
        return Balances(
            account.id,
            current=money(row, code, "currentBalance"),
            available=money(row, code, "availableBalance"),
            interest_rate=number(row, "interestRate", "annualPercentageYield"),
            maturity_date=day(row, zone, "maturityDate"),
            as_of=as_of,
        )
    is_loan = family is AccountFamily.LOAN
    owed = ("principalBalance", "currentBalance") if is_loan else ("currentBalance", "principalBalance")
    return Balances(
        account.id,
        # Some banks name a card's remaining credit availableBalance, as on a deposit account.
        available=None if is_loan else money(row, code, "availableCredit", "availableBalance"),
        owed=money(row, code, *owed),
        credit_limit=money(row, code, "creditLine"),
        statement_balance=money(row, code, "lastStmtBalance"),
        minimum_payment=money(row, code, "minimumPaymentAmount"),
        next_payment=money(row, code, "nextPaymentAmount"),
        next_payment_date=day(row, zone, "nextPaymentDate"),
        last_payment=money(row, code, "lastPaymentAmount"),
        last_payment_date=day(row, zone, "lastPaymentDate"),
        past_due=money(row, code, "pastDueAmount"),
        interest_rate=number(row, "purchasesApr", "interestRate"),
        original_principal=money(row, code, "originalPrincipal"),
        maturity_date=day(row, zone, "maturityDate"),
        as_of=as_of,
    )
