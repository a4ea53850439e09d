"""What else should be checked beside baclofen? (rules.md 5.9)"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cards import naming
from cards.case import Case
from cards.facts import ChartText, DrugClass, Input, Medication, Missing, Problem, ProblemEntry
from cards.gaps import unread
from cards.kidney import KidneyFunction, Tier
from cards.outcome import Finding, Indicator, NotIndicated, Outcome, quiet
from cards.quantities import Age
from cards.rule import Rule
from cards.values import frozen

RULE = "other-interactions-and-cautions"

ITEMS = {
    "lithium": "lithium",
    "maoi": "MAO inhibitor",
    "tricyclic": "tricyclic antidepressant",
    "levodopa": "levodopa",
    "nephrotoxic": "drugs that harm the kidneys",
    "ulcer": "peptic ulcer",
    "porphyria": "porphyria",
    "retention": "urinary retention",
}
"""Item, also the name of its paragraph and of its placeholder → its words in the summary."""

DRUGS = (
    DrugClass.LITHIUM, DrugClass.MAOI, DrugClass.SEDATING_ANTIDEPRESSANT, DrugClass.LEVODOPA, DrugClass.NSAID,
    DrugClass.NEPHROTOXIC,
)  # fmt: skip
CONDITIONS = (Problem.PEPTIC_ULCER, Problem.PORPHYRIA, Problem.URINARY_RETENTION)

TRICYCLIC = "tricyclic"
"""Flag of the tricyclic ones among the sedating antidepressants."""

REDUCED = frozenset({Tier.K3A, Tier.K3B, Tier.K4, Tier.K5, Tier.DIALYSIS})


@frozen
class Limits:
    nephrotoxic_age_at_least: Age


def other_interactions(case: Case, limits: Limits) -> Outcome:
    if not case.kind.rises:
        return NotIndicated(RULE, "asked for at a start or an increase; this is {}", (case.kind,))
    found = _named(case, limits)
    if not found:
        return quiet(RULE, _not_known(case, limits), "no medicine or condition of this list")
    return Finding(
        RULE,
        Indicator.INFO,
        summary="default",
        detail=("S-ORDER", *found, "advice"),
        values={"items": ", ".join(ITEMS[item] for item in found), **dict.fromkeys(ITEMS, ""), **found},
    )


def _named(case: Case, limits: Limits) -> Mapping[str, ChartText]:
    """Each item that is there, with the names of its entries."""
    if case.facts.classes_taken.isdisjoint(DRUGS) and not case.ever(*CONDITIONS):
        return {}
    drugs, conditions = _drugs(case, limits), _conditions(case)
    return {
        **{item: naming.medicines(found) for item, found in drugs.items() if found},
        **{item: naming.problems(found) for item, found in conditions.items() if found},
    }


def _drugs(case: Case, limits: Limits) -> Mapping[str, Sequence[Medication]]:
    taking = case.facts.taking
    harmful = taking(DrugClass.NSAID, DrugClass.NEPHROTOXIC)
    return {
        "lithium": taking(DrugClass.LITHIUM),
        "maoi": taking(DrugClass.MAOI),
        "tricyclic": [one for one in taking(DrugClass.SEDATING_ANTIDEPRESSANT) if TRICYCLIC in one.flags],
        # With Parkinson disease the neurological card speaks of levodopa.
        "levodopa": () if case.active(Problem.PARKINSONS) else taking(DrugClass.LEVODOPA),
        "nephrotoxic": harmful if harmful and _at_risk(case, limits) else (),
    }


def _conditions(case: Case) -> Mapping[str, Sequence[ProblemEntry]]:
    return {
        "ulcer": case.active(Problem.PEPTIC_ULCER),
        "porphyria": case.ever(Problem.PORPHYRIA),
        "retention": case.active(Problem.URINARY_RETENTION),
    }


def _at_risk(case: Case, limits: Limits) -> bool:
    """Reduced kidneys, or an age at which they are easily harmed."""
    old = isinstance(case.age, Age) and case.age >= limits.nephrotoxic_age_at_least
    kidney = case.kidney
    reduced = isinstance(kidney, KidneyFunction) and (kidney.tier in REDUCED or kidney.acute is not None)
    return old or reduced


def _not_known(case: Case, limits: Limits) -> tuple[Missing, ...]:
    gaps = unread(case.facts, Input.MEDICATIONS, Input.PROBLEMS)
    if not case.facts.taking(DrugClass.NSAID, DrugClass.NEPHROTOXIC) or _at_risk(case, limits):
        return gaps
    kidney = (case.kidney,) if isinstance(case.kidney, Missing) else case.kidney.unchecked
    return (*gaps, *kidney, *unread(case.facts, Input.AGE))


RULES = (
    Rule(
        RULE,
        frozenset({Input.MEDICATIONS, Input.PROBLEMS, Input.KIDNEY_RESULTS, Input.AGE}),
        other_interactions,
    ),
)
