"""SQLAlchemy's engines, for migrations and for whoever reads or purges. Not for the busy path."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.pool import ConnectionPoolEntry

LONGEST_WAIT = 10
"""Seconds to wait for a writer of another process."""


def of_sqlite(path: Path) -> Engine:
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"timeout": LONGEST_WAIT})

    # The driver would begin only before the first INSERT, and commit before CREATE TABLE.
    @event.listens_for(engine, "connect")
    def _explicit(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reads = connection.get_execution_options().get("reads", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def of_postgresql(url: str, **connect: Any) -> Engine:
    return create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_size=2,
        connect_args={"application_name": "baclofen-cds", **connect},
    )
