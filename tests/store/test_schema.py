"""The tables: as the code says and as the migrations make them; and what happens when they are of another release."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import pkgutil
import sqlite3
import stat
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from cds_service.__main__ import main
from cds_service.settings import SettingsError, load
from cds_service.store import Row, Store, migrate, migrating, prepare
from cds_service.store.migrations import versions
from cds_service.store.rows import KEYS, TABLES
from cds_service.store.schema import metadata
from cds_service.store.sqlite import SqliteDatabase
from tests.store.places import NOW, Place, hook_call, kept


def test_the_migrated_schema_is_that_of_the_code(place: Place) -> None:
    store = place.open()
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []
        for table in metadata.tables.values():
            seen = inspect(connection)
            nullable = {column["name"]: column["nullable"] for column in seen.get_columns(table.name)}
            assert nullable == {column.name: column.nullable for column in table.columns}
            key = seen.get_pk_constraint(table.name)["constrained_columns"]
            assert key == [column.name for column in table.primary_key]


def test_a_new_sqlite_database_is_as_the_migrations_make_it(tmp_path: Path) -> None:
    made, migrated = SqliteDatabase(tmp_path / "made"), SqliteDatabase(tmp_path / "migrated")
    made.upgrade()
    (tmp_path / "migrated").touch()
    migrating.upgrade(migrated.engine())

    def described(file: str) -> dict[str, Any]:
        with contextlib.closing(sqlite3.connect(tmp_path / file)) as database:
            made_by = database.execute("SELECT name, sql FROM sqlite_master")
            said = {name: " ".join((sql or "").split()) for name, sql in made_by}
            return {**said, "version": database.execute("SELECT version_num FROM alembic_version").fetchall()}

    assert described("made") == described("migrated")


def test_a_difference_would_be_seen(place: Place) -> None:
    store = place.open()
    with store.engine.begin() as connection:
        connection.execute(text("ALTER TABLE card DROP COLUMN merged"))
        connection.execute(text("DROP INDEX card_at"))
        changes = compare_metadata(MigrationContext.configure(connection), metadata)
        assert [change[0] for change in changes] == ["add_column", "add_index"]


def test_rows_are_known_by_what_the_database_holds_unique(place: Place) -> None:
    """Else one that is replayed could be there twice."""
    store = place.open()
    with store.engine.connect() as connection:
        seen = inspect(connection)
        for table, key in KEYS.items():
            unique = [set(index["column_names"]) for index in seen.get_indexes(table) if index["unique"]]
            unique.append(set(seen.get_pk_constraint(table)["constrained_columns"]))
            assert set(key) in unique


def test_every_revision_is_listed_in_its_order() -> None:
    config = Config()
    config.set_main_option("script_location", "cds_service.store:migrations")
    scripts = ScriptDirectory.from_config(config)
    assert tuple(script.revision for script in scripts.walk_revisions())[::-1] == migrating.VERSIONS
    modules = [
        importlib.import_module(f"{versions.__name__}.{found.name}")
        for found in pkgutil.iter_modules(versions.__path__)
    ]
    assert sorted(module.revision for module in modules) == list(migrating.VERSIONS)


def test_migrating_twice_changes_nothing(place: Place) -> None:
    store = place.open()
    asyncio.run(store.write(hook_call(id="a")))
    migrate(place.settings)
    assert kept(place.open()) == {"a"}


def test_tables_of_a_newer_release_are_refused(place: Place) -> None:
    store = place.open()
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for way in (Store.open, prepare, migrate):
        with pytest.raises(SettingsError, match=r"database: .* of a newer release .*install that release"):
            way(place.settings)


def test_sqlite_is_migrated_at_start_and_postgresql_on_request(place: Place) -> None:
    """Whoever has several machines decides when; all of them stand still or work meanwhile."""
    if place.server:
        for way in (Store.open, prepare):
            with pytest.raises(SettingsError, match="no tables yet; make them with: baclofen-cds migrate"):
                way(place.settings)
    else:
        prepare(place.settings)
        place.opened.append(Store.open(place.settings))
        assert kept(place.opened[0]) == set()


def test_older_tables_of_postgresql_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "VERSIONS", (*migrating.VERSIONS, "9000"))
    monkeypatch.setattr(migrating, "CURRENT", "9000")
    with pytest.raises(SettingsError) as refused:
        migrating.refuse_unless_current("0001")
    assert "an older release (version 0001, needed is 9000); make a backup, then run: baclofen-cds migrate" in str(
        refused.value
    )


def test_tables_that_are_changed_while_the_service_runs(place: Place) -> None:
    """A newer release has migrated them: what its connection can take it takes; what not waits in the spool."""
    store = place.open()
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    asyncio.run(store.write(hook_call(id="a")))
    with place.taken_away():
        asyncio.run(store.write(hook_call(id="b")))
    asyncio.run(asyncio.sleep(0.6))
    assert store.healthy()
    assert kept(store) == {"a"}
    with store.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :version"), {"version": migrating.CURRENT})
    for _ in range(200):
        if not store.spooling:
            break
        asyncio.run(asyncio.sleep(0.05))
    assert kept(store) == {"a", "b"}


# ----------------------------------------------------------------------------------------------------------- settings


def test_the_file_is_private(tmp_path: Path) -> None:
    with Place(tmp_path, f"sqlite:///{tmp_path}/advice.db", None) as place:
        asyncio.run(place.open().write(hook_call()))
        for file in tmp_path.iterdir():
            assert stat.S_IMODE(file.stat().st_mode) == 0o600, file.name


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"state_dir": "{folder}/absent"}, "database: .*absent/store.sqlite3 cannot be used .*set a file in a folder"),
        ({"database": "sqlite:///{folder}/other"}, "database: .*other cannot be used .*not a database"),
        ({"database": "sqlite:///{folder}"}, "database: .* cannot be used"),
    ],
)
def test_a_place_that_cannot_be_used_stops_the_start(tmp_path: Path, given: Mapping[str, str], said: str) -> None:
    (tmp_path / "other").write_bytes(b"no database " * 1000)
    chosen: dict[str, Any] = {name: value.format(folder=tmp_path) for name, value in given.items()}
    settings = load(mode="sandbox", **chosen)
    with pytest.raises(SettingsError, match=said):
        Store.open(settings)


def test_a_sandbox_without_a_place_has_a_temporary_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    store = Store.open(load(mode="sandbox"))
    assert [file for folder in tmp_path.iterdir() for file in folder.iterdir()] == [], "made when it is needed"
    asyncio.run(store.write(hook_call(id="a")))
    assert kept(store) == {"a"}
    asyncio.run(store.close())
    assert list(tmp_path.iterdir()) == []


def test_migrate_says_what_it_did(place: Place, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "baclofen.toml"
    config.write_text(f'mode = "sandbox"\nstate_dir = "."\ndatabase = "{place.url}"\n')
    assert main(["migrate", "--config", str(config)]) == 0
    assert capsys.readouterr().out == f"baclofen-cds: the database has the tables of version {migrating.CURRENT}\n"
    assert kept(place.open()) == set()


def test_migrate_without_a_database(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", "--sandbox"]) == 2
    assert "database: there is nothing to migrate; set database or state_dir" in capsys.readouterr().err


def test_migrate_when_the_server_does_not_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "baclofen.toml"
    config.write_text(f'mode = "sandbox"\nstate_dir = "."\ndatabase = "postgresql://me:canary@/cds?host={tmp_path}"\n')
    assert main(["migrate", "--config", str(config)]) == 2
    said = capsys.readouterr().err
    assert "database: it cannot be reached or changed now" in said
    assert "canary" not in said


# --------------------------------------------------------------------------------------------------------------- rows


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"status": "200"}, TypeError),
        ({"at": "2026-11-24"}, TypeError),
        ({"at": None}, TypeError),
        ({"milliseconds": None}, TypeError),
        ({"detail": {}}, TypeError),
        ({"surname": "x"}, LookupError),
    ],
)
def test_a_wrong_row_is_refused_where_it_is_made(changes: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        hook_call(**changes)


def test_a_row_of_no_table() -> None:
    with pytest.raises(LookupError):
        Row("patient", {})


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="without a zone"):
        hook_call(at=NOW.replace(tzinfo=None)).cells()


def test_columns_that_may_be_null_can_be_left_out() -> None:
    whole = {name: "x" for name, kind in TABLES["card"].items() if kind is str}
    cells = Row("card", {**whole, "at": NOW, "silent": True}).cells()
    assert cells[-2:] == (None, None)
    assert cells[2] == "2026-11-24T12:00:00.000000Z"
    assert isinstance(NOW, datetime)
