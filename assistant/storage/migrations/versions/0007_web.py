"""The web page: browsers that talk to us, and what they were shown."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assistant.storage.types import Instant

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "web_sessions",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("person", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.String(length=255), nullable=False),
        sa.Column("ticket_hash", sa.String(length=64), nullable=True),
        sa.Column("started_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=False),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("token_hash"),
        sa.UniqueConstraint("ticket_hash"),
    )
    op.create_index(op.f("ix_web_sessions_conversation_id"), "web_sessions", ["conversation_id"], unique=False)
    op.create_index(op.f("ix_web_sessions_used_at"), "web_sessions", ["used_at"], unique=False)
    op.create_table(
        "web_transcript",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.String(length=255), nullable=False),
        sa.Column("key", sa.String(length=80), nullable=False),
        sa.Column("shown_at", Instant(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("conversation_id", "key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_web_transcript_conversation", "web_transcript", ["conversation_id", "seq"], unique=False)
    op.create_index(op.f("ix_web_transcript_shown_at"), "web_transcript", ["shown_at"], unique=False)
