"""Calls of the action server share a connection, and an answer is let through when Rasa's schema lets it through."""

from __future__ import annotations

import asyncio
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

os.environ["RASA_TELEMETRY_ENABLED"] = "false"

import jsonschema
from aiohttp import web
from rasa.core.actions.action import RemoteAction
from rasa.utils.endpoints import ClientResponseError, EndpointConfig

from assistant.lighter.action_call import LightRemoteAction, plainly_sound

SCHEMA = RemoteAction.action_response_format_spec()
_JSON = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=3),
    lambda inner: some.lists(inner, max_size=2) | some.dictionaries(some.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
_EVENT = some.fixed_dictionaries(
    {"event": some.sampled_from(["slot", "bot", "nothing", None]), "name": some.text(max_size=3) | some.none()},
    optional={"timestamp": some.none() | some.floats(allow_nan=False), "value": _JSON, "text": _JSON},
)
_ANSWER = some.fixed_dictionaries(
    {}, optional={"events": some.lists(_EVENT | _JSON, max_size=3) | _JSON, "responses": some.lists(_JSON) | _JSON}
)


@settings(deadline=None)
@given(_ANSWER | _JSON)
def test_what_is_plainly_sound_fits_rasas_schema(answer: Any) -> None:
    if plainly_sound(answer):
        jsonschema.validate(answer, SCHEMA)


def test_our_own_answers_are_plainly_sound() -> None:
    slot = {"event": "slot", "timestamp": None, "name": "focus", "value": {"topic": "balances"}}
    assert plainly_sound({"events": [slot], "responses": [{"text": "$5", "buttons": []}]})
    assert plainly_sound({"events": [], "responses": []})
    assert not plainly_sound({"events": [{**slot, "name": 5}], "responses": []})
    assert not plainly_sound({"events": [{"event": "restart", "timestamp": None}], "responses": []})


@pytest.mark.parametrize("answer", [{"events": [{"event": "slot", "name": 5, "value": 1}]}, {"responses": ["text"]}])
def test_what_does_not_fit_is_refused(answer: Any) -> None:
    with pytest.raises(jsonschema.ValidationError):
        LightRemoteAction("action_x", None)._validate_action_result(answer)


def test_an_answer_of_another_kind_is_rasas_to_judge() -> None:
    assert LightRemoteAction("action_x", None)._validate_action_result({"events": [{"event": "restart"}]})


class Server:
    """Notes from which ports it is called, and with what."""

    def __init__(self) -> None:
        self.ports: list[int] = []
        self.secrets: list[str | None] = []
        self.status = 200

    async def answer(self, request: web.Request) -> web.Response:
        assert request.transport is not None
        self.ports.append(request.transport.get_extra_info("peername")[1])
        self.secrets.append(request.headers.get("X-Secret"))
        return web.json_response({"got": await request.json()}, status=self.status)


async def _served(server: Server, calls: Any) -> Any:
    app = web.Application()
    app.router.add_post("/webhook", server.answer)
    running = web.AppRunner(app)
    await running.setup()
    site = web.TCPSite(running, "127.0.0.1", 0)
    await site.start()
    port = running.addresses[0][1]
    try:
        return await calls(EndpointConfig(f"http://127.0.0.1:{port}/webhook", headers={"X-Secret": "s"}))
    finally:
        await running.cleanup()


def _endpoint(config: EndpointConfig) -> Any:
    return LightRemoteAction("action_x", config).action_endpoint


def test_one_connection_for_many_calls() -> None:
    server = Server()

    async def calls(config: EndpointConfig) -> list[Any]:
        answers = [await _endpoint(config).request(json={"n": n}, timeout=5) for n in range(3)]
        await _endpoint(config).close()
        return answers

    assert asyncio.run(_served(server, calls)) == [{"got": {"n": n}} for n in range(3)]
    assert len(set(server.ports)) == 1
    assert server.secrets == ["s"] * 3


def test_calls_at_the_same_time_do_not_wait_for_each_other() -> None:
    server = Server()

    async def calls(config: EndpointConfig) -> list[Any]:
        answers = await asyncio.gather(*[_endpoint(config).request(json=n, timeout=5) for n in range(20)])
        await _endpoint(config).close()
        return list(answers)

    assert asyncio.run(_served(server, calls)) == [{"got": n} for n in range(20)]


def test_another_event_loop_gets_connections_of_its_own() -> None:
    server = Server()
    config = EndpointConfig("http://127.0.0.1:9/webhook")

    async def calls(served: EndpointConfig) -> Any:
        config.url = _endpoint(config).url = served.url
        return await _endpoint(config).request(json=1, timeout=5)

    for _ in range(2):
        assert asyncio.run(_served(server, calls)) == {"got": 1}


def test_a_refusal_is_told_as_rasa_tells_it_and_the_connection_goes_on() -> None:
    server = Server()

    async def calls(config: EndpointConfig) -> Any:
        server.status = 500
        with pytest.raises(ClientResponseError):
            await _endpoint(config).request(json=1, timeout=5)
        server.status = 200
        answer = await _endpoint(config).request(json=2, timeout=5)
        await _endpoint(config).close()
        return answer

    assert asyncio.run(_served(server, calls)) == {"got": 2}
