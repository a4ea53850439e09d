"""The files of a Bulk FHIR export: NDJSON, one resource a line, one type a file.

Source: HL7 FHIR Bulk Data Access 2.0.0, "Output File", and its file names as servers and their users write them:
``Patient.ndjson``, ``Patient.000.ndjson``, ``1.Patient.ndjson``, each also with ``.gz``.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

READ = (
    "Patient", "Medication", "MedicationRequest", "MedicationStatement", "MedicationDispense", "Observation",
    "Condition", "Procedure", "AllergyIntolerance",
)  # fmt: skip
"""The types that the rules ask for; files of other types are passed over."""
PIECE = 64 << 20
"""Bytes that are read as one piece of work."""

_NAME = re.compile(rf"(?:.*[^A-Za-z])?({'|'.join(READ)})(?:[^A-Za-z].*)?\.ndjson(?:\.gz)?")


class NoExportError(Exception):
    """The folder cannot be replayed. The message says why, and the cure."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one file. A compressed file is one piece, since it can only be read from its start."""

    type: str
    path: Path
    start: int
    end: int
    """Bytes: the lines that begin from ``start`` on, before ``end``."""

    @property
    def name(self) -> str:
        """Unlike for each piece of a folder, and usable as a file name."""
        return f"{self.path.name}-{self.start}"

    @property
    def size(self) -> int:
        return self.end - self.start


def pieces(folder: Path, size: int = PIECE) -> list[Piece]:
    """Of all files that are read, in the order of their names. Raises ``NoExportError``."""
    if not folder.is_dir():
        raise NoExportError(f"{folder} is no folder. Name the folder that holds the NDJSON files of the export.")
    found = [
        (named[1], path)
        for path in sorted(folder.iterdir())
        if path.is_file() and (named := _NAME.fullmatch(path.name))
    ]
    if not any(kind == "MedicationRequest" for kind, _ in found):
        raise NoExportError(
            f"{folder} holds no file of MedicationRequest resources, so there is no order to replay. Export them with "
            "_type=Patient,MedicationRequest,... and name the files as MedicationRequest.ndjson or "
            "MedicationRequest.000.ndjson, or .ndjson.gz."
        )
    return [piece for kind, path in found for piece in _cut(kind, path, size)]


def _cut(kind: str, path: Path, size: int) -> Iterator[Piece]:
    whole = path.stat().st_size
    if path.suffix == ".gz":
        yield Piece(kind, path, 0, whole)
        return
    for start in range(0, whole, size):
        yield Piece(kind, path, start, min(start + size, whole))


def lines(piece: Piece) -> Iterator[tuple[int, bytes]]:
    """Where each line begins in its (uncompressed) file, and the line; empty ones are left out."""
    with _open(piece.path) as file:
        at = piece.start
        if at:
            # The line that runs into this piece is read with the one before.
            file.seek(at - 1)
            at += len(file.readline()) - 1
        for line in file:
            if at >= piece.end and piece.path.suffix != ".gz":
                return
            if not line.isspace():
                yield at, line
            at += len(line)


def _open(path: Path) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def line_number(path: Path, at: int) -> int:
    """Of the line that begins at byte ``at``, counted from 1."""
    number = 1
    with _open(path) as file:
        while at > 0 and (block := file.read(min(at, 1 << 20))):
            number += block.count(b"\n")
            at -= len(block)
    return number
