"""What every process of an installation does first: limit where it connects to, and what it writes down.

The list of hosts is code, banks.yml and the settings; no variable exists that turns the guard off.
"""

from __future__ import annotations

import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from ruamel.yaml import YAML

from assistant import egress
from assistant.connectors.registry import load_profiles
from assistant.logs import install_redaction
from assistant.settings import Settings, load_settings

#: Hosts that channels send answers to, each with how its channel is named in credentials.yml: they are allowed while
#: it stands there. docs/privacy.md has the same table.
CHANNEL_HOSTS: Mapping[str, str] = {
    "graph.facebook.com": "assistant.channels.messenger.Messenger",
    "s3.amazonaws.com": "assistant.channels.alexa.Alexa",
    "api.amazonalexa.com": "assistant.channels.alexa.Alexa",
    "api.eu.amazonalexa.com": "assistant.channels.alexa.Alexa",
    "api.fe.amazonalexa.com": "assistant.channels.alexa.Alexa",
    "www.googleapis.com": "assistant.channels.dialogflow.Dialogflow",
}
_CREDENTIALS = Path("credentials.yml")
_DATABASE_PORTS = {"postgresql": 5432}


def guard_process(settings: Settings | None = None) -> None:
    """Until the process ends; nothing switches it off. Raises ProfileError or SettingsError when the list cannot
    be read: without it the process must not start. A second call changes nothing."""
    install_redaction()
    egress.install(allow_list(settings or load_settings()))


def allow_table(
    settings: Settings, env: Mapping[str, str] = os.environ, credentials: Path = _CREDENTIALS
) -> dict[str, str]:
    """Each host that may be connected to, with its port unless that is 443, and why. This machine is not listed:
    it always may. Banks that still miss a setting are left out. Raises ProfileError for a broken banks file."""
    channels = _channels(credentials)
    table = {host: f"channel {name}" for host, name in CHANNEL_HOSTS.items() if name in channels}
    # For customers the sandbox is no bank: wherever its variable points, nothing of theirs goes there.
    unreal = urlsplit(settings.sandbox_url).netloc.lower() if settings.production else ""
    for profile in load_profiles(settings.banks_file, env).values():
        if not profile.missing():
            for host in profile.hosts:
                if host != unreal:
                    table.setdefault(host, f"bank {profile.id}")
    for url in filter(None, (settings.database_url, settings.keys_url)):
        parts = urlsplit(url)
        if parts.hostname:
            port = parts.port or _DATABASE_PORTS.get(parts.scheme.partition("+")[0], egress.HTTPS)
            table.setdefault(f"{_bracketed(parts.hostname)}:{port}", "database")
    return {host: why for host, why in table.items() if not egress.is_loopback(urlsplit(f"//{host}").hostname or "")}


def allow_list(settings: Settings) -> frozenset[str]:
    """The hosts of ``allow_table``."""
    return frozenset(allow_table(settings))


def _channels(credentials: Path) -> frozenset[str]:
    """The channels that are switched on in this project."""
    if not credentials.exists():
        return frozenset()
    found = YAML(typ="safe", pure=True).load(credentials.read_text(encoding="utf-8"))
    return frozenset(found) if isinstance(found, dict) else frozenset()


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def main(arguments: Sequence[str]) -> None:
    """``python -m assistant.guarded`` prints the allow-list; with the name of a module and its arguments it runs
    that module as ``python -m`` would, guarded from its first line."""
    if arguments:
        guard_process()
        sys.argv = list(arguments)
        runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)
        return
    for host, why in sorted(allow_table(load_settings()).items()):
        print(f"{host}\t{why}")
    print("this machine\tloopback addresses, Unix sockets")


if __name__ == "__main__":
    main(sys.argv[1:])
