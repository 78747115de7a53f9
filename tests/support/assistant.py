"""The whole assistant for a test: a real sandbox bank, a real action server, and Rasa with the trained model."""

from __future__ import annotations

import asyncio
import base64
import os
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any

import requests
from support.sandbox import CLOCK, PATIENCE, ROOT, START_PATIENCE, SandboxProcess, free_port

os.environ["RASA_TELEMETRY_ENABLED"] = "false"

_SECRET = "conversation-tests-" + "s" * 32
_senders = count(1)


def model() -> Path:
    """The newest trained model; `make train` makes it."""
    models = sorted((ROOT / "models").glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    if not models:
        raise RuntimeError("no model in models/; make train makes it")
    return models[-1]


class ActionServer:
    """`rasa run actions` as a process of its own."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = log
        with log.open("wb") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "rasa_sdk", "--actions", "actions", "-p", str(self.port)],
                cwd=ROOT,
                env={**os.environ, **env},
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_PATIENCE
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise RuntimeError(log.read_text())
            try:
                if requests.get(f"{self.url}/health", timeout=PATIENCE).ok:
                    return
            except requests.RequestException:
                time.sleep(0.1)
        raise TimeoutError(log.read_text())

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Assistant:
    """Everything started and linked; ``talk`` opens a conversation of one demo customer. ``home`` is its var/."""

    def __init__(self, home: Path, customers: tuple[str, ...] = ("maya", "jordan", "rivera", "alex")) -> None:
        self.home = home
        self.bank = SandboxProcess(clock=CLOCK)
        self.bank.start()
        self.env = {
            "TELLERLINE_HOME": str(home),
            "TELLERLINE_CLOCK": CLOCK,
            "TELLERLINE_SANDBOX_URL": self.bank.url,
            "TELLERLINE_ACTION_SECRET": _SECRET,
            "TELLERLINE_MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
        }
        self._before = {name: os.environ.get(name) for name in self.env}
        os.environ.update(self.env)
        from assistant.customers.service import open_customers
        from assistant.settings import load_settings

        self.settings = load_settings()
        self.customers = open_customers(self.settings)
        self.demo = {login: self.link(login) for login in customers}
        self._loop = asyncio.new_event_loop()
        self.start_actions()

    def link(self, login: str) -> str:
        """The id of this demo customer, linked (again where the bank has ended it)."""
        from assistant.customers.demo import ensure_demo_customer

        return ensure_demo_customer(self.settings, login)

    def start_actions(self) -> None:
        """Start the action server, again too."""
        import structlog

        # Left alone, Rasa's logger writes out each turn in full, which takes longer than the turn.
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(30))
        self.actions = ActionServer(self.env, self.home / "actions.log")
        self.load(model())

    def load(self, trained: Path) -> None:
        """Answer with this model from now on."""
        from rasa.core.agent import Agent
        from rasa.utils.endpoints import EndpointConfig

        from assistant.storage.tracker_store import TellerlineTrackerStore

        endpoint = EndpointConfig(
            f"{self.actions.url}/webhook", headers={"X-Tellerline-Secret": _SECRET}, enable_selective_domain=True
        )
        store = TellerlineTrackerStore(None, settings=self.settings)
        self.agent = Agent.load(str(trained), action_endpoint=endpoint, tracker_store=store)

    @property
    def secret(self) -> str:
        return _SECRET

    def talk(self, login: str, *, channel: str = "cmdline", fresh: bool = False) -> Callable[[str], str]:
        """A new conversation: call it with what the customer says, get what she is told.

        With ``fresh`` nothing that the bank said before is remembered, so the bank is asked.
        """
        sender = self.conversation(login, channel)
        if fresh:
            self.restart_actions()
        return lambda text: self.said(text, sender, channel)

    def conversation(self, login: str, channel: str = "cmdline") -> str:
        """The id of a new conversation of one demo customer."""
        sender = f"test-{next(_senders)}"
        self.customers.identities.bind_demo(channel, sender, self.demo[login])
        return sender

    def said(self, text: str, sender: str, channel: str = "cmdline") -> str:
        """What is answered in this conversation, as one text."""
        return "\n".join(str(one.get("text", "")) for one in self.messages(text, sender, channel))

    def reset_consents(self, login: str) -> None:
        """What a demo customer agreed to at the start is agreed to again, and nothing else."""
        from assistant.customers.demo import BANK_ID, CHANNELS, PURPOSES

        consents, customer = self.customers.consents, self.demo[login]
        live = [(one.channel, one.purpose) for one in consents.in_force(customer)]
        more = {purpose for _, purpose in live if purpose not in PURPOSES}
        if more:
            consents.withdraw(customer, more)
        for channel in CHANNELS:
            missing = [purpose for purpose in PURPOSES if (channel, purpose) not in live]
            if missing:
                consents.grant(customer, BANK_ID, channel, missing)

    def restart_actions(self, **env: str) -> None:
        """With these variables too, from now on."""
        self.actions.stop()
        self.env.update(env)
        self.start_actions()

    def messages(self, text: str, sender: str, channel: str = "cmdline") -> list[dict[str, Any]]:
        from rasa.core.channels.channel import CollectingOutputChannel, UserMessage

        output = CollectingOutputChannel()
        message = UserMessage(text, output, sender, input_channel=channel)
        self._loop.run_until_complete(self.agent.handle_message(message))
        return list(output.messages)

    def parse(self, text: str) -> dict[str, Any]:
        """What Rasa understands."""
        return dict(self._loop.run_until_complete(self.agent.parse_message(text)))

    def close(self) -> None:
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        self.actions.stop()
        self.bank.stop()
        self._loop.close()

    def __enter__(self) -> Assistant:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
