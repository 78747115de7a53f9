"""What was asked about payments that come back, with the series to answer it from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from assistant.banking.account import Account
from assistant.banking.connector import CustomerBank
from assistant.replies.reply import Phrase
from assistant.skills.focus import Focus
from assistant.skills.series import Series


@dataclass(frozen=True, slots=True)
class Question:
    """``payments`` are the outgoing series that fit the question, ``pay`` the incoming ones; both with those that
    have stopped. ``accounts`` are the ones meant: those named, else all. ``notes`` say what the answer lacks.
    """

    bank: CustomerBank
    focus: Focus
    today: date
    accounts: tuple[Account, ...]
    payments: tuple[Series, ...]
    pay: tuple[Series, ...]
    notes: tuple[Phrase, ...]

    @property
    def narrowed(self) -> bool:
        """Whether a merchant or a category was named."""
        return bool(self.focus.merchant or self.focus.category)

    def active(self) -> tuple[Series, ...]:
        """The payments still running."""
        return tuple(each for each in self.payments if each.active)
