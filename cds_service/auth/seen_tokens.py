"""Which tokens were used: one token, one call (checklist J11).

A token is remembered until it expires, by a hash of issuer and ``jti``: what is stored tells nothing.
"""

from __future__ import annotations

import sqlite3
from hashlib import blake2b
from pathlib import Path
from typing import Protocol

from cds_service import log, metrics
from cds_service.settings import SettingsError

FILE = "seen-tokens.sqlite3"
PURGED_EVERY = 60.0
"""Seconds."""
LONGEST_WAIT = 0.25
"""Seconds to wait for another worker's write, which takes some microseconds."""


class SeenTokens(Protocol):
    def first_use(self, issuer: str, jti: str, *, until: float, now: float) -> bool:
        """Whether this token was not seen before; it is remembered until ``until``. Both in seconds since 1970."""
        ...


def of(state_dir: Path | None) -> SeenTokens:
    """Shared by workers and kept over restarts in ``state_dir``; else in this process. Raises ``SettingsError``."""
    return InThisProcess() if state_dir is None else InSqlite(state_dir / FILE)


class InThisProcess:
    """Forgets at a restart: a token that was used shortly before could be used once more."""

    def __init__(self) -> None:
        self._until: dict[bytes, float] = {}
        self._purged = 0.0

    def first_use(self, issuer: str, jti: str, *, until: float, now: float) -> bool:
        return self.first(_hash(issuer, jti), until, now)

    def first(self, token: bytes, until: float, now: float) -> bool:
        if now > self._purged + PURGED_EVERY:
            self._purged = now
            self._until = {seen: end for seen, end in self._until.items() if end >= now}
        if self._until.get(token, -1) >= now:
            return False
        self._until[token] = until
        return True


class InSqlite:
    """One file for all workers of one machine.

    When it fails (disk full, file gone) the token is remembered in this process instead: an order must not go unchecked
    for that. It is logged as an error and counted.
    """

    def __init__(self, path: Path) -> None:
        self._instead = InThisProcess()
        self._purged = 0.0
        try:
            path.touch(mode=0o600)
            self._database = sqlite3.connect(path, timeout=LONGEST_WAIT, isolation_level=None)
            self._database.execute("PRAGMA journal_mode=WAL")
            # The last moments before a power failure may be forgotten, not those before a crash or kill.
            self._database.execute("PRAGMA synchronous=NORMAL")
            self._database.execute(
                "CREATE TABLE IF NOT EXISTS seen (token BLOB PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID"
            )
            self._database.execute("CREATE INDEX IF NOT EXISTS seen_until ON seen (until)")
        except (OSError, sqlite3.Error) as error:
            raise SettingsError(
                f"state_dir: {path} cannot be written ({error}); set a folder that exists and that this user may write"
            ) from None

    def first_use(self, issuer: str, jti: str, *, until: float, now: float) -> bool:
        token = _hash(issuer, jti)
        try:
            if now > self._purged + PURGED_EVERY:
                self._purged = now
                self._database.execute("DELETE FROM seen WHERE until < ?", (now,))
            written = self._database.execute(
                "INSERT INTO seen VALUES (?, ?)"
                " ON CONFLICT (token) DO UPDATE SET until = excluded.until WHERE until < ?",
                (token, until, now),
            )
        except sqlite3.Error as error:
            log.failed("used tokens cannot be stored", error)
            metrics.token_store_failed()
            return self._instead.first(token, until, now)
        return written.rowcount == 1


def _hash(issuer: str, jti: str) -> bytes:
    return blake2b(f"{len(issuer)} {issuer}{jti}".encode(), digest_size=16).digest()
