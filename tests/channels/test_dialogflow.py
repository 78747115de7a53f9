"""Dialogflow CX: the contract of channels, broken tokens, keys of a telephone, the limits of an answer."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from support.channel_contract import ChannelContract
from support.channel_server import ChannelServer
from support.dialogflow import DialogflowDriver, said

from assistant.channels.dialogflow import MAX_RESPONSE, Dialogflow, answer
from assistant.replies.said import Said


class TestDialogflow(ChannelContract):
    @pytest.fixture(scope="class")
    @classmethod
    def driver(cls, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DialogflowDriver]:
        yield DialogflowDriver(tmp_path_factory.mktemp("google"))

    def test_what_was_spoken_is_heard_like_what_was_written(
        self, server: ChannelServer, driver: DialogflowDriver, ann: str
    ) -> None:
        driver.post(driver.asked(ann, f"{ann}-1", transcript="what's my balance"))
        assert [one["text"] for one in server.heard()] == ["what's my balance"]

    def test_a_key_is_a_word_and_many_are_nobodys_business(
        self, server: ChannelServer, driver: DialogflowDriver, ann: str
    ) -> None:
        driver.post(driver.asked(ann, f"{ann}-1", dtmfDigits="1"))
        driver.post(driver.asked(ann, f"{ann}-2", dtmfDigits="472915"))
        assert [one["text"] for one in server.heard()] == ["yes"]
        assert "472915" not in server.log.read_text()

    def test_an_end_ends_it(self, server: ChannelServer, driver: DialogflowDriver, ann: str) -> None:
        over = driver.asked(ann, f"{ann}-1", fulfillmentInfo={"tag": "tellerline-end"})
        assert {"endInteraction": {}} in driver.post(over).json()["fulfillmentResponse"]["messages"]
        assert server.heard() == []

    def test_a_slow_answer_is_given_when_asked_again(
        self, server: ChannelServer, driver: DialogflowDriver, ann: str
    ) -> None:
        server.turns_take(5)
        slow = driver.post(driver.asked(ann, f"{ann}-1", text="what's my balance"))
        assert "Say go on" in said(slow) and slow.elapsed.total_seconds() < 5
        kept = slow.json()["sessionInfo"]["parameters"]
        then = driver.post(driver.asked(ann, f"{ann}-2", text="go on", parameters=kept))
        assert "You said: what's my balance" in said(then)
        assert len(server.heard()) == 1


def test_an_answer_is_never_longer_than_dialogflow_takes() -> None:
    for text in ("a" * 100_000, "é&<" * 50_000, "\n".join(["line"] * 50_000)):
        body = answer([Said(text, text)])
        assert len(body) <= MAX_RESPONSE and json.loads(body)


@pytest.mark.parametrize("given", [{}, {"agent": "a"}, {"secret": "x"}, {"agent": "a", "audience": "x"}])
def test_a_webhook_without_proof_is_not_served(given: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="dialogflow needs"):
        Dialogflow.from_credentials(given)
