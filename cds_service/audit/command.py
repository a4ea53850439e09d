"""``baclofen-cds purge`` and ``baclofen-cds export``: what is kept, deleted and handed on."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable
from contextlib import closing, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from cds_service import retention
from cds_service.audit import export as exports
from cds_service.comments import Comments
from cds_service.settings import Settings, SettingsError
from cds_service.store import purging, reading
from cds_service.store.database import Connection, UnavailableError
from cds_service.store.rows import utc_text

ATTEMPTS = 40
"""The service may be writing; each waits for a quarter of a second."""


def purge(settings: Settings) -> int:
    """The exit code. Raises ``SettingsError``."""
    before = retention.ends(datetime.now(UTC), settings.audit_days)
    try:
        with closing(purging(settings).connect()) as connection:
            gone = asyncio.run(retention.purge(_patiently(connection), before))
    except UnavailableError as error:
        print(f"baclofen-cds: the database does not answer ({error.__cause__}). Run it again.", file=sys.stderr)
        return 1
    parts = ", ".join(f"{rows} of {table}" for table, rows in gone.items())
    print(f"baclofen-cds: deleted what is older than {settings.audit_days} days: {parts}")
    return 0


def _patiently(connection: Connection) -> retention.Delete:
    async def delete(table: str, before: datetime) -> int:
        for _ in range(ATTEMPTS - 1):
            try:
                return connection.delete_old(table, utc_text(before))
            except UnavailableError:
                await asyncio.sleep(0)
        return connection.delete_old(table, utc_text(before))

    return delete


def _moment(option: str, text: str) -> datetime:
    """A date is midnight UTC. Raises ``SettingsError``."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise SettingsError(f"{option}: is no date; write YYYY-MM-DD, or YYYY-MM-DDTHH:MM:SSZ") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _private(path: Path) -> BinaryIO:
    """Nobody else may read it."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")


def export(settings: Settings, form: str, since: str | None, until: str | None, out: Path | None) -> int:
    """The exit code. Raises ``SettingsError``."""
    begin = _moment("--since", since) if since else datetime.min.replace(tzinfo=UTC)
    end = _moment("--until", until) if until else datetime.max.replace(tzinfo=UTC)
    engine = reading(settings)
    lines: Iterable[bytes]
    if form == "comments":
        lines = exports.comments(engine, begin, end, Comments.of(settings.comment_key.get_secret_value()))
    else:
        lines = exports.lines(engine, begin, end, exports.FORMATS[form])
    try:
        with _private(out) if out else nullcontext(sys.stdout.buffer) as file:
            file.writelines(lines)
    except BrokenPipeError:
        return 1
    except OSError as error:
        print(f"baclofen-cds: cannot write to {out}: {error.strerror}", file=sys.stderr)
        return 2
    finally:
        engine.dispose()
    return 0
