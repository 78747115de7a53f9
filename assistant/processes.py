"""The processes that make up a running assistant: started in order, watched, and stopped together."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from assistant.progress import Step

#: How long a process may take to answer for the first time. TensorFlow alone, which Rasa imports, takes
#: many seconds on a cold disk.
START_SECONDS = 180
#: How long a process may take to finish what it is doing when told to stop.
STOP_SECONDS = 10
_TAIL_LINES = 15
_PR_SET_PDEATHSIG = 1


class StartFailed(Exception):
    """A process that did not come up. The message holds the end of its log, for the person at the terminal."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run. ``ready_url`` answers 200 once it can be used; "" means at once.

    ``name`` is what people are told and, in lower case with dashes, the name of the log.
    """

    name: str
    command: Sequence[str]
    ready_url: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)


class Processes:
    """Runs programs until the block is left, whichever way: an end, an error, Ctrl-C, SIGTERM, a closed terminal.

    Should this process be killed outright, Linux stops the programs for it.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: list[tuple[Program, subprocess.Popen[bytes]]] = []
        self._before: dict[int, signal.Handlers | int | Callable[..., object] | None] = {}

    def __enter__(self) -> Processes:
        self._logs.mkdir(parents=True, exist_ok=True)
        for number in (signal.SIGTERM, signal.SIGHUP):
            self._before[number] = signal.signal(number, _leave)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            for number, handler in self._before.items():
                signal.signal(number, handler)

    def log_of(self, program: Program) -> Path:
        return self._logs / f"{program.name.lower().replace(' ', '-')}.log"

    def start(self, *programs: Program) -> None:
        """Start them side by side and return when all can be used. Raises StartFailed."""
        started = [(program, self._spawn(program)) for program in programs]
        for program, process in started:
            with Step(f"Starting the {program.name}") as step:
                self._wait_ready(program, process, step)

    def foreground(self, program: Program) -> int:
        """Run with the terminal for its own, its complaints in the log; returns its exit status.

        Until it answers at ``ready_url`` the seconds are counted. Ctrl-C is its business as long as it runs.
        """
        interrupt = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            with self.log_of(program).open("wb") as log:
                process = subprocess.Popen(
                    program.command,
                    env={**os.environ, **program.environment},
                    stderr=log,
                    preexec_fn=_dies_with(os.getpid(), restore_interrupt=True),
                )
            self._running.append((program, process))
            self._count_until_ready(program, process)
            return process.wait()
        finally:
            signal.signal(signal.SIGINT, interrupt)

    @staticmethod
    def _count_until_ready(program: Program, process: subprocess.Popen[bytes]) -> None:
        """The program writes to the same terminal: the cursor is left where its first line covers the count."""
        if not program.ready_url:
            return
        title = f"Loading the {program.name} ..."
        started = time.monotonic()
        print(title, end="\r" if sys.stdout.isatty() else "\n", flush=True)
        while process.poll() is None and not answers(program.ready_url):
            if sys.stdout.isatty():
                print(f"{title} {time.monotonic() - started:.0f} s", end="\r", flush=True)
            time.sleep(0.2)

    def watch(self) -> None:
        """Return never, unless a program ends: then raise StartFailed with what it said."""
        while True:
            for program, process in self._running:
                if process.poll() is not None:
                    raise StartFailed(self._obituary(program, process))
            time.sleep(0.5)

    def stop(self) -> None:
        """The last started first; politely, then not."""
        alive = [process for _, process in reversed(self._running) if process.poll() is None]
        for process in alive:
            _signal_group(process, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        for process in alive:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal_group(process, signal.SIGKILL)
                process.wait()
        self._running.clear()

    def tail(self, program: Program) -> str:
        """The end of a program's log."""
        with contextlib.suppress(FileNotFoundError):
            lines = self.log_of(program).read_text(errors="replace").splitlines()
            return "\n".join(f"  {line}" for line in lines[-_TAIL_LINES:])
        return ""

    def _spawn(self, program: Program) -> subprocess.Popen[bytes]:
        with self.log_of(program).open("wb") as log:
            process = subprocess.Popen(
                program.command,
                env={**os.environ, **program.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Its own session: Ctrl-C at the terminal reaches us alone, and we stop things in order.
                start_new_session=True,
                preexec_fn=_dies_with(os.getpid()),
            )
        self._running.append((program, process))
        return process

    def _wait_ready(self, program: Program, process: subprocess.Popen[bytes], step: Step) -> None:
        deadline = time.monotonic() + START_SECONDS
        while program.ready_url and not answers(program.ready_url):
            if process.poll() is not None:
                raise StartFailed(self._obituary(program, process))
            if time.monotonic() > deadline:
                raise StartFailed(
                    f"The {program.name} did not answer within {START_SECONDS} s. "
                    f"The end of {self.log_of(program)}:\n{self.tail(program)}"
                )
            step.tick()
            time.sleep(0.1)

    def _obituary(self, program: Program, process: subprocess.Popen[bytes]) -> str:
        return (
            f"The {program.name} stopped (exit status {process.returncode}). "
            f"The end of {self.log_of(program)}:\n{self.tail(program)}"
        )


def answers(url: str, timeout: float = 2.0) -> bool:
    """Whether a GET of this loopback URL is answered with 200."""
    # A proxy set in the environment has no business between two processes of one machine.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=timeout) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError, ValueError):
        return False


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port(wanted: int, purpose: str, avoid: Sequence[int] = ()) -> int:
    """``wanted`` when it is free, else another, said aloud."""
    if wanted not in avoid and is_free(wanted):
        return wanted
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found = int(probe.getsockname()[1])
    print(f"Port {wanted} is taken; the {purpose} uses {found}.", flush=True)
    return found


def _leave(number: int, _frame: object) -> None:
    """As an exception, so that every block is left in order."""
    raise SystemExit(128 + number)


def _signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)


def _dies_with(parent: int, restore_interrupt: bool = False) -> Callable[[], None]:
    """Between fork and exec: have Linux end this program when its parent ends, even by kill -9 (prctl(2))."""
    libc = ctypes.CDLL(None, use_errno=True)

    def prepare() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)
        if restore_interrupt:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    return prepare
