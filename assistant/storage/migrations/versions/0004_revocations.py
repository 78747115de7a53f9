"""Consents that have ended here and have yet to be ended at the bank."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from assistant.storage.types import Instant

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "revocations",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("customer_id", sa.String(length=32), nullable=True),
        sa.Column("bank_id", sa.String(length=64), nullable=False),
        sa.Column("tokens", sa.LargeBinary(), nullable=False),
        sa.Column("since", Instant(), nullable=False),
        sa.Column("next_at", Instant(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customers.id"], ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_revocations_customer_id"), "revocations", ["customer_id"], unique=False)
    op.create_index(op.f("ix_revocations_next_at"), "revocations", ["next_at"], unique=False)
