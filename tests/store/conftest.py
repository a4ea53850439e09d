from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import postgresql as postgresql_of
from tests.postgresql import Server
from tests.store.places import Place


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    try:
        with postgresql_of.running() as server:
            yield server
    except LookupError as error:
        pytest.skip(f"needs PostgreSQL: {error}")


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "SQLite":
        place = Place(tmp_path, f"sqlite:///{tmp_path}/advice.db", None)
    else:
        server: Server = request.getfixturevalue("postgresql")
        place = Place(tmp_path, server.new_database(), server)
    with place:
        yield place
