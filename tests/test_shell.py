"""`tellerline shell` as a person meets it: one command, a question, a true answer, and nothing left behind."""

from __future__ import annotations

import json
import re
import socket
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.terminal import Terminal

from assistant.processes import is_free

ROOT = Path(__file__).resolve().parents[1]
CLOCK = "2026-03-15T16:00:00Z"

pytestmark = [pytest.mark.slow, pytest.mark.conversation, pytest.mark.timeout(600)]


def test_a_conversation_in_the_shell(tmp_path: Path) -> None:
    with socket.socket() as taken:  # whoever has Rasa's port already is told about and left alone
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        environment = {"TELLERLINE_HOME": str(tmp_path), "TELLERLINE_CLOCK": CLOCK, "TELLERLINE_RASA_PORT": str(port)}
        command = [sys.executable, "-m", "assistant.cli", "shell", "--customer", "rivera"]
        with Terminal(command, ROOT, environment) as terminal:
            started = terminal.wait_for("Your input ->")
            assert f"Port {port} is taken; the assistant uses " in started
            assert "Warning" not in started

            terminal.type("what do I owe on my mortgage")
            answer = terminal.wait_for(r"(?s)You owe \$.*Your input ->")
            assert re.search(r"You owe \$\d{2,3},\d{3}\.\d{2} on ", answer)

            terminal.type("and how do I split an atom")
            terminal.wait_for(r"(?s)I can't help with that.*Your input ->")

            terminal.interrupt()
            assert terminal.wait_end() in {0, 130}
            assert "Traceback" not in terminal.seen

    endpoints = json.loads((tmp_path / "endpoints.yml").read_text())
    assert is_free(urlsplit(endpoints["action_endpoint"]["url"]).port or 0)
    logs = "".join(log.read_text(errors="replace") for log in (tmp_path / "logs").glob("*.log"))
    assert "owe on my mortgage" not in logs
    assert endpoints["action_endpoint"]["headers"]["X-Tellerline-Secret"] not in logs
