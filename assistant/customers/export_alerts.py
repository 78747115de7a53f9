"""A customer's alerts, for her to take away: what she chose, what is watched, what she was told and answered."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import select

from assistant.customers.identity import key_owner
from assistant.storage.keys import KeyDestroyed
from assistant.storage.open import Storage
from assistant.storage.seal import Cipher
from assistant.storage.tables import AlertDeliveryRow, AlertPreferencesRow, AlertRow, AlertWatchRow


def exported_alerts(storage: Storage, customer_id: str) -> dict[str, Any]:
    """As JSON-ready values; what is sealed is opened."""
    with storage.database.read() as session:
        chosen = session.get(AlertPreferencesRow, customer_id)
        watches = session.scalars(select(AlertWatchRow).where(AlertWatchRow.customer_id == customer_id)).all()
        told = session.execute(
            select(AlertRow, AlertDeliveryRow)
            .outerjoin(AlertDeliveryRow, AlertDeliveryRow.alert_id == AlertRow.id)
            .where(AlertRow.customer_id == customer_id)
            .order_by(AlertRow.made_at, AlertRow.id)
        ).all()
    try:
        cipher = storage.keys.cipher(key_owner(customer_id))
    except KeyDestroyed:
        return {"chosen": None, "watched": [], "alerts": []}
    return {
        "chosen": _opened(cipher, chosen.sealed, "alert_preferences.sealed") if chosen else None,
        "watched": [
            {
                "bank": row.bank_id,
                "looked_at": row.looked_at.isoformat() if row.looked_at else None,
                "known": _opened(cipher, row.sealed, f"alert_watches.sealed:{row.bank_id}") if row.sealed else None,
            }
            for row in watches
        ],
        "alerts": [_alert(cipher, row, delivery) for row, delivery in told],
    }


def _alert(cipher: Cipher, row: AlertRow, delivery: AlertDeliveryRow | None) -> dict[str, Any]:
    return {
        "id": row.id,
        "bank": row.bank_id,
        "kind": row.kind,
        "at": row.made_at.isoformat(),
        "about": _opened(cipher, row.sealed, f"alerts.sealed:{row.id}"),
        "answer": row.answer,
        "answered_at": row.answered_at.isoformat() if row.answered_at else None,
        "delivery": delivery.state if delivery else None,
        "channel": delivery.channel or None if delivery else None,
        "told_at": delivery.done_at.isoformat() if delivery and delivery.done_at else None,
    }


def _opened(cipher: Cipher, sealed: bytes, place: str) -> Any:
    return json.loads(cipher.open(sealed, place))
