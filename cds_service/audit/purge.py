"""Takes out what is older than the site keeps it: calls, their cards, feedback with its comments, and overrides that
count no more. Some rows at a time, so that no call waits long for the database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Engine, Table, delete, select, tuple_

from cds_service.overrides import LASTS
from cds_service.store.schema import card, feedback, hook_call, override_memory

AT_ONCE = 1000


def purge(engine: Engine, before: datetime, now: datetime) -> Mapping[str, int]:
    """Table → rows taken out."""
    old = {
        feedback: feedback.c.received_at < before,
        card: card.c.at < before,
        hook_call: hook_call.c.at < before,
        override_memory: override_memory.c.since < now - LASTS,
    }
    return {table.name: sum(_taken(engine, table, condition)) for table, condition in old.items()}


def _taken(engine: Engine, table: Table, condition: ColumnElement[bool]) -> Iterator[int]:
    """What is taken out of a file of SQLite is overwritten there too, not only forgotten."""
    key = tuple_(*table.primary_key.columns)
    some = select(*table.primary_key.columns).where(condition).limit(AT_ONCE)
    gone = AT_ONCE
    while gone == AT_ONCE:
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":
                connection.exec_driver_sql("PRAGMA secure_delete=ON")
            gone = connection.execute(delete(table).where(key.in_(some))).rowcount
        yield gone
