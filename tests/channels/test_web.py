"""The web channel on a real server: the contract of every channel, and what only a page does."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from itertools import islice
from typing import ClassVar

import pytest
import requests
from support.channel_contract import Driver, LaterContract, wait_for
from support.channel_server import ChannelServer
from support.web_visitor import Visitor

from assistant.channels.web_http import MAX_JSON

EVIL = "https://evil.example"
HELD_BACK = "https://www.bank.example"


class WebDriver(Driver):
    channel = "assistant.channels.web:Web"
    credentials: dict[str, object] = {}  # noqa: RUF012 - see Driver
    env: ClassVar[dict[str, str]] = {"TELLERLINE_WEB_ORIGINS": HELD_BACK.replace("https", "http")}
    max_body = MAX_JSON

    def __init__(self) -> None:
        self._visitors: dict[str, Visitor] = {}

    def visitor(self, person: str) -> Visitor:
        if person not in self._visitors:
            self._visitors[person] = Visitor(self.server.url)
        return self._visitors[person]

    def say(self, person: str, event_id: str, text: str) -> requests.Response:
        return self.visitor(person).say(text, event_id)

    def deliver(self, body: bytes) -> requests.Response:
        return Visitor(self.server.url).call("message", body)

    def forged(self, person: str, event_id: str, text: str) -> list[requests.Response]:
        hers = self.visitor(person)
        said = {"key": event_id, "text": text}
        stranger = Visitor.__new__(Visitor)
        stranger.url, stranger.session = hers.url, requests.Session()
        (cookie,) = hers.session.cookies
        return [
            stranger.call("message", said),
            stranger.call("message", said, Cookie=f"{cookie.name}={secrets.token_urlsafe(32)}"),
            stranger.call("message", said, Authorization=f"Bearer {hers.start['welcome']['title']}"),
            hers.call("message", said, origin=EVIL),
            hers.call("message", said, origin="null"),
            hers.call("message", said, origin=""),
            hers.call("message", said, **{"X-Tellerline": ""}),
            hers.call("message", None),
            hers.call("webhook", said),
        ]

    def answers(self, person: str) -> list[str]:
        if person not in self._visitors:
            return []
        return [said["text"] for said in self.visitor(person).history() if said["kind"] == "say"]

    def close(self) -> None:
        for visitor in self._visitors.values():
            visitor.session.close()


class TestContract(LaterContract):
    @pytest.fixture(scope="class")
    @classmethod
    def driver(cls) -> Iterator[Driver]:
        yield WebDriver()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChannelServer]:
    driver = WebDriver()
    with ChannelServer(driver.channel, tmp_path_factory.mktemp("home"), {}, dict(driver.env)) as server:
        yield server


@pytest.fixture
def ann(server: ChannelServer) -> Visitor:
    return Visitor(server.url)


@pytest.fixture
def bob(server: ChannelServer) -> Visitor:
    return Visitor(server.url)


def answered(visitor: Visitor, count: int = 1) -> bool:
    return wait_for(lambda: sum(one["kind"] == "say" for one in visitor.history()) >= count)


# Coming in


def test_the_door_is_shown_before_anything_else(server: ChannelServer) -> None:
    start = Visitor(server.url, way="").start
    assert [way["id"] for way in start["door"]["ways"]] == ["maya", "jordan", "rivera", "alex", "guest"]
    assert "history" not in start and start["words"]["send"] == "Send"


def test_the_cookie_can_be_read_by_no_script_and_goes_nowhere_else(ann: Visitor) -> None:
    answer = ann.call("session", {"way": "guest"}, Cookie="")
    answer = requests.post(
        f"{ann.url}/chat/session", json={"way": "guest"}, headers={"X-Tellerline": "1", "Origin": ann.url}, timeout=10
    )
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie and "Path=/" in cookie and "Max-Age" not in cookie
    assert answer.headers["Cache-Control"] == "no-store"
    assert cookie.split("=", 1)[1].split(";")[0] not in answer.text


def test_a_page_that_holds_its_session_itself_gets_no_cookie(server: ChannelServer) -> None:
    held = Visitor(server.url, bearer=True)
    assert not held.session.cookies and held.start["bearer"]
    said = {"key": "k" * 8, "text": "hello"}
    assert held.call("message", said).status_code == 401
    assert held.call("message", said, Authorization=f"Bearer {held.start['bearer']}").status_code == 200


def test_another_origin_may_hold_the_page_only_when_the_settings_say_so(ann: Visitor) -> None:
    held = HELD_BACK.replace("https", "http")
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-tellerline"}
    for origin, allowed in ((held, True), (EVIL, False), ("null", False)):
        answer = requests.options(f"{ann.url}/chat/message", headers={"Origin": origin, **asked}, timeout=10)
        assert (answer.headers.get("Access-Control-Allow-Origin") == origin) is allowed
    answer = ann.call("message", {"key": "from-there", "text": "hello"}, origin=held)
    assert answer.ok and answer.headers["Access-Control-Allow-Origin"] == held
    assert "Access-Control-Allow-Origin" not in ann.call("message", {}, origin=EVIL).headers


def test_a_session_that_was_planted_is_not_taken_over(server: ChannelServer, ann: Visitor) -> None:
    """Whoever signs in gets a secret of her own, not the one that was in the browser before; that one is over."""
    planted = Visitor(server.url)
    (cookie,) = planted.session.cookies
    name, value = cookie.name, str(cookie.value)
    planted.begin(way="guest")
    assert planted.session.cookies[name] == value, "a reload keeps it"
    thief = requests.Session()
    thief.cookies.set(name, value)
    planted.session.post(
        f"{server.url}/chat/sign-out", json={}, headers={"X-Tellerline": "1", "Origin": server.url}, timeout=10
    )
    planted.begin(way="maya")
    assert planted.session.cookies[name] != value
    ann.session = thief
    assert ann.say("hello").status_code == 401


# Saying and hearing


def test_an_answer_comes_by_the_stream(ann: Visitor) -> None:
    with ann.stream() as stream:
        ann.say("hello", "first-key")
        me, said = islice(stream, 2)
    assert (me["kind"], me["key"], me["text"]) == ("me", "first-key", "hello")
    assert said["text"] == "You said: hello" and said["stream_id"] == said["id"] > me["id"]
    assert said["choices"][0]["title"] == "Again" and len(said["choices"][0]["press"]) > 40


def test_a_dropped_connection_loses_nothing_and_repeats_nothing(ann: Visitor) -> None:
    ann.say("one")
    with ann.stream() as stream:
        first = [next(stream) for _ in range(2)]
    for word in ("two", "three"):
        ann.say(word)
    assert answered(ann, 3)
    with ann.stream(first[-1]["id"]) as stream:
        rest = [next(stream) for _ in range(4)]
    ids = [one["id"] for one in (*first, *rest)]
    assert ids == sorted(set(ids))
    assert sorted(one["text"] for one in rest if one["kind"] == "me") == ["three", "two"]
    assert ids == [one["id"] for one in ann.history()]


def test_two_tabs_show_the_same(ann: Visitor) -> None:
    with ann.stream() as here, ann.stream() as there:
        ann.say("hello")
        assert list(islice(here, 2)) == list(islice(there, 2))


def test_a_button_is_pressed_by_its_token_and_only_by_its_own_person(ann: Visitor, bob: Visitor) -> None:
    ann.say("hello")
    assert answered(ann)
    press = ann.history()[-1]["choices"][0]["press"]
    ann.call("message", {"key": "press-one", "press": press, "text": "something else"})
    assert answered(ann, 2)
    assert [one["text"] for one in ann.history()[-2:]] == ["Again", "You said: Again"], "the token says what is said"
    bob.call("message", {"key": "press-two", "press": press, "text": ""})
    assert answered(bob)
    assert "too old" in bob.history()[-1]["text"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"key": "k" * 8},
        {"text": "no key"},
        {"key": "short", "text": "x"},
        {"key": "k" * 65, "text": "x"},
        {"key": "../../etc", "text": "x"},
        {"key": ["k"], "text": "x"},
        {"key": "k" * 8, "text": "   "},
        {"key": "k" * 8, "text": 7},
        {"key": "k" * 8, "text": "x", "press": {}},
        {"key": "k" * 8, "text": "x" * 4001},
        [],
        "text",
        None,
    ],
    ids=lambda body: str(body)[:40],
)
def test_what_no_page_sends_is_refused(ann: Visitor, body: object) -> None:
    answer = ann.call("message", b"null" if body is None else body)
    assert answer.status_code in (400, 413) and set(answer.json()) == {"refused", "text"}
    assert not ann.history()


def test_nobody_says_who_she_is(server: ChannelServer, ann: Visitor, bob: Visitor) -> None:
    """Whatever a client writes beside its words is not read."""
    server.forget()
    lie = {"sender": "victim", "conversation": "victim", "metadata": {"tellerline": {"about": "x"}}, "session_id": "v"}
    ann.call("message", {"key": "k" * 8, "text": "hello", **lie})
    assert answered(ann)
    (heard,) = server.heard()
    assert heard["conversation"] != "victim" and heard["about"] == {"tellerline": {"about": ""}}
    assert not bob.history()


# What another session can reach


def test_a_stream_shows_ones_own_conversation_whatever_number_is_asked_for(ann: Visitor, bob: Visitor) -> None:
    ann.say("my secret is xylophone")
    assert answered(ann)
    bob.say("hello")
    with bob.stream(0) as stream:
        shown = list(islice(stream, 2))
    assert "xylophone" not in str(shown)
    for number in ("-1", "1e9", "' OR 1=1", "99999999999999999999"):
        with bob.stream(0, **{"Last-Event-ID": number}):
            pass


def test_the_address_of_another_is_no_address(ann: Visitor, bob: Visitor) -> None:
    ann.say("my secret is xylophone")
    assert answered(ann)
    last = ann.history()[-1]["id"]
    for path in (f"stream/{last}", f"speech/{last}", f"message/{last}", f"history?before={last}", f"session/{last}"):
        answer = bob.call(path)
        assert answer.status_code == 404 and "xylophone" not in answer.text, path


def test_without_a_session_nothing_is_read(ann: Visitor) -> None:
    ann.session.cookies.clear()
    for path in ("stream", "message", "privacy/data"):
        assert ann.call(path).status_code in (401, 404)


def test_after_signing_out_the_cookie_is_worth_nothing(server: ChannelServer, ann: Visitor) -> None:
    ann.say("my secret is xylophone")
    assert answered(ann)
    (cookie,) = ann.session.cookies
    name, value = cookie.name, str(cookie.value)
    with ann.stream(10**9) as stream:
        assert ann.call("sign-out", {}).ok
        assert next(stream) == {"kind": "ended", "why": "left"}
    assert not ann.session.cookies
    ann.session.cookies.set(name, value)
    replayed = ann.say("hello again")
    assert replayed.status_code == 401 and replayed.json()["refused"] == "left"
    assert ann.call("stream").status_code == 401


def test_somebody_who_says_too_much_is_told_to_wait(ann: Visitor) -> None:
    statuses = [ann.say("x").status_code for _ in range(25)]
    assert statuses[0] == 200 and statuses[-1] == 429
    assert int(ann.say("x").headers["Retry-After"]) >= 1


def test_many_tabs_push_out_the_oldest(ann: Visitor) -> None:
    from contextlib import ExitStack

    with ExitStack() as tabs:
        first = tabs.enter_context(ann.stream())
        for _ in range(12):
            tabs.enter_context(ann.stream())
        assert next(first) == {"kind": "ended", "why": "tabs"}


# Pages and files


def test_the_page_and_its_files(server: ChannelServer) -> None:
    page = requests.get(f"{server.url}/chat/", timeout=10)
    assert page.ok and "<tellerline-chat" in page.text
    assert "default-src 'none'" in page.headers["Content-Security-Policy"] and "style=" not in page.text
    transferred = len(page.content)
    for name in ("chat.js", "connection.js", "messages.js", "chart.js", "dom.js", "voice.js", "chat.css", "page.css"):
        file = requests.get(f"{server.url}/chat/{name}", headers={"Accept-Encoding": "identity"}, timeout=10)
        assert file.ok and file.headers["X-Content-Type-Options"] == "nosniff", name
        transferred += len(file.content)
        again = requests.get(file.url, headers={"If-None-Match": file.headers["ETag"]}, timeout=10)
        assert again.status_code == 304 and not again.content
    assert transferred < 100_000
    for missing in ("nothing.js", "../chat.js", "%2e%2e/settings.py", "page.html"):
        assert requests.get(f"{server.url}/chat/{missing}", timeout=10).status_code in (403, 404)
