"""Workers killed with -9 again and again, by the database's restart too: every alert once, none lost. It counts."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import SQLAlchemyError
from support.installation import PostgresSchema, settings_in
from support.stub_banks import StubBank, customers_with, linked

from assistant.alerts.preferences import PreferenceDesk
from assistant.alerts.watches import Watches
from assistant.customers.service import Customers
from assistant.storage.tables import AlertDeliveryRow, AlertRow, AlertWatchRow

pytestmark = [pytest.mark.slow, pytest.mark.long, pytest.mark.timeout(400)]

WORKER = Path(__file__).parents[1] / "support" / "alerts_process.py"
FEES = 24


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'tellerline.db'}"
        return
    schema = PostgresSchema()
    # By this name its connections are told from everybody else's.
    yield f"{schema.url}&application_name={schema.name}"
    schema.drop()


class Workers:
    """Two at once, for the same customer: the worst they can do to each other."""

    def __init__(self, folder: Path, url: str) -> None:
        self._command = [sys.executable, str(WORKER), str(folder), url]
        self._environment = {name: value for name, value in os.environ.items() if name != "TELLERLINE_CLOCK"}
        self._log = (folder / "workers.log").open("ab")
        self._running = [self._start(), self._start()]

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self._command, env=self._environment, stdout=self._log, stderr=self._log)

    def kill_one(self, which: int) -> None:
        self._running[which].send_signal(signal.SIGKILL)
        self._running[which].wait()
        self._running[which] = self._start()

    def stop(self) -> None:
        for process in self._running:
            process.kill()
            process.wait()
        self._log.close()


def fee(number: int, *, pending: bool = False, again: bool = False) -> str:
    """Half of them are pending first; of those half post under another id that names the first."""
    at = datetime.now(timezone.utc).replace(microsecond=0) - timedelta(hours=1)
    row = {
        "id": f"fee-{number}-posted" if again else f"fee-{number}",
        "pending_id": f"fee-{number}" if again else "",
        "pending": pending,
        "amount": f"-{number + 1}.00",
        "text": f"OVERDRAFT ITEM FEE {number}",
        "at": at.isoformat(),
    }
    return json.dumps(row) + "\n"


def push(customers: Customers, customer_id: str) -> None:
    with suppress(SQLAlchemyError):  # the bank pushes again
        Watches(customers).push(customer_id, "chase")


def is_done(customers: Customers, customer_id: str, count: int) -> bool:
    with customers.storage.database.read() as session:
        sent = session.scalars(select(AlertDeliveryRow.alert_id).where(AlertDeliveryRow.state == "sent")).all()
    return len(sent) >= count


def test_every_alert_once_and_none_lost(tmp_path: Path, url: str) -> None:
    customers = customers_with(tmp_path, StubBank("chase"), settings=settings_in(tmp_path, database_url=url))
    customer = linked(customers, "chase")
    desk = PreferenceDesk(customers.storage)
    desk.set_quiet(customer.id, None)
    desk.set_cap(customer.id, 1000)
    bank = tmp_path / "bank.jsonl"
    bank.write_text("")
    dice = random.Random(7)
    workers = Workers(tmp_path, url)
    try:
        wait_for_first_look(customers, customer.id)
        for number in range(FEES):
            with bank.open("a") as file:
                file.write(fee(number, pending=number % 2 == 0))
                if number % 4 == 0:
                    file.write(fee(number, again=True))
            for _ in range(dice.choice((1, 3, 40))):
                push(customers, customer.id)
            time.sleep(dice.uniform(0.05, 0.6))
            if number % 2 == 0:
                workers.kill_one(dice.randrange(2))
            if number % 8 == 7 and not customers.storage.database.is_sqlite:
                drop_connections(customers)
        # What died in the middle of a send is tried again once its claim ends.
        deadline = time.monotonic() + 200
        while not is_done(customers, customer.id, FEES) and time.monotonic() < deadline:
            push(customers, customer.id)
            time.sleep(1)
    finally:
        workers.stop()
    with customers.storage.database.read() as session:
        alerts = session.scalars(select(AlertRow.id)).all()
    shown = [json.loads(line) for line in (tmp_path / "shown.jsonl").read_text().splitlines()]
    by_key = {line["key"]: tuple(line["alerts"]) for line in shown}
    told = Counter(alert_id for alert_ids in by_key.values() for alert_id in alert_ids)
    assert len(alerts) == FEES, "none lost, none found twice"
    assert told == dict.fromkeys(alerts, 1), "each shown in one message"


def wait_for_first_look(customers: Customers, customer_id: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with customers.storage.database.read() as session:
            row = session.get(AlertWatchRow, (customer_id, "chase"))
        if row is not None and row.looked_at is not None:
            return
        time.sleep(0.1)
    raise AssertionError("no worker looked")


def drop_connections(customers: Customers) -> None:
    """What a restart of the server does to everybody connected, this process included."""
    with suppress(SQLAlchemyError), customers.storage.database.engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND application_name = current_setting('application_name')"
            )
        )
