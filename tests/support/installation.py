"""A fresh installation for a test: settings with known keys, and the databases it may use."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import psycopg2
import pytest

from assistant.settings import Settings

MASTER_KEY = bytes(range(32))
_SERVER = os.environ.get("TELLERLINE_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/test")


def settings_in(folder: Path, **changes: object) -> Settings:
    """Settings of a development installation that keeps everything under ``folder``."""
    values: dict[str, object] = {
        "home": folder,
        "database_url": f"sqlite:///{folder / 'tellerline.db'}",
        "master_key": MASTER_KEY,
        "action_secret": "s" * 40,
    }
    return Settings(**{**values, **changes})  # type: ignore[arg-type]


class PostgresSchema:
    """A schema of its own on the test server, dropped afterwards, so that tests don't meet."""

    def __init__(self) -> None:
        self.name = f"t_{secrets.token_hex(6)}"
        try:
            self._connection = psycopg2.connect(_SERVER, connect_timeout=2)
        except psycopg2.OperationalError:
            if os.environ.get("CI"):
                raise
            pytest.skip(f"no PostgreSQL at {_SERVER}")
        self._connection.autocommit = True
        self._run(f"CREATE SCHEMA {self.name}")
        self.url = f"{_SERVER.replace('postgresql://', 'postgresql+psycopg2://')}?options=-csearch_path%3D{self.name}"

    def drop(self) -> None:
        self._run(f"DROP SCHEMA {self.name} CASCADE")
        self._connection.close()

    def _run(self, statement: str) -> None:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
