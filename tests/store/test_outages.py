"""A database that cannot take records: locked, full, gone, hung. Nothing is lost, no call waits for long."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from prometheus_client import REGISTRY

from cds_service.store import Store
from cds_service.store.outlet import Outlet
from cds_service.store.sqlite import SqliteConnection
from tests.store.places import NOW, SOON, Place, card, count, hook_call, kept, overridden, told


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mender looks more often than in service."""
    monkeypatch.setattr("cds_service.store.outlet.SHORTEST_PAUSE", 0.02)
    monkeypatch.setattr("cds_service.store.outlet.LONGEST_PAUSE", 0.1)


class Counted:
    """What was counted since it was made."""

    def __init__(self) -> None:
        self._before = {kind: self._now(kind) for kind in ("database", "spool", "replayed", "lost")}

    @staticmethod
    def _now(kind: str) -> float:
        return REGISTRY.get_sample_value("baclofen_cds_store_records_total", {"kept": kind}) or 0

    def __getitem__(self, kind: str) -> float:
        return self._now(kind) - self._before[kind]


@pytest.fixture
def counted() -> Counted:
    return Counted()


def write_calls(store: Store, *names: str) -> float:
    """Together; the seconds that they waited."""

    async def together() -> None:
        await asyncio.gather(*(store.write(call, card(call)) for call in (hook_call(id=name) for name in names)))

    begun = time.monotonic()
    asyncio.run(together())
    return time.monotonic() - begun


def until(holds: Callable[[], bool]) -> None:
    for _ in range(1000):
        if holds():
            return
        time.sleep(0.01)
    raise AssertionError("not within ten seconds")


def test_records_wait_and_are_replayed(place: Place, counted: Counted, capsys: pytest.CaptureFixture[str]) -> None:
    store = place.open()
    write_calls(store, "before")
    with place.taken_away():
        assert write_calls(store, "a", "b") < 1.5
        assert store.spooling
        assert write_calls(store, "c", "d") < 0.2, "one that is known to be away is not asked again"
        assert store.healthy()
        assert (counted["spool"], counted["lost"]) == (4, 0)
    until(lambda: not store.spooling)
    write_calls(store, "after")
    assert kept(store) == {"before", "a", "b", "c", "d", "after"}
    assert count(store, "card") == 6
    assert (counted["database"], counted["replayed"], counted["lost"]) == (2, 4, 0)
    said = capsys.readouterr().err
    assert said.count("the database takes no records: they are spooled") == 1
    assert said.count("the database takes records") == 1


def test_whatever_is_written_while_the_spool_is_replayed_is_kept_too(place: Place) -> None:
    store = place.open()
    names = [f"w{number}" for number in range(400)]
    with place.taken_away():
        write_calls(store, *names[:300])
    for name in names[300:]:
        write_calls(store, name)
    until(lambda: not store.spooling)
    assert kept(store) == set(names)


def test_records_outlive_their_process(place: Place) -> None:
    """The database stays away, the service is restarted twice."""
    first = place.open()
    with place.taken_away():
        write_calls(first, "a")
        asyncio.run(first.close())
        second = Store.open(place.settings)
        assert write_calls(second, "b") < 1.5
        asyncio.run(second.close())
        third = Store.open(place.settings)
        place.opened.append(third)
        write_calls(third, "c")
        assert len(list(place.folder.glob("spool-*"))) == 3
    until(lambda: kept(third) == {"a", "b", "c"})
    until(lambda: len(list(place.folder.glob("spool-*"))) == 1)
    asyncio.run(third.close())
    assert list(place.folder.glob("spool-*")) == [], "nothing waits in it"


def test_replaying_twice_changes_nothing(place: Place) -> None:
    """As when the process ends between the last commit and the emptying of the spool."""
    store = place.open()
    now = datetime.now(UTC)
    with place.taken_away():
        call = hook_call()
        rows = [call, card(call), told(), overridden("k1", now), overridden("k1", now - timedelta(days=1))]
        for row in rows:
            asyncio.run(store.write(row))
        assert asyncio.run(store.first_use("north", "j1", SOON, NOW))
        (spool,) = place.folder.glob("spool-*")
        copy = spool.read_bytes()
    until(lambda: not store.spooling)
    (place.folder / "spool-again.records").write_bytes(copy)
    again = place.open()
    until(lambda: not (place.folder / "spool-again.records").exists())
    assert [count(again, table) for table in ("hook_call", "card", "feedback", "override_memory", "used_token")] == [
        1, 1, 1, 1, 1,
    ]  # fmt: skip
    assert asyncio.run(again.overridden("north", "p1", now)) == {"k1"}
    assert not asyncio.run(again.first_use("north", "j1", SOON, NOW))


def test_a_token_is_still_new_once_to_this_process(place: Place) -> None:
    """Others learn of it when the database is back."""
    store = place.open()

    def used(its: Store) -> bool:
        return asyncio.run(its.first_use("north", "j1", SOON, NOW))

    with place.taken_away():
        assert used(store)
        assert not used(store)
    until(lambda: not store.spooling)
    assert not used(place.open())


def test_overrides_cannot_be_read_and_cards_are_shown_again(place: Place) -> None:
    store = place.open()
    asyncio.run(store.write(overridden()))
    with place.taken_away():
        write_calls(store, "a")
        assert asyncio.run(store.overridden("north", "p1", NOW)) == frozenset()
    until(lambda: not store.spooling)
    assert asyncio.run(store.overridden("north", "p1", NOW)) == {"k1"}


def test_a_full_spool_is_told_and_counted(place: Place, counted: Counted) -> None:
    store = place.open()
    big = "x" * 300_000
    with place.taken_away():
        for number in range(5):
            asyncio.run(store.write(hook_call(id=f"big {number}", detail=big)))
        assert (counted["spool"], counted["lost"]) == (3, 2)
        assert not store.healthy()
        write_calls(store, "small")
        assert store.healthy(), "there is room for small ones yet"
    until(lambda: not store.spooling)
    assert kept(store) == {"big 0", "big 1", "big 2", "small"}
    assert store.healthy()


def test_a_spool_that_cannot_be_written_is_told_and_counted(
    place: Place, counted: Counted, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = place.open()
    with place.taken_away():

        def failing(*_: Any) -> None:
            raise OSError(5, "Input/output error")

        with monkeypatch.context() as patched:
            patched.setattr("os.fdatasync", failing)
            assert write_calls(store, "lost") < 1.5
        assert counted["lost"] == 1
        assert not store.healthy()
    until(lambda: not store.spooling)
    write_calls(store, "kept")
    assert store.healthy()
    assert "kept" in kept(store)


# ------------------------------------------------------------------------------------------------------------ SQLite


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path, f"sqlite:///{tmp_path}/advice.db", None) as place:
        yield place


def _connection(store: Store) -> sqlite3.Connection:
    outlet = cast("Outlet", store._outlet)
    return cast("SqliteConnection", outlet._connection)._database


def test_a_full_database(file: Place, counted: Counted) -> None:
    """SQLite's own "database or disk is full", on a file that may not grow."""
    store = file.open()
    write_calls(store, "before")
    pages = _connection(store).execute("PRAGMA page_count").fetchone()[0]
    _connection(store).execute(f"PRAGMA max_page_count = {pages}")
    asyncio.run(store.write(hook_call(id="big", detail="x" * 100_000)))
    assert (counted["spool"], counted["lost"]) == (1, 0)
    until(lambda: not store.spooling)
    assert kept(store) == {"before", "big"}, "another connection may write, so it was replayed"


FULL_DISK = """
import asyncio, json, shutil, subprocess, sys, time
from pathlib import Path
from cds_service.settings import load
from cds_service.store import Store
from tests.store.places import hook_call, kept

folder = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder], check=True)
kept_in = {"database": f"sqlite:///{folder}/advice.db", "state_dir": folder, "spool_bytes": 1 << 20}
store = Store.open(load(mode="sandbox", **kept_in))
filler = (folder / "filler").open("wb", buffering=0)
try:
    while True:
        filler.write(bytes(1 << 16))
except OSError:
    pass
assert shutil.disk_usage(folder).free < 1 << 16
asyncio.run(store.write(hook_call(id="before", detail="x" * 100_000)))
assert store.spooling and store.healthy()
asyncio.run(store.write(hook_call(id="full", detail="x" * 100_000)))
filler.truncate(0)
for _ in range(500):
    if not store.spooling:
        break
    time.sleep(0.05)
print(json.dumps(sorted(kept(store))))
asyncio.run(store.close())
"""


def test_a_full_disk(tmp_path: Path) -> None:
    """A file system of 4 MiB, filled to the last byte; the room of the spool was taken before."""
    if subprocess.run(["unshare", "-Urm", "true"], check=False, capture_output=True).returncode:  # noqa: S607
        pytest.skip("needs user namespaces, to mount a file system of its own")
    done = subprocess.run(  # noqa: S603  # a script of ours
        ["unshare", "-Urm", sys.executable, "-c", FULL_DISK, str(tmp_path)],  # noqa: S607
        check=False, capture_output=True, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == '["before", "full"]\n'


def test_a_file_that_was_replaced_is_not_written_to_any_more(file: Place) -> None:
    """The old one has no name: what is written to it would be gone with the process."""
    store = file.open()
    write_calls(store, "before")
    file.file.rename(file.file.with_suffix(".aside"))
    write_calls(store, "a")
    assert store.spooling
    time.sleep(0.3)
    assert not file.file.exists(), "an empty one in its place would look as if nothing had ever been written"
    file.file.with_suffix(".aside").rename(file.file)
    until(lambda: not store.spooling)
    assert kept(store) == {"before", "a"}


# -------------------------------------------------------------------------------------------------------- PostgreSQL


@pytest.fixture
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    running = request.getfixturevalue("postgresql")
    with Place(tmp_path, running.new_database(), running) as place:
        yield place


def test_a_server_that_hangs(server: Place, counted: Counted) -> None:
    assert server.server
    store = server.open()
    write_calls(store, "before")
    with server.server.hung():
        assert write_calls(store, "a") < 0.6
        assert write_calls(store, "b") < 0.2
        assert store.healthy()
    until(lambda: not store.spooling)
    assert kept(store) == {"before", "a", "b"}
    assert counted["lost"] == 0


def test_a_connection_that_is_cut(server: Place) -> None:
    assert server.server
    store = server.open()
    write_calls(store, "before")
    with psycopg.connect(server.url) as other:
        _terminate_others(other)
    write_calls(store, "a")
    until(lambda: not store.spooling)
    write_calls(store, "b")
    assert kept(store) == {"before", "a", "b"}


def test_a_server_that_only_reads(server: Place) -> None:
    """As after a failover, while the address still leads to the former standby."""
    store = server.open()
    with psycopg.connect(server.url, autocommit=True) as other:
        name = other.info.dbname
        other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
        _terminate_others(other)
        write_calls(store, "a")
        assert store.spooling
        time.sleep(0.2)
        assert store.spooling
        other.execute("SET default_transaction_read_only = off")
        other.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = off")
        _terminate_others(other)
    until(lambda: not store.spooling)
    assert kept(store) == {"a"}


def _terminate_others(connection: psycopg.Connection[Any]) -> None:
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def test_an_acknowledged_record_is_on_the_servers_disk(server: Place) -> None:
    """Whatever the database's own default is."""
    with psycopg.connect(server.url, autocommit=True) as other:
        other.execute(f"ALTER DATABASE {other.info.dbname} SET synchronous_commit = off")
    store = server.open()
    connection = cast("Any", store._outlet)._connection._database
    assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
