"""PostgreSQL, for several machines: any number of services share one database."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import psycopg
from psycopg.abc import RV, PQGen
from psycopg.conninfo import conninfo_to_dict

from cds_service.store import migrating
from cds_service.store.database import (
    OLD_BY,
    VERSION,
    IssuedCard,
    UnavailableError,
    UnfitError,
    claim_statement,
    forget_statement,
    insert_statement,
    issued_statement,
    old_statement,
    overridden_statement,
)
from cds_service.store.migrating import Standing
from cds_service.store.rows import KEYS, TABLES, Cells, utc_text
from cds_service.store.uses import TokenUse

if TYPE_CHECKING:
    from sqlalchemy import Engine

LONGEST_WAIT = 0.25
"""Seconds without an answer after which the database counts as gone."""
LONGEST_CONNECT = 2
"""Seconds; libpq takes no less. ``connect_timeout`` in the URL stands above it."""


def _rows_of_json(table: str) -> str:
    """All rows of a group as one value: a message for each would cost twice the time here. Of rows of one key one
    only: a statement may not change a row twice."""
    columns, key = ", ".join(TABLES[table]), ", ".join(KEYS[table])
    latest = f"DISTINCT ON ({key}) " if table == "override_memory" else ""
    order = f" ORDER BY {key}, since DESC" if latest else ""
    return f"SELECT {latest}{columns} FROM json_populate_recordset(NULL::{table}, %s){order}"  # noqa: S608


_INSERT = {table: insert_statement(table, _rows_of_json(table)) for table in TABLES}
_encode = msgspec.json.Encoder().encode
_CLAIM = claim_statement("%s")
_OVERRIDDEN = overridden_statement("%s")
_ISSUED = issued_statement("%s", "= ANY(%s)")
_OLD = {table: old_statement(table, "%s", "FOR UPDATE SKIP LOCKED") for table in OLD_BY}
_FORGET = forget_statement("%s", "FOR UPDATE SKIP LOCKED")
# A server that acknowledges before its disk has it would make an answer leave before its record is durable.
_DURABLE = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"


# What it says of a connection that was lost is said by our own log too, without names of hosts and users.
logging.getLogger("psycopg").disabled = True

_Kind = TypeVar("_Kind", bound=psycopg.Connection[Any])


class _Bounded(psycopg.Connection[Any]):
    """One that does not wait for ever: a server may hang, or the network swallow what is sent. It is closed at once
    then, since to end a transaction in good order would be to wait again."""

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        try:
            return super().wait(gen, interval, LONGEST_WAIT if timeout is None else timeout)
        except psycopg.OperationalError:
            self.close()
            raise


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (psycopg.IntegrityError, psycopg.DataError) as error:
        raise UnfitError from error
    except (psycopg.Error, OSError) as error:
        raise UnavailableError from error


class PostgresqlDatabase:
    def __init__(self, url: str) -> None:
        self._url = url

    def connect(self) -> PostgresqlConnection:
        with _translated():
            return PostgresqlConnection(self._url)

    def upgrade(self) -> None:
        with _translated():
            with contextlib.closing(_connect(psycopg.Connection, self._url)) as database:
                version = _version(database)
            match migrating.standing(version):
                case Standing.EMPTY | Standing.OLDER:
                    migrating.upgrade(self.engine())
                case Standing.NEWER:
                    raise migrating.newer()
                case Standing.CURRENT:
                    pass

    def engine(self) -> Engine:
        from cds_service.store import engines  # noqa: PLC0415  # SQLAlchemy takes 11 MB, and no call needs it

        return engines.of_postgresql(self._url)


class PostgresqlConnection:
    def __init__(self, url: str) -> None:
        self._database = _connect(_Bounded, url)
        try:
            self._database.execute(_DURABLE)
            migrating.refuse_unless_current(_version(self._database))
        except BaseException:
            self._database.close()
            raise

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        with _translated(), self._database.pipeline(), self._database.transaction():
            yield

    def claim(self, uses: Sequence[TokenUse]) -> Iterable[bool]:
        with self._database.cursor() as cursor:
            cursor.executemany(_CLAIM, [(*use.cells, utc_text(use.at)) for use in uses], returning=True)
            return [result.rowcount == 1 for result in cursor.results()]

    def insert(self, table: str, rows: Sequence[Cells]) -> None:
        columns = TABLES[table]
        objects = [dict(zip(columns, row, strict=True)) for row in rows]
        self._database.execute(_INSERT[table], (_encode(objects).decode(),))

    def forget_tokens(self, now: str) -> None:
        with self.transaction():
            self._database.execute(_FORGET, (now,))

    def overridden(self, client: str, patient_hash: str, since: str) -> frozenset[str]:
        with _translated():
            found = self._database.execute(_OVERRIDDEN, (client, patient_hash, since))
            return frozenset(key for (key,) in found)

    def issued(self, client: str, uuids: Sequence[str]) -> Sequence[IssuedCard]:
        with _translated():
            found = self._database.execute(_ISSUED, (client, list(uuids)))
            return [(uuid, rule, utc_text(at), *others) for uuid, rule, at, *others in found]

    def delete_old(self, table: str, before: str) -> int:
        with _translated():
            return self._database.execute(_OLD[table], (before,)).rowcount

    def close(self) -> None:
        self._database.close()


def _connect(kind: type[_Kind], url: str) -> _Kind:
    waiting: dict[str, Any] = {} if "connect_timeout" in conninfo_to_dict(url) else {"connect_timeout": LONGEST_CONNECT}
    return kind.connect(url, autocommit=True, fallback_application_name="baclofen-cds", **waiting)


def _version(database: psycopg.Connection[Any]) -> str | None:
    table = database.execute("SELECT to_regclass('alembic_version')").fetchone()
    row = database.execute(VERSION).fetchone() if table and table[0] else None
    return str(row[0]) if row else None
