"""The web page in a real browser, before the whole assistant: what a customer does there, from the door to being
forgotten. Nothing that axe-core objects to in any state, nothing from elsewhere, nothing in the browser's console.

With SCREENSHOTS naming a folder, pictures of it are left there (docs/web holds some).
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, Request, expect
from support.browser import SCREENS, Screen, overflow, violations
from support.served import Served

pytestmark = [pytest.mark.slow, pytest.mark.conversation, pytest.mark.timeout(240)]

PASSWORD, CODE = "sandbox", "804193"
PHONE, PHONE_DARK, DESKTOP, DESKTOP_DARK = SCREENS
#: What a browser says of requests that are cut off or refused on purpose.
EXPECTED = re.compile(r"net::ERR_(INTERNET_DISCONNECTED|ABORTED|FAILED)|status of 401|status of 429")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("served")) as served:
        yield served


class Chat:
    """One tab."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._watch)

    def _watch(self, request: Request) -> None:
        if urlsplit(request.url).netloc != urlsplit(self.url).netloc and not request.url.startswith("blob:"):
            self.elsewhere.append(request.url)

    def open(self, path: str = "/chat/") -> Chat:
        self.page.goto(self.url + path)
        return self

    def come_in(self, who: str) -> Chat:
        self.open().page.get_by_role("button", name=re.compile(f"^{who}")).click()
        expect(self.box).to_be_focused()
        return self

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("textbox", name="Ask about your money")

    @property
    def answers(self) -> Locator:
        return self.page.locator("article.theirs")

    @property
    def last(self) -> Locator:
        return self.answers.last

    def ask(self, text: str) -> Locator:
        """By the keyboard. Returns the answer."""
        before = self.answers.count()
        self.box.fill(text)
        self.box.press("Enter")
        return self.next(before)

    def press(self, name: str) -> Locator:
        before = self.answers.count()
        self.page.get_by_role("button", name=name).last.click()
        return self.next(before)

    def next(self, before: int) -> Locator:
        expect(self.answers).not_to_have_count(before, timeout=30_000)
        return self.last

    def connect(self, login: str) -> None:
        """At the sandbox bank, in the tab that opens. The conversation goes on by itself."""
        with self.page.context.expect_page() as opened:
            self.last.get_by_role("link", name="Connect my bank").click()
        before = self.answers.count()
        sign_in(opened.value, login).close()
        self.page.bring_to_front()
        self.next(before)

    def fits(self) -> None:
        """axe-core itself tries an inline style, which the policy refuses: that is no complaint of the page's."""
        before = len(self.complaints)
        found = violations(self.page)
        self.complaints[before:] = [said for said in self.complaints[before:] if "inline style" not in said]
        assert found == []
        assert overflow(self.page) <= 0

    def shoot(self, name: str) -> None:
        if folder := os.environ.get("SCREENSHOTS"):
            self.page.wait_for_timeout(700)
            self.page.screenshot(path=Path(folder) / f"{name}.png")


def sign_in(page: Page, login: str) -> Page:
    """From our page through the bank's to "is connected"."""
    page.get_by_role("button", name="Continue to Sandbox Bank").click()
    if page.locator("#login").count():
        page.locator("#login").fill(login)
        page.locator("#password").fill(PASSWORD)
        page.get_by_role("button").first.click()
    page.get_by_role("button").first.click()
    expect(page.get_by_role("heading", name="Sandbox Bank is connected")).to_be_visible()
    return page


@contextmanager
def visitor(chromium: Browser, screen: Screen = DESKTOP, **settings: object) -> Iterator[BrowserContext]:
    with screen.open(chromium, reduced_motion="reduce", **settings) as context:
        yield context


@contextmanager
def chat(chromium: Browser, served: Served, screen: Screen = DESKTOP, **settings: object) -> Iterator[Chat]:
    with visitor(chromium, screen, **settings) as context:
        opened = Chat(context.new_page(), served.url)
        yield opened
        assert [said for said in opened.complaints if not EXPECTED.search(said)] == []
        assert opened.elsewhere == [], "the page asks nobody but us"


def test_from_the_door_to_a_chart_and_a_follow_up(chromium: Browser, served: Served) -> None:
    with chat(chromium, served) as page:
        page.open()
        page.fits()
        page.shoot("door-light")
        page.come_in("Maya")
        page.fits()
        expect(page.ask("what's my balance")).to_contain_text("connect")
        page.ask("connect my bank")
        page.fits()
        page.connect("maya")
        expect(page.last).to_contain_text("You have $36,874.05 across 3 accounts")
        assert page.last.locator(".accounts li").count() == 4
        answer = page.ask("how much did I spend on food last month?")
        expect(answer).to_contain_text("$1,013.58")
        drawing = answer.get_by_role("img")
        expect(drawing).to_have_accessible_name(re.compile("food", re.IGNORECASE))
        assert answer.locator("rect.bar").count() == 3
        page.shoot("desktop-light")
        answer.get_by_text("Show as a table").click()
        expect(answer.get_by_role("row", name="groceries $469.64 46%")).to_be_visible()
        page.fits()
        expect(page.press("Is that more than usual?")).to_contain_text("$129.38")
        shown = page.press("Show me those")
        expect(shown.locator("dd")).to_have_count(5)
        page.fits()
        assert page.press("Show more").locator("dd").count() == 5


def test_a_reload_and_a_second_tab_show_the_same(chromium: Browser, served: Served) -> None:
    with chat(chromium, served) as first:
        first.come_in("Somebody new")
        first.ask("hello")
        first.page.reload()
        expect(first.page.locator("article")).to_have_count(2)
        second = Chat(first.page.context.new_page(), served.url).open()
        expect(second.answers).to_have_count(1)
        first.page.bring_to_front()
        first.ask("what can you do?")
        expect(second.answers).to_have_count(2)
        expect(second.page.locator("article.mine").last).to_contain_text("what can you do?")
        told = [page.page.locator("article").all_inner_texts() for page in (first, second)]
        assert told[0] == told[1]


def test_offline_and_back(chromium: Browser, served: Served) -> None:
    with chat(chromium, served) as page:
        page.come_in("Somebody new")
        page.ask("hello")
        page.page.context.set_offline(True)
        page.box.fill("what can you do?")
        page.box.press("Enter")
        failed = page.page.locator("article.mine.failed")
        expect(failed).to_contain_text("Not sent")
        page.fits()
        page.page.context.set_offline(False)
        failed.get_by_role("button", name="Try again").click()
        expect(page.answers).to_have_count(2, timeout=30_000)
        expect(page.page.locator("article.mine")).to_have_count(2)
        expect(page.page.locator("article.failed")).to_have_count(0)


def test_consent_is_a_switch_and_the_conversation_knows(chromium: Browser, served: Served) -> None:
    with chat(chromium, served) as page:
        page.come_in("Jordan")
        page.ask("connect my bank")
        page.connect("jordan")
        page.page.get_by_role("button", name="Menu").click()
        page.fits()
        page.page.get_by_role("button", name="Privacy and your data").click()
        insights = page.page.get_by_role("switch", name="Spending insights")
        expect(insights).to_be_checked()
        page.fits()
        page.shoot("privacy-light")
        insights.click()
        expect(page.page.get_by_text("You switched off spending insights at Sandbox Bank, on the web.")).to_be_visible()
        expect(insights).not_to_be_checked()
        page.page.get_by_role("button", name="Back to our conversation").click()
        expect(page.ask("how much did I spend on food last month?")).not_to_contain_text("$")
        expect(page.press("Yes")).to_contain_text("$")


def test_the_code_is_no_message_and_the_data_can_be_taken_and_erased(chromium: Browser, served: Served) -> None:
    with chat(chromium, served) as page:
        page.come_in("Alex")
        page.ask("connect my bank")
        with page.page.context.expect_page() as opened:
            page.last.get_by_role("link", name="Connect my bank").click()
        tab = sign_in(opened.value, "alex")
        tab.get_by_role("link", name="Choose a code").click()
        for name in ("code", "again"):
            tab.locator(f"#{name}").fill(CODE)
        tab.get_by_role("button").click()
        tab.close()
        page.page.bring_to_front()
        page.ask("send me my data")
        page.fits()
        page.last.get_by_label("Your code").fill("999999")
        page.last.get_by_role("button", name="Continue").click()
        expect(page.last.get_by_role("alert")).not_to_be_empty()
        page.fits()
        before = page.answers.count()
        page.last.get_by_label("Your code").fill(CODE)
        page.last.get_by_role("button", name="Continue").click()
        page.next(before)
        expect(page.last.get_by_role("link", name="Get my data")).to_be_visible()
        assert CODE not in page.page.locator("tellerline-chat").inner_text()
        page.page.get_by_role("button", name="Menu").click()
        page.page.get_by_role("button", name="Privacy and your data").click()
        page.page.get_by_role("button", name="Erase everything").click()
        page.page.get_by_role("button", name="Yes, erase everything now").click()
        expect(page.page.get_by_text("erased", exact=False).first).to_be_visible()
        page.fits()
        page.page.reload()
        expect(page.page.get_by_role("heading", name="Who is asking?")).to_be_visible()
    assert CODE not in served.logs()


def test_signing_out_leaves_nothing_on_the_screen(chromium: Browser, served: Served) -> None:
    with chat(chromium, served) as page:
        page.come_in("Somebody new")
        page.ask("hello")
        other = Chat(page.page.context.new_page(), served.url).open()
        expect(other.answers).to_have_count(1)
        page.page.bring_to_front()
        page.page.get_by_role("button", name="Menu").click()
        page.page.get_by_role("button", name="Sign out").click()
        for tab in (page, other):
            expect(tab.page.get_by_role("heading", name="You're signed out")).to_be_visible()
            expect(tab.page.locator("article")).to_have_count(0)
        page.fits()


@pytest.mark.parametrize("screen", SCREENS, ids=lambda screen: screen.name)
def test_by_keyboard_alone_on_every_screen(chromium: Browser, served: Served, screen: Screen) -> None:
    with chat(chromium, served, screen) as page:
        page.come_in("Maya")
        page.ask("show my latest transactions")
        page.fits()
        page.shoot(screen.name)
        page.ask("how much did I spend on food last month?")
        page.shoot(f"chart-{screen.name}")
        page.box.press("Shift+Tab")
        name = page.page.evaluate("document.querySelector('tellerline-chat').shadowRoot.activeElement.textContent")
        assert name in ("Is that more than usual?", "Show me those")
        before = page.answers.count()
        page.page.keyboard.press("Enter")
        page.next(before)
        page.fits()


def test_from_right_to_left(chromium: Browser, served: Served) -> None:
    """The layout follows the direction of the language; the words here stay English."""
    with chat(chromium, served, PHONE) as page:
        page.come_in("Maya")
        page.page.evaluate("document.querySelector('tellerline-chat').dir = 'rtl'")
        page.ask("what's my balance")
        page.fits()
        boxes = [page.page.locator(f"article.{who} .bubble").last.bounding_box() for who in ("mine", "theirs")]
        assert boxes[0] and boxes[1] and boxes[0]["x"] < boxes[1]["x"], "hers are on the left"


def test_words_from_a_bank_are_words(chromium: Browser, served: Served) -> None:
    """Markup in what is said is shown as it was typed."""
    with chat(chromium, served) as page:
        page.come_in("Somebody new")
        page.ask("<img src=x onerror=alert(1)><b>hello</b>")
        expect(page.page.locator("article.mine").last).to_contain_text("<img src=x onerror=alert(1)><b>hello</b>")
        assert page.page.locator("article img").count() == 0
