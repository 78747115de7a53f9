from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest
import requests
from sqlalchemy import text
from support.installation import settings_in
from support.sandbox import CLOCK, PATIENCE, SandboxProcess

from assistant.banking import clock
from assistant.banking.errors import BankUnavailable, ConsentRequired, LinkExpired, NotLinked
from assistant.banking.purpose import Purpose
from assistant.customers.demo import ensure_demo_customer
from assistant.customers.identity import Customer
from assistant.customers.linking import Linked, Linking
from assistant.customers.oauth_link import LinkRefused, Reason
from assistant.customers.revocations import FIRST_PAUSE
from assistant.customers.service import Customers, open_customers
from assistant.customers.vault import LinkState
from assistant.sandbox.demo import walk_pages

CHANNEL, CONVERSATION = "cmdline", "conversation-1"
BOTH = (Purpose.BALANCES, Purpose.TRANSACTIONS)


@pytest.fixture(scope="module")
def running() -> Iterator[SandboxProcess]:
    with SandboxProcess() as process:
        yield process


@pytest.fixture
def sandbox(running: SandboxProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxProcess]:
    monkeypatch.setenv("TELLERLINE_CLOCK", CLOCK)
    yield running
    running.clear()


@pytest.fixture
def customers(sandbox: SandboxProcess, tmp_path: Path) -> Customers:
    return open_customers(settings_in(tmp_path, sandbox_url=sandbox.url, cache_seconds=0))


def began(customers: Customers, conversation: str = CONVERSATION, waiting: str = "") -> str:
    return customers.linking.begin(CHANNEL, conversation, "sandbox", BOTH, waiting).token


def link(customers: Customers, login: str = "maya", conversation: str = CONVERSATION, waiting: str = "") -> Linked:
    url = customers.linking.authorize(began(customers, conversation, waiting))
    return customers.linking.complete(walk_pages(url, login))


def changed(url: str, **values: str | None) -> str:
    """The callback with some of its parameters changed, or left out."""
    parts = urlsplit(url)
    query = {name: found[0] for name, found in parse_qs(parts.query).items()} | values
    return urlunsplit(parts._replace(query=urlencode({name: v for name, v in query.items() if v is not None})))


def refused(call: Any, *arguments: Any) -> Reason:
    with pytest.raises(LinkRefused) as raised:
        call(*arguments)
    return raised.value.reason


def test_after_linking_the_bank_answers_for_what_was_agreed_and_no_more(customers: Customers) -> None:
    linked = link(customers, waiting="what's my balance?")
    assert linked.is_new_customer and linked.waiting == "what's my balance?"
    customer = customers.identities.resolve(CHANNEL, CONVERSATION)
    assert customer is not None and customer == linked.customer
    bank = customers.bank(customer)
    assert len(bank.accounts(Purpose.BALANCES).value) >= 2
    with pytest.raises(ConsentRequired):
        bank.accounts(Purpose.INSIGHTS)
    assert customers.consents.verify().sound


def test_the_page_says_which_bank_what_for_and_where_it_was_asked(customers: Customers) -> None:
    page = customers.linking.page(began(customers))
    assert (page.bank_name, page.purposes, page.channel) == ("Sandbox Bank", BOTH, CHANNEL)


def test_the_browser_carries_no_more_than_a_reference(customers: Customers) -> None:
    """With a pushed request (RFC 9126) the state, the challenge and the scope never pass the browser's history."""
    query = parse_qs(urlsplit(customers.linking.authorize(began(customers))).query)
    assert set(query) == {"client_id", "request_uri"}


def test_without_pushing_it_asks_with_pkce_s256_state_and_exact_redirect(
    customers: Customers, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = customers.profiles["sandbox"]
    plain = replace(profile, oauth=replace(profile.oauth, use_par=False))
    monkeypatch.setitem(customers.profiles, "sandbox", plain)  # type: ignore[arg-type]
    url = customers.linking.authorize(began(customers))
    query = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
    assert query["code_challenge_method"] == "S256" and query["response_type"] == "code"
    assert query["redirect_uri"] == profile.oauth.redirect_uri and len(query["state"]) >= 40
    assert customers.linking.complete(walk_pages(url, "maya")).bank_id == "sandbox"


def test_an_attempt_works_once(customers: Customers) -> None:
    token = began(customers)
    callback = walk_pages(customers.linking.authorize(token), "maya")
    customers.linking.complete(callback)
    assert refused(customers.linking.complete, callback) is Reason.USED
    assert refused(customers.linking.authorize, token) is Reason.USED
    assert refused(customers.linking.page, token) is Reason.USED


def test_of_two_that_complete_at_once_one_does(customers: Customers) -> None:
    callback = walk_pages(customers.linking.authorize(began(customers)), "maya")
    results: list[object] = []

    def complete() -> None:
        try:
            results.append(customers.linking.complete(callback))
        except LinkRefused as error:
            results.append(error.reason)

    threads = [threading.Thread(target=complete) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(isinstance(result, Linked) for result in results) == 1
    assert results.count(Reason.USED) == 4


def test_a_code_in_anothers_attempt_is_refused_by_the_verifier(customers: Customers) -> None:
    """Somebody mixes her own code into another's state, to have the victim speak to the attacker's bank."""
    attacker = walk_pages(customers.linking.authorize(began(customers, "attacker")), "alex")
    victim = walk_pages(customers.linking.authorize(began(customers, "victim")), "maya")
    code = parse_qs(urlsplit(attacker).query)["code"][0]
    assert refused(customers.linking.complete, changed(victim, code=code)) is Reason.BANK
    assert customers.identities.resolve(CHANNEL, "victim") is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"state": "guessed"}, Reason.UNKNOWN),
        ({"state": None}, Reason.UNKNOWN),
        ({"iss": "https://evil.example"}, Reason.MISMATCH),
        ({"iss": None}, Reason.MISMATCH),
        ({"code": None}, Reason.MISMATCH),
        ({"code": "guessed"}, Reason.BANK),
        ({"code": None, "error": "access_denied"}, Reason.DECLINED),
        ({"code": None, "error": "server_error"}, Reason.BANK),
    ],
)
def test_a_callback_that_is_not_the_answer_links_nothing(
    customers: Customers, change: dict[str, str | None], reason: Reason
) -> None:
    callback = walk_pages(customers.linking.authorize(began(customers)), "maya")
    assert refused(customers.linking.complete, changed(callback, **change)) is reason
    assert customers.identities.resolve(CHANNEL, CONVERSATION) is None


def test_an_attempt_ends_after_ten_minutes(customers: Customers, monkeypatch: pytest.MonkeyPatch) -> None:
    token = began(customers)
    callback = walk_pages(customers.linking.authorize(token), "maya")
    later = datetime.fromisoformat(CLOCK.replace("Z", "+00:00")) + timedelta(minutes=10)
    monkeypatch.setenv("TELLERLINE_CLOCK", later.isoformat())
    assert refused(customers.linking.page, token) is Reason.EXPIRED
    assert refused(customers.linking.complete, callback) is Reason.EXPIRED


def test_asking_anew_ends_the_attempt_before_and_going_back_ends_the_trip_before(customers: Customers) -> None:
    first = began(customers)
    second = began(customers)
    assert refused(customers.linking.page, first) is Reason.UNKNOWN
    old = walk_pages(customers.linking.authorize(second), "maya")
    new = walk_pages(customers.linking.authorize(second), "maya")
    assert refused(customers.linking.complete, old) is Reason.UNKNOWN
    assert customers.linking.complete(new).bank_id == "sandbox"


def test_a_bank_we_do_not_know_cannot_be_linked(customers: Customers) -> None:
    with pytest.raises(NotLinked):
        customers.linking.begin(CHANNEL, CONVERSATION, "bank of nowhere", BOTH)


def test_the_waiting_question_is_given_once_and_only_to_its_conversation(customers: Customers) -> None:
    link(customers, waiting="how much did I spend?")
    assert customers.linking.take_waiting(CHANNEL, "another") == ""
    assert customers.linking.take_waiting("messenger", CONVERSATION) == ""
    assert customers.linking.take_waiting(CHANNEL, CONVERSATION) == "how much did I spend?"
    assert customers.linking.take_waiting(CHANNEL, CONVERSATION) == ""


def refresh_works(sandbox: SandboxProcess, refresh_token: str) -> bool:
    return sandbox.token(grant_type="refresh_token", refresh_token=refresh_token).status_code == 200


def test_relinking_replaces_and_ends_the_consent_before(customers: Customers, sandbox: SandboxProcess) -> None:
    first = link(customers)
    before = customers.vault.tokens(first.customer.id, "sandbox").load()
    second = link(customers)
    assert second.customer.id == first.customer.id and not second.is_new_customer
    assert [each.bank_id for each in customers.vault.links(first.customer.id)] == ["sandbox"]
    assert not refresh_works(sandbox, before.refresh_token)
    assert customers.bank(second.customer).accounts(Purpose.BALANCES).value


def test_two_conversations_are_two_customers(customers: Customers) -> None:
    one, other = link(customers, "maya"), link(customers, "alex", "conversation-2")
    assert one.customer.id != other.customer.id
    accounts = [{a.id for a in customers.bank(c.customer).accounts(Purpose.BALANCES).value} for c in (one, other)]
    assert accounts[0].isdisjoint(accounts[1])


def test_unlinking_ends_it_here_and_at_the_bank(customers: Customers, sandbox: SandboxProcess) -> None:
    customer = link(customers).customer
    tokens = customers.vault.tokens(customer.id, "sandbox").load()
    assert customers.linking.unlink(customer, "sandbox") is True
    assert customers.vault.links(customer.id) == () and customers.consents.in_force(customer.id) == ()
    assert not refresh_works(sandbox, tokens.refresh_token)
    assert sandbox.get("/fdx/v6/accounts", tokens.access_token).status_code == 401
    with pytest.raises(NotLinked):
        customers.bank(customer).accounts(Purpose.BALANCES)
    with pytest.raises(NotLinked):
        customers.linking.unlink(customer, "sandbox")


def later(monkeypatch: pytest.MonkeyPatch, span: timedelta) -> None:
    monkeypatch.setenv("TELLERLINE_CLOCK", (clock.now() + span).isoformat())


def test_unlinking_while_the_bank_is_down_works_here_at_once_and_there_later(
    customers: Customers, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    customer = link(customers).customer
    tokens = customers.vault.tokens(customer.id, "sandbox").load()
    sandbox.fault("unavailable", path="^/(fdx|oauth)/")
    assert customers.linking.unlink(customer, "sandbox") is False
    with pytest.raises(NotLinked):
        customers.bank(customer).accounts(Purpose.BALANCES)
    assert customers.vault.links(customer.id) == ()
    [held] = customers.export.everything(customer)["banks_to_be_told"]
    assert held["bank"] == "sandbox"
    sandbox.clear()
    later(monkeypatch, FIRST_PAUSE)
    customers.revocations.finish()
    assert not refresh_works(sandbox, tokens.refresh_token)
    assert customers.export.everything(customer)["banks_to_be_told"] == []


def test_relinking_while_the_old_consent_cannot_be_ended_ends_it_later(
    customers: Customers, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = customers.vault.tokens(link(customers).customer.id, "sandbox").load()
    callback = walk_pages(customers.linking.authorize(began(customers)), "maya")
    sandbox.fault("unavailable", path="^/(fdx/v6/consents|oauth/revoke)")
    customer = customers.linking.complete(callback).customer
    assert customers.revocations.of(customer.id)
    sandbox.clear()
    later(monkeypatch, FIRST_PAUSE)
    customers.revocations.finish()
    assert customers.revocations.of(customer.id) == ()
    assert not refresh_works(sandbox, before.refresh_token)
    assert customers.bank(customer).accounts(Purpose.BALANCES).value


def test_linking_anew_while_a_disconnection_is_half_way_keeps_the_new_link(
    customers: Customers, sandbox: SandboxProcess
) -> None:
    """Disconnected, killed before the bank was told, linked anew: what goes on afterwards must not end the new one."""
    customer = link(customers).customer
    before = customers.vault.tokens(customer.id, "sandbox").load()
    customers.vault.mark(customer.id, "sandbox", LinkState.REVOKING)
    link(customers)
    customers.linking.finish()
    customers.revocations.finish()
    assert customers.vault.links(customer.id)[0].state is LinkState.ACTIVE
    assert customers.bank(customer).accounts(Purpose.BALANCES).value
    assert not refresh_works(sandbox, before.refresh_token)


def test_twenty_threads_that_need_a_new_token_fetch_one(customers: Customers) -> None:
    customer = link(customers).customer
    store = customers.vault.tokens(customer.id, "sandbox")
    ended = datetime.fromisoformat(CLOCK.replace("Z", "+00:00")) - timedelta(minutes=1)
    store.save(replace(store.load(), expires_at=ended))
    failures: list[BaseException] = []

    def ask() -> None:
        try:
            assert customers.bank(customer).accounts(Purpose.BALANCES).value
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=ask) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []  # the sandbox ends the grant when a refresh token is shown twice
    assert customers.vault.links(customer.id)[0].state is LinkState.ACTIVE


def test_revoked_at_the_bank_in_mid_conversation_then_reconnected(
    customers: Customers, sandbox: SandboxProcess
) -> None:
    customer = link(customers).customer
    tokens = customers.vault.tokens(customer.id, "sandbox").load()
    form = {"client_id": "tellerline-dev", "token": tokens.refresh_token}
    requests.post(f"{sandbox.url}/oauth/revoke", data=form, timeout=PATIENCE).raise_for_status()
    for _ in range(2):
        with pytest.raises(LinkExpired):
            customers.bank(customer).accounts(Purpose.BALANCES)
    assert customers.vault.links(customer.id)[0].state is LinkState.EXPIRED
    link(customers)
    assert customers.bank(customer).accounts(Purpose.BALANCES).value


def test_the_bank_being_down_while_linking_links_nothing(customers: Customers, sandbox: SandboxProcess) -> None:
    callback = walk_pages(customers.linking.authorize(began(customers)), "maya")
    sandbox.fault("unavailable", path="^/oauth/token")
    with pytest.raises(BankUnavailable):
        customers.linking.complete(callback)
    assert customers.identities.resolve(CHANNEL, CONVERSATION) is None


def test_what_a_bank_gave_for_an_interrupted_link_is_ended_there_once_it_answers_again(
    customers: Customers, sandbox: SandboxProcess
) -> None:
    """She was told that nothing was connected, so nothing must come of it later."""
    callback = walk_pages(customers.linking.authorize(began(customers)), "maya")
    sandbox.fault("unavailable", path="^/oauth/token")
    with pytest.raises(BankUnavailable):
        customers.linking.complete(callback)
    sandbox.calls()
    customers.linking.finish()
    assert "/oauth/revoke" not in [call["path"] for call in sandbox.calls()]  # it is still down
    sandbox.clear()
    for expected in (["/oauth/token", "/oauth/revoke"], []):
        customers.linking.finish()
        called = [call["path"] for call in sandbox.calls()]
        assert list(dict.fromkeys(path for path in called if path.startswith("/oauth"))) == expected
    assert customers.identities.resolve(CHANNEL, CONVERSATION) is None
    assert refused(customers.linking.complete, callback) is Reason.USED


def test_tokens_of_somebody_else_are_given_back(
    customers: Customers, sandbox: SandboxProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An id_token that does not fit: no link, and the bank is told."""
    callback = walk_pages(customers.linking.authorize(began(customers)), "maya")

    def does_not_fit(*_: Any) -> None:
        raise LinkRefused(Reason.MISMATCH, "sandbox", "id_token")

    monkeypatch.setattr("assistant.customers.linking.check_identity", does_not_fit)
    sandbox.calls()
    assert refused(customers.linking.complete, callback) is Reason.MISMATCH
    assert "/oauth/revoke" in [call["path"] for call in sandbox.calls()]
    assert customers.identities.resolve(CHANNEL, CONVERSATION) is None


class Killed(BaseException):
    pass


@pytest.mark.parametrize(
    "at",
    [
        "assistant.customers.linking.redeem",
        "assistant.customers.linking.Linking._store",
        "assistant.customers.identity.Identities.bind",
        "assistant.customers.vault.Vault.put_within",
        "assistant.customers.consent.Consents.grant_within",
        "assistant.customers.consent.Consents.anchor",
    ],
)
def test_killed_at_any_step_a_link_is_whole_or_not_there(
    customers: Customers, monkeypatch: pytest.MonkeyPatch, at: str
) -> None:
    callback = walk_pages(customers.linking.authorize(began(customers)), "maya")

    def die(*_: Any, **__: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(at, die)
        with pytest.raises(Killed):
            customers.linking.complete(callback)
    customer = customers.identities.resolve(CHANNEL, CONVERSATION)
    if at.endswith("anchor"):
        assert customer is not None and customers.bank(customer).accounts(Purpose.BALANCES).value
    else:
        assert customer is None
        with customers.storage.database.engine.connect() as connection:
            for table in ("customers", "identities", "bank_links", "consent_ledger"):
                assert connection.execute(text(f"SELECT count(*) FROM {table}")).scalar() == 0, table
    assert customers.consents.verify().sound
    assert link(customers).customer.channel == CHANNEL  # and it can be begun again


def test_no_secret_of_an_attempt_shows_anywhere(
    customers: Customers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    invitation = customers.linking.begin(CHANNEL, CONVERSATION, "sandbox", BOTH, "UNMISTAKABLE question")
    callback = walk_pages(customers.linking.authorize(invitation.token), "maya")
    linked = customers.linking.complete(callback)
    tokens = customers.vault.tokens(linked.customer.id, "sandbox").load()
    query = parse_qs(urlsplit(callback).query)
    secret = [invitation.token, query["state"][0], query["code"][0], tokens.access_token, tokens.refresh_token]
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("assistant"))
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert files
    for value in [*secret, "UNMISTAKABLE"]:
        assert value not in ours and value not in repr(invitation) and value not in repr(customers.linking)
        for path, content in files.items():
            assert value.encode() not in content, path


def test_the_demo_customer_is_linked_kept_and_relinked(sandbox: SandboxProcess, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, sandbox_url=sandbox.url)
    customer_id = ensure_demo_customer(settings, "rivera")
    customers = open_customers(settings)
    entries = customers.consents.verify().entries
    assert ensure_demo_customer(settings, "rivera") == customer_id
    assert customers.consents.verify().entries == entries  # nothing new was needed
    for channel in ("cmdline", "rest"):
        customer = customers.identities.bind_demo(channel, f"any {channel}", customer_id)
        bank = customers.bank(customer)
        assert len(bank.accounts(Purpose.INSIGHTS).value) >= 4
    tokens = customers.vault.tokens(customer_id, "sandbox").load()
    form = {"client_id": "tellerline-dev", "token": tokens.refresh_token}
    requests.post(f"{sandbox.url}/oauth/revoke", data=form, timeout=PATIENCE)
    assert ensure_demo_customer(settings, "rivera") == customer_id
    assert customers.bank(customer).accounts(Purpose.BALANCES).value


def test_there_is_no_demo_in_production_and_nobody_else_is_one(customers: Customers) -> None:
    with pytest.raises(RuntimeError, match="development"):
        ensure_demo_customer(replace(customers.settings, production=True))
    real = link(customers).customer
    with pytest.raises(LookupError):
        customers.identities.bind_demo("rest", "attacker", real.id)
    assert customers.identities.demo("") is None


def test_a_demo_without_a_sandbox_says_so(tmp_path: Path) -> None:
    settings = settings_in(tmp_path, sandbox_url="http://127.0.0.1:9")
    with pytest.raises(BankUnavailable):
        ensure_demo_customer(settings)


def test_linking_shows_nothing_in_its_reprs(customers: Customers) -> None:
    assert isinstance(customers.linking, Linking)
    customer = Customer("id", "conversation", "cmdline")
    assert "token" not in repr(customer)
