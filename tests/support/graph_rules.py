"""What Messenger's documents allow in one message, written from them and not from our renderer.

Each rule names its page under developers.facebook.com/documentation/business-messaging/messenger-platform/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Types a message may have (send-messages); what is not here fails with code 100.
MESSAGING_TYPES = frozenset({"RESPONSE", "UPDATE", "MESSAGE_TAG", "UTILITY"})
#: Tags that are left since 27 April 2026 (policy).
TAGS = frozenset({"HUMAN_AGENT"})


class Refused(Exception):
    """``code`` and ``subcode`` as Graph answers them."""

    def __init__(self, why: str, code: int = 100, subcode: int = 0, status: int = 400) -> None:
        super().__init__(why)
        self.why, self.code, self.subcode, self.status = why, code, subcode, status


def check_message(message: Any, attachments: Mapping[str, bytes]) -> None:
    """Raises Refused for a message that Graph would not take."""
    need(isinstance(message, dict), "message is an object")
    kinds = [name for name in ("text", "attachment", "template") if name in message]
    need(len(kinds) == 1, f"a message has one of text, attachment, template, not {kinds}")
    need(set(message) <= {*kinds, "quick_replies", "metadata"}, f"unknown field in {sorted(message)}")
    need(len(message.get("metadata", "")) <= 1000, "metadata: 1000 characters")  # reference/send-api
    if "text" in message:
        text = message["text"]
        need(isinstance(text, str) and bool(text.strip()), "text must not be empty")
        need(len(text) <= 2000, "text: 2000 characters")  # reference/send-api
    if "attachment" in message:
        _attachment(message["attachment"], attachments)
    if "quick_replies" in message:
        _quick_replies(message["quick_replies"])


def _quick_replies(replies: Any) -> None:
    need(isinstance(replies, list) and 1 <= len(replies) <= 13, "quick replies: 1 to 13")  # send-messages/quick-replies
    for one in replies:
        if one.get("content_type") in ("user_phone_number", "user_email"):
            continue
        need(one.get("content_type") == "text", "content_type")
        need(0 < len(one.get("title", "")) <= 20, f"quick reply title: 20 characters: {one.get('title')!r}")
        need(0 < len(one.get("payload", "")) <= 1000, "payload: 1000 characters")


def _attachment(attachment: Any, uploaded: Mapping[str, bytes]) -> None:
    payload = attachment.get("payload", {})
    if attachment.get("type") in ("image", "audio", "video", "file"):
        need(set(payload) == {"attachment_id"}, "only uploaded attachments are sent")
        need(payload["attachment_id"] in uploaded, "no such attachment")
        return
    need(attachment.get("type") == "template", "attachment type")
    kind = payload.get("template_type")
    if kind == "button":  # send-messages/template/button
        need(0 < len(payload.get("text", "")) <= 640, "button template text: 640 characters")
        _buttons(payload.get("buttons"), least=1)
    elif kind == "generic":  # send-messages/template/generic
        elements = payload.get("elements")
        need(isinstance(elements, list) and 1 <= len(elements) <= 10, "elements: 1 to 10")
        for one in elements:
            need(0 < len(one.get("title", "")) <= 80, "element title: 80 characters")
            need(len(one.get("subtitle", "")) <= 80, "element subtitle: 80 characters")
            need(len(one) >= 2, "an element has a property besides its title")
            _buttons(one.get("buttons", []))
    elif kind == "media":  # send-messages/template/media
        [element] = payload["elements"]
        need(element["media_type"] == "image" and element["attachment_id"] in uploaded, "no such attachment")
        _buttons(element.get("buttons", []))
    else:
        raise Refused(f"unknown template {kind}")


def _buttons(buttons: Any, least: int = 0) -> None:
    need(isinstance(buttons, list) and least <= len(buttons) <= 3, "buttons: at most 3")
    for one in buttons:
        kind = one.get("type")
        if kind in ("postback", "web_url"):
            need(0 < len(one.get("title", "")) <= 20, f"button title: 20 characters: {one.get('title')!r}")
        if kind == "postback":
            need(0 < len(one.get("payload", "")) <= 1000, "payload: 1000 characters")
        elif kind in ("web_url", "account_link"):
            need(str(one.get("url", "")).startswith("https://"), f"{kind} needs an https address")
        else:
            need(kind == "account_unlink", f"button type {kind}")


def need(holds: bool, why: str) -> None:
    if not holds:
        raise Refused(why)
