"""Which test shows which row of the checklist: ``python -m tests.conformance.coverage > docs/conformance.md``.

A test shows a row when its name begins with the id (``test_J11_...``, ``test_row_42_...``, ``test_36_F11_...``), a
whole module when its docstring says so ("Rows 54 to 68"). ``ELSEWHERE`` says of the others what shows them.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
CHECKLIST = ROOT / "docs" / "specification" / "checklist.md"
PAGE = ROOT / "docs" / "conformance.md"

ELSEWHERE: Mapping[str, str] = {
    "Q12": "measured, not asserted: [benchmarks](../benchmarks/README.md)",
    "R4": "[calls.py](../tests/conformance/calls.py) `assert_refused`, through which every test of an error goes",
    "X1": "the table of threats: [threat model](threat-model.md)",
    "X2": "[test_warmed.py](../tests/unit/test_warmed.py); rules with an age of the value: the vignettes",
    "X3": "[test_leaks.py](../tests/conformance/test_leaks.py), as a whole",
    "X5": "[calls.py](../tests/conformance/calls.py) `assert_refused`, likewise",
}

_ROW = re.compile(r"\| ?([A-Z]?[0-9]+) ?\| (.*)")
_NAME = re.compile(r"test_((?:rows?_|[A-Z]?[0-9]+_)+)")
_MODULE = re.compile(r"\b[Rr]ows? ([0-9]+(?:(?:, | and | to |-)[0-9]+)*)")
_RANGE = re.compile(r"([0-9]+)(?: to |-)([0-9]+)")
_LONGEST = 110


@dataclass(frozen=True, slots=True)
class Row:
    id: str
    section: str
    says: str


def rows() -> list[Row]:
    """Sections 2 and 5 of the checklist."""
    found: list[Row] = []
    section = chapter = ""
    for line in CHECKLIST.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            chapter = line[3]
        elif line.startswith("### "):
            section = line[4:]
        elif chapter in "25" and (row := _ROW.match(line)):
            cells = row[2].split(" | ")
            found.append(Row(row[1], section, (cells[0] if row[1].isdigit() else cells[1]).strip(" |")))
    return found


def shown() -> dict[str, list[str]]:
    """Id → where it is shown, in Markdown."""
    found: dict[str, list[str]] = defaultdict(list)
    of_modules: dict[str, list[str]] = defaultdict(list)
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        link = f"[{file.name}](../{file.relative_to(ROOT)})"
        for identity in _of_module(ast.get_docstring(tree) or ""):
            of_modules[identity].append(f"{link}, as a whole")
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (named := _NAME.match(node.name)):
                for identity in re.findall(r"[A-Z]?[0-9]+", named[1]):
                    found[identity.lstrip("0")].append(f"{link} `{node.name}`")
    return {**of_modules, **found, **{identity: [where] for identity, where in ELSEWHERE.items()}}


def _of_module(docstring: str) -> Iterator[str]:
    for said in _MODULE.findall(docstring):
        for first, last in _RANGE.findall(said):
            yield from map(str, range(int(first), int(last) + 1))
        yield from re.findall(r"[0-9]+", said)


def page() -> Iterator[str]:
    where = shown()
    yield "# Conformance"
    yield ""
    yield (
        "Each row of the [checklist](specification/checklist.md) (CDS Hooks 2.0.1 clause by clause, then bad inputs "
        "and faults), and what shows that it holds. Written by `make content`."
    )
    section = ""
    for row in rows():
        if row.section != section:
            section = row.section
            yield from ("", f"## {section}", "", "| id | says | shown by |", "|---|---|---|")
        said = row.says if len(row.says) <= _LONGEST else row.says[:_LONGEST].rpartition(" ")[0] + " …"
        yield f"| {row.id} | {said} | {'<br>'.join(_few(where.get(row.id, ['**nothing**'])))} |"


def _few(places: list[str]) -> list[str]:
    unlike = list(dict.fromkeys(places))
    return unlike if len(unlike) <= 4 else [*unlike[:3], f"and {len(unlike) - 3} more"]


if __name__ == "__main__":
    sys.stdout.write("\n".join(page()) + "\n")
