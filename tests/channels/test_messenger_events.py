"""What Messenger delivers, by kind, in batches, and in every broken shape."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assistant.channels.messenger_events import MAX_DEPTH, SET_ASIDE, Control, Event, Kind, parse

PSID, PAGE = "24601", "101"
HEAD = {"sender": {"id": PSID}, "recipient": {"id": PAGE}, "timestamp": 1764000000000}


def body(*events: Any, field: str = "messaging", **entry: Any) -> bytes:
    return json.dumps({"object": "page", "entry": [{"id": PAGE, field: list(events), **entry}]}).encode()


def one(event: Any, field: str = "messaging") -> Event:
    [found] = parse(body(event, field=field))
    return found


def message(**fields: Any) -> dict[str, Any]:
    return {**HEAD, "message": {"mid": "m_1", **fields}}


def attached(*kinds: str) -> list[dict[str, Any]]:
    return [{"type": kind, "payload": {"url": "https://scontent.example/x"}} for kind in kinds]


#: Every kind of the documents: what comes, and what it must be read as.
KINDS: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    (message(text="hi", reply_to={"mid": "m_0"}), {"kind": Kind.TEXT, "key": "m_1", "text": "hi", "reply_to": "m_0"}),
    (message(text="Yes", quick_reply={"payload": "P"}), {"kind": Kind.QUICK_REPLY, "payload": "P", "text": "Yes"}),
    (message(attachments=attached("image")), {"kind": Kind.ATTACHMENTS, "attachments": ("image",)}),
    (message(attachments=attached("audio")), {"kind": Kind.ATTACHMENTS, "attachments": ("audio",)}),
    (
        message(attachments=attached("video", "file", "reel")),
        {"kind": Kind.ATTACHMENTS, "attachments": ("video", "file", "reel")},
    ),
    (message(attachments=attached("sticker")), {"kind": Kind.ATTACHMENTS, "attachments": ("sticker",)}),
    (
        message(attachments=[{"type": "image", "payload": {"url": "https://x", "sticker_id": 369239263222822}}]),
        {"kind": Kind.ATTACHMENTS, "attachments": ("sticker",)},
    ),
    (
        message(attachments=[{"type": "location", "payload": {"coordinates": {"lat": 40.7, "long": -74.0}}}]),
        {"kind": Kind.ATTACHMENTS, "attachments": ("location",)},
    ),
    (
        message(text="what is this?", attachments=attached("fallback")),
        {"kind": Kind.TEXT, "text": "what is this?", "attachments": ("fallback",)},
    ),
    (
        {**HEAD, "postback": {"mid": "m_2", "title": "Get started", "payload": "P", "referral": {"ref": "R"}}},
        {"kind": Kind.POSTBACK, "key": "m_2", "payload": "P", "text": "Get started", "ref": "R"},
    ),
    ({**HEAD, "postback": {"mid": "m_2", "title": "T"}}, {"kind": Kind.POSTBACK, "payload": ""}),
    ({**HEAD, "referral": {"ref": "R", "source": "SHORTLINK", "type": "OPEN_THREAD"}},
     {"kind": Kind.REFERRAL, "ref": "R"}),
    ({**HEAD, "optin": {"ref": "R"}}, {"kind": Kind.OPTIN, "ref": "R"}),
    (
        {"sender": {"user_ref": "U"}, "recipient": {"id": PAGE}, "optin": {"ref": "R", "user_ref": "U"}},
        {"kind": Kind.ANONYMOUS, "psid": ""},
    ),
    (
        {"sender": {"user_ref": "U"}, "recipient": {"id": PAGE}, "postback": {"mid": "m_2", "payload": "P"}},
        {"kind": Kind.ANONYMOUS, "psid": ""},
    ),
    ({**HEAD, "account_linking": {"status": "linked", "authorization_code": "AC"}},
     {"kind": Kind.LINKED, "code": "AC"}),
    ({**HEAD, "account_linking": {"status": "unlinked"}}, {"kind": Kind.UNLINKED}),
    ({**HEAD, "delivery": {"mids": ["m_3", "m_4"], "watermark": 5}},
     {"kind": Kind.DELIVERY, "mids": ("m_3", "m_4"), "watermark": 5}),
    ({**HEAD, "read": {"watermark": 5}}, {"kind": Kind.READ, "watermark": 5}),
    ({**HEAD, "reaction": {"mid": "m_3", "action": "react", "reaction": "love"}},
     {"kind": Kind.REACTION, "mid": "m_3"}),
    ({**HEAD, "message_edit": {"mid": "m_3", "text": "hi!", "num_edit": 1}}, {"kind": Kind.EDIT}),
    (
        {"sender": {"id": PAGE}, "recipient": {"id": PSID},
         "message": {"mid": "m_5", "is_echo": True, "app_id": 7, "metadata": "out-1", "text": "hello"}},
        {"kind": Kind.ECHO, "key": "echo:m_5", "psid": PSID, "mid": "m_5", "app": "7", "metadata": "out-1", "text": ""},
    ),
    (
        {"sender": {"id": PAGE}, "recipient": {"id": PSID},
         "message": {"mid": "m_5", "is_echo": True, "attachments": attached("image")}},
        {"kind": Kind.ECHO, "psid": PSID, "attachments": ()},
    ),
    ({**HEAD, "pass_thread_control": {"previous_owner_app_id": "9", "new_owner_app_id": "7"}},
     {"kind": Kind.CONTROL, "control": Control.GIVEN, "app": "9"}),
    ({**HEAD, "take_thread_control": {"previous_owner_app_id": "7", "new_owner_app_id": "9"}},
     {"kind": Kind.CONTROL, "control": Control.TAKEN, "app": "9"}),
    ({**HEAD, "request_thread_control": {"requested_owner_app_id": "9"}},
     {"kind": Kind.CONTROL, "control": Control.REQUESTED, "app": "9"}),
    ({**HEAD, "app_roles": {"7": ["primary_receiver"]}}, {"kind": Kind.UNKNOWN, "detail": "app_roles"}),
    ({"recipient": {"id": PAGE}, "policy_enforcement": {"action": "block", "reason": "..."}},
     {"kind": Kind.POLICY, "detail": "block"}),
    ({**HEAD, "messaging_of_the_future": {}}, {"kind": Kind.UNKNOWN}),
)  # fmt: skip


@pytest.mark.parametrize(("event", "expected"), KINDS, ids=lambda value: str(value.get("kind", ""))[5:] or None)
def test_each_kind_is_read(event: dict[str, Any], expected: dict[str, Any]) -> None:
    found = one(event)
    expected = {"page": PAGE, "psid": PSID, **expected}
    if expected["kind"] is Kind.POLICY:
        expected["psid"] = PAGE
    assert {name: getattr(found, name) for name in expected} == expected


def test_no_kind_is_forgotten() -> None:
    """Each kind is either acted upon or has a reason why not, and each is delivered by some test here."""
    tried = {expected["kind"] for _, expected in KINDS}
    elsewhere = {Kind.STANDBY, Kind.TEMPLATE_STATUS, Kind.NOT_OURS, Kind.BROKEN}
    assert tried | elsewhere == set(Kind)
    assert all(SET_ASIDE.values())


def test_standby_is_set_aside_with_its_postback_that_has_no_payload() -> None:
    found = one({**HEAD, "postback": {"title": "T"}}, field="standby")
    assert (found.kind, found.psid) == (Kind.STANDBY, PSID)


def test_the_status_of_a_template_is_read() -> None:
    value = {"event": "APPROVED", "message_template_name": "payment_due", "message_template_language": "en"}
    found = one({"field": "message_template_status_update", "value": value}, field="changes")
    assert (found.kind, found.ref, found.detail) == (Kind.TEMPLATE_STATUS, "payment_due", "APPROVED")


def test_all_of_a_batch_is_read_in_order() -> None:
    entries = [
        {"id": PAGE, "messaging": [message(mid=f"a{number}", text=f"{number}") for number in range(3)]},
        {"id": PAGE, "messaging": [message(mid="b", text="b")], "standby": [message(mid="s", text="s")]},
    ]
    found = parse(json.dumps({"object": "page", "entry": entries}).encode())
    assert [event.key for event in found if event.kind is Kind.TEXT] == ["a0", "a1", "a2", "b"]
    assert [event.kind for event in found][-1] is Kind.STANDBY


def test_a_repeat_has_the_same_key_and_no_other_event_has() -> None:
    read = {**HEAD, "read": {"watermark": 5}}
    assert one(read).key == one(dict(reversed(read.items()))).key
    assert one(read).key != one({**HEAD, "read": {"watermark": 6}}).key
    assert one(read).key != one({**HEAD, "sender": {"id": "2"}, "read": {"watermark": 5}}).key


def test_what_a_person_wrote_is_in_no_repr() -> None:
    shown = repr(parse(body(message(text="secret words", quick_reply={"payload": "secret payload"}))))
    assert "secret" not in shown


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"object":"page"}', b'{"object":"user","entry":[]}', b'"' + b"\\" * 9999,
     b"[" * 200_000, b'{"object":"page","entry":' + b"[" * 50_000 + b"]" * 50_000 + b"}", b"9" * 10_000, b"NaN"],
)  # fmt: skip
def test_what_is_no_delivery_is_nothing(raw: bytes) -> None:
    assert all(event.kind in (Kind.BROKEN, Kind.NOT_OURS) for event in parse(raw))


def test_half_a_letter_and_a_nul_do_no_harm() -> None:
    raw = body(message(text="X")).replace(b'"X"', rb'"caf\ud83d \u0000 ok' + b'\xff"')
    [found] = parse(raw)
    assert found.text == "caf�  ok�"
    found.text.encode()


def test_an_id_that_is_too_long_is_no_id() -> None:
    found = one(message(mid="m" * 5000, text="hi"))
    assert found.mid == "" and found.key.startswith("sha256:") and found.kind is Kind.TEXT


ANYTHING: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["page", "linked", PSID]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [name for event, _ in KINDS for name in event]
                + ["mid", "text", "id", "attachments", "payload", "is_echo", "quick_reply", "status", "mids", "type"]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


def is_sound(event: Event) -> bool:
    """Every field has its type and can be stored."""
    for one_field in fields(event):
        value = getattr(event, one_field.name)
        if isinstance(value, str):
            value.encode()
            assert "\0" not in value
        elif isinstance(value, tuple):
            assert all(isinstance(part, str) for part in value)
        else:
            assert isinstance(value, (int, Kind, Control))
    return 0 < len(event.key) <= 1010


@settings(max_examples=400, deadline=None)
@given(ANYTHING)
def test_no_json_breaks_it(anything: Any) -> None:
    raw = json.dumps(anything).encode()
    assert all(map(is_sound, parse(raw)))
    assert all(map(is_sound, parse(b'{"object":"page","entry":' + raw + b"}")))


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=300))
def test_no_bytes_break_it(raw: bytes) -> None:
    assert all(map(is_sound, parse(raw)))


@settings(max_examples=600, deadline=None)
@given(st.lists(ANYTHING, max_size=4), st.lists(ANYTHING, max_size=4), ANYTHING)
@example([[[[]]] * 3], [{"message": {"mid": ["x"]}}], {"id": {}, "messaging": 7})
def test_nobody_loses_an_event_to_a_broken_neighbour(before: list[Any], after: list[Any], entry: Any) -> None:
    good = [message(mid="good-1", text="mine"), {**HEAD, "account_linking": {"status": "unlinked"}}]
    entries = [entry, {"id": PAGE, "messaging": [*before, good[0], *after, good[1]]}, entry]
    found = parse(json.dumps({"object": "page", "entry": entries}).encode())
    assert all(map(is_sound, found))
    mine = [event for event in found if event.page == PAGE and event.psid == PSID]
    assert any(event.key == "good-1" and event.text == "mine" for event in mine)
    assert any(event.kind is Kind.UNLINKED for event in mine)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 1100, 100_000])
def test_a_deep_neighbour_costs_nobody_an_event(depth: int) -> None:
    deep = "[" * depth + '"]}{["' + "]" * depth
    raw = body(message(mid="good", text="mine"), "DEEP", message(mid="also", text='br]ack"et')).decode()
    found = parse(raw.replace('"DEEP"', deep).encode())
    assert [event.key for event in found if event.kind is Kind.TEXT] == ["good", "also"]
