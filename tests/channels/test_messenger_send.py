"""One answer on its way out: what may go when, pictures, people, and what each refusal of Graph makes of it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from support.graph import DAY, SECRET, TOKEN, GraphServer

from assistant.banking import clock
from assistant.channels.graph import ATTEMPTS, Graph, GraphAccess
from assistant.channels.graph_errors import RULES, GraphError, Treatment
from assistant.channels.messenger_policy import Template
from assistant.channels.messenger_send import Sender
from assistant.channels.sent import Outcome, Sent
from assistant.customers.inbox import Correspondent

PSID = "24601"
CHART = {"title": "Spending", "bars": [{"label": "food", "amount": "$12", "size": "12"}]}
BILL = dataclasses.asdict(Template("bill_due", ("Comcast", "$89.99")))


@pytest.fixture
def graph() -> Iterator[GraphServer]:
    with GraphServer() as server:
        server.message(PSID, {"text": "hi"})
        yield server


def say(text: str = "hello", why: str = "answer", **more: Any) -> dict[str, Any]:
    return {"message": {"text": text}, "why": why, **more}


def send(graph: GraphServer, *answers: dict[str, Any], ago: timedelta | None = timedelta(0)) -> list[Sent]:
    """To somebody who has last written so long ago; None: never."""
    heard_at: datetime | None = None if ago is None else clock.now() - ago
    graph.last_written = {} if ago is None else {PSID: graph.now() - ago.total_seconds()}

    async def no_pause(_seconds: float) -> None:
        return None

    async def whole() -> list[Sent]:
        async with Graph(GraphAccess(TOKEN, SECRET, base_url=graph.url), no_pause) as client:
            sender = Sender(client)
            who = Correspondent("messenger", "c", {"psid": PSID}, heard_at)
            return [await sender.send(answer, who, number) for number, answer in enumerate(answers, 7)]

    return asyncio.run(whole())


def outcomes(sent: list[Sent]) -> list[Outcome]:
    return [one.outcome for one in sent]


def test_an_answer_carries_its_number_for_the_echo(graph: GraphServer) -> None:
    assert outcomes(send(graph, say(), say("more"))) == [Outcome.ARRIVED] * 2
    assert [one.message["metadata"] for one in graph.shown] == ["7", "8"]


@pytest.mark.parametrize("ago", [timedelta(hours=24), timedelta(days=30), None])
def test_outside_the_window_an_answer_waits_and_graph_is_not_asked(graph: GraphServer, ago: timedelta | None) -> None:
    [sent] = send(graph, say(), ago=ago)
    assert (sent.outcome, sent.why) == (Outcome.CLOSED, "window")
    assert graph.calls == []


def test_a_notice_goes_as_an_update_then_as_a_template(graph: GraphServer) -> None:
    graph.templates = [{"name": "bill_due", "status": "APPROVED"}]
    notice = [say("Comcast is due.", "notice", template=BILL), say("More.", "notice", told_by_template=True)]
    assert outcomes(send(graph, *notice)) == [Outcome.ARRIVED] * 2
    assert [(one.body["messaging_type"], one.text) for one in graph.shown] == [
        ("UPDATE", "Comcast is due."),
        ("UPDATE", "More."),
    ]
    graph.shown.clear()
    assert outcomes(send(graph, *notice, ago=timedelta(days=3))) == [Outcome.ARRIVED] * 2
    [shown] = graph.shown
    assert shown.body["messaging_type"] == "UTILITY" and shown.message["template"]["name"] == "bill_due"
    assert outcomes(send(graph, say("x", "notice"), ago=timedelta(days=3))) == [Outcome.CLOSED]


def test_a_person_has_seven_days_and_her_own_name(graph: GraphServer) -> None:
    graph.personas = {"900": "Ana"}
    answers = [say("I looked.", "person", person="Ana"), say("So did I.", "person", person="Ben")]
    assert outcomes(send(graph, *answers, ago=timedelta(seconds=6 * DAY))) == [Outcome.ARRIVED] * 2
    ana, ben = graph.shown
    assert (ana.body["tag"], ana.body["persona_id"], ana.text) == ("HUMAN_AGENT", "900", "I looked.")
    assert "persona_id" not in ben.body and ben.text == "Ben: So did I."
    assert outcomes(send(graph, *answers, ago=timedelta(days=8))) == [Outcome.CLOSED] * 2


def test_a_chart_is_uploaded_when_it_is_sent(graph: GraphServer) -> None:
    replies = [{"content_type": "text", "title": "More", "payload": "x"}]
    answer = {"message": {"chart": CHART, "quick_replies": replies}, "why": "answer"}
    assert outcomes(send(graph, answer)) == [Outcome.ARRIVED]
    [picture] = graph.uploads.values()
    assert picture.startswith(b"\x89PNG") and list(graph.shown[0].offers) == ["More"]


def test_without_its_picture_a_chart_is_its_words(graph: GraphServer, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: Any, **__: Any) -> str:
        raise GraphError(RULES[2, 0])

    monkeypatch.setattr(Graph, "upload", fails)
    replies = [{"content_type": "text", "title": "More", "payload": "x"}]
    with_replies = {"message": {"chart": CHART, "quick_replies": replies}, "why": "answer"}
    assert outcomes(send(graph, {"message": {"chart": CHART}, "why": "answer"}, with_replies)) == [Outcome.ARRIVED] * 2
    assert [(one.text, list(one.offers)) for one in graph.shown] == [("Spending", ["More"])]


MEANS: dict[Treatment, Callable[[Sent], bool]] = {
    Treatment.RETRY: lambda sent: sent.outcome is Outcome.LATER and sent.seconds < 10,
    Treatment.WAIT: lambda sent: sent.outcome is Outcome.LATER and sent.seconds >= 60,
    Treatment.STOP: lambda sent: (sent.outcome, sent.why) == (Outcome.CLOSED, "blocked"),
    Treatment.KEEP: lambda sent: (sent.outcome, sent.why) == (Outcome.CLOSED, "window"),
    Treatment.MEND: lambda sent: (sent.outcome, sent.why) == (Outcome.CLOSED, "page"),
    Treatment.GIVE_UP: lambda sent: sent.outcome is Outcome.REFUSED,
}


@pytest.mark.parametrize(("code", "subcode"), sorted(RULES))
def test_each_refusal_means_what_its_rule_says(graph: GraphServer, code: int, subcode: int) -> None:
    graph.refusals = [(code, subcode)] * ATTEMPTS
    [sent] = send(graph, say())
    assert MEANS[RULES[code, subcode].treatment](sent)


def test_when_the_page_is_to_be_quiet_nobody_is_written_to(graph: GraphServer) -> None:
    graph.refusals = [(613, 0)]
    first, second = send(graph, say(), say())
    assert first.outcome is second.outcome is Outcome.LATER and second.seconds > 50
    assert len(graph.calls) == 1


def test_what_may_have_arrived_is_not_said_to_have_failed(graph: GraphServer) -> None:
    graph.lost_answers = 1
    with pytest.raises(GraphError) as caught:
        send(graph, say())
    assert caught.value.uncertain and len(graph.shown) == 1


def test_without_an_address_nothing_is_sent(graph: GraphServer) -> None:
    async def whole() -> Sent:
        async with Graph(GraphAccess(TOKEN, SECRET, base_url=graph.url)) as client:
            return await Sender(client).send(say(), Correspondent("messenger", "c"), 1)

    assert asyncio.run(whole()).outcome is Outcome.CLOSED
