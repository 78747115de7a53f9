"""What an FDX bank can be told to do: lock a card, take a dispute, push notifications.

Notifications are FDX's (Event Notifications 6.3). For cards and disputes FDX (6.4) has nothing; these are an extension
of ours in its manner, which the sandbox bank serves (assistant/sandbox/cards.py, disputes.py). A bank with a dialect of
its own overrides ``read_card`` and ``read_dispute``, and the tables.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timezone
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from assistant.banking import clock
from assistant.banking.card import Card, CardKind, CardStatus, LockReason
from assistant.banking.connector import Capability
from assistant.banking.dispute import Claim, Dispute, DisputeReason, DisputeStatus
from assistant.banking.errors import AccountNotFound, BankUnavailable, NotSupported
from assistant.connectors.errors import Conflict, NoData
from assistant.connectors.fdx_values import Row, currency, day, moment, money, text
from assistant.connectors.profiles import BankProfile

KIND: Mapping[str, CardKind] = {"CREDIT": CardKind.CREDIT, "DEBIT": CardKind.DEBIT}
STATUS: Mapping[str, CardStatus] = {
    "ACTIVE": CardStatus.ACTIVE,
    "LOCKED": CardStatus.LOCKED,
    "CLOSED": CardStatus.CLOSED,
}
LOCK_REASON: Mapping[LockReason, str] = {
    LockReason.ASKED: "CUSTOMER_REQUEST",
    LockReason.LOST: "LOST",
    LockReason.STOLEN: "STOLEN",
    LockReason.FRAUD: "SUSPECTED_FRAUD",
}
DISPUTE_REASON: Mapping[DisputeReason, str] = {
    DisputeReason.NOT_MINE: "NOT_AUTHORIZED",
    DisputeReason.DUPLICATE: "DUPLICATE",
    DisputeReason.WRONG_AMOUNT: "WRONG_AMOUNT",
    DisputeReason.NOT_RECEIVED: "NOT_RECEIVED",
    DisputeReason.CANCELED: "CANCELED",
    DisputeReason.OTHER: "OTHER",
}
DISPUTE_STATUS: Mapping[tuple[str, str], DisputeStatus] = {
    ("RECEIVED", ""): DisputeStatus.RECEIVED,
    ("IN_REVIEW", ""): DisputeStatus.IN_REVIEW,
    ("RESOLVED", "CREDITED"): DisputeStatus.CREDITED,
    ("RESOLVED", "DENIED"): DisputeStatus.DENIED,
    ("WITHDRAWN", ""): DisputeStatus.WITHDRAWN,
}


class Call(Protocol):
    """Sends one request that may be repeated; the parsed body, None where there is none. Raises banking.errors."""

    def __call__(
        self,
        method: str,
        path: str,
        operation: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        **names: str,
    ) -> Any: ...


def capabilities(profile: BankProfile) -> frozenset[Capability]:
    """What the profile has a path for."""
    paths = {
        Capability.CARDS: profile.cards_path and profile.card_status_path,
        Capability.DISPUTES: profile.disputes_path and profile.dispute_withdrawal_path,
        Capability.NOTIFICATIONS: profile.subscriptions_path,
        Capability.CONSENT_MANAGEMENT: profile.consent_revocation_path,
    }
    return frozenset(capability for capability, path in paths.items() if path)


class FdxActing:
    def __init__(self, profile: BankProfile, call: Call, zone: ZoneInfo) -> None:
        self._profile = profile
        self._call = call
        self._zone = zone

    def cards(self) -> tuple[Card, ...]:
        body = self._call("GET", self._profile.cards_path, "cards")
        return tuple(card for row in _rows(body, "cards") if (card := self.read_card(row)) is not None)

    def set_card(self, card: Card, status: CardStatus, reason: LockReason) -> Card:
        wanted: dict[str, str] = {"cardStatus": status.value.upper()}
        if status is CardStatus.LOCKED:
            wanted["statusReason"] = LOCK_REASON[reason]
        try:
            body = self._call("PUT", self._profile.card_status_path, "set_card", wanted, card_id=card.native_id)
        except NoData as error:
            raise AccountNotFound("no such card", bank_id=self._profile.id, code=error.code) from error
        told = self.read_card(body) if isinstance(body, Mapping) else None
        if told is None or told.id != card.id or told.status is not status:
            # What the bank does not confirm is not done.
            raise BankUnavailable("card status not confirmed", bank_id=self._profile.id, code="not_confirmed")
        return told

    def disputes(self) -> tuple[Dispute, ...]:
        body = self._call("GET", self._profile.disputes_path, "disputes")
        return tuple(one for row in _rows(body, "disputes") if (one := self.read_dispute(row)) is not None)

    def file_dispute(self, claim: Claim, key: str) -> Dispute:
        wanted = {
            "accountId": claim.account_id.split(":", 1)[1],
            "transactionId": claim.transaction_id,
            "reason": DISPUTE_REASON[claim.reason],
        }
        if claim.statement:
            wanted["statement"] = claim.statement
        if claim.card_id:
            wanted["cardId"] = claim.card_id.split(":", 1)[1]
        try:
            body = self._call("POST", self._profile.disputes_path, "file_dispute", wanted, {"Idempotency-Key": key})
        except Conflict:
            return self._filed_before(claim)
        except NoData as error:
            # A transaction the bank gave no id of its own can't be named to it.
            raise NotSupported("dispute", bank_id=self._profile.id, code=error.code) from error
        return self._sound(body)

    def _filed_before(self, claim: Claim) -> Dispute:
        """Somebody (the bank's own app, perhaps) has disputed it already: that one is meant."""
        for dispute in self.disputes():
            if dispute.transaction_id == claim.transaction_id and dispute.status.is_open:
                return dispute
        raise BankUnavailable("disputed already, but not listed", bank_id=self._profile.id, code="conflict")

    def withdraw_dispute(self, dispute: Dispute) -> Dispute:
        path = self._profile.dispute_withdrawal_path
        try:
            return self._sound(self._call("PUT", path, "withdraw_dispute", dispute_id=dispute.id))
        except Conflict:
            return next((one for one in self.disputes() if one.id == dispute.id), dispute)

    def subscribe(self, callback_url: str, subscription_id: str) -> None:
        for type_, category, suffix in (("CUSTOM", "NEW_DATA", ""), ("CONSENT_REVOKED", "CONSENT", "-consent")):
            body = {
                "type": type_,
                "category": category,
                "callbackUrl": callback_url,
                "subscriber": {"name": "Tellerline", "type": "DATA_RECIPIENT"},
                "effectiveDate": clock.now().date().isoformat(),
                "subscriptionId": f"{subscription_id}{suffix}",
            }
            self._call("POST", self._profile.subscriptions_path, "subscribe", body)

    def unsubscribe(self, subscription_id: str) -> None:
        path = f"{self._profile.subscriptions_path}/{{subscription_id}}"
        for suffix in ("", "-consent"):
            try:
                self._call("DELETE", path, "unsubscribe", subscription_id=f"{subscription_id}{suffix}")
            except (NoData, AccountNotFound):
                continue  # gone already

    def read_card(self, row: Row) -> Card | None:
        """None for one without an id, or of a kind or state that is no card's to us."""
        kind, status = KIND.get(text(row, "cardType").upper()), STATUS.get(text(row, "cardStatus").upper())
        native_id, account_id = text(row, "cardId"), text(row, "accountId")
        if not native_id or kind is None or status is None:
            return None
        bank_id = self._profile.id
        shown = "".join(c for c in text(row, "cardNumberDisplay") if c.isdigit())
        name = text(row, "productName") or kind.value.title()
        return Card(f"{bank_id}:{native_id}", f"{bank_id}:{account_id}", bank_id, kind, name, shown[-4:], status)

    def read_dispute(self, row: Row) -> Dispute | None:
        """None for one without an id."""
        native_id = text(row, "disputeId")
        if not native_id:
            return None
        bank_id = self._profile.id
        filed = moment(row, self._zone, "filedTime")
        state = (text(row, "disputeStatus").upper(), text(row, "outcome").upper())
        return Dispute(
            id=native_id,
            bank_id=bank_id,
            reference=text(row, "referenceNumber") or native_id,
            account_id=f"{bank_id}:{text(row, 'accountId')}",
            transaction_id=text(row, "transactionId"),
            status=DISPUTE_STATUS.get(state, DisputeStatus.UNKNOWN),
            amount=money(row, currency(row), "amount"),
            description=text(row, "description"),
            filed_at=filed.astimezone(timezone.utc) if filed else None,
            resolve_by=day(row, self._zone, "resolveByDate"),
        )

    def _sound(self, body: Any) -> Dispute:
        dispute = self.read_dispute(body) if isinstance(body, Mapping) else None
        if dispute is None:
            raise BankUnavailable("dispute without an id", bank_id=self._profile.id, code="not_confirmed")
        return dispute


def _rows(body: Any, name: str) -> Iterable[Row]:
    rows = body.get(name) if isinstance(body, Mapping) else None
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
