"""A card transaction that does not look like hers: the score, and what it says for itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Protocol
from zoneinfo import ZoneInfo

from assistant.alerts.alert import Found
from assistant.alerts.detectors.view import View
from assistant.alerts.fraud.merchant import MerchantRisk
from assistant.alerts.fraud.purchase import Purchase
from assistant.alerts.fraud.rate import AlertRate
from assistant.alerts.fraud.reasons import Look, Reason
from assistant.alerts.fraud.score import Score, Scorer
from assistant.alerts.kinds import AlertKind
from assistant.alerts.memory import Memory, Unanswered
from assistant.alerts.seen import Fresh
from assistant.banking.account import AccountFamily
from assistant.banking.money import Money
from assistant.banking.transaction import Transaction
from assistant.replies.reply import Listed, Literal, Phrase, Value
from assistant.skills.matching import name_of
from assistant.skills.series import OWED

#: What is no use of the card, though it may be on a card account.
_NO_PURCHASE = frozenset({"card_payment", "fees", "interest", "transfer", "income", "rent", "mortgage", "loan_payment"})
#: Merchant category codes of sellers one never meets (ISO 18245: direct marketing, digital goods, quasi cash).
_REMOTE_MCC = frozenset(
    {"4816", "5815", "5816", "5817", "5818", "5960", "5964", "5965", "5966", "5967", "5968", "5969", "6051"}
)
_REMOTE_TEXT = re.compile(r"WWW\.|\.COM\b|\.NET\b|\b\d{3}-\d{3}-?\d{4}\b|\b\d{3}-\d{7}\b")
#: Reasons that are said, at most.
_SAID = 2
#: Beside a purchase that looks stolen, on the same card within a day, the line is so many times lower.
_BESIDE = 5.0


class Risks(Protocol):
    """What is known of merchants; kept for all customers together."""

    def of(self, merchant: str) -> MerchantRisk: ...


class FraudDetector:
    """Scores each new card purchase once. ``wait``: seconds until a purchase without an answer counts as honest.
    Not safe for several threads at once, like its scorer."""

    def __init__(self, scorer: Scorer, rate: AlertRate, risks: Risks, wait: float = 7 * 86_400.0) -> None:
        self._scorer = scorer
        self._rate = rate
        self._risks = risks
        self._wait = wait

    def find(self, view: View, memory: Memory) -> Iterator[Found]:
        scored = [
            (fresh, self._scored(fresh.root, fresh.transaction, view, memory))
            for fresh in view.news.fresh
            if is_card_purchase(fresh.transaction, view)
        ]
        for account_id in dict.fromkeys(fresh.transaction.account_id for fresh, _ in scored):
            yield from self._theft([one for one in scored if one[0].transaction.account_id == account_id], view)

    def _theft(self, scored: Sequence[tuple[Fresh, Score]], view: View) -> Iterator[Found]:
        """One alert for all on one card: whoever steals a card uses it more than once."""
        high = [one for one in scored if self._rate.is_high(one[1].chance)]
        if not high:
            return
        days = {fresh.transaction.date for fresh, _ in high}
        around = [
            fresh.transaction
            for fresh, score in scored
            if self._rate.is_high(score.chance, times=_BESIDE)
            and min(abs(fresh.transaction.date - day) for day in days) <= timedelta(days=1)
        ]
        fresh, score = max(high, key=lambda one: one[1].chance)
        others = [one for one in reversed(around) if one is not fresh.transaction]
        say = [*_say(fresh.transaction, score, view)]
        if others:
            say.append(Phrase("alert_fraud_more", {"count": len(others)}))
        amount = abs(fresh.transaction.amount)
        yield Found(AlertKind.FRAUD, high[0][0].root, tuple(say), (fresh.transaction, *others), amount)

    def study(self, view: View, memory: Memory) -> None:
        """Learn what is usual from the history there was before anything is watched."""
        for one in sorted(view.history, key=_moment):
            if is_card_purchase(one, view):
                self._scored(memory.seen.root_of(one), one, view, memory)
        memory.unanswered.clear()

    def settle(self, memory: Memory, now: float) -> None:
        """What nobody spoke up about in time was honest."""
        for root, one in list(memory.unanswered.items()):
            if one.at + self._wait <= now:
                del memory.unanswered[root]
                self._scorer.learn(one.at, one.look, self._risks.of(one.merchant), fraud=False)

    def answered(self, memory: Memory, root: str, fraud: bool) -> None:
        """She spoke up."""
        one = memory.unanswered.pop(root, None)
        if one is not None:
            self._scorer.learn(one.at, one.look, self._risks.of(one.merchant), fraud=fraud)
        if not fraud:
            memory.habits.forgive()

    def _scored(self, root: str, one: Transaction, view: View, memory: Memory) -> Score:
        purchase = _purchase(one, view.time_zone)
        score = self._scorer.score(purchase, memory.habits, self._risks.of(purchase.merchant))
        self._scorer.passed(purchase, score, memory.habits)
        self._rate.add(score.chance)
        memory.unanswered[root] = Unanswered(purchase.at, purchase.merchant, score.look)
        return score


def is_card_purchase(one: Transaction, view: View) -> bool:
    """On a card account, or with a debit card: the bank then names the merchant's category code, and it is no bill."""
    account = view.accounts.get(one.account_id)
    if account is None or one.internal or not one.is_outflow or one.category in _NO_PURCHASE:
        return False
    if account.kind.family is AccountFamily.CREDIT:
        return True
    return account.kind.family is AccountFamily.DEPOSIT and bool(one.mcc) and one.category not in OWED


def merchant_mark(name: str) -> str:
    """Short, so that the names of a hundred merchants fit into a profile."""
    return hashlib.blake2b(name.upper().encode(), digest_size=6).hexdigest()


def _moment(one: Transaction) -> tuple[date, float]:
    return one.date, one.transacted_at.timestamp() if one.transacted_at else 0.0


def _purchase(one: Transaction, time_zone: str) -> Purchase:
    moment = one.transacted_at.astimezone(ZoneInfo(time_zone)) if one.transacted_at else None
    # Midnight sharp is how banks write that they don't know.
    timed = moment is not None and (moment.hour, moment.minute, moment.second) != (0, 0, 0)
    at = moment.timestamp() if moment else (one.date - date(1970, 1, 1)).days * 86_400.0 + 43_200
    return Purchase(
        merchant=merchant_mark(name_of(one)),
        amount=float(abs(one.amount.amount)),
        at=at,
        hour=moment.hour if moment and timed else -1,
        category=one.category if one.category != "uncategorized" else "",
        country=one.foreign_amount.currency if one.foreign_amount else one.amount.currency,
        remote=one.mcc in _REMOTE_MCC or bool(_REMOTE_TEXT.search(one.description.upper())),
    )


def _say(one: Transaction, score: Score, view: View) -> Iterator[Phrase]:
    values: dict[str, Value] = {
        "merchant": Literal(name_of(one)),
        "amount": abs(one.amount),
        "day": one.date,
        "account": view.accounts[one.account_id],
    }
    yield Phrase("alert_fraud", values)
    whys = [why for why in (_why(reason, one, score.look) for reason in score.reasons) if why is not None][:_SAID]
    if whys:
        yield Phrase("alert_fraud_why", {"reasons": Listed(tuple(whys))})


def _why(reason: Reason, one: Transaction, look: Look) -> Phrase | None:
    """The reason in words, as a part of a sentence; None where it would say nothing."""
    cell = look.cells[tuple(Reason).index(reason)]
    if reason is Reason.AMOUNT:
        if look.times < 1.8:
            return None
        usual = Money(Decimal(str(round(look.usual, 2))), one.amount.currency)
        times = round(look.times)
        return Phrase("alert_why_amount", {"count": times, "usual": usual}) if times > 1 else None
    if reason is Reason.PLACE:
        level = (cell // 4 + 1) // 2
        return Phrase(_PLACES[level]) if level in _PLACES else None
    if reason is Reason.HOUR:
        return Phrase("alert_why_hour")
    if reason is Reason.PACE:
        return Phrase("alert_why_pace", {"count": cell // 4 + 1})
    return Phrase(f"alert_why_{reason.value}")


_PLACES: Mapping[int, str] = {1: "alert_why_merchant_new", 2: "alert_why_kind_new", 3: "alert_why_country_new"}
