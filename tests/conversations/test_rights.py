"""From nothing to linked, and from linked to forgotten: in words, over the hosted pages, at the real sandbox bank."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count

import jsonschema
import pytest
from support.assistant import Assistant
from support.pages_server import Browser, PagesServer
from support.sandbox import ROOT, free_port

from assistant.sandbox.demo import walk_pages

pytestmark = [pytest.mark.conversation, pytest.mark.timeout(180)]

#: A channel of ours: nobody is known on it until a bank is linked.
CHANNEL = "web"
_numbers = count(1)


@pytest.fixture(scope="module")
def pages(assistant: Assistant) -> Iterator[PagesServer]:
    port = free_port()
    with PagesServer(replace(assistant.settings, rasa_port=port)) as server:
        assistant.restart_actions(TELLERLINE_PUBLIC_URL=server.url)
        yield server


@pytest.fixture
def browser(pages: PagesServer) -> Browser:
    return Browser(pages)


@pytest.fixture
def talk(assistant: Assistant) -> Callable[[str], str]:
    sender = f"newcomer-{next(_numbers)}"
    return lambda text: "\n".join(str(one.get("text", "")) for one in assistant.messages(text, sender, CHANNEL))


def path_in(answer: str) -> str:
    found = re.search(r"https?://[\w.:]+(/link/\S+)", answer)
    assert found, answer
    return found[1]


def connect(talk: Callable[[str], str], browser: Browser) -> None:
    leaving = browser.press(browser.get(path_in(talk("connect my bank"))))
    browser.come_back(walk_pages(leaving.headers["Location"], "maya"))


def test_the_question_that_waited_is_answered_after_linking(talk: Callable[[str], str], browser: Browser) -> None:
    assert "connect" in talk("how much is in checking").lower()
    assert "don't see the connection yet" in talk("connect my bank") + talk("done")
    connect(talk, browser)
    answer = talk("done")
    assert "$7,749.09" in answer and "Everyday Checking" in answer
    assert "$" in talk("how much did i spend on groceries last month")


def test_what_was_asked_before_is_not_told_to_another_conversation(
    talk: Callable[[str], str], browser: Browser, assistant: Assistant
) -> None:
    talk("what's my balance")
    connect(talk, browser)
    stranger = assistant.messages("done", "somebody-else", CHANNEL)
    assert "$" not in str(stranger)
    assert "$" in talk("done")


def code_set_and_given(talk: Callable[[str], str], browser: Browser, wish: str) -> str:
    """What is said after the code was set and given on its pages."""
    asked = path_in(talk(wish))
    assert "/link/code/" not in asked, "a code must not be chosen by whoever holds the conversation"
    leaving = browser.press(browser.get(asked))
    back = browser.come_back(walk_pages(leaving.headers["Location"], "maya"))
    choosing = re.search(r'href="(/link/code/[\w-]{43})"', back.text)
    assert choosing
    setting = browser.get(choosing[1])
    assert browser.press(setting, code="804193", again="804193").status_code == 200
    entering = browser.get(path_in(talk("done")))
    assert browser.press(entering, code="804193").status_code == 200
    return talk("done")


def test_everything_held_is_given_out_only_after_the_code(talk: Callable[[str], str], browser: Browser) -> None:
    connect(talk, browser)
    talk("done")
    given = code_set_and_given(talk, browser, "send me my data")
    talk("what's my balance")  # so that there is a copy of the bank's answer; signing in again let go of the last
    download = browser.get(path_in(given))
    assert download.status_code == 200
    files = [browser.press(download, button=number) for number in range(2)]
    assert all("connect my bank" in file.text for file in files)
    (data,) = [file.json() for file in files if file.headers["Content-Type"].startswith("application/json")]
    schema = json.loads((ROOT / "docs" / "export.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(data, schema)
    assert data["conversations"] and data["consents"] and data["bank_data"]


def test_forgetting_takes_the_code_and_a_yes_and_leaves_nobody(talk: Callable[[str], str], browser: Browser) -> None:
    connect(talk, browser)
    talk("done")
    assert "$" in talk("what's my balance")
    assert "Go ahead?" in code_set_and_given(talk, browser, "forget me")
    assert "erased" in talk("yes")
    answer = talk("what's my balance")
    assert "$" not in answer and "connect" in answer.lower()
    assert "know nothing about you" in talk("what do you know about me")


def test_a_no_erases_nothing(talk: Callable[[str], str], browser: Browser) -> None:
    connect(talk, browser)
    talk("done")
    assert "Go ahead?" in code_set_and_given(talk, browser, "forget me")
    talk("no")
    assert "$" in talk("what's my balance")
    talk("yes")
    assert "$" in talk("what's my balance")


def test_disconnecting_ends_the_reading(talk: Callable[[str], str], browser: Browser) -> None:
    connect(talk, browser)
    talk("done")
    assert "Go ahead?" in talk("disconnect my bank")
    assert "disconnected" in talk("yes")
    assert "$" not in talk("what's my balance")


def test_a_slot_filled_by_hand_confirms_nothing(assistant: Assistant, browser: Browser) -> None:
    """The shell's debugging syntax can set what was offered; without the code it erases nobody."""
    talk = assistant.talk("jordan")
    talk("what's my balance")
    talk('/affirm{"waiting": {"for": "erase"}}')
    assert "$" in talk("what's my balance")
