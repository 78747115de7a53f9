"""What the score has learned, shared by all workers: read at the start, added to now and then.

Counts are statistics: those of the last minute may be lost with a killed process, nothing else hangs on them. What a
customer answered is kept with the alert.
"""

from __future__ import annotations

import threading
from datetime import datetime, timezone

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from assistant.alerts.fraud.evidence import Evidence
from assistant.alerts.fraud.merchant import MerchantRisk
from assistant.alerts.fraud.rate import AlertRate
from assistant.alerts.fraud.reasons import Reason
from assistant.alerts.fraud.starting import starting_chances
from assistant.storage.open import Storage
from assistant.storage.tables import FraudCountRow, MerchantRiskRow

#: The scores themselves are counted under this name, for the line of AlertRate.
_RATE = "rate"
_KEY = "alert merchants"
_REASONS = frozenset(reason.value for reason in Reason)


class Lessons:
    """``evidence`` and ``rate`` are this process's; ``save`` adds what it learned to everybody's and takes in theirs.
    Also the Risks of the fraud detector. Use under ``lock``."""

    def __init__(self, storage: Storage, per_thousand: float) -> None:
        self._database = storage.database
        self._cipher = storage.keys.cipher_or_new(_KEY)
        self.lock = threading.Lock()
        self.evidence = Evidence(starting_chances())
        self.rate = AlertRate(per_thousand)
        self._risks: dict[str, MerchantRisk] = {}
        self._kept: set[str] = set()
        self._load()

    def of(self, merchant: str) -> MerchantRisk:
        """As kept; what is learned of it is saved by ``save``."""
        risk = self._risks.get(merchant)
        if risk is None:
            with self._database.read() as session:
                row = session.get(MerchantRiskRow, self._mark(merchant))
            risk = MerchantRisk(row.run, row.first_at.timestamp(), row.last_at.timestamp()) if row else MerchantRisk()
            self._risks[merchant] = risk
            if row is not None:
                self._kept.add(merchant)
        return risk

    def save(self) -> None:
        """Raises what the database raises."""
        counts = [(reason.value, cell, *learned) for (reason, cell), learned in self.evidence.take_new().items()]
        counts += [(_RATE, cell, 0.0, count) for cell, count in self.rate.take_new().items()]
        insert = sqlite.insert if self._database.is_sqlite else postgresql.insert
        with self._database.write() as session:
            for reason, cell, frauds, total in sorted(counts):
                new = insert(FraudCountRow).values(reason=reason, cell=cell, frauds=frauds, total=total)
                more = {
                    "frauds": FraudCountRow.frauds + new.excluded.frauds,
                    "total": FraudCountRow.total + new.excluded.total,
                }
                session.execute(new.on_conflict_do_update(index_elements=["reason", "cell"], set_=more))
            for merchant, risk in self._risks.items():
                if risk.run or merchant in self._kept:
                    session.merge(self._row(merchant, risk))
        # Merchants nobody complained about are read again when they are met.
        self._risks.clear()
        self._kept.clear()
        self._load()

    def _load(self) -> None:
        with self._database.read() as session:
            rows = session.scalars(select(FraudCountRow)).all()
        for row in rows:
            if row.reason == _RATE:
                self.rate.put(row.cell, row.total)
            elif row.reason in _REASONS:
                self.evidence.put(Reason(row.reason), row.cell, row.frauds, row.total)

    def _row(self, merchant: str, risk: MerchantRisk) -> MerchantRiskRow:
        first, last = (datetime.fromtimestamp(at, timezone.utc) for at in (risk.first, risk.last))
        return MerchantRiskRow(merchant=self._mark(merchant), run=risk.run, first_at=first, last_at=last)

    def _mark(self, merchant: str) -> str:
        return self._cipher.mac(merchant.encode()).hex()
