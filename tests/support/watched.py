"""The whole assistant as processes of their own, started as `tellerline serve` starts them, at debug level, with
every socket watched, every folder they may write to known, and a customer in whose data every name is unmistakable."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
from support.assistant import model
from support.canary_bank import LOGIN
from support.sandbox import CLOCK, PATIENCE, ROOT, START_PATIENCE, SandboxProcess, free_port

from assistant.connectors.tokens import TokenSet
from assistant.customers.demo import ensure_demo_customer
from assistant.customers.service import Customers, open_customers
from assistant.settings import load_settings

_SECRET = "watched-" + "w" * 32
_RECORDER = Path(__file__).with_name("recorder")
_ADDRESS = re.compile(
    r"sa_family=AF_INET6?, sin6?_port=htons\((\d+)\).*?(?:inet_addr\(\"|inet_pton\(AF_INET6, \")([^\"]+)\""
)


class CanaryBank(SandboxProcess):
    program = (str(Path(__file__).with_name("canary_bank.py")),)


@dataclass(frozen=True)
class Seen:
    """What the processes did with sockets: (address, port) they connected to, names they looked up."""

    connected: frozenset[tuple[str, int]]
    looked_up: frozenset[str]
    by_kernel: bool


class WatchedAssistant:
    """Use as a context manager. Everything it writes is under ``folder``, and in the database of ``settings`` if they
    name another."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.started_at = time.time()
        self.bank = CanaryBank(clock=CLOCK)
        self.action_port, self.rasa_port = free_port(), free_port()
        self.replies: list[str] = []
        self.tokens: list[TokenSet] = []
        self.asked_without_consent: list[dict[str, str]] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        for name in ("home/logs", "user", "tmp", "watch"):
            (folder / name).mkdir(parents=True)
        self.env = {
            "HOME": str(folder / "user"),
            "TMPDIR": str(folder / "tmp"),
            "PYTHONPATH": str(_RECORDER),
            "SOCKET_RECORD": str(folder / "watch" / "python"),
            "RASA_TELEMETRY_ENABLED": "false",
            "TELLERLINE_HOME": str(self.home),
            "TELLERLINE_CLOCK": CLOCK,
            "TELLERLINE_CACHE_SECONDS": "0",
            "TELLERLINE_SANDBOX_URL": self.bank.url,
            "TELLERLINE_ACTION_SECRET": _SECRET,
            "TELLERLINE_PUBLIC_URL": self.url,
            "TELLERLINE_MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
            "TELLERLINE_DEMO_CUSTOMER": LOGIN,
            "LOG_LEVEL": "DEBUG",
            "LOG_LEVEL_LIBRARIES": "DEBUG",
            **settings,
        }

    def __enter__(self) -> WatchedAssistant:
        try:
            self._start_all()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def _start_all(self) -> None:
        self.bank.start()
        self.settings = load_settings(self.env)
        self.customer_id = ensure_demo_customer(self.settings, LOGIN)
        endpoints, credentials = self.folder / "home" / "endpoints.yml", self.folder / "home" / "credentials.yml"
        endpoints.write_text(
            json.dumps(
                {
                    "action_endpoint": {
                        "url": f"http://127.0.0.1:{self.action_port}/webhook",
                        "headers": {"X-Tellerline-Secret": _SECRET},
                    },
                    "tracker_store": {"type": "assistant.storage.tracker_store.TellerlineTrackerStore"},
                }
            )
        )
        credentials.write_text("rest:\nassistant.channels.pages.HostedPages:\n")
        self._start("action-server", "rasa_sdk", "--actions", "actions", "--port", str(self.action_port), "--debug")
        self._start(
            "assistant", "rasa", "run", "--debug", "--interface", "127.0.0.1", "--port", str(self.rasa_port),
            "--model", str(shutil.copy(model(), self.folder)), "--endpoints", str(endpoints),
            "--credentials", str(credentials),
        )  # fmt: skip
        self._wait(f"http://127.0.0.1:{self.action_port}/health")
        self._wait(f"http://127.0.0.1:{self.rasa_port}/")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        self.bank.stop()

    @property
    def url(self) -> str:
        """Where its pages are."""
        return f"http://127.0.0.1:{self.rasa_port}"

    @property
    def customers(self) -> Customers:
        return open_customers(self.settings)

    def say(self, text: str, sender: str = "somebody") -> str:
        """A turn over Rasa's REST channel: what the customer is told."""
        answer = requests.post(
            f"http://127.0.0.1:{self.rasa_port}/webhooks/rest/webhook",
            json={"sender": sender, "message": text},
            timeout=2 * PATIENCE,
        )
        answer.raise_for_status()
        told = "\n".join(str(one.get("text", "")) for one in answer.json())
        self.replies.append(told)
        return told

    def act(self, body: object) -> requests.Response:
        """A call to the action server, as Rasa makes them, or as it never would."""
        url = f"http://127.0.0.1:{self.action_port}/webhook"
        data = body if isinstance(body, str) else json.dumps(body)
        return requests.post(url, data=data, headers={"X-Tellerline-Secret": _SECRET}, timeout=PATIENCE)

    def logs(self) -> dict[str, str]:
        return {path.name: path.read_text(errors="replace") for path in (self.home / "logs").glob("*.log")}

    def stop(self) -> None:
        for process in self._processes:
            os.killpg(process.pid, signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        self._processes.clear()

    def seen(self) -> Seen:
        connected: set[tuple[str, int]] = set()
        names: set[str] = set()
        for line in (self.folder / "watch" / "python").read_text().splitlines():
            what, host, port = line.split("\t")
            if what == "connect":
                connected.add((host, int(port)))
            elif what == "lookup":
                names.add(host)
        kernel = list((self.folder / "watch").glob("kernel-*"))
        for path in kernel:
            connected |= {(found[2], int(found[1])) for found in _ADDRESS.finditer(path.read_text(errors="replace"))}
        return Seen(frozenset(connected), frozenset(names), bool(kernel))

    def _start(self, name: str, *arguments: str) -> None:
        command = [*self._kernel_watch(name), sys.executable, "-m", "assistant.guarded", *arguments]
        with (self.home / "logs" / f"{name}.log").open("wb") as log:
            self._processes.append(
                subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env={**os.environ, **self.env},
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    stdin=subprocess.DEVNULL,
                    start_new_session=True,
                )
            )

    def _kernel_watch(self, name: str) -> list[str]:
        """strace, where it can be had: then the kernel tells, and nothing in the process can hide from it."""
        strace = shutil.which("strace")
        if strace is None:
            return []
        watch = [strace, "-f", "--seccomp-bpf", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-s", "0"]
        tried: Any = subprocess.run([*watch, "-o", "/dev/null", "true"], capture_output=True, timeout=20)
        return [*watch, "-o", str(self.folder / "watch" / f"kernel-{name}")] if tried.returncode == 0 else []

    def _wait(self, url: str) -> None:
        deadline = time.monotonic() + 2 * START_PATIENCE
        while time.monotonic() < deadline:
            for process in self._processes:
                if process.poll() is not None:
                    raise RuntimeError("\n".join(self.logs().values())[-4000:])
            try:
                if requests.get(url, timeout=PATIENCE).ok:
                    return
            except requests.RequestException:
                time.sleep(0.2)
        raise TimeoutError("\n".join(self.logs().values())[-4000:])
