"""Which banks there are, and the connector for each."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor
from ruamel.yaml.error import YAMLError

from assistant.banking.connector import BankConnector
from assistant.connectors.fdx import FdxConnector
from assistant.connectors.http import BankHttp
from assistant.connectors.oauth import Credentials
from assistant.connectors.profiles import BankProfile, ProfileError, parse_profile
from assistant.connectors.tokens import TokenStore

BUILT_IN = Path(__file__).with_name("banks.yml")

#: What ``api`` in a profile may say, and what opens it: called as (profile, http, credentials, time_zone=...).
#: A new kind of bank API is a module and a line here.
CONNECTORS: dict[str, Callable[..., BankConnector]] = {"fdx": FdxConnector}

_clients: dict[str, BankHttp] = {}
_lock = threading.Lock()


class _Literal(SafeConstructor):
    """Rasa, once imported, has every reader of the process expand ${NAME}, without defaults; ours come later."""


_Literal.add_constructor("!env_var", SafeConstructor.construct_yaml_str)


def load_profiles(path: Path | None = None, env: Mapping[str, str] = os.environ) -> dict[str, BankProfile]:
    """Every bank by id: the built-in ones, then those of ``path``, which win over a built-in of the same id.

    Raises ProfileError, which names the bank and the field.
    """
    profiles: dict[str, BankProfile] = {}
    for source in (BUILT_IN, path):
        if source is not None:
            profiles.update(_read(source, env))
    return profiles


def open_connector(profile: BankProfile, tokens: TokenStore, *, time_zone: str) -> BankConnector:
    """One customer's link to one bank. Cheap: the connection pool and the circuit breaker are the bank's.

    ``time_zone`` is the customer's IANA zone. Raises ProfileError when the profile still misses something.
    """
    if profile.api not in CONNECTORS:
        raise ProfileError(f"{profile.id}: no connector speaks {profile.api!r}")
    missing = profile.missing()
    if missing:
        raise ProfileError(f"{profile.id}: not set: {', '.join(missing)}")
    http = bank_http(profile)
    return CONNECTORS[profile.api](profile, http, Credentials(profile, tokens, http), time_zone=time_zone)


def bank_http(profile: BankProfile) -> BankHttp:
    """The bank's one pooled client in this process, shared by all its customers."""
    with _lock:
        client = _clients.get(profile.id)
        if client is None or client.profile != profile:
            client = _clients[profile.id] = BankHttp(profile)
        return client


def _read(path: Path, env: Mapping[str, str]) -> dict[str, BankProfile]:
    try:
        reader = YAML(typ="safe")
        reader.Constructor = _Literal
        document = reader.load(path.read_text(encoding="utf-8"))
    except (OSError, YAMLError) as error:
        raise ProfileError(f"{path.name} can't be read as YAML") from error
    banks = document.get("banks") if isinstance(document, Mapping) else None
    if not isinstance(banks, Mapping):
        raise ProfileError(f"{path.name} has no 'banks'")
    return {str(bank_id): parse_profile(str(bank_id), entry or {}, env) for bank_id, entry in banks.items()}
