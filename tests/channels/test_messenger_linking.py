"""Account linking: Messenger's browser around our page, both ways back, and pages that were sent on."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from support.pages_server import Browser, PagesServer

from assistant.banking import clock
from assistant.banking.purpose import Purpose
from assistant.channels.event import Event, Kind
from assistant.channels.messenger_linking import CHANNEL, LinkedElsewhere, asked_back, back_address, check_link
from assistant.customers.service import Customers
from assistant.sandbox.demo import walk_pages

BACK = "https://facebook.com/messenger_platform/account_linking/?account_linking_token=ARQ123"
EVIL = (
    "https://evil.example/messenger_platform/account_linking/",
    "http://facebook.com/messenger_platform/account_linking/",
    "https://facebook.com.evil.example/messenger_platform/account_linking/",
    "https://facebook.com@evil.example/messenger_platform/account_linking/",
    "https://facebook.com:8443/messenger_platform/account_linking/",
    "https://facebook.com/l.php?u=https://evil.example",
    "javascript:alert(1)//facebook.com/messenger_platform/account_linking",
    "//facebook.com/messenger_platform/account_linking/",
    "https://facebook.com/messenger_platform/account_linking/#x",
    f"{BACK}{'x' * 3000}",
    "https://[",
    "",
)


@pytest.mark.parametrize("address", EVIL)
def test_nobody_is_sent_anywhere_but_to_messenger(address: str) -> None:
    assert back_address(address) == "" == asked_back(urlencode({"redirect_uri": address}))


def test_messengers_own_address_is_taken() -> None:
    assert asked_back(urlencode({"redirect_uri": BACK, "account_linking_token": "ARQ123"})) == BACK


@pytest.fixture
def ann(customers: Customers) -> str:
    """Her conversation; she has written before."""
    conversation = customers.identities.conversation_id(CHANNEL, "ann")
    body = Event("ann", "m1", Kind.TEXT, "connect my bank", address={"psid": "ann"}).body()
    customers.inbox.take("", [customers.inbox.letter(CHANNEL, "ann", f"m-{clock.wall()}", body)])
    customers.inbox.heard(conversation, {"psid": "ann"}, clock.now())
    return conversation


def finish(customers: Customers, browser: Browser, conversation: str, opened_with: dict[str, str]) -> str:
    """Connect maya's bank by a page of this conversation; the page that says it is done."""
    token = customers.linking.begin(CHANNEL, conversation, "sandbox", [Purpose.BALANCES]).token
    page = browser.get(f"/link/{token}?{urlencode(opened_with)}")
    away = browser.press(page)
    assert away.status_code == 303
    return browser.come_back(walk_pages(away.headers["Location"], "maya")).text


def way_back(page: str) -> str:
    """Where "Back to Messenger" leads; "" without such a button."""
    for part in page.split('href="')[1:]:
        address = part.split('"')[0].replace("&amp;", "&")
        if "authorization_code" in address:
            return address
    return ""


def test_the_way_back_carries_a_code_that_is_good_for_this_conversation_alone(
    customers: Customers, server: PagesServer, ann: str
) -> None:
    page = finish(customers, Browser(server), ann, {"redirect_uri": BACK, "account_linking_token": "ARQ123"})
    address = way_back(page)
    assert address.startswith(f"{BACK}&authorization_code=") and "Back to Messenger" in page
    [code] = parse_qs(urlsplit(address).query)["authorization_code"]
    check_link(customers, ann, code)
    assert customers.identities.resolve(CHANNEL, ann) is not None, "nothing was undone"
    waiting = customers.inbox.next(ann)
    while waiting and waiting.body["kind"] != Kind.RETURNED.value:
        customers.inbox.answered(ann, waiting.id, CHANNEL, waiting.event_hash, [])
        waiting = customers.inbox.next(ann)
    assert waiting is not None, "the conversation goes on without her saying so"


def test_what_another_person_finished_is_undone(customers: Customers, server: PagesServer, ann: str) -> None:
    """Ann sent her page on; Bob opened it in his Messenger and signed in at his bank."""
    address = way_back(finish(customers, Browser(server), ann, {"redirect_uri": BACK}))
    [code] = parse_qs(urlsplit(address).query)["authorization_code"]
    customer = customers.identities.resolve(CHANNEL, ann)
    assert customer is not None and customers.vault.links(customer.id)
    with pytest.raises(LinkedElsewhere):
        check_link(customers, customers.identities.conversation_id(CHANNEL, "bob"), code)
    assert not customers.vault.links(customer.id)


@pytest.mark.parametrize("opened_with", [{}, {"redirect_uri": EVIL[0]}, {"account_linking_token": "x"}])
def test_everybody_else_stays_on_our_page(
    customers: Customers, server: PagesServer, ann: str, opened_with: dict[str, str]
) -> None:
    page = finish(customers, Browser(server), ann, opened_with)
    assert way_back(page) == "" and "evil" not in page and "Back to Messenger" not in page


@pytest.mark.parametrize("code", ["", "x", "a" * 300])
def test_a_code_that_is_not_ours_links_nobody(customers: Customers, code: str) -> None:
    with pytest.raises(LinkedElsewhere):
        check_link(customers, "c", code)
