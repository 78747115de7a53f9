"""How the sandbox starts: what it says, where it listens, that it stays quiet."""

from __future__ import annotations

import socket
import subprocess
import sys

import requests
from support.sandbox import ROOT, SandboxProcess, free_port


def test_one_line_on_loopback_and_nothing_per_request() -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "assistant.sandbox", "--port", str(port)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = f"http://127.0.0.1:{port}"
        assert requests.get(f"{url}/", timeout=10).status_code == 200
        assert requests.get(f"{url}/fdx/v6/accounts", timeout=10).status_code == 400
        closed = requests.post(f"{url}/_sandbox/faults", json={}, headers={"X-Sandbox-Key": ""}, timeout=10)
        assert closed.status_code == 404, "without --admin-key the test API is off"
        assert "Access-Control-Allow-Origin" not in closed.headers
    finally:
        process.terminate()
        rest, errors = process.communicate(timeout=20)
    assert "no real money" in line
    assert url in line
    assert (rest, errors) == ("", "")


def test_a_taken_port_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "assistant.sandbox", "--port", str(port)],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stdout == ""
    assert ended.stderr.strip() == f"The sandbox bank can't listen on 127.0.0.1:{port}: Address already in use"


def test_nonsense_gets_an_answer_and_no_stack_trace(sandbox: SandboxProcess) -> None:
    for body in (b"", b"\xff\xfe", b"client_id=tellerline-dev&grant_type=\xff", b"{}", b"%ED%A0%80=%00"):
        for kind in ("application/x-www-form-urlencoded", "application/json", "multipart/form-data; boundary=x"):
            for path in ("oauth/token", "oauth/par", "oauth/login", "oauth/consent"):
                answer = requests.post(f"{sandbox.url}/{path}", data=body, headers={"Content-Type": kind}, timeout=10)
                assert answer.status_code in {400, 401}
                assert "Traceback" not in answer.text
    for path in (
        "fdx",
        "fdx/",
        "fdx/v6/accounts/%00",
        "fdx/v6/accounts/%FF/transactions",
        "oauth/authorize?client_id=%FF",
    ):
        answer = requests.get(f"{sandbox.url}/{path}", timeout=10)
        assert 400 <= answer.status_code <= 501
        assert answer.status_code != 500
        assert "Traceback" not in answer.text
