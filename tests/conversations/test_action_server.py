"""Who may call the action server, and what it gives away: nothing without the secret, nothing when it breaks."""

from __future__ import annotations

import json
import socket
import zlib
from typing import Any

import pytest
import requests
from support.assistant import Assistant

pytestmark = pytest.mark.conversation

SAID = "canary words of a customer"


def call(channel: str, action: str = "action_help") -> dict[str, Any]:
    message = {"text": SAID, "intent": {"name": "help"}, "entities": []}
    return {
        "next_action": action,
        "sender_id": "somebody",
        "version": "3.6.21",
        "domain": {},
        "tracker": {
            "sender_id": "somebody",
            "slots": {},
            "latest_message": message,
            "latest_event_time": 0,
            "followup_action": None,
            "paused": False,
            "events": [{"event": "user", "text": SAID}],
            "latest_input_channel": channel,
            "active_loop": {},
            "latest_action_name": None,
        },
    }


def post(assistant: Assistant, body: object, **headers: str) -> requests.Response:
    return requests.post(f"{assistant.actions.url}/webhook", json=body, headers=headers, timeout=20)


def test_with_the_secret_every_channel_is_served(assistant: Assistant) -> None:
    for channel in ("cmdline", "rest", "messenger"):
        answer = post(assistant, call(channel), **{"X-Tellerline-Secret": assistant.secret})
        assert answer.status_code == 200
        assert answer.json()["responses"]


@pytest.mark.parametrize("wrong", ["", "x", "s" * 32, "conversation-tests-"])
@pytest.mark.parametrize("channel", ["cmdline", "messenger"])
def test_a_wrong_secret_opens_nothing(assistant: Assistant, wrong: str, channel: str) -> None:
    answer = post(assistant, call(channel), **{"X-Tellerline-Secret": wrong})
    assert answer.status_code == 403
    assert assistant.secret not in answer.text


def test_without_the_secret_only_the_terminal_and_rest_on_this_machine_are_served(assistant: Assistant) -> None:
    assert post(assistant, call("cmdline")).status_code == 200
    assert post(assistant, call("rest")).status_code == 200
    for channel in ("messenger", "alexa", "web", "CMDLINE", " cmdline"):
        assert post(assistant, call(channel)).status_code == 403


@pytest.mark.parametrize("body", [None, [], "cmdline", {}, {"tracker": None}, {"tracker": {"latest_input_channel": 7}}])
def test_a_body_that_is_no_call_is_refused_without_the_secret(assistant: Assistant, body: object) -> None:
    assert post(assistant, body).status_code == 403


def test_a_compressed_call_is_read_like_any_other(assistant: Assistant) -> None:
    for channel, status in (("cmdline", 200), ("messenger", 403)):
        answer = requests.post(
            f"{assistant.actions.url}/webhook",
            data=zlib.compress(json.dumps(call(channel)).encode()),
            headers={"Content-Encoding": "deflate", "Content-Type": "application/json"},
            timeout=20,
        )
        assert answer.status_code == status


def test_what_breaks_gives_a_reference_and_not_the_conversation(assistant: Assistant) -> None:
    broken = call("cmdline")
    broken["tracker"]["latest_message"] = 7
    answer = post(assistant, broken, **{"X-Tellerline-Secret": assistant.secret})
    assert answer.status_code == 500
    assert set(answer.json()) == {"error"}
    assert "reference" in answer.json()["error"]
    assert SAID not in answer.text
    log = assistant.actions.log.read_text()
    assert answer.json()["error"].split()[-1] in log
    assert SAID not in log


def test_an_action_that_does_not_exist_says_only_that(assistant: Assistant) -> None:
    answer = post(assistant, call("cmdline", "action_nowhere"), **{"X-Tellerline-Secret": assistant.secret})
    assert answer.status_code == 404
    assert SAID not in answer.text


def test_it_listens_on_this_machine_only(assistant: Assistant) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            outside = probe.getsockname()[0]
        except OSError:
            pytest.skip("this machine has no address besides loopback")
    with socket.socket() as client:
        client.settimeout(2)
        assert client.connect_ex((outside, assistant.actions.port)) != 0
