"""Every log line of this process goes through the redactor, whoever writes it and whichever handler keeps it.

The seam is ``logging.Logger.handle``: all records pass it with their extra fields, before any filter or
handler, those added later by Rasa or Sanic included. What libraries log about a conversation is withheld
by rule, because no pattern knows a sentence from a status: Rasa writes messages, slots and events, HTTP and
database libraries write what went over the wire.
"""

from __future__ import annotations

import logging
import re
import sys
import threading
import warnings
from collections.abc import Iterable, MutableMapping
from types import TracebackType
from typing import Any, TextIO

import structlog

from assistant.redact import WITHHELD, Redactor

#: Libraries whose lines below WARNING are what they sent and received.
WIRE = frozenset({
    "aio_pika", "aiogram", "aiohttp", "aiormq", "amqp", "authlib", "boto3", "botocore", "celery", "confluent_kafka",
    "engineio", "kombu", "pymongo", "redis", "requests", "requests_oauthlib", "slack_sdk", "socketio", "sqlalchemy",
    "twilio", "urllib3", "websockets",
})  # fmt: skip
#: What Rasa's structured lines may say: which step, never with what.
SAID_BY_RASA = frozenset({
    "action_extract_slot", "action_name", "event", "event_key", "exception", "exc_info", "filename", "key",
    "len_extraction_events", "level", "logger", "placeholder_key", "timestamp", "topic",
})  # fmt: skip
_ABOUT_CONVERSATIONS = frozenset({"rasa", "rasa_sdk"})
#: Rasa's plain lines end where contents may begin: at a quotation, unless it is the name of a part of the bot, at a
#: structure, at a second line, and after these words.
_CONTENTS = re.compile(
    r"(?P<part>(?<!\w)(?P<quote>['\"`])(?:[\w.]{0,80}_[\w.]{0,80}|[A-Z][a-z]+[A-Z]\w{0,80}|[0-9a-f]{32,64})(?P=quote))"
    r"|(?P<lead>\b[Ee]rror(?: message)?:? (?=['\"])|\b[Ee]rror: |\b[Rr]esponse(?: was)?: |\b[Rr]equest body is "
    r"|\bslots?: |\bParameters: |\bevents?: |\bexecution of request )"
    r"|[\[{<\n]|(?<!\w)['\"`]"
)
#: Warnings to programmers. The others can quote a text that could not be read, as Rasa's and spaCy's do.
_ABOUT_CODE = (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ImportWarning, SyntaxWarning)
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

_redactor = Redactor()
_handle = logging.Logger.handle
_configure = structlog.configure


class _Sifted(str):
    """A structured line of Rasa's that holds only what it may say."""


def install_redaction(names: Iterable[str] = ()) -> Redactor:
    """From now on. ``names`` of customers are taken out too; the redactor returned can learn more."""
    _redactor.know(*names)
    logging.Logger.handle = _handle_redacted  # type: ignore[method-assign]
    structlog.configure = _configure_sifted
    _sift(structlog.get_config()["processors"])
    sys.excepthook = _report
    threading.excepthook = _report_thread
    warnings.showwarning = _warn
    return _redactor


def clean(record: logging.LogRecord) -> None:
    """Redacts a record in place: message with arguments, traceback, stack, and extra fields."""
    record.msg = _message(record)
    record.args = None
    if record.exc_info:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        record.exc_text = _redactor.error(error) if error else None
        record.exc_info = None
    for name, value in vars(record).items():
        if name not in _STANDARD and not isinstance(value, (bool, int, float, type(None))):
            setattr(record, name, _redactor.text(value if isinstance(value, (str, bytes)) else _shown(value)))


def _message(record: logging.LogRecord) -> str:
    library = record.name.partition(".")[0]
    if library in WIRE and record.levelno < logging.WARNING:
        return WITHHELD
    try:
        message = record.getMessage()
    except Exception as error:  # A wrong number of arguments, a broken __str__.
        return f"[withheld: {type(error).__name__} while formatting it]"
    if isinstance(record.msg, bytes):
        message = record.msg.decode("utf-8", "backslashreplace")
    if library in _ABOUT_CONVERSATIONS and not isinstance(record.msg, _Sifted):
        message = _without_contents(message)
    elif library == "asyncio":
        message = _without_contents(message.partition("\n")[0])  # a task shows its exception and arguments
    return _redactor.text(message)


def _without_contents(message: str) -> str:
    """Up to the first thing that may not stay: what follows it often says it again, in other words."""
    for found in _CONTENTS.finditer(message):
        if not found["part"]:
            return message[: found.start()] + (found["lead"] or "") + WITHHELD
    return message


def _shown(value: object) -> str:
    try:
        return str(value)
    except Exception as error:  # A broken __str__.
        return f"[withheld: {type(error).__name__} while reading it]"


def _handle_redacted(self: logging.Logger, record: logging.LogRecord) -> None:
    clean(record)
    _handle(self, record)


def _configure_sifted(processors: Iterable[Any] | None = None, *args: Any, **kwargs: Any) -> None:
    if processors is not None:
        processors = list(processors)
        _sift(processors)
    _configure(processors, *args, **kwargs)


def _sift(processors: list[Any]) -> None:
    """In place, because loggers already in use hold this very list."""
    if not processors or processors[0] is not _only_what_may_be_said:
        processors.insert(0, _only_what_may_be_said)
        processors.append(_mark)


def _only_what_may_be_said(_logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The first processor: the later ones render tracebacks with the values of local variables."""
    said: dict[str, Any] = {name: value if name in SAID_BY_RASA else WITHHELD for name, value in event.items()}
    given = said.pop("exc_info", method == "exception")
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given else None
    said["exc_info"] = False
    if error is not None:
        said["exception"] = _redactor.error(error)
    return said


def _mark(_logger: Any, _method: str, rendered: Any) -> Any:
    return _Sifted(rendered) if isinstance(rendered, str) else rendered


def _report(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """An error nobody caught. Ctrl-C is none."""
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
    else:
        print(_redactor.error(error), file=sys.stderr)


def _report_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None:
        print(_redactor.error(arguments.exc_value), file=sys.stderr)


def _warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """To stderr, as Python does; from there it goes to a log."""
    said = _shown(message)
    if not issubclass(category, _ABOUT_CODE):
        said = _without_contents(said)
    print(f"{filename}:{lineno}: {category.__name__}: {_redactor.text(said)}", file=file or sys.stderr)
