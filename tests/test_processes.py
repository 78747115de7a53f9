"""Processes: ready before use, failures told with their log, and nothing left behind, whichever way we end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from assistant.processes import Processes, Program, StartFailed, answers, free_port, is_free

ROOT = Path(__file__).resolve().parents[1]
SERVER = """
import http.server, sys
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *_): pass
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Ready).serve_forever()
"""


def server(name: str, port: int) -> Program:
    return Program(name, [sys.executable, "-c", SERVER, str(port)], f"http://127.0.0.1:{port}/")


def python(name: str, code: str, ready_url: str = "") -> Program:
    return Program(name, [sys.executable, "-c", textwrap.dedent(code)], ready_url)


def a_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(true: Callable[[], bool]) -> bool:
    """Waits for what another process does; the limit only ends a failing test."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if true():
            return True
        time.sleep(0.02)
    return False


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # One that ended and waits to be reaped by its new parent has nothing open.
    return not Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].startswith(" Z")


def test_started_means_usable_and_left_means_gone(tmp_path: Path) -> None:
    first, second = a_port(), a_port()
    with Processes(tmp_path) as processes:
        processes.start(server("one", first), server("two", second))
        assert answers(f"http://127.0.0.1:{first}/")
        assert answers(f"http://127.0.0.1:{second}/")
    assert is_free(first)
    assert is_free(second)


def test_an_error_stops_everything(tmp_path: Path) -> None:
    port = a_port()
    with pytest.raises(RuntimeError), Processes(tmp_path) as processes:
        processes.start(server("one", port))
        raise RuntimeError
    assert is_free(port)


def test_one_that_does_not_come_up_is_told_with_the_end_of_its_log(tmp_path: Path) -> None:
    broken = python("action server", "print('no module named x'); raise SystemExit(3)", f"http://127.0.0.1:{a_port()}/")
    with pytest.raises(StartFailed) as failed, Processes(tmp_path) as processes:
        processes.start(broken)
    assert "The action server stopped (exit status 3)" in str(failed.value)
    assert "no module named x" in str(failed.value)
    assert str(tmp_path / "action-server.log") in str(failed.value)


def test_one_that_will_not_stop_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assistant.processes.STOP_SECONDS", 0.2)
    told = tmp_path / "told"
    stubborn = python(
        "stubborn",
        f"""
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        open({str(told)!r}, "w").write(str(os.getpid()))
        while True: time.sleep(1)
        """,
    )
    with Processes(tmp_path) as processes:
        processes.start(stubborn)
        assert eventually(lambda: told.exists() and told.read_text() != "")
    assert not alive(int(told.read_text()))


def test_watch_ends_when_a_program_does(tmp_path: Path) -> None:
    with pytest.raises(StartFailed, match="exit status 7"), Processes(tmp_path) as processes:
        processes.start(python("short", "raise SystemExit(7)"))
        processes.watch()


def test_the_foreground_program_has_the_terminal_and_its_status_comes_back(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = "import sys; print('to the person'); print('to the log', file=sys.stderr); sys.exit(4)"
    talk = python("assistant", code)
    with Processes(tmp_path) as processes:
        assert processes.foreground(talk) == 4
        assert "to the log" in processes.tail(talk)
    shown = capfd.readouterr()
    assert shown.out == "to the person\n"
    assert shown.err == ""


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGKILL])
def test_nothing_outlives_us(tmp_path: Path, end: signal.Signals) -> None:
    """Asked to stop, hung up on, interrupted, or killed outright."""
    port, ready = a_port(), tmp_path / "ready"
    code = f"""
        import sys
        from pathlib import Path
        from assistant.processes import Processes, Program
        server = Program("one", [sys.executable, "-c", {SERVER!r}, "{port}"], "http://127.0.0.1:{port}/")
        with Processes(Path({str(tmp_path)!r})) as processes:
            processes.start(server)
            Path({str(ready)!r}).touch()
            processes.watch()
    """
    ours = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        assert eventually(ready.exists)
        assert answers(f"http://127.0.0.1:{port}/")
        ours.send_signal(end)
        ours.wait(30)
        assert eventually(lambda: is_free(port))
    finally:
        ours.kill()
        ours.wait()


def test_a_taken_port_is_said_and_another_used(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        found = free_port(port, "action server")
    assert found != port
    assert capsys.readouterr().out == f"Port {port} is taken; the action server uses {found}.\n"


def test_a_free_port_is_used_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    port = a_port()
    assert free_port(port, "assistant") == port
    assert free_port(port, "assistant", avoid=(port,)) != port
    assert "is taken" in capsys.readouterr().out


def test_nobody_there_is_no_answer() -> None:
    assert not answers(f"http://127.0.0.1:{a_port()}/")
    assert not answers("http://")
