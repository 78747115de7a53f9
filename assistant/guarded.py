"""What every process of an installation does first: limit where it connects to, and what it writes down."""

from __future__ import annotations

from assistant import egress
from assistant.logs import install_redaction
from assistant.settings import Settings, load_settings


def guard_process(settings: Settings | None = None) -> None:
    """Until the process ends; nothing switches it off. Raises ProfileError or SettingsError when the list cannot
    be read: without it the process must not start. A second call changes nothing."""
    install_redaction()
    egress.install(egress.allow_list(settings or load_settings()))
