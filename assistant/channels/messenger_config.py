"""What credentials.yml says about a Messenger page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assistant.channels.graph import HOST, VERSION, GraphAccess
from assistant.settings import SettingsError

#: How the channel is named in credentials.yml.
CREDENTIALS = "assistant.channels.messenger.Messenger"
_KNOWN = frozenset({"verify", "secret", "page-access-token", "graph-version", "graph-url", "graph-timeout", "echoes"})


@dataclass(frozen=True, slots=True)
class MessengerConfig:
    """``secrets`` are the app's: several while one replaces another, the one to sign with first. ``echoes`` False for
    a page that does not send message_echoes: then an answer whose arrival is uncertain is sent again at once."""

    verify: str = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    access: GraphAccess
    echoes: bool = True

    @classmethod
    def read(cls, credentials: Mapping[str, Any] | None) -> MessengerConfig:
        """Raises SettingsError, which names the key that is missing or wrong and never its value."""
        given = dict(credentials or {})
        unknown = sorted(set(given) - _KNOWN)
        if unknown:
            raise SettingsError(f"credentials.yml, {CREDENTIALS}: unknown key {unknown[0]}")
        secrets = given.get("secret")
        secrets = tuple(secrets) if isinstance(secrets, list) else (secrets,)
        version = str(given.get("graph-version", VERSION)).removeprefix("v")
        if not version.replace(".", "", 1).isdigit():
            raise SettingsError(f"credentials.yml, {CREDENTIALS}: graph-version is a number, as in {VERSION}")
        return cls(
            verify=_text("verify", given.get("verify")),
            secrets=tuple(_text("secret", secret) for secret in secrets),
            access=GraphAccess(
                page_token=_text("page-access-token", given.get("page-access-token")),
                app_secret=_text("secret", secrets[0] if secrets else None),
                version=version,
                base_url=str(given.get("graph-url", f"https://{HOST}")),
                timeout=float(given.get("graph-timeout", 10.0)),
            ),
            echoes=given.get("echoes", True) is not False,
        )


def _text(key: str, value: object) -> str:
    """A variable that is not set leaves its own name behind, which must not become a password."""
    if not isinstance(value, str) or not value.strip() or value.startswith("$"):
        raise SettingsError(f"credentials.yml, {CREDENTIALS}: {key} is missing (docs/messenger.md)")
    return value
