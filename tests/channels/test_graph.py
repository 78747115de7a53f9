"""The Graph API client against a server that behaves as Meta's documents say."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

import pytest
from aiohttp import web
from support.graph import APP, PAGE, SECRET, TOKEN, GraphServer, tokens_in_urls

from assistant.channels.graph import ATTEMPTS, Graph, GraphAccess
from assistant.channels.graph_errors import RULES, GraphError, Treatment, refusal

T = TypeVar("T")
PSID = "24601"
PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100


@pytest.fixture
def server() -> Iterator[GraphServer]:
    with GraphServer() as server:
        server.message(PSID, {"text": "hi"})
        yield server
        assert tokens_in_urls(server.calls) == []


def access(server: GraphServer, **changes: Any) -> GraphAccess:
    return replace(GraphAccess(TOKEN, SECRET, base_url=server.url), **changes)


async def no_pause(_seconds: float) -> None:
    return None


def run(access: GraphAccess, work: Callable[[Graph], Awaitable[T]]) -> T:
    async def whole() -> T:
        async with Graph(access, no_pause) as graph:
            return await work(graph)

    return asyncio.run(whole())


def say(text: str = "hello") -> Callable[[Graph], Awaitable[Any]]:
    return lambda graph: graph.send(PSID, {"text": text}, messaging_type="RESPONSE")


def test_a_message_is_sent_with_the_token_in_a_header_and_the_proof(server: GraphServer) -> None:
    sent = run(access(server), say())
    assert [(one.text, one.mid) for one in server.to(PSID)] == [("hello", sent.message_id)]
    [call] = server.calls
    assert call.path == "me/messages" and call.query == ""


def test_a_wrong_proof_or_token_is_told_apart_by_its_code(server: GraphServer) -> None:
    for wrong, code, treatment in (
        (access(server, app_secret="another"), 100, Treatment.GIVE_UP),
        (access(server, page_token="another"), 190, Treatment.MEND),
    ):
        with pytest.raises(GraphError) as caught:
            run(wrong, say())
        assert (caught.value.code, caught.value.treatment) == (code, treatment)
    assert server.shown == []


@pytest.mark.parametrize(("code", "subcode"), sorted(RULES))
def test_every_code_of_the_table_is_treated_as_it_says(server: GraphServer, code: int, subcode: int) -> None:
    server.refusals = [(code, subcode)] * ATTEMPTS
    rule = RULES[code, subcode]
    with pytest.raises(GraphError) as caught:
        run(access(server), say())
    assert caught.value.rule == rule and not caught.value.uncertain
    assert len(server.calls) == (ATTEMPTS if rule.treatment is Treatment.RETRY else 1)


def test_an_unknown_subcode_is_treated_as_its_code(server: GraphServer) -> None:
    assert refusal(400, {"error": {"code": 551, "error_subcode": 1545041}}).rule == RULES[551, 0]


def test_what_passes_is_tried_again_and_said_once(server: GraphServer) -> None:
    server.refusals = [(1200, 0), (2, 0)]
    run(access(server), say())
    assert [one.text for one in server.to(PSID)] == ["hello"]


def test_an_answer_that_is_lost_is_uncertain_and_not_tried_again(server: GraphServer) -> None:
    server.lost_answers = 1
    with pytest.raises(GraphError) as caught:
        run(access(server), say())
    assert caught.value.uncertain
    assert len(server.shown) == 1


def test_a_reading_call_is_tried_again_whatever_happened(server: GraphServer) -> None:
    async def work(graph: Graph) -> Any:
        return await graph.page()

    assert run(access(server), work) == {"id": PAGE, "name": "Test Bank"}


def test_a_hanging_graph_ends_at_the_deadline_and_delays_nobody_else(server: GraphServer) -> None:
    server.hanging = {f"hung-{number}" for number in range(100)}

    async def work(graph: Graph) -> tuple[float, list[Any]]:
        hung = [
            asyncio.create_task(graph.send(psid, {"text": "x"}, messaging_type="RESPONSE")) for psid in server.hanging
        ]
        await asyncio.sleep(0.1)
        started = time.monotonic()
        await graph.send(PSID, {"text": "hello"}, messaging_type="RESPONSE")
        took = time.monotonic() - started
        return took, await asyncio.gather(*hung, return_exceptions=True)

    took, ended = run(access(server, timeout=1.0), work)
    assert took < 0.5
    assert all(isinstance(error, GraphError) and error.uncertain for error in ended)


def test_nobody_listening_is_no_uncertainty() -> None:
    with pytest.raises(GraphError) as caught:
        run(GraphAccess(TOKEN, SECRET, base_url="http://127.0.0.1:9"), say())
    assert (caught.value.treatment, caught.value.uncertain) == (Treatment.RETRY, False)


@pytest.mark.parametrize(
    ("status", "body", "treatment", "uncertain"),
    [
        (200, b"<html>", Treatment.RETRY, True),
        (502, b"bad gateway", Treatment.RETRY, True),
        (500, b'{"error": {"code": 2}}', Treatment.RETRY, False),
        (400, b'{"error": {"code": 999999, "is_transient": true}}', Treatment.RETRY, False),
        (400, b'{"error": {"code": 999999}}', Treatment.GIVE_UP, False),
        (400, b'{"error": {"code": "x", "error_subcode": [], "fbtrace_id": "\\n"}}', Treatment.GIVE_UP, False),
        (400, b'{"error": []}', Treatment.GIVE_UP, False),
        (429, b"", Treatment.WAIT, False),
        (302, b"", Treatment.GIVE_UP, False),
        (200, b"[" * 100_000, Treatment.RETRY, True),
        (200, b'"' + b"x" * 2_000_000 + b'"', Treatment.RETRY, True),
    ],
)
def test_whatever_answers(status: int, body: bytes, treatment: Treatment, uncertain: bool) -> None:
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.Response(status=status, body=body, headers={"Location": "/elsewhere"})

    async def whole() -> None:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        async with Graph(GraphAccess(TOKEN, SECRET, base_url=url), no_pause) as graph:
            try:
                await graph.send(PSID, {"text": "x"}, messaging_type="RESPONSE")
            finally:
                await runner.cleanup()

    with pytest.raises(GraphError) as caught:
        asyncio.run(whole())
    assert (caught.value.treatment, caught.value.uncertain) == (treatment, uncertain)
    assert set(asked) == {"/v26.0/me/messages"}
    assert len(asked) == (ATTEMPTS if treatment is Treatment.RETRY and not uncertain else 1)


def test_a_log_line_says_what_to_mend_and_nothing_that_was_said(
    server: GraphServer, caplog: pytest.LogCaptureFixture
) -> None:
    server.refusals = [(190, 0)]
    with caplog.at_level(logging.DEBUG), pytest.raises(GraphError):
        run(access(server), say("You have $12.34"))
    [line] = [record for record in caplog.records if record.name == "assistant.channels.graph"]
    assert line.levelno == logging.ERROR and "make a new one" in line.getMessage()
    assert not {TOKEN, SECRET, PSID, "12.34"} & set(caplog.text.split())
    assert TOKEN not in repr(access(server)) and SECRET not in repr(access(server))


def test_a_picture_is_uploaded_and_sent(server: GraphServer) -> None:
    async def work(graph: Graph) -> None:
        number = await graph.upload(PNG)
        image = {"attachment": {"type": "image", "payload": {"attachment_id": number}}}
        await graph.send(PSID, image, messaging_type="RESPONSE")

    run(access(server), work)
    assert list(server.uploads.values()) == [PNG] and len(server.shown) == 1


def test_setting_up_a_page(server: GraphServer) -> None:
    async def work(graph: Graph) -> None:
        assert await graph.profile(["get_started", "greeting"]) == {}
        await graph.set_profile({"get_started": {"payload": "menu:start"}})
        assert await graph.profile(["get_started", "greeting"]) == {"get_started": {"payload": "menu:start"}}
        await graph.delete_profile(["get_started"])
        assert await graph.profile(["get_started"]) == {}
        assert await graph.subscribed_fields() == {}
        await graph.subscribe(["messages", "message_echoes"])
        assert await graph.subscribed_fields() == {APP: frozenset({"messages", "message_echoes"})}
        assert await graph.create_template({"name": "payment_due", "language": "en"}) == "APPROVED"
        assert [one["name"] for one in await graph.templates()] == ["payment_due"]
        number = await graph.create_persona("Ana", "https://bank.example/ana.png")
        assert await graph.personas() == {number: "Ana"}
        await graph.typing(PSID)
        await graph.unlink(PSID)

    run(access(server), work)
    assert [(psid, action) for psid, action, _ in server.typing] == [(PSID, "typing_on")]
