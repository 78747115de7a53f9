from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.banking.account import Account, AccountFamily, AccountKind
from assistant.banking.money import Money
from assistant.banking.transaction import TransactionStatus
from assistant.connectors.fdx_transactions import (
    ParsedRow,
    Unreadable,
    merge_pages,
    merge_windows,
    parse_row,
    settle,
    signed,
)

NEW_YORK = ZoneInfo("America/New_York")
CHECKING = Account("b:1", "b", AccountKind.CHECKING, "Checking", "USD")
CARD = Account("b:2", "b", AccountKind.CREDIT_CARD, "Visa", "USD")


def row(**fields: Any) -> dict[str, Any]:
    usual = {
        "accountCategory": "DEPOSIT_ACCOUNT",
        "transactionId": "t1",
        "transactionTimestamp": "2026-03-10T15:00:00Z",
        "postedTimestamp": "2026-03-11T09:00:00Z",
        "description": "TRADER JOE S #6059",
        "debitCreditMemo": "DEBIT",
        "status": "POSTED",
        "amount": Decimal("42.55"),
    }
    return {key: value for key, value in {**usual, **fields}.items() if value is not None}


def parsed(account: Account = CHECKING, **fields: Any) -> ParsedRow:
    result = parse_row(row(**fields), account, NEW_YORK)
    assert result is not None
    return result


def test_a_row_in_our_words() -> None:
    item = parsed(
        category=5411, payee="Trader Joe's", memo="weekly", checkNumber=101,
        foreignAmount=Decimal("39.10"), foreignCurrency="eur",
    ).transaction  # fmt: skip
    assert item.amount == Money(Decimal("-42.55"), "USD")
    assert item.foreign_amount == Money(Decimal("-39.10"), "EUR")
    assert (item.date, item.status) == (date(2026, 3, 10), TransactionStatus.POSTED)
    assert (item.mcc, item.payee, item.memo, item.check_number) == ("5411", "Trader Joe's", "weekly", "101")


@pytest.mark.parametrize("prefix", ["deposit", "loc", "loan", "investment"])
def test_wrapped_and_flat_are_the_same(prefix: str) -> None:
    wrapped = parse_row({f"{prefix}Transaction": row()}, CHECKING, NEW_YORK)
    assert wrapped == parse_row(row(), CHECKING, NEW_YORK)


class TestSign:
    @settings(deadline=None)
    @given(amount=st.decimals(allow_nan=False, allow_infinity=False), family=st.sampled_from(list(AccountFamily)))
    def test_the_memo_decides_whatever_sign_the_bank_adds(self, amount: Decimal, family: AccountFamily) -> None:
        assert signed(amount, "DEBIT", "", family) == -abs(amount)
        assert signed(amount, "CREDIT", "PURCHASE", family) == abs(amount)

    @pytest.mark.parametrize(
        ("amount", "kind", "family", "expected"),
        [
            (5, "PURCHASE", AccountFamily.CREDIT, -5),
            (-5, "PURCHASE", AccountFamily.CREDIT, -5),
            (5, "PAYMENT", AccountFamily.CREDIT, 5),
            (5, "", AccountFamily.CREDIT, -5),
            (-5, "", AccountFamily.CREDIT, 5),
            (5, "", AccountFamily.LOAN, 5),
            (-5, "", AccountFamily.LOAN, -5),
            (5, "DIRECTDEPOSIT", AccountFamily.DEPOSIT, 5),
            (5, "ATMWITHDRAWAL", AccountFamily.DEPOSIT, -5),
            (-5, "", AccountFamily.DEPOSIT, -5),
            (5, "SOMETHINGNEW", AccountFamily.DEPOSIT, 5),
        ],
    )
    def test_without_a_memo(self, amount: int, kind: str, family: AccountFamily, expected: int) -> None:
        assert signed(Decimal(amount), "", kind, family) == expected

    def test_a_memo_row_moved_no_money(self) -> None:
        assert parse_row(row(debitCreditMemo="MEMO"), CHECKING, NEW_YORK) is None


class TestDay:
    @pytest.mark.parametrize(
        ("stamp", "expected"),
        [
            ("2026-03-10T23:30:00-05:00", date(2026, 3, 11)),
            ("2026-03-11T03:30:00Z", date(2026, 3, 10)),
            ("2026-03-11T03:30:00.123Z", date(2026, 3, 10)),
            ("2026-03-11T03:30:00.123456789+0000", date(2026, 3, 10)),
            ("2026-03-11", date(2026, 3, 11)),
            ("2026-03-11T00:00:00Z", date(2026, 3, 11)),
            ("2026-03-11T00:00:00.000+00:00", date(2026, 3, 11)),
            ("2026-03-11T23:59:59", date(2026, 3, 11)),
        ],
    )
    def test_it_is_the_customers(self, stamp: str, expected: date) -> None:
        assert parsed(transactionTimestamp=stamp).transaction.date == expected

    def test_the_posting_day_stands_in(self) -> None:
        assert parsed(transactionTimestamp=None).transaction.date == date(2026, 3, 11)
        assert parsed(transactionTimestamp="not a date").transaction.date == date(2026, 3, 11)

    def test_without_any_day_the_row_cannot_be_counted(self) -> None:
        with pytest.raises(Unreadable, match="Timestamp"):
            parsed(transactionTimestamp=None, postedTimestamp=None)


@pytest.mark.parametrize("amount", [None, "", "abc", True, float("nan"), "NaN", "Infinity", {}, "1e400"])
def test_an_unreadable_amount_is_said_not_skipped(amount: Any) -> None:
    with pytest.raises(Unreadable, match="amount"):
        parsed(amount=amount)


def test_optional_fields_may_be_anything() -> None:
    item = parsed(
        description=7, memo=[1], payee={}, category="food", checkNumber=None, foreignAmount="x", foreignCurrency=3,
        status="NEW_STATUS", referenceTransactionId=False, amount="42.55",
    ).transaction  # fmt: skip
    assert (item.description, item.memo, item.payee, item.mcc) == ("7", "", "", "")
    assert item.status is TransactionStatus.POSTED


@pytest.mark.parametrize("status", ["PENDING", "MEMO", "AUTHORIZATION", "pending"])
def test_what_is_not_final_is_pending(status: str) -> None:
    item = parsed(status=status).transaction
    assert item.is_pending
    assert item.posted_at is None


class TestIds:
    def test_two_equal_rows_of_a_day_are_two(self) -> None:
        for missing in (None, "", "  "):
            page = [parsed(transactionId=missing), parsed(transactionId=missing)]
            items = settle(merge_pages([page]))
            assert len({item.id for item in items}) == 2
            assert settle(merge_pages([page[:1], page[1:]])) == items, "also when a page ends between them"

    def test_an_id_used_for_different_movements_is_no_id(self) -> None:
        items = settle([parsed(amount=Decimal(1)), parsed(amount=Decimal(2))])
        assert len({item.id for item in items}) == 2
        assert "t1" not in {item.id for item in items}

    def test_a_row_repeated_on_the_next_page_is_one(self) -> None:
        """The list moved while we read it."""
        first, second, third = (parsed(transactionId=f"t{n}", amount=Decimal(n)) for n in (1, 2, 3))
        assert len(settle(merge_pages([[first, second], [second, third]]))) == 3

    def test_pending_rows_that_come_with_every_window_are_counted_once(self) -> None:
        waiting = parsed(transactionId=None, status="PENDING")
        assert len(settle(merge_windows([[waiting, waiting], [waiting, waiting], [waiting]]))) == 2

    @settings(deadline=None)
    @given(
        st.lists(
            st.builds(
                lambda name, cents, day: parsed(
                    transactionId=name,
                    amount=Decimal(cents) / 100,
                    transactionTimestamp=(date(2026, 3, 1) + timedelta(days=day)).isoformat(),
                ),
                st.sampled_from([None, " ", "same", "a", "b", "c"]),
                st.integers(1, 3),
                st.integers(0, 2),
            ),
            max_size=20,
        )
    )
    def test_ids_are_unique_and_nothing_is_lost_whatever_the_bank_does(self, page: list[ParsedRow]) -> None:
        items = settle(merge_pages([page]))
        assert len({item.id for item in items}) == len(items)
        assert Counter((i.amount, i.date) for i in items) == Counter(
            (r.transaction.amount, r.transaction.date) for r in page
        )
        assert settle(merge_pages([page])) == items
        assert [item.date for item in items] == sorted((item.date for item in items), reverse=True)

    def test_a_made_up_id_holds_no_words(self) -> None:
        [item] = settle([parsed(transactionId=None, description="SECRET CLINIC")])
        assert "SECRET" not in item.id
        assert item.id.startswith("fp-")


class TestPendingAndPosted:
    def pending(self, **fields: Any) -> ParsedRow:
        return parsed(CARD, **{"transactionId": "p1", "status": "PENDING", "postedTimestamp": None, **fields})

    def posted(self, **fields: Any) -> ParsedRow:
        return parsed(CARD, **{"transactionId": "t9", **fields})

    def test_by_reference(self) -> None:
        [item] = settle([self.pending(), self.posted(referenceTransactionId="p1", amount=Decimal("50.00"))])
        assert (item.id, item.pending_id) == ("t9", "p1")

    def test_the_reference_is_kept_when_the_pending_row_is_gone(self) -> None:
        [item] = settle([self.posted(referenceTransactionId="p1")])
        assert item.pending_id == "p1"

    def test_a_pending_row_known_by_reference_only(self) -> None:
        waiting = self.pending(transactionId=None, referenceTransactionId="r1")
        assert settle([waiting])[0].id == "r1"
        [item] = settle([waiting, self.posted(referenceTransactionId="r1")])
        assert (item.id, item.pending_id) == ("t9", "r1")
        [item] = settle([waiting, self.posted(transactionId="r1")])
        assert item.id == "r1"

    def test_a_refund_refers_to_its_purchase_which_is_no_pending_form(self) -> None:
        refund = self.posted(transactionId="t10", referenceTransactionId="t9", debitCreditMemo="CREDIT")
        items = settle([self.posted(), refund])
        assert [item.pending_id for item in items] == ["", ""]

    def test_a_pending_refund_of_a_posted_purchase_stays(self) -> None:
        refund = self.pending(referenceTransactionId="t9", debitCreditMemo="CREDIT")
        assert len(settle([refund, self.posted()])) == 2

    def test_by_likeness_with_the_same_moment(self) -> None:
        waiting = self.pending(description="CHIPOTLE 8800")
        assert len(settle([waiting, self.posted(description="CHIPOTLE 8800 NEW YORK NY")])) == 1

    def test_by_likeness_with_a_posting_day_only(self) -> None:
        for days, left in [(0, 2), (1, 1), (5, 1), (6, 2), (-1, 2)]:
            stamp = (date(2026, 3, 10) + timedelta(days=days)).isoformat()
            assert len(settle([self.pending(), self.posted(transactionTimestamp=None, postedTimestamp=stamp)])) == left

    @pytest.mark.parametrize(
        "other",
        [{"amount": Decimal("42.56")}, {"debitCreditMemo": "CREDIT"}, {"description": "SHELL OIL 5744"},
         {"description": None}, {"transactionTimestamp": "2026-03-10T15:00:01Z"}, {"referenceTransactionId": "p7"}],
    )  # fmt: skip
    def test_anything_less_stays_apart(self, other: dict[str, Any]) -> None:
        assert len(settle([self.pending(), self.posted(**other)])) == 2

    def test_one_posted_row_stands_for_one_pending_row(self) -> None:
        two = [self.pending(), self.pending(transactionId="p2")]
        assert [item.is_pending for item in settle([*two, self.posted()])] == [True, False]

    def test_yesterdays_coffee_does_not_hide_todays(self) -> None:
        today = self.pending(transactionTimestamp="2026-03-11T13:00:00Z", description="BLUE DOOR CAFE")
        yesterday = self.posted(transactionTimestamp="2026-03-10T13:00:00Z", description="BLUE DOOR CAFE")
        assert len(settle([today, yesterday])) == 2


class TestTruist:
    """The oddities in a real bank's own published examples (made-up figures, the same shapes)."""

    def test_one_id_for_two_postings(self) -> None:
        items = settle([
            parsed(transactionId="6657205677", amount=Decimal("12.00"), description="ONE"),
            parsed(transactionId="6657205677", amount=Decimal("13.00"), description="TWO"),
        ])  # fmt: skip
        assert len({item.id for item in items}) == 2

    def test_pending_without_transaction_id(self) -> None:
        items = settle([
            parsed(transactionId=None, status="PENDING", postedTimestamp=None, referenceTransactionId="r1"),
            parsed(transactionId=None, status="PENDING", postedTimestamp=None, referenceTransactionId="r2"),
        ])  # fmt: skip
        assert {item.id for item in items} == {"r1", "r2"}

    def test_card_rows_without_description_or_memo(self) -> None:
        item = parsed(CARD, description=None, debitCreditMemo=None).transaction
        assert (item.amount.amount, item.description) == (Decimal("-42.55"), "")
