"""neurologic-comorbidity: diseases in which baclofen is tolerated badly (rules.md 5.7)."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from cards import naming
from cards.case import Case, Kind
from cards.facts import DrugClass, Input, Missing, Problem, ProblemEntry
from cards.gaps import unread
from cards.neurology.limits import Limits
from cards.outcome import Finding, Indicator, NotIndicated, Outcome, quiet

RULE = "neurologic-comorbidity"

DISEASES = {
    Problem.PARKINSONS: "Parkinson disease",
    Problem.STROKE: "stroke",
    Problem.DEMENTIA: "dementia",
    Problem.BRAIN_INJURY: "brain injury",
    Problem.AUTONOMIC_DYSREFLEXIA: "autonomic dysreflexia",
}
"""In the order in which a card names them. The value of each key is also the name of its paragraph."""

LASTING = frozenset({Problem.STROKE, Problem.BRAIN_INJURY})
"""What the acute disease leaves behind counts when its entry is long resolved."""

NOT_STROKE = "tia"
"""Flag of a transient attack: it leaves no spasticity behind."""


def neurologic_comorbidity(case: Case, _: Limits) -> Outcome:
    """Every one of these diseases at a start or an increase; at a renewal only Parkinson disease with levodopa."""
    if not (case.kind.rises or case.kind is Kind.UNCHANGED) or case.stable:
        return NotIndicated(RULE, "{}{}: not judged", (case.kind, ", stable" if case.stable else ""))
    entries = _entries(case)
    with_levodopa = Problem.PARKINSONS in entries and _on_levodopa(case)
    gaps = _not_known(case, entries.keys())
    if not (entries if case.kind.rises else with_levodopa):
        return quiet(RULE, gaps, "none of these diseases on the problem list")
    warns = with_levodopa and case.kind.rises
    return Finding(
        RULE,
        Indicator.WARNING if warns else Indicator.INFO,
        summary="levodopa" if with_levodopa else "default",
        detail=("S-ORDER", "recorded", *(("levodopa",) if with_levodopa else ()), *entries, "posture"),
        values={
            "dx": _capital(naming.listed(DISEASES[kind] for kind in entries)),
            "recorded": naming.problems(entry for found in entries.values() for entry in found),
        },
        unchecked=() if warns else gaps,
    )


def _entries(case: Case) -> Mapping[Problem, Sequence[ProblemEntry]]:
    """By disease, those that are there."""
    counted = [one for one in case.ever(*DISEASES) if NOT_STROKE not in one.flags]
    if not counted:
        return {}
    by_kind = {
        kind: [one for one in counted if kind in one.kinds and (one.active or kind in LASTING)] for kind in DISEASES
    }
    return {kind: found for kind, found in by_kind.items() if found}


def _on_levodopa(case: Case) -> bool:
    return DrugClass.LEVODOPA in case.facts.classes_taken


def _not_known(case: Case, diseases: Collection[Problem]) -> tuple[Missing, ...]:
    """What could have made this more urgent: a disease that nobody sees, or levodopa beside Parkinson disease."""
    if not case.facts.gaps:
        return ()
    problems, medicines = unread(case.facts, Input.PROBLEMS), unread(case.facts, Input.MEDICATIONS)
    if Problem.PARKINSONS in diseases:
        return () if _on_levodopa(case) else medicines
    any_disease_counts = case.kind.rises and not diseases
    return problems if any_disease_counts or _on_levodopa(case) or medicines else ()


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
