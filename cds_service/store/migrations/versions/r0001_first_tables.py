"""The first tables. A step stands by itself: what ``schema`` says later does not change what this one did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

MOMENT = sa.TIMESTAMP(timezone=True).with_variant(sa.Text(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "hook_call",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("tenant", sa.Text),
        sa.Column("hook", sa.Text, nullable=False),
        sa.Column("hook_instance", sa.Text),
        sa.Column("patient_hash", sa.Text),
        sa.Column("user_hash", sa.Text),
        sa.Column("hash_key_id", sa.Text),
        sa.Column("content_version", sa.Text, nullable=False),
        sa.Column("service_version", sa.Text, nullable=False),
        sa.Column("status", sa.Integer, nullable=False),
        sa.Column("order_kind", sa.Text),
        sa.Column("shown", sa.Integer, nullable=False),
        sa.Column("milliseconds", sa.Float, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
    )
    op.create_index("hook_call_at", "hook_call", ["at"])
    op.create_table(
        "card",
        sa.Column("uuid", sa.Text, primary_key=True),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("rule", sa.Text, nullable=False),
        sa.Column("indicator", sa.Text, nullable=False),
        sa.Column("silent", sa.Boolean, nullable=False),
        sa.Column("merged", sa.Text, nullable=False),
        sa.Column("suggestions", sa.Text, nullable=False),
        sa.Column("override_key", sa.Text),
        sa.Column("patient_hash", sa.Text),
    )
    op.create_index("card_at", "card", ["at"])
    op.create_index("card_call", "card", ["call_id"])
    op.create_table(
        "feedback",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("client", sa.Text, nullable=False),
        sa.Column("card_uuid", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text, nullable=False),
        sa.Column("reason_system", sa.Text),
        sa.Column("reason_code", sa.Text),
        sa.Column("accepted_suggestions", sa.Text, nullable=False),
        sa.Column("outcome_at", MOMENT),
        sa.Column("comment", sa.Text),
        sa.Column("entry_hash", sa.Text, nullable=False),
    )
    op.create_index("feedback_received_at", "feedback", ["received_at"])
    op.create_index("feedback_entry", "feedback", ["card_uuid", "client", "entry_hash"], unique=True)
    op.create_table(
        "override_memory",
        sa.Column("client", sa.Text, primary_key=True),
        sa.Column("patient_hash", sa.Text, primary_key=True),
        sa.Column("override_key", sa.Text, primary_key=True),
        sa.Column("since", MOMENT, nullable=False),
    )
    op.create_index("override_memory_since", "override_memory", ["since"])
    op.create_table(
        "used_token",
        sa.Column("client", sa.Text, primary_key=True),
        sa.Column("jti_hash", sa.Text, primary_key=True),
        sa.Column("expires", MOMENT, nullable=False),
    )
    op.create_index("used_token_expires", "used_token", ["expires"])
