"""renal-aki: possible acute kidney injury (rules.md 5.1, R8)."""

from __future__ import annotations

from cards.advice import acute, permitted
from cards.case import Case, Kind
from cards.facts import OralDose
from cards.kidney import AcuteInjury, KidneyFunction
from cards.kidney_function.avoid import renal_avoid_severe
from cards.kidney_function.judged import RISES, kidney_of, paragraphs
from cards.kidney_function.limits import Limits
from cards.kidney_function.renal_dose import renal_dose_exceeds_limit
from cards.outcome import DoseProposal, Finding, Indicator, OrderTest, Outcome, Test, WithdrawOrder, quiet

RULE = "renal-aki"


def renal_aki(case: Case, limits: Limits) -> Outcome:
    """The urgency of the kidney tier applies too: the higher of both wins."""
    kidney = kidney_of(case, RULE)
    if not isinstance(kidney, KidneyFunction):
        return kidney
    if kidney.acute is None or not acute(case):
        return quiet(RULE, kidney.unchecked, "no sign of acute kidney injury")
    starts = case.kind in RISES
    doses: tuple[DoseProposal, ...] = (WithdrawOrder(),) if starts else ()
    proposals = (*permitted(case, doses), OrderTest(Test.CREATININE, urgent=True))
    by_tier = (renal_dose_exceeds_limit(case, limits), renal_avoid_severe(case, limits))
    new = starts or case.kind is Kind.UNKNOWN
    return Finding(
        RULE,
        max([indicator(case, limits), *(other.indicator for other in by_tier if isinstance(other, Finding))]),
        ("start" if new else "review") + ("" if _measured(kidney.acute) else "_diagnosis"),
        paragraphs(case, kidney, limits, ("why", *_act(case), "S-WATCH"), proposals),
        {"before": kidney.acute.before, "now": kidney.acute.now} if _measured(kidney.acute) else {},
        proposals,
        kidney.unchecked,
    )


def indicator(case: Case, limits: Limits) -> Indicator:
    match case.kind:
        case Kind.DECREASE:
            return Indicator.INFO
        case Kind.UNCHANGED if isinstance(case.dose, OralDose) and case.dose.highest <= limits.acute_unchanged_at_most:
            return Indicator.WARNING
        case _:
            return Indicator.CRITICAL


def _measured(injury: AcuteInjury) -> bool:
    return injury.before is not None and injury.now is not None


def _act(case: Case) -> tuple[str, ...]:
    """Continuing has no automatic change: stopping may cause withdrawal, continuing toxicity (a person decides)."""
    match case.kind:
        case Kind.INITIATION if case.current.known:
            return ("act_start",)
        case Kind.INCREASE:
            return ("act_start", "act_continue")
        case Kind.UNKNOWN | Kind.INITIATION:
            return ("act_start", "act_if_taking")
        case Kind.DECREASE:
            return ("act_decrease",)
        case _:
            return ("act_continue",)
