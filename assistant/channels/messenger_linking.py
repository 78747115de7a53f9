"""Messenger's account linking around our own page for connecting a bank.

Messenger's apps open the page with an address to come back to. Going there with a code of ours closes Messenger's
window and brings the code to our webhook with the id of whose phone it was. So it shows, too, when a page was sent
on and finished by somebody else: then what was connected is disconnected again.
developers.facebook.com/documentation/business-messaging/messenger-platform/identity/account-linking
"""

from __future__ import annotations

import logging
from datetime import timedelta
from urllib.parse import parse_qs, quote, urlsplit

from assistant.banking.errors import BankingError
from assistant.customers.identity import Customer
from assistant.customers.service import Customers

logger = logging.getLogger(__name__)

CHANNEL = "messenger"
#: Where Messenger's own page for coming back is: nowhere else is anybody sent.
RETURN_ORIGINS = frozenset({"https://facebook.com", "https://www.facebook.com", "https://m.facebook.com",
                            "https://messenger.com", "https://www.messenger.com"})  # fmt: skip
RETURN_PATH = "/messenger_platform/account_linking"
#: Messenger's own token lives for five minutes.
LIFE = timedelta(minutes=10)
_LONGEST = 2000
_USE = "messenger-linked"


class LinkedElsewhere(Exception):
    """The code was made for another person's conversation, or is none."""


def asked_back(query: str) -> str:
    """Where Messenger wants the browser back, by the query it opened our page with; "" when there is none."""
    return back_address(parse_qs(query).get("redirect_uri", [""])[0])


def back_address(address: str) -> str:
    """The address if it is Messenger's own for coming back, else "": we send nobody anywhere else."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    messengers = f"{parts.scheme}://{parts.netloc}" in RETURN_ORIGINS and parts.path.startswith(RETURN_PATH)
    return address if messengers and not parts.fragment and address.isascii() and len(address) <= _LONGEST else ""


def with_code(back: str, customers: Customers, linked: Customer, bank_id: str) -> str:
    """The address to go back to after a bank was connected in this customer's conversation."""
    code = customers.tokens.issue(_USE, CHANNEL, {"to": linked.conversation_id, "bank": bank_id}, LIFE)
    return f"{back}{'&' if '?' in back else '?'}authorization_code={quote(code)}"


def check_link(customers: Customers, conversation_id: str, code: str) -> None:
    """Messenger says that in this conversation a page was finished which gave this code. Raises LinkedElsewhere;
    what was connected by then is disconnected."""
    made = customers.tokens.open(_USE, CHANNEL, code)
    if made is not None and made["to"] == conversation_id:
        return
    if made is not None:
        logger.warning("A page for connecting a bank was finished in another person's Messenger; it is undone")
        owner = customers.identities.resolve(CHANNEL, made["to"])
        try:
            if owner is not None:
                customers.linking.unlink(owner, made["bank"])
        except BankingError as error:
            logger.info("nothing to undo: %s", type(error).__name__)
    raise LinkedElsewhere
