"""A worker that may be killed: ``python alerts_process.py FOLDER DATABASE_URL CUSTOMER_ID``.

Its bank shows what is in FOLDER/bank.jsonl; its channel writes each message to FOLDER/shown.jsonl.
"""

# ruff: noqa: E402 - the folder of the tests is put on the path first

from __future__ import annotations

import json
import os
import sys
import threading
import time
from datetime import datetime
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from support.alerts import CARD, CHECKING, paid
from support.installation import settings_in
from support.stub_banks import StubBank, customers_with

from assistant.alerts.sender import AlertMessage
from assistant.alerts.service import open_alerts
from assistant.alerts.worker import Worker
from assistant.banking.account import Balances


class FileChannel:
    """Shows a message by one line in a file. The same key again is the same message: whoever counts, counts keys."""

    channel = "cmdline"

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, message: AlertMessage) -> None:
        line = json.dumps({"key": message.key, "alerts": message.alert_ids}) + "\n"
        with self._path.open("a") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        time.sleep(0.02)  # so that a kill meets the moment between showing and noting


def shows(path: Path) -> list[object]:
    rows = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return [
        paid(row["amount"], row["text"], datetime.fromisoformat(row["at"]), id=row["id"], pending=row["pending"],
             pending_id=row["pending_id"])
        for row in rows
    ]  # fmt: skip


def main(folder: Path, url: str) -> None:
    bank = StubBank("chase", accounts=[CHECKING, CARD], balances=[Balances(CHECKING.id), Balances(CARD.id)])

    def read(what: str) -> None:
        if what == "accounts":
            bank.history = shows(folder / "bank.jsonl")  # type: ignore[assignment]

    bank.on_call = read
    customers = customers_with(folder, bank, settings=settings_in(folder, database_url=url))
    alerts = open_alerts(customers, [FileChannel(folder / "shown.jsonl")])
    Worker(alerts).run(threading.Event())


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
