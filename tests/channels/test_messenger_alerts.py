"""Alerts on Messenger: once each, in the window as messages, outside it as a template or not at all."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from support.channel_contract import wait_for
from support.channel_server import ChannelServer
from support.graph import DAY
from support.installation import settings_in
from support.messenger import MessengerDriver

from assistant.alerts.kinds import AlertKind
from assistant.alerts.sender import AlertMessage, AlertSender, Closed
from assistant.banking import clock
from assistant.banking.connector import CustomerProfile
from assistant.channels.messenger_alerts import MessengerAlerts
from assistant.channels.messenger_linking import CHANNEL
from assistant.customers.service import Customers, open_customers
from assistant.replies.reply import Choice, Phrase, Reply
from assistant.settings import load_settings

REPLY = Reply((Phrase("messenger_automated"),), choices=(Choice("yes"),))


@pytest.fixture
def driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[MessengerDriver]:
    monkeypatch.setenv("TELLERLINE_HOME", str(tmp_path))
    driver = MessengerDriver()
    driver.server = ChannelServer(driver.channel, tmp_path, driver.credentials)
    with driver.server:
        yield driver
    driver.close()


@pytest.fixture
def customers(driver: MessengerDriver) -> Customers:
    return open_customers(load_settings())


def alert(customers: Customers, key: str = "a1") -> AlertMessage:
    conversation = customers.identities.conversation_id(CHANNEL, "ann")
    return AlertMessage(key, (key,), tuple(AlertKind)[:1], conversation, CustomerProfile(), REPLY)


def written(driver: MessengerDriver) -> None:
    driver.say("ann", f"m{time.monotonic()}", "hello")
    before = len(driver.answers("ann"))
    assert wait_for(lambda: len(driver.answers("ann")) > before or before > 0)


def test_inside_the_window_it_is_said_once(driver: MessengerDriver, customers: Customers) -> None:
    sender: AlertSender = MessengerAlerts(customers)
    assert sender.channel == CHANNEL
    written(driver)
    for _ in range(3):  # the worker tries again when it does not know whether it was taken
        sender.send(alert(customers))
    sender.send(alert(customers, "a2"))
    assert wait_for(lambda: len(driver.answers("ann")) == 3)
    time.sleep(2)
    _, first, second = driver.graph.to("ann")
    assert first.text == second.text == "You're chatting with an automated assistant, not a person."
    assert first.body["messaging_type"] == "UPDATE" and list(first.offers) == ["Yes"]
    assert [one["text"] for one in driver.server.heard()] == ["hello"], "no turn of Rasa's"


def days_pass(driver: MessengerDriver, customers: Customers, days: float) -> None:
    """For us and for Messenger."""
    who = customers.inbox.correspondent(CHANNEL, customers.identities.conversation_id(CHANNEL, "ann"))
    customers.inbox.heard(who.conversation_id, who.address, clock.now() - timedelta(days=days))
    driver.graph.last_written["ann"] -= days * DAY


def test_outside_the_window_it_is_a_template_or_the_next_channels(
    driver: MessengerDriver, customers: Customers
) -> None:
    written(driver)
    days_pass(driver, customers, 2)
    with pytest.raises(Closed):
        MessengerAlerts(customers).send(alert(customers))
    driver.graph.templates = [{"name": "account_notice", "status": "APPROVED"}]
    MessengerAlerts(customers, "account_notice").send(alert(customers))
    assert wait_for(lambda: len(driver.graph.to("ann")) == 2)
    shown: dict[str, Any] = driver.graph.to("ann")[1].body
    assert shown["messaging_type"] == "UTILITY"
    [body] = shown["message"]["template"]["components"]
    assert "automated assistant" in body["parameters"][0]["text"]


def test_whom_we_do_not_know_we_do_not_write_to(tmp_path: Path) -> None:
    customers = open_customers(settings_in(tmp_path))
    with pytest.raises(Closed):
        MessengerAlerts(customers).send(alert(customers))
