"""Channels that answer later: who writes to us, what they sent, and what is to be said to them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assistant.storage.types import Instant

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "correspondents",
        sa.Column("conversation_id", sa.String(length=255), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("owner", sa.String(length=32), nullable=False),
        sa.Column("heard_at", Instant(), nullable=True),
        sa.Column("closed", sa.String(length=24), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id"),
    )
    op.create_index(op.f("ix_correspondents_owner"), "correspondents", ["owner"], unique=False)
    op.create_table(
        "inbox",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("event_hash", sa.String(length=40), nullable=False),
        sa.Column("conversation_id", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("received_at", Instant(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("channel", "event_hash"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_inbox_queue", "inbox", ["conversation_id", "state", "id"], unique=False)
    op.create_index(op.f("ix_inbox_received_at"), "inbox", ["received_at"], unique=False)
    op.create_table(
        "answers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("conversation_id", sa.String(length=255), nullable=False),
        sa.Column("event_hash", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("made_at", Instant(), nullable=False),
        sa.Column("due_at", Instant(), nullable=False),
        sa.Column("tried_at", Instant(), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_answers_queue", "answers", ["conversation_id", "state", "id"], unique=False)
    op.create_index(op.f("ix_answers_event_hash"), "answers", ["event_hash"], unique=False)
    op.create_index(op.f("ix_answers_made_at"), "answers", ["made_at"], unique=False)
