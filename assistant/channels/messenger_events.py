"""What Messenger's webhook delivers, as typed events. Pure: no network, no clock, no database.

Shapes: developers.facebook.com/documentation/business-messaging/messenger-platform/webhooks and its webhook-events.
One POST holds events of several people. Each is read by itself: one that is broken costs nobody else theirs, and no
bytes whatever raise an exception.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

#: A text is not longer than this (Messenger's own limit); what is above is cut.
MAX_TEXT = 20_000
#: Longer than any id or payload that Graph gives out or takes.
MAX_TOKEN = 1_000
#: Attachments of one message that are looked at.
MAX_ATTACHMENTS = 32
#: Levels that anything of ours is nested; Python's parser gives up at about a thousand.
MAX_DEPTH = 64


class Kind(str, Enum):
    # What a person did, and is answered
    TEXT = "text"
    QUICK_REPLY = "quick_reply"
    POSTBACK = "postback"
    ATTACHMENTS = "attachments"
    REFERRAL = "referral"
    OPTIN = "optin"
    LINKED = "linked"
    UNLINKED = "unlinked"
    # What we must know
    ECHO = "echo"
    DELIVERY = "delivery"
    READ = "read"
    CONTROL = "control"  #: another app, or a person, has taken the conversation or given it back
    TEMPLATE_STATUS = "template_status"
    POLICY = "policy"  #: Meta warns or blocks the page
    # What is set aside, each for its reason (SET_ASIDE)
    REACTION = "reaction"
    EDIT = "edit"
    STANDBY = "standby"
    ANONYMOUS = "anonymous"
    NOT_OURS = "not_ours"
    UNKNOWN = "unknown"
    BROKEN = "broken"


#: Why nobody is answered for these.
SET_ASIDE: Mapping[Kind, str] = {
    Kind.REACTION: "a thumb under a message asks nothing",
    Kind.EDIT: "the question was answered as it was first written",
    Kind.STANDBY: "another app has the conversation; its answers are its own",
    Kind.ANONYMOUS: "by a reference of some web page (user_ref), which says nothing to us",
    Kind.NOT_OURS: "not an event of a page",
    Kind.UNKNOWN: "a kind of event that we do not know",
    Kind.BROKEN: "not of any shape that Messenger sends",
}


class Control(str, Enum):
    """What happened to the thread."""

    NONE = ""
    TAKEN = "taken"  #: it is somebody else's now
    GIVEN = "given"  #: it is ours
    REQUESTED = "requested"  #: somebody wants it


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. What is not there is "", 0 or empty.

    ``key`` is the same each time Messenger delivers this event, and no other's: the message's id where it has one.
    ``psid`` names a person only to this page, also for echoes, where she is who was written to; "" for events of no
    person. ``at`` is Messenger's time in milliseconds since 1970. ``mids`` are the messages that were delivered;
    ``watermark`` the time up to which all were. What a person wrote stays out of the repr.
    """

    kind: Kind
    key: str
    page: str = ""
    psid: str = ""
    at: int = 0
    mid: str = ""
    text: str = field(default="", repr=False)
    payload: str = field(default="", repr=False)
    attachments: tuple[str, ...] = ()
    reply_to: str = ""
    ref: str = field(default="", repr=False)
    code: str = field(default="", repr=False)
    control: Control = Control.NONE
    app: str = ""
    metadata: str = ""
    mids: tuple[str, ...] = ()
    watermark: int = 0
    detail: str = ""


Json = Mapping[str, Any]


def parse(raw: bytes) -> list[Event]:
    """Every event of one delivery, in its order. Never raises."""
    body = _load(raw)
    if not isinstance(body, Mapping):
        return [_nothing(Kind.BROKEN, body)]
    if body.get("object") != "page":
        return [_nothing(Kind.NOT_OURS, body)]
    entries = body.get("entry")
    return [event for entry in (entries if isinstance(entries, list) else [None]) for event in _entry(entry)]


def _entry(entry: object) -> list[Event]:
    if not isinstance(entry, Mapping):
        return [_nothing(Kind.BROKEN, entry)]
    page = _token(entry.get("id"))
    events = []
    for name, read in (("messaging", _messaging), ("standby", _standby), ("changes", _change)):
        found = entry.get(name)
        if found is not None:
            events += [_safely(read, one, page) for one in (found if isinstance(found, list) else [None])]
    return events or [_nothing(Kind.UNKNOWN, entry, page)]


def _safely(read: Callable[[Json, str], Event], one: object, page: str) -> Event:
    return read(one, page) if isinstance(one, Mapping) else _nothing(Kind.BROKEN, one, page)


def _messaging(one: Json, page: str) -> Event:
    for name, read in _READERS:
        if isinstance(one.get(name), Mapping):
            event = read(one, one[name], page)
            if event.psid or event.kind in SET_ASIDE:
                return event
            named = _map(one.get("sender")).get("user_ref")
            return _nothing(Kind.ANONYMOUS if named else Kind.BROKEN, one, page)
    return Event(Kind.UNKNOWN, **_common(one, page))


def _message(one: Json, message: Json, page: str) -> Event:
    mid = _token(message.get("mid"))
    common = _common(one, page)
    if message.get("is_echo") is True:
        return Event(
            Kind.ECHO,
            **{**common, "psid": _id(one.get("recipient")), "key": f"echo:{mid}" if mid else common["key"]},
            mid=mid,
            app=_token(message.get("app_id")),
            metadata=_token(message.get("metadata")),
        )
    common["key"] = mid or common["key"]
    said: dict[str, Any] = {
        **common,
        "mid": mid,
        "text": _text(message.get("text")),
        "attachments": _attachments(message),
        "reply_to": _token(_map(message.get("reply_to")).get("mid")),
        "ref": _text(_map(message.get("referral")).get("ref"))[:MAX_TOKEN],
    }
    payload = _token(_map(message.get("quick_reply")).get("payload"))
    if payload:
        return Event(Kind.QUICK_REPLY, payload=payload, **said)
    if said["text"].strip():
        return Event(Kind.TEXT, **said)
    if said["attachments"]:
        return Event(Kind.ATTACHMENTS, **said)
    deleted = message.get("is_deleted") is True
    return Event(Kind.EDIT if deleted else Kind.UNKNOWN, detail="deleted" if deleted else "", **said)


def _postback(one: Json, postback: Json, page: str) -> Event:
    common = _common(one, page)
    mid = _token(postback.get("mid"))
    return Event(
        Kind.POSTBACK,
        **{**common, "key": mid or common["key"]},
        mid=mid,
        text=_text(postback.get("title")),
        payload=_token(postback.get("payload")),  # none while another app has the conversation
        ref=_text(_map(postback.get("referral")).get("ref"))[:MAX_TOKEN],
    )


def _linking(one: Json, linking: Json, page: str) -> Event:
    status, code = linking.get("status"), _token(linking.get("authorization_code"))
    if status == "linked" and code:
        return Event(Kind.LINKED, **_common(one, page), code=code)
    if status == "unlinked":
        return Event(Kind.UNLINKED, **_common(one, page))
    return Event(Kind.BROKEN, **_common(one, page))


def _referral(one: Json, referral: Json, page: str) -> Event:
    return Event(Kind.REFERRAL, **_common(one, page), ref=_text(referral.get("ref"))[:MAX_TOKEN])


def _optin(one: Json, optin: Json, page: str) -> Event:
    return Event(Kind.OPTIN, **_common(one, page), ref=_text(optin.get("ref"))[:MAX_TOKEN])


def _delivery(one: Json, delivery: Json, page: str) -> Event:
    mids = delivery.get("mids")
    mids = tuple(filter(None, map(_token, mids[:MAX_TOKEN]))) if isinstance(mids, list) else ()
    return Event(Kind.DELIVERY, **_common(one, page), mids=mids, watermark=_time(delivery.get("watermark")))


def _read(one: Json, read: Json, page: str) -> Event:
    return Event(Kind.READ, **_common(one, page), watermark=_time(read.get("watermark")))


def _reaction(one: Json, reaction: Json, page: str) -> Event:
    return Event(Kind.REACTION, **_common(one, page), mid=_token(reaction.get("mid")))


def _edit(one: Json, edit: Json, page: str) -> Event:
    return Event(Kind.EDIT, **_common(one, page), mid=_token(edit.get("mid")))


def _policy(one: Json, policy: Json, page: str) -> Event:
    common = _common(one, page)
    # About the page: who is named as the sender is of no interest.
    return Event(Kind.POLICY, **{**common, "psid": common["psid"] or page}, detail=_token(policy.get("action")))


def _control(control: Control, app_field: str) -> Callable[[Json, Json, str], Event]:
    def read(one: Json, handover: Json, page: str) -> Event:
        app = _token(handover.get(app_field))
        return Event(Kind.CONTROL, **_common(one, page), control=control, app=app)

    return read


def _roles(one: Json, roles: Json, page: str) -> Event:
    """Which of two apps is the first to be asked: the page's own matter."""
    return Event(Kind.UNKNOWN, **_common(one, page), detail="app_roles")


def _standby(one: Json, page: str) -> Event:
    return Event(Kind.STANDBY, **_common(one, page))


def _change(one: Json, page: str) -> Event:
    value = _map(one.get("value"))
    if one.get("field") != "message_template_status_update":
        return _nothing(Kind.UNKNOWN, one, page)
    name, status = _token(value.get("message_template_name")), _token(value.get("event"))
    return Event(Kind.TEMPLATE_STATUS, _key(one, page), page, detail=status, ref=name)


Reader = Callable[[Json, Json, str], Event]
#: By the field that tells what a messaging event is about; the first that is there counts.
_READERS: tuple[tuple[str, Reader], ...] = (
    ("message", _message),
    ("postback", _postback),
    ("account_linking", _linking),
    ("referral", _referral),
    ("optin", _optin),
    ("delivery", _delivery),
    ("read", _read),
    ("reaction", _reaction),
    ("message_edit", _edit),
    # Handover: who is told "pass" is the app that gets the thread, who is told "take" the one that loses it.
    ("pass_thread_control", _control(Control.GIVEN, "previous_owner_app_id")),
    ("take_thread_control", _control(Control.TAKEN, "new_owner_app_id")),
    ("request_thread_control", _control(Control.REQUESTED, "requested_owner_app_id")),
    ("app_roles", _roles),
    ("policy_enforcement", _policy),
    ("policy-enforcement", _policy),
)


def _common(one: Json, page: str) -> dict[str, Any]:
    at = _time(one.get("timestamp"))
    return {"key": _key(one, page), "page": page, "psid": _id(one.get("sender")), "at": at}


def _nothing(kind: Kind, what: object, page: str = "") -> Event:
    return Event(kind, _key(what, page), page)


def _key(what: object, page: str) -> str:
    """For an event without an id: the same bytes of it are the same event."""
    text = json.dumps(what, sort_keys=True, default=str, skipkeys=True)
    return f"sha256:{hashlib.sha256(f'{page} {text}'.encode()).hexdigest()}"


def _attachments(message: Json) -> tuple[str, ...]:
    """The kind of each: image, video, audio, file, sticker, location, fallback, ... What they hold is not fetched."""
    found = message.get("attachments")
    if not isinstance(found, list):
        return ()
    return tuple(_attachment(_map(one)) for one in found[:MAX_ATTACHMENTS])


def _attachment(one: Json) -> str:
    # Until August 2026 a sticker came as an image with a sticker's id.
    if _map(one.get("payload")).get("sticker_id"):
        return "sticker"
    return _token(one.get("type"))[:40] or "unknown"


def _map(value: object) -> Json:
    return value if isinstance(value, Mapping) else {}


def _id(who: object) -> str:
    return _token(_map(who).get("id"))


def _token(value: object) -> str:
    """An id or a payload; "" for what can't be one: it is never cut, as it would then be another."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > MAX_TOKEN or not value.isprintable():
        return ""
    return "" if _SURROGATES.search(value) else value


def _text(value: object) -> str:
    """What a database and a terminal can hold: no half characters, no NUL."""
    if not isinstance(value, str):
        return ""
    return _SURROGATES.sub("\ufffd", value[:MAX_TEXT]).replace("\0", "")


def _time(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**14 else 0


_SURROGATES = re.compile("[\ud800-\udfff]")


def _load(raw: bytes) -> Any:
    """The JSON, whatever it takes: a broken letter or a senseless number in one event must not lose the others."""
    text = raw.decode("utf-8", "replace")
    if text.count("[") + text.count("{") > MAX_DEPTH:
        text = _shallow(text)
    try:
        return json.loads(text, parse_int=_whole, parse_constant=_none)
    except ValueError:
        return None


def _whole(digits: str) -> int:
    """Python refuses to read thousands of digits; no number of Messenger's has more than twenty."""
    return int(digits) if len(digits) <= 20 else -1


def _none(_constant: str) -> None:
    """NaN and Infinity, which are not JSON."""


_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)


def _shallow(text: str) -> str:
    """``text`` with null in place of whatever is nested deeper than anything of Messenger's."""
    kept: list[str] = []
    depth, start = 0, 0
    for found in _STRING_OR_BRACKET.finditer(text):
        if found[0] in "[{":
            depth += 1
            if depth == MAX_DEPTH + 1:
                kept.append(text[start : found.start()] + "null")
        elif found[0] in "]}":
            if depth == MAX_DEPTH + 1:
                start = found.end()
            depth -= 1
    return "".join(kept) + text[start:] if depth <= MAX_DEPTH else ""
