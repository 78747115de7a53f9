"""The base of all channels, by the least channel there can be."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import requests
from support.channel_contract import Driver, LaterContract, wait_for
from support.channel_server import ChannelServer
from support.installation import MASTER_KEY, settings_in

from assistant.customers.service import open_customers

_SECRET = "toy-secret"


class ToyDriver(Driver):
    channel = "support.toy_channel:Toy"
    env = {"TELLERLINE_MASTER_KEY": base64.b64encode(MASTER_KEY).decode()}  # noqa: RUF012 - see Driver

    def __init__(self) -> None:
        self.taken: list[dict[str, Any]] = []
        self.fails = 0
        driver = self

        class Platform(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if driver.fails:
                    driver.fails -= 1
                    self.send_response(503)
                else:
                    driver.taken.append(body)
                    self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._platform = ThreadingHTTPServer(("127.0.0.1", 0), Platform)
        threading.Thread(target=self._platform.serve_forever, daemon=True).start()
        self.credentials = {"secret": _SECRET, "platform": f"http://127.0.0.1:{self._platform.server_port}/send"}

    def deliver(self, body: bytes, secret: str = _SECRET) -> requests.Response:
        signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
        return requests.post(self.server.webhook, data=body, headers={"X-Signature": signature}, timeout=30)

    def events(self, *events: dict[str, Any]) -> requests.Response:
        return self.deliver(json.dumps(events).encode())

    def say(self, person: str, event_id: str, text: str) -> requests.Response:
        return self.events({"from": person, "id": event_id, "text": text})

    def forged(self, person: str, event_id: str, text: str) -> list[requests.Response]:
        body = json.dumps([{"from": person, "id": event_id, "text": text}]).encode()
        headers = [{}, {"X-Signature": ""}, {"X-Signature": "é".encode("latin-1")}, {"X-Signature": "0" * 64}]
        unsigned = [requests.post(self.server.webhook, data=body, headers=one, timeout=30) for one in headers]
        return [*unsigned, self.deliver(body, "another secret")]

    def answers(self, person: str) -> list[str]:
        return [one["text"] for one in self.to(person)]

    def to(self, person: str) -> list[dict[str, Any]]:
        return [one for one in self.taken if one["to"] == person]

    def close(self) -> None:
        self._platform.shutdown()


class TestToy(LaterContract):
    @pytest.fixture(scope="class")
    @classmethod
    def driver(cls) -> ToyDriver:
        return ToyDriver()

    def test_a_button_says_what_stands_on_it(self, server: ChannelServer, driver: ToyDriver, ann: str) -> None:
        driver.say(ann, f"{ann}-m1", "hello")
        assert wait_for(lambda: bool(driver.to(ann)))
        token = driver.to(ann)[0]["buttons"][0]
        assert "Again" not in token
        driver.events({"from": ann, "id": f"{ann}-m2", "pressed": token})
        assert wait_for(lambda: len(driver.answers(ann)) == 2)
        assert server.heard()[-1]["text"] == "Again"
        assert server.heard()[-1]["about"]["tellerline"]["about"] == "alert-1"

    def test_a_button_works_for_nobody_else(self, server: ChannelServer, driver: ToyDriver, ann: str, bob: str) -> None:
        driver.say(ann, f"{ann}-m1", "hello")
        assert wait_for(lambda: bool(driver.to(ann)))
        token = driver.to(ann)[0]["buttons"][0]
        for number, pressed in enumerate([token, "x", "", token[:-2], "/greet"]):
            driver.events({"from": bob, "id": f"{bob}-{number}", "pressed": pressed})
        assert wait_for(lambda: len(driver.answers(bob)) == 5)
        assert all("too old" in one for one in driver.answers(bob))
        assert len(server.heard()) == 1

    def test_an_answer_that_was_not_taken_is_sent_again(
        self, server: ChannelServer, driver: ToyDriver, ann: str
    ) -> None:
        driver.fails = 2
        driver.say(ann, f"{ann}-m1", "hello")
        assert wait_for(lambda: len(driver.answers(ann)) == 1)
        assert len(server.heard()) == 1

    def test_one_bad_event_of_a_batch_loses_no_other(self, server: ChannelServer, driver: ToyDriver, ann: str) -> None:
        good = {"from": ann, "id": f"{ann}-m1", "text": "hello"}
        driver.events({"from": 7}, good, {"nothing": None})
        assert wait_for(lambda: len(driver.answers(ann)) == 1)

    def test_work_is_acknowledged_before_it_is_done(self, server: ChannelServer, driver: ToyDriver, ann: str) -> None:
        server.turns_take(5)
        began = time.monotonic()
        assert driver.say(ann, f"{ann}-m1", "hello").status_code == 200
        assert time.monotonic() - began < 4

    def test_what_another_process_has_to_say_is_sent(self, server: ChannelServer, driver: ToyDriver, ann: str) -> None:
        driver.say(ann, f"{ann}-m1", f"it is {ann}")
        assert wait_for(lambda: len(driver.answers(ann)) == 1)
        inbox = open_customers(settings_in(server.home)).inbox
        # A turn of the test before may still have been heard.
        (conversation,) = [one["conversation"] for one in server.heard() if one["text"] == f"it is {ann}"]
        inbox.say("toy", conversation, [{"text": "By the way", "buttons": []}])
        assert wait_for(lambda: driver.answers(ann)[1:] == ["By the way"])
