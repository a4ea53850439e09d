"""The pieces of work of a replay. Each reads files, writes files of its own, and can be done in any process, or again.

1. ``keep_products``: a piece of the Medication files → the products, for the orders that refer to them.
2. ``choose``: a piece of the MedicationRequest files → the patients with an order for baclofen.
3. ``sort``: a piece of any file → the lines of these patients, by shard.
4. ``assess``: a shard → the rows of the audit that the service would have written.
"""

from __future__ import annotations

import secrets
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from importlib.metadata import version
from pathlib import Path

from cards.facts import Jurisdiction
from cds_service.app import wire
from cds_service.audit import Clerk
from cds_service.errors import ServiceError
from cds_service.pseudonyms import Pseudonyms
from cds_service.replay.assessing import audited, write_rows
from cds_service.replay.chart import Line, read_line
from cds_service.replay.export import Piece, lines
from cds_service.replay.found import Found, finish
from cds_service.replay.products import Products
from cds_service.replay.signings import NotDated, signings
from cds_service.replay.whose import Baclofen, UnreadError, id_of_patient, patient_of
from cds_service.respond import Deps
from cds_service.settings import load
from cds_service.store.rows import Row

ORDERS = "MedicationRequest"


@dataclass(frozen=True, slots=True)
class Site:
    """What a site's settings change in the assessment."""

    snomed: bool = True
    dmd: bool = True
    jurisdiction: Jurisdiction = Jurisdiction.US
    rules_off: frozenset[str] = frozenset()
    rules_silent: frozenset[str] = frozenset()

    def __str__(self) -> str:
        off, silent = sorted(self.rules_off), sorted(self.rules_silent)
        return f"{self.snomed} {self.dmd} {self.jurisdiction.value} {off} {silent}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What all pieces of work of one replay share."""

    folder: Path
    """For what is written on the way."""
    shards: int
    exported: frozenset[str]
    """Types of resources of which there are files."""
    site: Site

    def finished(self, stage: str, piece: str) -> Path:
        """Where the end of a piece of work is written down."""
        return self.folder / stage / f"{piece}.json"

    def part(self, shard: int, piece: Piece) -> Path:
        return self.folder / "parts" / str(shard) / piece.name

    def rows(self, shard: int) -> Path:
        return self.folder / "rows" / f"{shard}.ndjson"

    def shard_of(self, patient: str) -> int:
        return zlib.crc32(patient.encode()) % self.shards

    def key(self) -> bytes:
        """Of the hashes that stand for patients. It goes with the folder."""
        return (self.folder / "key").read_bytes()

    def write_key(self) -> None:
        if not (self.folder / "key").exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / "key").write_bytes(secrets.token_bytes(32))

    def write_patients(self, patients: Iterable[str]) -> None:
        self._patients.write_text("\n".join(sorted(set(patients))), encoding="utf-8")

    def patients(self) -> frozenset[str]:
        """Those with an order for baclofen."""
        return frozenset(self._patients.read_text(encoding="utf-8").split("\n"))

    @property
    def _patients(self) -> Path:
        return self.folder / "patients.txt"


def keep_products(plan: Plan, piece: Piece, to: Path) -> Found:
    found = Found()
    baclofen = Baclofen(_deps(plan.site).codes)

    def read() -> Iterator[tuple[str, bool, bytes]]:
        for at, line in lines(piece):
            found.lines += 1
            try:
                yield *baclofen.product(line), line.rstrip()
            except UnreadError as error:
                found.is_bad(piece.path.name, at, str(error))

    Products(plan.folder).keep(read())
    return finish(to, found)


def choose(plan: Plan, piece: Piece, to: Path) -> Found:
    found = Found()
    baclofen = _baclofen(plan)
    patients = set()
    for at, line in lines(piece):
        found.lines += 1
        try:
            if patient := baclofen.patient_on_it(line):
                patients.add(patient)
        except UnreadError as error:
            found.is_bad(piece.path.name, at, str(error))
    found.patients = sorted(patients)
    return finish(to, found)


def sort(plan: Plan, piece: Piece, to: Path) -> Found:
    found = Found()
    patients = plan.patients()
    whose = id_of_patient if piece.type == "Patient" else patient_of
    kept: dict[int, list[bytes]] = defaultdict(list)
    for at, line in lines(piece):
        found.lines += 1
        try:
            patient = whose(line)
        except UnreadError as error:
            if piece.type != ORDERS:  # counted when patients were chosen
                found.is_bad(piece.path.name, at, str(error))
            continue
        if patient in patients:
            found.kept += 1
            kept[plan.shard_of(patient)].append(b"\t".join((patient.encode(), piece.type.encode(), line.rstrip())))
    for shard, some in kept.items():
        part = plan.part(shard, piece)
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(b"\n".join(some))
    return finish(to, found)


def assess(plan: Plan, shard: int, to: Path) -> Found:
    found = Found()
    deps, baclofen = _deps(plan.site), _baclofen(plan)
    clerk = Clerk(Pseudonyms(plan.key(), ""), deps.catalogue.content_version, version("baclofen-cds"))
    rows: list[Row] = []
    for patient, chart in _patients(plan, shard, found):
        for signing in signings(patient, chart, baclofen, plan.exported):
            if isinstance(signing, NotDated):
                found.not_dated += 1
                continue
            found.signings += 1
            try:
                rows += audited(signing, deps, clerk)
            except ServiceError:
                found.not_assessed += 1
    write_rows(rows, plan.rows(shard))
    return finish(to, found)


def _patients(plan: Plan, shard: int, found: Found) -> Iterator[tuple[str, list[Line]]]:
    charts: dict[str, list[Line]] = defaultdict(list)
    for part in sorted((plan.folder / "parts" / str(shard)).glob("*")):
        for row in part.read_bytes().split(b"\n"):
            whose, kind, raw = row.split(b"\t", 2)
            try:
                charts[whose.decode()].append(read_line(kind.decode(), raw))
            except ValueError:
                found.is_bad(part.name.rpartition("-")[0], -1, "is not JSON")
    products = Products(plan.folder)
    for patient, chart in sorted(charts.items()):
        referred = products.lines(one for line in chart for one in line.products())
        yield patient, chart + [read_line("Medication", line) for line in referred]


@cache
def _deps(site: Site) -> Deps:
    """Once in each process."""
    deps = wire(load(mode="sandbox", snomed=site.snomed, dmd=site.dmd, jurisdiction=site.jurisdiction))
    return replace(deps, catalogue=deps.catalogue.for_site(site.rules_off, site.rules_silent))


def _baclofen(plan: Plan) -> Baclofen:
    return Baclofen(_deps(plan.site).codes, Products(plan.folder).of_baclofen())
