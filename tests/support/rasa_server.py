"""Rasa with channels of ours, as `tellerline serve` runs it, in a process that a test may kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from types import TracebackType
from typing import Any

import requests
from support.assistant import Assistant, model
from support.sandbox import ROOT, free_port

from assistant.cli import write_endpoints


class RasaServer:
    """Beside an ``Assistant``: its bank, its action server, its database. Use as a context manager."""

    def __init__(self, assistant: Assistant, credentials: dict[str, Any]) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = assistant.home / "rasa.log"
        # The pages that actions send people to are served here.
        assistant.restart_actions(TELLERLINE_PUBLIC_URL=self.url)
        action_port = int(assistant.actions.url.rpartition(":")[2])
        endpoints, channels = assistant.home / "endpoints.yml", assistant.home / "credentials.yml"
        write_endpoints(replace(assistant.settings, action_port=action_port), ROOT / "endpoints.yml", endpoints)
        channels.write_text(json.dumps(credentials))
        self._command = [
            *(sys.executable, "-m", "assistant.guarded", "rasa", "run", "--model", str(model())),
            *("--endpoints", str(endpoints), "--credentials", str(channels)),
            *("--interface", "127.0.0.1", "--port", str(self.port)),
        ]
        self._env = {**os.environ, **assistant.env, "LOG_LEVEL": "WARNING"}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command, env=self._env, cwd=ROOT, stdout=log, stderr=log)
        deadline = time.monotonic() + 180
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(self.log.read_text()[-3000:])
            try:
                if requests.get(f"{self.url}/", timeout=1).ok:
                    return
            except requests.RequestException:
                time.sleep(0.2)
        raise TimeoutError(self.log.read_text()[-3000:])

    def kill(self) -> None:
        """As kill -9."""
        assert self._process
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def __enter__(self) -> RasaServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
