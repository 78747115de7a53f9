"""A browser of the web page, without the browser: keeps its cookie, sends what the page sends, reads the stream."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests


class Visitor:
    """One browser. ``start`` is what the page got to begin with."""

    def __init__(self, url: str, *, way: str = "guest", **asked: Any) -> None:
        self.url = url
        self.session = requests.Session()
        self.start = self.begin(way=way, **asked)

    def begin(self, **asked: Any) -> dict[str, Any]:
        answer = self.call("session", asked)
        answer.raise_for_status()
        return dict(answer.json())

    def call(self, path: str, body: Any = None, *, origin: str | None = None, **headers: str) -> requests.Response:
        """As the page asks: from its own origin unless another is given, "" for none."""
        sent = {"X-Tellerline": "1", **headers}
        if body is not None or origin is not None:
            sent["Origin"] = self.url if origin is None else origin
        sent = {name: value for name, value in sent.items() if value}
        method = "GET" if body is None else "POST"
        data = body if isinstance(body, bytes) else None
        json_body = None if body is None or data is not None else body
        while True:
            answer = self.session.request(
                method, f"{self.url}/chat/{path}", data=data, json=json_body, headers=sent, timeout=30
            )
            if answer.status_code != 503:
                return answer
            time.sleep(0.2)  # the server is starting

    def say(self, text: str, key: str = "") -> requests.Response:
        return self.call("message", {"key": key or secrets.token_hex(8), "text": text})

    def history(self) -> list[dict[str, Any]]:
        """What a reload shows."""
        return list(self.begin()["history"])

    @contextmanager
    def stream(self, after: int = 0, **headers: str) -> Iterator[Iterator[dict[str, Any]]]:
        """What comes after this number, as it comes."""
        sent = {"X-Tellerline": "1", "Last-Event-ID": str(after), **headers}
        with self.session.get(f"{self.url}/chat/stream", headers=sent, stream=True, timeout=30) as answer:
            answer.raise_for_status()
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            yield _events(answer)


def _events(answer: requests.Response) -> Iterator[dict[str, Any]]:
    fields: dict[str, str] = {}
    for line in answer.iter_lines(chunk_size=1, decode_unicode=True):
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.strip()
        elif "data" in fields:
            data = fields["data"]
            if fields.get("event") == "ended":
                yield {"kind": "ended", "why": data}
            else:
                yield {**json.loads(data), "stream_id": int(fields["id"]) if "id" in fields else None}
            fields = {}
        else:
            fields = {}
