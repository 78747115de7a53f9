"""A Tellerline of its own for a benchmark: a fresh home, free ports, the sandbox bank, one linked customer."""

from __future__ import annotations

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.cli import Plan
from assistant.processes import Processes
from assistant.settings import load_settings

ROOT = Path(__file__).resolve().parent.parent
#: The day all benchmarks stand on, so that two runs ask about the same history.
DAY = "2026-10-20T16:00:00Z"


@dataclass
class Installation:
    plan: Plan
    folder: Path
    processes: Processes

    def with_rasa_port(self, port: int) -> Plan:
        return replace(self.plan, settings=replace(self.plan.settings, rasa_port=port))


@contextmanager
def installation() -> Iterator[Installation]:
    """With the sandbox bank running. Everything is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="tellerline-bench-") as name:
        folder = Path(name)
        os.chdir(ROOT)
        os.environ |= {
            "RASA_TELEMETRY_ENABLED": "false",
            "TELLERLINE_CLOCK": DAY,
            "TELLERLINE_HOME": str(folder / "home"),
            "TELLERLINE_SANDBOX_URL": f"http://127.0.0.1:{unused_port()}",
            "TELLERLINE_ACTION_PORT": str(unused_port()),
            "TELLERLINE_RASA_PORT": str(unused_port()),
        }
        plan = Plan(load_settings(), folder / "model.tar.gz", "maya")
        plan.settings.home.mkdir(exist_ok=True)
        with Processes(folder / "logs") as processes:
            processes.start(plan.sandbox())
            yield Installation(plan, folder, processes)


def unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
