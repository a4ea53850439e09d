"""The Medication resources of the export, kept on disk: orders refer to them, and there can be one for each order."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_AT_ONCE = 500
"""Below the number of values that one query may have."""


@dataclass(frozen=True, slots=True)
class Products:
    """Of one export. Without a Medication file there are none."""

    folder: Path

    def keep(self, products: Iterable[tuple[str, bool, bytes]]) -> None:
        """Each with its id and whether it is baclofen."""
        with closing(sqlite3.connect(self._file)) as database, database:
            database.execute("CREATE TABLE IF NOT EXISTS product (id TEXT PRIMARY KEY, baclofen INTEGER, line BLOB)")
            database.executemany("INSERT OR REPLACE INTO product VALUES (?, ?, ?)", products)

    def of_baclofen(self) -> frozenset[str]:
        """Their ids."""
        return frozenset(self._ask("SELECT id FROM product WHERE baclofen", ()))

    def lines(self, ids: Iterable[str]) -> list[bytes]:
        """Those that the export has."""
        asked = sorted(set(ids))
        return [line for at in range(0, len(asked), _AT_ONCE) for line in self._lines(asked[at : at + _AT_ONCE])]

    def _lines(self, ids: list[str]) -> Iterator[bytes]:
        marks = ", ".join("?" * len(ids))
        yield from self._ask(f"SELECT line FROM product WHERE id IN ({marks})", ids)  # noqa: S608  # only marks

    def _ask(self, query: str, values: Iterable[str]) -> list[Any]:
        if not self._file.exists():
            return []
        with closing(sqlite3.connect(f"{self._file.as_uri()}?mode=ro", uri=True)) as database:
            return [row[0] for row in database.execute(query, tuple(values))]

    @property
    def _file(self) -> Path:
        return self.folder / "products.sqlite3"
