from __future__ import annotations

from pathlib import Path

import pytest
from support.installation import settings_in
from support.stub_banks import StubBank, customers_with, linked

from assistant.customers.service import Customers


@pytest.fixture
def customers(tmp_path: Path) -> Customers:
    return customers_with(tmp_path, StubBank("chase"))


def test_a_conversation_has_one_id_that_tells_nothing(customers: Customers, tmp_path: Path) -> None:
    name = customers.identities.conversation_id
    assert name("phone", "+15555550123") == name("phone", "+15555550123")
    assert "5555550123" not in name("phone", "+15555550123") and len(name("phone", "")) == 40
    again = customers_with(tmp_path, StubBank("chase")).identities
    assert again.conversation_id("phone", "+15555550123") == name("phone", "+15555550123")


def test_ids_differ_by_channel_user_and_installation(customers: Customers, tmp_path: Path) -> None:
    name = customers.identities.conversation_id
    elsewhere = customers_with(tmp_path / "b", StubBank("chase"), settings=settings_in(tmp_path / "b")).identities
    ids = {name("phone", "1"), name("alexa", "1"), name("phone", "2"), elsewhere.conversation_id("phone", "1")}
    assert len(ids) == 4
    assert name("phon", "e1") != name("phone", "1")


def test_an_unknown_sender_is_nobody(customers: Customers) -> None:
    linked(customers, "chase")
    assert customers.identities.resolve("cmdline", "someone") is None
    assert customers.identities.resolve("cmdline", "") is None


def test_a_known_id_on_another_channel_is_nobody(customers: Customers) -> None:
    customer = linked(customers, "chase", channel="messenger")
    assert customers.identities.resolve("messenger", customer.conversation_id) == customer
    assert customers.identities.resolve("rest", customer.conversation_id) is None


def test_customer_ids_are_random_and_opaque(customers: Customers) -> None:
    ids = {linked(customers, sender=f"conversation-{n}").id for n in range(5)}
    assert len(ids) == 5 and all(len(id) == 32 for id in ids)


def test_binding_again_moves_the_conversation(customers: Customers) -> None:
    first = linked(customers, "chase")
    second = linked(customers, "chase")
    found = customers.identities.resolve("cmdline", "conversation-1")
    assert found is not None and found.id == second.id != first.id
    assert customers.identities.conversations(first.id) == ()
