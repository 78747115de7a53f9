"""What must be said about an answer: how old it is, and which banks are not in it."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from assistant.banking.connector import CustomerBank, Dated
from assistant.banking.errors import BankingError, ConsentRequired, LinkExpired
from assistant.banking.period import Period
from assistant.replies.reply import Listed, Literal, Phrase


def caveats(bank: CustomerBank, today: date, *answers: Dated[Any]) -> tuple[Phrase, ...]:
    """One phrase for each kind of trouble in the answers; none when they are fresh and whole.

    The age of a stale answer is told in the customer's days; ``today`` is her date.
    """
    phrases: list[Phrase] = []
    stale = [answer.as_of for answer in answers if answer.stale]
    if stale:
        day = min(stale).astimezone(ZoneInfo(bank.profile.time_zone)).date()
        phrases.append(Phrase("stale_today") if day >= today else Phrase("stale_since", {"when": Period.day_of(day)}))
    troubles: dict[str, list[str]] = {}
    for answer in answers:
        for problem in answer.problems:
            name = bank.bank_name(problem.bank_id)
            names = troubles.setdefault(_key(problem), [])
            if name not in names:
                names.append(name)
    for key, names in troubles.items():
        banks = Listed(tuple(Literal(name) for name in names))
        phrases.append(Phrase(key, {"banks": banks, "count": len(names)}))
    return tuple(phrases)


def _key(problem: BankingError) -> str:
    if isinstance(problem, LinkExpired):
        return "left_out_link_expired"
    if isinstance(problem, ConsentRequired):
        return "left_out_not_allowed"
    return "left_out_unavailable"
