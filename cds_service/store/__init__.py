"""What must outlive a request: what was advised, what became of it, and which tokens were used.

    await store.write(*rows)       returns when they are durable: an answer leaves after that, never before

SQLite or PostgreSQL. ``rows`` says what is in the tables, ``writer`` and ``outlet`` how it gets there, ``schema`` and
``engine`` are for reading.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import weakref
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from cds_service import metrics
from cds_service.errors import NotAuthenticated
from cds_service.settings import Settings, SettingsError
from cds_service.store.database import Database, IssuedCard, UnavailableError, Write
from cds_service.store.outlet import Outlet, Question
from cds_service.store.rows import Row, utc_text
from cds_service.store.sqlite import SqliteDatabase
from cds_service.store.uses import SeenHere, TokenUse
from cds_service.store.writer import Writer

if TYPE_CHECKING:
    from sqlalchemy import Engine

__all__ = ["Row", "Store", "TokenUse", "TokenUsedError", "migrate", "purging", "reading"]

FILE = "store.sqlite3"
_SPOOL_OF_SANDBOX = 1 << 20
_PATIENCE = 5.0
"""Seconds that closing waits for each thread."""


class TokenUsedError(NotAuthenticated):
    """The token was used for another call, on whatever machine. Nothing was written."""

    def __init__(self, use: TokenUse) -> None:
        super().__init__(reason="used before", client=use.client)


class Store:
    """Any number of calls may wait in it at once."""

    def __init__(self, database: Database, folder: Path, spool_bytes: int) -> None:
        """``folder`` is for the spool."""
        self._database = database
        self._folder = folder
        self._spool_bytes = spool_bytes
        self._outlet: Outlet | None = None
        self._writer: Writer | None = None
        self._seen = SeenHere()
        self._end: Callable[[], object] = lambda: None
        self._gone: Callable[[], object] = lambda: None

    @classmethod
    def open(cls, settings: Settings) -> Store:
        """Raises ``SettingsError``.

        Sandbox mode without a place to keep anything has a temporary one, which goes with the process; it is made when
        it is first needed.
        """
        if folder := _folder(settings):
            store = cls(_database(settings, folder), folder, settings.spool_bytes)
            store.start()
            return store
        try:
            folder = Path(tempfile.mkdtemp(prefix="baclofen-cds-"))
        except OSError as error:
            raise SettingsError(f"state_dir: there is no temporary folder either ({error}); set a folder") from None
        store = cls(_database(settings, folder), folder, _SPOOL_OF_SANDBOX)
        store._gone = weakref.finalize(store, shutil.rmtree, folder, ignore_errors=True)
        return store

    def start(self) -> None:
        """Nothing when it has started. Raises ``SettingsError``."""
        self._started()

    def _started(self) -> Writer:
        if self._writer is None:
            self._outlet = Outlet(self._database, self._folder, self._spool_bytes)
            self._writer = Writer(self._outlet)
            self._end = weakref.finalize(self, _end, self._writer, self._outlet)
        return self._writer

    async def write(self, *rows: Row, use: TokenUse | None = None) -> bool:
        """All of ``rows`` or nothing. Returns when they are on a disk: in the database or, while that cannot take them,
        in the spool. False: neither could; it is counted and logged. Raises ``TokenUsedError`` (401): ``use`` was not
        the first use of its token, and nothing was written."""
        write = Write([(row.table, row.cells()) for row in rows], use)
        await self._started().write(write)
        if use and not write.first:
            metrics.token_refused("used before")
            raise TokenUsedError(use)
        return write.kept

    def note(self, use: TokenUse) -> None:
        """Written soon; nobody waits. For a call that ends in a refusal: nothing leaves that a replay could repeat."""
        self._started().note(Write((), use))

    def take(self, use: TokenUse) -> bool:
        """Whether this process has not seen the token. It has from now on. The others learn of it by ``write``."""
        return self._seen.take(use)

    async def first_use(self, client: str, jti_hash: str, expires: datetime, at: datetime | None = None) -> bool:
        """Whether nobody has used that token: no process on any machine that shares the database."""
        use = TokenUse(client, jti_hash, at or datetime.now(UTC), expires)
        if not self.take(use):
            return False
        try:
            await self.write(use=use)
        except TokenUsedError:
            return False
        return True

    async def overridden(self, client: str, patient_hash: str, since: datetime) -> frozenset[str]:
        """Keys of the cards that were overridden with a reason since then. None when the database does not answer: a
        card is then shown once more, never once too few."""
        given = (client, patient_hash, utc_text(since))
        asked = Question(lambda connection: connection.overridden(*given), frozenset[str]())
        return await self._started().ask(asked)

    async def issued(self, client: str, uuids: Sequence[str]) -> Sequence[IssuedCard]:
        """``Connection.issued``; none when the database does not answer."""
        return await self._started().ask(Question(lambda connection: connection.issued(client, uuids), ()))

    async def delete_old(self, table: str, before: datetime) -> int:
        """``Connection.delete_old``; 0 when the database does not answer."""
        given = (table, utc_text(before))
        return await self._started().ask(Question(lambda connection: connection.delete_old(*given), 0))

    @cached_property
    def engine(self) -> Engine:
        """For reports, exports and purges: nothing that a call waits for. Its transactions take the one lock that
        writing needs on SQLite, so a purge deletes a little at a time; one that only reads says so, by
        ``execution_options(reads=True)``."""
        self._started()
        return self._database.engine()

    @property
    def spooling(self) -> bool:
        """Whether records wait for the database."""
        return self._outlet is not None and self._outlet.spooling

    def healthy(self) -> bool:
        """Whether records are kept, in the database or in the spool."""
        return self._outlet is None or not self._outlet.losing

    async def close(self) -> None:
        """What is being written ends; what is in the spool stays there for the next start."""
        await asyncio.to_thread(self._end)
        if "engine" in vars(self):
            self.engine.dispose()
        self._gone()


def _end(writer: Writer, outlet: Outlet) -> None:
    writer.close(_PATIENCE)
    outlet.close(_PATIENCE)


def prepare(settings: Settings) -> None:
    """What every process that opens the store would otherwise find out, or do, for itself. Raises ``SettingsError``."""
    if folder := _folder(settings):
        with contextlib.suppress(UnavailableError):
            _database(settings, folder).connect().close()


def migrate(settings: Settings) -> None:
    """Brings the tables up to date; what ``baclofen-cds migrate`` does. Raises ``SettingsError``."""
    folder = _folder(settings)
    if folder is None and not settings.database:
        raise SettingsError("database: there is nothing to migrate; set database or state_dir")
    try:
        _database(settings, folder or Path()).upgrade()
    except UnavailableError as error:
        raise SettingsError(f"database: it cannot be reached or changed now ({error.__cause__}); try again") from None


def reading(settings: Settings) -> Engine:
    """``Store.engine`` for commands beside the service, without a writer or a spool. Raises ``SettingsError``."""
    database = _existing(settings)
    try:
        database.connect().close()
    except UnavailableError as error:
        raise SettingsError(f"database: it cannot be read now ({error.__cause__}); try again") from None
    return database.engine()


def purging(settings: Settings) -> Database:
    """For ``Connection.delete_old`` beside the service. Raises ``SettingsError``."""
    return _existing(settings)


def _existing(settings: Settings) -> Database:
    folder = _folder(settings)
    if folder is None and not settings.database:
        raise SettingsError("database: nothing is kept without one; set database or state_dir as the service has it")
    if folder and (not settings.database or _is_file(settings.database)):
        file = _file(settings.database) if settings.database else folder / FILE
        if not file.exists():
            raise SettingsError(f"database: there is no {file}; name the one of the service")
    return _database(settings, folder or Path())


def _folder(settings: Settings) -> Path | None:
    """For what outlives a restart on this machine."""
    return settings.state_dir or (_file(settings.database).parent if _is_file(settings.database) else None)


def _database(settings: Settings, folder: Path) -> Database:
    if settings.database and not _is_file(settings.database):
        from cds_service.store.postgresql import PostgresqlDatabase  # noqa: PLC0415  # its driver takes 10 MB

        return PostgresqlDatabase(settings.database)
    return SqliteDatabase(_file(settings.database) if settings.database else folder / FILE)


def _is_file(url: str) -> bool:
    return url.startswith("sqlite:")


def _file(url: str) -> Path:
    return Path(unquote(urlsplit(url).path[1:]))
