"""seizure-disorder: baclofen can lower the seizure threshold (rules.md 5.7)."""

from __future__ import annotations

from collections.abc import Sequence

from cards import naming
from cards.case import Case, Kind
from cards.facts import DrugClass, Input, Problem, ProblemEntry
from cards.gaps import unread
from cards.neurology.limits import Limits
from cards.outcome import Finding, Indicator, NotIndicated, Outcome, quiet

RULE = "seizure-disorder"

SINGLE = "single-seizure"
"""Concept flag of a code that says "seizure", not "epilepsy": it counts for some years only."""


def seizure_disorder(case: Case, limits: Limits) -> Outcome:
    indicator = _indicator(case)
    if indicator is None:
        return NotIndicated(RULE, "{}{}: not judged", (case.kind, ", stable" if case.stable else ""))
    found = _seizures(case, limits)
    if not found:
        gaps = unread(case.facts, Input.PROBLEMS)
        return quiet(RULE, gaps, "no epilepsy, and no seizure within {}", limits.seizure_max_age)
    anticonvulsants = case.facts.taking(DrugClass.ANTIEPILEPTIC)
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
    """Epilepsy at any time; a seizure of the last years."""
    entries = case.ever(Problem.SEIZURE)
    if not entries:
        return ()
    oldest = limits.seizure_max_age.before(case.facts.today)
    return [entry for entry in entries if SINGLE not in entry.flags or entry.is_since(oldest)]
