"""seizure-disorder: baclofen can lower the seizure threshold (rules.md 5.7)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from cards import naming
from cards.case import Case, Kind
from cards.facts import DrugClass, Input, Medication, MedicationList, Problem, ProblemEntry, ProblemList
from cards.gaps import unread
from cards.neurology.limits import Limits
from cards.outcome import CannotAssess, Finding, Indicator, NotIndicated, Outcome

RULE = "seizure-disorder"

SINGLE = "single-seizure"
"""Concept flag of a code that says "seizure", not "epilepsy": it counts for some years only."""


def seizure_disorder(case: Case, limits: Limits) -> Outcome:
    indicator = _indicator(case)
    if indicator is None:
        return NotIndicated(RULE, f"{case.kind.value}{', stable' if case.stable else ''}: not judged")
    found = _seizures(case, limits)
    if not found:
        gaps = unread(case.facts, Input.PROBLEMS)
        none = NotIndicated(RULE, f"no epilepsy, and no seizure within {limits.seizure_max_age}")
        return CannotAssess(RULE, gaps) if gaps else none
    anticonvulsants = [one for one in _taken(case) if DrugClass.ANTIEPILEPTIC in one.classes]
    unseen = unread(case.facts, Input.MEDICATIONS)
    nobody = ("cover_not_known",) if unseen else ("no_cover",)
    return Finding(
        RULE,
        indicator,
        summary="default",
        detail=("S-ORDER", "recorded", "why", *(("cover",) if anticonvulsants else nobody), "advice", "stopping"),
        values={"recorded": naming.problems(found), "cover": naming.medicines(anticonvulsants)},
    )


def _indicator(case: Case) -> Indicator | None:
    """A pump order does not say whether it starts, so it is judged as a start."""
    if case.stops:
        return None
    if case.kind.rises or case.kind is Kind.INTRATHECAL:
        return Indicator.WARNING
    return Indicator.INFO if case.kind is Kind.UNCHANGED and not case.stable else None


def _seizures(case: Case, limits: Limits) -> Sequence[ProblemEntry]:
    """Epilepsy at any time; a seizure of the last years, or an active one without a date."""
    problems = case.facts.problems
    if not isinstance(problems, ProblemList):
        return ()
    oldest = case.facts.today - timedelta(days=int(limits.seizure_max_age.value))

    def counts(entry: ProblemEntry) -> bool:
        return SINGLE not in entry.flags or (entry.recorded >= oldest if entry.recorded else entry.active)

    return [entry for entry in problems.of(Problem.SEIZURE) if counts(entry)]


def _taken(case: Case) -> Sequence[Medication]:
    charted = case.facts.medications.others if isinstance(case.facts.medications, MedicationList) else ()
    return (*charted, *case.facts.drafted)
