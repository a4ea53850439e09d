"""One token, one call: across workers, after restarts, and when the store fails."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from cds_service.auth import seen_tokens
from cds_service.auth.seen_tokens import FILE, InSqlite, InThisProcess, SeenTokens
from cds_service.settings import SettingsError

NOW = 1000.0


def used(seen: SeenTokens, jti: str = "j", issuer: str = "i", until: float = NOW + 60, now: float = NOW) -> bool:
    return seen.first_use(issuer, jti, until=until, now=now)


@pytest.fixture(params=["in this process", "in SQLite"])
def seen(request: pytest.FixtureRequest, tmp_path: Path) -> SeenTokens:
    return seen_tokens.of(tmp_path if request.param == "in SQLite" else None)


def test_a_token_is_new_once(seen: SeenTokens) -> None:
    assert used(seen)
    assert not used(seen)
    assert not used(seen, now=NOW + 60)
    assert used(seen, "j2")


def test_issuer_and_jti_are_not_glued_together(seen: SeenTokens) -> None:
    assert used(seen, jti="bc", issuer="a")
    assert used(seen, jti="c", issuer="ab")


def test_what_has_expired_is_forgotten(seen: SeenTokens) -> None:
    assert used(seen)
    assert used(seen, now=NOW + 60.001, until=NOW + 120)
    assert not used(seen, now=NOW + 60.001)


def test_nothing_grows_for_ever(tmp_path: Path) -> None:
    in_process, in_sqlite = InThisProcess(), InSqlite(tmp_path / FILE)
    for number in range(1000):
        for seen in (in_process, in_sqlite):
            assert used(seen, str(number))
    for seen in (in_process, in_sqlite):
        assert used(seen, "later", now=NOW + 61, until=NOW + 99)
    assert len(in_process._until) == 1
    assert in_sqlite._database.execute("SELECT count(*) FROM seen").fetchone() == (1,)


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    assert used(InSqlite(tmp_path / FILE))
    assert not used(InSqlite(tmp_path / FILE))


WORKER = """
import sys, json
from pathlib import Path
from cds_service.auth.seen_tokens import InSqlite
seen = InSqlite(Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
print(json.dumps([n for n in range(500) if seen.first_use("i", str(n), until=2000.0, now=1000.0)]))
"""


def test_of_several_processes_exactly_one_takes_each_token(tmp_path: Path) -> None:
    """Three workers race for the same 500 tokens."""
    workers = [
        subprocess.Popen(  # noqa: S603  # this interpreter, a script of ours
            [sys.executable, "-c", WORKER, str(tmp_path / FILE)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for worker in workers:
        assert worker.stdout
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("go\n")
        worker.stdin.flush()
    taken = [number for worker in workers for number in json.loads(worker.communicate(timeout=60)[0])]
    assert sorted(taken) == list(range(500))


def test_the_file_is_private_and_tells_nothing(tmp_path: Path) -> None:
    seen = InSqlite(tmp_path / FILE)
    used(seen, "canary-jti", "https://canary.example")
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    for file in tmp_path.iterdir():
        assert b"canary" not in file.read_bytes()


def test_a_folder_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"state_dir: .*absent.*cannot be written .*set a folder that exists"):
        seen_tokens.of(tmp_path / "absent")
    (tmp_path / FILE).write_bytes(b"no database " * 1000)
    with pytest.raises(SettingsError, match="state_dir: "):
        seen_tokens.of(tmp_path)


def test_when_the_store_fails_this_process_remembers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An order must not go unchecked because a disk is full."""
    seen = InSqlite(tmp_path / FILE)
    assert used(seen, "before")
    seen._database.execute("DROP TABLE seen")
    assert used(seen)
    assert not used(seen)
    first = json.loads(capsys.readouterr().err.splitlines()[0])
    assert (first["level"], first["event"]) == ("error", "used tokens cannot be stored")
    assert first["error"] == "OperationalError"


def test_a_locked_store_does_not_hold_up_a_call_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_tokens, "LONGEST_WAIT", 0.01)
    seen = InSqlite(tmp_path / FILE)
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert used(seen)
    assert not used(seen)
    other.close()
