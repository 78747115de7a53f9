"""`tellerline serve` as people start it: the sandbox bank, the action server and Rasa with every channel, on free
ports, in a home of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

from support.sandbox import CLOCK, ROOT, free_port

#: Seconds until everything serves. Rasa imports TensorFlow, and a model may have to be trained first.
START_SECONDS = 400


class Served:
    """Use as a context manager. ``settings`` are variables of the environment."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home / "serve.log"
        self._env = {
            **os.environ,
            "TELLERLINE_HOME": str(home),
            "TELLERLINE_CLOCK": CLOCK,
            "TELLERLINE_RASA_PORT": str(self.port),
            "TELLERLINE_ACTION_PORT": str(free_port()),
            "TELLERLINE_SANDBOX_URL": f"http://127.0.0.1:{free_port()}",
            "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
            **settings,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Served:
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "assistant.cli", "serve"],
                cwd=ROOT,
                env=self._env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_SECONDS
        while "Serving on" not in self.log.read_text():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.__exit__(None, None, None)
                raise RuntimeError(self.log.read_text()[-3000:])
            time.sleep(0.2)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(40)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in (self.home / "logs").glob("*.log"))
