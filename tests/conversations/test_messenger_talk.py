"""Messenger, the whole way: signed webhook, Rasa with the trained model, the sandbox bank, the Send API, and back."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterator

import pytest
import requests
from support.assistant import Assistant
from support.graph import GraphServer
from support.messenger import credentials
from support.rasa_server import RasaServer

from assistant.channels.messenger_config import CREDENTIALS
from assistant.sandbox.demo import walk_pages

pytestmark = [pytest.mark.slow, pytest.mark.conversation, pytest.mark.timeout(900)]

AUTOMATED = "automated"


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    with Assistant(tmp_path_factory.mktemp("messenger"), customers=("maya",)) as assistant:
        yield assistant


@pytest.fixture(scope="module")
def graph() -> Iterator[GraphServer]:
    with GraphServer(latency=0.05, pause=0.1) as graph:
        yield graph


@pytest.fixture(scope="module")
def rasa(bank: Assistant, graph: GraphServer) -> Iterator[RasaServer]:
    channels = {CREDENTIALS: credentials(graph), "assistant.channels.pages.HostedPages": {}}
    with RasaServer(bank, channels) as server:
        graph.webhook = f"{server.url}/webhooks/messenger/webhook"
        yield server


def in_the_browser(url: str) -> None:
    """Open the page that was sent, agree, sign in at the bank as maya, and come back."""
    with requests.Session() as browser:
        page = browser.get(url, timeout=30)
        [proof] = re.findall(r'name="proof" value="([^"]+)"', page.text)
        away = browser.post(url, data={"proof": proof}, allow_redirects=False, timeout=30)
        done = browser.get(walk_pages(away.headers["Location"], "maya"), timeout=30)
        assert done.status_code == 200


def test_a_conversation_from_hello_to_a_chart(bank: Assistant, graph: GraphServer, rasa: RasaServer) -> None:
    [hello] = graph.answer("ann", "hi")
    assert AUTOMATED in hello.text and hello.text.count(AUTOMATED) == 1
    [asked] = graph.answer("ann", "what's my balance")
    [connect] = graph.answer("ann", "connect my bank")
    assert "ten minutes" in connect.text, asked.text
    [url] = re.findall(r"http://\S+", connect.text)
    before = len(graph.to("ann"))
    in_the_browser(url)
    # The question that waited is answered without another word of hers.
    text, cards = graph.settled("ann", before)
    assert re.search(r"You have \$[\d,]+\.\d\d across 3 accounts", text.text)
    elements = cards.message["attachment"]["payload"]["elements"]
    assert elements[0]["title"] == "Everyday Checking (…4729)"
    before = len(graph.to("ann"))
    graph.deliver(graph.postback("ann", "Transactions", elements[0]["buttons"][0]["payload"]))
    [listed] = graph.settled("ann", before)
    assert "Everyday Checking" in listed.text and re.search(r": -?\$\d", listed.text)

    text, chart = graph.answer("ann", "how much did I spend on food last month?")
    assert text.text.startswith("You spent $1,013.58 on food and drink in February 2026.")
    assert "groceries: $469.64" in text.text
    picture = graph.uploads[chart.message["attachment"]["payload"]["attachment_id"]]
    assert picture.startswith(b"\x89PNG")
    (bank.home / "chart.png").write_bytes(picture)
    before = len(graph.to("ann"))
    graph.taps(chart, "Is that more than…")
    compared = graph.settled("ann", before)
    assert "less than in January 2026" in compared[0].text

    assert "I can't move money" in graph.answer("ann", "send $50 to my sister")[0].text
    [text, *_] = graph.answer("ann", '/ask_balance{"account": "x"}')
    # Addresses of this test's own servers have ports of five digits.
    said = re.sub(r"https?://\S+", "", " ".join(one.text for one in graph.to("ann")))
    assert "4729" not in text.text and not re.search(r"\d{5,}", said)
    assert not [word for word in ("groceries", "1,013", "sister", "ann") if word in rasa.log.read_text().split()]


PEOPLE, EACH = 200, 3
SAID = ("hi", "what can you do", "bye")
#: How the answer to each begins.
ANSWERED = ("Hi! I'm your automated", "I can", "Bye!")


@pytest.mark.long
def test_two_hundred_people_at_once_and_a_killed_server(graph: GraphServer, rasa: RasaServer) -> None:
    people = [f"p{number}" for number in range(PEOPLE)]
    graph.acks.clear()
    for text in SAID:
        for who in people:
            graph.writes(who, text)
        time.sleep(0.2)
    graph.wait(lambda: len([one for one in graph.shown if one.psid in set(people)]) > PEOPLE, 300)
    rasa.kill()
    rasa.start()
    graph.wait(lambda: all(len(graph.to(who)) >= EACH for who in people), 600)
    time.sleep(25)  # longer than an answer waits for its echo
    for who in people:
        texts = [one.text for one in graph.to(who)]
        assert [text.startswith(start) for text, start in zip(texts, ANSWERED, strict=True)] == [True] * EACH, texts
    assert graph.undelivered == []
    taken = [ack.seconds for ack in graph.acks if ack.status == 200]
    print(f"\nacknowledged: median {statistics.median(taken) * 1000:.0f} ms, worst {max(taken) * 1000:.0f} ms")
