"""The tables of the store: what was advised, what became of it, and which tokens were used.

The same on SQLite and PostgreSQL. Only keyed hashes of patients and users, never their identifiers. Times are UTC.
Columns that hold a list or an object hold it as JSON text: neither engine is asked to look into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Boolean, Column, Dialect, Float, Index, Integer, MetaData, String, Table, Text
from sqlalchemy.types import TIMESTAMP, TypeDecorator, TypeEngine

Value = str | int | float | datetime | None
"""A bool is an int."""


def utc_text(at: datetime) -> str:
    """ "2026-11-24T12:00:00.000000Z": sorts as time does, and both engines read it. Raises ``ValueError`` for a time
    without a zone."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


class Utc(TypeDecorator[datetime]):
    """A moment. Always aware, always UTC: ``timestamptz`` on PostgreSQL, ``utc_text`` on SQLite."""

    impl = TIMESTAMP
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(String(27) if dialect.name == "sqlite" else TIMESTAMP(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        text = utc_text(value)
        return text if dialect.name == "sqlite" else datetime.fromisoformat(text)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's
        if value is None:
            return None
        return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)


metadata = MetaData()

hook_call = Table(
    "hook_call",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("at", Utc, nullable=False),
    Column("client", Text, nullable=False),
    Column("tenant", Text),
    Column("hook", Text, nullable=False),
    Column("hook_instance", Text),
    Column("patient_hash", Text),
    Column("user_hash", Text),
    Column("hash_key_id", Text),
    Column("content_version", Text, nullable=False),
    Column("service_version", Text, nullable=False),
    Column("status", Integer, nullable=False),
    Column("order_kind", Text),
    Column("shown", Integer, nullable=False),
    Column("milliseconds", Float, nullable=False),
    Column("detail", Text, nullable=False),
    Index("hook_call_at", "at"),
)
"""One call that concerned baclofen. ``status`` of HTTP; ``shown`` cards; ``milliseconds`` of the whole
call; ``detail``: a JSON object (facts used and missing, outcomes by rule, rules dropped and merged, times by stage)."""

card = Table(
    "card",
    metadata,
    Column("uuid", String(36), primary_key=True),
    Column("call_id", String(36), nullable=False),
    Column("at", Utc, nullable=False),
    Column("client", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("indicator", Text, nullable=False),
    Column("silent", Boolean, nullable=False),
    Column("merged", Text, nullable=False),
    Column("suggestions", Text, nullable=False),
    Column("override_key", Text),
    Column("patient_hash", Text),
    Index("card_at", "at"),
    Index("card_call_id", "call_id"),
)
"""One card. ``silent``: assessed, not shown. ``merged``: a JSON list of rules; ``suggestions``: a JSON list of
{uuid, label, kind}. It is written together with its call, or not at all."""

feedback = Table(
    "feedback",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("received_at", Utc, nullable=False),
    Column("client", Text, nullable=False),
    Column("card_uuid", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reason_system", Text),
    Column("reason_code", Text),
    Column("accepted_suggestions", Text, nullable=False),
    Column("outcome_at", Utc),
    Column("comment", Text),
    Column("entry_hash", String(64), nullable=False),
    Index("feedback_received_at", "received_at"),
    Index("feedback_entry", "card_uuid", "client", "entry_hash", unique=True),
)
"""What a client told of a card, known or not. ``outcome``: accepted or overridden; ``accepted_suggestions``: a JSON
list of uuids; ``outcome_at``: by the client's clock; ``comment``: ciphertext. The same entry told again is the same row."""

override_memory = Table(
    "override_memory",
    metadata,
    Column("client", Text, primary_key=True),
    Column("patient_hash", Text, primary_key=True),
    Column("override_key", Text, primary_key=True),
    Column("since", Utc, nullable=False),
    Index("override_memory_since", "since"),
)
"""When a patient's card of that key was last overridden with a reason (rules.md M6)."""

used_token = Table(
    "used_token",
    metadata,
    Column("issuer", Text, primary_key=True),
    Column("jti_hash", String(64), primary_key=True),
    Column("expires", Utc, nullable=False),
    Index("used_token_expires", "expires"),
)
"""A token that was used, until it expires."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row to be written once. One whose key is there already changes nothing, so writing it twice does no harm;
    in ``override_memory`` the later ``since`` stands."""

    table: str
    values: Mapping[str, Value]
    """Column → value. Columns that may be null can be left out."""

    def __post_init__(self) -> None:
        """Raises ``ValueError``: a wrong row is a fault of the one who makes it, and must not wait to be found there
        where it would hold up the rows of others."""
        shape = _SHAPES[self.table]
        if unknown := self.values.keys() - shape.keys():
            raise ValueError(f"{self.table} has no {', '.join(sorted(unknown))}")
        for name, (kinds, may_be_null) in shape.items():
            value = self.values.get(name)
            if not (may_be_null if value is None else isinstance(value, kinds)):
                raise ValueError(f"{self.table}.{name} cannot be a {type(value).__name__}")


_PYTHON: Mapping[type[TypeEngine[Any]], tuple[type, ...]] = {
    String: (str,), Text: (str,), Integer: (int,), Float: (float, int), Boolean: (bool,), Utc: (datetime,),
}  # fmt: skip
_SHAPES = {
    table.name: {column.name: (_PYTHON[type(column.type)], bool(column.nullable)) for column in table.columns}
    for table in metadata.sorted_tables
}
