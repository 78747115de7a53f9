"""Channels on a real Sanic server in a process of its own, which a test may kill.

In Rasa's place stands a scripted listener, so that a test can say how long a turn takes and read what was heard;
whole conversations with Rasa itself are elsewhere.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
from support.sandbox import PATIENCE, ROOT, START_PATIENCE, free_port


class ChannelServer:
    """Use as a context manager. ``channel`` is "module:Class", made from ``credentials``."""

    def __init__(
        self, channel: str, home: Path, credentials: dict[str, Any] | None = None, env: dict[str, str] | None = None
    ) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home / "server.log"
        self._heard = home / "heard.jsonl"
        self._delay = home / "delay"
        self._command = [sys.executable, "-m", "support.channel_server", channel, str(self.port), str(home)]
        self._command.append(json.dumps(credentials or {}))
        self._env = {
            **os.environ,
            "TELLERLINE_HOME": str(home),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests"), os.environ.get("PYTHONPATH", "")]),
            "TELLERLINE_RASA_PORT": str(self.port),
            **(env or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.webhook = ""

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._env, cwd=ROOT, stdout=log, stderr=log)
        deadline = time.monotonic() + START_PATIENCE
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(self.log.read_text())
            try:
                found = requests.get(f"{self.url}/ready", timeout=PATIENCE)
                self.webhook = f"{self.url}{found.json()['webhook']}"
                return
            except (requests.RequestException, ValueError):
                time.sleep(0.05)
        raise TimeoutError(self.log.read_text())

    def kill(self) -> None:
        """As kill -9: nothing is said goodbye to."""
        assert self._process
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()

    def turns_take(self, seconds: float) -> None:
        self._delay.write_text(str(seconds))

    def heard(self) -> list[dict[str, Any]]:
        """Every turn begun, in order: conversation, text, about."""
        if not self._heard.exists():
            return []
        return [json.loads(line) for line in self._heard.read_text().splitlines()]

    def forget(self) -> None:
        """From now on ``heard`` tells only what is new."""
        self._heard.write_text("")

    def __enter__(self) -> ChannelServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def main() -> None:
    from rasa.core.channels.channel import UserMessage, register
    from sanic import Sanic
    from sanic.response import json as json_response

    path, port, home, credentials = sys.argv[1:]
    module, _, name = path.partition(":")
    channel = getattr(importlib.import_module(module), name).from_credentials(json.loads(credentials))
    heard, delay = Path(home) / "heard.jsonl", Path(home) / "delay"

    class Listener:
        """In the place of Rasa's agent."""

        async def handle_message(self, message: UserMessage) -> None:
            told = {"conversation": message.sender_id, "text": message.text, "about": message.metadata}
            with heard.open("a") as file:
                file.write(json.dumps(told) + "\n")
            if delay.exists():
                await asyncio.sleep(float(delay.read_text()))
            said = {"text": f"You said: {message.text}", "choices": [{"title": "Again", "about": "alert-1"}]}
            await message.output_channel.send_response(message.sender_id, {"custom": {"tellerline": said}})

    app = Sanic("channels", configure_logging=True)
    app.config.MOTD = False
    app.ctx.agent = Listener()
    register([channel], app, route="/webhooks/")

    async def ready(_: Any) -> Any:
        return json_response({"webhook": f"/webhooks/{channel.url_prefix()}/webhook"})

    app.add_route(ready, "/ready")
    app.run("127.0.0.1", int(port), access_log=True)


if __name__ == "__main__":
    main()
