"""Is the patient on dialysis now (rules.md R6), or has a kidney transplant ended it?"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from cards.facts import Missing, PatientFacts, Problem, ProblemEntry, ProblemList
from cards.kidney_tiers import KidneyLimits

GRAFT_FAILURE = "graft-failure"
"""Concept flag of transplant codes that speak of a graft that no longer works: they end no dialysis."""


def dialysis(facts: PatientFacts, limits: KidneyLimits) -> tuple[ProblemEntry | None, tuple[str, ...]]:
    """The evidence that the patient is on dialysis now, and clauses for the card."""
    conditions = _entries(facts.problems, Problem.DIALYSIS)
    procedures = _entries(facts.procedures, Problem.DIALYSIS)
    if not (conditions or procedures):
        return None, ()
    performed = [entry for entry in procedures if entry.active or _performed_lately(entry, facts.today, limits)]
    current = performed or [entry for entry in conditions if entry.active]
    undated = any(entry.recorded is None for entry in procedures if not entry.active)
    if not current:
        return None, ("a dialysis procedure without a date was not counted",) if undated else ()
    newest = max(current, key=lambda entry: (entry.recorded or date.min, entry.label))
    evidence = [*conditions, *procedures]
    if performed or any(entry.recorded is None for entry in evidence):
        return newest, ()
    last = max(entry.recorded for entry in evidence if entry.recorded is not None)
    later = [
        entry.recorded for entry in _working_grafts(facts) if entry.recorded and last < entry.recorded <= facts.today
    ]
    if not later:
        return newest, ()
    return None, (f"kidney transplant of {max(later)} is later than the last dialysis entry of {last}",)


def _performed_lately(entry: ProblemEntry, today: date, limits: KidneyLimits) -> bool:
    return entry.recorded is not None and entry.recorded >= limits.dialysis_procedure_max_age.before(today)


def _working_grafts(facts: PatientFacts) -> list[ProblemEntry]:
    """Text alone does not lift a dialysis code: that would lower the guard on a guess."""
    status = [entry for entry in _entries(facts.problems, Problem.KIDNEY_TRANSPLANT) if entry.active]
    entries = [*status, *_entries(facts.procedures, Problem.KIDNEY_TRANSPLANT)]
    return [entry for entry in entries if not entry.origin.by_text and GRAFT_FAILURE not in entry.flags]


def _entries(listed: ProblemList | Missing, kind: Problem) -> Sequence[ProblemEntry]:
    return listed.of(kind) if isinstance(listed, ProblemList) else ()
