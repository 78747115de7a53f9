"""What the customer is told when her bank, or her consent, does not allow an answer: what happened, what she can do."""

from __future__ import annotations

from assistant.banking.connector import CustomerBank
from assistant.banking.errors import (
    AccountNotFound,
    BankingError,
    BankUnavailable,
    ConsentRequired,
    HistoryTooLong,
    HistoryTooOld,
    LinkExpired,
    NotLinked,
    NotSupported,
    RateLimited,
)
from assistant.replies.reply import Choice, Literal, Phrase, Reply, Term


def apology(error: BankingError, bank: CustomerBank | None) -> Reply:
    """The reply for an error that ended the question."""
    name = bank.bank_name(error.bank_id) if bank is not None and error.bank_id else ""
    who = {"bank": Literal(name) if name else Term("word", "your_bank")}
    if isinstance(error, ConsentRequired):
        phrase = Phrase(f"consent_offer_{error.purpose.value}", who)
        return Reply((phrase,), choices=(Choice("yes"), Choice("no_thanks")), expects_answer=True)
    if isinstance(error, NotLinked):
        return Reply((Phrase(error.wording),), choices=(Choice("link"),))
    if isinstance(error, LinkExpired):
        return Reply((Phrase(error.wording, who),), choices=(Choice("link"),))
    if isinstance(error, BankUnavailable):
        key = "error_bank_slow" if error.slow else "error_bank_maintenance" if error.maintenance else error.wording
        return Reply((Phrase(key, who),), choices=(Choice("try_again"), Choice("meant_talk_to_person")))
    if isinstance(error, HistoryTooOld):
        return Reply((Phrase(error.wording, who),), choices=(Choice("last_year"), Choice("meant_ask_transactions")))
    if isinstance(error, RateLimited | AccountNotFound | HistoryTooLong | NotSupported):
        return Reply((Phrase(error.wording, who),))
    return Reply((Phrase("error_bank_unavailable", who),), choices=(Choice("try_again"),))
