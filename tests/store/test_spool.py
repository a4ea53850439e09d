"""The file in which records wait: whole or not at all, bounded, taken over when its process has ended."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cds_service.store import spool as spool_of
from cds_service.store.spool import Record, Spool, line

SIZE = 4096


def record(number: int, size: int = 0) -> Record:
    return [("hook_call", (f"id-{number}", "x" * size, None, True, 1.5)), ("card", ("c", 7))]


def lines(*numbers: int) -> list[bytes]:
    return [line(record(number)) for number in numbers]


def read_all(spool: Spool) -> tuple[list[Record], int]:
    found: list[Record] = []
    start = lost = 0
    while start < spool.used_bytes:
        records, start, damaged = spool.records(start)
        found += records
        lost += damaged
    return found, lost


def test_what_was_appended_is_read_in_its_order(tmp_path: Path) -> None:
    spool = Spool.reserve(tmp_path, SIZE)
    assert spool.append(lines(1, 2)) == 2
    assert spool.append(lines(3)) == 1
    assert read_all(spool) == ([record(1), record(2), record(3)], 0)


def test_its_room_is_taken_when_it_is_made_and_never_grows(tmp_path: Path) -> None:
    spool = Spool.reserve(tmp_path, 1 << 20)
    (file,) = tmp_path.iterdir()
    assert file.stat().st_blocks * 512 >= 1 << 20
    assert file.stat().st_mode & 0o777 == 0o600
    assert spool.append(lines(*range(50_000))) < 50_000
    assert file.stat().st_size == 1 << 20


def test_what_has_no_room_is_told(tmp_path: Path) -> None:
    """One byte stays free: a zero byte is the end."""
    size = len(line(record(1)))
    for room, fitting in [(2 * size, 1), (2 * size + 1, 2)]:
        spool = Spool.reserve(tmp_path, room)
        assert spool.append(lines(1, 2, 3)) == fitting
        assert spool.append(lines(3)) == 0
        assert read_all(spool)[0] == [record(1), record(2)][:fitting]


def test_a_record_larger_than_a_piece_is_read_whole(tmp_path: Path) -> None:
    spool = Spool.reserve(tmp_path, 1 << 22)
    sent = [record(1, spool_of._PIECE * 3), record(2), record(3, spool_of._PIECE), record(4)]
    assert spool.append([line(one) for one in sent]) == 4
    assert read_all(spool) == (sent, 0)


def test_an_emptied_one_is_as_new(tmp_path: Path) -> None:
    spool = Spool.reserve(tmp_path, SIZE)
    spool.append(lines(*range(20)))
    spool.empty()
    assert spool.used_bytes == 0
    spool.append(lines(99))
    spool.close()
    (again,) = Spool.left_behind(tmp_path)
    assert read_all(again) == ([record(99)], 0)


def test_an_empty_one_leaves_no_file(tmp_path: Path) -> None:
    Spool.reserve(tmp_path, SIZE).close()
    assert list(tmp_path.iterdir()) == []


def test_that_of_a_living_process_is_left_alone(tmp_path: Path) -> None:
    spool = Spool.reserve(tmp_path, SIZE)
    spool.append(lines(1))
    assert list(Spool.left_behind(tmp_path)) == []
    spool.close()
    (taken,) = Spool.left_behind(tmp_path)
    assert list(Spool.left_behind(tmp_path)) == [], "once only"
    assert read_all(taken) == ([record(1)], 0)


KILLED = """
import os, signal, sys
from pathlib import Path
from cds_service.store.spool import Spool, line
spool = Spool.reserve(Path(sys.argv[1]), 4096)
spool.append([line([("hook_call", (f"id-{number}", "", None, True, 1.5)), ("card", ("c", 7))]) for number in (1, 2)])
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_that_of_a_killed_process_is_taken_over(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)  # noqa: S603  # a script of ours
    (taken,) = Spool.left_behind(tmp_path)
    assert read_all(taken) == ([record(1), record(2)], 0)
    taken.empty()
    taken.close()
    assert list(tmp_path.iterdir()) == []


def test_one_that_was_being_made_when_its_process_was_killed_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".spool-1.new").write_bytes(bytes(10))
    assert list(Spool.left_behind(tmp_path)) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", range(1, len(line(record(2))) + 1))
def test_a_record_that_was_cut_off_was_never_acknowledged(tmp_path: Path, missing: int) -> None:
    """Every length to which a crash can cut the last record."""
    whole = b"".join(lines(1, 2))
    (tmp_path / "spool-1.records").write_bytes(whole[:-missing] + bytes(100))
    (spool,) = Spool.left_behind(tmp_path)
    assert read_all(spool) == ([record(1)], 0)
    assert spool.append(lines(3)) == 1
    assert read_all(spool)[0] == [record(1), record(3)]


def test_a_damaged_record_costs_only_itself(tmp_path: Path) -> None:
    whole = bytearray(b"".join(lines(1, 2, 3)))
    whole[len(line(record(1))) + 20] ^= 1
    (tmp_path / "spool-1.records").write_bytes(whole + bytes(100))
    (spool,) = Spool.left_behind(tmp_path)
    assert read_all(spool) == ([record(1), record(3)], 1)


@pytest.mark.parametrize("text", [b"\n", b"00000000\n", b"zzzzzzzz {}\n", b"a3830b7f {}\n", b"\xff\xfe\n"])
def test_what_is_no_record_is_none(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "spool-1.records").write_bytes(text + lines(1)[0] + bytes(100))
    (spool,) = Spool.left_behind(tmp_path)
    assert read_all(spool) == ([record(1)], 1)


def test_a_full_disk_leaves_nothing_half_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        Spool.reserve(tmp_path, SIZE)
    assert list(tmp_path.iterdir()) == []
