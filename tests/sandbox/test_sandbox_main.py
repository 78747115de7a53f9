"""How the sandbox starts: what it says, where it listens, that it stays quiet."""

from __future__ import annotations

import subprocess
import sys

import requests
from support.sandbox import ROOT, free_port


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
