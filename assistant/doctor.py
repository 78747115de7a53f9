"""Looks over an installation and says what to fix."""

from __future__ import annotations

import os
import platform
import re
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import inspect, text
from sqlalchemy.exc import SQLAlchemyError

from assistant.banking.clock import CLOCK_VARIABLE
from assistant.connectors.profiles import BankProfile, ProfileError
from assistant.connectors.registry import load_profiles
from assistant.processes import is_free
from assistant.settings import Settings, SettingsError, load_settings
from assistant.storage.db import Database
from assistant.storage.schema import HEAD
from assistant.training import model_path

_CONNECT_SECONDS = 3.0
_NAMED_PACKAGES = 5


class State(str, Enum):
    OK = "ok"
    NOTE = "note"  #: not as one might expect, and no fault
    FIX = "FIX"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. ``what`` says how it is and, unless OK, what to do."""

    state: State
    what: str


def examine(root: Path) -> int:
    """Prints a line for each thing looked at. Returns 1 when something must be fixed, else 0."""
    worst = 0
    for finding in findings(root):
        print(f"{finding.state.value:<5} {finding.what}", flush=True)
        worst = max(worst, int(finding.state is State.FIX))
    print("Something must be fixed." if worst else "All is well.")
    return worst


def findings(root: Path) -> Iterator[Finding]:
    yield check_python()
    yield check_packages(root / "requirements.lock")
    yield check_model(root)
    try:
        settings = load_settings()
    except SettingsError as error:
        yield Finding(State.FIX, f"Settings: {error}")
        return
    yield check_secrets(settings)
    yield from check_clock(settings)
    yield from check_ports(settings)
    yield check_database(settings)
    yield from check_banks(settings)


def check_python() -> Finding:
    found = f"Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    if sys.version_info[:2] not in {(3, 10), (3, 11)}:
        return Finding(
            State.FIX, f"{found}: Tellerline runs on 3.11 or 3.10. Use .venv/bin/tellerline, which `make ready` makes."
        )
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return Finding(State.FIX, f"{found}: requirements.lock is for Linux on x86-64 (docs/deploying.md).")
    return Finding(State.OK, found)


def check_packages(lock: Path) -> Finding:
    """What is installed against what is locked."""
    wanted = dict(re.findall(r"(?m)^([A-Za-z0-9_.-]+)==(\S+)", lock.read_text(encoding="utf-8")))
    wrong = [name for name, locked in wanted.items() if _installed(name) != locked]
    if wrong:
        more = ", ..." if len(wrong) > _NAMED_PACKAGES else ""
        named = ", ".join(wrong[:_NAMED_PACKAGES]) + more
        return Finding(State.FIX, f"{len(wrong)} of {len(wanted)} packages are not as locked ({named}): make ready")
    return Finding(State.OK, f"{len(wanted)} packages, as locked")


def check_model(root: Path) -> Finding:
    model = model_path(root)
    if model.exists():
        return Finding(State.OK, f"The model is up to date: models/{model.name}")
    if any(model.parent.glob("*.tar.gz")):
        return Finding(State.FIX, "The model is older than what it learns from: make train")
    return Finding(State.FIX, "There is no model yet: make train")


def check_secrets(settings: Settings) -> Finding:
    """load_settings has judged them; this says where they are from."""
    if settings.production:
        return Finding(State.OK, "Production: secrets come from the environment")
    return Finding(State.OK, f"Development: secrets are kept in {settings.home / 'secrets'}, for their owner only")


def check_clock(settings: Settings) -> Iterator[Finding]:
    """Says nothing when the clock runs, as it should."""
    if os.environ.get(CLOCK_VARIABLE):
        state = State.FIX if settings.production else State.NOTE
        yield Finding(state, f"The clock is held still by {CLOCK_VARIABLE}: unset it to live in the present")


def check_ports(settings: Settings) -> Iterator[Finding]:
    sandbox = urlsplit(settings.sandbox_url).port or 80
    for port, user in (
        (settings.rasa_port, "assistant"),
        (settings.action_port, "action server"),
        (sandbox, "sandbox bank"),
    ):
        if is_free(port):
            yield Finding(State.OK, f"Port {port} is free for the {user}")
        else:
            yield Finding(State.NOTE, f"Port {port} is in use; `tellerline` would take another for the {user}")


def check_database(settings: Settings) -> Finding:
    kind, _, path = settings.database_url.partition(":///")
    if kind == "sqlite" and not Path(path).exists():
        return Finding(State.NOTE, "There is no database yet: it is made at the first start")
    try:
        with Database(settings.database_url).reading() as connection:
            tables = inspect(connection).has_table("alembic_version")
            found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() if tables else None
    except (SQLAlchemyError, ImportError, ValueError) as error:
        # The message of a database driver can hold the URL with its password.
        return Finding(
            State.FIX, f"The database does not answer ({type(error).__name__}): check TELLERLINE_DATABASE_URL"
        )
    if found != HEAD:
        return Finding(
            State.NOTE, f"The database is at {found or 'no version'}: it is brought to {HEAD} at the next start"
        )
    return Finding(State.OK, f"The database answers and its tables are at {HEAD}")


def check_banks(settings: Settings, reach: Callable[[str], str] | None = None) -> Iterator[Finding]:
    """Banks that are set up are reached for; ``reach`` returns "" or why it could not."""
    reach = reach or _reach
    try:
        profiles = load_profiles(settings.banks_file)
    except ProfileError as error:
        yield Finding(State.FIX, f"Banks: {error}")
        return
    waiting = [profile for profile in profiles.values() if profile.missing()]
    for profile in profiles.values():
        if profile not in waiting:
            yield _reachable(profile, reach)
    if waiting:
        names = ", ".join(profile.name for profile in waiting)
        yield Finding(State.NOTE, f"Not set up: {names}. docs/adding-a-bank.md says what each needs.")


def _reachable(profile: BankProfile, reach: Callable[[str], str]) -> Finding:
    problem = reach(profile.base_url)
    if not problem:
        return Finding(State.OK, f"{profile.name} can be reached")
    if urlsplit(profile.base_url).scheme == "http":
        return Finding(State.NOTE, f"{profile.name} is not running: `tellerline shell` and `tellerline bank` start it")
    return Finding(
        State.FIX, f"{profile.name} cannot be reached ({problem}): check the network and the profile's base_url"
    )


def _reach(url: str) -> str:
    """Connect, and for https shake hands; nothing is asked of the bank."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
        with socket.create_connection((host, port), timeout=_CONNECT_SECONDS) as connection:
            if parts.scheme == "https":
                ssl.create_default_context().wrap_socket(connection, server_hostname=host).close()
    except (OSError, ValueError) as error:
        return type(error).__name__
    return ""


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
