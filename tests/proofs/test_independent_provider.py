"""Linking against a server that nobody here wrote: node-oidc-provider, certified by the OpenID Foundation.

It requires PKCE with S256 and pushed requests, rotates refresh tokens, and ends the grant when one is shown twice.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest
import requests
from support.installation import settings_in
from support.oidc_provider import REDIRECT_URI, OidcProvider, sign_in

from assistant.banking import clock
from assistant.banking.errors import LinkExpired, NotLinked
from assistant.banking.purpose import Purpose
from assistant.connectors.registry import open_connector
from assistant.customers import linking
from assistant.customers.identity import Customer
from assistant.customers.linking import Linked
from assistant.customers.oauth_link import LinkRefused, Reason, Secrets
from assistant.customers.service import Customers, build_customers
from assistant.customers.vault import LinkState

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

CHANNEL, CONVERSATION = "cmdline", "conversation-1"


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with OidcProvider() as running:
        yield running


@pytest.fixture(scope="module")
def other() -> Iterator[OidcProvider]:
    with OidcProvider("elsewhere") as running:
        yield running


@pytest.fixture
def customers(provider: OidcProvider, other: OidcProvider, tmp_path: Path) -> Customers:
    profiles = {each.bank_id: each.profile for each in (provider, other)}

    def opener(profile: Any, tokens: Any, time_zone: str) -> Any:
        return open_connector(profile, tokens, time_zone=time_zone)

    return build_customers(settings_in(tmp_path, cache_seconds=0), profiles, opener)


def trip(customers: Customers, conversation: str = CONVERSATION, bank_id: str = "independent") -> str:
    """The address the customer comes back to, after signing in."""
    token = customers.linking.begin(CHANNEL, conversation, bank_id, [Purpose.BALANCES]).token
    return sign_in(customers.linking.authorize(token))


def link(customers: Customers) -> Linked:
    return customers.linking.complete(trip(customers))


def part(url: str, name: str) -> str:
    return parse_qs(urlsplit(url).query)[name][0]


def changed(url: str, **values: str) -> str:
    parts = urlsplit(url)
    query = {name: found[0] for name, found in parse_qs(parts.query).items()} | values
    return urlunsplit(parts._replace(query=urlencode(query)))


def refused(customers: Customers, callback: str) -> Reason:
    with pytest.raises(LinkRefused) as raised:
        customers.linking.complete(callback)
    return raised.value.reason


def unlinked(customers: Customers, conversation: str = CONVERSATION) -> bool:
    return customers.identities.resolve(CHANNEL, conversation) is None


def asks(customers: Customers, customer: Customer) -> int:
    return len(customers.bank(customer).accounts(Purpose.BALANCES).value)


def held(customers: Customers, customer: Customer) -> Any:
    return customers.vault.tokens(customer.id, "independent").load()


def end_access_token(customers: Customers, customer: Customer) -> None:
    store = customers.vault.tokens(customer.id, "independent")
    store.save(replace(store.load(), expires_at=clock.now() - timedelta(minutes=1)))


# That the judge is strict.


def test_the_server_refuses_a_request_without_pkce(provider: OidcProvider) -> None:
    form = {"client_id": "tellerline", "response_type": "code", "scope": "openid", "redirect_uri": REDIRECT_URI}
    assert provider.post("/request", **form).status_code == 400
    plain = {"code_challenge": "c" * 43, "code_challenge_method": "plain"}
    assert provider.post("/request", **form, **plain).status_code == 400


def test_the_server_refuses_a_request_that_was_not_pushed(provider: OidcProvider) -> None:
    query = {"client_id": "tellerline", "response_type": "code", "scope": "openid", "redirect_uri": REDIRECT_URI,
             "code_challenge": "c" * 43, "code_challenge_method": "S256"}  # fmt: skip
    answer = requests.get(f"{provider.issuer}/auth", params=query, allow_redirects=False, timeout=10)
    assert "error=invalid_request" in answer.headers.get("Location", "") or answer.status_code == 400


def test_the_server_ends_the_grant_when_a_refresh_token_is_shown_twice(
    customers: Customers, provider: OidcProvider
) -> None:
    """Without single flight, the race below would end like this."""
    customer = link(customers).customer
    token = held(customers, customer).refresh_token
    first = provider.post("/token", grant_type="refresh_token", refresh_token=token)
    assert first.status_code == 200 and provider.is_active(first.json()["access_token"])
    assert provider.post("/token", grant_type="refresh_token", refresh_token=token).status_code == 400
    assert not provider.is_active(first.json()["access_token"])


# What we do with it.


def test_a_link_is_made_and_the_bank_answers(customers: Customers, provider: OidcProvider) -> None:
    customer = link(customers).customer
    tokens = held(customers, customer)
    assert tokens.id_token.count(".") == 2 and provider.is_active(tokens.access_token)
    assert asks(customers, customer) == 1


def test_the_browser_carries_a_reference_only(customers: Customers) -> None:
    token = customers.linking.begin(CHANNEL, CONVERSATION, "independent", [Purpose.BALANCES]).token
    assert set(parse_qs(urlsplit(customers.linking.authorize(token)).query)) == {"client_id", "request_uri"}


def test_a_callback_works_once(customers: Customers) -> None:
    callback = trip(customers)
    customer = customers.linking.complete(callback).customer
    assert refused(customers, callback) is Reason.USED
    assert asks(customers, customer) == 1  # the code was not shown to the bank a second time


def test_a_code_replayed_at_the_bank_ends_the_grant_and_the_customer_is_asked_to_reconnect(
    customers: Customers, provider: OidcProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By somebody who has seen everything, the verifier and our client secret too."""
    trips: list[Secrets] = []
    real = linking.redeem

    def seen(profile: Any, code: str, secrets: Secrets, http_of: Any) -> Any:
        trips.append(secrets)
        return real(profile, code, secrets, http_of)

    monkeypatch.setattr(linking, "redeem", seen)
    callback = trip(customers)
    customer = customers.linking.complete(callback).customer
    replay = {"grant_type": "authorization_code", "code": part(callback, "code"), "redirect_uri": REDIRECT_URI}
    assert provider.post("/token", **replay, code_verifier=trips[0].verifier).status_code == 400
    with pytest.raises(LinkExpired):
        asks(customers, customer)
    assert customers.vault.links(customer.id)[0].state is LinkState.EXPIRED


def test_a_stolen_code_is_of_no_use_without_its_verifier(customers: Customers, provider: OidcProvider) -> None:
    callback = trip(customers)
    stolen = {"grant_type": "authorization_code", "code": part(callback, "code"), "redirect_uri": REDIRECT_URI}
    assert provider.post("/token", **stolen, code_verifier="w" * 43).json()["error"] == "invalid_grant"


def test_a_code_put_into_another_attempt_links_nothing(customers: Customers) -> None:
    """The verifier of one attempt does not fit the code of another (RFC 9700 4.5)."""
    mine, theirs = trip(customers), trip(customers, "conversation-2")
    assert refused(customers, changed(mine, code=part(theirs, "code"))) is Reason.BANK
    assert unlinked(customers) and unlinked(customers, "conversation-2")


def test_a_state_of_another_conversation_links_neither(customers: Customers) -> None:
    mine, theirs = trip(customers), trip(customers, "conversation-2")
    assert refused(customers, changed(mine, state=part(theirs, "state"))) is Reason.BANK
    assert unlinked(customers) and unlinked(customers, "conversation-2")


def test_a_state_nobody_gave_out_links_nothing(customers: Customers) -> None:
    assert refused(customers, changed(trip(customers), state="made-up")) is Reason.UNKNOWN
    assert unlinked(customers)


def test_an_answer_of_another_bank_is_not_taken_for_this_ones(customers: Customers) -> None:
    """The mix-up attack (RFC 9207): a code of the other bank, brought to the attempt at this one."""
    mine, theirs = trip(customers), trip(customers, "conversation-2", "elsewhere")
    mixed = changed(theirs, state=part(mine, "state"))
    assert part(mixed, "iss") != part(mine, "iss")
    assert refused(customers, mixed) is Reason.MISMATCH
    assert unlinked(customers)


def test_twenty_threads_that_need_a_new_token_leave_the_grant_alive(
    customers: Customers, provider: OidcProvider
) -> None:
    customer = link(customers).customer
    for _ in range(3):
        before = held(customers, customer)
        end_access_token(customers, customer)
        failures: list[BaseException] = []
        together = threading.Barrier(20)

        def ask(failures: list[BaseException] = failures, together: threading.Barrier = together) -> None:
            try:
                together.wait(30)
                assert asks(customers, customer) == 1
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=ask) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        after = held(customers, customer)
        assert failures == []
        assert after.refresh_token != before.refresh_token and provider.is_active(after.refresh_token)


def test_revoked_in_mid_conversation_she_is_asked_to_reconnect_and_can(
    customers: Customers, provider: OidcProvider
) -> None:
    customer = link(customers).customer
    assert asks(customers, customer) == 1
    assert provider.post("/token/revocation", token=held(customers, customer).refresh_token).status_code == 200
    for _ in range(2):
        with pytest.raises(LinkExpired):
            asks(customers, customer)
    assert customers.vault.links(customer.id)[0].state is LinkState.EXPIRED
    again = link(customers)
    assert again.customer == customer and not again.is_new_customer
    assert asks(customers, customer) == 1 and len(customers.vault.links(customer.id)) == 1


def test_disconnecting_ends_the_grant_at_the_bank(customers: Customers, provider: OidcProvider) -> None:
    customer = link(customers).customer
    tokens = held(customers, customer)
    assert customers.linking.unlink(customer, "independent")
    assert not provider.is_active(tokens.access_token) and not provider.is_active(tokens.refresh_token)
    with pytest.raises(NotLinked):
        asks(customers, customer)
