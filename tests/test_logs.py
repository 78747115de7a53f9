"""Every line a process logs is redacted, and what a customer said is in none of them."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import structlog

from assistant import logs
from assistant.redact import WITHHELD

ROOT = Path(__file__).resolve().parent.parent
CARD = "4111 1111 1111 1111"


class Kept(logging.Handler):
    """What a handler gets to write."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.lines.append(self.format(record))


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    """Redaction installed for one test, and a handler that was added afterwards."""
    for owner, name in (
        (logging.Logger, "handle"),
        (structlog, "configure"),
        (sys, "excepthook"),
        (threading, "excepthook"),
        (warnings, "showwarning"),
        (logs, "_redactor"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    before = structlog.get_config()
    structlog.configure(processors=list(before["processors"]))
    monkeypatch.setattr(logs, "_redactor", logs.Redactor())
    logs.install_redaction()
    handler = Kept()
    root = logging.getLogger()
    root.addHandler(handler)
    level = root.level
    root.setLevel(logging.DEBUG)
    yield handler
    root.setLevel(level)
    root.removeHandler(handler)
    structlog.configure(**before)


def test_message_and_arguments(kept: Kept) -> None:
    logger = logging.getLogger("assistant.connectors.fdx")
    logger.warning("card %s refused, %d of %d", CARD, 2, 3)
    logger.warning("mapping %(who)s", {"who": "maya@example.com"})
    logger.warning(b"card 4111111111111111")  # type: ignore[arg-type]
    logger.warning("%d", "no number")
    assert kept.lines == [
        "card [card] refused, 2 of 3",
        "mapping [email]",
        "card [card]",
        "[withheld: TypeError while formatting it]",
    ]


def test_extra_fields(kept: Kept) -> None:
    extra = {"request": "GET http://h/cb?code=abc", "status": 200, "byte": 12345678, "paid": Decimal("12.30")}
    logging.getLogger("sanic.access").info("", extra=extra)
    record = vars(kept.records[0])
    assert (record["request"], record["status"], record["byte"]) == ("GET http://h/cb?[query]", 200, 12345678)
    logging.getLogger("sanic.access").info("", extra={"request": {"cookie": "session=s3cr3t", "card": CARD}})
    assert "s3cr3t" not in vars(kept.records[1])["request"]
    assert "4111" not in vars(kept.records[1])["request"]


def test_a_traceback(kept: Kept) -> None:
    said = "I paid Bob"
    try:
        raise KeyError(said)
    except KeyError:
        logging.getLogger("actions.turn").exception("turn failed")
    assert kept.lines[0].startswith("turn failed\nTraceback")
    assert kept.lines[0].endswith(f"KeyError: {WITHHELD}")
    assert kept.records[0].exc_info is None


def test_names_learned_later(kept: Kept) -> None:
    logs.install_redaction(["Maya Torres"])
    logging.getLogger("assistant").warning("torres is here")
    assert kept.lines == ["[name] is here"]


def test_installing_twice_redacts_once(kept: Kept) -> None:
    logs.install_redaction()
    processors = structlog.get_config()["processors"]
    assert len([step for step in processors if step is logs._only_what_may_be_said]) == 1
    logging.getLogger("assistant").warning("once")
    assert kept.lines == ["once"]


@pytest.mark.parametrize("name", sorted(logs.WIRE))
def test_what_went_over_the_wire_is_withheld(kept: Kept, name: str) -> None:
    logger = logging.getLogger(f"{name}.something")
    level = logger.level
    logger.setLevel(logging.DEBUG)
    logger.debug('https://api2.chase.com:443 "GET /accounts/8fd3 HTTP/1.1" 200 None')
    logger.info("INSERT INTO notes VALUES ('I paid Bob')")
    logger.warning("Connection pool is full")
    logger.setLevel(level)
    assert kept.lines == [WITHHELD, WITHHELD, "Connection pool is full"]


@pytest.mark.parametrize(
    ("said", "kept_part"),
    [
        ("Validating extracted slots: {'merchant': 'Whole Foods'}", "Validating extracted slots: [withheld]"),
        (
            "Failed to execute custom action 'a' as a result of error 'Whole Foods'. The",
            "custom action [withheld]",
        ),
        ("resulted in these events: SlotSet(merchant: Whole Foods)", "resulted in these events: [withheld]"),
        ("Contents of ignored event: '{'name': 'Whole Foods'}'", "Contents of ignored event: [withheld]"),
        ("Exception occurred during execution of request <Request: POST /Whole Foods>", "of request [withheld]"),
        ("Failed to parse 'at Whole Foods'. Continuing", "Failed to parse [withheld]"),
        ("[state 1] slots: {'merchant': (1.0, 'Whole Foods')}", "[withheld]"),
        ("Current state:\nWhole Foods", "Current state:[withheld]"),
    ],
)
def test_rasa_speaks_of_steps_and_not_of_contents(kept: Kept, said: str, kept_part: str) -> None:
    logging.getLogger("rasa.core.processor").debug(said)
    assert kept_part in kept.lines[0]
    assert "Whole" not in kept.lines[0]


def test_rasa_steps_stay_readable(kept: Kept) -> None:
    lines = [
        "Predicted next action 'action_listen' with confidence 1.00.",
        "Connected to 'TellerlineTrackerStore', running 'run_assistant.nlu.entities0'.",
        f"Acquired lock for conversation '{'5d41402abc4b2a76' * 2}'.",
    ]
    for line in lines:
        logging.getLogger("rasa.core.processor").debug(line)
    assert kept.lines == lines


def test_a_lost_task_does_not_show_what_it_worked_on(kept: Kept) -> None:
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: <Task exception=ValueError('Bob')>")
    assert kept.lines == ["Task exception was never retrieved"]


def test_a_warning_that_quotes(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    warnings.showwarning("Failed to parse 'I paid Bob'. Continuing without Bob", UserWarning, "reader.py", 12)
    warnings.showwarning("'imp' is deprecated, see #12345678", DeprecationWarning, "old.py", 1)
    assert capsys.readouterr().err.splitlines() == [
        "reader.py:12: UserWarning: Failed to parse [withheld]",
        "old.py:1: DeprecationWarning: 'imp' is deprecated, see #[number]",
    ]


def test_an_error_nobody_caught(kept: Kept, capsys: pytest.CaptureFixture[str]) -> None:
    sys.excepthook(ValueError, ValueError("I paid Bob"), None)
    thread = threading.Thread(target=lambda: {}["I paid" + " Bob"], name="worker")
    thread.start()
    thread.join()
    shown = capsys.readouterr().err
    assert "ValueError: [withheld]" in shown
    assert "KeyError: [withheld]" in shown
    assert "I paid Bob" not in shown


RASA = """
import logging, sys
from rasa.utils.log_utils import configure_structlog
import rasa.core.processor as processor
import rasa.core.channels.rest as rest

configure_structlog(logging.DEBUG)
processor.structlogger.debug("warm.up")  # cached from here on, with the processors of this moment
from assistant.logs import install_redaction
install_redaction()
said = " ".join(["canary", "went", "to", "Whole", "Foods"])

def speak():
    processor.structlogger.debug("processor.message.parse", parse_data_text=said, parse_data_entities=[{"value": said}])
    processor.structlogger.debug("processor.slots.log", slot_values=f"merchant: {said}")
    processor.structlogger.debug("processor.actions.log", action_name="action_listen", rasa_events=[said])
    processor.structlogger.debug("a.step.added.in.some.later.version", anything=said)
    try:
        raise ValueError(said)
    except ValueError:
        rest.structlogger.exception("rest.message.received.failure", text=said)
        processor.logger.exception("Encountered an exception while running action 'action_listen'.")

speak()
configure_structlog(logging.DEBUG)
rest.structlogger = __import__("structlog").get_logger("rasa.core.channels.rest")
speak()
"""


@pytest.mark.slow
def test_rasas_own_debug_lines_hold_nothing_the_customer_said() -> None:
    """With Rasa's own loggers and its own configuration, before and after ours."""
    done = subprocess.run(
        [sys.executable, "-c", RASA],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "RASA_TELEMETRY_ENABLED": "false", "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    written = done.stdout + done.stderr
    assert "canary" not in written
    assert "Whole" not in written
    assert written.count('"event": "processor.message.parse"') == 2
    assert written.count('"action_name": "action_listen"') == 2
    assert "ValueError: [withheld]" in written
