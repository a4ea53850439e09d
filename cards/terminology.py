"""The value sets in memory: which sets a code belongs to, and with which flags.

``value_sets/index.toml`` names every file; one CSV holds one value set in one code system. Everything is read at start;
afterwards a look-up is one or two dictionary reads.
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

FOLDER = Path(__file__).parent / "value_sets"

Sets = Mapping[str, frozenset[str]]
"""Value set id → concept flags of the code in that set."""

NOTHING: Sets = {}


class Kind(Enum):
    """What a file is about. A code is only looked up among its own kind: a substance is never a diagnosis."""

    DRUG = "drug"
    PROBLEM = "problem"
    OBSERVATION = "observation"
    ORDER = "order"


class System(Enum):
    """Code systems; the value is the middle part of a file name."""

    RXNORM = "rxnorm"
    NDC = "ndc"
    SNOMED = "snomed"
    DMD = "dmd"
    ATC = "atc"
    ICD10CM = "icd10cm"
    ICD10 = "icd10"
    ICD10PCS = "icd10pcs"
    LOINC = "loinc"

    def shaped(self, code: str) -> bool:
        """Whether a code has the form of this system; a local name under a known URI does not."""
        return _SHAPES[self](code) is not None


_SHAPES = {
    System.RXNORM: re.compile(r"\d{1,8}").fullmatch,
    System.NDC: re.compile(r"\d{5}-\d{4}").fullmatch,
    System.SNOMED: re.compile(r"[1-9]\d{5,17}").fullmatch,
    System.DMD: re.compile(r"[1-9]\d{5,17}").fullmatch,
    System.ATC: re.compile(r"[A-Z](\d\d([A-Z]([A-Z](\d\d)?)?)?)?").fullmatch,
    System.ICD10CM: re.compile(r"[A-Z](\d[0-9A-Z](\.?[0-9A-Z]{1,4})?)?").fullmatch,
    System.ICD10: re.compile(r"[A-Z](\d[0-9A-Z](\.?[0-9A-Z]{1,4})?)?").fullmatch,
    System.ICD10PCS: re.compile(r"[0-9A-Z]{7}").fullmatch,
    System.LOINC: re.compile(r"\d{1,7}-\d").fullmatch,
}
_HIERARCHIC = frozenset({System.ATC, System.ICD10CM, System.ICD10})
"""Systems whose codes are compared in capitals and without dots, and that have prefix rules."""


class TerminologyError(Exception):
    """A content file that cannot be used. The message names file, line and cure."""


@dataclass(slots=True)
class _Table:
    exact: dict[str, Sets] = field(default_factory=dict)
    prefixes: dict[str, Sets] = field(default_factory=dict)
    excluded: dict[str, set[str]] = field(default_factory=dict)
    """Prefix → value sets that leave it out."""


class Terminology:
    """All value sets. Build with ``Terminology.load()``."""

    def __init__(self, tables: Mapping[tuple[Kind, System], _Table], value_sets: frozenset[str]) -> None:
        self._tables = tables
        self.value_sets = value_sets
        """Ids of the sets that have a loaded file."""

    @classmethod
    def load(cls, folder: Path = FOLDER, leave_out: Collection[System] = ()) -> Terminology:
        """Read every file of the index, except those of the systems left out (a site without a SNOMED CT licence)."""
        tables: dict[tuple[Kind, System], _Table] = {}
        value_sets: set[str] = set()
        for name, kind in _index(folder).items():
            value_set, system = _split(name)
            if system in leave_out:
                continue
            value_sets.add(value_set)
            _fill(tables.setdefault((kind, system), _Table()), folder / name, value_set, system)
        return cls(tables, frozenset(value_sets))

    def loaded(self, kind: Kind, system: System) -> bool:
        return (kind, system) in self._tables

    def find(self, kind: Kind, system: System, code: str) -> Sets:
        """The sets that hold this code, by its own row or by a prefix rule; a row of its own wins over an exclusion."""
        table = self._tables.get((kind, system))
        if table is None:
            return NOTHING
        if system not in _HIERARCHIC:
            return table.exact.get(code, NOTHING)
        bare = bare_code(code)
        starts = [bare[:length] for length in range(1, len(bare) + 1)]
        out = {value_set for start in starts for value_set in table.excluded.get(start, ())}
        found = dict(table.exact.get(bare, NOTHING))
        for start in starts:
            for value_set, flags in table.prefixes.get(start, NOTHING).items():
                if value_set in found:
                    found[value_set] |= flags
                elif value_set not in out:
                    found[value_set] = flags
        return found


def bare_code(code: str) -> str:
    """ "g35.0†" as "G350": ICD and ATC codes are compared in capitals, without dots, daggers and asterisks."""
    return "".join(char for char in code.upper() if char.isascii() and char.isalnum())


def read_rows(path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, list[str]]]:
    """The rows of one content file with their line numbers; the header must be exactly ``columns``."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = next(reader, [])
            if tuple(header) != columns:
                raise TerminologyError(f"{path.name}, line 1: columns {header}; write {','.join(columns)}")
            for row in reader:
                if len(row) != len(columns):
                    raise TerminologyError(
                        f"{path.name}, line {reader.line_num}: {len(row)} fields, not {len(columns)}; "
                        "put a field that holds a comma in double quotes"
                    )
                yield reader.line_num, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TerminologyError(f"{path.name}: cannot be read ({error}); restore the file from the release") from error


def _index(folder: Path) -> dict[str, Kind]:
    path = folder / "index.toml"
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8"))["files"]
        kinds = {name: Kind(entry["kind"]) for name, entry in entries.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise TerminologyError(f"index.toml: {error!r}; each file needs a [files] entry with a kind") from error
    unnamed = {file.name for file in folder.glob("*.*.csv")} - kinds.keys()
    if unnamed:
        raise TerminologyError(f"index.toml: no entry for {', '.join(sorted(unnamed))}; add it, or remove the file")
    return kinds


def _split(name: str) -> tuple[str, System]:
    value_set, _, rest = name.partition(".")
    try:
        return value_set, System(rest.removesuffix(".csv"))
    except ValueError:
        systems = ", ".join(system.value for system in System)
        cure = f"name it VALUE-SET.SYSTEM.csv with SYSTEM one of {systems}"
        raise TerminologyError(f"index.toml: {name}: {cure}") from None


_COLUMNS = ("match", "code", "display", "flags", "verification", "source")


def _fill(table: _Table, path: Path, value_set: str, system: System) -> None:
    hierarchic = system in _HIERARCHIC
    alone: dict[str, Sets] = {"": {value_set: frozenset()}}
    """By its flags what a code is in that stands in no other set, as most do: one for all of them."""
    for line, (match, code, display, flag_text, _, source) in read_rows(path, _COLUMNS):
        if not system.shaped(code) or not source or not (display or system is System.ATC):
            what = f"{code!r} is no {system.value} code, or has no display or source"
            raise TerminologyError(f"{path.name}, line {line}: {what}; correct the row")
        if flag_text not in alone:
            alone[flag_text] = {value_set: frozenset(flag_text.split("|"))}
        key = bare_code(code) if hierarchic else code
        if match == "exact":
            codes = table.exact
        elif match == "prefix" and hierarchic:
            codes = table.prefixes
        elif match == "exclude" and hierarchic:
            table.excluded.setdefault(key, set()).add(value_set)
            continue
        else:
            cure = "write exact, or in ICD and ATC files prefix or exclude"
            raise TerminologyError(f"{path.name}, line {line}: match {match!r}; {cure}")
        others = codes.get(key, NOTHING)
        if value_set in others:
            raise TerminologyError(f"{path.name}, line {line}: {code} stands twice; keep one row")
        codes[key] = {**others, **alone[flag_text]} if others else alone[flag_text]
