"""Links of ours that work once: to set or give a step-up code, to take an export away."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assistant.storage.types import Instant

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "one_time_links",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=64), nullable=False),
        sa.Column("conversation_id", sa.String(length=255), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("used_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_hash", "kind"),
    )
    op.create_index(op.f("ix_one_time_links_customer_id"), "one_time_links", ["customer_id"], unique=False)
    op.create_index(op.f("ix_one_time_links_expires_at"), "one_time_links", ["expires_at"], unique=False)
