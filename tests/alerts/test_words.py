from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from support.fake_bank import account, txn, usd

from assistant.alerts.words import opened_words, sealed_words
from assistant.banking.period import Period
from assistant.replies.reply import Listed, Literal, Percent, Phrase, Term


def test_words_come_back_as_they_were() -> None:
    inner = Phrase("why", {"times": 4, "text": "x", "rate": Percent(Decimal("2.50"))})
    say = (
        Phrase("all", {
            "amount": usd("12.30"), "day": date(2026, 3, 15), "when": Period.month_of(date(2026, 3, 1)),
            "merchant": Literal("{amount}"), "term": Term("day", "1"), "account": account(mask="4729"),
            "names": Listed((Literal("A"), usd(1), inner), "or"), "inner": inner,
        }),
    )  # fmt: skip
    transactions = (txn("-5.00", "2026-03-02", "SHOP", pending=True),)
    assert opened_words(sealed_words(say, transactions)) == (say, transactions)


def test_what_cannot_be_kept_is_refused() -> None:
    with pytest.raises(TypeError, match="float"):
        sealed_words((Phrase("x", {"amount": 1.5}),), ())  # type: ignore[dict-item]
