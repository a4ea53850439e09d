"""The whole service with a store of its own, and what it has written down."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select

from cds_service.app import create_app
from cds_service.audit import detail
from cds_service.audit.detail import Detail
from cds_service.settings import load
from cds_service.store.schema import metadata
from tests.conformance.calls import TODAY, Client, Json


class Recorded(Client):
    def __init__(self, folder: Path, **settings: Any) -> None:
        given = {"mode": "sandbox", "today": date.fromisoformat(TODAY), "state_dir": folder, **settings}
        self.app = create_app(load(**given))
        super().__init__(self.app)

    def rows(self, table: str) -> list[Json]:
        """All of a table, in no order."""
        with self.app.state.store.engine.connect() as connection:
            return [row._asdict() for row in connection.execute(select(metadata.tables[table]))]

    def call(self) -> tuple[Json, Detail]:
        """The one call that there is."""
        (row,) = self.rows("hook_call")
        return row, detail.decode(row["detail"])
