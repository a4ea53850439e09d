"""What the writer asks of a database engine, and how a group of writes is one transaction on either."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Protocol

from cds_service.store.rows import KEYS, TABLES, Cells
from cds_service.store.uses import TokenUse

if TYPE_CHECKING:
    from sqlalchemy import Engine


DELETED_AT_ONCE = 200
"""Rows: calls of other workers wait meanwhile."""


IssuedCard = tuple[str, str, str, str | None, str | None]
"""Uuid, rule, moment, patient hash, override key."""


class UnavailableError(Exception):
    """The database can take nothing now: locked, full, gone, not answering. Says nothing of what was to be written."""


class UnfitError(Exception):
    """The database refuses these rows, whatever its state."""


@dataclass(slots=True, eq=False)
class Write:
    """What one caller wants written: all of it or nothing."""

    rows: Sequence[tuple[str, Cells]]
    """Table and row."""
    use: TokenUse | None = None
    """On which the others depend: nothing is written when the token was used before."""
    first: bool = True
    """Whether ``use`` was new, once it is written."""
    kept: bool = True
    """False: neither the database nor the spool could take it."""

    @property
    def record(self) -> list[tuple[str, Cells]]:
        """Everything in it, for the spool."""
        return [*self.rows, *([("used_token", self.use.cells)] if self.use else [])]


class Connection(Protocol):
    """Used by one thread at a time. Every method raises ``UnavailableError``; the connection is then of no more use."""

    def transaction(self) -> AbstractContextManager[None]:
        """Durable when it ends; nothing is left of it when it raises. May raise ``UnfitError``."""

    def claim(self, uses: Sequence[TokenUse]) -> Iterable[bool]:
        """Within a transaction: notes each token, and says whether it was new or had expired."""

    def insert(self, table: str, rows: Sequence[Cells]) -> None:
        """Within a transaction. Rows that are there already stay as they are."""

    def forget_tokens(self, now: str) -> None:
        """Some of those that expired before ``now``."""

    def overridden(self, client: str, patient_hash: str, since: str) -> frozenset[str]:
        """Override keys."""

    def issued(self, client: str, uuids: Sequence[str]) -> Sequence[IssuedCard]:
        """Uuid, rule, moment, patient hash and override key of those of these cards that the client was shown."""

    def delete_old(self, table: str, before: str) -> int:
        """Some rows of before that moment, for good; how many."""

    def close(self) -> None: ...


class Database(Protocol):
    def connect(self) -> Connection:
        """Raises ``UnavailableError``, and ``SettingsError`` for a schema that this release cannot work with."""

    def upgrade(self) -> None:
        """Brings the tables up to date. Raises ``UnavailableError`` and ``SettingsError``."""

    def engine(self) -> Engine: ...


def commit(connection: Connection, writes: Sequence[Write]) -> None:
    """All of ``writes``, durably, or nothing."""
    with connection.transaction():
        using = {write.use: write for write in writes if write.use}
        if using:
            uses = sorted(using)
            for use, first in zip(uses, connection.claim(uses), strict=True):
                using[use].first = first
        for table, rows in _by_table(writes):
            connection.insert(table, rows)


def _by_table(writes: Iterable[Write]) -> Iterator[tuple[str, list[Cells]]]:
    """Tables, and rows by their keys, always in the same order: two workers then never wait for each other."""
    tables: dict[str, list[Cells]] = {}
    for write in writes:
        if write.first:
            for table, cells in write.rows:
                tables.setdefault(table, []).append(cells)
    for table in sorted(tables):
        yield table, sorted(tables[table], key=_KEY_OF[table])


def _key_of(table: str) -> Any:
    columns = list(TABLES[table])
    return itemgetter(*(columns.index(name) for name in KEYS[table]))


_KEY_OF: Mapping[str, Any] = {table: _key_of(table) for table in TABLES}


def insert_statement(table: str, source: str) -> str:
    """``source``: where the rows come from, as "VALUES (?, ?)"."""
    conflict = "DO NOTHING"
    if table == "override_memory":
        conflict = (
            f"({', '.join(KEYS[table])}) DO UPDATE SET since = excluded.since"
            " WHERE excluded.since > override_memory.since"
        )
    return f"INSERT INTO {table} ({', '.join(TABLES[table])}) {source} ON CONFLICT {conflict}"


def claim_statement(mark: str) -> str:
    """Client, hash, expiry, now. Changes one row when the token is new, or was used by one that has expired."""
    return (
        f"INSERT INTO used_token (client, jti_hash, expires) VALUES ({mark}, {mark}, {mark})"  # noqa: S608
        " ON CONFLICT (client, jti_hash) DO UPDATE SET expires = excluded.expires"
        f" WHERE used_token.expires < {mark}"
    )


def overridden_statement(mark: str) -> str:
    return (
        "SELECT override_key FROM override_memory"  # noqa: S608
        f" WHERE client = {mark} AND patient_hash = {mark} AND since >= {mark}"
    )


def forget_statement(mark: str, locking: str = "") -> str:
    """Some at a time: it must not hold up the others who write."""
    return (
        "DELETE FROM used_token WHERE (client, jti_hash) IN"  # noqa: S608
        f" (SELECT client, jti_hash FROM used_token WHERE expires < {mark} ORDER BY expires LIMIT 1000 {locking})"
    )


def issued_statement(mark: str, among: str) -> str:
    """Client, and what ``among`` takes: the uuids."""
    return (
        "SELECT uuid, rule, at, patient_hash, override_key FROM card"  # noqa: S608
        f" WHERE client = {mark} AND NOT silent AND uuid {among}"
    )


OLD_BY = {"hook_call": "at", "card": "at", "feedback": "received_at", "override_memory": "since"}
"""Table whose rows are kept for a time → the moment that counts."""


def old_statement(table: str, mark: str, locking: str = "") -> str:
    """Some at a time, like ``forget_statement``."""
    key, at = ", ".join(KEYS[table]), OLD_BY[table]
    return (
        f"DELETE FROM {table} WHERE ({key}) IN"  # noqa: S608
        f" (SELECT {key} FROM {table} WHERE {at} < {mark} ORDER BY {at} LIMIT {DELETED_AT_ONCE} {locking})"
    )


VERSION = "SELECT version_num FROM alembic_version"
