"""Where records go: into the database; when it cannot take them, into the spool until it can.

    write ──▶ database                                  all is well
          └─▶ spool ──▶ (the mender) ──▶ database       it is locked, full, gone, or does not answer
          └─▶ lost                                      the spool too is full or fails: counted

A database that fails is left alone: the mender, a thread of its own, tries to reach it, brings it what is in the spool,
and only then hands its connection over. Replaying is safe at any time and any number of times: a row that is there
already is not written again, and nothing depends on the order of two records.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock, Thread
from time import perf_counter
from typing import Generic, Literal, TypeVar

from cds_service import log, metrics
from cds_service.settings import SettingsError
from cds_service.store import spool as spool_of
from cds_service.store.database import Connection, Database, UnavailableError, UnfitError, Write, commit
from cds_service.store.spool import Spool

SHORTEST_PAUSE, LONGEST_PAUSE = 0.25, 15.0
"""Seconds between two attempts to reach the database again."""
REPLAYED_AT_ONCE = 50
"""Few: other workers write meanwhile."""

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Question(Generic[_Answer]):
    """What is asked of the database, and what is said when it does not answer."""

    ask: Callable[[Connection], _Answer]
    otherwise: _Answer


class Outlet:
    """``write`` and ``ask`` are called by one thread."""

    def __init__(self, database: Database, folder: Path, spool_bytes: int) -> None:
        """Raises ``SettingsError``. A database that only cannot be reached stops nothing."""
        self._database = database
        self._folder = folder
        self._spool_bytes = spool_bytes
        self._lock = Lock()
        """For the next three."""
        self._connection: Connection | None = None
        self._spool: Spool | None = None
        self._losing = False
        self._closing = Event()
        self._mender: Thread | None = None
        try:
            self._connection = database.connect()
        except UnavailableError as error:
            log.failed("the database cannot be reached: records are spooled", error.__cause__ or error)
        left_behind = self._prepare_spool()
        if left_behind or not self._connection:
            self._mend(left_behind)

    def _prepare_spool(self) -> list[Spool]:
        """Reserves ours; those of processes that have ended."""
        try:
            self._spool = Spool.reserve(self._folder, self._spool_bytes)
            found = list(Spool.left_behind(self._folder))
        except OSError as error:
            log.failed("no room for a spool", error)
            return []
        for spool in found:
            if not spool.used_bytes:
                spool.close()
        return [spool for spool in found if spool.used_bytes]

    @property
    def spooling(self) -> bool:
        return self._connection is None

    @property
    def losing(self) -> bool:
        """Whether the last record could be kept nowhere."""
        return self._losing

    def write(self, writes: Sequence[Write]) -> None:
        """Each is durable when it returns, or counted as lost."""
        with self._lock:
            connection = self._connection
            if connection is None:
                self._keep(writes)
                return
        started = perf_counter()
        try:
            _commit(connection, writes, "database")
        except UnavailableError as error:
            with self._lock:
                self._connection = None
                self._keep(writes)
            log.failed("the database takes no records: they are spooled", error.__cause__ or error)
            connection.close()
            self._mend([])
        else:
            metrics.store_committed(perf_counter() - started)

    def ask(self, question: Question[_Answer]) -> _Answer:
        if connection := self._connection:
            try:
                return question.ask(connection)
            except (UnavailableError, UnfitError) as error:
                log.failed("the database cannot be read", error.__cause__ or error)
        return question.otherwise

    def forget_tokens(self, before: str) -> None:
        """Some of those that expired before that moment."""
        if connection := self._connection:
            try:
                connection.forget_tokens(before)
            except UnavailableError as error:
                log.failed("used tokens that have expired cannot be deleted", error.__cause__ or error)

    def close(self, patience: float) -> None:
        """What is in the spool stays there for the next start. ``patience`` in seconds."""
        self._closing.set()
        if self._mender:
            self._mender.join(patience)
            if self._mender.is_alive():
                # It reads in the spool yet; both go with the process.
                return
        with self._lock:
            if self._connection:
                self._connection.close()
            if self._spool:
                self._spool.close()

    def _keep(self, writes: Sequence[Write]) -> None:
        """In the spool, as many as have room. The caller holds the lock."""
        waiting = [write for write in writes if write.first]
        lines = [spool_of.line(write.record) for write in waiting]
        kept = 0
        try:
            if self._spool is None:
                self._spool = Spool.reserve(self._folder, self._spool_bytes)
            kept = self._spool.append(lines)
        except OSError as error:
            log.failed("the spool cannot be written", error)
        self._losing = kept < len(lines)
        for write in waiting[kept:]:
            write.kept = False
        metrics.store_records("spool", kept)
        metrics.store_records("lost", len(lines) - kept)

    # ---------------------------------------------------------------------------------------------------- the mender

    def _mend(self, left_behind: list[Spool]) -> None:
        self._mender = Thread(target=self._mending, args=(left_behind,), name="store mender", daemon=True)
        self._mender.start()

    def _mending(self, left_behind: list[Spool]) -> None:
        pause = 0.0
        while not self._closing.wait(pause):
            pause = min(max(2 * pause, SHORTEST_PAUSE), LONGEST_PAUSE)
            try:
                self._bring(left_behind)
            except UnavailableError:
                continue
            except (SettingsError, OSError) as error:
                log.failed("the spool cannot be replayed", error)
            else:
                log.event("the database takes records")
                break
        for spool in left_behind:
            spool.close()

    def _bring(self, left_behind: list[Spool]) -> None:
        """Raises ``UnavailableError``, ``OSError``; ``SettingsError`` when somebody changed the tables meanwhile."""
        connection = self._database.connect()
        try:
            for spool in left_behind:
                _replay(connection, spool, 0)
                spool.empty()
            self._hand_over(connection)
        except BaseException:
            connection.close()
            raise

    def _hand_over(self, connection: Connection) -> None:
        """The writer gets it when nothing is left in the spool. It spools on meanwhile."""
        end = 0
        while True:
            with self._lock:
                spool = self._spool
                if spool is None or end == spool.used_bytes:
                    if spool:
                        spool.empty()
                    if self._connection:
                        connection.close()
                    else:
                        self._connection = connection
                    self._losing = False
                    return
            end = _replay(connection, spool, end)


def _replay(connection: Connection, spool: Spool, start: int) -> int:
    """What is in ``spool`` from ``start`` on; where it ended."""
    end = spool.used_bytes
    while start < end:
        records, start, damaged = spool.records(start)
        metrics.store_records("lost", damaged)
        for first in range(0, len(records), REPLAYED_AT_ONCE):
            _commit(connection, [Write(record) for record in records[first : first + REPLAYED_AT_ONCE]], "replayed")
    return start


def _commit(connection: Connection, writes: Sequence[Write], came: Literal["database", "replayed"]) -> None:
    """Together; if the database refuses something of it, each by itself."""
    try:
        commit(connection, writes)
    except UnfitError as error:
        if len(writes) > 1:
            for write in writes:
                _commit(connection, [write], came)
            return
        log.failed("the database refuses a record", error.__cause__ or error)
        writes[0].kept = False
        metrics.store_records("lost", 1)
    else:
        metrics.store_records(came, len(writes))
