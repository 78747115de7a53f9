"""Step-up: a code the customer set outside the channel, asked for before what must not be done by whoever
happens to hold the phone.

Asking is a value, not an exception: ``begin`` gives a Challenge that says what it is for; the conversation
carries it, and ``answer`` resumes. A Challenge holds no authority: it only says what to go on with. The code is
kept as an argon2id hash, never echoed, never logged. Three wrong tries lock it until it is set anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from itertools import pairwise
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete, select, update

from assistant.banking import clock
from assistant.customers.identity import Customer
from assistant.storage.db import Database
from assistant.storage.tables import StepUpPassRow, StepUpRow

MAX_TRIES = 3
MIN_DIGITS, MAX_DIGITS = 6, 12
#: How long after the code, or its last use, a conversation may stay silent before it is asked for again.
IDLE: Mapping[str, timedelta] = {
    "alexa": timedelta(minutes=2),
    "dialogflow": timedelta(minutes=2),
    "phone": timedelta(minutes=2),
    "cmdline": timedelta(minutes=10),
    "rest": timedelta(minutes=10),
}
IDLE_ELSEWHERE = timedelta(minutes=5)


class WeakCode(ValueError):
    """The code is too short, too long, not digits, or the first anybody would try."""


class Result(str, Enum):
    PASSED = "passed"
    WRONG = "wrong"  #: try again
    LOCKED = "locked"  #: until a new code is set outside the channel
    NOT_SET = "not_set"  #: offer to set one, outside the channel


@dataclass(frozen=True, slots=True)
class Challenge:
    """What waits for the code: ``action`` ("erase", "export") and its plain details. May travel in a slot."""

    action: str
    details: Mapping[str, str]

    def to_slot(self) -> dict[str, Any]:
        return {"action": self.action, "details": dict(self.details)}

    @classmethod
    def from_slot(cls, slot: object) -> Challenge | None:
        """None for anything malformed: a slot can be filled by hand."""
        if not isinstance(slot, Mapping) or not isinstance(slot.get("action"), str):
            return None
        details = slot.get("details")
        if not isinstance(details, Mapping):
            return None
        return cls(slot["action"], {str(key): str(value) for key, value in details.items()})


@dataclass(frozen=True, slots=True)
class Answered:
    """``tries_left`` counts what remains after a wrong code."""

    result: Result
    tries_left: int = 0


class StepUp:
    def __init__(self, database: Database, hasher: PasswordHasher | None = None) -> None:
        self._database = database
        self._hasher = hasher or PasswordHasher()

    def set_code(self, customer_id: str, code: str) -> None:
        """From outside the channel only (the hosted page). Unlocks; ends what was passed. Raises WeakCode."""
        digits = _digits(code)
        if _is_weak(digits):
            raise WeakCode(f"a code has {MIN_DIGITS} to {MAX_DIGITS} digits, and not a run or a repetition")
        row = StepUpRow(customer_id=customer_id, code_hash=self._hasher.hash(digits), failures=0, set_at=clock.now())
        with self._database.write() as session:
            session.merge(row)
            session.execute(delete(StepUpPassRow).where(StepUpPassRow.customer_id == customer_id))

    def state(self, customer_id: str) -> Result:
        """NOT_SET, LOCKED, or WRONG: a right code is still to be given."""
        with self._database.read() as session:
            row = session.get(StepUpRow, customer_id)
        if row is None:
            return Result.NOT_SET
        return Result.LOCKED if row.failures >= MAX_TRIES else Result.WRONG

    def begin(self, customer: Customer, action: str, details: Mapping[str, str] | None = None) -> Challenge | None:
        """What to ask the code for; None when this conversation has given it and was not idle since."""
        return None if self.has_passed(customer) else Challenge(action, dict(details or {}))

    def has_passed(self, customer: Customer) -> bool:
        """Whether the code was given in this conversation; being asked counts as use."""
        now = clock.now()
        oldest = now - IDLE.get(customer.channel, IDLE_ELSEWHERE)
        with self._database.write() as session:
            used = session.execute(
                update(StepUpPassRow)
                .where(
                    StepUpPassRow.conversation_id == customer.conversation_id,
                    StepUpPassRow.customer_id == customer.id,
                    StepUpPassRow.used_at > oldest,
                    StepUpPassRow.customer_id.in_(select(StepUpRow.customer_id).where(StepUpRow.failures < MAX_TRIES)),
                )
                .values(used_at=now)
                .returning(StepUpPassRow.conversation_id)
            ).first()
        return used is not None

    def answer(self, customer: Customer, code: str) -> Answered:
        """Try a code. A try is counted before it is looked at, so that many at once are not more than three."""
        with self._database.write() as session:
            row = session.execute(
                update(StepUpRow)
                .where(StepUpRow.customer_id == customer.id, StepUpRow.failures < MAX_TRIES)
                .values(failures=StepUpRow.failures + 1)
                .returning(StepUpRow.code_hash, StepUpRow.failures)
            ).first()
        if row is None:
            return Answered(self.state(customer.id))
        code_hash, failures = row
        if not self._matches(code_hash, _digits(code)):
            left = MAX_TRIES - failures
            return Answered(Result.WRONG if left else Result.LOCKED, left)
        with self._database.write() as session:
            session.execute(update(StepUpRow).where(StepUpRow.customer_id == customer.id).values(failures=0))
            session.merge(
                StepUpPassRow(conversation_id=customer.conversation_id, customer_id=customer.id, used_at=clock.now())
            )
        return Answered(Result.PASSED)

    def leave(self, customer: Customer) -> None:
        """Ask again from now on: the conversation ended."""
        with self._database.write() as session:
            session.execute(delete(StepUpPassRow).where(StepUpPassRow.conversation_id == customer.conversation_id))

    def forget_old(self) -> None:
        """Housekeeping: drop passes that no channel would honour any more."""
        oldest = clock.now() - max(IDLE_ELSEWHERE, *IDLE.values())
        with self._database.write() as session:
            session.execute(delete(StepUpPassRow).where(StepUpPassRow.used_at <= oldest))

    def _matches(self, code_hash: str, digits: str) -> bool:
        try:
            return self._hasher.verify(code_hash, digits)
        except (VerifyMismatchError, InvalidHashError):
            return False


def _digits(code: str) -> str:
    """As typed or spoken: spaces and dashes don't count."""
    return "".join(character for character in code if character not in " -\t")


def _is_weak(digits: str) -> bool:
    if not (digits.isascii() and digits.isdigit() and MIN_DIGITS <= len(digits) <= MAX_DIGITS):
        return True
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(digits)}
    return steps in ({0}, {1}, {9})
