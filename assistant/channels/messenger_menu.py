"""What stands on a page before anybody has written: Get started, ice breakers, the menu. One set for everybody.

What these buttons carry is not secret and never expires, so it names an entry of this closed list, and pressing it
is saying what stands on it: nothing that could not be typed.
"""

from __future__ import annotations

from typing import Any

from assistant.channels.words import ChannelWords

_PREFIX = "menu:"
#: What Get started carries.
START = f"{_PREFIX}start"
#: Wording ``messenger_menu_<entry>``: at most 30 characters.
MENU = ("balance", "spending", "transactions", "privacy", "person")
#: Wording ``messenger_ice_<entry>``: at most 80 characters, and at most four of them.
ICE_BREAKERS = ("help", "balance", "food", "bills")
MAX_MENU_TITLE, MAX_QUESTION, MAX_GREETING = 30, 80, 160


def said_by(payload: str, words: ChannelWords) -> str:
    """What pressing an entry says; "" for anything else."""
    kind, _, entry = payload.removeprefix(_PREFIX).partition(":")
    known = {"menu": MENU, "ice": ICE_BREAKERS}.get(kind, ())
    return words.text(f"messenger_{kind}_{entry}") if payload.startswith(_PREFIX) and entry in known else ""


def profile(words: ChannelWords) -> dict[str, Any]:
    """The Messenger profile that a page should have (reference/messenger-profile-api)."""
    menu = [
        {"type": "postback", "title": words.text(f"messenger_menu_{entry}"), "payload": f"{_PREFIX}menu:{entry}"}
        for entry in MENU
    ]
    ice = [
        {"question": words.text(f"messenger_ice_{entry}"), "payload": f"{_PREFIX}ice:{entry}"} for entry in ICE_BREAKERS
    ]
    return {
        "get_started": {"payload": START},
        "greeting": [{"locale": "default", "text": words.text("messenger_greeting")}],
        "ice_breakers": [{"call_to_actions": ice, "locale": "default"}],
        "persistent_menu": [{"locale": "default", "composer_input_disabled": False, "call_to_actions": menu}],
    }
