"""The kidney value itself: none that can be used, one that may mislead, one that is old (rules.md 5.1)."""

from __future__ import annotations

from collections.abc import Iterator

from cards.advice import acute, closing, instead, new_without_a_dose, permitted
from cards.case import Case, Kind
from cards.facts import DrugClass, Input, KidneyResults, Missing, OralDose, Problem
from cards.gaps import not_known
from cards.kidney import KidneyFunction, Tier
from cards.kidney_function.acute import renal_aki
from cards.kidney_function.avoid import renal_avoid_severe
from cards.kidney_function.judged import RISES, kidney_of, paragraphs, recheck
from cards.kidney_function.limits import Limits
from cards.kidney_function.renal_dose import renal_dose_exceeds_limit
from cards.outcome import CannotAssess, ChangeDose, Finding, Indicator, NotIndicated, OrderTest, Outcome, Test, quiet

UNKNOWN = "renal-function-unknown"
UNRELIABLE = "renal-egfr-unreliable"
RECHECK = "renal-recheck"

EVER = {
    Problem.CHRONIC_KIDNEY_DISEASE: "chronic kidney disease",
    Problem.ACUTE_KIDNEY_INJURY: "earlier acute kidney injury",
    Problem.KIDNEY_TRANSPLANT: "kidney transplant",
}
NOW = {
    Problem.DIABETES: "diabetes",
    Problem.HEART_FAILURE: "heart failure",
    Problem.NEUROGENIC_BLADDER: "neurogenic bladder",
}
REDUCED = frozenset({Tier.K3A, Tier.K3B, Tier.K4, Tier.K5})
RISKS_FROM = (Input.AGE, Input.PROBLEMS, Input.MEDICATIONS)
"""Inputs that could name a risk."""


# -------------------------------------------------------------------------------------------------------- unknown


def renal_function_unknown(case: Case, limits: Limits) -> Outcome:
    kidney = kidney_of(case, UNKNOWN)
    if not isinstance(kidney, KidneyFunction):
        return kidney
    if kidney.tier is not Tier.UNKNOWN:
        return NotIndicated(UNKNOWN, "{} is known", (kidney,))
    if case.kind is Kind.DECREASE:
        return NotIndicated(UNKNOWN, "kidney function is not known, and baclofen is being lowered")
    judged = case.kind is not Kind.UNCHANGED
    risks = tuple(_risks(case, limits)) if judged else ()
    tests = (OrderTest(Test.CREATININE, urgent=_urgent(case, limits)),)
    doses = permitted(case, _older_start(case))
    act = ("act_start",) if case.kind is Kind.INITIATION and case.current.known else ()
    own = ("why", *(("risks",) if risks else ()), *act)
    return Finding(
        UNKNOWN,
        Indicator.WARNING if risks else Indicator.INFO,
        _summary(case),
        ("S-ORDER", "S-KIDNEY", *own, "S-WATCH", *closing(case, doses)),
        {"risks": risks, "start": case.dosing.recommended_start(Tier.UNKNOWN, case.age)},
        (*tests, *doses),
        (*kidney.unchecked, *(not_known(case.facts, *RISKS_FROM) if judged and not risks else ())),
    )


def _summary(case: Case) -> str:
    match case.kind:
        case Kind.UNCHANGED:
            return "unchanged"
        case Kind.INCREASE:
            return "raise"
        case Kind.INITIATION if case.current.known:
            return "start"
        case _:
            return "order"


def _risks(case: Case, limits: Limits) -> Iterator[str]:
    """Who must not start without a kidney value (policy), each in the words of the card."""
    if case.dosing.older(case.age):
        yield f"age {case.age}"
    yield from (words for kind, words in EVER.items() if case.ever(kind))
    yield from (words for kind, words in NOW.items() if case.active(kind))
    yield from sorted({str(one.label) for one in case.facts.taking(DrugClass.NSAID, DrugClass.NEPHROTOXIC)})
    if isinstance(case.dose, OralDose) and case.dose.highest > limits.unknown_high_dose_above:
        yield f"{case.dose.highest} of baclofen"


def _urgent(case: Case, limits: Limits) -> bool:
    high = isinstance(case.dose, OralDose) and case.dose.highest >= limits.unknown_urgent_at_least
    return high or acute(case)


def _older_start(case: Case) -> tuple[ChangeDose, ...]:
    """At 65 and over the low start is offered here; under 65 the dose card offers it where the start is too high."""
    start = case.dosing.recommended_start(Tier.UNKNOWN, case.age)
    if start is None or not case.dosing.older(case.age):
        return ()
    high = case.kind is Kind.INITIATION and isinstance(case.dose, OralDose) and case.dose.start > start
    return instead(case, start) if high or new_without_a_dose(case) else ()


# ----------------------------------------------------------------------------------------------------- unreliable


def renal_egfr_unreliable(case: Case, limits: Limits) -> Outcome:
    """Low muscle mass makes a creatinine value look better than the kidneys are."""
    kidney = kidney_of(case, UNRELIABLE)
    if not isinstance(kidney, KidneyFunction):
        return kidney
    if kidney.tier is not Tier.K2 or case.kind not in RISES:
        return NotIndicated(UNRELIABLE, "{}, {}: asked for new or raised doses in K2", (kidney, case.kind))
    if not kidney.creatinine_only or _cystatin_on_file(case, limits):
        return NotIndicated(UNRELIABLE, "cystatin C is known, or was measured within {}", (limits.cystatin_max_age,))
    if isinstance(case.facts.problems, Missing):
        return CannotAssess(UNRELIABLE, (case.facts.problems,))
    conditions = case.active(Problem.LOW_MUSCLE_MASS)
    if not conditions:
        gaps = (*kidney.unchecked, *not_known(case.facts, Input.PROBLEMS))
        return quiet(UNRELIABLE, gaps, "no condition with low muscle mass")
    tests = (*recheck(kidney, limits), OrderTest(Test.CYSTATIN_C))
    return Finding(
        UNRELIABLE,
        Indicator.INFO,
        "default",
        paragraphs(case, kidney, limits, ("which",), tests),
        {"condition": conditions[0].label},
        tests,
        kidney.unchecked,
    )


def _cystatin_on_file(case: Case, limits: Limits) -> bool:
    results = case.facts.kidney
    if not isinstance(results, KidneyResults) or not results.cystatins:
        return False
    oldest = limits.cystatin_max_age.before(case.facts.today)
    return any(result.taken.date() >= oldest for result in results.cystatins)


# -------------------------------------------------------------------------------------------------------- recheck


def renal_recheck(case: Case, limits: Limits) -> Outcome:
    """An old value in reduced kidney function, when no other kidney card carries the reminder."""
    kidney = kidney_of(case, RECHECK)
    if not isinstance(kidney, KidneyFunction):
        return kidney
    if kidney.tier not in REDUCED:
        return quiet(RECHECK, kidney.unchecked, "{} is not below 60 without dialysis", kidney)
    if case.kind not in RISES:
        return NotIndicated(RECHECK, "{}: asked for new or raised doses", (case.kind,))
    tests = recheck(kidney, limits)
    if not tests:
        return quiet(RECHECK, kidney.unchecked, "the value is {} old, not over {}", kidney.age, limits.recheck_above)
    for other in (renal_dose_exceeds_limit, renal_avoid_severe, renal_aki):
        if isinstance(other(case, limits), Finding):
            return NotIndicated(RECHECK, "another kidney card carries the reminder")
    return Finding(
        RECHECK,
        Indicator.INFO,
        "default",
        paragraphs(case, kidney, limits, ("why",), tests),
        {},
        tests,
        kidney.unchecked,
    )
