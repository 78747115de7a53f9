"""Where this installation keeps its things, and its secrets: read from the environment, once, in one place."""

from __future__ import annotations

import base64
import binascii
import os
import secrets
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_MASTER_KEY_BYTES = 32
_SHORTEST_SECRET = 32


class SettingsError(ValueError):
    """A setting that cannot be used. The message names the variable and what to do, never its value."""


@dataclass(frozen=True, slots=True)
class Settings:
    """One installation.

    ``home`` holds what is written at run time (database, logs, secrets). ``master_key`` wraps every
    customer's data key. ``action_secret`` is what Rasa shows the action server. ``banks_file`` None
    means the profiles that come with Tellerline. ``time_zone`` (IANA) and ``locale`` are for customers
    who have told us neither. ``keys_url`` is the database of the wrapped data keys, "" for the default
    (see storage.open). ``cache_seconds``: how long a bank's answer counts as fresh. ``cache_hours``: how long it
    may be repeated, marked as old, while the bank is down. ``conversation_days``: how long a conversation is
    kept after its last turn. ``public_address``: see ``public_url``; "" for this machine. What is secret, or may
    hold a password, stays out of the repr.

    The web page: ``web_origins`` are pages of other origins that may hold it, ``web_keys`` the file with the public
    keys of the bank's own log-in, ``web_guests`` whether somebody may chat who has not signed in there, and
    ``web_idle_minutes`` how long it may be silent before it is signed out.
    """

    home: Path
    database_url: str = field(repr=False)
    master_key: bytes = field(repr=False)
    action_secret: str = field(repr=False)
    production: bool = False
    banks_file: Path | None = None
    sandbox_url: str = "http://127.0.0.1:8801"
    action_port: int = 5055
    rasa_port: int = 5005
    time_zone: str = "America/New_York"
    locale: str = "en_US"
    keys_url: str = field(default="", repr=False)
    cache_seconds: int = 60
    cache_hours: int = 24
    conversation_days: int = 90
    public_address: str = ""
    web_origins: tuple[str, ...] = ()
    web_keys: Path | None = None
    web_guests: bool = True
    web_idle_minutes: int = 15

    @property
    def public_url(self) -> str:
        """Where a customer's browser reaches the hosted pages, without a slash at the end."""
        return self.public_address or f"http://127.0.0.1:{self.rasa_port}"


def load_settings(env: Mapping[str, str] = os.environ) -> Settings:
    """The settings that ``env`` describes; docs/deploying.md lists the variables.

    In development, secrets that are not given are made once and kept in ``<home>/secrets``, readable by
    their owner only. In production (TELLERLINE_ENV=production) they must be given. Raises SettingsError.
    """
    production = _production(env)
    home = Path(env.get("TELLERLINE_HOME") or "var").expanduser().resolve()
    return Settings(
        home=home,
        database_url=env.get("TELLERLINE_DATABASE_URL") or f"sqlite:///{home / 'tellerline.db'}",
        master_key=_master_key(env, home, production),
        action_secret=_action_secret(env, home, production),
        production=production,
        banks_file=_path(env, "TELLERLINE_BANKS"),
        sandbox_url=(env.get("TELLERLINE_SANDBOX_URL") or "http://127.0.0.1:8801").rstrip("/"),
        action_port=_port(env, "TELLERLINE_ACTION_PORT", 5055),
        rasa_port=_port(env, "TELLERLINE_RASA_PORT", 5005),
        time_zone=_time_zone(env),
        locale=env.get("TELLERLINE_LOCALE") or "en_US",
        keys_url=env.get("TELLERLINE_KEYS_URL") or "",
        cache_seconds=_whole(env, "TELLERLINE_CACHE_SECONDS", 60),
        cache_hours=_whole(env, "TELLERLINE_CACHE_HOURS", 24),
        conversation_days=_whole(env, "TELLERLINE_CONVERSATION_DAYS", 90),
        public_address=_public_address(env, production),
        web_origins=_origins(env, production),
        web_keys=_path(env, "TELLERLINE_WEB_KEYS"),
        web_guests=_yes_or_no(env, "TELLERLINE_WEB_GUESTS", True),
        web_idle_minutes=_whole(env, "TELLERLINE_WEB_IDLE_MINUTES", 15),
    )


def _production(env: Mapping[str, str]) -> bool:
    """A misspelt "production" must not quietly mean development."""
    name = env.get("TELLERLINE_ENV") or "development"
    if name not in {"development", "production"}:
        raise SettingsError("TELLERLINE_ENV is either development or production")
    return name == "production"


def _master_key(env: Mapping[str, str], home: Path, production: bool) -> bytes:
    text = _given(env, "TELLERLINE_MASTER_KEY", production)
    name = "TELLERLINE_MASTER_KEY"
    if not text:
        path = home / "secrets" / "master_key"
        name = str(path)
        text = _kept(path, lambda: base64.b64encode(secrets.token_bytes(_MASTER_KEY_BYTES)).decode())
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise SettingsError(f"{name} is not base64") from None
    if len(key) != _MASTER_KEY_BYTES:
        raise SettingsError(f"{name} must be {_MASTER_KEY_BYTES} bytes in base64: openssl rand -base64 32")
    return key


def _action_secret(env: Mapping[str, str], home: Path, production: bool) -> str:
    secret = _given(env, "TELLERLINE_ACTION_SECRET", production)
    name = "TELLERLINE_ACTION_SECRET"
    if not secret:
        path = home / "secrets" / "action_secret"
        name = str(path)
        secret = _kept(path, lambda: secrets.token_urlsafe(_SHORTEST_SECRET))
    # It travels in an HTTP header.
    if len(secret) < _SHORTEST_SECRET or not secret.isascii() or not secret.isprintable():
        raise SettingsError(f"{name} must be at least {_SHORTEST_SECRET} printable characters: openssl rand -hex 32")
    return secret


def _given(env: Mapping[str, str], name: str, production: bool) -> str:
    value = env.get(name, "").strip()
    if production and not value:
        raise SettingsError(f"{name} must be set when TELLERLINE_ENV is production")
    return value


def _kept(path: Path, make: Callable[[], str]) -> str:
    """The secret in ``path``, made the first time. Two processes that start together agree on one."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.parent.chmod(0o700)
        # mkstemp gives mode 0600; a link, unlike a rename, never replaces what another process made first.
        handle, draft = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="ascii") as file:
                file.write(make() + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            os.unlink(draft)
    if path.stat().st_mode & 0o077:
        raise SettingsError(f"{path} can be read by others: chmod 600 {path}")
    return path.read_text(encoding="ascii").strip()


def _public_address(env: Mapping[str, str], production: bool) -> str:
    text = (env.get("TELLERLINE_PUBLIC_URL") or "").rstrip("/")
    return _origin("TELLERLINE_PUBLIC_URL", text, production) if text else ""


def _origins(env: Mapping[str, str], production: bool) -> tuple[str, ...]:
    texts = (env.get("TELLERLINE_WEB_ORIGINS") or "").replace(",", " ").split()
    return tuple(_origin("TELLERLINE_WEB_ORIGINS", text.rstrip("/"), production) for text in texts)


def _origin(name: str, text: str, production: bool) -> str:
    """A scheme and a host (RFC 6454)."""
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018  # reading it checks it
    except ValueError:
        raise SettingsError(f"{name} is an address, as in https://assistant.example.com") from None
    if not parts.hostname or "@" in parts.netloc or text != f"{parts.scheme}://{parts.netloc}":
        raise SettingsError(f"{name} is a scheme and a host, as in https://assistant.example.com")
    if parts.scheme != "https" and (production or parts.scheme != "http"):
        raise SettingsError(f"{name} must begin with https:// (http:// in development only)")
    return text


def _path(env: Mapping[str, str], name: str) -> Path | None:
    text = env.get(name)
    return Path(text).expanduser().resolve() if text else None


def _yes_or_no(env: Mapping[str, str], name: str, default: bool) -> bool:
    text = env.get(name)
    if text not in (None, "", "yes", "no"):
        raise SettingsError(f"{name} is yes or no")
    return text == "yes" if text else default


def _port(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise SettingsError(f"{name} is a number from 1 to 65535")
    return int(text)


def _whole(env: Mapping[str, str], name: str, default: int) -> int:
    text = env.get(name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise SettingsError(f"{name} is a whole number, 0 or more")
    return int(text)


def _time_zone(env: Mapping[str, str]) -> str:
    name = env.get("TELLERLINE_TIME_ZONE") or "America/New_York"
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise SettingsError("TELLERLINE_TIME_ZONE is an IANA name, as in America/New_York") from None
    return name
