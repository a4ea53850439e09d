"""Is this patient old enough for a lower start and more care? (rules.md 5.8)"""

from __future__ import annotations

from collections.abc import Sequence

from cards.advice import closing
from cards.case import Case, Kind
from cards.facts import ChartText, Input, Missing, OralDose, Problem
from cards.gaps import not_known
from cards.kidney import KidneyFunction, Tier
from cards.outcome import CannotAssess, ChangeDose, Finding, Indicator, NotIndicated, Outcome, quiet
from cards.quantities import Age, DailyDose, Days
from cards.rule import Rule
from cards.values import frozen

RULE = "older-adult-caution"

STARTS = frozenset({Kind.INITIATION, Kind.UNKNOWN})
"""An unread dose is judged as a start."""
RISES = STARTS | {Kind.INCREASE}

OWN_TIERS = frozenset({Tier.K1, Tier.K2, Tier.UNKNOWN})
"""Where this card may name a start dose; reduced kidneys belong to the renal card."""

NOT_DELIRIUM = frozenset({"hallucination", "encephalopathy"})
"""Flags of the delirium value set that mean something else (rules.md IN-FALL names delirium and disorientation)."""


@frozen
class Limits:
    age_at_least: Age
    history_max_age: Days
    dose_above: DailyDose


def older_adult_caution(case: Case, limits: Limits) -> Outcome:
    if case.kind not in RISES:
        return NotIndicated(RULE, "only a start or an increase is judged; this is {}", (case.kind,))
    if isinstance(case.age, Missing):
        return CannotAssess(RULE, (case.age,))
    if case.age < limits.age_at_least:
        return NotIndicated(RULE, "age {} is below {}", (case.age, limits.age_at_least))
    gaps = not_known(case.facts, Input.PROBLEMS)
    if hospice := case.active(Problem.HOSPICE):
        return NotIndicated(RULE, "hospice care is recorded: {}", (hospice[0].label,))
    reasons = (*_history(case, limits), *_high_dose(case, limits))
    if not reasons and case.kind is Kind.INCREASE:
        return quiet(RULE, gaps, "an increase without recent falls, fracture or delirium, without dementia, not high")
    recommended = _recommended_start(case)
    start = _lower_start(case, recommended)
    return Finding(
        RULE,
        Indicator.WARNING if reasons else Indicator.INFO,
        summary=_summary(case, recommended),
        detail=_detail(case, reasons, start),
        values={
            "reasons": ChartText("; ".join(reasons)),
            "recommended": recommended or "",
            "start": str(start.regimen) if start else "",
        },
        proposals=(start,) if start else (),
        unchecked=() if reasons else gaps,
    )


def _history(case: Case, limits: Limits) -> Sequence[str]:
    """What makes sedation more dangerous: recent falls, fracture or delirium; dementia."""
    falls = case.lately(limits.history_max_age, Problem.FALLS_OR_FRACTURE)
    confusion = case.lately(limits.history_max_age, Problem.DELIRIUM_HALLUCINATION)
    delirium = [entry for entry in confusion if not entry.flags & NOT_DELIRIUM]
    found = (*falls, *delirium, *case.active(Problem.DEMENTIA))
    return sorted({f"{entry.label} ({entry.recorded or 'no date'})" for entry in found})


def _high_dose(case: Case, limits: Limits) -> Sequence[str]:
    match case.dose:
        case OralDose(highest=highest) if highest > limits.dose_above:
            return (f"{highest} is above {limits.dose_above}",)
        case _:
            return ()


def _recommended_start(case: Case) -> DailyDose | None:
    """For normal, mildly reduced or unknown kidney function; none is named in acute injury (resolutions.md 12)."""
    match case.kidney:
        case KidneyFunction(tier=tier, acute=None) if tier in OWN_TIERS:
            return case.dosing.recommended_start(tier, case.age)
        case _:
            return None


def _lower_start(case: Case, recommended: DailyDose | None) -> ChangeDose | None:
    if recommended is None or case.kind is not Kind.INITIATION or not case.current.known:
        return None
    match case.dose:
        case OralDose(start=ordered) if ordered > recommended:
            return ChangeDose(case.dosing.regimen(recommended))
        case _:
            return None


def _summary(case: Case, recommended: DailyDose | None) -> str:
    """No start dose is named to someone who takes baclofen already, or may do so (resolutions.md 2)."""
    if case.kind is Kind.INCREASE:
        return "increase"
    if not case.current.is_nothing:
        return "taken_already"
    return "start_at" if recommended else "start"


def _detail(case: Case, reasons: Sequence[str], start: ChangeDose | None) -> tuple[str, ...]:
    said = {
        "S-ORDER": True,
        "S-KIDNEY": start is not None,
        "reasons": bool(reasons),
        "S-OLD": True,
        "harm": True,
        "start": start is not None,
        "advice": True,
        "S-DRIVE": case.kind is not Kind.INCREASE,
    }
    return (*(name for name, wanted in said.items() if wanted), *closing(case, (start,) if start else ()))


RULES = (Rule(RULE, frozenset({Input.AGE, Input.PROBLEMS, Input.KIDNEY_RESULTS}), older_adult_caution),)
