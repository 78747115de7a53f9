"""A customer to develop with: one of the sandbox's, linked by the true OAuth flow over HTTP."""

from __future__ import annotations

from assistant.banking.connector import CustomerProfile
from assistant.banking.errors import BankUnavailable, LinkExpired, NotLinked
from assistant.banking.purpose import Purpose
from assistant.customers.identity import Customer
from assistant.customers.service import Customers, open_customers
from assistant.sandbox.demo import walk_pages
from assistant.settings import Settings

BANK_ID = "sandbox"
#: Where a demo customer may be spoken for: the terminal and Rasa's plain HTTP channel, on this machine.
CHANNELS = ("cmdline", "rest")
PURPOSES = (Purpose.BALANCES, Purpose.TRANSACTIONS, Purpose.INSIGHTS)


def ensure_demo_customer(settings: Settings, login: str = "maya") -> str:
    """The id of the demo customer with this sandbox login: made, linked and opted in where that is missing.

    Links anew when the sandbox has forgotten her. Raises BankUnavailable when the sandbox does not answer,
    RuntimeError in production.
    """
    if settings.production:
        raise RuntimeError("demo customers are for development")
    return ensure_demo(open_customers(settings), login)


def ensure_demo(customers: Customers, login: str) -> str:
    """As ``ensure_demo_customer``, for customers already opened."""
    customer = _customer(customers, login)
    for channel in CHANNELS:
        missing = [p for p in PURPOSES if not customers.consents.is_live(customer.id, BANK_ID, channel, p)]
        if missing:
            customers.consents.grant(customer.id, BANK_ID, channel, missing)
    if not _works(customers, customer):
        invitation = customers.linking.begin(customer.channel, customer.conversation_id, BANK_ID, PURPOSES)
        customers.linking.complete(walk_pages(customers.linking.authorize(invitation.token), login))
    return customer.id


def _customer(customers: Customers, login: str) -> Customer:
    conversation_id = customers.identities.conversation_id(CHANNELS[0], f"demo {login}")
    known = customers.identities.demo(login)
    with customers.storage.database.write() as session:
        if known is None:
            profile = CustomerProfile(customers.settings.time_zone, customers.settings.locale)
            known = customers.identities.create(session, profile, demo_login=login)
        return customers.identities.bind(session, CHANNELS[0], conversation_id, known)


def _works(customers: Customers, customer: Customer) -> bool:
    """Whether the bank answers for her now. What is remembered does not count."""
    customers.shared.fresh.forget(customer.id)
    try:
        answer = customers.bank(customer).accounts(Purpose.BALANCES)
    except (LinkExpired, NotLinked):
        return False
    if answer.stale:
        raise BankUnavailable("the sandbox bank does not answer", bank_id=BANK_ID)
    return True
