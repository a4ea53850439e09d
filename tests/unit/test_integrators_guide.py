"""The tables of docs/integrators.md say what the code does: errors, prefetch keys, dialects."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from cards.facts import Input
from cds_service import services
from cds_service.dialects import Dialect
from cds_service.errors import ServiceError

GUIDE = (Path(__file__).parents[2] / "docs" / "integrators.md").read_text("utf-8")


def table(heading: str) -> list[list[str]]:
    """The cells of the first table below ``heading``, without its head."""
    section = GUIDE.partition(f"\n## {heading}\n")[2] or GUIDE.partition(f"\n### {heading}\n")[2]
    rows: list[list[str]] = []
    for line in section.splitlines():
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
        elif rows:
            break
    return rows[2:]


def kinds_of(kind: type[ServiceError]) -> Iterator[type[ServiceError]]:
    for below in kind.__subclasses__():
        yield below
        yield from kinds_of(below)


def test_every_error_stands_in_the_guide_and_no_other() -> None:
    raised = {(str(kind.status), f"`{kind.code}`") for kind in kinds_of(ServiceError)}
    listed = [(status, code) for status, code, _, _ in table("Errors")]
    assert set(listed) == raised
    assert len(set(listed)) == len(listed)
    assert "TwoCredentials" in {kind.__name__ for kind in kinds_of(ServiceError)}


def test_every_error_has_its_when_and_its_cure() -> None:
    assert [row for row in table("Errors") if not all(row) or len(row) != 4] == []


def test_the_table_of_prefetch_keys_is_what_discovery_asks_for() -> None:
    asked = services.prefetch(frozenset(Input))
    codes = re.compile(r"code=[^&]+")
    assert [(key, template.partition(";")[0], purpose) for key, template, purpose in table("Prefetch")] == [
        (f"`{key}`", f"`{codes.sub('code=…', template)}`", services.PURPOSES[key]) for key, template in asked.items()
    ]


def test_every_dialect_has_a_row() -> None:
    assert [row[0] for row in table("Dialects")] == [f"`{dialect.value}`" for dialect in Dialect]
