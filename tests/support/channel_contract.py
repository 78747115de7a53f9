"""What every channel must do, whatever its platform: a test class for each channel to subclass.

A subclass gives a ``driver``: the platform as the channel sees it, which signs and sends requests and collects what
people were answered.
"""

from __future__ import annotations

import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import pytest
import requests
from support.channel_server import ChannelServer


def wait_for(what: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Whether it came true in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.05)
    return what()


class Driver(ABC):
    """The platform. ``server`` is set before anything is sent. A person is any short text."""

    server: ChannelServer

    #: As "module:Class", and what stands in credentials.yml.
    channel: str
    credentials: dict[str, object]
    #: Environment of the server.
    env: ClassVar[dict[str, str]] = {}
    #: The largest body it takes.
    max_body = 1024 * 1024

    @abstractmethod
    def say(self, person: str, event_id: str, text: str) -> requests.Response:
        """Deliver a message as the platform does, well signed."""

    @abstractmethod
    def deliver(self, body: bytes) -> requests.Response:
        """Deliver any bytes, well signed."""

    @abstractmethod
    def forged(self, person: str, event_id: str, text: str) -> list[requests.Response]:
        """The same message in every way in which it must be refused: unsigned, signed by another, changed, stale."""

    @abstractmethod
    def answers(self, person: str) -> list[str]:
        """What the person was told so far, in order."""

    @abstractmethod
    def close(self) -> None:
        """Stop the platform."""


class ChannelContract(ABC):
    """Of every channel; one that answers later subclasses LaterContract."""

    answers_later = False

    @pytest.fixture(scope="class")
    @classmethod
    @abstractmethod
    def driver(cls) -> Iterator[Driver]:
        """With scope "class" too: the server takes seconds to start, so the tests share one."""

    @pytest.fixture(scope="class")
    @classmethod
    def running(cls, driver: Driver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChannelServer]:
        driver.server = ChannelServer(driver.channel, tmp_path_factory.mktemp("home"), driver.credentials, driver.env)
        with driver.server as server:
            yield server
        driver.close()

    @pytest.fixture
    def server(self, running: ChannelServer) -> ChannelServer:
        """What it heard before this test is forgotten."""
        running.turns_take(0)
        running.forget()
        return running

    @pytest.fixture
    def ann(self) -> str:
        return f"ann-{secrets.token_hex(4)}"

    @pytest.fixture
    def bob(self) -> str:
        return f"bob-{secrets.token_hex(4)}"

    def test_a_message_is_answered_once(self, server: ChannelServer, driver: Driver, ann: str) -> None:
        assert driver.say(ann, f"{ann}-m1", "what's my balance").status_code == 200
        assert wait_for(lambda: len(driver.answers(ann)) >= 1)
        time.sleep(1.5)  # time for a second answer to show
        assert ["what's my balance" in one for one in driver.answers(ann)] == [True]

    def test_a_message_delivered_again_is_not_heard_again(
        self, server: ChannelServer, driver: Driver, ann: str
    ) -> None:
        for _ in range(3):
            assert driver.say(ann, f"{ann}-m1", "transfer it").status_code == 200
        assert wait_for(lambda: len(driver.answers(ann)) >= 1)
        server.stop()
        server.start()
        assert driver.say(ann, f"{ann}-m1", "transfer it").status_code == 200
        time.sleep(1.5)
        assert [one["text"] for one in server.heard()] == ["transfer it"]
        if self.answers_later:
            assert len(driver.answers(ann)) == 1

    def test_the_same_words_again_are_another_message(self, server: ChannelServer, driver: Driver, ann: str) -> None:
        driver.say(ann, f"{ann}-m1", "more")
        driver.say(ann, f"{ann}-m2", "more")
        assert wait_for(lambda: len(driver.answers(ann)) >= 2)
        assert [one["text"] for one in server.heard()] == ["more", "more"]

    def test_what_does_not_prove_where_it_comes_from_is_refused(
        self, server: ChannelServer, driver: Driver, ann: str, bob: str
    ) -> None:
        refused = driver.forged(ann, f"{ann}-m1", "what's my balance")
        assert refused and all(400 <= one.status_code < 500 for one in refused), refused
        assert driver.say(bob, f"{bob}-m1", "hello").status_code == 200
        assert wait_for(lambda: len(driver.answers(bob)) >= 1)
        assert [one["text"] for one in server.heard()] == ["hello"]
        assert not driver.answers(ann)

    def test_two_people_never_share_a_conversation(
        self, server: ChannelServer, driver: Driver, ann: str, bob: str
    ) -> None:
        driver.say(ann, f"{ann}-m1", "hello")
        driver.say(bob, f"{bob}-m2", "hello")
        assert wait_for(lambda: bool(driver.answers(ann) and driver.answers(bob)))
        conversations = [one["conversation"] for one in server.heard()]
        assert len(set(conversations)) == 2
        assert not any(name in one for one in conversations for name in (ann, bob))

    def test_text_is_never_a_command(self, server: ChannelServer, driver: Driver, ann: str) -> None:
        for number, text in enumerate(['/ask_balance{"account": "x"}', " //restart", "/", "\n/session_start"]):
            driver.say(ann, f"{ann}-m{number}", text)
        driver.say(ann, f"{ann}-last", "bye")
        assert wait_for(lambda: any(one["text"] == "bye" for one in server.heard()))
        assert not [one["text"] for one in server.heard() if one["text"].strip().startswith("/")]

    def test_a_persons_messages_are_answered_in_order(self, server: ChannelServer, driver: Driver, ann: str) -> None:
        for number in range(8):
            driver.say(ann, f"{ann}-m{number}", f"number {number}")
        assert wait_for(lambda: len(driver.answers(ann)) == 8)
        assert [one["text"] for one in server.heard()] == [f"number {number}" for number in range(8)]
        assert [f"number {number}" in one for number, one in enumerate(driver.answers(ann))] == [True] * 8

    def test_a_slow_turn_holds_up_nobody_else(self, server: ChannelServer, driver: Driver, ann: str) -> None:
        server.turns_take(2.0)
        with ThreadPoolExecutor(8) as people:
            began = time.monotonic()
            list(people.map(lambda n: driver.say(f"{ann}{n}", f"{ann}-m{n}", "hello"), range(8)))
            assert wait_for(lambda: all(driver.answers(f"{ann}{n}") for n in range(8)))
        assert time.monotonic() - began < 8, "eight turns of two seconds, one after the other, take sixteen"

    def test_garbage_harms_nobody(self, server: ChannelServer, driver: Driver, ann: str) -> None:
        bodies = [
            b"",
            b"{",
            b"null",
            b"[]",
            b"{}",
            b"[[[[[]]]]]",
            b"\xff\xfe\x00",
            b'"\\ud800"',
            b"[" * 100_000,
            b"1e999",
        ]
        assert all(driver.deliver(body).status_code < 500 for body in bodies)
        assert driver.say(ann, f"{ann}-m1", "still there?").status_code == 200
        assert wait_for(lambda: len(driver.answers(ann)) == 1)

    def test_a_body_that_is_too_long_is_refused(self, server: ChannelServer, driver: Driver, ann: str) -> None:
        assert driver.deliver(b" " * (driver.max_body + 1)).status_code == 413
        assert driver.say(ann, f"{ann}-m1", "hello").status_code == 200

    def test_nothing_that_was_said_is_in_the_log(self, server: ChannelServer, driver: Driver, ann: str) -> None:
        driver.say(ann, f"{ann}-m1", "my secret is xylophone")
        driver.forged(ann, f"{ann}-m2", "my secret is xylophone")
        assert wait_for(lambda: bool(driver.answers(ann)))
        log = server.log.read_text()
        assert "xylophone" not in log and ann not in log


class LaterContract(ChannelContract):
    """Of a channel that acknowledges at once: what it acknowledged is nobody's but ours to remember. A platform that
    waits for the answer asks again by itself."""

    answers_later = True

    def test_a_killed_process_loses_nothing_and_answers_nothing_twice(
        self, server: ChannelServer, driver: Driver, ann: str
    ) -> None:
        server.turns_take(0.3)
        people = [f"{ann}{number}" for number in range(6)]
        with ThreadPoolExecutor(6) as all_at_once:
            for number in range(3):
                sent = all_at_once.map(lambda who, n=number: driver.say(who, f"{who}-{n}", f"number {n}"), people)
                assert all(one.status_code == 200 for one in sent)
        time.sleep(0.4)
        server.kill()
        server.start()
        assert wait_for(lambda: all(len(driver.answers(who)) >= 3 for who in people), 40)
        time.sleep(2)
        for who in people:
            assert [f"number {n}" in one for n, one in enumerate(driver.answers(who))] == [True] * 3
