"""The kidney value itself: none that can be used, one that may mislead, one that is old (rules.md 5.1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from cards.advice import acute, closing, instead, new_without_a_dose, permitted
from cards.case import Case, Kind
from cards.facts import DrugClass, Input, KidneyResults, MedicationList, Missing, OralDose, Problem, ProblemList, Why
from cards.kidney import KidneyFunction, Tier
from cards.kidney_function.acute import renal_aki
from cards.kidney_function.avoid import renal_avoid_severe
from cards.kidney_function.judged import kidney_of, paragraphs, quiet, recheck, shown
from cards.kidney_function.limits import Limits
from cards.kidney_function.renal_dose import renal_dose_exceeds_limit
from cards.outcome import CannotAssess, ChangeDose, Finding, Indicator, NotIndicated, OrderTest, Outcome, Test

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


# -------------------------------------------------------------------------------------------------------- unknown


def renal_function_unknown(case: Case, limits: Limits) -> Outcome:
    kidney = kidney_of(case, UNKNOWN)
    if not isinstance(kidney, KidneyFunction):
        return kidney
    if kidney.tier is not Tier.UNKNOWN:
        return NotIndicated(UNKNOWN, f"{shown(kidney)} is known")
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
        (*kidney.unchecked, *(_not_known(case) if judged and not risks else ())),
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
    if isinstance(case.facts.problems, ProblemList):
        yield from (words for kind, words in EVER.items() if case.facts.problems.of(kind))
        yield from (words for kind, words in NOW.items() if case.facts.problems.active(kind))
    listed = case.facts.medications.others if isinstance(case.facts.medications, MedicationList) else ()
    harmful = {DrugClass.NSAID, DrugClass.NEPHROTOXIC}
    yield from sorted({str(one.label) for one in (*listed, *case.facts.drafted) if one.classes & harmful})
    if isinstance(case.dose, OralDose) and case.dose.highest > limits.unknown_high_dose_above:
        yield f"{case.dose.highest} of baclofen"


def _not_known(case: Case) -> Iterator[Missing]:
    """Inputs that could have named a risk."""
    if isinstance(case.age, Missing):
        yield case.age
    for what, listed in ((Input.PROBLEMS, case.facts.problems), (Input.MEDICATIONS, case.facts.medications)):
        if isinstance(listed, Missing):
            yield listed
        elif listed.incomplete:
            yield Missing(what, Why.NOT_AVAILABLE, listed.incomplete)


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
    if kidney.tier is not Tier.K2 or case.kind not in (Kind.INITIATION, Kind.INCREASE):
        return NotIndicated(UNRELIABLE, f"{shown(kidney)}, {case.kind.value}: asked for new or raised doses in K2")
    if not kidney.creatinine_only or _cystatin_on_file(case, limits):
        return NotIndicated(UNRELIABLE, f"cystatin C is known, or was measured within {limits.cystatin_max_age}")
    problems = case.facts.problems
    if isinstance(problems, Missing):
        return CannotAssess(UNRELIABLE, (problems,))
    conditions = problems.active(Problem.LOW_MUSCLE_MASS)
    if not conditions:
        gap = Missing(Input.PROBLEMS, Why.NOT_AVAILABLE, problems.incomplete)
        return quiet(kidney, UNRELIABLE, "no condition with low muscle mass", *((gap,) if problems.incomplete else ()))
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
    if not isinstance(results, KidneyResults):
        return False
    oldest = case.facts.now - timedelta(days=int(limits.cystatin_max_age.value))
    return any(result.taken.date() >= oldest.date() for result in results.cystatins)


# -------------------------------------------------------------------------------------------------------- recheck


def renal_recheck(case: Case, limits: Limits) -> Outcome:
    """An old value in reduced kidney function, when no other kidney card carries the reminder."""
    kidney = kidney_of(case, RECHECK)
    if not isinstance(kidney, KidneyFunction):
        return kidney
    if kidney.tier not in (Tier.K3A, Tier.K3B, Tier.K4, Tier.K5):
        return quiet(kidney, RECHECK, f"{shown(kidney)} is not below 60 without dialysis")
    if case.kind not in (Kind.INITIATION, Kind.INCREASE):
        return NotIndicated(RECHECK, f"{case.kind.value}: asked for new or raised doses")
    tests = recheck(kidney, limits)
    if not tests:
        return quiet(kidney, RECHECK, f"the value is {kidney.age} old, not over {limits.recheck_above}")
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
