"""``baclofen-cds replay DIR``: what the rules would have said of every order for baclofen in a Bulk FHIR export.

Each order is assessed as on the day on which it was written, by the same code that answers an EHR. A hospital does this
before it goes live: how often would each rule have fired, and how many signings would have shown a card?
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cards.content import content_version
from cds_service.replay.export import PIECE, Piece, pieces
from cds_service.replay.found import Found, finished
from cds_service.replay.running import Run, Work
from cds_service.replay.work import Plan, Site, assess, choose, keep_products, sort

Progress = Callable[[str, int, int], None]
"""The name of the stage; how much of it is done, of how much: bytes, or shards of patients."""


def replay(export: Path, work: Path, site: Site, run: Run, progress: Progress) -> tuple[Plan, dict[str, Found]]:
    """Leaves the rows of the audit in ``work``, and gives what each stage found. What an earlier run has finished there
    is not done again. Raises ``NoExportError``."""
    parts = pieces(export)
    shards = min(max(16, sum(part.size for part in parts) // PIECE), 4096)
    plan = Plan(work / _fingerprint(parts, site), shards, frozenset(part.type for part in parts), site)
    plan.write_key()
    stage = _Stage(plan, run, progress)
    medicines = [part for part in parts if part.type == "Medication"]
    orders = [part for part in parts if part.type == "MedicationRequest"]
    charts = [part for part in parts if part.type != "Medication"]

    found = {"medicines": stage.of_pieces("medicines", keep_products, medicines)}
    found["orders"] = stage.of_pieces("orders", choose, orders)
    plan.write_patients(found["orders"].patients)
    found["charts"] = stage.of_pieces("charts", sort, charts)
    found["signings"] = stage.of_shards("signings", assess)
    return plan, found


def _fingerprint(parts: Sequence[Piece], site: Site) -> str:
    """Of the files, the rules and the site: what was finished for others does not count."""
    files = "".join(f"{part.path.resolve()} {part.start} {part.end} {part.path.stat().st_mtime_ns}" for part in parts)
    return hashlib.sha256(f"{content_version()} {site} {files}".encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class _Stage:
    plan: Plan
    run: Run
    progress: Progress

    def of_pieces(self, name: str, work: Work, parts: Sequence[Piece]) -> Found:
        return self._do(name, work, {self.plan.finished(name, part.name): (part, part.size) for part in parts})

    def of_shards(self, name: str, work: Work) -> Found:
        shards = range(self.plan.shards)
        return self._do(name, work, {self.plan.finished(name, str(shard)): (shard, 1) for shard in shards})

    def _do(self, name: str, work: Work, tasks: Mapping[Path, tuple[object, int]]) -> Found:
        """``tasks``: where the end of each piece of work is written down → the piece, and its size."""
        before = {end: found for end in tasks if (found := finished(end)) is not None}
        total = Found()
        for found in before.values():
            total.add(found)
        so_far, whole = sum(tasks[end][1] for end in before), sum(size for _, size in tasks.values())
        self.progress(name, so_far, whole)
        left = {end: (self.plan, piece, end) for end, (piece, _) in tasks.items() if end not in before}
        for end, found in self.run(work, left):
            total.add(found)
            so_far += tasks[end][1]
            self.progress(name, so_far, whole)
        return total
