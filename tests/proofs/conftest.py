"""One long conversation over real processes, with everything that can go wrong; proofs look at what it left behind."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests
from support.canary_bank import LOGIN, STEM
from support.pages_server import Browser
from support.sandbox import CLOCK
from support.watched import WatchedAssistant

from assistant.banking.purpose import Purpose
from assistant.sandbox.demo import walk_pages

#: What the customer types, unmistakable wherever it turns up.
EMAIL = f"{STEM}@example.org"
PHONE = "(628) 555-0173"
CARD = "4929 5738 6116 0283"
AMOUNT = "$7,319.46"
CODE = "804193627158"

TURNS = (
    "hi",
    "what's my balance",
    f"how much is in my {STEM} reserve",
    f"when did I last pay {STEM} dental",
    f"how much did I spend at {STEM} bakehouse last month",
    f"show me payments over {AMOUNT}",
    f"I am Zephyra {STEM}, write me at {EMAIL} or call {PHONE}",
    f"my card is {CARD} and my account is 000817236455901",
    "how much did I spend on food last month",
    "and the month before?",
    "show me those",
    "more",
    "what subscriptions do I have",
    "which bills are due before payday",
    "what do I owe on my card",
    "what is my income this year",
    "what do you know about me",
    "connect my bank",
    "forget me",
    "never mind",
    f"I didn't make this purchase at {STEM} motors for {AMOUNT}",
    f"send {AMOUNT} to {STEM} properties",
    "talk to a person",
    f"{STEM} " * 300,
    '/restart{"merchant": "' + STEM + '"}',
    f'{{"text": "{STEM}", "intent": "/ask_balance"}}',
    "what are my latest transactions",
)
#: One of each kind, none of which says an amount itself.
QUESTIONS = (
    "what's my balance",
    "which accounts do I have",
    "what do I owe on my card",
    "show me my latest transactions",
    "what was my largest purchase",
    f"when did I last pay {STEM} dental",
    "how much did I spend last month",
    "how much did I spend since payday",
    "did I pay any fees",
    "what subscriptions do I have",
    "which bills are due before payday",
    "and the month before?",
    "more",
    "help",
)
#: After each, two questions are asked.
FAULTS = (
    {"kind": "expired_token", "times": 1},  # first: when too much has failed the bank is left alone for a while
    {"kind": "unavailable"},
    {"kind": "cut", "times": 2},
    {"kind": "malformed_json"},
    {"kind": "error"},
    {"kind": "rate_limited", "retry_after": 1},
    {"kind": "missing_ids"},
    {"kind": "null_balances"},
)


@pytest.fixture(scope="module")
def conversed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedAssistant]:
    """The conversation is over, and its processes still run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TELLERLINE_CLOCK", CLOCK)
        with WatchedAssistant(tmp_path_factory.mktemp("watched")) as assistant:
            converse(assistant)
            yield assistant


def converse(assistant: WatchedAssistant) -> None:
    """All of it. What she typed and was told, and the tokens, are then to be found nowhere in clear."""
    store = assistant.customers.vault.tokens(assistant.customer_id, "sandbox")
    assistant.tokens.append(store.load())
    assert assistant.say("hello"), "no answer: the model is not of this code (make train)"
    for text in TURNS:
        assistant.say(text)
    _ask_without_consent(assistant)
    _take_her_data(assistant)
    for fault in FAULTS:
        assistant.bank.fault(**fault)
        assistant.say("what's my balance")
        assistant.say("how much did I spend on restaurants in january")
        assistant.bank.clear()
    assistant.tokens.append(store.load())
    # Ended at the bank in mid-conversation.
    form = {"client_id": "tellerline-dev", "token": store.load().refresh_token}
    requests.post(f"{assistant.bank.url}/oauth/revoke", data=form, timeout=10).raise_for_status()
    assistant.say("what's my balance")
    _break_actions(assistant)


def _ask_without_consent(assistant: WatchedAssistant) -> None:
    """Everything is switched off, elsewhere, while the conversation goes on; then it is switched on again."""
    customers, customer_id = assistant.customers, assistant.customer_id
    ended = customers.consents.withdraw(customer_id, Purpose)
    assistant.bank.calls()
    for text in QUESTIONS:
        assert "$" not in assistant.say(text), text
    assistant.asked_without_consent = assistant.bank.calls()
    for channel in {consent.channel for consent in ended}:
        purposes = [consent.purpose for consent in ended if consent.channel == channel]
        customers.consents.grant(customer_id, "sandbox", channel, purposes)


def _take_her_data(assistant: WatchedAssistant) -> None:
    """The whole way: signing in at her bank again, choosing a code, giving it, both files."""
    browser = Browser(assistant)
    leaving = browser.press(browser.get(page_in(assistant.say("send me my data"))))
    back = browser.come_back(walk_pages(leaving.headers["Location"], LOGIN))
    assistant.tokens.append(assistant.customers.vault.tokens(assistant.customer_id, "sandbox").load())
    choosing = browser.get(page_in(back.text))
    assert browser.press(choosing, code=CODE, again=CODE).status_code == 200
    page = browser.get(page_in(give_code(assistant, browser, "done")))
    files = [browser.press(page, button) for button in (0, 1)]
    assert all(file.status_code == 200 and STEM in file.text.lower() and EMAIL in file.text for file in files)
    told = assistant.say("what's my balance")  # linking anew let go of what the bank had said
    assert "$" in told, told


def give_code(assistant: WatchedAssistant, browser: Browser, wish: str) -> str:
    """What she is told after she gave her code on its page."""
    entering = browser.get(page_in(assistant.say(wish)))
    assert browser.press(entering, code=CODE).status_code == 200
    return assistant.say("done")


def page_in(text: str) -> str:
    found = re.search(r"/link/(?:[a-z]+/)?[\w-]{43}", text)
    assert found, text
    return found[0]


def _break_actions(assistant: WatchedAssistant) -> None:
    """Actions that raise, with what the customer said in their hands."""
    tracker = {"sender_id": f"{STEM}", "slots": {"focus": f"{STEM}"}, "events": [{"event": "user", "text": EMAIL}],
               "latest_message": f"{STEM} {CARD}", "latest_input_channel": "rest", "latest_event_time": 0,
               "active_loop": {}, "paused": False}  # fmt: skip
    call = {"next_action": "action_balances", "sender_id": STEM, "tracker": tracker, "domain": {}, "version": "3.6.21"}
    statuses = [
        assistant.act(call).status_code,
        assistant.act({**call, "next_action": "action_of_nobody"}).status_code,
        assistant.act({**call, "tracker": {**tracker, "slots": [STEM]}}).status_code,
        assistant.act(f'{{"next_action": "{STEM}", ').status_code,
    ]
    assert all(status >= 400 for status in statuses), statuses
