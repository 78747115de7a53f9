"""What is held about the customer and what she has said yes to, for the page on which she changes it.

The same rooms do it as when she says it in words (actions.privacy). What matters a lot wants her code first.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from assistant.banking.connector import CustomerProfile
from assistant.banking.errors import NotLinked
from assistant.banking.purpose import Purpose
from assistant.channels.addresses import Page, page_url
from assistant.channels.web_http import Refused
from assistant.channels.web_words import WebWords
from assistant.customers.identity import Customer
from assistant.customers.ledger import Entry
from assistant.customers.one_time import EXPORT, LinkKind, OneTimeLinks
from assistant.customers.service import Customers
from assistant.customers.step_up import Result as Tried
from assistant.customers.web_sessions import CHANNEL, WebSession
from assistant.replies.reply import Listed, Literal, Term, Value

#: What can be switched. Moving money is not among it: it is agreed to where it is done.
SWITCHES = (Purpose.BALANCES, Purpose.TRANSACTIONS, Purpose.INSIGHTS, Purpose.ALERTS)
#: Entries of the ledger that are told, the newest first.
TOLD = 50


class PrivacyDesk:
    """Each method raises Refused for what cannot be; its answer is JSON."""

    def __init__(self, customers: Customers, words: WebWords) -> None:
        self._customers = customers
        self._words = words
        self._one_time = OneTimeLinks(customers.storage.database)

    def overview(self, session: WebSession) -> dict[str, Any]:
        customer = self._customer(session)
        settings = self._customers.settings
        if customer is None:
            nothing = self._words.text("held_nothing", days=settings.conversation_days)
            return {"held": [nothing], "banks": [], "ledger": [], "known": False}
        entries = self._customers.consents.history(customer.id)[-TOLD:]
        return {
            "held": self._held(customer),
            "banks": [self._bank(customer, link.bank_id) for link in self._customers.vault.links(customer.id)],
            "ledger": [self._told(entry, customer) for entry in reversed(entries)],
            "known": True,
        }

    def switch(self, session: WebSession, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Off means off everywhere; on is for this page alone, as a yes in words is for where it was said."""
        customer, bank_id = self._known(session), self._linked(session, asked)
        try:
            purpose = Purpose(asked.get("purpose"))
        except ValueError:
            raise Refused(400, "purpose") from None
        if purpose not in SWITCHES or not isinstance(asked.get("on"), bool):
            raise Refused(400, "purpose")
        if asked["on"]:
            self._customers.consents.grant(customer.id, bank_id, CHANNEL, [purpose])
        else:
            self._customers.withdraw(customer, [purpose], bank_id=bank_id)
        return self.overview(session)

    def disconnect(self, session: WebSession, asked: Mapping[str, Any]) -> dict[str, Any]:
        bank_id = self._linked(session, asked)
        try:
            told = self._customers.linking.unlink(self._known(session), bank_id)
        except NotLinked:
            raise Refused(404, "bank") from None
        said = self._words.text("unlinked" if told else "unlinked_bank_not_told", bank=Literal(self._name(bank_id)))
        return {**self.overview(session), "text": said}

    def export(self, session: WebSession) -> dict[str, Any]:
        customer = self._known(session)
        if (step := self._step(customer)) is not None:
            return step
        token = self._one_time.issue(customer.id, *EXPORT)
        url = page_url(self._customers.settings, token, Page.EXPORT)
        link = {"kind": "export", "title": self._words.text("link_export"), "url": url}
        return {"text": self._words.text("export_here"), "link": link}

    def erase(self, session: WebSession) -> dict[str, Any]:
        """Everything, this browser's session included."""
        customer = self._known(session)
        if (step := self._step(customer)) is not None:
            return step
        receipt = self._customers.erasure.erase(customer)
        text = self._words.text("erased")
        if receipt.banks_not_told:
            names = tuple(Literal(self._name(bank_id)) for bank_id in receipt.banks_not_told)
            text += " " + self._words.text("erased_bank_not_told", banks=Listed(names))
        return {"text": text, "erased": True}

    def _step(self, customer: Customer) -> dict[str, Any] | None:
        """What has to be done first; None when the code was given a moment ago."""
        step_up, words = self._customers.step_up, self._words
        if step_up.has_passed(customer):
            return None
        state = step_up.state(customer.id)
        if state is Tried.LOCKED:
            raise Refused(403, "locked", words.text("code_locked"))
        settings = self._customers.settings
        if state is Tried.NOT_SET:
            return self._choose_code(customer)
        token = self._one_time.issue(customer.id, LinkKind.ENTER_CODE, conversation=customer)
        link = {"kind": "enter", "title": words.text("link_enter_code"), "token": token}
        return {"step": True, "link": {**link, "url": page_url(settings, token, Page.ENTER)}}

    def _choose_code(self, customer: Customer) -> dict[str, Any]:
        """A first code is chosen after signing in at the bank once more, as in actions.privacy."""
        links = self._customers.vault.links(customer.id)
        if not links:
            raise Refused(403, "locked", self._words.text("code_locked"))
        bank_id = links[0].bank_id
        live = [
            consent.purpose
            for consent in self._customers.consents.in_force(customer.id)
            if consent.bank_id == bank_id and consent.channel == CHANNEL
        ]
        invitation = self._customers.linking.begin(CHANNEL, customer.conversation_id, bank_id, live)
        url = page_url(self._customers.settings, invitation.token)
        text = self._words.text("web_code_not_set", bank=Literal(self._name(bank_id)))
        return {
            "step": True,
            "text": text,
            "link": {"kind": "connect", "title": self._words.text("link_connect"), "url": url},
        }

    # Telling

    def _held(self, customer: Customer) -> list[str]:
        held = self._customers.export.held(customer)
        settings = self._customers.settings
        told: list[tuple[str, dict[str, Value]]] = [("held_since", {"day": _day(held.since, customer.profile)})]
        if held.bank_ids:
            told.append(("held_banks", {"banks": self._names(held.bank_ids)}))
        told.append(("held_messages", {"count": held.messages, "days": settings.conversation_days}))
        if held.bank_data_of:
            told.append(("held_copies", {"banks": self._names(held.bank_data_of), "hours": settings.cache_hours}))
        return [self._words.text(key, **values) for key, values in told]

    def _bank(self, customer: Customer, bank_id: str) -> dict[str, Any]:
        live = {one.purpose for one in self._customers.consents.in_force(customer.id) if one.bank_id == bank_id}
        return {
            "id": bank_id,
            "name": self._name(bank_id),
            "switches": [
                {
                    "purpose": purpose.value,
                    "title": self._words.text(f"term_purpose_{purpose.value}").capitalize(),
                    "text": self._words.text(f"page_purpose_{purpose.value}"),
                    "on": purpose in live,
                }
                for purpose in SWITCHES
            ],
        }

    def _told(self, entry: Entry, customer: Customer) -> dict[str, str]:
        text = self._words.text(
            f"web_ledger_{entry.action.value}",
            purpose=Term("purpose", entry.purpose.value),
            bank=Literal(self._name(entry.bank_id)),
            channel=self._channel(entry.channel),
        )
        return {"at": entry.at.astimezone(ZoneInfo(customer.profile.time_zone)).isoformat(), "text": text}

    def _channel(self, name: str) -> Value:
        key = f"term_channel_{name}"
        return Term("channel", name) if self._words.has(key) else Literal(name)

    def _names(self, bank_ids: tuple[str, ...]) -> Listed:
        return Listed(tuple(Literal(self._name(bank_id)) for bank_id in bank_ids))

    def _name(self, bank_id: str) -> str:
        profile = self._customers.profiles.get(bank_id)
        return profile.name if profile else bank_id

    # Who

    def _customer(self, session: WebSession) -> Customer | None:
        return self._customers.identities.resolve(CHANNEL, session.conversation_id)

    def _known(self, session: WebSession) -> Customer:
        customer = self._customer(session)
        if customer is None:
            raise Refused(404, "customer")
        return customer

    def _linked(self, session: WebSession, asked: Mapping[str, Any]) -> str:
        """The bank that was named, if it is one of hers."""
        bank_id = asked.get("bank")
        mine = {link.bank_id for link in self._customers.vault.links(self._known(session).id)}
        if not isinstance(bank_id, str) or bank_id not in mine:
            raise Refused(404, "bank")
        return bank_id


def _day(at: datetime, profile: CustomerProfile) -> date:
    return at.astimezone(ZoneInfo(profile.time_zone)).date()
