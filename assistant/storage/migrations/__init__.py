"""Alembic migrations of the main database. Run by storage.schema.upgrade."""
