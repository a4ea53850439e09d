"""The tables of the store for SQLAlchemy: for migrations, reports, exports, purges. What they hold is in ``rows``.

The same on SQLite and PostgreSQL. The busy path does not come here: it writes without SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from types import NoneType
from typing import Any, get_args

from sqlalchemy import Boolean, Column, Dialect, Float, Index, Integer, MetaData, Table, Text
from sqlalchemy.types import TIMESTAMP, TypeDecorator, TypeEngine

from cds_service.store.rows import TABLES, Kind, utc_text


class Utc(TypeDecorator[datetime]):
    """A moment. Always aware, always UTC: ``timestamptz`` on PostgreSQL, ``utc_text`` on SQLite."""

    impl = TIMESTAMP
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(Text() if dialect.name == "sqlite" else TIMESTAMP(timezone=True))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        text = utc_text(value)
        return text if dialect.name == "sqlite" else datetime.fromisoformat(text)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002  # SQLAlchemy's
        if value is None:
            return None
        return (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)


_TYPES: Mapping[type, type[TypeEngine[Any]]] = {
    str: Text, datetime: Utc, int: Integer, float: Float, bool: Boolean,
}  # fmt: skip


def _column(name: str, kind: Kind, *, key: bool) -> Column[Any]:
    kinds = get_args(kind) or (kind,)
    return Column(name, _TYPES[kinds[0]], primary_key=key, nullable=NoneType in kinds)


def _table(name: str, key: tuple[str, ...], *indexes: Index) -> Table:
    columns = (_column(column, kind, key=column in key) for column, kind in TABLES[name].items())
    return Table(name, metadata, *columns, *indexes)


metadata = MetaData()

hook_call = _table("hook_call", ("id",), Index("hook_call_at", "at"))
card = _table("card", ("uuid",), Index("card_at", "at"), Index("card_call", "call_id"))
feedback = _table(
    "feedback",
    ("id",),
    Index("feedback_received_at", "received_at"),
    Index("feedback_entry", "card_uuid", "client", "entry_hash", unique=True),
)
override_memory = _table(
    "override_memory", ("client", "patient_hash", "override_key"), Index("override_memory_since", "since")
)
used_token = _table("used_token", ("client", "jti_hash"), Index("used_token_expires", "expires"))
