"""Telling the person at the terminal what is going on, and that it still is."""

from __future__ import annotations

import sys
import time
from types import TracebackType


class Step:
    """One step of starting up: a line that shows the seconds on a terminal, a start and an end elsewhere.

    Call ``tick`` while waiting. Leaving the block says how it went; an exception ends the line and goes on.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self._terminal = sys.stdout.isatty()
        self._started = self._told = time.monotonic()

    def __enter__(self) -> Step:
        self._started = self._told = time.monotonic()
        self._write(f"{self._title} ...")
        return self

    def tick(self) -> None:
        """Show that time passes: every second on a terminal, every ten elsewhere."""
        now = time.monotonic()
        if now - self._told >= (1 if self._terminal else 10):
            self._told = now
            self._write(f"{self._title} ... {now - self._started:.0f} s")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None:
            self._write(f"{self._title} ... failed", end="\n")
        else:
            self._write(f"{self._title} ... done ({time.monotonic() - self._started:.1f} s)", end="\n")

    def _write(self, line: str, end: str = "") -> None:
        if self._terminal:
            print(f"\r\033[K{line}", end=end, flush=True)
        else:
            print(line, flush=True)
