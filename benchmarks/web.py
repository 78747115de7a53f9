"""The web page: what it weighs, how soon an answer is seen after the key, and how many tabs one process holds open.

Everything runs on this machine: the sandbox bank, the action server, Rasa with our channels, and Chromium, which reads
the page over a connection without latency. Weight is what the browser receives until the door is shown. "Key to
answer" is from pressing Enter until the answer's element is in the page. The streams are opened by sessions of their
own; then one more person asks, and every tenth stream must get what is written for it.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import resource
import secrets
import statistics
import sys
import tempfile
import time
from pathlib import Path

import aiohttp
from playwright.sync_api import Page
from results import Metric, report

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.browser import open_chromium
from support.served import Served

QUESTIONS = (
    "what's my balance",
    "how much did I spend on food last month?",
    "is that more than usual?",
    "show me those",
    "what subscriptions do I have?",
    "which bills are due before payday?",
    "when did I last pay Comcast?",
    "show my latest transactions",
)
ROUNDS = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument(
        "--rounds", type=int, default=ROUNDS, help="how often each question is asked; the first warms up"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="tellerline-web-") as home, Served(Path(home)) as served:
        with open_chromium() as chromium, chromium.new_context() as context:
            page = context.new_page()
            weight, script = weigh(page, served.url)
            turns = ask(page, options.rounds)
        opened, served_to, slowest, memory = asyncio.run(hold_open(served.url, options.streams))
    p95 = statistics.quantiles(turns, n=20)[-1]
    report(
        "web",
        [
            Metric("first paint", weight / 1000, "kB", target="< 100", reached=weight < 100_000),
            Metric("script, uncompressed", script / 1000, "kB", target="< 60", reached=script < 60_000),
            Metric("key to answer, median", statistics.median(turns), "ms"),
            Metric("key to answer, p95", p95, "ms", target="< 250", reached=p95 < 250),
            Metric("open streams", opened, "", target=f">= {options.streams}", reached=opened >= options.streams),
            Metric(
                "answered while open", served_to, "", target="all asked", reached=served_to == options.streams // 10
            ),
            Metric("slowest of those", slowest * 1000, "ms"),
            Metric("memory of this client", memory, "MB"),
        ],
        [f"{len(turns)} questions, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the end"],
    )


def weigh(page: Page, url: str) -> tuple[int, int]:
    """Bytes received until the door is shown, and bytes of script before compression."""
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    received = [0]

    def count(event: dict[str, float]) -> None:
        received[0] += int(event["encodedDataLength"])

    devtools.on("Network.loadingFinished", count)
    page.goto(f"{url}/chat/")
    page.get_by_role("button", name="Maya").wait_for()
    scripts = Path(__file__).resolve().parent.parent.glob("assistant/web/chat/*.js")
    return received[0], sum(script.stat().st_size for script in scripts)


def ask(page: Page, rounds: int) -> list[float]:
    """Milliseconds from the key to the answer in the page, measured by the page itself."""
    page.get_by_role("button", name="Maya").click()
    box = page.get_by_role("textbox")
    box.wait_for()
    box.fill("connect my bank")
    box.press("Enter")
    link = page.get_by_role("link", name="Connect my bank")
    link.wait_for()
    with page.context.expect_page() as opened:
        link.click()
    tab = opened.value
    tab.get_by_role("button").click()
    tab.locator("#login").fill("maya")
    tab.locator("#password").fill("sandbox")
    tab.get_by_role("button").first.click()
    tab.get_by_role("button").first.click()
    tab.get_by_text("is connected").first.wait_for()
    tab.close()
    page.bring_to_front()
    page.wait_for_timeout(2000)
    turns = []
    for number in range(rounds):
        for question in QUESTIONS:
            taken = page.evaluate(_KEY_TO_ANSWER, question)
            if number:  # the first round warms up
                turns.append(float(taken))
            page.wait_for_timeout(2100)  # slower than the limit on messages
    return turns


_KEY_TO_ANSWER = """(question) => new Promise((done) => {
  const root = document.querySelector("tellerline-chat").shadowRoot;
  const box = root.querySelector("textarea");
  const before = root.querySelectorAll("article.theirs").length;
  box.value = question;
  const began = performance.now();
  new MutationObserver((_, watch) => {
    if (root.querySelectorAll("article.theirs").length > before) {
      watch.disconnect();
      requestAnimationFrame(() => done(performance.now() - began));
    }
  }).observe(root, {childList: true, subtree: true});
  box.dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", bubbles: true}));
})"""


async def hold_open(url: str, count: int) -> tuple[int, int, float, float]:
    """Streams open at once, of every tenth how many were answered, the slowest in seconds, our memory in MB."""
    headers = {"X-Tellerline": "1", "Origin": url}
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=None, sock_read=120)
    async with aiohttp.ClientSession(
        connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
    ) as client:
        bearers = []
        for _ in range(count):
            while True:
                begun = await client.post(f"{url}/chat/session", json={"way": "guest", "bearer": True}, headers=headers)
                if begun.status == 200:
                    break
                await asyncio.sleep(0.2)
            bearers.append({"Authorization": f"Bearer {(await begun.json())['bearer']}", **headers})
        streams = await asyncio.gather(*(client.get(f"{url}/chat/stream", headers=one) for one in bearers))
        opened = sum(stream.status == 200 for stream in streams)
        waits = []
        for number in range(0, count, 10):
            waits.append(await _asked_and_heard(client, url, bearers[number], streams[number]))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        for stream in streams:
            stream.close()
    answered = [wait for wait in waits if wait is not None]
    return opened, len(answered), max(answered, default=0.0), memory


async def _asked_and_heard(
    client: aiohttp.ClientSession, url: str, headers: dict[str, str], stream: aiohttp.ClientResponse
) -> float | None:
    began = time.monotonic()
    said = {"key": secrets.token_hex(8), "text": "what can you do?"}
    async with client.post(f"{url}/chat/message", json=said, headers=headers):
        pass
    try:
        async with asyncio.timeout(30):
            async for line in stream.content:
                if line.startswith(b"data:") and b'"kind":"say"' in line:
                    return time.monotonic() - began
    except TimeoutError:
        pass
    return None


if __name__ == "__main__":
    main()
