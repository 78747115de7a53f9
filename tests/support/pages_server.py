"""The hosted pages on a real Sanic server, as Rasa registers them, in a thread; and a browser."""

from __future__ import annotations

import asyncio
import logging
import threading
from html.parser import HTMLParser
from types import TracebackType
from typing import Any, Protocol
from urllib.parse import urljoin

import requests
from rasa.core.channels.channel import register
from sanic import Sanic
from sanic.touchup.service import TouchUp
from support.sandbox import PATIENCE

from assistant.channels.pages import HostedPages
from assistant.settings import Settings


class PagesServer:
    """Use as a context manager. ``lines`` collects what is logged by anybody, at every level."""

    def __init__(self, settings: Settings) -> None:
        self.port = settings.rasa_port
        self.lines: list[str] = []
        self._settings = settings
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._up = threading.Event()
        self._handler = _Collector(self.lines)

    @property
    def url(self) -> str:
        return self._settings.public_url

    def __enter__(self) -> PagesServer:
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            logger.addHandler(self._handler)
            logger.setLevel(logging.DEBUG)
        self._thread.start()
        assert self._up.wait(PATIENCE) and self._thread.is_alive()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        for name in _LOGGERS:
            logging.getLogger(name).removeHandler(self._handler)
            logging.getLogger(name).setLevel(logging.NOTSET)

    def _run(self) -> None:
        try:
            self._serve()
        finally:
            self._up.set()

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        app = Sanic(f"pages_{self.port}", configure_logging=False)
        app.config.ACCESS_LOG = True
        app.config.MOTD = False
        register([HostedPages(self._settings)], app, route="/webhooks/")
        app.add_route(_elsewhere, "/elsewhere")
        server = self._loop.run_until_complete(
            app.create_server("127.0.0.1", self.port, return_asyncio_server=True, access_log=True)
        )
        self._loop.run_until_complete(server.startup())
        self._loop.run_until_complete(server.before_start())
        self._loop.run_until_complete(server.start_serving())
        self._up.set()
        self._loop.run_forever()
        self._loop.run_until_complete(server.before_stop())
        server.close()
        self._loop.run_until_complete(server.after_stop())


async def _elsewhere(_request: Any) -> Any:
    from sanic.response import text

    return text("hello")


# Sanic rewrites its own methods when it first starts, and can't do it twice in a process.
_touch_up = TouchUp.run
_touched: list[Sanic] = []


def _touch_up_once(app: Sanic) -> None:
    if not _touched:
        _touched.append(app)
        _touch_up(app)


TouchUp.run = _touch_up_once

_LOGGERS = ("", "sanic.access", "sanic.error", "sanic.root")


class _Collector(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("urllib3"):  # our browser speaks, in this same process
            return
        self._lines.append(f"{self.format(record)} {vars(record)}")


class HasPages(Protocol):
    @property
    def url(self) -> str: ...


class Browser:
    """Keeps cookies and forms as a browser does, follows nothing by itself. Each one is another person's."""

    def __init__(self, server: HasPages) -> None:
        self._server = server
        self.session = requests.Session()

    def get(self, path: str) -> requests.Response:
        return self.session.get(urljoin(self._server.url, path), allow_redirects=False, timeout=PATIENCE)

    def press(self, page: requests.Response, button: int = 0, **typed: str) -> requests.Response:
        """Send a form of a page, filled in."""
        form = forms(page.text)[button]
        return self.session.post(page.url, data={**form, **typed}, allow_redirects=False, timeout=PATIENCE)

    def come_back(self, callback_url: str) -> requests.Response:
        """Where the bank sends the browser."""
        assert callback_url.startswith(f"{self._server.url}/link/callback?")
        return self.get(callback_url)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            assert values["method"] == "post"
            self.found.append({})
        elif tag == "input" and values.get("type") == "hidden":
            self.found[-1][values["name"]] = values.get("value", "")


def forms(html: str) -> list[dict[str, str]]:
    """The hidden fields of each form of a page."""
    parser = _Forms()
    parser.feed(html)
    return parser.found
