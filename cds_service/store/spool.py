"""Where records wait when the database cannot take them: one file for each process, bounded, its room reserved.

One record a line, with a checksum; the first zero byte is the end. A line counts once it is on the disk whole: what a
crash or a power failure has cut off was never acknowledged. The file is locked as long as its process lives; one that
is not locked was left behind, and whoever finds it takes it over.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from uuid import uuid4
from zlib import crc32

import msgspec

from cds_service.store.rows import Cells

_PIECE = 1 << 18
"""Bytes that are read at once."""

Record = list[tuple[str, Cells]]
"""The rows of one write."""
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Record).decode


def line(record: Sequence[tuple[str, Cells]]) -> bytes:
    text = _encode(record)
    return b"%08x %b\n" % (crc32(text), text)


def _read(text: bytes) -> Record | None:
    checksum, _, record = text.partition(b" ")
    try:
        return _decode(record) if int(checksum, 16) == crc32(record) else None
    except (ValueError, msgspec.MsgspecError):
        return None


class Spool:
    """Every method raises ``OSError``."""

    def __init__(self, file: int, path: Path) -> None:
        """``file`` is open, and locked by this process."""
        self._file = file
        self._path = path
        self.most_bytes = os.fstat(file).st_size
        self._end = _end_of(file)

    @classmethod
    def reserve(cls, folder: Path, most_bytes: int) -> Spool:
        """A new one; its room is taken now, since a full disk is one reason to need it."""
        path = folder / f".spool-{uuid4().hex}.new"
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.posix_fallocate(file, 0, most_bytes)
            os.fsync(file)
            # Only now has it a name by which it could be taken over.
            path = path.rename(folder / f"spool-{uuid4().hex}.records")
            _sync(folder)
            return cls(file, path)
        except OSError:
            os.close(file)
            path.unlink(missing_ok=True)
            raise

    @classmethod
    def left_behind(cls, folder: Path) -> Iterator[Spool]:
        """Those of processes that have ended."""
        for path in sorted(folder.glob(".spool-*.new")):
            if (file := _take(path)) is not None:
                path.unlink()
                os.close(file)
        for path in sorted(folder.glob("spool-*.records")):
            if (file := _take(path)) is not None:
                yield cls(file, path)

    @property
    def used_bytes(self) -> int:
        return self._end

    def append(self, lines: Sequence[bytes]) -> int:
        """How many of them, the first ones, had room. They are on the disk when it returns."""
        fitting, end = [], self._end
        for text in lines:
            end += len(text)
            if end >= self.most_bytes:
                break
            fitting.append(text)
        whole = b"".join(fitting)
        if os.pwrite(self._file, whole, self._end) != len(whole):
            raise OSError(errno.EIO, "not written whole")
        os.fdatasync(self._file)
        self._end += len(whole)
        return len(fitting)

    def records(self, start: int) -> tuple[list[Record], int, int]:
        """Some records from ``start``, where the next begin, and how many were damaged."""
        piece = os.pread(self._file, min(_PIECE, self._end - start), start)
        whole = piece.rfind(b"\n") + 1
        while not whole and start + len(piece) < self._end:
            piece += os.pread(self._file, min(_PIECE, self._end - start - len(piece)), start + len(piece))
            whole = piece.rfind(b"\n") + 1
        read = [_read(text) for text in piece[:whole].splitlines()]
        records = [record for record in read if record is not None]
        return records, start + (whole or len(piece)), len(read) - len(records)

    def empty(self) -> None:
        """Everything in it was written elsewhere."""
        zeros = bytes(min(_PIECE, self._end))
        for start in range(0, self._end, _PIECE):
            os.pwrite(self._file, zeros[: self._end - start], start)
        os.fdatasync(self._file)
        self._end = 0

    def close(self) -> None:
        """Leaves a file behind only if there is something in it."""
        with contextlib.suppress(OSError):
            if not self._end:
                self._path.unlink()
        os.close(self._file)


def _take(path: Path) -> int | None:
    """Open and locked; None when its process lives, or somebody else has taken it and done with it."""
    try:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(file).st_nlink:
            return file
    except BlockingIOError:
        pass
    os.close(file)
    return None


def _end_of(file: int) -> int:
    """After the last whole line before the first zero byte."""
    read = end = 0
    while piece := os.pread(file, _PIECE, read):
        text = piece.partition(b"\0")[0]
        if (newline := text.rfind(b"\n")) >= 0:
            end = read + newline + 1
        read += len(text)
        if len(text) < len(piece):
            break
    return end


def _sync(folder: Path) -> None:
    """So that the name outlives a power failure too."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
