"""A bank that says what a test tells it to, over a real socket: for answers no honest server gives."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from assistant.connectors.profiles import BankProfile, OAuthProfile


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True)
class Said:
    """``raw``, sent instead of ``body``; ``length`` claims another Content-Length; ``drip`` sends byte by byte,
    waiting so many seconds between two; ``drip_headers`` does so with the headers, for ever."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    length: int | None = None
    drip: float = 0.0
    drip_headers: float = 0.0


class BankServer:
    """``answer`` is called for each request, from many threads. ``asked`` are the requests so far."""

    def __init__(self, answer: Callable[[Asked], Said], tls: ssl.SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        stopping = self._stopping = threading.Event()
        bank = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                asked = Asked(
                    self.command,
                    parts.path,
                    dict(parse_qsl(parts.query)),
                    {k.lower(): v for k, v in self.headers.items()},
                    self.rfile.read(length).decode(),
                )
                bank.asked.append(asked)
                said = answer(asked)
                raw = said.raw if said.raw is not None else json.dumps(said.body).encode()
                if said.status == 204:
                    raw = b""
                if said.drip_headers:
                    self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                    while not stopping.wait(said.drip_headers):
                        self.wfile.write(b"x")
                    return
                self.send_response(said.status)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw) if said.length is None else said.length))
                self.end_headers()
                for start in range(0, len(raw), 1 if said.drip else max(1, len(raw))):
                    if said.drip and stopping.wait(said.drip):
                        return
                    try:
                        self.wfile.write(raw[start : start + 1] if said.drip else raw)
                    except OSError:
                        break
                if said.length is not None or said.drip:
                    self.close_connection = True

            do_GET = do_POST = do_PUT = _serve

            def log_message(self, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hangs up is what some tests are about."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.url = f"http://{self.host}"
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
            self.url = f"https://{self.host}"

    def __enter__(self) -> BankServer:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping.set()
        self._server.shutdown()
        self._server.server_close()

    def profile(self, **changes: Any) -> BankProfile:
        oauth = OAuthProfile(
            authorize_url=f"{self.url}/authorize",
            token_url=f"{self.url}/token",
            revoke_url=f"{self.url}/revoke",
            client_id="tester",
        )
        values: dict[str, Any] = {"base_url": f"{self.url}/fdx", "hosts": (self.host,), "oauth": oauth}
        return BankProfile(**{"id": "testbank", "name": "Test Bank", **values, **changes})
