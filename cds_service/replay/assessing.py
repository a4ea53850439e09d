"""One signing of the past through the service as it is: the same reading, rules, cards and audit record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from cds_service.audit import Clerk
from cds_service.course import Course
from cds_service.hooks import parse
from cds_service.records import collect
from cds_service.replay.signings import Signing
from cds_service.respond import Deps, consult
from cds_service.services import HOOKS
from cds_service.store.rows import Row

CLIENT = "replay"
"""Stands for the CDS Client in the rows."""


def audited(signing: Signing, deps: Deps, clerk: Clerk) -> list[Row]:
    """What the service would have written down. Raises ``ServiceError`` where it would have answered with an error."""
    course = Course(client=CLIENT)
    call = parse(signing.body, HOOKS)
    found = consult(call, collect(call, deps.aliases), replace(deps, clock=lambda: signing.moment))
    return clerk.answered(call, course, found.facts, found.assessment, found.built)


def write_rows(rows: Iterable[Row], to: Path) -> None:
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_bytes(msgspec.json.Encoder().encode_lines([(row.table, row.values) for row in rows]))


def read_rows(file: Path) -> Iterator[Row]:
    for table, values in _rows(file.read_bytes()):
        yield Row(table, {**values, "at": datetime.fromisoformat(values["at"]).astimezone(UTC)})


_rows = msgspec.json.Decoder(tuple[str, dict[str, Any]]).decode_lines
