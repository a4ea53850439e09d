"""renal-avoid-severe (eGFR under 30) and renal-dialysis: baclofen is best avoided (rules.md 5.1, second table)."""

from __future__ import annotations

from cards.advice import acute, instead, new_without_a_dose, not_above_ordered, permitted, starting
from cards.case import Case, Kind
from cards.facts import OralDose
from cards.kidney import KidneyFunction, Tier
from cards.kidney_function.judged import kidney_of, paragraphs, recheck
from cards.kidney_function.limits import Limits
from cards.outcome import ChangeDose, DoseProposal, Finding, Indicator, Outcome, Taper, WithdrawOrder, quiet
from cards.quantities import DailyDose

SEVERE = "renal-avoid-severe"
DIALYSIS = "renal-dialysis"


def renal_avoid_severe(case: Case, limits: Limits) -> Outcome:
    kidney = kidney_of(case, SEVERE)
    match kidney:
        case KidneyFunction(tier=Tier.K4):
            return _avoid(case, kidney, limits, SEVERE, case.dosing.ceiling_k4)
        case KidneyFunction(tier=Tier.K5):
            return _avoid(case, kidney, limits, SEVERE, case.dosing.ceiling_k5)
        case KidneyFunction():
            return quiet(SEVERE, kidney.unchecked, "{} is not below 30 without dialysis", kidney)
        case _:
            return kidney


def renal_dialysis(case: Case, limits: Limits) -> Outcome:
    kidney = kidney_of(case, DIALYSIS)
    match kidney:
        case KidneyFunction(tier=Tier.DIALYSIS):
            return _avoid(case, kidney, limits, DIALYSIS, case.dosing.ceiling_dialysis)
        case KidneyFunction():
            return quiet(DIALYSIS, kidney.unchecked, "no dialysis on record")
        case _:
            return kidney


def indicator(kind: Kind, highest: DailyDose | None, limit: DailyDose) -> Indicator:
    """The table of both rules; ``limit`` is K4 7.5, K5 5, dialysis 2.5 mg/day. None: the dose is not known."""
    if highest is None:
        return Indicator.CRITICAL
    match kind:
        case Kind.INCREASE:
            return Indicator.CRITICAL
        case Kind.DECREASE:
            return Indicator.WARNING if highest > limit else Indicator.INFO
        case _:
            return Indicator.CRITICAL if highest > limit else Indicator.WARNING


def _avoid(case: Case, kidney: KidneyFunction, limits: Limits, rule: str, limit: DailyDose) -> Finding:
    highest = case.dose.highest if isinstance(case.dose, OralDose) else None
    doses = permitted(case, _doses(case, kidney.tier, limit))
    proposals = (*doses, *recheck(kidney, limits))
    summary, act = _words(case, limit)
    why = ("why", "ask_dialysis") if kidney.tier is Tier.K5 else ("why",)
    values: dict[str, object] = {"limit": limit, "unavoidable": _unavoidable(case, kidney.tier)}
    for dose in doses:
        if isinstance(dose, Taper):
            values["first"] = str(dose.steps[0].regimen)
    return Finding(
        rule,
        indicator(case.kind, highest, limit),
        summary,
        paragraphs(case, kidney, limits, (*why, *act, "red_flags", "alternatives"), proposals),
        values,
        proposals,
        kidney.unchecked,
    )


def _unavoidable(case: Case, tier: Tier) -> DailyDose:
    """The start if baclofen cannot be avoided: 5 mg/day, in dialysis 2.5 mg/day."""
    return case.dosing.start_dialysis if tier is Tier.DIALYSIS else case.dosing.start_k4


def _doses(case: Case, tier: Tier, limit: DailyDose) -> tuple[DoseProposal, ...]:
    if starting(case):
        return (WithdrawOrder(), *_if_unavoidable(case, tier))
    current = case.current.dose
    over = isinstance(case.dose, OralDose) and case.dose.highest > limit
    match case.kind:
        case Kind.INCREASE if isinstance(current, DailyDose) and current <= limit:
            return instead(case, current, "no increase")
        case Kind.INCREASE | Kind.UNCHANGED if isinstance(current, DailyDose) and over:
            return (case.dosing.taper_off(current),)
        case _:
            return ()


def _if_unavoidable(case: Case, tier: Tier) -> tuple[ChangeDose, ...]:
    """Without a dose yet there is one to offer only where the tier has a recommended start."""
    low = _unavoidable(case, tier)
    if new_without_a_dose(case):
        if case.dosing.recommended_start(tier, case.age) is None:
            return ()
    elif not (isinstance(case.dose, OralDose) and case.dose.highest > low):
        return ()
    return instead(
        case,
        not_above_ordered(case, low),
        "if unavoidable, after dialysis" if tier is Tier.DIALYSIS else "if unavoidable",
    )


def _words(case: Case, limit: DailyDose) -> tuple[str, tuple[str, ...]]:
    """Summary, and what to do instead."""
    if acute(case):
        return "default" if isinstance(case.dose, OralDose) else "no_dose", ("act_acute",)
    if not isinstance(case.dose, OralDose):
        return "no_dose", ("act_start",) if starting(case) else ("act_unreadable",)
    if not case.current.known:
        return "current_unknown", ("act_if_first",)
    over = case.dose.highest > limit
    match case.kind:
        case Kind.INITIATION:
            return "default", ("act_start",)
        case Kind.INCREASE:
            taken = case.current.dose
            tapers = isinstance(taken, DailyDose) and taken > limit
            return "increase", ("act_taper",) if tapers else ("act_no_increase",)
        case Kind.UNCHANGED if over:
            return "unchanged", ("act_taper",)
        case Kind.UNCHANGED:
            return "unchanged_low", ("act_review",)
        case _:
            return "decrease", ("act_go_on",)
