"""Alembic's entry: runs the migrations over the connection that storage.schema hands in."""

from __future__ import annotations

from alembic import context

from assistant.storage.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
