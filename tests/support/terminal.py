"""A program on a terminal of its own, driven as a person would."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import termios
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

_CONTROL = re.compile(r"\x1b\][^\x07]*\x07|\x1b[\[\]()#;?]*[0-9;?]*[A-Za-z~=>]|\x1b[=>]")
_REWRITTEN = re.compile(r"[^\n]*\r\x1b\[K")
_ASKS_CURSOR = "\x1b[6n"
_LIMIT_SECONDS = 180


class Terminal:
    """Starts ``command`` on a new pseudo-terminal, 120 columns wide; hangs up on leaving.

    ``seen`` is everything shown so far, without colors and cursor movements.
    """

    def __init__(self, command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._raw = ""
        self._from = 0
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **environment, "TERM": "xterm", "COLUMNS": "120", "LINES": "40"},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
            # Its controlling terminal: Ctrl-C is a signal there, as it is for a person.
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGHUP)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        os.close(self._ours)

    @property
    def seen(self) -> str:
        return _CONTROL.sub("", _REWRITTEN.sub("", self._raw)).replace("\r\n", "\n")

    def type(self, line: str) -> None:
        """A line and Enter; what is expected next comes after it."""
        self._from = len(self.seen)
        os.write(self._ours, line.encode() + b"\r")

    def interrupt(self) -> None:
        """Ctrl-C."""
        self._from = len(self.seen)
        os.write(self._ours, b"\x03")

    def wait_for(self, pattern: str) -> str:
        """Until the pattern shows after what was typed last; returns what was shown since then."""
        deadline = time.monotonic() + _LIMIT_SECONDS
        while not re.search(pattern, self.seen[self._from :]):
            if time.monotonic() > deadline:
                raise AssertionError(f"{pattern!r} did not show. Seen:\n{self.seen}")
            if not self._read() and self.process.poll() is not None:
                raise AssertionError(
                    f"The program ended ({self.process.returncode}) before {pattern!r}. Seen:\n{self.seen}"
                )
        return self.seen[self._from :]

    def wait_end(self) -> int:
        """The program's exit status, with everything it showed read."""
        deadline = time.monotonic() + _LIMIT_SECONDS
        while self.process.poll() is None and time.monotonic() < deadline:
            self._read()
        while self._read():
            pass
        return self.process.wait(1)

    def _read(self) -> bool:
        ready, _, _ = select.select([self._ours], [], [], 0.1)
        if not ready:
            return False
        try:
            chunk = os.read(self._ours, 65536).decode(errors="replace")
        except OSError:  # the other side is closed
            return False
        self._raw += chunk
        # A line editor asks where the cursor is and waits for the answer.
        for _ in range(chunk.count(_ASKS_CURSOR)):
            os.write(self._ours, b"\x1b[1;1R")
        return bool(chunk)
