"""Brings a database to the tables this version expects."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, inspect, text

from assistant.storage.db import Database

#: The newest revision in migrations/versions.
HEAD = "0007"


def upgrade(database: Database) -> None:
    """Create or migrate the tables. Quick when there is nothing to do; processes that start together take turns."""
    with database.reading() as connection:
        if _revision(connection) == HEAD:
            return
    with database.lock("schema"), database.engine.begin() as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
