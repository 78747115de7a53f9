"""Looking at one link: what the bank shows, what is new, and both kept with the alerts in one commit."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone

from sqlalchemy.orm import Session

from assistant.alerts.alert import Alert, Answer
from assistant.alerts.detectors.fraud import FraudDetector
from assistant.alerts.fraud.score import Scorer
from assistant.alerts.lessons import Lessons
from assistant.alerts.lookout import Lookout, period_of, wants_daily
from assistant.alerts.memory import Memory
from assistant.alerts.outbox import Outbox
from assistant.alerts.preferences import PreferenceDesk
from assistant.alerts.watches import Watch, Watches, after_failure, next_look
from assistant.banking import clock
from assistant.banking.account import Account, AccountFamily, Balances
from assistant.banking.errors import BankingError, ConsentRequired, LinkExpired, NotLinked, RateLimited
from assistant.banking.purpose import Purpose
from assistant.banking.transaction import Transaction
from assistant.customers.gate import Access
from assistant.customers.identity import Customer, key_owner
from assistant.customers.service import Customers
from assistant.storage.db import LockTimeout
from assistant.storage.keys import KeyDestroyed
from assistant.storage.tables import AlertWatchRow

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the bank showed; ``transactions`` enriched, newest first."""

    accounts: tuple[Account, ...]
    transactions: tuple[Transaction, ...]
    balances: Mapping[str, Balances]


class Watcher:
    def __init__(
        self, customers: Customers, watches: Watches, outbox: Outbox, preferences: PreferenceDesk, lessons: Lessons
    ) -> None:
        self._customers = customers
        self._storage = customers.storage
        self._watches = watches
        self._outbox = outbox
        self._preferences = preferences
        self._lessons = lessons
        self._lookout = Lookout(FraudDetector(Scorer(lessons.evidence), lessons.rate, lessons))

    def look(self, watch: Watch) -> int:
        """Look once. Returns how many alerts are new. Never raises a banking error: it is noted and tried again.

        Killed at any point, it has happened or it has not: what was seen and what is to be told are one commit.
        """
        customer = self._watches.reader(watch.customer_id, watch.bank_id)
        if customer is None:
            self._watches.forget(watch.customer_id, watch.bank_id)
            return 0
        try:
            # Whoever comes second finds nothing new; it need not wait for that.
            with self._storage.database.lock(f"alerts {watch.customer_id} {watch.bank_id}", seconds=0.05):
                return self._look(watch, customer)
        except (ConsentRequired, NotLinked, KeyDestroyed):
            self._watches.forget(watch.customer_id, watch.bank_id)
        except LockTimeout:
            self._watches.put_off(watch, clock.now())
        except BankingError as error:
            self._failed(watch, customer, error)
        return 0

    def learn(self, alert: Alert) -> None:
        """Her answer teaches the score. Taken back, it can't be unlearned; one answer weighs little."""
        if alert.answer is None or not alert.transactions:
            return
        with self._storage.database.lock(f"alerts {alert.customer_id} {alert.bank_id}"):
            with self._storage.database.write() as session:
                row = session.get(AlertWatchRow, (alert.customer_id, alert.bank_id))
                if row is None or row.sealed is None:
                    return
                memory = self._memory(row)
                with self._lessons.lock:
                    for one in alert.transactions:
                        root = memory.seen.root_of(one)
                        self._lookout.fraud.answered(memory, root, alert.answer is Answer.NO)
                row.sealed = self._seal(alert.customer_id, alert.bank_id, memory)
            with self._lessons.lock:
                self._lessons.save()

    def _look(self, watch: Watch, customer: Customer) -> int:
        now = clock.now()
        with self._storage.database.read() as session:
            row = session.get(AlertWatchRow, (watch.customer_id, watch.bank_id))
        if row is None:
            return 0
        memory, asked = self._memory(row), row.asked
        zone = customer.profile.time_zone
        daily = wants_daily(memory, now, zone)
        shown = self._ask(customer, watch.bank_id, now, daily)
        chosen = self._preferences.of(watch.customer_id)
        with self._lessons.lock:
            found = self._lookout.look(
                memory, shown.accounts, shown.transactions, shown.balances, chosen, now, zone, daily=daily
            )
        cipher = self._storage.keys.cipher(key_owner(watch.customer_id))
        with self._storage.database.write() as session:
            new = self._outbox.put_within(session, cipher, watch.customer_id, watch.bank_id, found)
            self._note(session, watch, memory, asked, _latest(shown.transactions, row.active_at, now))
        return new

    def _note(self, session: Session, watch: Watch, memory: Memory, asked: int, active_at: datetime) -> None:
        row = session.get(AlertWatchRow, (watch.customer_id, watch.bank_id), with_for_update=True)
        if row is None:
            raise NotLinked("not watched any more", bank_id=watch.bank_id)  # nothing of this look is kept
        now = clock.now()
        row.sealed = self._seal(watch.customer_id, watch.bank_id, memory)
        row.looked_at, row.active_at, row.failures, row.claimed_until = now, active_at, 0, None
        row.answered = asked
        # A push that came while we looked may be about what we did not see any more.
        row.due_at = next_look(now, active_at) if row.asked == asked else now

    def _ask(self, customer: Customer, bank_id: str, now: datetime, daily: bool) -> _Shown:
        """Raises banking.errors. Complete or an error: half of what there is would look like the rest was gone."""
        access = self._customers.shared.gate.door(customer).open(Purpose.ALERTS, [bank_id]).accesses[0]
        accounts = access.accounts()
        period = period_of(now, customer.profile.time_zone, daily=daily)
        watched = [one for one in accounts if one.kind.family in (AccountFamily.DEPOSIT, AccountFamily.CREDIT)]
        found = [one for account in watched for one in access.transactions(account, period)]
        enriched = self._customers.shared.enricher.enrich(found, accounts)
        newest_first = tuple(sorted(enriched, key=lambda one: one.date, reverse=True))
        asked = watched if daily else [one for one in watched if one.kind.family is AccountFamily.DEPOSIT]
        return _Shown(accounts, newest_first, _balances(access, asked))

    def _failed(self, watch: Watch, customer: Customer, error: BankingError) -> None:
        now = clock.now()
        logger.info("bank %s could not be watched: %s %s", watch.bank_id, type(error).__name__, error.code)
        if isinstance(error, LinkExpired):
            self._customers.shared.vault.expired(customer.id, watch.bank_id, now)
        retry_at = error.retry_at if isinstance(error, RateLimited) else None
        self._watches.failed(watch, after_failure(now, watch.failures + 1, retry_at))

    def _memory(self, row: AlertWatchRow) -> Memory:
        if row.sealed is None:
            return Memory()
        cipher = self._storage.keys.cipher(key_owner(row.customer_id))
        return Memory.decoded(cipher.open(row.sealed, _place(row.bank_id)))

    def _seal(self, customer_id: str, bank_id: str, memory: Memory) -> bytes:
        return self._storage.keys.cipher(key_owner(customer_id)).seal(memory.encoded(), _place(bank_id))


def _balances(access: Access, accounts: Sequence[Account]) -> dict[str, Balances]:
    found = (access.balances(account) for account in accounts)
    return {balances.account_id: balances for balances in found}


def _latest(transactions: Sequence[Transaction], before: datetime, now: datetime) -> datetime:
    """When something last happened, as far as the bank says; never in the future."""
    moments = [one.transacted_at or one.posted_at for one in transactions[:20]]
    known = [moment.astimezone(timezone.utc) for moment in moments if moment is not None and moment <= now]
    return max([before, *known])


def _place(bank_id: str) -> str:
    return f"alert_watches.sealed:{bank_id}"
