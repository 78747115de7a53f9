"""A customer who is watched, a bank whose books a test writes, and a channel that notes what it was given."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path

import pytest
from support.fake_bank import account
from support.stub_banks import StubBank, customers_with, linked

from assistant.alerts.kinds import AlertKind
from assistant.alerts.sender import AlertMessage
from assistant.alerts.service import Alerts, open_alerts
from assistant.alerts.watches import Watch
from assistant.alerts.worker import Worker
from assistant.banking.account import AccountKind, Balances
from assistant.banking.clock import CLOCK_VARIABLE
from assistant.banking.money import Money
from assistant.banking.transaction import Transaction, TransactionStatus
from assistant.customers.identity import Customer
from assistant.customers.service import Customers
from assistant.settings import Settings

CHECKING = account(AccountKind.CHECKING, "Everyday Checking", mask="4729", bank_id="chase")
CARD = account(AccountKind.CREDIT_CARD, "Cash Rewards Visa", mask="3391", bank_id="chase")
#: Noon in New York, a Wednesday: no quiet hours, no weekly summary.
NOON = datetime(2026, 3, 18, 16, tzinfo=timezone.utc)


@dataclass
class Channel:
    """An AlertSender. Tells repeats by their key, as a channel that can does. ``raises``: what the next calls do."""

    channel: str = "cmdline"
    taken: list[AlertMessage] = field(default_factory=list)
    shown: dict[str, AlertMessage] = field(default_factory=dict)
    raises: list[Exception] = field(default_factory=list)

    def send(self, message: AlertMessage) -> None:
        self.taken.append(message)
        if self.raises:
            raise self.raises.pop(0)
        self.shown.setdefault(message.key, message)

    def kinds(self) -> Counter[AlertKind]:
        return Counter(kind for message in self.shown.values() for kind in message.kinds)

    def alert_ids(self) -> list[str]:
        return [alert_id for message in self.shown.values() for alert_id in message.alert_ids]


class Watched:
    """One installation with one customer; its clock stands still until ``at`` moves it."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, channels: Sequence[Channel] | None = None,
        settings: Settings | None = None,
    ) -> None:  # fmt: skip
        self._environment = monkeypatch
        self.at(NOON)
        self.bank = StubBank("chase", accounts=[CHECKING, CARD], balances=[self._holds(2000), Balances(CARD.id)])
        self.customers: Customers = customers_with(folder, self.bank, settings=settings)
        self.customer: Customer = linked(self.customers, "chase")
        self.channels = list(channels) if channels is not None else [Channel()]
        self.restart()

    @staticmethod
    def _holds(dollars: int | str) -> Balances:
        return Balances(CHECKING.id, available=Money(Decimal(dollars), "USD"))

    def restart(self) -> None:
        """As a new process would: nothing is left in memory."""
        self.alerts: Alerts = open_alerts(self.customers, self.channels)

    def at(self, moment: datetime) -> None:
        self.now = moment
        self._environment.setenv(CLOCK_VARIABLE, moment.isoformat())
        assert os.environ[CLOCK_VARIABLE]

    def later(self, **span: float) -> None:
        self.at(self.now + timedelta(**span))

    def holds(self, dollars: int | str) -> None:
        self.bank.balances = [self._holds(dollars), Balances(CARD.id)]

    def shows(self, *more: Transaction) -> None:
        self.bank.history = [*self.bank.history, *more]

    def look(self) -> int:
        """One look, whether it is due or not."""
        self.alerts.watches.follow()
        watch = self.alerts.watches.claim(self.customer.id, "chase")
        assert isinstance(watch, Watch)
        return self.alerts.watcher.look(watch)

    def deliver(self) -> int:
        return self.alerts.delivery.deliver(self.customer.id)

    def work(self) -> None:
        """All that is due now, looked at and delivered."""
        worker = Worker(self.alerts)
        while worker.step():
            worker.drain()
        worker.close()


def paid(
    amount: str,
    merchant: str,
    moment: datetime = NOON,
    *,
    id: str,
    pending: bool = False,
    on: str = CARD.id,
    **more: object,
) -> Transaction:
    """A purchase on the card; ``amount`` negative is money out. What the enricher reads is the description."""
    made = Transaction(
        id=id,
        account_id=on,
        amount=Money(Decimal(amount), "USD"),
        date=moment.date(),
        status=TransactionStatus.PENDING if pending else TransactionStatus.POSTED,
        description=merchant,
        transacted_at=moment,
    )
    return replace(made, **more)  # type: ignore[arg-type]
