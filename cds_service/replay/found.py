"""What a piece of work of a replay found, written down when it is finished: a replay that was broken off goes on."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

MOST_NAMED = 1000
"""Bad lines that one piece of work names; the others are counted."""


class BadLine(Struct, frozen=True):
    """A line that could not be used. It is named by its place, never by what stands in it."""

    file: str
    at: int
    """Byte of the (uncompressed) file at which it begins; -1 when that is not known."""
    reason: str


class Found(Struct, kw_only=True):
    """Of one piece of work."""

    lines: int = 0
    kept: int = 0
    """Lines that belong to patients with baclofen."""
    bad: int = 0
    named: list[BadLine] = []
    patients: list[str] = []
    """On baclofen. Ids: they stay in the work folder, which is deleted in the end."""
    signings: int = 0
    not_dated: int = 0
    """Orders for baclofen that tell no day on which they were written."""
    not_assessed: int = 0
    """Signings at which the service would have answered with an error."""

    def is_bad(self, file: str, at: int, reason: str) -> None:
        self.bad += 1
        if len(self.named) < MOST_NAMED:
            self.named.append(BadLine(file, at, reason))

    def add(self, other: Found) -> None:
        self.lines += other.lines
        self.kept += other.kept
        self.bad += other.bad
        self.named += other.named[: MOST_NAMED - len(self.named)]
        self.patients += other.patients
        self.signings += other.signings
        self.not_dated += other.not_dated
        self.not_assessed += other.not_assessed


_read = msgspec.json.Decoder(Found).decode


def finished(file: Path) -> Found | None:
    """What was found before, if this piece of work was finished."""
    return _read(file.read_bytes()) if file.exists() else None


def finish(file: Path, found: Found) -> Found:
    """Written in one step: a piece of work is finished or not begun."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.write_bytes(msgspec.json.encode(found))
    new.replace(file)
    return found
