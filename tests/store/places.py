"""The two engines for the same tests, and rows to write. All made up."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import func, select

from cds_service.settings import Settings, load
from cds_service.store import Row, Store, migrate
from cds_service.store.schema import metadata
from tests.postgresql import Server

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Place(contextlib.AbstractContextManager["Place"]):
    """A database of its own, and how it is taken away from the service."""

    folder: Path
    url: str
    server: Server | None
    """PostgreSQL; None: SQLite."""

    opened: list[Store] = field(default_factory=list)

    def __exit__(self, *_: object) -> None:
        for store in self.opened:
            asyncio.run(store.close())

    @property
    def file(self) -> Path:
        return Path(self.url.removeprefix("sqlite:///"))

    @property
    def settings(self) -> Settings:
        return load(mode="sandbox", database=self.url, state_dir=self.folder, spool_bytes=1 << 20)

    def open(self) -> Store:
        """As a start of the service does."""
        migrate(self.settings)
        self.opened.append(Store.open(self.settings))
        return self.opened[-1]

    @contextlib.contextmanager
    def taken_away(self) -> Iterator[None]:
        """Locked by another process, or not running."""
        if self.server:
            self.server.stop()
            yield
            self.server.start()
        else:
            with contextlib.closing(sqlite3.connect(self.file, isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                yield


def count(store: Store, table: str) -> int:
    with store.engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(metadata.tables[table])).scalar_one())


def kept(store: Store, table: str = "hook_call") -> set[str]:
    """Keys of all that is in ``table``."""
    with store.engine.connect() as connection:
        return set(connection.execute(select(next(iter(metadata.tables[table].columns)))).scalars())


def hook_call(**changes: Any) -> Row:
    whole: dict[str, Any] = {
        "id": str(uuid4()),
        "at": NOW,
        "client": "north",
        "hook": "order-sign",
        "content_version": "c",
        "service_version": "s",
        "status": 200,
        "shown": 1,
        "milliseconds": 1.5,
        "detail": "{}",
    }
    return Row("hook_call", whole | changes)


def card(call: Row, **changes: Any) -> Row:
    whole: dict[str, Any] = {
        "uuid": str(uuid4()),
        "call_id": call.values["id"],
        "at": NOW,
        "client": "north",
        "rule": "renal-dose-exceeds-limit",
        "indicator": "warning",
        "silent": False,
        "merged": "[]",
        "suggestions": "[]",
    }
    return Row("card", whole | changes)


def told(**changes: Any) -> Row:
    whole: dict[str, Any] = {
        "id": str(uuid4()),
        "received_at": NOW,
        "client": "north",
        "card_uuid": "c1",
        "outcome": "accepted",
        "accepted_suggestions": "[]",
        "entry_hash": "e1",
    }
    return Row("feedback", whole | changes)


def overridden(key: str = "k1", since: datetime = NOW, **changes: Any) -> Row:
    whole: dict[str, Any] = {"client": "north", "patient_hash": "p1", "override_key": key, "since": since}
    return Row("override_memory", whole | changes)


SOON = NOW + timedelta(minutes=5)
