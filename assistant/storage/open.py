"""Opens an installation's storage: the main database, migrated, and the key ring beside it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from assistant.settings import Settings, SettingsError
from assistant.storage.db import Database
from assistant.storage.keys import KeyRing
from assistant.storage.schema import upgrade
from assistant.storage.seal import MasterKey


@dataclass(frozen=True, slots=True)
class Storage:
    database: Database
    keys: KeyRing


def open_storage(settings: Settings) -> Storage:
    """Once per process and installation: later calls return the same pools. Raises what the database raises."""
    if settings.keys_url == settings.database_url and settings.database_url.startswith("sqlite"):
        raise SettingsError("TELLERLINE_KEYS_URL must not be the main database: its copies would hold the keys")
    return _opened(settings.database_url, settings.keys_url or _default_keys_url(settings), settings.master_key)


def rotate_master_key(settings: Settings, new_key: bytes) -> int:
    """Wrap every data key by ``new_key`` instead; returns how many there were. Nothing else may be running: what
    still has the old master key would wrap new keys by it. Safe to repeat until the settings hold the new key.
    """
    return open_storage(settings).keys.rotate(MasterKey(new_key))


def _default_keys_url(settings: Settings) -> str:
    """A file beside the other secrets. Where the database is a server, several machines must find the keys,
    so they are in it too until the installation names a second one: then a copy of the first tells nothing
    about whoever was erased since."""
    if settings.database_url.startswith("sqlite"):
        return f"sqlite:///{settings.home / 'secrets' / 'keys.db'}"
    return settings.database_url


@lru_cache(maxsize=8)
def _opened(url: str, keys_url: str, master_key: bytes) -> Storage:
    database = Database(url)
    upgrade(database)
    return Storage(database, KeyRing(Database(keys_url, traceless=True), MasterKey(master_key)))
