"""The embedded database: one file, shared by the workers of one machine."""

from __future__ import annotations

import contextlib
import errno
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cds_service.settings import SettingsError
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
from cds_service.store.rows import TABLES, Cells, utc_text
from cds_service.store.uses import TokenUse

if TYPE_CHECKING:
    from sqlalchemy import Engine

LONGEST_WAIT = 0.25
"""Seconds to wait for another worker's write, which takes some milliseconds."""

_INSERT = {
    table: insert_statement(table, f"VALUES ({', '.join('?' * len(columns))})") for table, columns in TABLES.items()
}
_CLAIM = claim_statement("?")
_OVERRIDDEN = overridden_statement("?")
_FORGET = forget_statement("?")
_ISSUED = issued_statement("?", "IN (SELECT value FROM json_each(?))")
_OLD = {table: old_statement(table, "?") for table in OLD_BY}


_PASSING = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR}
_PASSING_OF_SYSTEM = {errno.ENOSPC, errno.EDQUOT, errno.EIO}


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sqlite3.IntegrityError, sqlite3.DataError, OverflowError) as error:
        raise UnfitError from error
    except (sqlite3.Error, OSError) as error:
        raise UnavailableError from error


def _may_pass(error: BaseException) -> bool:
    """Whether it is a state of the machine (locked, full) rather than a wrong setting."""
    if isinstance(error, sqlite3.Error):
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _PASSING
    return isinstance(error, OSError) and error.errno in _PASSING_OF_SYSTEM


class SqliteDatabase:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._known = False

    def connect(self) -> SqliteConnection:
        """The first time: makes the file and brings its tables up to date. Later a file that is gone stays gone: an
        empty one in its place would look as if nothing had ever been written."""
        if not self._known:
            self.upgrade()
            self._known = True
        with _translated():
            return SqliteConnection(self._path)

    def upgrade(self) -> None:
        try:
            self._path.touch(mode=0o600)
            with contextlib.closing(_open(self._path)) as database:
                database.execute("PRAGMA journal_mode=WAL")
                version = _version(database)
            match migrating.standing(version):
                case Standing.EMPTY:
                    _make_tables(self._path)
                case Standing.OLDER:
                    migrating.upgrade(self.engine())
                case Standing.NEWER:
                    raise migrating.newer()
                case Standing.CURRENT:
                    pass
        except (OSError, sqlite3.Error) as error:
            raise (UnavailableError() if _may_pass(error) else _unusable(self._path, error)) from error

    def engine(self) -> Engine:
        from cds_service.store import engines  # noqa: PLC0415  # SQLAlchemy takes 11 MB, and no call needs it

        return engines.of_sqlite(self._path)


class SqliteConnection:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = _open(path)
        self._inode = path.stat().st_ino
        migrating.refuse_unless_current(_version(self._database))
        # The first write makes the file that all others are appended to: no call should wait for that.
        with contextlib.suppress(sqlite3.OperationalError):
            self._database.execute("PRAGMA user_version = 0")

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        with _translated():
            if self._path.stat().st_ino != self._inode:
                raise FileNotFoundError("the file was replaced")
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):
                    self._database.execute("ROLLBACK")
                raise

    def claim(self, uses: Sequence[TokenUse]) -> Iterable[bool]:
        return [self._database.execute(_CLAIM, (*use.cells, utc_text(use.at))).rowcount == 1 for use in uses]

    def insert(self, table: str, rows: Sequence[Cells]) -> None:
        self._database.executemany(_INSERT[table], rows)

    def forget_tokens(self, now: str) -> None:
        with self.transaction():
            self._database.execute(_FORGET, (now,))

    def overridden(self, client: str, patient_hash: str, since: str) -> frozenset[str]:
        with _translated():
            found = self._database.execute(_OVERRIDDEN, (client, patient_hash, since))
            return frozenset(key for (key,) in found)

    def issued(self, client: str, uuids: Sequence[str]) -> Sequence[IssuedCard]:
        with _translated():
            return self._database.execute(_ISSUED, (client, json.dumps(uuids))).fetchall()

    def delete_old(self, table: str, before: str) -> int:
        with self.transaction():
            return self._database.execute(_OLD[table], (before,)).rowcount

    def close(self) -> None:
        self._database.close()


def _open(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=LONGEST_WAIT, isolation_level=None,
        check_same_thread=False,
    )  # fmt: skip
    # An acknowledged record outlives a power failure; the journal mode is in the file, this is not.
    database.execute("PRAGMA synchronous=FULL")
    # What is purged is overwritten, not only forgotten.
    database.execute("PRAGMA secure_delete=ON")
    return database


NEW = Path(__file__).with_name("new.sql")


def _make_tables(path: Path) -> None:
    """In one transaction; others who try at the same time wait and find it done."""
    with contextlib.closing(_open(path)) as database:
        database.execute("BEGIN IMMEDIATE")
        if _version(database) is None:
            for statement in NEW.read_text(encoding="utf-8").split(";"):
                database.execute(statement)
        database.execute("COMMIT")


def _version(database: sqlite3.Connection) -> str | None:
    if not database.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone():
        return None
    row = database.execute(VERSION).fetchone()
    return str(row[0]) if row else None


def _unusable(path: Path, error: BaseException) -> SettingsError:
    return SettingsError(
        f"database: {path} cannot be used ({error}); set a file in a folder that exists and that this user may write, "
        "on a disk with room"
    )
